//! Pins: messages that a channel keeps at hand.

use madang_proto::{ChannelId, MessageId, messages::Message, page::List, pins::Pin};
use reqwest::Method;

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `PUT /messages/:id/pin`
    pub async fn pin(&self, id: MessageId) -> Result<Message, Error> {
        self.without_body(Method::PUT, &format!("/messages/{id}/pin")).await
    }

    /// `DELETE /messages/:id/pin`
    pub async fn unpin(&self, id: MessageId) -> Result<Message, Error> {
        self.without_body(Method::DELETE, &format!("/messages/{id}/pin")).await
    }

    /// `GET /channels/:id/pins`: the newest pin first.
    pub async fn pins(&self, channel: ChannelId) -> Result<Vec<Pin>, Error> {
        Ok(self.get::<List<Pin>>(&format!("/channels/{channel}/pins")).await?.items)
    }
}
