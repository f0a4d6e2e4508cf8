//! What a change touches of the memory: told by its events, so that no operation can forget to say it.

use madang_proto::{
    ChannelId, Event, UserId, accounts::UserSummary, channels::ChannelAction, messages::Message,
    notifications::NotificationCount, reactions::ReactionChange, reads::ReadMark,
};
use madang_realtime::{Control, Topic};
use serde::{Deserialize, Serialize};

/// What no event and no control tells of; every node has to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Silent {
    /// Something of a channel.
    Room(ChannelId),
    /// Something of a user.
    Person(UserId),
    /// What people want to be notified of in channels.
    Heed(Vec<ChannelId>),
    /// A user has read all notifications of a channel, as of a version of theirs.
    AllRead(UserId, ChannelId, i64),
}

impl From<Silent> for Touched {
    fn from(silent: Silent) -> Self {
        match silent {
            Silent::Room(channel) => Self::Room(channel),
            Silent::Person(user) => Self::Person(user),
            Silent::Heed(channels) => Self::Heed(channels),
            Silent::AllRead(user, channel, version) => Self::AllRead(user, channel, version),
        }
    }
}

/// Something that is kept in memory and is not as it was.
#[derive(Debug, Clone)]
pub enum Touched {
    /// A message of a channel.
    Message(Box<Message>),
    /// What people put on a message of a channel.
    Reaction(ReactionChange),
    /// How far a user has read.
    Read(ReadMark),
    /// How many notifications a user has not read, and the channel of a new one of these.
    Notified(UserId, NotificationCount, Option<ChannelId>),
    /// A user has read all notifications of a channel, as of a version of theirs.
    AllRead(UserId, ChannelId, i64),
    /// What people want to be notified of in channels.
    Heed(Vec<ChannelId>),
    /// Anything else of a channel.
    Room(ChannelId),
    /// A user's rights, memberships, or what they say of themself.
    Person(UserId),
    /// How a user shows, told to a topic with the version that the change made.
    Profile(Box<UserSummary>, Topic, i64),
    /// A workspace, or that a channel is there, which all of its people carry with them.
    Workspaces,
}

impl Touched {
    /// What an event tells of.
    pub fn by_event(topic: Topic, event: &Event) -> Vec<Self> {
        match (event, topic) {
            (Event::Message(message), _) => vec![Self::Message(Box::new(message.clone()))],
            (Event::Reaction(change), _) => vec![Self::Reaction(change.clone())],
            (Event::ReadReceipt(mark), _) => vec![Self::Read(mark.clone())],
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
            (Event::Workspace(_) | Event::Emoji(_), _) => vec![Self::Workspaces],
            // One's own only. What a mark uncovers, the database says.
            (Event::Unread(_) | Event::Settings(_), Topic::User(user)) => vec![Self::Person(user)],
            (Event::User(change), topic) => {
                vec![Self::Profile(Box::new(change.user.summary.clone()), topic, change.version)]
            }
            (Event::Notification(new), Topic::User(user)) => {
                let channel = (!new.notification.read).then_some(new.notification.channel_id);
                vec![Self::Notified(user, new.count, channel)]
            }
            (Event::Notifications(change), Topic::User(user)) => {
                vec![Self::Notified(user, change.count, None)]
            }
            (Event::Sanction(change), _) => vec![Self::Person(change.sanction.user.id)],
            (
                Event::Typing(_)
                | Event::Presence(_)
                | Event::Online(_)
                | Event::Saved(_)
                | Event::Draft(_)
                | Event::Scheduled(_)
                | Event::Reminder(_)
                | Event::Unread(_)
                | Event::Settings(_)
                | Event::Notification(_)
                | Event::Notifications(_)
                | Event::NotificationSettings(_)
                | Event::Export(_)
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

    /// The channel whose log it is in.
    pub fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Message(message) => Some(message.channel_id),
            Self::Reaction(change) => Some(change.channel_id),
            Self::Room(channel) => Some(*channel),
            Self::Read(_)
            | Self::Notified(..)
            | Self::AllRead(..)
            | Self::Heed(_)
            | Self::Person(_)
            | Self::Profile(..)
            | Self::Workspaces => None,
        }
    }

    /// Who shows otherwise as the author of messages.
    pub const fn author(&self) -> Option<UserId> {
        match self {
            Self::Profile(user, ..) => Some(user.id),
            Self::Message(_)
            | Self::Reaction(_)
            | Self::Room(_)
            | Self::Read(_)
            | Self::Notified(..)
            | Self::AllRead(..)
            | Self::Heed(_)
            | Self::Person(_)
            | Self::Workspaces => None,
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
