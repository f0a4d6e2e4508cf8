//! Previews of the links of messages, as a message's own row keeps them.
//!
//! Invariants:
//! - Once its author wanted none, a message gets none any more.

use madang_proto::{MessageId, messages::Message, previews::Preview};

use crate::{
    Result, Tx,
    db::{execute, optional},
    packed,
};

/// Stores the previews of a message, of which there may be none, as they are in `message`. Its version is stored
/// beside.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, message: &Message) -> Result<()> {
    let previews = &message.previews;
    let packed = if previews.is_empty() { None } else { Some(packed::text(previews)?) };
    execute!(tx, "UPDATE messages SET previews = $1 WHERE id = $2", packed, message.id.get())?;
    Ok(())
}

/// Lets a message have none, for good.
///
/// # Errors
/// When the database fails.
pub async fn refuse(tx: &mut Tx, id: MessageId) -> Result<()> {
    execute!(tx, "UPDATE messages SET previews = '[]' WHERE id = $1", id.get())?;
    Ok(())
}

/// Whether a message is to have none.
///
/// # Errors
/// When the database fails.
pub async fn are_refused(tx: &mut Tx, id: MessageId) -> Result<bool> {
    let row = optional!(tx, (i64,), "SELECT id FROM messages WHERE id = $1 AND previews = '[]'", id.get())?;
    Ok(row.is_some())
}

/// The previews of a message as they stood with it.
pub(crate) fn unpacked(text: Option<&str>) -> Result<Vec<Preview>> {
    Ok(packed::object(text)?.unwrap_or_default())
}
