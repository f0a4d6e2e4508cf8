//! Saved messages: what one keeps for later.

use madang_proto::{
    MessageId,
    page::Page,
    saved::{Saved, SavedQuery},
};
use reqwest::Method;

use crate::{Client, Error, Http, driver::Request};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `PUT /users/me/saved/:message_id`
    pub async fn save(&self, id: MessageId) -> Result<(), Error> {
        self.call(Method::PUT, &format!("/users/me/saved/{id}"), None).await.map(drop)
    }

    /// `DELETE /users/me/saved/:message_id`
    pub async fn unsave(&self, id: MessageId) -> Result<(), Error> {
        self.delete(&format!("/users/me/saved/{id}")).await
    }

    /// `GET /users/me/saved`: one page, the newest first.
    pub async fn saved(&self, query: SavedQuery) -> Result<Page<Saved>, Error> {
        self.get_with("/users/me/saved", &query).await
    }

    /// Everything that one saved and may still see, page by page.
    pub async fn all_saved(&self) -> Result<Vec<Saved>, Error> {
        let mut all = Vec::new();
        let mut query = SavedQuery { limit: Some(100), before: None };
        loop {
            let page = self.saved(query).await?;
            all.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(all) };
            let place = cursor.parse().map_err(|e| Error::Protocol(format!("cursor {cursor:?}: {e}")))?;
            query.before = Some(place);
        }
    }
}

impl Client {
    /// Loads which messages one saved into the state, which keeps them true from then on.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn load_saved(&self) -> Result<(), Error> {
        self.ask(|reply| Request::LoadSaved { reply: Some(reply) }).await?
    }
}
