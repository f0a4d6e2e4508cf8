//! What a list of notifications shows: their messages as they are now.

use madang_proto::{
    ChannelId, MessageId, NotificationId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    notifications::{Notification, NotificationKind, NotificationQuery, excerpt},
    threads::ThreadOf,
};

use crate::{Result, Tx, db::all, files};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: NotificationId,
    kind: String,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    channel_name: String,
    message_id: Option<i64>,
    parent_id: Option<i64>,
    root_id: Option<i64>,
    #[sqlx(try_from = "i64")]
    author_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
    content: Option<String>,
    files: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    silent: bool,
    is_read: bool,
}

impl Row {
    /// `None` for a kind that this version does not know.
    fn shown(self) -> Result<Option<Notification>> {
        let r = self;
        let Some(kind) = NotificationKind::ALL.into_iter().find(|kind| kind.as_str() == r.kind) else {
            return Ok(None);
        };
        let files = files::unpacked(r.files.as_deref())?;
        let excerpt = match r.content {
            Some(content) => excerpt(&content, files.first().map(|file| file.name.as_str())),
            None => r.channel_name,
        };
        let thread = r.parent_id.zip(r.root_id);
        Ok(Some(Notification {
            id: r.id,
            kind,
            workspace_id: r.workspace_id,
            channel_id: r.channel_id,
            message_id: r.message_id.map(MessageId::from),
            thread: thread
                .map(|(channel, root)| ThreadOf { channel_id: channel.into(), root_id: root.into() }),
            author: UserSummary {
                id: r.author_id,
                username: r.username,
                display_name: r.display_name,
                avatar_url: r.avatar_url,
            },
            excerpt,
            created_at: r.created_at,
            silent: r.silent,
            read: r.is_read,
        }))
    }
}

/// A user's notifications of what they may still see, the newest first, each with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_user(
    tx: &mut Tx,
    user: UserId,
    query: &NotificationQuery,
    limit: u32,
) -> Result<Vec<(i64, Notification)>> {
    let rows = all!(
        tx,
        Row,
        "SELECT n.id, n.kind, c.workspace_id, n.channel_id, c.name AS channel_name, n.message_id, c.parent_id,
                c.root_id, u.id AS author_id, u.username, u.display_name, u.avatar_url, m.content, m.files,
                n.created_at, n.silent, n.is_read
         FROM notifications n
         JOIN channels c ON c.id = n.channel_id AND c.deleted_at IS NULL
         JOIN channels h ON h.id = n.home_id AND h.deleted_at IS NULL
         JOIN channel_members hm ON hm.channel_id = n.home_id AND hm.user_id = n.user_id AND hm.left_at IS NULL
         JOIN users u ON u.id = n.author_id
         LEFT JOIN messages m ON m.id = n.message_id AND m.deleted_at IS NULL
         WHERE n.user_id = $1 AND n.id < $2 AND NOT (n.is_read AND $3)
           AND (n.message_id IS NULL OR m.id IS NOT NULL)
         ORDER BY n.id DESC LIMIT $4",
        user.get(),
        query.before.map_or(i64::MAX, NotificationId::get),
        query.unread.unwrap_or(false),
        i64::from(limit)
    )?;
    let placed = |row: Row| {
        let place = row.id.get();
        Ok(row.shown()?.map(|notification| (place, notification)))
    };
    rows.into_iter().filter_map(|row| placed(row).transpose()).collect()
}
