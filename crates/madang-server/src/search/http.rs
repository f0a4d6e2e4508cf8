//! The route of search.

use axum::extract::State;
use madang_proto::{
    page::Page,
    search::{SearchQuery, SearchResult},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{PageAnswer, Query, page},
};

/// Messages that have what is asked for, the newest first.
#[utoipa::path(get, path = "/messages/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = Page<SearchResult>, description = "What was found")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<SearchQuery>,
) -> Result<PageAnswer<SearchResult>> {
    Ok(page(super::index(&app, actor, &query).await?))
}
