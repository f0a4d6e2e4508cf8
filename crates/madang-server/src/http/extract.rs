//! What handlers take from a request, with our errors.

use std::net::IpAddr;

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{Extensions, HeaderMap, Method, header, request::Parts},
};
use bytes::Bytes;
use madang_proto::limits;
use serde::{Serialize, de::DeserializeOwned};

use super::Peer;
use crate::{
    accounts::Device,
    app::{Actor, App},
    auth,
    config::Config,
    error::{Error, Result},
    ratelimit::Limit,
};

/// A JSON body. An empty one is read as `{}`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, app).await.map_err(|e| match e {
            BytesRejection::FailedToBufferBody(e) if e.status() == 413 => Error::TooLarge(limits::BODY_BYTES),
            _ => Error::Invalid { detail: "the body could not be read".to_owned(), errors: Vec::new() },
        })?;
        if !is_json && !bytes.is_empty() {
            return Err(Error::MediaType("application/json"));
        }
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // An array would be read as the fields in order.
        if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
            return Err(Error::Invalid { detail: "body: not an object".to_owned(), errors: Vec::new() });
        }
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|e| Error::Invalid { detail: format!("body: {e}"), errors: Vec::new() })
    }
}

/// Whether a body is JSON, or does not say what it is.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl<T: Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        // Straight into a vector: axum's own writes bit by bit through a `BufMut`, which shows in large pages.
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Error::internal(error).into_response(),
        }
    }
}

/// Ids in the path. What is not an id is the id of nothing.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let path = axum::extract::Path::from_request_parts(parts, app).await;
        path.map(|axum::extract::Path(ids)| Self(ids))
            .map_err(|_| Error::NotFound("thing; the id is not an id"))
    }
}

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let query = axum::extract::Query::from_request_parts(parts, app).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|e| Error::Invalid { detail: format!("query: {}", e.body_text()), errors: Vec::new() })
    }
}

/// The bearer token of a request (RFC 6750).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = bearer(&parts.headers)
            .ok_or(Error::Unauthenticated("send an access token in the header Authorization: Bearer"))?;
        let actor = match auth::actor(app, token).await {
            Ok(actor) => actor,
            Err(error) => {
                // Trying tokens costs as much as coming without one.
                app.limits.check(
                    Limit::AnonymousByAddress,
                    address(&parts.extensions, &parts.headers, &app.config),
                )?;
                return Err(error);
            }
        };
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        app.limits.check(if reads { Limit::ReadByUser } else { Limit::ChangeByUser }, actor.user)?;
        Ok(actor)
    }
}

/// The address that a request comes from: of the peer, or as a trusted proxy tells it.
pub fn address(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> IpAddr {
    let peer = extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let trusted = |ip: &IpAddr| config.trusted_proxies.iter().any(|net| net.contains(&ip.to_canonical()));
    if !trusted(&peer) {
        return peer.to_canonical();
    }
    // The last address that is not one of our proxies: what stands before it anyone could have written.
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|v| v.split(',')).map(str::trim).collect();
    let parsed = hops.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
    let mut last = peer;
    for hop in parsed {
        last = hop;
        if !trusted(&hop) {
            break;
        }
    }
    last.to_canonical()
}

/// The address of the client.
#[derive(Debug, Clone, Copy)]
pub struct Address(pub IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Ok(Self(address(&parts.extensions, &parts.headers, &app.config)))
    }
}

impl FromRequestParts<App> for Device {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let user_agent =
            parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Ok(Self {
            user_agent: user_agent.chars().take(200).collect(),
            address: address(&parts.extensions, &parts.headers, &app.config).to_string(),
        })
    }
}
