//! Invites: codes that bring whoever has them into a workspace, and guest links.

use madang_proto::{
    ChannelId, InviteId, WorkspaceId,
    accounts::Secret,
    invites::{AcceptInvite, CreateInvite, Invite, InvitePreview},
    page::List,
    workspaces::Workspace,
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /workspaces/:id/invites`: the answer has the code, once and for all.
    pub async fn create_invite(&self, id: WorkspaceId, body: &CreateInvite) -> Result<Invite, Error> {
        self.post(&format!("/workspaces/{id}/invites"), body).await
    }

    /// `GET /workspaces/:id/invites`
    pub async fn invites(&self, id: WorkspaceId) -> Result<Vec<Invite>, Error> {
        Ok(self.get::<List<Invite>>(&format!("/workspaces/{id}/invites")).await?.items)
    }

    /// `GET /workspaces/:id/invites?channel_id=`: the guest links of a channel.
    pub async fn guest_links(&self, id: WorkspaceId, channel: ChannelId) -> Result<Vec<Invite>, Error> {
        Ok(self.get::<List<Invite>>(&format!("/workspaces/{id}/invites?channel_id={channel}")).await?.items)
    }

    /// `POST /invites/preview`
    pub async fn preview_invite(&self, code: &Secret) -> Result<InvitePreview, Error> {
        self.post("/invites/preview", &AcceptInvite { code: code.clone() }).await
    }

    /// `DELETE /workspaces/:id/invites/:invite_id`
    pub async fn revoke_invite(&self, workspace: WorkspaceId, id: InviteId) -> Result<(), Error> {
        self.delete(&format!("/workspaces/{workspace}/invites/{id}")).await
    }

    /// `POST /invites/accept`
    pub async fn accept_invite(&self, code: &Secret) -> Result<Workspace, Error> {
        self.post("/invites/accept", &AcceptInvite { code: code.clone() }).await
    }
}
