//! What people want to be notified of, and who may be meant by messages of a channel.

use std::sync::LazyLock;

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    notifications::{
        ChannelNotifications, NotificationLevel, NotificationSettings, QuietHours, WorkspaceNotifications,
    },
    presence::{ChosenStatus, UserStatus},
};

use crate::{
    Result, Tx,
    db::{all, counted, execute, optional},
    packed::{self, Texts},
};

/// A place of which something is said: a workspace or a channel.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A workspace.
    Workspace(WorkspaceId),
    /// A channel.
    Channel(ChannelId),
}

impl Place {
    const fn id(self) -> i64 {
        match self {
            Self::Workspace(id) => id.get(),
            Self::Channel(id) => id.get(),
        }
    }
}

fn level(word: Option<&str>) -> Option<NotificationLevel> {
    // A word that no version ever wrote says nothing.
    NotificationLevel::ALL.into_iter().find(|level| Some(level.as_str()) == word)
}

/// Moves the version of a user's settings on; nobody else changes them until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn touch(tx: &mut Tx, user: UserId) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO notification_users (user_id, version) VALUES ($1, 1)
         ON CONFLICT (user_id) DO UPDATE SET version = notification_users.version + 1",
        user.get()
    )?;
    Ok(())
}

/// Stores what is not about a place, of a user whose settings were touched.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &mut Tx, user: UserId, settings: &NotificationSettings) -> Result<()> {
    let keywords = (!settings.keywords.is_empty()).then(|| packed::text(&settings.keywords)).transpose()?;
    execute!(
        tx,
        "UPDATE notification_users SET keywords = $2, quiet_hours = $3, snoozed_until = $4 WHERE user_id = $1",
        user.get(),
        keywords,
        settings.quiet_hours.as_ref().map(packed::text).transpose()?,
        settings.snoozed_until.map(Timestamp::millis)
    )?;
    Ok(())
}

/// Stores what a user wants of a place.
///
/// # Errors
/// When the database fails.
pub async fn put(
    tx: &mut Tx,
    user: UserId,
    place: Place,
    level: Option<NotificationLevel>,
    muted_until: Option<Timestamp>,
) -> Result<()> {
    if level.is_none() && muted_until.is_none() {
        let sql = "DELETE FROM notification_places WHERE user_id = $1 AND place_id = $2";
        execute!(tx, sql, user.get(), place.id())?;
        return Ok(());
    }
    execute!(
        tx,
        "INSERT INTO notification_places (user_id, place_id, level, muted_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, place_id) DO UPDATE
         SET level = excluded.level, muted_until = excluded.muted_until",
        user.get(),
        place.id(),
        level.map(NotificationLevel::as_str),
        muted_until.map(Timestamp::millis)
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct UserRow {
    version: i64,
    keywords: Option<String>,
    quiet_hours: Option<String>,
    snoozed_until: Option<i64>,
}

/// A user's settings, of the places that they are in.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<NotificationSettings> {
    let row = optional!(
        &mut *tx,
        UserRow,
        "SELECT version, keywords, quiet_hours, snoozed_until FROM notification_users WHERE user_id = $1",
        user.get()
    )?;
    let Some(row) = row else { return Ok(NotificationSettings::default()) };
    let places = all!(
        tx,
        (i64, Option<String>, Option<i64>, Option<i64>),
        "SELECT p.place_id, p.level, p.muted_until, m.channel_id
         FROM notification_places p
         LEFT JOIN channel_members m ON m.channel_id = p.place_id AND m.user_id = $1 AND m.left_at IS NULL
         LEFT JOIN workspace_members w ON w.workspace_id = p.place_id AND w.user_id = $1
         WHERE p.user_id = $1 AND (m.user_id IS NOT NULL OR w.user_id IS NOT NULL) ORDER BY p.place_id",
        user.get()
    )?;
    let mut settings = NotificationSettings {
        keywords: packed::object(row.keywords.as_deref())?.unwrap_or_default(),
        quiet_hours: packed::object(row.quiet_hours.as_deref())?,
        snoozed_until: row.snoozed_until.map(Timestamp::from),
        version: row.version,
        ..NotificationSettings::default()
    };
    for (place, word, muted_until, channel) in places {
        let level = level(word.as_deref());
        match channel {
            Some(channel) => settings.channels.push(ChannelNotifications {
                channel_id: channel.into(),
                level,
                muted_until: muted_until.map(Timestamp::from),
            }),
            None => settings
                .workspaces
                .extend(level.map(|level| WorkspaceNotifications { workspace_id: place.into(), level })),
        }
    }
    Ok(settings)
}

/// The channels that a user is in.
///
/// # Errors
/// When the database fails.
pub async fn channels_of(tx: &mut Tx, user: UserId) -> Result<Vec<ChannelId>> {
    let sql = "SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL";
    let rows = all!(tx, (i64,), sql, user.get())?;
    Ok(rows.into_iter().map(|(id,)| id.into()).collect())
}

/// Whether anyone in a channel may be notified of a message that is meant for nobody: they want all of it or of its
/// workspace, or have keywords.
///
/// # Errors
/// When the database fails.
pub async fn is_heeded(tx: &mut Tx, channel: ChannelId, workspace: WorkspaceId) -> Result<bool> {
    let row = optional!(
        tx,
        (bool,),
        "SELECT EXISTS (
             SELECT 1 FROM notification_places p
             JOIN channel_members m ON m.channel_id = $1 AND m.user_id = p.user_id AND m.left_at IS NULL
             WHERE p.place_id IN ($1, $2) AND p.level = 'all')
          OR EXISTS (
             SELECT 1 FROM notification_users u
             JOIN channel_members m ON m.channel_id = $1 AND m.user_id = u.user_id AND m.left_at IS NULL
             WHERE u.keywords IS NOT NULL)",
        channel.get(),
        workspace.get()
    )?;
    Ok(row.is_some_and(|row| row.0))
}

/// Who may be notified of messages.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The channel of the messages.
    pub channel: ChannelId,
    /// The channel in which one has to be to see them.
    pub home: ChannelId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Those who are named.
    pub named: &'a [UserId],
    /// Whether all that are in `channel` are among them.
    pub everyone: bool,
}

/// Someone who may be notified, and what they want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub user: UserId,
    /// Up to where they have read the channel, if they are in it or follow it.
    pub read: Option<i64>,
    /// What they want of the channel.
    pub of_channel: Option<NotificationLevel>,
    /// What they want of the workspace.
    pub of_workspace: Option<NotificationLevel>,
    /// Nothing from the channel until then.
    pub muted_until: Option<Timestamp>,
    /// Their words and phrases.
    pub keywords: Vec<String>,
    /// When not to disturb them.
    pub quiet_hours: Option<QuietHours>,
    /// Not to disturb them until then.
    pub snoozed_until: Option<Timestamp>,
    /// Whether they say of themselves that they are not to be disturbed, and until when.
    pub dnd: UserStatus,
}

#[derive(sqlx::FromRow)]
struct CandidateRow {
    user_id: i64,
    last_read_seq: Option<i64>,
    of_channel: Option<String>,
    of_workspace: Option<String>,
    muted_until: Option<i64>,
    keywords: Option<String>,
    quiet_hours: Option<String>,
    snoozed_until: Option<i64>,
    dnd: bool,
    dnd_until: Option<i64>,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = crate::Error;

    fn try_from(r: CandidateRow) -> Result<Self> {
        Ok(Self {
            user: r.user_id.into(),
            read: r.last_read_seq,
            of_channel: level(r.of_channel.as_deref()),
            of_workspace: level(r.of_workspace.as_deref()),
            muted_until: r.muted_until.map(Timestamp::from),
            keywords: packed::object(r.keywords.as_deref())?.unwrap_or_default(),
            quiet_hours: packed::object(r.quiet_hours.as_deref())?,
            snoozed_until: r.snoozed_until.map(Timestamp::from),
            dnd: UserStatus {
                status: if r.dnd { ChosenStatus::Dnd } else { ChosenStatus::Online },
                dnd_until: r.dnd_until.map(Timestamp::from),
                ..UserStatus::default()
            },
        })
    }
}

static CANDIDATES: LazyLock<Texts> = LazyLock::new(|| {
    let text = |named: &str| {
        format!(
            "WITH candidates AS (
                 {named}
                 UNION SELECT user_id FROM notification_places WHERE place_id IN ($2, $3) AND level = 'all'
                 UNION SELECT user_id FROM notification_users WHERE keywords IS NOT NULL
                 UNION SELECT user_id FROM channel_members WHERE channel_id = $1 AND left_at IS NULL AND $5)
             SELECT h.user_id, m.last_read_seq, c.level AS of_channel, w.level AS of_workspace, c.muted_until,
                    u.keywords, u.quiet_hours, u.snoozed_until, p.status = 'dnd' AS dnd, p.dnd_until
             FROM candidates a
             JOIN channel_members h ON h.channel_id = $2 AND h.user_id = a.user_id AND h.left_at IS NULL
             JOIN users p ON p.id = a.user_id
             LEFT JOIN channel_members m ON m.channel_id = $1 AND m.user_id = a.user_id AND m.left_at IS NULL
             LEFT JOIN notification_places c ON c.user_id = a.user_id AND c.place_id = $2
             LEFT JOIN notification_places w ON w.user_id = a.user_id AND w.place_id = $3
             LEFT JOIN notification_users u ON u.user_id = a.user_id
             ORDER BY h.user_id"
        )
    };
    Texts {
        sqlite: text("SELECT value AS user_id FROM json_each($4)"),
        postgres: text(
            "SELECT value::bigint AS user_id FROM json_array_elements_text($4::json) AS named (value)",
        ),
    }
});

/// Those who may be notified of messages of a channel and are in its home: who is named, wants all, or has
/// keywords; everyone, where that is asked for.
///
/// # Errors
/// When the database fails.
pub async fn candidates(tx: &mut Tx, around: Around<'_>) -> Result<Vec<Candidate>> {
    let Texts { sqlite, postgres } = &*CANDIDATES;
    let named = packed::text(&around.named.iter().map(|user| user.get()).collect::<Vec<_>>())?;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, CandidateRow>($sql.as_str())
                .bind(around.channel.get())
                .bind(around.home.get())
                .bind(around.workspace.get())
                .bind(named)
                .bind(around.everyone)
                .fetch_all(&mut **$c)
                .await
        };
    }
    let rows = match counted(tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    rows?.into_iter().map(Candidate::try_from).collect()
}
