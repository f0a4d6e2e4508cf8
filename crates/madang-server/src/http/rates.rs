//! How a request stands to the limits on how often things may be tried: the `RateLimit-*` headers, of
//! draft-ietf-httpapi-ratelimit-headers-06, on every answer of what is limited; and the limit of those who come
//! without a token.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::extract::address;
use crate::{
    app::App,
    ratelimit::{Limit, Standing, watched},
};

/// The headers, which a page of another origin may read.
pub const HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// Answers a request and says how it stood.
pub async fn tell(State(app): State<App>, request: Request, next: Next) -> Response {
    let anonymous =
        request.uri().path().starts_with("/api/") && !request.headers().contains_key(header::AUTHORIZATION);
    let from = anonymous.then(|| address(request.extensions(), request.headers(), &app.config));
    let answering = async {
        match from.map(|from| app.limits.check(Limit::AnonymousByAddress, from)) {
            Some(Err(error)) => error.into_response(),
            Some(Ok(())) | None => next.run(request).await,
        }
    };
    let (mut response, standing) = watched(answering).await;
    if let Some(standing) = standing {
        response.headers_mut().extend(HEADERS.into_iter().zip(values(standing)));
    }
    response
}

fn values(Standing { limit, left, reset }: Standing) -> [HeaderValue; 4] {
    let (a_minute, at_once) = limit.numbers();
    let policy = HeaderValue::try_from(format!("{a_minute};w=60;burst={at_once}"));
    [policy.unwrap_or_else(|_| a_minute.into()), at_once.into(), left.into(), reset.into()]
}
