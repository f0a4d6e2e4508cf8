//! Messages: send, read, edit, delete.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ChannelId, FileId, MessageId, Timestamp,
    accounts::UserSummary,
    files::File,
    mentions::Mention,
    previews::Preview,
    reactions::Reaction,
    schema::{Caption, Nonce},
    threads::MessageThread,
};

/// A message, and what is left of a deleted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The id; sorted by time.
    pub id: MessageId,
    /// Where it stands.
    pub channel_id: ChannelId,
    /// Its place in the channel: 1, 2, 3, … without holes.
    pub seq: i64,
    /// The channel's version at its newest change.
    pub version: i64,
    /// Who wrote it.
    #[schema(value_type = UserSummary)]
    pub author: Arc<UserSummary>,
    /// The same as `author`, for clients that read it under this name.
    #[schema(value_type = UserSummary)]
    pub user: Arc<UserSummary>,
    /// The text (Markdown), in NFC; empty when deleted.
    pub content: String,
    /// What the author's client called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The emoji that people put on it, in the order of their first use.
    #[serde(default)]
    #[schema(required = true)]
    pub reactions: Vec<Reaction>,
    /// Whom it mentions.
    #[serde(default)]
    #[schema(required = true)]
    pub mentions: Vec<Mention>,
    /// Whether it is pinned in its channel.
    #[serde(default)]
    #[schema(required = true)]
    pub pinned: bool,
    /// The files that it carries; none when deleted.
    #[serde(default)]
    #[schema(required = true)]
    pub files: Vec<File>,
    /// What its links lead to, as far as it was found; absent when nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
    /// The thread that it is the root of, or that it is a reply in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageThread>,
    /// When it was sent.
    pub created_at: Timestamp,
}

impl Message {
    /// As everyone sees it: without whose reactions are one's own.
    #[must_use]
    pub fn for_everyone(mut self) -> Self {
        self.reactions.iter_mut().for_each(|reaction| reaction.me = None);
        self
    }

    /// Shows its author as they show from now on, if it is theirs. Whether that changed anything.
    pub fn rename(&mut self, user: &UserSummary) -> bool {
        let other = self.author.id == user.id && *self.author != *user;
        if other {
            self.author = Arc::new(user.clone());
            self.user = Arc::clone(&self.author);
        }
        other
    }
}

/// `POST /channels/:id/messages`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMessage {
    /// The text: at most 8,000 characters, not blank unless there are files.
    #[schema(value_type = Caption)]
    pub content: String,
    /// Files that the author uploaded and no message carries yet; at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub file_ids: Vec<FileId>,
    /// Makes sending idempotent: the same author and nonce give the first message again, for good.
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Nonce>)]
    pub nonce: Option<String>,
}

/// `POST /messages`, and the payload of the command `MESSAGE`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Where to.
    pub channel_id: ChannelId,
    /// As in [`CreateMessage`].
    #[schema(value_type = Caption)]
    pub content: String,
    /// As in [`CreateMessage`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub file_ids: Vec<FileId>,
    /// As in [`CreateMessage`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Nonce>)]
    pub nonce: Option<String>,
    /// The message of this channel to reply to; the reply stands in its thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_root_id: Option<MessageId>,
    /// Whether a reply stands in the channel too, as a message of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_to_channel: bool,
}

/// `PUT /messages/:id`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMessage {
    /// The new text: at most 8,000 characters, not blank unless the message has files.
    #[schema(value_type = Caption)]
    pub content: String,
}
