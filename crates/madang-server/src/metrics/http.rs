//! `GET /metrics`, the only thing that the address of the metrics answers.

use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::encoding::prometheus_text;

use super::registry;
use crate::{app::App, error::Error};

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is answered to those who watch the server.
pub fn router(app: App) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app)
}

async fn show(State(app): State<App>) -> Result<Response, Error> {
    let database_up = app.db.is_there();
    // Counting open files takes as long as there are many.
    let encoding = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry::all(&app, database_up)).map(|()| text)
    });
    let text = encoding.await.map_err(Error::internal)?.map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, FORMAT)], text).into_response())
}
