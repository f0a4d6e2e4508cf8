//! What is fetched beside the loop: the state's questions, and what is loaded through the handle.
//!
//! Invariants:
//! - A question is repeated until it is answered, the channel turns out to be gone, or the connection
//!   ends; the next connection begins with a snapshot that makes it superfluous.
//! - A load is tried once and its error goes to whoever asked.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use madang_proto::{
    ChannelId, WorkspaceId,
    channels::{Channel, ChannelChanges},
    command::Subscribe,
    emoji::EmojiList,
    error::ErrorCode,
    event::Ready,
    messages::Message,
    page::{MessagePageQuery, Page},
    profiles::UserChanges,
    saved::Saved,
    workspaces::{Member, Workspace},
};

use super::{Driver, Reply};
use crate::{
    Error, Http, RawSocket,
    backoff::Backoff,
    state::{Effect, Later, Notices, Reloaded, State},
};

/// How long to wait when an answer came too late because the channel is being loaded anew.
const WHILE_RELOADING: Duration = Duration::from_millis(200);

/// What arrived.
pub(super) enum Done {
    Connected(Box<Result<(RawSocket, Ready), Error>>),
    Changes(ChannelId, i64, Box<Result<ChannelChanges, Error>>),
    Reloaded(ChannelId, Box<Result<Reloaded, Error>>),
    Workspace(Result<Workspace, Error>),
    Messages(
        ChannelId,
        MessagePageQuery,
        u64,
        Result<Page<Message>, Error>,
        Reply<Result<Page<Message>, Error>>,
    ),
    Members(ChannelId, u64, Result<Vec<Member>, Error>, Option<Reply<Result<(), Error>>>),
    WorkspaceMembers(WorkspaceId, u64, Result<Vec<Member>, Error>, Option<Reply<Result<(), Error>>>),
    Directory(WorkspaceId, u64, Result<Vec<Channel>, Error>, Option<Reply<Result<(), Error>>>),
    Emoji(WorkspaceId, Result<EmojiList, Error>, Option<Reply<Result<(), Error>>>),
    Saved(u64, Result<Vec<Saved>, Error>, Option<Reply<Result<(), Error>>>),
    Later(u64, Result<Later, Error>, Option<Reply<Result<(), Error>>>),
    Users(Result<UserChanges, Error>),
    Notices(u64, Result<Notices, Error>, Option<Reply<Result<(), Error>>>),
}

/// Asks until there is an answer that more asking would not change.
async fn until_answered<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> Result<T, Error> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));
    loop {
        match ask().await {
            Err(error) if !is_gone(&error) => {
                tracing::debug!(%error, "asking again");
                let wait = backoff.next(rand::random()).max(error.retry_after().unwrap_or_default());
                tokio::time::sleep(wait).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.code(), Some(ErrorCode::NotFound | ErrorCode::Forbidden | ErrorCode::Unauthenticated))
}

async fn reload(http: &Http, id: ChannelId, messages: bool, members: bool) -> Result<Reloaded, Error> {
    let channel = http.channel(id).await?;
    let messages = match messages {
        true => Some(http.messages(id, MessagePageQuery::default()).await?.items),
        false => None,
    };
    let members = if members { Some(http.all_channel_members(id).await?) } else { None };
    Ok(Reloaded { channel, messages, members })
}

impl Driver {
    pub(super) fn question(&mut self, effect: Effect) {
        let http = self.http.clone();
        match effect {
            Effect::Changes { channel, after } => {
                self.questions.spawn(async move {
                    let answer = until_answered(|| http.changes(channel, after)).await;
                    Done::Changes(channel, after, Box::new(answer))
                });
            }
            Effect::Reload { channel, messages, members } => {
                self.questions.spawn(async move {
                    let answer = until_answered(|| reload(&http, channel, messages, members)).await;
                    Done::Reloaded(channel, Box::new(answer))
                });
            }
            Effect::Workspace(id) => {
                self.questions
                    .spawn(async move { Done::Workspace(until_answered(|| http.workspace(id)).await) });
            }
            Effect::WorkspaceMembers(id) => {
                let number = self.change(|state| state.expect_workspace_members(id));
                self.questions.spawn(async move {
                    let answer = until_answered(|| http.all_workspace_members(id)).await;
                    Done::WorkspaceMembers(id, number, answer, None)
                });
            }
            // Who hears only channels that they name is told of nobody.
            Effect::Watch if self.options.subscribe == Subscribe::None => {}
            Effect::Watch => self.watch_at = Some(Instant::now()),
            Effect::Emoji(id) => {
                self.questions
                    .spawn(async move { Done::Emoji(id, until_answered(|| http.emoji(id)).await, None) });
            }
            Effect::Saved => {
                let number = self.change(State::expect_saved);
                self.questions.spawn(async move {
                    Done::Saved(number, until_answered(|| http.all_saved()).await, None)
                });
            }
            Effect::Later => {
                let number = self.change(State::expect_later);
                self.questions.spawn(async move {
                    Done::Later(number, until_answered(|| http.all_later()).await, None)
                });
            }
            Effect::Users { after } => {
                self.questions
                    .spawn(async move { Done::Users(until_answered(|| http.all_user_changes(after)).await) });
            }
            Effect::Notifications => {
                let number = self.change(State::expect_notices);
                self.questions.spawn(async move {
                    Done::Notices(number, until_answered(|| http.notices()).await, None)
                });
            }
            Effect::Directory(id) => {
                let number = self.change(|state| state.expect_directory(id));
                self.questions.spawn(async move {
                    let answer = until_answered(|| http.workspace_channels(id)).await;
                    Done::Directory(id, number, answer, None)
                });
            }
        }
    }

    pub(super) fn load_messages(
        &mut self,
        id: ChannelId,
        query: MessagePageQuery,
        delay: Duration,
        reply: Reply<Result<Page<Message>, Error>>,
    ) {
        let http = self.http.clone();
        let number = self.change(|state| state.expect_page(id));
        self.loads.spawn(async move {
            tokio::time::sleep(delay).await;
            let page = http.messages(id, query).await;
            Done::Messages(id, query, number, page, reply)
        });
    }

    pub(super) fn load_members(
        &mut self,
        id: ChannelId,
        delay: Duration,
        reply: Option<Reply<Result<(), Error>>>,
    ) {
        let http = self.http.clone();
        let number = self.change(|state| state.expect_members(id));
        self.loads.spawn(async move {
            tokio::time::sleep(delay).await;
            Done::Members(id, number, http.all_channel_members(id).await, reply)
        });
    }

    pub(super) fn load_workspace_members(
        &mut self,
        id: WorkspaceId,
        reply: Option<Reply<Result<(), Error>>>,
    ) {
        let http = self.http.clone();
        let number = self.change(|state| state.expect_workspace_members(id));
        self.loads.spawn(async move {
            Done::WorkspaceMembers(id, number, http.all_workspace_members(id).await, reply)
        });
    }

    pub(super) fn load_directory(&mut self, id: WorkspaceId, reply: Option<Reply<Result<(), Error>>>) {
        let http = self.http.clone();
        let number = self.change(|state| state.expect_directory(id));
        self.loads
            .spawn(async move { Done::Directory(id, number, http.workspace_channels(id).await, reply) });
    }

    pub(super) fn load_emoji(&mut self, id: WorkspaceId, reply: Option<Reply<Result<(), Error>>>) {
        let http = self.http.clone();
        self.loads.spawn(async move { Done::Emoji(id, http.emoji(id).await, reply) });
    }

    pub(super) fn load_saved(&mut self, reply: Option<Reply<Result<(), Error>>>) {
        let http = self.http.clone();
        let number = self.change(State::expect_saved);
        self.loads.spawn(async move { Done::Saved(number, http.all_saved().await, reply) });
    }

    pub(super) fn load_later(&mut self, reply: Option<Reply<Result<(), Error>>>) {
        let http = self.http.clone();
        let number = self.change(State::expect_later);
        self.loads.spawn(async move { Done::Later(number, http.all_later().await, reply) });
    }

    pub(super) fn load_notices(&mut self, reply: Option<Reply<Result<(), Error>>>) {
        let http = self.http.clone();
        let number = self.change(State::expect_notices);
        self.loads.spawn(async move { Done::Notices(number, http.notices().await, reply) });
    }

    pub(super) async fn done(&mut self, done: Done) {
        match done {
            Done::Connected(outcome) => self.connected(*outcome).await,
            Done::Changes(id, after, answer) => match *answer {
                Ok(changes) => {
                    let stored = changes.messages.clone();
                    let effects = self.change(|state| state.put_changes(after, changes));
                    self.settle_all(&stored);
                    self.carry_out(effects);
                }
                Err(error) => self.gone(id, &error),
            },
            Done::Reloaded(id, answer) => match *answer {
                Ok(fetched) => {
                    let stored = fetched.messages.clone().unwrap_or_default();
                    let effects = self.change(|state| state.put_reloaded(fetched));
                    self.settle_all(&stored);
                    self.carry_out(effects);
                }
                Err(error) => self.gone(id, &error),
            },
            Done::Workspace(answer) => {
                if let Ok(workspace) = answer {
                    self.change(|state| state.put_workspace(workspace));
                }
            }
            Done::Users(answer) => {
                if let Ok(changes) = answer {
                    self.change(|state| state.put_user_changes(changes));
                }
            }
            Done::Messages(id, query, number, page, reply) => {
                let items = page.as_ref().ok().map(|page| page.items.as_slice());
                if self.change(|state| state.put_page(id, number, items)) {
                    self.settle_all(items.unwrap_or_default());
                    _ = reply.send(page);
                } else {
                    self.load_messages(id, query, WHILE_RELOADING, reply);
                }
            }
            Done::Members(id, number, members, reply) => {
                let (members, outcome) = split(members);
                if self.change(|state| state.put_members(id, number, members)) {
                    answer(reply, outcome);
                } else {
                    self.load_members(id, WHILE_RELOADING, reply);
                }
            }
            Done::WorkspaceMembers(id, number, members, reply) => {
                let (members, outcome) = split(members);
                if self.change(|state| state.put_workspace_members(id, number, members)) {
                    answer(reply, outcome);
                } else if reply.is_some() {
                    self.load_workspace_members(id, reply);
                }
            }
            Done::Emoji(id, Ok(emoji), reply) => {
                if self.change(|state| state.put_emoji(id, emoji)) {
                    answer(reply, Ok(()));
                } else if reply.is_some() {
                    self.load_emoji(id, reply);
                } else {
                    self.question(Effect::Emoji(id));
                }
            }
            Done::Emoji(_, Err(error), reply) => answer(reply, Err(error)),
            Done::Saved(number, saved, reply) => {
                let (saved, outcome) = split(saved);
                if self.change(|state| state.put_saved(number, saved.as_deref())) {
                    answer(reply, outcome);
                } else if reply.is_some() {
                    self.load_saved(reply);
                }
            }
            Done::Later(number, later, reply) => {
                let (later, outcome) = split(later);
                if self.change(|state| state.put_later(number, later)) {
                    answer(reply, outcome);
                } else if reply.is_some() {
                    self.load_later(reply);
                }
            }
            Done::Notices(number, notices, reply) => {
                let (notices, outcome) = split(notices);
                if self.change(|state| state.put_notices(number, notices)) {
                    answer(reply, outcome);
                } else if reply.is_some() {
                    self.load_notices(reply);
                }
            }
            Done::Directory(id, number, channels, reply) => {
                let (channels, outcome) = split(channels);
                if self.change(|state| state.put_directory(id, number, channels)) {
                    answer(reply, outcome);
                } else if reply.is_some() {
                    self.load_directory(id, reply);
                }
            }
        }
    }

    /// A question about a channel was refused.
    fn gone(&self, id: ChannelId, error: &Error) {
        if matches!(error.code(), Some(ErrorCode::NotFound | ErrorCode::Forbidden)) {
            self.change(|state| state.forget_channel(id));
        }
    }
}

fn split<T>(outcome: Result<T, Error>) -> (Option<T>, Result<(), Error>) {
    match outcome {
        Ok(value) => (Some(value), Ok(())),
        Err(error) => (None, Err(error)),
    }
}

fn answer(reply: Option<Reply<Result<(), Error>>>, outcome: Result<(), Error>) {
    if let Some(reply) = reply {
        // Whoever gave up waiting needs no answer.
        _ = reply.send(outcome);
    }
}
