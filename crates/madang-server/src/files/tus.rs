//! Routes of uploads in pieces, as tus 1.0.0 writes them (<https://tus.io/protocols/resumable-upload>): the core
//! protocol with creation, expiration, termination and checksum. The id of the upload is that of the file.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::TryStreamExt;
use madang_proto::FileId;
use utoipa::ToSchema;

use super::{
    cut,
    resumable::{self, Progress},
};
use crate::{
    app::{Actor, App},
    error::{Error, Result},
    http::Path,
};

const VERSION: &str = "1.0.0";
/// The status that tus gives to a piece that is not what its checksum says.
const CHECKSUM_MISMATCH: u16 = 460;
const PIECE: &str = "application/offset+octet-stream";

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");

/// The version of tus.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as a text; this describes it")]
enum Version {
    #[schema(rename = "1.0.0")]
    One,
}

/// Headers that a page of another origin may send and read, where that is allowed at all.
pub const HEADERS: [HeaderName; 6] = [RESUMABLE, OFFSET, LENGTH, METADATA, EXPIRES, CHECKSUM];

/// An answer that says all in its headers.
fn answer(status: StatusCode, headers: &[(HeaderName, String)]) -> Response {
    let mut response = status.into_response();
    let all = response.headers_mut();
    all.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    all.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            all.insert(name, value);
        }
    }
    response
}

fn told(status: StatusCode, progress: &Progress, more: &[(HeaderName, String)]) -> Response {
    let own = [(OFFSET, progress.offset.to_string()), (EXPIRES, progress.expires_at.http_date())];
    answer(status, &[&own[..], more].concat())
}

/// A client that speaks another version is told which one is spoken here.
fn refusal(headers: &HeaderMap) -> Option<Response> {
    match headers.get(RESUMABLE) {
        Some(spoken) if spoken == VERSION => None,
        _ => Some(answer(StatusCode::PRECONDITION_FAILED, &[(TUS_VERSION, VERSION.to_owned())])),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<i64> {
    let number = headers.get(name).and_then(|value| value.to_str().ok()?.parse().ok());
    number.filter(|n| *n >= 0).ok_or_else(|| Error::field(name.as_str(), "a number of bytes"))
}

/// The SHA-256 of a piece in `Upload-Checksum`: `Err` where it cannot be read, which tus refuses with 400.
fn checksum(headers: &HeaderMap) -> std::result::Result<Option<[u8; 32]>, ()> {
    let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
    let coded = value.to_str().ok().and_then(|value| value.strip_prefix("sha256 "));
    let bytes = coded.and_then(|coded| BASE64_STANDARD.decode(coded.trim()).ok());
    let sha256 = bytes.and_then(|bytes| bytes.try_into().ok());
    sha256.map(Some).ok_or(())
}

fn algorithm() -> (HeaderName, String) {
    (HeaderName::from_static("tus-checksum-algorithm"), "sha256".to_owned())
}

/// The name in `Upload-Metadata`: pairs of a word and a text in base64.
fn name(headers: &HeaderMap) -> Result<String> {
    let Some(all) = headers.get(METADATA) else { return Ok(String::new()) };
    let pairs = all.to_str().unwrap_or_default().split(',').filter_map(|pair| pair.trim().split_once(' '));
    let Some((_, coded)) = pairs.into_iter().find(|(word, _)| *word == "filename") else {
        return Ok(String::new());
    };
    let bytes = BASE64_STANDARD.decode(coded.trim()).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Error::field(METADATA.as_str(), "filename: UTF-8 in base64"))
}

/// What is known of tus here.
#[utoipa::path(options, path = "/files/uploads", tag = "files",
    responses((status = 204, description = "In its headers")))]
pub async fn options(State(app): State<App>, _actor: Actor) -> Response {
    let name = HeaderName::from_static;
    let known = [
        (TUS_VERSION, VERSION.to_owned()),
        (name("tus-extension"), "creation,expiration,termination,checksum".to_owned()),
        (name("tus-max-size"), app.config.file_bytes().to_string()),
        algorithm(),
    ];
    answer(StatusCode::NO_CONTENT, &known)
}

/// Begin an upload in pieces (tus 1.0.0); `Location` says where it goes on.
#[utoipa::path(post, path = "/files/uploads", tag = "files",
    params(("Tus-Resumable" = inline(Version), Header), ("Upload-Length" = i64, Header, minimum = 0),
           ("Upload-Metadata" = Option<String>, Header, description = "`filename` and the name in base64")),
    responses((status = 201, description = "Begun",
        headers(("Location" = String), ("Upload-Offset" = i64), ("Upload-Expires" = String)))))]
pub async fn create(State(app): State<App>, actor: Actor, headers: HeaderMap) -> Result<Response> {
    if let Some(refusal) = refusal(&headers) {
        return Ok(refusal);
    }
    let made = resumable::create(&app, actor, &name(&headers)?, number(&headers, &LENGTH)?).await?;
    let place = (header::LOCATION, format!("/api/v1/files/uploads/{}", made.id));
    Ok(told(StatusCode::CREATED, &made, &[place]))
}

/// How far an upload is.
#[utoipa::path(head, path = "/files/uploads/{id}", tag = "files",
    params(("id" = FileId, Path), ("Tus-Resumable" = inline(Version), Header)),
    responses((status = 200, description = "In its headers",
        headers(("Upload-Offset" = i64), ("Upload-Length" = i64), ("Upload-Expires" = String)))))]
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response> {
    if let Some(refusal) = refusal(&headers) {
        return Ok(refusal);
    }
    let progress = resumable::show(&app, actor, id).await?;
    Ok(told(StatusCode::OK, &progress, &[(LENGTH, progress.length.to_string())]))
}

/// Add to an upload.
#[utoipa::path(patch, path = "/files/uploads/{id}", tag = "files",
    params(("id" = FileId, Path), ("Tus-Resumable" = inline(Version), Header), ("Upload-Offset" = i64, Header, minimum = 0)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Added", headers(("Upload-Offset" = i64), ("Upload-Expires" = String)))))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    request: Request,
) -> Result<Response> {
    if let Some(refusal) = refusal(request.headers()) {
        return Ok(refusal);
    }
    if request.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != PIECE) {
        return Ok(answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, &[]));
    }
    let offset = number(request.headers(), &OFFSET)?;
    let Ok(sha256) = checksum(request.headers()) else {
        return Ok(answer(StatusCode::BAD_REQUEST, &[algorithm()]));
    };
    let body = Body::into_data_stream(request.into_body()).map_err(|error| cut(&error.to_string()));
    match resumable::append(&app, actor, id, offset, sha256, body).await? {
        Some(progress) => Ok(told(StatusCode::NO_CONTENT, &progress, &[])),
        None => Ok(answer(StatusCode::from_u16(CHECKSUM_MISMATCH).map_err(Error::internal)?, &[])),
    }
}

/// Give an upload up.
#[utoipa::path(delete, path = "/files/uploads/{id}", tag = "files",
    params(("id" = FileId, Path), ("Tus-Resumable" = inline(Version), Header)),
    responses((status = 204, description = "Given up")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response> {
    if let Some(refusal) = refusal(&headers) {
        return Ok(refusal);
    }
    resumable::destroy(&app, actor, id).await?;
    Ok(answer(StatusCode::NO_CONTENT, &[]))
}
