//! Scheduled messages: what is to be sent at a time.

use madang_proto::{
    ChannelId, ScheduledId, Timestamp,
    page::List,
    scheduled::{CreateScheduled, Scheduled, UpdateScheduled},
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /channels/:id/scheduled`
    pub async fn schedule(
        &self,
        channel: ChannelId,
        content: &str,
        send_at: Timestamp,
    ) -> Result<Scheduled, Error> {
        let body = CreateScheduled { content: content.to_owned(), send_at };
        self.post(&format!("/channels/{channel}/scheduled"), &body).await
    }

    /// `GET /scheduled`
    pub async fn scheduled(&self) -> Result<Vec<Scheduled>, Error> {
        Ok(self.get::<List<Scheduled>>("/scheduled").await?.items)
    }

    /// `PUT /scheduled/:id`
    pub async fn update_scheduled(&self, id: ScheduledId, new: &UpdateScheduled) -> Result<Scheduled, Error> {
        self.put(&format!("/scheduled/{id}"), new).await
    }

    /// `DELETE /scheduled/:id`
    pub async fn delete_scheduled(&self, id: ScheduledId) -> Result<(), Error> {
        self.delete(&format!("/scheduled/{id}")).await
    }
}
