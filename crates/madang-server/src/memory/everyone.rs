//! The newest messages of a channel that mention everyone, and that are deleted, for whoever comes to have them
//! unread.

use madang_proto::{
    UserId, limits,
    mentions::{self, MentionKind},
    messages::Message,
};
use madang_store::unread::{Everyone, Marks};

/// Those messages, by `seq`; none by name.
pub struct Newest(pub Marks);

impl Newest {
    /// The messages that mention a user with everyone, and those that are deleted.
    pub fn of(&self, user: UserId) -> (Vec<i64>, Vec<i64>) {
        let everyone = self.0.everyone.iter().filter(|mention| mention.is_for(user));
        (everyone.map(|mention| mention.seq).collect(), self.0.deleted.clone())
    }

    /// Takes in a message as it is now. Those who were there when it was sent stay who they were; who that is, is
    /// not in a new one: false.
    pub fn take(&mut self, message: &Message, new: bool) -> bool {
        if message.deleted_at.is_some() {
            self.lose(message.seq);
        }
        if new && message.mentions.is_empty() {
            return true;
        }
        let all = &mut self.0.everyone;
        let has = |kind| mentions::has(&message.mentions, kind);
        let (whole, here) = (has(MentionKind::Channel), has(MentionKind::Here));
        if whole || !here {
            all.retain(|mention| mention.seq != message.seq);
        }
        if whole {
            let place = all.partition_point(|mention| mention.seq < message.seq);
            all.insert(place, Everyone { seq: message.seq, people: None });
            all.drain(..all.len().saturating_sub(limits::MENTIONS_COUNTED));
        }
        whole || !here || !new
    }

    /// A message is deleted.
    fn lose(&mut self, seq: i64) {
        let deleted = &mut self.0.deleted;
        if let Err(place) = deleted.binary_search(&seq) {
            deleted.insert(place, seq);
            deleted.drain(..deleted.len().saturating_sub(limits::UNREAD_SKIPPED));
        }
    }
}
