//! Exports: all that is stored of oneself, or what one sees of a workspace that one owns, as a file.

use madang_proto::{WorkspaceId, exports::Export};
use reqwest::{Method, Response};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /users/me/export`
    pub async fn create_export(&self) -> Result<Export, Error> {
        self.without_body(Method::POST, "/users/me/export").await
    }

    /// `GET /users/me/export`
    pub async fn export(&self) -> Result<Export, Error> {
        self.get("/users/me/export").await
    }

    /// `GET /users/me/export/file`: its bytes are the body of what comes back.
    pub async fn download_export(&self) -> Result<Response, Error> {
        self.bytes("/users/me/export/file").await
    }

    /// `POST /workspaces/:id/export`
    pub async fn create_workspace_export(&self, id: WorkspaceId) -> Result<Export, Error> {
        self.without_body(Method::POST, &format!("/workspaces/{id}/export")).await
    }

    /// `GET /workspaces/:id/export`
    pub async fn workspace_export(&self, id: WorkspaceId) -> Result<Export, Error> {
        self.get(&format!("/workspaces/{id}/export")).await
    }

    /// `GET /workspaces/:id/export/file`: as [`Http::download_export`].
    pub async fn download_workspace_export(&self, id: WorkspaceId) -> Result<Response, Error> {
        self.bytes(&format!("/workspaces/{id}/export/file")).await
    }
}
