//! Read marks: up to where someone has read a channel. A mark never moves back.

pub mod http;

use madang_proto::{ChannelId, Event, MessageId, limits, permissions::ChannelPermission, reads::ReadMark};
use madang_realtime::Topic;
use madang_store::{messages, reads as store};

use crate::{
    access,
    app::{Actor, App},
    error::{Error, Result},
};

/// Marks a channel as read up to a message.
pub async fn mark(app: &App, actor: Actor, id: ChannelId, message_id: MessageId) -> Result<ReadMark> {
    let mut change = app.change().await?;
    let at = access::channel(change.tx(), actor, id, ChannelPermission::Take).await?;
    let seq = messages::seq_of(change.tx(), id, message_id).await?;
    let seq = seq.ok_or_else(|| Error::field("message_id", "no such message in this channel"))?;
    let mark = ReadMark { channel_id: id, user_id: actor.user, message_id, seq };
    if store::advance(change.tx(), id, actor.user, seq).await? {
        // The user's own devices must hear it, at once; the others may.
        change.emit(Topic::User(actor.user), Event::ReadReceipt(mark.clone()));
        if at.channel().member_count <= limits::READ_RECEIPT_MEMBERS {
            let mark = mark.clone();
            change.after(move |app| app.conflation.mark(mark));
        }
        change.commit().await?;
    }
    Ok(mark)
}
