//! REST: routes, extractors, problems, the OpenAPI document, health and the web client's files.

pub mod extract;
mod health;
mod listener;
pub mod openapi;
mod problem;
mod rates;
mod router;
mod routes;
mod web;

pub use extract::{Json, Path, Query};
pub use listener::{For, Listener, Peer, Place};
pub use router::router;

use madang_proto::{limits, messages::Message, page::Page};

use crate::error::{Error, Result};

/// How many items a page has.
///
/// # Errors
/// `Invalid` when out of range.
pub fn page_limit(asked: Option<u32>) -> Result<u32> {
    match asked.unwrap_or(limits::PAGE_DEFAULT) {
        limit @ 1..=limits::PAGE_MAX => Ok(limit),
        _ => Err(Error::field("limit", format!("1 to {}", limits::PAGE_MAX))),
    }
}

/// The header that repeats `next_cursor`.
pub const NEXT_CURSOR: &str = "x-next-cursor";

/// A page as an answer.
pub type PageAnswer<T> = ([(&'static str, String); 1], Json<Page<T>>);

/// A page with its header; the header is empty at the end.
pub fn page<T>(page: Page<T>) -> PageAnswer<T> {
    ([(NEXT_CURSOR, page.next_cursor.clone().unwrap_or_default())], Json(page))
}

/// A page of what was read one further than its limit, each item with its place in the list.
pub fn page_of<T>(mut items: Vec<(i64, T)>, limit: u32) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|(place, _)| place.to_string());
    Page { items: items.into_iter().map(|(_, item)| item).collect(), next_cursor, prev_cursor: None }
}

/// A page of messages.
pub type MessagePage = PageAnswer<Message>;
