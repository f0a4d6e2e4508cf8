//! What one writes down for later, together: drafts, scheduled messages, reminders.

use crate::{Client, Error, Http, driver::Request, state::Later};

impl Http {
    /// All drafts, scheduled messages and reminders.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn all_later(&self) -> Result<Later, Error> {
        let drafts = self.all_drafts().await?.into_iter();
        let scheduled = self.scheduled().await?.into_iter();
        let reminders = self.reminders().await?.into_iter();
        Ok(Later {
            drafts: drafts.map(|draft| (draft.channel_id, draft)).collect(),
            scheduled: scheduled.map(|scheduled| (scheduled.id, scheduled)).collect(),
            reminders: reminders.map(|reminder| (reminder.id, reminder)).collect(),
        })
    }
}

impl Client {
    /// Loads one's drafts, scheduled messages and reminders into the state, which keeps them true from then on.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn load_later(&self) -> Result<(), Error> {
        self.ask(|reply| Request::LoadLater { reply: Some(reply) }).await?
    }
}
