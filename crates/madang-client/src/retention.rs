//! Retention: how long messages are kept.

use madang_proto::{ChannelId, WorkspaceId, channels::Channel, retention::Retention, workspaces::Workspace};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `PUT /workspaces/:id/retention`
    pub async fn set_workspace_retention(
        &self,
        id: WorkspaceId,
        rule: Retention,
    ) -> Result<Workspace, Error> {
        self.put(&format!("/workspaces/{id}/retention"), &rule).await
    }

    /// `PUT /channels/:id/retention`
    pub async fn set_channel_retention(&self, id: ChannelId, rule: Retention) -> Result<Channel, Error> {
        self.put(&format!("/channels/{id}/retention"), &rule).await
    }

    /// `DELETE /channels/:id/retention`
    pub async fn follow_workspace_retention(&self, id: ChannelId) -> Result<(), Error> {
        self.delete(&format!("/channels/{id}/retention")).await
    }
}
