//! Reactions: who put which emoji on a message. How many there are of each stands with the message, which
//! is stored by [`messages::update`](crate::messages::update).

use madang_proto::{MessageId, UserId, accounts::UserSummary, messages::Message, reactions::Reaction};

use crate::{
    Error, Result, Tx,
    db::{all, execute},
    packed as rows,
};

/// As they stand with the message: nothing when there are none.
pub(crate) fn packed(reactions: &[Reaction]) -> Result<Option<String>> {
    if reactions.is_empty() {
        return Ok(None);
    }
    let pairs: Vec<(&str, i64)> = reactions.iter().map(|r| (r.emoji.as_str(), r.count)).collect();
    rows::text(&pairs).map(Some)
}

/// As they stood with the message; nobody's own are told apart.
pub(crate) fn unpacked(text: Option<&str>) -> Result<Vec<Reaction>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let pairs: Vec<(String, i64)> =
        serde_json::from_str(text).map_err(|e| Error::Fault(sqlx::Error::Decode(e.into())))?;
    Ok(pairs.into_iter().map(|(emoji, count)| Reaction { emoji, count, me: None }).collect())
}

/// Remembers that someone put an emoji on a message, at this version of the channel. False when they had.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, message: MessageId, user: UserId, emoji: &str, version: i64) -> Result<bool> {
    let touched = execute!(
        tx,
        "INSERT INTO reactions (message_id, user_id, emoji, version) VALUES ($1, $2, $3, $4)
         ON CONFLICT (message_id, user_id, emoji) DO NOTHING",
        message.get(),
        user.get(),
        emoji,
        version
    )?;
    Ok(touched == 1)
}

/// Forgets that someone put an emoji on a message. False when they had not.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, message: MessageId, user: UserId, emoji: &str) -> Result<bool> {
    let touched = execute!(
        tx,
        "DELETE FROM reactions WHERE message_id = $1 AND user_id = $2 AND emoji = $3",
        message.get(),
        user.get(),
        emoji
    )?;
    Ok(touched == 1)
}

/// Forgets everyone's.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &mut Tx, message: MessageId) -> Result<()> {
    execute!(tx, "DELETE FROM reactions WHERE message_id = $1", message.get())?;
    Ok(())
}

/// Tells apart which reactions of a message are the user's own. Asks nothing where there are none.
///
/// # Errors
/// When the database fails.
pub async fn tell_own(tx: &mut Tx, message: &mut Message, user: UserId) -> Result<()> {
    if message.reactions.is_empty() {
        return Ok(());
    }
    let own = all!(
        tx,
        (String,),
        "SELECT emoji FROM reactions WHERE message_id = $1 AND user_id = $2",
        message.id.get(),
        user.get()
    )?;
    for reaction in &mut message.reactions {
        reaction.me = Some(own.iter().any(|(emoji,)| *emoji == reaction.emoji));
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    #[sqlx(try_from = "i64")]
    id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

/// Who put an emoji on a message after a version of the channel, the first one first, each with theirs.
///
/// # Errors
/// When the database fails.
pub async fn by_emoji(
    tx: &mut Tx,
    message: MessageId,
    emoji: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, UserSummary)>> {
    let rows = all!(
        tx,
        Row,
        "SELECT r.version, u.id, u.username, u.display_name, u.avatar_url
         FROM reactions r JOIN users u ON u.id = r.user_id
         WHERE r.message_id = $1 AND r.emoji = $2 AND r.version > $3 ORDER BY r.version LIMIT $4",
        message.get(),
        emoji,
        after,
        i64::from(limit)
    )?;
    let person = |r: Row| {
        let Row { version, id, username, display_name, avatar_url } = r;
        (version, UserSummary { id, username, display_name, avatar_url })
    };
    Ok(rows.into_iter().map(person).collect())
}
