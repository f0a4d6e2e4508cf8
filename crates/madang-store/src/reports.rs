//! Reports: messages that someone wants looked at, kept as they were.

use madang_proto::{
    ChannelId, MessageId, ReportId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    reports::{Report, ReportsQuery, Resolution},
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: ReportId,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    #[sqlx(try_from = "i64")]
    message_id: MessageId,
    content: String,
    reason: String,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    resolution: Option<String>,
    resolved_at: Option<i64>,
    #[sqlx(try_from = "i64")]
    author_id: UserId,
    author_username: String,
    author_display_name: String,
    author_avatar_url: Option<String>,
    #[sqlx(try_from = "i64")]
    reporter_id: UserId,
    reporter_username: String,
    reporter_display_name: String,
    reporter_avatar_url: Option<String>,
    resolver_id: Option<i64>,
    resolver_username: Option<String>,
    resolver_display_name: Option<String>,
    resolver_avatar_url: Option<String>,
}

impl From<Row> for Report {
    fn from(r: Row) -> Self {
        let resolver = r.resolver_id.zip(r.resolver_username).zip(r.resolver_display_name);
        Self {
            id: r.id,
            workspace_id: r.workspace_id,
            channel_id: r.channel_id,
            message_id: r.message_id,
            author: UserSummary {
                id: r.author_id,
                username: r.author_username,
                display_name: r.author_display_name,
                avatar_url: r.author_avatar_url,
            },
            content: r.content,
            reporter: UserSummary {
                id: r.reporter_id,
                username: r.reporter_username,
                display_name: r.reporter_display_name,
                avatar_url: r.reporter_avatar_url,
            },
            reason: r.reason,
            created_at: r.created_at,
            resolution: r
                .resolution
                .and_then(|word| Resolution::ALL.into_iter().find(|resolution| resolution.as_str() == word)),
            resolved_by: resolver.map(|((id, username), display_name)| UserSummary {
                id: id.into(),
                username,
                display_name,
                avatar_url: r.resolver_avatar_url,
            }),
            resolved_at: r.resolved_at.map(Timestamp::from),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.workspace_id, r.channel_id, r.message_id, r.content, r.reason, r.created_at,
                    r.resolution, r.resolved_at,
                    a.id AS author_id, a.username AS author_username, a.display_name AS author_display_name,
                    a.avatar_url AS author_avatar_url,
                    b.id AS reporter_id, b.username AS reporter_username,
                    b.display_name AS reporter_display_name, b.avatar_url AS reporter_avatar_url,
                    c.id AS resolver_id, c.username AS resolver_username,
                    c.display_name AS resolver_display_name, c.avatar_url AS resolver_avatar_url
             FROM reports r JOIN users a ON a.id = r.author_id JOIN users b ON b.id = r.reporter_id
             LEFT JOIN users c ON c.id = r.resolved_by WHERE ",
            $rest
        )
    };
}

/// Stores a report. False when the reporter has an open one of this message.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, r: &Report) -> Result<bool> {
    let touched = execute!(
        tx,
        "INSERT INTO reports (id, workspace_id, channel_id, message_id, author_id, content, reporter_id, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        r.id.get(),
        r.workspace_id.get(),
        r.channel_id.get(),
        r.message_id.get(),
        r.author.id.get(),
        &r.content,
        r.reporter.id.get(),
        &r.reason,
        r.created_at.millis()
    )?;
    Ok(touched == 1)
}

/// How many open reports someone has.
///
/// # Errors
/// When the database fails.
pub async fn open_of(tx: &mut Tx, user: UserId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM reports WHERE reporter_id = $1 AND resolved_at IS NULL";
    Ok(optional!(tx, (i64,), sql, user.get())?.map_or(0, |row| row.0))
}

/// A report in a workspace.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: ReportId) -> Result<Option<Report>> {
    let row = optional!(tx, Row, select!("r.id = $1 AND r.workspace_id = $2"), id.get(), workspace.get())?;
    Ok(row.map(Report::from))
}

/// Decides on all open reports of the message that this one is about; gives how many they were.
///
/// # Errors
/// When the database fails.
pub async fn resolve(
    tx: &mut Tx,
    message: MessageId,
    resolution: Resolution,
    by: UserId,
    now: Timestamp,
) -> Result<u64> {
    execute!(
        tx,
        "UPDATE reports SET resolution = $1, resolved_by = $2, resolved_at = $3
         WHERE message_id = $4 AND resolved_at IS NULL",
        resolution.as_str(),
        by.get(),
        now.millis(),
        message.get()
    )
}

/// Reports in a workspace, the newest first, each with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(
    tx: &mut Tx,
    id: WorkspaceId,
    query: ReportsQuery,
    limit: u32,
) -> Result<Vec<(i64, Report)>> {
    let rows = all!(
        tx,
        Row,
        select!(
            "r.workspace_id = $1 AND r.id < $2 AND (r.resolved_at IS NOT NULL) = $3 ORDER BY r.id DESC LIMIT $4"
        ),
        id.get(),
        query.before.map_or(i64::MAX, ReportId::get),
        query.resolved,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| (row.id.get(), row.into())).collect())
}
