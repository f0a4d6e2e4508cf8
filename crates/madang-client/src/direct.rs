//! Direct messages and groups: channels of certain people.

use madang_proto::{
    ChannelId,
    channels::Channel,
    direct::OpenDirect,
    messages::Message,
    page::{List, MessagePageQuery, Page},
};

use crate::{Client, Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /dm`: those with the newest message first.
    pub async fn directs(&self) -> Result<Vec<Channel>, Error> {
        Ok(self.get::<List<Channel>>("/dm").await?.items)
    }

    /// `POST /dm`: the same people are always given the same channel.
    pub async fn open_direct(&self, body: &OpenDirect) -> Result<Channel, Error> {
        self.post("/dm", body).await
    }

    /// `GET /dm/:id/messages`
    pub async fn direct_messages(
        &self,
        id: ChannelId,
        query: MessagePageQuery,
    ) -> Result<Page<Message>, Error> {
        self.get_with(&format!("/dm/{id}/messages"), &query).await
    }
}

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Client {
    /// Opens the channel of certain people; afterwards it is in the state.
    pub async fn open_direct(&self, body: &OpenDirect) -> Result<Channel, Error> {
        let channel = self.http().open_direct(body).await?;
        self.learn_channel(channel).await
    }
}
