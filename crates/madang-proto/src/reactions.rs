//! Reactions: emoji that people put on a message, each person each emoji once.
//!
//! An emoji is named by its Unicode sequence in the form that [`crate::input::emoji`] gives, one of the workspace's
//! own as `:name:`.
//!
//! Invariants:
//! - The server, its memory and the clients all come from one state to the next by
//!   [`ReactionChange::apply_to`].

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, MessageId, UserId,
    schema::{Cursor, ReactionText},
};

/// An emoji on a message. They stand in the order of their first use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// How many people put it there.
    pub count: i64,
    /// Whether the asking user is one of them; absent in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub me: Option<bool>,
}

/// `POST` and `DELETE /messages/:id/reactions`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct React {
    /// One emoji, with or without its variation selector, or `:name:` of one of the workspace's own.
    #[schema(value_type = ReactionText)]
    pub emoji: String,
}

/// Whose reactions: `GET /messages/:id/reactions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReactorsQuery {
    /// Which emoji.
    #[param(value_type = ReactionText)]
    pub emoji: String,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<Cursor>)]
    pub after: Option<i64>,
}

/// The payload of the event `REACTION`: someone put an emoji on a message, or took it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReactionChange {
    /// Where the message stands.
    pub channel_id: ChannelId,
    /// The message.
    pub message_id: MessageId,
    /// Which emoji.
    pub emoji: String,
    /// Who.
    pub user_id: UserId,
    /// Put there, or taken away.
    pub added: bool,
    /// The channel's version that this change made, and from now on the message's.
    pub version: i64,
}

impl ReactionChange {
    /// Brings the reactions from before this change to those after it. `me` is whose own reactions are
    /// told apart, if anyone's.
    pub fn apply_to(&self, reactions: &mut Vec<Reaction>, me: Option<UserId>) {
        let mine = me.map(|me| me == self.user_id);
        let place = reactions.iter().position(|reaction| reaction.emoji == self.emoji);
        let Some((place, known)) = place.and_then(|place| Some((place, reactions.get_mut(place)?))) else {
            if self.added {
                reactions.push(Reaction { emoji: self.emoji.clone(), count: 1, me: mine });
            }
            return;
        };
        known.count += if self.added { 1 } else { -1 };
        if mine == Some(true) {
            known.me = Some(self.added);
        }
        if known.count <= 0 {
            reactions.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(user: i64, emoji: &str, added: bool) -> ReactionChange {
        let (channel_id, message_id) = (1.into(), 2.into());
        ReactionChange {
            channel_id,
            message_id,
            emoji: emoji.into(),
            user_id: user.into(),
            added,
            version: 3,
        }
    }

    #[test]
    fn kinds_keep_the_order_of_their_first_use_and_go_with_the_last_person() {
        let mut reactions = Vec::new();
        for (user, emoji, added) in
            [(1, "👍", true), (2, "🎉", true), (2, "👍", true), (1, "👍", false), (3, "🎉", true)]
        {
            change(user, emoji, added).apply_to(&mut reactions, Some(1.into()));
        }
        let reaction = |emoji: &str, count| Reaction { emoji: emoji.into(), count, me: Some(false) };
        assert_eq!(reactions, [reaction("👍", 1), reaction("🎉", 2)]);
        change(2, "👍", false).apply_to(&mut reactions, Some(1.into()));
        change(1, "👍", true).apply_to(&mut reactions, Some(1.into()));
        assert_eq!(reactions, [reaction("🎉", 2), Reaction { me: Some(true), ..reaction("👍", 1) }]);
    }
}
