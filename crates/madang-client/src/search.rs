//! Search in messages.

use madang_proto::{
    page::Page,
    search::{SearchQuery, SearchResult},
};

use crate::{Error, Http};

impl Http {
    /// `GET /messages/search`: the newest first; the next page has the `next_cursor` as `before`. What was
    /// just sent is found a moment later.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn search(&self, query: &SearchQuery) -> Result<Page<SearchResult>, Error> {
        self.get_with("/messages/search", query).await
    }
}
