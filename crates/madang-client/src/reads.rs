//! Read marks: up to where one has read.

use madang_proto::{
    ChannelId, Command, MessageId,
    command::SetReadMark,
    reads::{MarkRead, ReadMark},
};

use crate::{Client, Error, Http};

impl Http {
    /// `PUT /channels/:id/read`
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn mark_read(&self, channel: ChannelId, message: MessageId) -> Result<ReadMark, Error> {
        self.put(&format!("/channels/{channel}/read"), &MarkRead { message_id: message }).await
    }
}

impl Client {
    /// Marks a channel as read up to a message, through the gateway.
    ///
    /// # Errors
    /// The server's refusal; [`Error::Network`] while offline.
    pub async fn mark_read(&self, channel: ChannelId, message: MessageId) -> Result<ReadMark, Error> {
        let mark = SetReadMark { channel_id: channel, message_id: message };
        let answer = self.command(Command::ReadReceipt(mark)).await?;
        serde_json::from_value(answer).map_err(|e| Error::Protocol(format!("ACK of READ_RECEIPT: {e}")))
    }
}
