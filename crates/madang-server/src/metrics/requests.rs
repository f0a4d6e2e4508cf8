//! Requests over HTTP: how many, with which answer, and how long until it began.

use std::{borrow::Cow, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use tracing::Instrument;

use super::SECONDS;
use crate::{app::App, spans};

/// A label whose value is one of the route table, or known.
type Label = (&'static str, Cow<'static, str>);

/// What is counted of requests.
#[derive(Debug)]
pub struct Requests {
    pub(super) answered: Family<[Label; 3], Counter>,
    pub(super) seconds: Family<[Label; 2], Histogram, fn() -> Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        Self { answered: Family::default(), seconds: Family::new_with_constructor(seconds) }
    }
}

/// Answers a request and counts it, by the template of its route: what has none is the web client, or nothing.
pub async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>();
    let route = template.map_or(Cow::Borrowed("other"), |path| Cow::Owned(path.as_str().to_owned()));
    let method = method(request.method());
    let (asked, span) = (Instant::now(), spans::request(method, &route));
    let response = next.run(request).instrument(span.clone()).await;
    spans::answered(&span, response.status().as_u16());
    let (route, method) = (("route", route), ("method", method.into()));
    let requests = &app.metrics.requests;
    requests.seconds.get_or_create(&[route.clone(), method.clone()]).observe(asked.elapsed().as_secs_f64());
    requests.answered.get_or_create(&[route, method, ("status", class(response.status()).into())]).inc();
    response
}

/// Methods that nobody knows are many.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
