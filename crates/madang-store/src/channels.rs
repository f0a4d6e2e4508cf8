//! Channels: their facts, their two numbers, and what changed since a version.

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    channels::{Channel, ChannelKind},
    overrides::{Overridden, Override},
    permissions::{ChannelPermission, InChannel, Role},
    retention::Retention,
    threads::ThreadOf,
};

use crate::{
    Error, Result, Tx,
    db::{all, execute, optional},
    direct, reads,
    workspaces::role,
};

/// A channel as a user stands to it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The channel, with the user's own fields.
    pub channel: Channel,
    /// The user's role in its workspace, if they are in it.
    pub role: Option<Role>,
    /// Of a thread: how they stand to the channel of its root.
    pub parent: Option<InChannel>,
    /// Seconds between two messages of one person; of a thread those of the channel of its root.
    pub slow_mode: u32,
    /// Whether they have to be silent here; of a thread, in the channel of its root.
    pub muted: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: ChannelId,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    kind: String,
    name: String,
    topic: String,
    is_default: bool,
    created_by: Option<i64>,
    member_count: i64,
    last_seq: i64,
    first_seq: i64,
    version: i64,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    last_read_seq: Option<i64>,
    read_version: Option<i64>,
    own_after: Option<String>,
    role: Option<String>,
    parent_id: Option<i64>,
    root_id: Option<i64>,
    parent_kind: Option<String>,
    in_parent: bool,
    made_parent: bool,
    overrides: Option<String>,
    slow_mode: i64,
    archived_at: Option<i64>,
    retention_days: Option<i64>,
    parent_overrides: Option<String>,
    parent_slow_mode: Option<i64>,
    parent_archived: bool,
    muted: bool,
}

fn kind(word: &str) -> ChannelKind {
    // What a word that no version ever wrote means is seen by its members only.
    ChannelKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(ChannelKind::Private)
}

fn overrides(text: Option<&str>) -> Vec<Override> {
    // What no version ever wrote denies all that can be denied.
    let closed = |_| vec![Override::of_role(Role::Moderator).deny(&ChannelPermission::OVERRIDABLE)];
    text.map_or_else(Vec::new, |text| serde_json::from_str(text).unwrap_or_else(closed))
}

fn retention(days: i64) -> Retention {
    Retention { days: u32::try_from(days).ok().filter(|days| *days > 0) }
}

fn seconds(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

impl Row {
    /// As the user stands to it who was asked for.
    fn found(self, user: UserId) -> Found {
        let r = self;
        let role = r.role.as_deref().map(role);
        let channel = Channel {
            id: r.id,
            workspace_id: r.workspace_id,
            kind: kind(&r.kind),
            name: r.name,
            topic: r.topic,
            is_default: r.is_default,
            created_by: r.created_by.map(UserId::from),
            member_count: r.member_count,
            last_seq: r.last_seq,
            first_seq: r.first_seq,
            version: r.version,
            created_at: r.created_at,
            joined: Some(r.last_read_seq.is_some()),
            // Who is not a member has read up to nowhere.
            last_read_seq: r.last_read_seq,
            read_version: r.read_version.unwrap_or(0),
            // What does not count, or mentions the user, is told where the channel is shown, by `unread::tell`.
            unread_count: None,
            unread_skipped: reads::own_after(r.own_after.as_deref()),
            mention_count: r.last_read_seq.map(|_| 0),
            unread_mentions: Vec::new(),
            people: Vec::new(),
            thread: r
                .parent_id
                .zip(r.root_id)
                .map(|(channel, root)| ThreadOf { channel_id: channel.into(), root_id: root.into() }),
            overrides: overrides(r.overrides.as_deref()),
            slow_mode: seconds(r.slow_mode),
            archived_at: r.archived_at.map(Timestamp::from),
            retention: r.retention_days.map(retention),
        };
        Found {
            channel: Channel {
                unread_count: channel.last_read_seq.map(|read| channel.unread_after(read)),
                ..channel
            },
            role,
            parent: r.parent_kind.as_deref().map(|word| InChannel {
                archived: r.parent_archived,
                overridden: Overridden::of(&overrides(r.parent_overrides.as_deref()), role, user),
                ..InChannel::new(kind(word), r.in_parent, r.made_parent)
            }),
            slow_mode: seconds(r.parent_slow_mode.unwrap_or(r.slow_mode)),
            muted: r.muted,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.workspace_id, c.kind, c.name, c.topic, c.is_default, c.created_by, c.member_count,
                    c.last_seq, c.first_seq, c.version, c.created_at, m.last_read_seq, m.read_version, m.own_after, w.role,
                    c.parent_id, c.root_id,
                    p.kind AS parent_kind, pm.user_id IS NOT NULL AS in_parent,
                    COALESCE(p.created_by = $1, FALSE) AS made_parent, c.overrides, c.slow_mode, c.archived_at,
                    c.retention_days,
                    p.overrides AS parent_overrides, p.slow_mode AS parent_slow_mode,
                    p.archived_at IS NOT NULL AS parent_archived,
                    EXISTS (SELECT 1 FROM sanctions s
                            WHERE s.user_id = $1 AND s.workspace_id = c.workspace_id AND s.kind = 'mute'
                              AND s.channel_id IN (0, COALESCE(c.parent_id, c.id))) AS muted
             FROM channels c
             LEFT JOIN channel_members m ON m.channel_id = c.id AND m.user_id = $1 AND m.left_at IS NULL
             LEFT JOIN workspace_members w ON w.workspace_id = c.workspace_id AND w.user_id = $1
             LEFT JOIN channels p ON p.id = c.parent_id
             LEFT JOIN channel_members pm ON pm.channel_id = p.id AND pm.user_id = $1 AND pm.left_at IS NULL
             WHERE c.deleted_at IS NULL AND p.deleted_at IS NULL AND ", $rest
        )
    };
}

/// Stores a channel without members.
///
/// # Errors
/// `Conflict` when the name is taken.
pub async fn insert(tx: &mut Tx, c: &Channel, name_key: &str) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO channels (id, workspace_id, kind, name, name_key, topic, is_default, created_by,
                               member_count, last_seq, version, info_version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, $9)",
        c.id.get(),
        c.workspace_id.get(),
        c.kind.as_str(),
        &c.name,
        name_key,
        &c.topic,
        c.is_default,
        c.created_by.map(UserId::get),
        c.created_at.millis()
    )?;
    Ok(())
}

/// A channel as a user stands to it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: ChannelId, user: UserId) -> Result<Option<Found>> {
    let found =
        optional!(&mut *tx, Row, select!("c.id = $2"), user.get(), id.get())?.map(|row: Row| row.found(user));
    let Some(mut found) = found else { return Ok(None) };
    if found.channel.kind.is_direct() {
        found.channel.people = direct::people(tx, id).await?;
    }
    Ok(Some(found))
}

/// The same, and nobody else changes the channel until the end of the transaction. Whoever locks
/// several channels does it by ascending id.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, id: ChannelId, user: UserId) -> Result<Option<Found>> {
    if let Tx::Postgres(_) = tx {
        execute!(tx, "SELECT 1 FROM channels WHERE id = $1 FOR UPDATE", id.get())?;
    }
    find(tx, id, user).await
}

/// The channels that a user is a member of, by name; direct messages and groups first, no threads.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Channel>> {
    let rows = all!(
        &mut *tx,
        Row,
        select!(
            "c.kind <> 'thread'
             AND c.id IN (SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL)
                 ORDER BY c.workspace_id, c.name_key, c.id"
        ),
        user.get()
    )?;
    let mut people = direct::people_of_user(tx, user).await?;
    let whole = |row: Row| {
        let channel = row.found(user).channel;
        Channel { people: people.remove(&channel.id).unwrap_or_default(), ..channel }
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// The threads that a user follows in channels that they are in: those with unread replies first, then the
/// newest reply. Each with its place in this order, `after` which to begin.
///
/// # Errors
/// When the database fails.
pub async fn threads_of_user(
    tx: &mut Tx,
    user: UserId,
    after: Option<[i64; 3]>,
    limit: u32,
) -> Result<Vec<(Channel, [i64; 3])>> {
    #[derive(sqlx::FromRow)]
    struct Placed {
        #[sqlx(flatten)]
        row: Row,
        unread: i64,
        newest: i64,
    }
    let [unread, newest, id] = after.unwrap_or([i64::MAX; 3]);
    let rows = all!(
        tx,
        Placed,
        concat!(
            "SELECT * FROM (SELECT t.*, CAST(CASE WHEN EXISTS (
                                       SELECT 1 FROM messages x WHERE x.channel_id = t.id AND x.seq > t.last_read_seq
                                         AND x.deleted_at IS NULL AND x.author_id <> $1) THEN 1 ELSE 0 END AS BIGINT) AS unread,
                                   COALESCE(n.last_at, n.created_at) AS newest FROM (",
            select!(
                "c.kind = 'thread' AND pm.user_id IS NOT NULL AND w.user_id IS NOT NULL
                 AND c.id IN (SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL)"
            ),
            ") AS t JOIN channels n ON n.id = t.id) AS placed
             WHERE (unread, newest, id) < ($2, $3, $4) ORDER BY unread DESC, newest DESC, id DESC LIMIT $5"
        ),
        user.get(),
        unread,
        newest,
        id,
        i64::from(limit)
    )?;
    let place = |placed: Placed| {
        let place = [placed.unread, placed.newest, placed.row.id.get()];
        (placed.row.found(user).channel, place)
    };
    Ok(rows.into_iter().map(place).collect())
}

/// The channels of a workspace that a user may see, by name; without direct messages and groups.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Vec<Channel>> {
    let rows = all!(
        tx,
        Row,
        select!(
            "c.workspace_id = $2 AND (c.kind = 'public' OR (c.kind = 'private' AND m.user_id IS NOT NULL))
                 ORDER BY c.name_key, c.id"
        ),
        user.get(),
        workspace.get()
    )?;
    Ok(rows.into_iter().map(|r: Row| r.found(user).channel).collect())
}

/// The channels around a user: those of their workspaces, whether or not they may see them, and those that they
/// are a member of.
///
/// # Errors
/// When the database fails.
pub async fn around(tx: &mut Tx, user: UserId) -> Result<Vec<Found>> {
    let rows = all!(
        tx,
        Row,
        select!(
            "c.id IN (SELECT id FROM channels WHERE deleted_at IS NULL AND workspace_id IN (
                          SELECT workspace_id FROM workspace_members WHERE user_id = $1)
                      UNION SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL)"
        ),
        user.get()
    )?;
    Ok(rows.into_iter().map(|row: Row| row.found(user)).collect())
}

/// How many channels a workspace has, without direct messages and groups.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM channels
         WHERE workspace_id = $1 AND deleted_at IS NULL AND kind IN ('public', 'private')",
        workspace.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

/// Takes the next version for a change of something in the channel.
///
/// # Errors
/// `NotFound` when the channel is gone.
pub async fn next_version(tx: &mut Tx, id: ChannelId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE channels SET version = version + 1 WHERE id = $1 AND deleted_at IS NULL RETURNING version",
        id.get()
    )?;
    row.map(|r| r.0).ok_or(Error::NotFound)
}

/// Stores name, topic, kind and what it allows; gives the version that this change made.
///
/// # Errors
/// `Conflict` when the name is taken, `NotFound` when the channel is gone.
pub async fn update(tx: &mut Tx, c: &Channel, name_key: &str) -> Result<i64> {
    let overrides =
        (!c.overrides.is_empty()).then(|| serde_json::to_string(&c.overrides).unwrap_or_default());
    let row = optional!(
        tx,
        (i64,),
        "UPDATE channels SET name = $1, name_key = $2, topic = $3, kind = $4, overrides = $6, slow_mode = $7,
                             archived_at = $8, version = version + 1, info_version = version + 1
         WHERE id = $5 AND deleted_at IS NULL RETURNING version",
        &c.name,
        name_key,
        &c.topic,
        c.kind.as_str(),
        c.id.get(),
        overrides,
        i64::from(c.slow_mode),
        c.archived_at.map(Timestamp::millis)
    )?;
    row.map(|r| r.0).ok_or(Error::NotFound)
}

/// Marks a channel as deleted; gives the version that this change made.
///
/// # Errors
/// `NotFound` when it was gone.
pub async fn delete(tx: &mut Tx, id: ChannelId, now: Timestamp) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE channels SET deleted_at = $1, version = version + 1, info_version = version + 1
         WHERE id = $2 AND deleted_at IS NULL RETURNING version",
        now.millis(),
        id.get()
    )?;
    row.map(|r| r.0).ok_or(Error::NotFound)
}
