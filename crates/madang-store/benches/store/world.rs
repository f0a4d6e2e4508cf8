//! A database with people in many small channels, and a writer on it.

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use madang_proto::{
    Timestamp, UserId, WorkspaceId,
    accounts::{User, UserSummary},
    channels::{Channel, ChannelKind},
    messages::Message,
    retention::Retention,
    workspaces::{EditHistory, Workspace},
};
use madang_store::{
    Db, Error, NewMessage, Options, Sent, Tx, Writer, accounts, accounts::NewUser,
    channels as store_channels, members, partitions, testing, workspaces, writer::Listener,
};

/// Members of each channel.
const MEMBERS: i64 = 8;
const NOW: i64 = 1_795_163_400_000;

/// The databases that are measured: SQLite always, PostgreSQL where there is a server for tests.
pub const KINDS: [&str; 2] = ["sqlite", "postgres"];

/// A database and a writer.
pub struct World {
    /// What writes to it.
    pub writer: Writer,
    /// The database.
    pub db: Db,
    channels: i64,
    next: AtomicI64,
    _folder: tempfile::TempDir,
}

/// Hears of commits and does nothing.
struct Deaf;

impl Listener for Deaf {
    fn doubtful(&self, _: &[NewMessage]) {}

    fn before_batch(&self, _messages: usize) {}
    fn after_batch(&self, _messages: usize, _took: Duration) {}
    fn enqueued(&self, _due: Timestamp) {}
    fn committed(&self, _messages: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// Where a database of this kind is for a while, if there can be one.
pub async fn url(kind: &str, folder: &Path) -> Option<String> {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    if kind == "sqlite" {
        return Some(format!("sqlite:{}/bench.db", folder.display()));
    }
    let server = std::env::var_os("MADANG_TEST_POSTGRES_URL")?;
    let name = format!("bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Some(testing::create_database(server.to_str()?, &name).await.unwrap())
}

/// Half as many as channels, and enough for one.
const fn people(channels: i64) -> i64 {
    if channels / 2 > MEMBERS { channels / 2 } else { MEMBERS }
}

fn person(n: i64) -> UserSummary {
    let name = format!("person{n}");
    UserSummary { id: UserId::from(10_000 + n), username: name.clone(), display_name: name, avatar_url: None }
}

async fn fill(tx: &mut Tx, channels: i64) {
    let now = Timestamp::from(NOW);
    let workspace = Workspace {
        id: WorkspaceId::from(1),
        name: "Bench".to_owned(),
        open: true,
        allow_guests: true,
        edit_history: EditHistory::Everyone,
        retention: Retention::default(),
        emoji_version: 0,
        default_channel_id: 1.into(),
        created_at: now,
        role: None,
    };
    workspaces::insert(tx, &workspace).await.unwrap();
    for n in 0..people(channels) {
        let user = User {
            summary: person(n),
            guest: false,
            email: None,
            about: None,
            time_zone: None,
            created_at: now,
        };
        let username_key = user.summary.username.clone();
        let new = NewUser { user, username_key, password_hash: None, external_id: None };
        accounts::insert(tx, &new).await.unwrap();
    }
    for n in 0..channels {
        let name = format!("room{n}");
        let channel = Channel {
            id: (1 + n).into(),
            workspace_id: workspace.id,
            kind: ChannelKind::Public,
            name: name.clone(),
            topic: String::new(),
            is_default: false,
            created_by: None,
            member_count: 0,
            last_seq: 0,
            first_seq: 1,
            version: 0,
            created_at: now,
            joined: None,
            last_read_seq: None,
            read_version: 0,
            unread_count: None,
            unread_skipped: Vec::new(),
            mention_count: None,
            unread_mentions: Vec::new(),
            people: Vec::new(),
            thread: None,
            overrides: Vec::new(),
            slow_mode: 0,
            archived_at: None,
            retention: None,
        };
        store_channels::insert(tx, &channel, &name).await.unwrap();
        for m in 0..MEMBERS {
            members::add(tx, channel.id, person((n + m) % people(channels)).id, now).await.unwrap();
        }
    }
}

impl World {
    /// Makes it; `None` where there is no such database.
    pub async fn new(kind: &str, channels: i64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&Options::new(url(kind, folder.path()).await?)).await.unwrap();
        Some(Self::on(db, folder, channels).await)
    }

    /// Makes it on an empty database, in a folder that goes with it.
    pub async fn on(db: Db, folder: tempfile::TempDir, channels: i64) -> Self {
        let writer = Writer::new(db.clone());
        let world = Self { writer, db, channels, next: AtomicI64::new(0), _folder: folder };
        world.db.migrate().await.unwrap();
        partitions::ensure(&world.db, Timestamp::from(NOW)).await.unwrap();
        let mut tx = world.db.begin().await.unwrap();
        fill(&mut tx, channels).await;
        tx.commit().await.unwrap();
        world
    }

    /// A message that was not there yet, in one channel after the other.
    pub fn saying(&self, content: impl Into<String>) -> NewMessage {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let channel = n * 7_919 % self.channels;
        let id = madang_proto::ids::floor_at(NOW) + n;
        NewMessage {
            id: id.into(),
            channel_id: (1 + channel).into(),
            author: person((channel + n % MEMBERS) % people(self.channels)).into(),
            content: content.into(),
            nonce: Some(format!("{id:032x}")),
            mentions: Vec::new(),
            here: Vec::new(),
            thread: None,
            created_at: Timestamp::from(NOW),
            jobs: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Stores messages in one commit; gives the answers.
    pub async fn commit(&self, messages: Vec<NewMessage>) -> Vec<Result<Sent, Error>> {
        // The sends are polled first, so they stand in the queue when the writer looks.
        let sends = futures_util::future::join_all(messages.into_iter().map(|new| self.writer.send(new)));
        tokio::select! {
            biased;
            answers = sends => answers,
            () = self.writer.run(&Deaf, std::future::pending()) => Vec::new(),
        }
    }
}
