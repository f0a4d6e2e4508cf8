//! Messages: send, read pages, edit, delete.

use madang_proto::{
    ChannelId, FileId, MessageId,
    edits::{Edit, EditsQuery},
    messages::{CreateMessage, Message, SendMessage, UpdateMessage},
    page::{MessagePageQuery, Page},
};
use tokio::sync::oneshot;

use crate::{Client, Error, Http, driver::Request};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /channels/:id/messages`: oldest first; the newest page when `query` names no place.
    pub async fn messages(
        &self,
        channel: ChannelId,
        query: MessagePageQuery,
    ) -> Result<Page<Message>, Error> {
        self.get_with(&format!("/channels/{channel}/messages"), &query).await
    }

    /// `GET /messages/channel/:channel_id`: the same under its other name.
    pub async fn messages_of_channel(
        &self,
        channel: ChannelId,
        query: MessagePageQuery,
    ) -> Result<Page<Message>, Error> {
        self.get_with(&format!("/messages/channel/{channel}"), &query).await
    }

    /// `POST /channels/:id/messages`
    pub async fn create_message(&self, channel: ChannelId, body: &CreateMessage) -> Result<Message, Error> {
        self.post(&format!("/channels/{channel}/messages"), body).await
    }

    /// `POST /messages`
    pub async fn send_message(&self, body: &SendMessage) -> Result<Message, Error> {
        self.post("/messages", body).await
    }

    /// `GET /messages/:id`
    pub async fn message(&self, id: MessageId) -> Result<Message, Error> {
        self.get(&format!("/messages/{id}")).await
    }

    /// `PUT /messages/:id`
    pub async fn update_message(&self, id: MessageId, content: &str) -> Result<Message, Error> {
        self.put(&format!("/messages/{id}"), &UpdateMessage { content: content.to_owned() }).await
    }

    /// `GET /messages/:id/edits`: what it said before, oldest first.
    pub async fn edits(&self, id: MessageId, query: EditsQuery) -> Result<Page<Edit>, Error> {
        self.get_with(&format!("/messages/{id}/edits"), &query).await
    }

    /// `DELETE /messages/:id`
    pub async fn delete_message(&self, id: MessageId) -> Result<(), Error> {
        self.delete(&format!("/messages/{id}")).await
    }
}

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Client {
    /// Sends a message and waits until the server has stored it, over lost connections if need be.
    /// Giving up waiting does not take the message back.
    pub async fn send(&self, channel: ChannelId, content: &str) -> Result<Message, Error> {
        self.send_with_nonce(channel, content, &new_nonce()).await
    }

    /// As [`Client::send`] with files that one uploaded, see [`Http::upload`]; then the text may be empty.
    pub async fn send_files(
        &self,
        channel: ChannelId,
        content: &str,
        file_ids: Vec<FileId>,
    ) -> Result<Message, Error> {
        let (done, stored) = oneshot::channel();
        self.push(channel, content, file_ids, &new_nonce(), Some(done)).await?;
        stored.await.map_err(|_| Error::Closed("before the message was stored".to_owned()))?
    }

    /// As [`Client::send`] with a nonce of one's own: the same author and nonce give the message that
    /// was stored first.
    pub async fn send_with_nonce(
        &self,
        channel: ChannelId,
        content: &str,
        nonce: &str,
    ) -> Result<Message, Error> {
        let (done, stored) = oneshot::channel();
        self.push(channel, content, Vec::new(), nonce, Some(done)).await?;
        stored.await.map_err(|_| Error::Closed("before the message was stored".to_owned()))?
    }

    /// Puts a message into the outbox and returns at once with its nonce; [`crate::State::outbox`]
    /// shows it until it is stored.
    pub async fn enqueue(&self, channel: ChannelId, content: &str) -> Result<String, Error> {
        let nonce = new_nonce();
        self.push(channel, content, Vec::new(), &nonce, None).await?;
        Ok(nonce)
    }

    async fn push(
        &self,
        channel: ChannelId,
        content: &str,
        file_ids: Vec<FileId>,
        nonce: &str,
        done: Option<oneshot::Sender<Result<Message, Error>>>,
    ) -> Result<(), Error> {
        let (content, nonce) = (content.to_owned(), nonce.to_owned());
        self.ask(|reply| Request::Enqueue { channel, content, file_ids, nonce, done, reply }).await
    }

    /// Tries a refused message again.
    pub async fn retry(&self, nonce: &str) -> Result<(), Error> {
        let nonce = nonce.to_owned();
        self.ask(|reply| Request::Retry { nonce, reply }).await
    }

    /// Drops a message from the outbox. One that is on its way may still arrive.
    pub async fn discard(&self, nonce: &str) -> Result<(), Error> {
        let nonce = nonce.to_owned();
        self.ask(|reply| Request::Discard { nonce, reply }).await
    }

    /// Edits a message; afterwards the state has the new text.
    pub async fn edit(&self, id: MessageId, content: &str) -> Result<Message, Error> {
        let message = self.http().update_message(id, content).await?;
        let learnt = Box::new(message.clone());
        self.ask(|reply| Request::LearnMessage { message: learnt, reply }).await?;
        Ok(message)
    }

    /// Deletes a message; the event that follows brings it into the state.
    pub async fn delete(&self, id: MessageId) -> Result<(), Error> {
        self.http().delete_message(id).await
    }

    /// Loads a page into the state, which keeps it true from then on. A page that neither overlaps
    /// nor touches what is loaded takes its place.
    pub async fn load_messages(
        &self,
        channel: ChannelId,
        query: MessagePageQuery,
    ) -> Result<Page<Message>, Error> {
        self.ask(|reply| Request::LoadMessages { channel, query, reply }).await?
    }

    /// Loads the page before what is loaded, or the newest one when nothing is. `false` when the
    /// beginning was loaded already.
    pub async fn load_older(&self, channel: ChannelId) -> Result<bool, Error> {
        let query = {
            let state = self.state();
            match state.channel(channel) {
                Some(known) if known.is_open() && !known.has_older() => return Ok(false),
                Some(known) if known.is_open() => MessagePageQuery {
                    before: known.messages().next().map(|message| message.id),
                    ..MessagePageQuery::default()
                },
                _ => MessagePageQuery::default(),
            }
        };
        self.load_messages(channel, query).await.map(|_| true)
    }

    /// Loads everything there is in a channel, from the newest page back to the beginning.
    pub async fn load_all_messages(&self, channel: ChannelId) -> Result<(), Error> {
        let mut query = MessagePageQuery { limit: Some(100), ..MessagePageQuery::default() };
        loop {
            let page = self.load_messages(channel, query).await?;
            let Some(oldest) = page.items.first() else { return Ok(()) };
            if page.next_cursor.is_none() {
                return Ok(());
            }
            query.before = Some(oldest.id);
        }
    }
}

/// 128 random bits in hexadecimal digits.
fn new_nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}
