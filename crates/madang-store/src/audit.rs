//! The audit log: what those who keep a workspace did. Nothing in it is changed or removed.

use madang_proto::{
    AuditId, ChannelId, MessageId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    audit::{AuditAction, AuditEntry, AuditQuery},
};
use serde_json::Value;

use crate::{
    Result, Tx,
    db::{all, execute},
};

/// An act to be noted.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The id.
    pub id: AuditId,
    /// In which workspace.
    pub workspace_id: WorkspaceId,
    /// By whom.
    pub actor: UserId,
    /// What.
    pub action: AuditAction,
    /// On whom.
    pub user: Option<UserId>,
    /// In which channel.
    pub channel_id: Option<ChannelId>,
    /// On which message.
    pub message_id: Option<MessageId>,
    /// What changed, before.
    pub from: Option<Value>,
    /// What changed, after.
    pub to: Option<Value>,
    /// When.
    pub created_at: Timestamp,
}

/// Notes an act.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &NewEntry) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO audit (id, workspace_id, actor_id, action, user_id, channel_id, message_id, before, after, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        new.id.get(),
        new.workspace_id.get(),
        new.actor.get(),
        new.action.as_str(),
        new.user.map(UserId::get),
        new.channel_id.map(ChannelId::get),
        new.message_id.map(MessageId::get),
        new.from.as_ref().map(Value::to_string),
        new.to.as_ref().map(Value::to_string),
        new.created_at.millis()
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: AuditId,
    #[sqlx(try_from = "i64")]
    actor_id: UserId,
    actor_username: String,
    actor_display_name: String,
    actor_avatar_url: Option<String>,
    action: String,
    user_id: Option<i64>,
    username: Option<String>,
    display_name: Option<String>,
    avatar_url: Option<String>,
    channel_id: Option<i64>,
    message_id: Option<i64>,
    before: Option<String>,
    after: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
}

impl Row {
    /// Nothing where a word stands that no version ever wrote.
    fn entry(self) -> Option<AuditEntry> {
        let actor = UserSummary {
            id: self.actor_id,
            username: self.actor_username,
            display_name: self.actor_display_name,
            avatar_url: self.actor_avatar_url,
        };
        let named = self.user_id.zip(self.username).zip(self.display_name);
        let user = named.map(|((id, username), display_name)| UserSummary {
            id: id.into(),
            username,
            display_name,
            avatar_url: self.avatar_url,
        });
        let value = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Some(AuditEntry {
            id: self.id,
            actor,
            action: AuditAction::ALL.into_iter().find(|action| action.as_str() == self.action)?,
            user,
            channel_id: self.channel_id.map(ChannelId::from),
            message_id: self.message_id.map(MessageId::from),
            from: value(self.before),
            to: value(self.after),
            created_at: self.created_at,
        })
    }
}

/// Acts in a workspace, the newest first, each with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(
    tx: &mut Tx,
    id: WorkspaceId,
    query: AuditQuery,
    limit: u32,
) -> Result<Vec<(i64, AuditEntry)>> {
    let rows = all!(
        tx,
        Row,
        "SELECT a.id, a.actor_id, b.username AS actor_username, b.display_name AS actor_display_name,
                b.avatar_url AS actor_avatar_url, a.action, a.user_id, u.username, u.display_name, u.avatar_url,
                a.channel_id, a.message_id, a.before, a.after, a.created_at
         FROM audit a JOIN users b ON b.id = a.actor_id LEFT JOIN users u ON u.id = a.user_id
         WHERE a.workspace_id = $1 AND a.id < $2 AND ($3 = '' OR a.action = $3)
           AND ($4 = 0 OR a.actor_id = $4) AND ($5 = 0 OR a.user_id = $5) AND ($6 = 0 OR a.channel_id = $6)
         ORDER BY a.id DESC LIMIT $7",
        id.get(),
        query.before.map_or(i64::MAX, AuditId::get),
        query.action.map_or("", AuditAction::as_str),
        query.actor_id.map_or(0, UserId::get),
        query.user_id.map_or(0, UserId::get),
        query.channel_id.map_or(0, ChannelId::get),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().filter_map(|row| Some((row.id.get(), row.entry()?))).collect())
}
