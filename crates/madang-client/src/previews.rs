//! Previews: what the links of messages lead to.

use madang_proto::{MessageId, messages::Message};
use reqwest::Method;

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `DELETE /messages/:id/previews`: takes those of one's own message away, for good.
    pub async fn remove_previews(&self, id: MessageId) -> Result<Message, Error> {
        self.without_body(Method::DELETE, &format!("/messages/{id}/previews")).await
    }
}
