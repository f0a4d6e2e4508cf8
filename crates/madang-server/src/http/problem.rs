//! Errors as RFC 9457 problems.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use madang_proto::error::Problem;

use crate::error::Error;

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let payload = self.payload();
        let status = payload.code.status();
        let body = Problem {
            kind: "about:blank".to_owned(),
            title: payload.code.title().to_owned(),
            status,
            detail: payload.detail,
            code: payload.code,
            errors: payload.errors,
            retry_after: payload.retry_after,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM);
        if let Some(seconds) = payload.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::RateLimited { retry_after, limit } = self
            && limit > 0
        {
            headers.insert(RATE_LIMIT, limit.into());
            headers.insert(RATE_REMAINING, 0.into());
            headers.insert(RATE_RESET, retry_after.into());
        }
        if matches!(self, Self::Unauthenticated(_)) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
