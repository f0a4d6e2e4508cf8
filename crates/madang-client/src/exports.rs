//! Exports: all that is stored of oneself, as a file.

use madang_proto::exports::Export;
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
}
