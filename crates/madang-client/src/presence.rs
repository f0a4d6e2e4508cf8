//! Presence and typing.

use madang_proto::{
    ChannelId, Command, UserId,
    command::{InChannel, SetTyping},
    presence::{Presence, UserStatus},
};
use serde_json::Value;

use crate::{Client, Error, Http, driver::Request};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /users/:id/presence`
    pub async fn presence(&self, user: UserId) -> Result<Presence, Error> {
        self.get(&format!("/users/{user}/presence")).await
    }

    /// `PUT /users/:id/status`: one's own.
    pub async fn set_status(&self, user: UserId, body: &UserStatus) -> Result<Presence, Error> {
        self.put(&format!("/users/{user}/status"), body).await
    }
}

/// Every method fails with [`Error`]: the server's refusal, or [`Error::Network`] while offline.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Client {
    /// Says that one is typing, to be repeated about every three seconds, or no more.
    pub async fn typing(&self, channel: ChannelId, typing: bool) -> Result<(), Error> {
        self.command(Command::Typing(SetTyping { channel_id: channel, typing })).await.map(drop)
    }

    /// Watches these people, in the place of those before: how they are is known also where people are
    /// only counted. The first 100 of them; it holds over reconnects.
    pub async fn watch_people(&self, users: impl IntoIterator<Item = UserId>) -> Result<(), Error> {
        let users = users.into_iter().collect();
        self.ask(|reply| Request::Watch { users, reply }).await
    }

    /// `JOIN_CHANNEL`: hear a channel on this connection; a public one is joined on the way. Answers
    /// with the `ACK`'s payload.
    pub async fn subscribe(&self, channel: ChannelId) -> Result<Value, Error> {
        self.command(Command::JoinChannel(InChannel { channel_id: channel })).await
    }

    /// `LEAVE_CHANNEL`: hear a channel no more on this connection.
    pub async fn unsubscribe(&self, channel: ChannelId) -> Result<Value, Error> {
        self.command(Command::LeaveChannel(InChannel { channel_id: channel })).await
    }
}
