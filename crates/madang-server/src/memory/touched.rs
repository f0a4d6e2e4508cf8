//! What a change touches of the memory: told by its events, so that no operation can forget to say it.

use madang_proto::{
    ChannelId, Event, UserId, channels::ChannelAction, messages::Message, reactions::ReactionChange,
};
use madang_realtime::{Control, Topic};

/// Something that is kept in memory and is not as it was.
#[derive(Debug, Clone)]
pub enum Touched {
    /// A message of a channel.
    Message(Box<Message>),
    /// What people put on a message of a channel.
    Reaction(ReactionChange),
    /// How far a user has read.
    Read(UserId, ChannelId, i64),
    /// Anything else of a channel.
    Room(ChannelId),
    /// A user's rights or memberships.
    Person(UserId),
    /// A workspace, or that a channel is there, which all of its people carry with them.
    Workspaces,
}

impl Touched {
    /// What an event tells of.
    pub fn by_event(topic: Topic, event: &Event) -> Vec<Self> {
        match (event, topic) {
            (Event::Message(message), _) => vec![Self::Message(Box::new(message.clone()))],
            (Event::Reaction(change), _) => vec![Self::Reaction(change.clone())],
            (Event::ReadReceipt(mark), _) => vec![Self::Read(mark.user_id, mark.channel_id, mark.seq)],
            (Event::Member(member), _) => {
                let room = member.channel_id.map(Self::Room);
                room.into_iter().chain([Self::Person(member.user_id())]).collect()
            }
            (Event::Channel(changed), _) => {
                let room = Self::Room(changed.channel.id);
                match changed.action {
                    ChannelAction::Deleted => vec![room, Self::Workspaces],
                    ChannelAction::Created | ChannelAction::Updated => vec![room],
                }
            }
            (Event::Workspace(_), Topic::User(user)) => vec![Self::Person(user)],
            (Event::Workspace(_), _) => vec![Self::Workspaces],
            (
                Event::Typing(_)
                | Event::Presence(_)
                | Event::Online(_)
                | Event::Saved(_)
                | Event::Watched(_)
                | Event::Ready(_)
                | Event::Resync(_)
                | Event::Ack(_)
                | Event::Error(_)
                | Event::Pong(_),
                _,
            ) => Vec::new(),
        }
    }

    /// What a control tells of.
    pub const fn by_control(control: Control) -> Option<Self> {
        match control {
            Control::Subscribe { user, .. } | Control::Unsubscribe { user, .. } => Some(Self::Person(user)),
            Control::CloseSession { .. } | Control::CloseUser { .. } | Control::CloseAll { .. } => None,
        }
    }
}
