//! An installation moves from SQLite to PostgreSQL, its files into a bucket, and nobody notices.

use std::path::Path;

use madang_client::{
    Client,
    proto::{
        channels::ChannelKind,
        invites::CreateInvite,
        messages::CreateMessage,
        notifications::NotificationLevel,
        page::MessagePageQuery,
        sanctions::{CreateSanction, SanctionKind},
        workspaces::CreateWorkspace,
    },
};
use madang_server::moving::{self, Destination, MoveError, Moved};
use madang_store::testing;

use crate::{
    exports::exported,
    message_archive::{found, months},
    support::{
        Backend, TestServer, User, client_settled,
        s3::{BUCKET, S3},
        server, settled,
    },
    transfer::{adorn, export, found_file, parts, seen, world},
};

const DAYS: i64 = 24 * 60 * 60 * 1_000;

async fn target() -> Option<String> {
    match Backend::postgres().await? {
        Backend::Postgres(url) => Some(url),
        Backend::Sqlite => None,
    }
}

fn to(database: &str) -> Destination {
    Destination { database: database.to_owned().into(), files: None, without_damaged: false }
}

async fn moves(s: &TestServer, to: &Destination) -> Result<Moved, MoveError> {
    moving::run(&s.config, to, &|_, _| ()).await
}

async fn refusal(s: &TestServer, to: &Destination) -> String {
    let why = moves(s, to).await.unwrap_err().to_string();
    assert_eq!(moving::survey(&s.config, to).await.unwrap_err().to_string(), why, "a dry run says the same");
    why
}

/// The databases of a data folder, byte for byte.
fn databases(data: &Path) -> [Vec<u8>; 2] {
    ["madang.db", "madang.archive.db"].map(|name| std::fs::read(data.join(name)).unwrap())
}

/// What people keep for later, and what is done to them; then all tables have something.
async fn live_on(s: &TestServer, alice: &User, bob: &mut User) {
    let (general, soon) = (alice.general(), s.clock.now().plus_millis(60_000));
    let sent = alice.send(general, "@bob 오늘 회의록").await;
    bob.http.save(sent.id).await.unwrap();
    bob.http.set_draft(general, "쓰다 만 글").await.unwrap();
    bob.http.schedule(general, "나중에", soon).await.unwrap();
    bob.http.remind(Some(sent.id), None, soon).await.unwrap();
    bob.http.report(sent.id, "왜").await.unwrap();
    bob.http.set_channel_notifications(general, Some(NotificationLevel::All), None).await.unwrap();
    let (guest, workspace) = (s.guest("말 많은 손님").await, alice.workspace());
    let (kind, reason) = (SanctionKind::Mute, "조용히".to_owned());
    let mute = CreateSanction { user_id: guest.id, kind, channel_id: None, reason, expires_at: None };
    alice.http.create_sanction(workspace, &mute).await.unwrap();
    let closed = CreateWorkspace { name: "닫힌 곳".to_owned(), allow_guests: true };
    let closed = alice.http.create_workspace(&closed).await.unwrap().id;
    let channel = alice.channel_in(closed, "방문", ChannelKind::Public).await.id;
    let access_until = Some(s.clock.now().plus_millis(DAYS));
    let link = CreateInvite { channel_id: Some(channel), access_until, ..CreateInvite::default() };
    let code = alice.http.create_invite(closed, &link).await.unwrap().code.unwrap();
    bob.http.accept_invite(&code).await.unwrap();
    exported(bob).await;
}

/// A device that knows all, and is offline.
async fn away(user: &User) -> Client {
    let device = user.device().await;
    device.load_everything().await.unwrap();
    device.disconnect().await.unwrap();
    device
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_and_nobody_notices() {
    let Some(url) = target().await else { return };
    let s3 = S3::start().await;
    let mut s = TestServer::start_with(Backend::Sqlite, |config| config.archive_months = 1).await.unwrap();
    let (alice, bob, workspace) = world(&s, 11, 150).await;
    let avatar = adorn(&alice, &bob).await;
    s.days_later(60, "archive").await;
    let (alice, mut bob) = (s.again_as("alice").await, s.again_as("bob").await);
    let archived = months(&s).await["2026_11"];
    assert!(archived.0);
    // One comes back from the archive.
    let old = found(&alice, "번째").await;
    alice.http.pin(old[0]).await.unwrap();
    live_on(&s, &alice, &mut bob).await;
    let file = found_file(&bob).await;
    let bytes = bob.http.download(file).await.unwrap().bytes().await.unwrap();
    s.tried().await;
    s.indexed().await;
    let folder = tempfile::tempdir().unwrap();
    let before = (seen(&alice).await, seen(&bob).await, found(&bob, "번째").await);
    let transfer = parts(&export(&s.config, workspace, folder.path().join("before")).await);
    let devices = [away(&alice).await, away(&bob).await];
    let address = s.url.clone();
    s.stop().await;

    let mut to = to(&url);
    if let Some(s3) = &s3 {
        s3.set(&mut s.config, "well kept");
        to.files = Some(format!("s3://{BUCKET}"));
    }
    let kept = databases(&s.config.data);
    let would = moving::survey(&s.config, &to).await.unwrap();
    assert!(would.rows.iter().all(|(_, rows)| *rows > 0), "not all is tried: {:?}", would.rows);
    assert_eq!(testing::moved(&url).await.unwrap(), (0, None), "a dry run changes nothing");
    assert_eq!(s3.as_ref().map_or(0, S3::objects), 0);
    let moved = moves(&s, &to).await.unwrap();
    assert_eq!((moved.rows, moved.files.bytes), (would.rows, would.files.bytes));
    assert!(databases(&s.config.data) == kept, "the source is only read");
    let again = refusal(&s, &to).await;
    assert!(again.contains("an installation moved here at"), "{again}");

    s.config.database_url = Some(url);
    if let Some(s3) = &s3 {
        assert_eq!(s3.objects() as u64, moved.files.sent);
        s.config.s3_bucket = moved.bucket;
        std::fs::remove_dir_all(s.config.data.join("files")).unwrap();
    }
    s.start_again().await;
    assert_eq!(s.url, address);
    s.kept_up().await;
    assert_eq!(parts(&export(&s.config, workspace, folder.path().join("after")).await), transfer);
    let after = (seen(&alice).await, seen(&bob).await, found(&bob, "번째").await);
    assert!(after.0 == before.0 && after.1 == before.1 && after.2 == before.2);
    assert_eq!(months(&s).await["2026_11"], archived, "with the one that came back");
    assert_eq!(bob.http.download(file).await.unwrap().bytes().await.unwrap(), bytes);
    assert!(bob.http.avatar(&avatar).await.is_ok() && bob.http.download_export().await.is_ok());
    for (device, whose) in devices.iter().zip(["alice", "bob"]) {
        device.reconnect().await.unwrap();
        client_settled(device, whose).await;
    }
    let newest = after.0.iter().find(|(channel, _)| channel.id == alice.general()).unwrap().0.last_seq;
    let sent = alice.send(alice.general(), "이어서").await;
    assert_eq!(sent.seq, newest + 1);
    assert!(old.iter().all(|id| *id < sent.id));
    alice.http.react(old[1], "👍").await.unwrap();
    s.advance(60_000);
    let later = bob.client.wait_for("what was scheduled before", |state| {
        let channel = state.channel(alice.general())?;
        channel.messages().any(|message| message.content == "나중에").then_some(())
    });
    later.await.unwrap();
    settled(&bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_named_and_until_it_ends_nobody_uses_the_target() {
    let (Some(url), Some(s3)) = (target().await, S3::start().await) else { return };
    let mut s = TestServer::start_with(Backend::Sqlite, |config| s3.set(config, "well kept")).await.unwrap();
    let alice = s.user("alice").await;
    let mut ids = Vec::new();
    for name in ["fine.txt", "wrong.txt", "lost.txt"] {
        let file = alice.http.upload(name, format!("bytes of {name}")).await.unwrap();
        let body = CreateMessage { content: String::new(), nonce: None, file_ids: vec![file.id] };
        alice.http.create_message(alice.general(), &body).await.unwrap();
        ids.push(file.id);
    }
    s.stop().await;
    let path = |n: usize| {
        let folders = std::fs::read_dir(s.config.data.join("files")).unwrap();
        let name = ids[n].to_string();
        folders.map(|folder| folder.unwrap().path().join(&name)).find(|path| path.is_file()).unwrap()
    };
    std::fs::write(path(1), "bytes of someone").unwrap();
    std::fs::remove_file(path(2)).unwrap();
    let mut to = Destination { files: Some(format!("s3://{BUCKET}")), ..to(&url) };
    for sent in 0..2 {
        let why = moves(&s, &to).await.unwrap_err().to_string();
        let wrong = format!("file {} (wrong.txt) has other bytes than were uploaded", ids[1]);
        let lost = format!("file {} (lost.txt) is missing", ids[2]);
        assert!(why.contains(&wrong) && why.contains(&lost) && !why.contains("fine.txt"), "{sent}: {why}");
        assert_eq!(s3.objects(), 1);
    }
    let mut early = s.config.clone();
    early.database_url = Some(url.clone());
    let refused = TestServer::again(early, s.clock.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("an installation is moving into this database"), "{refused}");
    let mut other = TestServer::start(Backend::Sqlite).await;
    other.stop().await;
    let refused = refusal(&other, &self::to(&url)).await;
    assert!(refused.contains("the migration of another data folder has begun here"), "{refused}");
    to.without_damaged = true;
    let moved = moves(&s, &to).await.unwrap();
    assert_eq!((moved.files.sent, moved.files.there, moved.files.damaged.len()), (0, 1, 2));
    s.config.database_url = Some(url);
    s.config.s3_bucket = moved.bucket;
    s.start_again().await;
    assert_eq!(alice.http.download(ids[0]).await.unwrap().text().await.unwrap(), "bytes of fine.txt");
    assert!(alice.http.download(ids[1]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_says_what_to_do() {
    let Some(url) = target().await else { return };
    let mut s = TestServer::start(Backend::Sqlite).await;
    assert!(refusal(&s, &to(&url)).await.contains("another madang uses the data folder"));
    let alice = s.user("alice").await;
    alice.send(alice.general(), "안녕").await;
    s.stop().await;
    let nowhere = "postgres://madang:hunter2@127.0.0.1:1/madang";
    let missing = url.replace(url.rsplit('/').next().unwrap(), "nosuchdatabase");
    for (database, words) in [
        ("mysql://root:hunter2@localhost/x", "expected postgres://user:password@host/database"),
        ("postgres://madang:hunter2@localhost:port/x", "expected postgres://user:password@host/database"),
        (nowhere, "refused"),
        (&missing, "does not exist"),
    ] {
        let why = refusal(&s, &to(database)).await;
        assert!(why.starts_with("--to: ") && why.contains(words) && !why.contains("hunter2"), "{why}");
    }
    for (files, words) in
        [("bucket", "expected s3://bucket"), ("s3://a/b", "expected s3://bucket"), ("s3://a", "s3_key")]
    {
        let to = Destination { files: Some(files.to_owned()), ..to(&url) };
        assert!(refusal(&s, &to).await.contains(words));
    }
    let used = target().await.unwrap();
    let mut server = TestServer::start(Backend::Postgres(used.clone())).await;
    server.stop().await;
    assert!(refusal(&s, &to(&used)).await.contains("has rows: take a database that has nothing"));
    assert!(refusal(&server, &to(&url)).await.contains("the settings name PostgreSQL already"));
    let nobody = testing::as_nobody(&url).await.unwrap();
    assert!(refusal(&s, &to(&nobody)).await.contains("the user may make no tables"));
    let foreign = target().await.unwrap();
    testing::make_foreign_table(&foreign).await.unwrap();
    assert!(refusal(&s, &to(&foreign)).await.contains("\"invoices\", which is not Madang's"));
    assert_eq!(testing::moved(&foreign).await.unwrap(), (1, None), "it is left as it is");
    let bytes = testing::of_plain_bytes(&url).await.unwrap();
    assert!(
        refusal(&s, &to(&bytes)).await.contains("its encoding is SQL_ASCII: make it with ENCODING 'UTF8'")
    );
    testing::make_older(&s.config.data.join("madang.db")).await.unwrap();
    assert!(refusal(&s, &to(&url)).await.contains("is of an older Madang: start the server once"));
    let folder = tempfile::tempdir().unwrap();
    s.config = server::config(folder.path());
    assert!(refusal(&s, &to(&url)).await.contains("there is no data folder"));
    std::fs::create_dir(&s.config.data).unwrap();
    assert!(refusal(&s, &to(&url)).await.contains("there is no"));
    assert_eq!(testing::moved(&url).await.unwrap(), (0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_move_to_one_database_at_once_one_does() {
    let Some(url) = target().await else { return };
    let mut servers = Vec::new();
    for name in ["alice", "bob"] {
        let mut s = TestServer::start(Backend::Sqlite).await;
        let user = s.user(name).await;
        user.send(user.general(), name).await;
        s.stop().await;
        servers.push(s);
    }
    let to = to(&url);
    let both = tokio::join!(moves(&servers[0], &to), moves(&servers[1], &to));
    let (moved, refused) = match both {
        (Ok(_), Err(why)) => ("alice", why),
        (Err(why), Ok(_)) => ("bob", why),
        other => panic!("{other:?}"),
    };
    let why = refused.to_string();
    assert!(
        ["another migration fills", "another data folder has begun", "moved here at"]
            .iter()
            .any(|reason| why.contains(reason)),
        "{why}"
    );
    let server = TestServer::start(Backend::Postgres(url)).await;
    let user = server.again_as(moved).await;
    let page = user.http.messages(user.general(), MessagePageQuery::default()).await.unwrap();
    assert_eq!(page.items.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), [moved]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_or_target_that_changed_meanwhile_is_found() {
    let Some(url) = target().await else { return };
    let Some(s3) = S3::start().await else { return };
    let mut s = TestServer::start_with(Backend::Sqlite, |config| s3.set(config, "well kept")).await.unwrap();
    let alice = s.user("alice").await;
    let file = alice.http.upload("a.txt", "bytes").await.unwrap();
    s.stop().await;
    std::fs::remove_dir_all(s.config.data.join("files")).unwrap();
    let to = Destination { files: Some(format!("s3://{BUCKET}")), ..to(&url) };
    assert!(moves(&s, &to).await.unwrap_err().to_string().contains(&file.id.to_string()));
    testing::change_someone(&url).await.unwrap();
    let to = Destination { without_damaged: true, ..to };
    let why = moves(&s, &to).await.unwrap_err().to_string();
    let named = format!("comparing: users [{}]: email is another in the target", alice.id);
    assert!(why.starts_with(&named) && why.contains("begin anew"), "{why}");
}
