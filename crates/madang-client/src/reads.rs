//! Read marks: up to where one has read, and who has seen a message.

use madang_proto::{
    ChannelId, Command, MessageId,
    command::SetReadMark,
    reads::{MarkRead, MarkUnread, ReadMark, SeenBy, SeenQuery, UnreadMark},
};

use crate::{Client, Error, Http};

impl Http {
    /// `PUT /channels/:id/read`, whatever was known when the message was read.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn mark_read(&self, channel: ChannelId, message: MessageId) -> Result<ReadMark, Error> {
        self.put_read_mark(channel, &MarkRead { message_id: message, read_version: None }).await
    }

    /// `PUT /channels/:id/read`
    ///
    /// # Errors
    /// The server's refusal (`conflict` when the channel was marked as unread since), or no answer.
    pub async fn put_read_mark(&self, channel: ChannelId, mark: &MarkRead) -> Result<ReadMark, Error> {
        self.put(&format!("/channels/{channel}/read"), mark).await
    }

    /// `PUT /channels/:id/unread`: from this message on. One's clients hear of it.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn mark_unread(&self, channel: ChannelId, message: MessageId) -> Result<UnreadMark, Error> {
        self.put(&format!("/channels/{channel}/unread"), &MarkUnread { message_id: message }).await
    }

    /// `GET /messages/:id/seen`
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn seen(&self, message: MessageId, query: SeenQuery) -> Result<SeenBy, Error> {
        self.get_with(&format!("/messages/{message}/seen"), &query).await
    }
}

impl Client {
    /// Marks a channel as read up to a message, through the gateway.
    ///
    /// # Errors
    /// The server's refusal (`conflict` when the channel was marked as unread and this client had not heard of it);
    /// [`Error::Network`] while offline.
    pub async fn mark_read(&self, channel: ChannelId, message: MessageId) -> Result<ReadMark, Error> {
        let read_version = self.state().channel(channel).map(|known| known.facts().read_version);
        let mark = SetReadMark { channel_id: channel, message_id: message, read_version };
        let answer = self.command(Command::ReadReceipt(mark)).await?;
        serde_json::from_value(answer).map_err(|e| Error::Protocol(format!("ACK of READ_RECEIPT: {e}")))
    }
}
