//! Reactions: put an emoji on a message, take it away, see who did.

use madang_proto::{
    Command, MessageId,
    accounts::UserSummary,
    command::SetReaction,
    messages::Message,
    page::Page,
    reactions::{React, ReactorsQuery},
};
use reqwest::Method;

use crate::{Client, Error, Http, driver::Request};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /messages/:id/reactions`
    pub async fn react(&self, id: MessageId, emoji: &str) -> Result<Message, Error> {
        self.post(&format!("/messages/{id}/reactions"), &React { emoji: emoji.to_owned() }).await
    }

    /// `DELETE /messages/:id/reactions`
    pub async fn unreact(&self, id: MessageId, emoji: &str) -> Result<Message, Error> {
        let body = React { emoji: emoji.to_owned() };
        self.with_body(Method::DELETE, &format!("/messages/{id}/reactions"), &body).await
    }

    /// `GET /messages/:id/reactions`: who put this emoji there, the first one first.
    pub async fn reactors(&self, id: MessageId, query: &ReactorsQuery) -> Result<Page<UserSummary>, Error> {
        self.get_with(&format!("/messages/{id}/reactions"), query).await
    }
}

impl Client {
    /// Puts an emoji on a message (`add`) or takes one's own away, through the gateway; afterwards the state
    /// shows it.
    ///
    /// # Errors
    /// The server's refusal; [`Error::Network`] while offline.
    pub async fn set_reaction(&self, id: MessageId, emoji: &str, add: bool) -> Result<Message, Error> {
        let set = SetReaction { message_id: id, emoji: emoji.to_owned(), add };
        let answer = self.command(Command::Reaction(set)).await?;
        let message: Message =
            serde_json::from_value(answer).map_err(|e| Error::Protocol(format!("ACK of REACTION: {e}")))?;
        let learnt = Box::new(message.clone());
        self.ask(|reply| Request::LearnMessage { message: learnt, reply }).await?;
        Ok(message)
    }
}
