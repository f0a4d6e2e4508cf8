//! Requests to the REST interface: addresses, tokens, errors.
//!
//! The methods for each route stand with their feature (`accounts.rs`, `messages.rs`, …); here is what
//! they share. A request carries the access token. Shortly before the token ends, and once when a
//! request is refused as unauthenticated, it is renewed with the refresh token.
//!
//! Invariants:
//! - One renewal at a time: a refresh token is good for one use, and using it twice ends the session.
//! - A request is never repeated, except once after a renewal, when nothing had been done.
//! - Tokens are in no error and no log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use madang_proto::{
    accounts::{Refresh, Secret, SignedIn},
    error::{ErrorCode, Problem},
};
use parking_lot::Mutex;
use reqwest::{Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::Error;

/// What every route but `/health` begins with.
pub const BASE: &str = "/api/v1";
/// A token that ends sooner than this is renewed before it is used.
const MARGIN: Duration = Duration::from_secs(60);

/// The tokens of a session.
struct Tokens {
    access: Secret,
    refresh: Option<Secret>,
    renew_at: Option<Instant>,
}

impl Tokens {
    fn of(signed_in: &SignedIn) -> Self {
        let valid = Duration::from_secs(u64::try_from(signed_in.expires_in).unwrap_or(0));
        Self {
            access: signed_in.access_token.clone(),
            refresh: Some(signed_in.refresh_token.clone()),
            renew_at: Some(Instant::now() + valid.saturating_sub(MARGIN).max(valid / 2)),
        }
    }
}

struct Session {
    tokens: Mutex<Tokens>,
    renewing: tokio::sync::Mutex<()>,
}

/// The REST interface of one server, signed in or not. Clones share the connections and the session.
#[derive(Clone)]
pub struct Http {
    pub(crate) client: reqwest::Client,
    server: Arc<str>,
    session: Option<Arc<Session>>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("server", &self.server)
            .field("signed_in", &self.session.is_some())
            .finish_non_exhaustive()
    }
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body, `Null` when it is empty or not JSON.
    pub json: Value,
}

impl Http {
    /// For the server at `server`, such as `http://localhost:8080`; not signed in.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the address is not one of HTTP.
    pub fn new(server: &str) -> Result<Self, Error> {
        let server = server.trim();
        let with_scheme = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
        let address = with_scheme.trim_end_matches('/');
        let url = reqwest::Url::parse(address)
            .map_err(|e| Error::Protocol(format!("{server:?} is not an address: {e}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Error::Protocol(format!("{server:?} is not an http or https address")));
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("madang-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            // The WebSocket goes straight to the server too.
            .no_proxy()
            .build()?;
        Ok(Self { client, server: address.into(), session: None })
    }

    /// The same server with the session of `signed_in`.
    #[must_use]
    pub fn signed_in(&self, signed_in: &SignedIn) -> Self {
        self.with(Tokens::of(signed_in))
    }

    /// The same server with an access token that is never renewed, such as one of another issuer.
    #[must_use]
    pub fn with_token(&self, access: impl Into<String>) -> Self {
        self.with(Tokens { access: Secret(access.into()), refresh: None, renew_at: None })
    }

    /// The same server with a token pair of unknown age.
    #[must_use]
    pub fn with_tokens(&self, access: impl Into<String>, refresh: impl Into<String>) -> Self {
        let refresh = Some(Secret(refresh.into()));
        self.with(Tokens { access: Secret(access.into()), refresh, renew_at: None })
    }

    /// The same server, not signed in.
    #[must_use]
    pub fn signed_out(&self) -> Self {
        Self { session: None, ..self.clone() }
    }

    fn with(&self, tokens: Tokens) -> Self {
        let session = Session { tokens: Mutex::new(tokens), renewing: tokio::sync::Mutex::new(()) };
        Self { session: Some(Arc::new(session)), ..self.clone() }
    }

    /// The server's address, without a slash at the end.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The access token as it is now, valid or not.
    #[must_use]
    pub fn current_token(&self) -> Option<Secret> {
        self.session.as_ref().map(|session| session.tokens.lock().access.clone())
    }

    /// The refresh token as it is now.
    #[must_use]
    pub fn current_refresh_token(&self) -> Option<Secret> {
        self.session.as_ref().and_then(|session| session.tokens.lock().refresh.clone())
    }

    /// An access token that is valid for a while, renewed if need be; `None` when not signed in.
    ///
    /// # Errors
    /// Those of renewing.
    pub async fn fresh_token(&self) -> Result<Option<Secret>, Error> {
        let Some(session) = &self.session else { return Ok(None) };
        let (access, due) = {
            let tokens = session.tokens.lock();
            (tokens.access.clone(), tokens.renew_at.is_some_and(|at| at <= Instant::now()))
        };
        if due { self.renew(&access).await.map(Some) } else { Ok(Some(access)) }
    }

    /// Renews the session unless someone did since `used` was the access token.
    ///
    /// # Errors
    /// `unauthenticated` when there is nothing to renew with or the session is over.
    pub async fn renew(&self, used: &Secret) -> Result<Secret, Error> {
        let Some(session) = &self.session else { return Err(signed_out()) };
        let _one_at_a_time = session.renewing.lock().await;
        let refresh = {
            let tokens = session.tokens.lock();
            if tokens.access != *used {
                return Ok(tokens.access.clone());
            }
            tokens.refresh.clone()
        };
        let Some(refresh_token) = refresh else { return Err(signed_out()) };
        let body = serde_json::to_value(Refresh { refresh_token }).unwrap_or_default();
        let answer = self.send(Method::POST, &format!("{BASE}/auth/refresh"), Some(&body), None).await?;
        let signed_in: SignedIn = serde_json::from_value(accept(answer)?.json)
            .map_err(|e| Error::Protocol(format!("answer of /auth/refresh: {e}")))?;
        *session.tokens.lock() = Tokens::of(&signed_in);
        Ok(signed_in.access_token)
    }

    /// One request just as given, with the current token: no renewal, no look at the status. `path`
    /// begins at the server's root (`/api/v1/users/me`, `/health`).
    ///
    /// # Errors
    /// [`Error::Network`] when there was no answer.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<RawResponse, Error> {
        let token = self.current_token();
        self.send(method, path, body, token.as_ref()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        token: Option<&Secret>,
    ) -> Result<RawResponse, Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.server));
        if let Some(token) = token {
            request = request.bearer_auth(&token.0);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        whole(request.send().await?).await
    }

    /// A request under [`BASE`] with the token kept fresh; only a success comes back.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<RawResponse, Error> {
        let path = format!("{BASE}{path}");
        let token = self.fresh_token().await?;
        let answer = self.send(method.clone(), &path, body, token.as_ref()).await?;
        if answer.status == StatusCode::UNAUTHORIZED.as_u16()
            && let Some(used) = &token
            && let Ok(newer) = self.renew(used).await
        {
            return accept(self.send(method, &path, body, Some(&newer)).await?);
        }
        accept(answer)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.without_body(Method::GET, path).await
    }

    pub(crate) async fn without_body<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, Error> {
        decode(path, self.call(method, path, None).await?)
    }

    /// A GET with `query` as its query string.
    pub(crate) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, Error> {
        let query = encode(query)?;
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let pairs: Vec<_> = query.as_object().into_iter().flatten().map(|(k, v)| (k, text(v))).collect();
        if pairs.is_empty() {
            return self.get(path).await;
        }
        // Only the query of this address is used: it knows how to escape.
        let address = reqwest::Url::parse_with_params(&self.server, pairs);
        let address = address.map_err(|e| Error::Protocol(format!("query of {path}: {e}")))?;
        self.get(&format!("{path}?{}", address.query().unwrap_or_default())).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.with_body(Method::POST, path, body).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.with_body(Method::PUT, path, body).await
    }

    pub(crate) async fn with_body<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        decode(path, self.call(method, path, Some(&encode(body)?)).await?)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        self.call(Method::DELETE, path, None).await.map(drop)
    }
}

fn encode(body: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(body).map_err(|e| Error::Protocol(format!("request: {e}")))
}

pub(crate) fn decode<T: DeserializeOwned>(path: &str, answer: RawResponse) -> Result<T, Error> {
    serde_json::from_value(answer.json).map_err(|e| Error::Protocol(format!("answer of {path}: {e}")))
}

fn signed_out() -> Error {
    Error::from(problem(ErrorCode::Unauthenticated, "there is no session to renew"))
}

/// The answer of a request whose body was not JSON, or has none.
pub(crate) async fn whole(answer: reqwest::Response) -> Result<RawResponse, Error> {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.bytes().await?;
    Ok(RawResponse { status, headers, json: serde_json::from_slice(&bytes).unwrap_or_default() })
}

pub(crate) fn problem(code: ErrorCode, detail: &str) -> Problem {
    Problem {
        kind: "about:blank".to_owned(),
        title: code.title().to_owned(),
        status: code.status(),
        detail: detail.to_owned(),
        code,
        errors: Vec::new(),
        retry_after: None,
    }
}

/// Turns a refusal into an error.
pub(crate) fn accept(answer: RawResponse) -> Result<RawResponse, Error> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let retry_after = answer
        .headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
    if let Ok(mut problem) = serde_json::from_value::<Problem>(answer.json) {
        problem.retry_after = problem.retry_after.or(retry_after);
        return Err(problem.into());
    }
    // Something between us and the server answered, such as a proxy while the server restarts.
    let code = match answer.status {
        429 => ErrorCode::RateLimited,
        502..=504 => ErrorCode::Unavailable,
        status => return Err(Error::Protocol(format!("status {status} without a problem"))),
    };
    let detail = format!("status {} from something before the server", answer.status);
    Err(Problem { retry_after, status: answer.status, ..problem(code, &detail) }.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, json: Value) -> RawResponse {
        let mut headers = header::HeaderMap::new();
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
        RawResponse { status, headers, json }
    }

    #[test]
    fn a_problem_becomes_an_error_with_its_code_and_the_time_to_wait() {
        let body = json!({"type": "about:blank", "title": "t", "status": 429, "detail": "d", "code": "rate_limited"});
        let error = accept(answer(429, body)).unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::RateLimited));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(accept(answer(503, Value::Null)).unwrap_err().is_temporary(), "a proxy's 503");
        assert!(!accept(answer(400, Value::Null)).unwrap_err().is_temporary());
        assert!(accept(answer(204, Value::Null)).is_ok());
    }

    #[test]
    fn an_address_may_lack_the_scheme_and_must_be_http() {
        assert_eq!(Http::new("localhost:8080/").unwrap().server(), "http://localhost:8080");
        assert_eq!(Http::new("https://chat.example.org").unwrap().server(), "https://chat.example.org");
        assert!(Http::new("ftp://x").is_err() && Http::new("").is_err() && Http::new("http://").is_err());
    }

    #[test]
    fn tokens_do_not_show() {
        let http = Http::new("localhost").unwrap().with_tokens("access", "refresh");
        assert!(!format!("{http:?}").contains("access"));
        assert_eq!(http.current_refresh_token(), Some(Secret("refresh".into())));
    }
}
