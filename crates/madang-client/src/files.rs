//! Files: upload, and download as a stream.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use madang_proto::{FileId, error::ErrorCode, files::File};
use reqwest::{
    Body, Method, RequestBuilder, Response, StatusCode, header,
    multipart::{Form, Part},
};

use crate::{
    Error, Http,
    http::{BASE, RawResponse, accept, decode, problem, whole},
};

const PIECE: &str = "application/offset+octet-stream";
/// How long all of a file may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /files`: bytes, or a stream of them.
    pub async fn upload(&self, name: &str, bytes: impl Into<Body>) -> Result<File, Error> {
        let form = Form::new().part("file", Part::stream(bytes).file_name(name.to_owned()));
        let request = self.of_files(Method::POST, "/files").await?.multipart(form);
        decode("/files", accept(whole(request.send().await?).await?)?)
    }

    /// `GET /files/:id`: its bytes are the body of what comes back.
    pub async fn download(&self, id: FileId) -> Result<Response, Error> {
        self.bytes(&format!("/files/{id}")).await
    }

    /// `GET /files/:id/thumbnail`: as [`Http::download`].
    pub async fn thumbnail(&self, id: FileId) -> Result<Response, Error> {
        self.bytes(&format!("/files/{id}/thumbnail")).await
    }

    /// Bytes, asked for once more where the token was not good any more.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Response, Error> {
        let ask = async || self.of_files(Method::GET, path).await?.send().await.map_err(Error::from);
        let mut answer = ask().await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(used) = self.current_token()
            && self.renew(&used).await.is_ok()
        {
            answer = ask().await?;
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        accept(whole(answer).await?)?;
        Err(Error::Protocol(format!("answer of {path}: neither bytes nor a problem")))
    }

    /// `POST /files/uploads`: begins an upload in pieces of so many bytes, and gives the id that the file will
    /// have.
    pub async fn create_upload(&self, name: &str, length: u64) -> Result<FileId, Error> {
        let request = self.of_uploads(Method::POST, "/files/uploads").await?;
        let named = format!("filename {}", BASE64_STANDARD.encode(name));
        let answer = request.header("upload-length", length).header("upload-metadata", named).send().await?;
        let answer = accept(whole(answer).await?)?;
        let place = answer.headers.get(header::LOCATION).and_then(|place| place.to_str().ok());
        let id = place.and_then(|place| place.rsplit('/').next()?.parse().ok());
        id.ok_or_else(|| Error::Protocol("answer of /files/uploads: no place".to_owned()))
    }

    /// `HEAD /files/uploads/:id`: how many bytes have come.
    pub async fn upload_offset(&self, id: FileId) -> Result<u64, Error> {
        let request = self.of_uploads(Method::HEAD, &format!("/files/uploads/{id}")).await?;
        let answer = whole(request.send().await?).await?;
        // An answer to HEAD has no body that says what is wrong.
        if answer.status == StatusCode::NOT_FOUND.as_u16() {
            return Err(problem(ErrorCode::NotFound, "no such upload").into());
        }
        offset(&accept(answer)?)
    }

    /// `PATCH /files/uploads/:id`: adds bytes where the upload stands; gives where it stands then. With the last
    /// byte the file is there.
    pub async fn add_to_upload(&self, id: FileId, at: u64, bytes: impl Into<Body>) -> Result<u64, Error> {
        let request = self.of_uploads(Method::PATCH, &format!("/files/uploads/{id}")).await?;
        let request = request.header("upload-offset", at).header(header::CONTENT_TYPE, PIECE);
        offset(&accept(whole(request.body(bytes).send().await?).await?)?)
    }

    /// `DELETE /files/uploads/:id`: gives an upload up.
    pub async fn delete_upload(&self, id: FileId) -> Result<(), Error> {
        let request = self.of_uploads(Method::DELETE, &format!("/files/uploads/{id}")).await?;
        accept(whole(request.send().await?).await?).map(drop)
    }

    async fn of_uploads(&self, method: Method, path: &str) -> Result<RequestBuilder, Error> {
        Ok(self.of_files(method, path).await?.header("tus-resumable", "1.0.0"))
    }

    /// A request under [`BASE`] whose bodies may be large.
    pub(crate) async fn of_files(&self, method: Method, path: &str) -> Result<RequestBuilder, Error> {
        let request = self.client.request(method, format!("{}{BASE}{path}", self.server())).timeout(PATIENCE);
        Ok(match self.fresh_token().await? {
            Some(token) => request.bearer_auth(token.0),
            None => request,
        })
    }
}

fn offset(answer: &RawResponse) -> Result<u64, Error> {
    let offset = answer.headers.get("upload-offset").and_then(|offset| offset.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| Error::Protocol("answer of /files/uploads: no offset".to_owned()))
}
