//! Settings: what one has chosen for oneself.

use madang_proto::settings::{Settings, UpdateSettings};

use crate::{Error, Http};

impl Http {
    /// `GET /users/me/settings`
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn settings(&self) -> Result<Settings, Error> {
        self.get("/users/me/settings").await
    }

    /// `PUT /users/me/settings`
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn update_settings(&self, changes: &UpdateSettings) -> Result<Settings, Error> {
        self.put("/users/me/settings", changes).await
    }
}
