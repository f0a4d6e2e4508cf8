//! Errors as RFC 9457 problems: those of operations, and whatever else a request ends with.
//!
//! Invariants:
//! - No answer with a status from 400 on has another body, but for `/health`.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use madang_proto::error::{ErrorCode, ErrorPayload, Problem};

use crate::error::Error;

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

fn problem(status: StatusCode, payload: ErrorPayload) -> Response {
    let body = Problem {
        kind: "about:blank".to_owned(),
        title: payload.code.title().to_owned(),
        status: status.as_u16(),
        detail: payload.detail,
        code: payload.code,
        errors: payload.errors,
        retry_after: payload.retry_after,
    };
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM);
    if let Some(seconds) = payload.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let payload = self.payload();
        let status = StatusCode::from_u16(payload.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = problem(status, payload);
        if matches!(self, Self::Unauthenticated(_)) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What is said of an error that no operation made: by the router, a layer, or a protocol over HTTP.
const fn detail(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::MethodNotAllowed => "not with this method; the header Allow says which there are",
        ErrorCode::PreconditionFailed => "the header Tus-Version says which version of tus is spoken here",
        ErrorCode::UnsupportedMediaType => "the body is of a type that is not taken here",
        ErrorCode::RangeNotSatisfiable => "the header Content-Range says how many bytes there are",
        ErrorCode::UpgradeRequired => "this is for WebSocket clients (RFC 6455, version 13)",
        ErrorCode::Unavailable => "this took too long; try again",
        ErrorCode::TooLarge => "too large",
        ErrorCode::NotFound => "there is nothing at this address",
        ErrorCode::Unauthenticated
        | ErrorCode::Forbidden
        | ErrorCode::Conflict
        | ErrorCode::Invalid
        | ErrorCode::RateLimited
        | ErrorCode::Internal
        | ErrorCode::StorageFull => code.title(),
    }
}

/// The answer as it is; an error without words as a problem, with the headers that it has.
pub async fn complete(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let said = kind.is_some_and(|kind| kind == PROBLEM || kind == "application/json");
    if said || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let known = ErrorCode::ALL.into_iter().find(|code| code.status() == status.as_u16());
    let other = if status.is_client_error() { ErrorCode::Invalid } else { ErrorCode::Internal };
    let code = known.unwrap_or(other);
    let payload =
        ErrorPayload { code, detail: detail(code).to_owned(), errors: Vec::new(), retry_after: None };
    let (made, body) = problem(status, payload).into_parts();
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.headers.extend(made.headers);
    Response::from_parts(parts, Body::new(body))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn completed(response: impl IntoResponse) -> (Response, Option<Problem>) {
        let (parts, body) = complete(response.into_response()).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        (Response::from_parts(parts, Body::empty()), serde_json::from_slice(&bytes).ok())
    }

    #[tokio::test]
    async fn an_error_without_words_becomes_a_problem_and_keeps_its_headers() {
        for code in ErrorCode::ALL {
            let status = StatusCode::from_u16(code.status()).unwrap();
            let (answer, problem) = completed((status, [(header::ALLOW, "GET")], "plain text")).await;
            let problem = problem.unwrap();
            assert_eq!((problem.code, problem.status), (code, code.status()));
            assert!(!problem.detail.is_empty());
            assert_eq!(answer.headers()[header::CONTENT_TYPE], PROBLEM);
            assert_eq!(answer.headers()[header::ALLOW], "GET");
        }
        for (status, code) in
            [(418, ErrorCode::Invalid), (400, ErrorCode::Invalid), (502, ErrorCode::Internal)]
        {
            let problem = completed(StatusCode::from_u16(status).unwrap()).await.1.unwrap();
            assert_eq!((problem.status, problem.code), (status, code));
        }
    }

    #[tokio::test]
    async fn what_has_words_stays_as_it_is() {
        let (_, problem) = completed(Error::NotFound("message")).await;
        assert_eq!(problem.unwrap().detail, "no such message");
        let (answer, _) = completed((StatusCode::OK, "fine")).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        let health = (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], "{}");
        assert!(completed(health).await.1.is_none(), "the health of a server that is not ready");
    }
}
