//! Notifications: what one is told of beside the channels, and when one wants that.

use madang_proto::{
    ChannelId, NotificationId, Timestamp, WorkspaceId,
    notifications::{
        Notification, NotificationCount, NotificationLevel, NotificationQuery, NotificationSettings,
        ReadNotifications, UpdateChannelNotifications, UpdateNotificationSettings,
        UpdateWorkspaceNotifications,
    },
    page::Page,
};

use crate::{Client, Error, Http, driver::Request, state::Notices};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /notifications`: one page, the newest first.
    pub async fn notifications(&self, query: NotificationQuery) -> Result<Page<Notification>, Error> {
        self.get_with("/notifications", &query).await
    }

    /// `PUT /notifications/read` with these.
    pub async fn read_notifications(&self, ids: &[NotificationId]) -> Result<NotificationCount, Error> {
        let body = ReadNotifications { ids: Some(ids.to_vec()), up_to: None };
        self.put("/notifications/read", &body).await
    }

    /// `PUT /notifications/read` with all up to one.
    pub async fn read_notifications_up_to(&self, id: NotificationId) -> Result<NotificationCount, Error> {
        let body = ReadNotifications { ids: None, up_to: Some(id) };
        self.put("/notifications/read", &body).await
    }

    /// `GET /notifications/settings`
    pub async fn notification_settings(&self) -> Result<NotificationSettings, Error> {
        self.get("/notifications/settings").await
    }

    /// `PUT /notifications/settings`
    pub async fn update_notification_settings(
        &self,
        new: &UpdateNotificationSettings,
    ) -> Result<NotificationSettings, Error> {
        self.put("/notifications/settings", new).await
    }

    /// `PUT /workspaces/:id/notifications`
    pub async fn set_workspace_notifications(
        &self,
        id: WorkspaceId,
        level: Option<NotificationLevel>,
    ) -> Result<NotificationSettings, Error> {
        self.put(&format!("/workspaces/{id}/notifications"), &UpdateWorkspaceNotifications { level }).await
    }

    /// `PUT /channels/:id/notifications`
    pub async fn set_channel_notifications(
        &self,
        id: ChannelId,
        level: Option<NotificationLevel>,
        muted_until: Option<Timestamp>,
    ) -> Result<NotificationSettings, Error> {
        let body = UpdateChannelNotifications { level, muted_until };
        self.put(&format!("/channels/{id}/notifications"), &body).await
    }

    /// The newest notifications and the settings.
    pub async fn notices(&self) -> Result<Notices, Error> {
        let settings = self.notification_settings().await?;
        let newest = NotificationQuery { limit: Some(Notices::MOST), ..NotificationQuery::default() };
        Ok(Notices { newest: self.notifications(newest).await?.items, settings })
    }
}

impl Client {
    /// Loads one's newest notifications and settings into the state, which keeps them true from then on.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn load_notifications(&self) -> Result<(), Error> {
        self.ask(|reply| Request::LoadNotifications { reply: Some(reply) }).await?
    }
}
