//! Workspaces and their members.

use madang_proto::{
    UserId, WorkspaceId,
    page::{List, MemberPageQuery, Page},
    permissions::Role,
    workspaces::{
        AddWorkspaceMember, CreateWorkspace, Member, UpdateWorkspace, UpdateWorkspaceMember, Workspace,
    },
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /workspaces`
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Error> {
        Ok(self.get::<List<Workspace>>("/workspaces").await?.items)
    }

    /// `POST /workspaces`
    pub async fn create_workspace(&self, body: &CreateWorkspace) -> Result<Workspace, Error> {
        self.post("/workspaces", body).await
    }

    /// `GET /workspaces/:id`
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Workspace, Error> {
        self.get(&format!("/workspaces/{id}")).await
    }

    /// `PUT /workspaces/:id`
    pub async fn update_workspace(
        &self,
        id: WorkspaceId,
        body: &UpdateWorkspace,
    ) -> Result<Workspace, Error> {
        self.put(&format!("/workspaces/{id}"), body).await
    }

    /// `GET /workspaces/:id/members`: one page.
    pub async fn workspace_members(
        &self,
        id: WorkspaceId,
        query: MemberPageQuery,
    ) -> Result<Page<Member>, Error> {
        self.get_with(&format!("/workspaces/{id}/members"), &query).await
    }

    /// All members of a workspace, page by page.
    pub async fn all_workspace_members(&self, id: WorkspaceId) -> Result<Vec<Member>, Error> {
        let mut members = Vec::new();
        let mut query = MemberPageQuery { limit: Some(100), after: None };
        loop {
            let page = self.workspace_members(id, query).await?;
            members.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(members) };
            query.after = Some(member_cursor(&cursor)?);
        }
    }

    /// `POST /workspaces/:id/members`
    pub async fn add_workspace_member(&self, id: WorkspaceId, username: &str) -> Result<Member, Error> {
        let body = AddWorkspaceMember { username: username.to_owned() };
        self.post(&format!("/workspaces/{id}/members"), &body).await
    }

    /// `PUT /workspaces/:id/members/:user_id`
    pub async fn set_role(&self, id: WorkspaceId, user: UserId, role: Role) -> Result<Member, Error> {
        self.put(&format!("/workspaces/{id}/members/{user}"), &UpdateWorkspaceMember { role }).await
    }

    /// `DELETE /workspaces/:id/members/:user_id`
    pub async fn remove_workspace_member(&self, id: WorkspaceId, user: UserId) -> Result<(), Error> {
        self.delete(&format!("/workspaces/{id}/members/{user}")).await
    }
}

/// The cursor of a page of members is a user id.
pub(crate) fn member_cursor(cursor: &str) -> Result<UserId, Error> {
    cursor.parse().map_err(|_| Error::Protocol(format!("{cursor:?} is not a cursor of members")))
}
