//! Direct messages and groups: which channel is whose, and their people.

use std::collections::{BTreeSet, HashMap};

use madang_proto::{ChannelId, UserId, WorkspaceId, accounts::UserSummary, channels::Channel};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

impl From<Row> for UserSummary {
    fn from(r: Row) -> Self {
        Self { id: r.user_id, username: r.username, display_name: r.display_name, avatar_url: r.avatar_url }
    }
}

fn key(people: &BTreeSet<UserId>) -> String {
    people.iter().map(|user| user.get().to_string()).collect::<Vec<_>>().join(",")
}

/// The oldest workspace that all of these people are in.
///
/// # Errors
/// When the database fails.
pub async fn shared_workspace(tx: &mut Tx, people: &BTreeSet<UserId>) -> Result<Option<WorkspaceId>> {
    let mut shared: Option<BTreeSet<i64>> = None;
    for user in people {
        let sql = "SELECT workspace_id FROM workspace_members WHERE user_id = $1";
        let theirs: BTreeSet<i64> =
            all!(&mut *tx, (i64,), sql, user.get())?.into_iter().map(|r| r.0).collect();
        shared = Some(match shared {
            Some(shared) => shared.intersection(&theirs).copied().collect(),
            None => theirs,
        });
    }
    Ok(shared.and_then(|shared| shared.first().copied()).map(WorkspaceId::from))
}

/// The channel of exactly these people.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    workspace: WorkspaceId,
    people: &BTreeSet<UserId>,
) -> Result<Option<ChannelId>> {
    let sql = "SELECT id FROM channels WHERE workspace_id = $1 AND people_key = $2";
    Ok(optional!(tx, (i64,), sql, workspace.get(), key(people))?.map(|r| r.0.into()))
}

/// Stores a channel with its people in it, all of which is its first version. False when these people have
/// one already; then nothing is stored.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, c: &Channel, people: &BTreeSet<UserId>) -> Result<bool> {
    let touched = execute!(
        &mut *tx,
        "INSERT INTO channels (id, workspace_id, kind, name, name_key, topic, is_default, created_by,
                               member_count, last_seq, version, info_version, created_at, people_key)
         VALUES ($1, $2, $3, '', '', '', $4, $5, $6, 0, 1, 1, $7, $8)
         ON CONFLICT DO NOTHING",
        c.id.get(),
        c.workspace_id.get(),
        c.kind.as_str(),
        false,
        c.created_by.map(UserId::get),
        i64::try_from(people.len()).unwrap_or(i64::MAX),
        c.created_at.millis(),
        key(people)
    )?;
    if touched == 0 {
        return Ok(false);
    }
    for user in people {
        execute!(
            &mut *tx,
            "INSERT INTO channel_members (channel_id, user_id, joined_at, last_read_seq, version)
             VALUES ($1, $2, $3, 0, 1)",
            c.id.get(),
            user.get(),
            c.created_at.millis()
        )?;
    }
    Ok(true)
}

/// These people are no longer all in it: whoever asks for their channel gets a new one.
///
/// # Errors
/// When the database fails.
pub async fn forget_people(tx: &mut Tx, id: ChannelId) -> Result<()> {
    execute!(tx, "UPDATE channels SET people_key = NULL WHERE id = $1", id.get())?;
    Ok(())
}

/// The direct messages and groups that a user is in, those with the newest message first.
///
/// # Errors
/// When the database fails.
pub async fn order_of_user(tx: &mut Tx, user: UserId) -> Result<Vec<ChannelId>> {
    let rows = all!(
        tx,
        (i64,),
        "SELECT c.id FROM channels c
         JOIN channel_members m ON m.channel_id = c.id AND m.user_id = $1 AND m.left_at IS NULL
         WHERE c.kind IN ('dm', 'group') ORDER BY COALESCE(c.last_at, c.created_at) DESC, c.id DESC",
        user.get()
    )?;
    Ok(rows.into_iter().map(|r| r.0.into()).collect())
}

macro_rules! people {
    ($rest:literal) => {
        concat!(
            "SELECT p.channel_id, p.user_id, u.username, u.display_name, u.avatar_url
             FROM channels c
             JOIN channel_members p ON p.channel_id = c.id AND (p.left_at IS NULL OR c.kind = 'dm')
             JOIN users u ON u.id = p.user_id WHERE ",
            $rest,
            " ORDER BY p.channel_id, p.user_id"
        )
    };
}

/// Whose a channel is, by id: those in it, and of a direct message of two also who left the workspace.
///
/// # Errors
/// When the database fails.
pub async fn people(tx: &mut Tx, id: ChannelId) -> Result<Vec<UserSummary>> {
    let rows = all!(tx, Row, people!("c.id = $1"), id.get())?;
    Ok(rows.into_iter().map(UserSummary::from).collect())
}

/// The same for all that a user is in.
///
/// # Errors
/// When the database fails.
pub async fn people_of_user(tx: &mut Tx, user: UserId) -> Result<HashMap<ChannelId, Vec<UserSummary>>> {
    let rows = all!(
        tx,
        Row,
        people!(
            "c.kind IN ('dm', 'group')
             AND c.id IN (SELECT channel_id FROM channel_members WHERE user_id = $1 AND left_at IS NULL)"
        ),
        user.get()
    )?;
    let mut people: HashMap<ChannelId, Vec<UserSummary>> = HashMap::new();
    for row in rows {
        people.entry(row.channel_id).or_default().push(row.into());
    }
    Ok(people)
}
