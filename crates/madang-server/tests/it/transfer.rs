//! A workspace goes out of one installation and into another, on either database, and is the same there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use madang_client::proto::{
    WorkspaceId,
    channels::{Channel, ChannelKind},
    command::{Hello, Resume},
    direct::OpenDirect,
    messages::{CreateMessage, Message},
    page::MessagePageQuery,
    presence::{ChosenStatus, UserStatus},
    profiles::UpdateUser,
    retention::Retention,
    search::SearchQuery,
    threads::CreateReply,
    workspaces::CreateWorkspace,
};
use madang_server::{
    Config,
    clock::Clock,
    transfer::{self, Imported, TransferError, WhatToExport},
};
use madang_store::testing::statements;

use crate::{
    exports::entries,
    message_archive::{months, tells},
    support::{Backend, TestServer, User, on_both, raw::Raw, server},
};

/// A folder and settings of an installation that was never started.
pub async fn fresh(backend: Backend) -> (Config, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = server::config(folder.path());
    if let Backend::Postgres(url) = backend {
        config.database_url = Some(url);
    }
    (config, folder)
}

/// Writes a workspace with its direct messages into a file.
pub async fn export(config: &Config, id: WorkspaceId, to: PathBuf) -> PathBuf {
    let what = WhatToExport { direct: true, files: true };
    transfer::export_workspace(config, &id.to_string(), &to, what).await.unwrap();
    to
}

/// Takes it in.
pub async fn import(config: &Config, s: &TestServer, from: &Path) -> Result<Imported, TransferError> {
    transfer::import(config, from, false, s.clock.now()).await
}

/// The parts of a transfer, without what says when it was made.
pub fn parts(path: &Path) -> BTreeMap<String, String> {
    let mut parts = entries(&std::fs::read(path).unwrap());
    parts.remove("manifest.json").unwrap();
    parts.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect()
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// People who do many things; what is refused, as in a channel that is deleted, does not matter.
pub async fn world(s: &TestServer, seed: u64, steps: usize) -> (User, User, WorkspaceId) {
    let (alice, bob) = s.users().await;
    let guest = s.guest("손님").await;
    let workspace = alice.workspace();
    let (open, secret) = (alice.general(), alice.channel("비밀", ChannelKind::Private).await.id);
    alice.http.add_channel_member(secret, bob.id).await.unwrap();
    let body = OpenDirect { user_ids: vec![bob.id], workspace_id: Some(workspace) };
    let direct = alice.http.open_direct(&body).await.unwrap().id;
    let (people, places) = ([&alice, &bob, &guest], [open, secret, direct]);
    let (mut dice, mut said) = (Dice(seed), Vec::new());
    for step in 0..steps {
        let (who, place) = (people[dice.below(3)], places[dice.below(3)]);
        let about = said.get(dice.below(said.len().max(1))).copied();
        match (dice.below(10), about) {
            (0..=3, _) | (_, None) => {
                let content = format!("{step}번째 \"말\" @bob @channel <script>\n👍");
                let body = CreateMessage { content, nonce: Some(format!("n{step}")), file_ids: Vec::new() };
                said.extend(who.http.create_message(place, &body).await.ok().map(|message| message.id));
            }
            (4, Some(id)) => drop(who.http.update_message(id, &format!("다시 {step}")).await),
            (5, Some(id)) => drop(who.http.react(id, ["👍", "🎉", "❤️"][dice.below(3)]).await),
            (6, Some(id)) => drop(who.http.pin(id).await),
            (7, Some(id)) => {
                let content = format!("답 {step}");
                let reply = CreateReply {
                    content,
                    nonce: None,
                    also_to_channel: step % 2 == 0,
                    file_ids: Vec::new(),
                };
                drop(who.http.reply(id, &reply).await);
            }
            (8, Some(id)) => drop(who.http.delete_message(id).await),
            (_, Some(_)) => {
                if let Ok(file) = who.http.upload("회의록.txt", format!("bytes {step}")).await {
                    let body = CreateMessage { content: String::new(), nonce: None, file_ids: vec![file.id] };
                    said.extend(who.http.create_message(place, &body).await.ok().map(|message| message.id));
                }
            }
        }
    }
    // What waits to be told of threads is told a moment later.
    let folder = tempfile::tempdir().unwrap();
    let told = async {
        loop {
            let parts = parts(&export(&s.config, workspace, folder.path().join("out")).await);
            if !parts["channels.jsonl"].contains("\"untold\":true") {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), told).await.unwrap();
    (alice, bob, workspace)
}

/// Signs in where nobody has a password yet.
async fn signed_in(s: &TestServer, config: &Config, name: &str) -> User {
    transfer::set_password(config, name, server::PASSWORD.to_owned().into()).await.unwrap();
    User::of(s.http(), s.http().login(&s.login(name)).await.unwrap()).await
}

/// What of a channel someone sees.
pub async fn seen(user: &User) -> Vec<(Channel, Vec<String>)> {
    let mut seen = Vec::new();
    for channel in user.http.channels().await.unwrap() {
        let query = MessagePageQuery { limit: Some(100), ..Default::default() };
        let messages = user.http.messages(channel.id, query).await.unwrap().items;
        seen.push((channel, messages.iter().map(|message| format!("{message:?}")).collect()));
    }
    seen.sort_by_key(|(channel, _)| channel.id);
    seen
}

/// From one database over the other back to the first, with what clients see in between.
async fn there_and_back(here: Backend, there: Backend, back: Backend) {
    let s = TestServer::start(here).await;
    let (alice, bob, workspace) = world(&s, 7, 120).await;
    let avatar = adorn(&alice, &bob).await;
    let folder = tempfile::tempdir().unwrap();
    let first = export(&s.config, workspace, folder.path().join("1.tar.gz")).await;
    let (config, _there) = fresh(there).await;
    let done = import(&config, &s, &first).await.unwrap();
    assert_eq!((done.missing, done.known, done.renamed.len()), (0, 0, 0), "{done:?}");
    let second = export(&config, workspace, folder.path().join("2.tar.gz")).await;
    assert_eq!(parts(&first), parts(&second));

    let t = TestServer::again(config.clone(), s.clock.clone()).await.unwrap();
    let again = signed_in(&t, &config, "bob").await;
    assert_eq!(seen(&again).await, seen(&bob).await);
    let (_, ready) = Raw::with(&bob, Hello::default()).await;
    let channels = ready.channels.iter().map(|channel| (channel.id, channel.version)).collect();
    let resume = Some(Resume { channels });
    let (_, ready) = Raw::with(&again, Hello { resume, ..Hello::default() }).await;
    assert!(ready.changes.is_empty() && ready.resync.is_empty(), "{ready:?}");
    t.indexed().await;
    let query = SearchQuery { q: Some("번째".to_owned()), ..SearchQuery::default() };
    s.indexed().await;
    let found = async |user: &User| {
        let found = user.http.search(&query).await.unwrap().items;
        found.into_iter().map(|hit| format!("{hit:?}")).collect::<Vec<_>>()
    };
    assert_eq!(found(&again).await, found(&bob).await);
    let emoji = again.http.emoji(workspace).await.unwrap();
    assert_eq!(emoji, bob.http.emoji(workspace).await.unwrap());
    let shown = async |user: &User| {
        let emoji = user.http.emoji_picture(emoji.items[0].id).await.unwrap().bytes().await.unwrap();
        (emoji, user.http.avatar(&avatar).await.unwrap().bytes().await.unwrap())
    };
    assert_eq!(shown(&again).await, shown(&bob).await);
    assert_eq!(again.http.me().await.unwrap(), bob.http.me().await.unwrap());
    let told = again.http.user_changes(0).await.unwrap().users;
    assert_eq!(told.len(), 3, "whoever asks what changed is told of all that came");
    let file = found_file(&bob).await;
    let bytes = async |user: &User| user.http.download(file).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes(&again).await, bytes(&bob).await);
    let sent = again.send(again.general(), "and on it goes").await;
    assert_eq!(sent.seq, bob.client.state().channel_named("general").unwrap().facts().last_seq + 1);

    let (config, _back) = fresh(back).await;
    import(&config, &s, &second).await.unwrap();
    let third = export(&config, workspace, folder.path().join("3.tar.gz")).await;
    assert_eq!(parts(&first), parts(&third));
}

fn picture(pixels: u32, alpha: u8) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let picture = image::RgbaImage::from_pixel(pixels, pixels, image::Rgba([200, 30, 60, alpha]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// All that is said of a workspace and of Bob beside messages; gives the address of his picture.
pub async fn adorn(alice: &User, bob: &User) -> String {
    let workspace = alice.workspace();
    alice.http.create_emoji(workspace, "parrot", picture(20, 128)).await.unwrap();
    alice.http.set_workspace_retention(workspace, Retention { days: Some(365) }).await.unwrap();
    alice.http.set_channel_retention(alice.general(), Retention { days: None }).await.unwrap();
    let body = UpdateUser {
        display_name: None,
        about: Some("마당에 산다".to_owned()),
        time_zone: Some("Asia/Seoul".to_owned()),
    };
    bob.http.update_user(bob.id, &body).await.unwrap();
    let status = UserStatus {
        status: ChosenStatus::Away,
        custom_status: Some("점심".to_owned()),
        emoji: Some("🍚".to_owned()),
        ..UserStatus::default()
    };
    bob.http.set_status(bob.id, &status).await.unwrap();
    let sent = bob.send(bob.general(), "mine").await;
    bob.http.mark_unread(bob.general(), sent.id).await.unwrap();
    bob.http.set_avatar(bob.id, picture(20, 255)).await.unwrap().summary.avatar_url.unwrap()
}

/// A file that Bob sees.
pub async fn found_file(bob: &User) -> madang_client::proto::FileId {
    for channel in bob.http.channels().await.unwrap() {
        let query = MessagePageQuery { limit: Some(100), ..Default::default() };
        let messages = bob.http.messages(channel.id, query).await.unwrap().items;
        if let Some(file) = messages.iter().flat_map(|message| &message.files).next() {
            return file.id;
        }
    }
    panic!("no message with a file")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sqlite_over_postgres_and_back_it_is_the_same() {
    let Some(postgres) = Backend::postgres().await else { return };
    there_and_back(Backend::Sqlite, postgres, Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_postgres_over_sqlite_and_back_it_is_the_same() {
    let (Some(here), Some(back)) = (Backend::postgres().await, Backend::postgres().await) else { return };
    there_and_back(here, Backend::Sqlite, back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_world_is_the_same_in_another_installation() {
    for seed in 1..=3 {
        let s = TestServer::start(Backend::Sqlite).await;
        let (_, _, workspace) = world(&s, seed, 40).await;
        let folder = tempfile::tempdir().unwrap();
        let first = export(&s.config, workspace, folder.path().join("1.tar.gz")).await;
        let (config, _there) = fresh(Backend::Sqlite).await;
        import(&config, &s, &first).await.unwrap();
        let second = export(&config, workspace, folder.path().join("2.tar.gz")).await;
        assert_eq!(parts(&first), parts(&second), "seed {seed}");
    }
}

/// Into an installation where others are, one of whom has a name of the transfer.
async fn beside_others(backend: Backend) {
    let s = TestServer::start(Backend::Sqlite).await;
    let (_, bob, workspace) = world(&s, 3, 20).await;
    let folder = tempfile::tempdir().unwrap();
    let first = export(&s.config, workspace, folder.path().join("1.tar.gz")).await;
    let (config, _there) = fresh(backend).await;
    let mut t =
        TestServer::again(config, Clock::manual("2026-11-21T09:00:00Z".parse().unwrap())).await.unwrap();
    let other = t.user("bob").await;
    other.send(other.general(), "another bob").await;
    let refused = import(&t.config, &s, &first).await.unwrap_err();
    assert!(refused.to_string().contains("another madang uses the data folder"), "{refused}");
    t.stop().await;
    let looked = transfer::import(&t.config, &first, true, t.clock.now()).await.unwrap();
    let done = transfer::import(&t.config, &first, false, t.clock.now()).await.unwrap();
    assert_eq!(looked.rows, done.rows, "the dry run said so, and did nothing");
    assert_eq!(done.renamed, [("bob".to_owned(), "bob-2".to_owned())]);
    let again = transfer::import(&t.config, &first, true, t.clock.now()).await.unwrap_err();
    assert!(again.to_string().contains("workspaces.jsonl line 1: the workspace is here already"), "{again}");
    t.start_again().await;
    let here = signed_in(&t, &t.config.clone(), "bob-2").await;
    assert_eq!(here.id, bob.id);
    assert_eq!(here.http.channels().await.unwrap().len(), bob.http.channels().await.unwrap().len());
    assert_eq!(other.http.workspaces().await.unwrap().len(), 1, "the other Bob is in none but his own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_called_alike_gets_a_number_on_sqlite() {
    beside_others(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_called_alike_gets_a_number_on_postgres() {
    let Some(postgres) = Backend::postgres().await else { return };
    beside_others(postgres).await;
}

/// Without direct messages and files nothing of them is there, and all else comes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_messages_go_out_only_when_it_is_asked_for() {
    let s = TestServer::start(Backend::Sqlite).await;
    let (alice, bob, workspace) = world(&s, 5, 20).await;
    let body = OpenDirect { user_ids: vec![bob.id], workspace_id: Some(workspace) };
    let direct = alice.http.open_direct(&body).await.unwrap().id;
    let private = alice.send(direct, "between the two of us").await;
    let reply = CreateReply {
        content: "a reply of ours".to_owned(),
        nonce: None,
        also_to_channel: false,
        file_ids: Vec::new(),
    };
    bob.http.reply(private.id, &reply).await.unwrap();
    alice.http.react(private.id, "👍").await.unwrap();
    let avatar = adorn(&alice, &bob).await;
    let file = alice.http.upload("a.txt", "a public file").await.unwrap();
    let body = CreateMessage { content: "all may see".to_owned(), nonce: None, file_ids: vec![file.id] };
    alice.http.create_message(alice.general(), &body).await.unwrap();
    let to = s.config.data.join("out.tar.gz");
    let what = WhatToExport { direct: false, files: false };
    transfer::export_workspace(&s.config, "Madang", &to, what).await.unwrap();
    let all: String = parts(&to).into_values().collect();
    let (private, direct) = (private.id.to_string(), direct.to_string());
    for mark in ["between the two of us", "a reply of ours", "a public file", &private, &direct] {
        assert!(!all.contains(mark), "{mark}");
    }
    assert!(all.contains("all may see") && all.contains(&avatar));
    let (config, _there) = fresh(Backend::Sqlite).await;
    let done = import(&config, &s, &to).await.unwrap();
    assert!(done.files == 0 && done.missing >= 3, "{done:?}");
    let again = export(&config, workspace, s.config.data.join("again.tar.gz")).await;
    assert!(
        !parts(&again)["users.jsonl"].contains("avatar_url"),
        "where a picture did not come there is none"
    );
    let unknown = transfer::export_workspace(&s.config, "nowhere", &to, what).await.unwrap_err();
    assert!(unknown.to_string().contains("there is no workspace \"nowhere\""));
}

/// Who is here already keeps their picture, also where the same one comes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_here_already_keeps_their_picture() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let url = alice.http.set_avatar(alice.id, picture(20, 255)).await.unwrap().summary.avatar_url.unwrap();
    let body = CreateWorkspace { name: "둘째".to_owned(), allow_guests: false };
    let second = alice.http.create_workspace(&body).await.unwrap().id;
    let first = export(&s.config, alice.workspace(), s.config.data.join("1.tar.gz")).await;
    let second = export(&s.config, second, s.config.data.join("2.tar.gz")).await;
    let (config, _there) = fresh(Backend::Sqlite).await;
    import(&config, &s, &first).await.unwrap();
    let done = import(&config, &s, &second).await.unwrap();
    assert_eq!((done.known, done.missing), (1, 0), "{done:?}");
    let t = TestServer::again(config.clone(), s.clock.clone()).await.unwrap();
    let again = signed_in(&t, &config, "alice").await;
    assert_eq!(again.http.workspaces().await.unwrap().len(), 2);
    assert!(again.http.avatar(&url).await.is_ok());
}

async fn thread(user: &User, root: &Message) -> Vec<String> {
    let id = user.http.message(root.id).await.unwrap().thread.unwrap().channel_id;
    let all = user.http.messages(id, MessagePageQuery::default()).await.unwrap().items;
    all.iter().map(|message| format!("{message:?}")).collect()
}

/// Archived messages and their threads go out, and come to where others were archived already.
async fn old_messages(here: Backend, there: Backend) {
    let mut s = TestServer::start_with(here, |config| config.archive_months = 1).await.unwrap();
    let alice = s.user("alice").await;
    let (workspace, general) = (alice.workspace(), alice.general());
    let root = alice.send(general, "root").await;
    let body = CreateReply {
        content: "reply".to_owned(),
        nonce: None,
        also_to_channel: false,
        file_ids: Vec::new(),
    };
    alice.http.reply(root.id, &body).await.unwrap();
    tells(&alice, root.id, 1).await;
    let back = alice.send(general, "comes back").await;
    let pinned = alice.send(general, "old and pinned").await;
    alice.http.pin(pinned.id).await.unwrap();
    s.days_later(50, "archive").await;
    let alice = s.again_as("alice").await;
    alice.http.react(back.id, "👍").await.unwrap();
    alice.send(general, "young").await;

    let (mut config, folder) = fresh(there).await;
    config.archive_months = 1;
    let later = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
    let mut t = TestServer::again(config, later).await.unwrap();
    let carol = t.user("carol").await;
    carol.send(carol.general(), "hers").await;
    t.days_later(50, "archive").await;
    assert_eq!(months(&t).await, [("2026_11".to_owned(), (true, 1))].into());
    t.stop().await;
    let first = export(&s.config, workspace, folder.path().join("1.tar.gz")).await;
    assert_eq!(parts(&first)["messages.jsonl"].lines().count(), 5);
    transfer::import(&t.config, &first, false, t.clock.now()).await.unwrap();
    let again = async |name: &str| parts(&export(&t.config, workspace, folder.path().join(name)).await);
    assert_eq!(again("2.tar.gz").await, parts(&first));
    t.start_again().await;
    t.done("archive").await;
    assert_eq!(months(&t).await["2026_11"], (true, 5), "the next run archives them");
    t.stop().await;
    assert_eq!(parts(&export(&t.config, workspace, folder.path().join("3.tar.gz")).await), parts(&first));
    let refused = transfer::import(&t.config, &first, true, t.clock.now()).await.unwrap_err();
    assert!(refused.to_string().contains("messages.jsonl line 1: id: "), "{refused}");
    t.start_again().await;
    let again = signed_in(&t, &t.config.clone(), "alice").await;
    assert_eq!(seen(&again).await, seen(&alice).await);
    assert_eq!(thread(&again, &root).await, thread(&alice, &root).await);
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archived_messages_move_from_sqlite_to_postgres() {
    let Some(postgres) = Backend::postgres().await else { return };
    old_messages(Backend::Sqlite, postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archived_messages_move_from_postgres_to_sqlite() {
    let Some(postgres) = Backend::postgres().await else { return };
    old_messages(postgres, Backend::Sqlite).await;
}

on_both! {
    async fn what_retention_removed_stays_away(s: TestServer) {
        let alice = s.user("alice").await;
        let root = alice.send(alice.general(), "too old").await;
        let body = CreateReply { content: "with it".to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        alice.http.reply(root.id, &body).await.unwrap();
        alice.http.set_workspace_retention(alice.workspace(), Retention { days: Some(30) }).await.unwrap();
        s.days_later(50, "retention").await;
        let alice = s.again_as("alice").await;
        alice.send(alice.general(), "young").await;
        let to = export(&s.config, alice.workspace(), s.config.data.join("out.tar.gz")).await;
        let all = parts(&to);
        assert_eq!(all["messages.jsonl"].lines().count(), 1);
        assert!(!all["channels.jsonl"].contains(&root.id.to_string()), "nor the thread");
        let (config, _there) = fresh(Backend::Sqlite).await;
        import(&config, &s, &to).await.unwrap();
        let t = TestServer::again(config.clone(), s.clock.clone()).await.unwrap();
        let again = signed_in(&t, &config, "alice").await;
        assert_eq!(seen(&again).await, seen(&alice).await);
    }
}

/// As many statements for many messages as for few.
async fn statements_of(backend: Backend, there: impl AsyncFn() -> Option<Backend>) {
    let mut s = TestServer::start(backend).await;
    let alice = s.user("alice").await;
    let workspace = alice.workspace();
    let mut counts = Vec::new();
    for count in [1, 200] {
        for n in 0..count {
            let body = CreateMessage {
                content: n.to_string(),
                nonce: Some(format!("{count} {n}")),
                file_ids: Vec::new(),
            };
            let sent = alice.http.create_message(alice.general(), &body).await.unwrap();
            if n < 2 {
                alice.http.react(sent.id, "👍").await.unwrap();
            }
        }
        let to = s.config.data.join("out.tar.gz");
        // What the server asks meanwhile would be counted too.
        s.stop().await;
        let before = statements();
        export(&s.config, workspace, to.clone()).await;
        let out = statements() - before;
        let Some(there) = there().await else { return };
        let (config, _there) = fresh(there).await;
        let before = statements();
        import(&config, &s, &to).await.unwrap();
        counts.push((out, statements() - before));
        s.start_again().await;
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn moving_is_as_many_statements_whatever_the_number_of_messages_on_sqlite() {
    statements_of(Backend::Sqlite, async || Some(Backend::Sqlite)).await;
}

#[tokio::test]
async fn moving_is_as_many_statements_whatever_the_number_of_messages_on_postgres() {
    let Some(postgres) = Backend::postgres().await else { return };
    statements_of(postgres, async || Backend::postgres().await).await;
}
