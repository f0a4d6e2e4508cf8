//! Reminders: what one wants to be told of at a time.

use madang_proto::{
    MessageId, ReminderId, Timestamp,
    page::List,
    reminders::{CreateReminder, Reminder},
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /reminders`
    pub async fn remind(
        &self,
        message: Option<MessageId>,
        text: Option<&str>,
        remind_at: Timestamp,
    ) -> Result<Reminder, Error> {
        let body = CreateReminder { message_id: message, text: text.map(str::to_owned), remind_at };
        self.post("/reminders", &body).await
    }

    /// `GET /reminders`
    pub async fn reminders(&self) -> Result<Vec<Reminder>, Error> {
        Ok(self.get::<List<Reminder>>("/reminders").await?.items)
    }

    /// `DELETE /reminders/:id`
    pub async fn delete_reminder(&self, id: ReminderId) -> Result<(), Error> {
        self.delete(&format!("/reminders/{id}")).await
    }
}
