//! Every error of every route is an RFC 9457 problem, whoever makes it: an operation, the router, a layer, tus.

use madang_client::proto::error::{ErrorCode, Problem};
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::json;

use crate::{
    openapi::operations,
    support::{Backend, TestServer, User},
};

/// A request that is not as it should be.
struct Wrong<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Option<Vec<u8>>,
    signed_in: bool,
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

fn wrong<'a>(method: &'a str, path: &'a str, headers: &'a [(&'a str, &'a str)], body: &str) -> Wrong<'a> {
    Wrong {
        method,
        path,
        headers,
        body: (!body.is_empty()).then(|| body.as_bytes().to_vec()),
        signed_in: true,
    }
}

async fn send(s: &TestServer, user: &User, wrong: Wrong<'_>) -> Response {
    let method: Method = wrong.method.parse().unwrap();
    let mut request = reqwest::Client::new().request(method, format!("{}{}", s.url, wrong.path));
    if wrong.signed_in {
        request = request.bearer_auth(user.http.current_token().unwrap().0);
    }
    for (name, value) in wrong.headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = wrong.body {
        request = request.body(body);
    }
    request.send().await.unwrap()
}

/// Checks that an answer is a problem, and gives its code and headers.
async fn problem(answer: Response, what: &str) -> (ErrorCode, HeaderMap) {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    assert_eq!(headers["content-type"], "application/problem+json", "{what}: {status} {text}");
    let problem: Problem = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{what}: {e}: {text}"));
    assert_eq!((problem.status, problem.code.status()), (status, status), "{what}");
    assert!(
        problem.kind == "about:blank" && problem.title == problem.code.title() && !problem.detail.is_empty()
    );
    (problem.code, headers)
}

#[tokio::test]
async fn every_error_is_a_problem() {
    use ErrorCode as E;
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let file = alice.http.upload("a.txt", "hi").await.unwrap().id;
    let (messages, of_file) =
        (format!("/api/v1/channels/{}/messages", alice.general()), format!("/api/v1/files/{file}"));
    let large = format!("{{\"content\": \"{}\"}}", "a".repeat(300_000));
    let page = |query: &str| format!("{messages}?{query}");
    let (unknown, negative, twice) = (page("page=2"), page("limit=-1"), page("before=1&before=2"));
    let pieces = "/api/v1/files/uploads";
    let length = [TUS, ("Upload-Length", "many")];
    let table = [
        (E::NotFound, wrong("GET", "/api", &[], "")),
        (E::NotFound, wrong("GET", "/api/v1/nothing", &[], "")),
        (E::NotFound, wrong("POST", "/api/v2/users", &[JSON], "{}")),
        (E::NotFound, wrong("GET", "/api/v1/users/", &[], "")),
        (E::NotFound, wrong("GET", "/api/v1/channels/general", &[], "")),
        (E::NotFound, wrong("GET", "/api/v1/channels/0", &[], "")),
        (E::NotFound, wrong("GET", "/api/v1/channels/%FF%00", &[], "")),
        (E::NotFound, wrong("GET", "/api/v1/messages/99999999999999999999", &[], "")),
        (E::NotFound, wrong("GET", "/assets/nothing.js", &[], "")),
        (E::MethodNotAllowed, wrong("PATCH", "/api/v1/users/me", &[], "")),
        (E::MethodNotAllowed, wrong("DELETE", "/api/v1/auth/login", &[], "")),
        (E::MethodNotAllowed, wrong("OPTIONS", "/api/v1/channels", &[], "")),
        (E::MethodNotAllowed, wrong("GET", pieces, &[], "")),
        (E::MethodNotAllowed, wrong("POST", "/health", &[], "")),
        (E::MethodNotAllowed, wrong("POST", "/api/openapi.json", &[], "")),
        (E::MethodNotAllowed, wrong("POST", "/api/v1/ws", &[], "")),
        (E::MethodNotAllowed, wrong("POST", "/", &[], "")),
        (E::TooLarge, wrong("POST", &messages, &[JSON], &large)),
        (E::UnsupportedMediaType, wrong("POST", &messages, &[("Content-Type", "text/plain")], "{}")),
        (E::UnsupportedMediaType, wrong("POST", &messages, &[("Content-Type", "x")], "content=hi")),
        (E::Invalid, wrong("POST", &messages, &[JSON], "{\"content\": ")),
        (E::Invalid, wrong("POST", &messages, &[JSON], "[\"hi\"]")),
        (E::Invalid, wrong("POST", &messages, &[JSON], "\"hi\"")),
        (E::Invalid, wrong("POST", &messages, &[JSON], "{\"content\": \"hi\", \"as\": 1}")),
        (E::Invalid, wrong("POST", &messages, &[JSON], "{\"content\": \"\\ud800\"}")),
        (E::Invalid, wrong("GET", &unknown, &[], "")),
        (E::Invalid, wrong("GET", &negative, &[], "")),
        (E::Invalid, wrong("GET", &twice, &[], "")),
        (E::Invalid, wrong("GET", "/api/v1/ws?token=a&token=b", &[], "")),
        (E::UpgradeRequired, wrong("GET", "/api/v1/ws", &[], "")),
        (E::Invalid, wrong("POST", "/api/v1/files", &[("Content-Type", "multipart/form-data")], "a")),
        (E::Invalid, wrong("POST", "/api/v1/files", &[JSON], "{}")),
        (E::RangeNotSatisfiable, wrong("GET", &of_file, &[("Range", "bytes=9-")], "")),
        (E::NotFound, wrong("GET", "/api/v1/files/1/thumbnail", &[], "")),
        (E::PreconditionFailed, wrong("POST", pieces, &[], "")),
        (
            E::PreconditionFailed,
            wrong("PATCH", "/api/v1/files/uploads/1", &[("Tus-Resumable", "0.2.2")], "a"),
        ),
        (E::UnsupportedMediaType, wrong("PATCH", "/api/v1/files/uploads/1", &[TUS], "a")),
        (E::Invalid, wrong("POST", pieces, &length, "")),
        (E::NotFound, wrong("DELETE", "/api/v1/files/uploads/1", &[TUS], "")),
        (E::Unauthenticated, Wrong { signed_in: false, ..wrong("GET", "/api/v1/users/me", &[], "") }),
        (E::Unauthenticated, Wrong { signed_in: false, ..wrong("POST", pieces, &[TUS], "") }),
        (E::Unauthenticated, wrong("GET", "/api/v1/users/me", &[("Authorization", "Basic YTpi")], "")),
    ];
    for (code, wrong) in table {
        let what = format!("{} {} {:?}", wrong.method, wrong.path, wrong.headers);
        let wrong = if wrong.headers.iter().any(|(name, _)| *name == "Authorization") {
            Wrong { signed_in: false, ..wrong }
        } else {
            wrong
        };
        let (answered, headers) = problem(send(&s, &alice, wrong).await, &what).await;
        assert_eq!(answered, code, "{what}");
        let due = match code {
            E::MethodNotAllowed => "allow",
            E::Unauthenticated => "www-authenticate",
            E::PreconditionFailed => "tus-version",
            E::RangeNotSatisfiable => "content-range",
            E::UpgradeRequired => "sec-websocket-version",
            _ => "content-length",
        };
        assert!(headers.contains_key(due), "{what}: no {due}");
    }
}

/// The same of every route that the document knows: without a token, with a method that it has not.
#[tokio::test]
async fn every_route_refuses_with_a_problem() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    for (method, path) in operations().keys() {
        let at = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let at = at.collect::<Vec<_>>().join("/");
        // A guest is let in, and health is told to anyone.
        if method != "HEAD" && path != "/health" && !path.ends_with("guest") {
            let body = json!({}).to_string();
            let anonymous = Wrong { signed_in: false, ..wrong(method, &at, &[JSON], &body) };
            let (code, _) = problem(send(&s, &alice, anonymous).await, &format!("{method} {path}")).await;
            // An avatar is for whoever knows its address.
            let fits = match path.starts_with("/api/v1/avatars/") {
                true => code == ErrorCode::NotFound,
                false => matches!(code, ErrorCode::Unauthenticated | ErrorCode::Invalid),
            };
            assert!(fits, "{path} {code:?}");
        }
        let (code, headers) = problem(send(&s, &alice, wrong("TRACE", &at, &[], "")).await, path).await;
        assert_eq!(code, ErrorCode::MethodNotAllowed, "{path}");
        assert!(headers["allow"].to_str().unwrap().contains(method.as_str()), "{method} {path}: {headers:?}");
    }
}
