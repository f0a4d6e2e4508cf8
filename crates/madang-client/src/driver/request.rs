//! What is asked of the driver through the handle, each with where its answer goes.

use madang_proto::{
    ChannelId, Command, FileId, UserId, WorkspaceId,
    channels::Channel,
    messages::Message,
    page::{MessagePageQuery, Page},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::Error;

/// Where the answer goes.
pub(super) type Reply<T> = oneshot::Sender<T>;

/// What is asked through the handle.
#[derive(Debug)]
pub(crate) enum Request {
    Enqueue {
        channel: ChannelId,
        content: String,
        file_ids: Vec<FileId>,
        nonce: String,
        done: Option<Reply<Result<Message, Error>>>,
        reply: Reply<()>,
    },
    Retry {
        nonce: String,
        reply: Reply<()>,
    },
    Discard {
        nonce: String,
        reply: Reply<()>,
    },
    Command {
        command: Box<Command>,
        reply: Reply<Result<Value, Error>>,
    },
    Watch {
        users: Vec<UserId>,
        reply: Reply<()>,
    },
    LearnMessage {
        message: Box<Message>,
        reply: Reply<()>,
    },
    LearnChannel {
        channel: Box<Channel>,
        reply: Reply<()>,
    },
    Left {
        channel: ChannelId,
        reply: Reply<()>,
    },
    LoadMessages {
        channel: ChannelId,
        query: MessagePageQuery,
        reply: Reply<Result<Page<Message>, Error>>,
    },
    LoadMembers {
        channel: ChannelId,
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadWorkspaceMembers {
        workspace: WorkspaceId,
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadDirectory {
        workspace: WorkspaceId,
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadEmoji {
        workspace: WorkspaceId,
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadSaved {
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadLater {
        reply: Option<Reply<Result<(), Error>>>,
    },
    LoadNotifications {
        reply: Option<Reply<Result<(), Error>>>,
    },
    Disconnect {
        reply: Reply<()>,
    },
    Reconnect {
        reply: Reply<()>,
    },
    Close {
        reply: Reply<()>,
    },
}
