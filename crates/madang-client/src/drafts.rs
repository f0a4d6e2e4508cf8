//! Drafts: what one began to write.

use madang_proto::{
    ChannelId,
    drafts::{Draft, DraftQuery, SetDraft},
    page::Page,
};

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `PUT /channels/:id/draft`
    pub async fn set_draft(&self, channel: ChannelId, content: &str) -> Result<Draft, Error> {
        let body = SetDraft { content: content.to_owned() };
        self.put(&format!("/channels/{channel}/draft"), &body).await
    }

    /// `GET /channels/:id/draft`
    pub async fn draft(&self, channel: ChannelId) -> Result<Draft, Error> {
        self.get(&format!("/channels/{channel}/draft")).await
    }

    /// `DELETE /channels/:id/draft`
    pub async fn delete_draft(&self, channel: ChannelId) -> Result<(), Error> {
        self.delete(&format!("/channels/{channel}/draft")).await
    }

    /// `GET /drafts`: one page, the newest first.
    pub async fn drafts(&self, query: DraftQuery) -> Result<Page<Draft>, Error> {
        self.get_with("/drafts", &query).await
    }

    /// All one's drafts, page by page.
    pub async fn all_drafts(&self) -> Result<Vec<Draft>, Error> {
        let mut all = Vec::new();
        let mut query = DraftQuery { limit: Some(100), before: None };
        loop {
            let page = self.drafts(query).await?;
            all.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(all) };
            let place = cursor.parse().map_err(|e| Error::Protocol(format!("cursor {cursor:?}: {e}")))?;
            query.before = Some(place);
        }
    }
}
