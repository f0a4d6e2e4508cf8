//! Threads: replies to a message, and which threads one follows.

use madang_proto::{
    MessageId,
    channels::Channel,
    messages::Message,
    page::{MessagePageQuery, Page},
    threads::{CreateReply, FollowedThread, ThreadPageQuery},
};
use reqwest::Method;

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /messages/:id/thread`: opens the thread when it is the first reply.
    pub async fn reply(&self, root: MessageId, body: &CreateReply) -> Result<Message, Error> {
        self.post(&format!("/messages/{root}/thread"), body).await
    }

    /// `GET /messages/:id/thread`: oldest first; the newest page when `query` names no place.
    pub async fn replies(&self, root: MessageId, query: MessagePageQuery) -> Result<Page<Message>, Error> {
        self.get_with(&format!("/messages/{root}/thread"), &query).await
    }

    /// `PUT /messages/:id/thread/follow`: gives the thread.
    pub async fn follow_thread(&self, root: MessageId) -> Result<Channel, Error> {
        let path = format!("/messages/{root}/thread/follow");
        let answer = self.call(Method::PUT, &path, None).await?;
        serde_json::from_value(answer.json).map_err(|e| Error::Protocol(format!("answer of {path}: {e}")))
    }

    /// `DELETE /messages/:id/thread/follow`
    pub async fn unfollow_thread(&self, root: MessageId) -> Result<(), Error> {
        self.delete(&format!("/messages/{root}/thread/follow")).await
    }

    /// `GET /threads`: one page, those with unread replies first.
    pub async fn threads(&self, query: &ThreadPageQuery) -> Result<Page<FollowedThread>, Error> {
        self.get_with("/threads", query).await
    }
}
