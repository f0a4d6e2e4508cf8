//! The archive: old messages are out of the way, and nobody notices.

use std::collections::BTreeMap;

use madang_client::proto::{
    ChannelId, MessageId,
    command::{Hello, Resume},
    messages::{CreateMessage, Message},
    page::MessagePageQuery,
    retention::Retention,
    search::SearchQuery,
    threads::CreateReply,
};
use madang_store::testing;

use crate::{
    paging::{walk_back, walk_on, write},
    support::{Backend, TestServer, User, on_both, raw::Raw},
};

/// Days from when tests begin, in November, to January.
const TO_JANUARY: i64 = 50;

/// The same server, where November is old in January.
async fn soon_old(s: TestServer) -> TestServer {
    s.restarted_with(|config| config.archive_months = 1).await
}

/// What the operator is told: the months with messages and whether they are archived.
pub async fn months(s: &TestServer) -> BTreeMap<String, (bool, i64)> {
    let all = madang_server::admin::archive_status(&s.config, 1).await.unwrap();
    all.into_iter().filter(|month| month.messages > 0).map(|m| (m.name, (m.archived, m.messages))).collect()
}

async fn page(user: &User, query: MessagePageQuery) -> Vec<Message> {
    user.http.messages(user.general(), query).await.unwrap().items
}

pub async fn found(user: &User, q: &str) -> Vec<MessageId> {
    let query = SearchQuery { q: Some(q.to_owned()), ..SearchQuery::default() };
    user.http.search(&query).await.unwrap().items.into_iter().map(|found| found.message.id).collect()
}

/// Waits until a root tells of so many replies.
pub async fn tells(user: &User, root: MessageId, replies: i64) {
    let count = async || user.http.message(root).await.unwrap().thread.map(|thread| thread.reply_count);
    let told = async { while count().await != Some(replies) {} };
    tokio::time::timeout(std::time::Duration::from_secs(15), told).await.unwrap();
}

/// The messages of a channel, walked from the end to the beginning and back while someone writes.
async fn each_once(reader: &User, writer: &User, channel: ChannelId, first: MessageId) {
    for size in [7, 60] {
        let newest = reader.http.channel(channel).await.unwrap().last_seq;
        assert_eq!(
            walk_back(reader, writer, channel, size).await,
            (1..=newest).collect::<Vec<_>>(),
            "pages of {size}"
        );
        let seen = walk_on(reader, writer, channel, first, size).await;
        assert_eq!(seen, (2..=*seen.last().unwrap()).collect::<Vec<_>>(), "pages of {size}");
    }
}

on_both! {
    async fn walking_over_the_border_gives_each_message_once_whatever_is_moved_meanwhile(s: TestServer) {
        let s = soon_old(s).await;
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let first = write(&bob, general, 40).await.into_iter().min_by_key(|m| m.seq).unwrap();
        s.clock.advance(20 * 24 * 60 * 60 * 1_000);
        let (alice, bob) = (s.again_as(&alice.name).await, s.again_as(&bob.name).await);
        write(&bob, general, 30).await;
        s.clock.advance(30 * 24 * 60 * 60 * 1_000);
        let (alice, bob) = (s.again_as(&alice.name).await, s.again_as(&bob.name).await);
        tokio::join!(each_once(&alice, &bob, general, first.id), s.done("archive"));
        assert_eq!(months(&s).await["2026_11"], (true, 40));
        assert!(!months(&s).await["2026_12"].0);
        each_once(&alice, &bob, general, first.id).await;
        let all = page(&alice, MessagePageQuery { limit: Some(100), after: Some(first.id), ..Default::default() }).await;
        for place in [0, 38, 39, 40, 60] {
            let query = MessagePageQuery { limit: Some(20), around: Some(all[place].id), ..Default::default() };
            let around = page(&alice, query).await;
            let seqs: Vec<_> = around.iter().map(|m| m.seq).collect();
            assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]) && around.contains(&all[place]), "{seqs:?}");
            assert_eq!(seqs.len(), if place == 0 { 11 } else { 20 });
        }
    }

    async fn a_crash_in_the_middle_moves_nothing_and_the_next_run_goes_on(s: TestServer) {
        let s = soon_old(s).await;
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let first = write(&alice, general, 30).await.into_iter().min_by_key(|m| m.seq).unwrap();
        s.faults.arm("archive-midway");
        s.faults.arm("archive-midway");
        s.clock.advance(TO_JANUARY * 24 * 60 * 60 * 1_000);
        let (alice, bob) = (s.again_as(&alice.name).await, s.again_as(&bob.name).await);
        tokio::join!(each_once(&alice, &bob, general, first.id), s.done("archive"));
        each_once(&alice, &bob, general, first.id).await;
        assert_eq!(months(&s).await["2026_11"], (true, 30));
    }

    async fn an_archived_message_can_do_all_that_others_can(s: TestServer) {
        let s = soon_old(s).await;
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let body = CreateMessage { content: "마당 회의록".to_owned(), nonce: Some("n".to_owned()), file_ids: Vec::new() };
        let old = alice.http.create_message(general, &body).await.unwrap();
        let rest = write(&alice, general, 5).await;
        bob.http.react(old.id, "👍").await.unwrap();
        bob.http.save(old.id).await.unwrap();
        bob.http.pin(rest[0].id).await.unwrap();
        let reply = CreateReply { content: "r".to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        alice.http.reply(old.id, &reply).await.unwrap();
        tells(&alice, old.id, 1).await;
        s.indexed().await;
        let before = page(&alice, MessagePageQuery::default()).await;
        let (_, ready) = Raw::with(&bob, Hello::default()).await;
        let known: BTreeMap<_, _> = ready.channels.iter().map(|channel| (channel.id, channel.version)).collect();
        alice.http.update_message(rest[1].id, "edited before").await.unwrap();
        s.days_later(TO_JANUARY, "archive").await;
        assert_eq!(months(&s).await, [("2026_11".to_owned(), (true, 7))].into());
        let (alice, bob) = (s.again_as(&alice.name).await, s.again_as(&bob.name).await);
        let mut after = page(&alice, MessagePageQuery::default()).await;
        let edited = after.iter().position(|m| m.id == rest[1].id).unwrap();
        after[edited] = before[edited].clone();
        assert_eq!(after, before);
        assert_eq!(found(&bob, "회의록").await, [old.id]);
        assert_eq!(bob.http.all_saved().await.unwrap()[0].message.id, old.id);
        assert_eq!(bob.http.pins(general).await.unwrap()[0].message.id, rest[0].id);
        assert_eq!(alice.http.create_message(general, &body).await.unwrap().id, old.id, "the same nonce");
        bob.http.mark_read(general, rest[2].id).await.unwrap();

        // Changes bring it back, until the next run.
        let other = alice.http.update_message(old.id, "다른 말").await.unwrap();
        alice.http.react(old.id, "🎉").await.unwrap();
        alice.http.delete_message(rest[2].id).await.unwrap();
        alice.http.pin(rest[3].id).await.unwrap();
        alice.http.reply(old.id, &reply).await.unwrap();
        tells(&alice, old.id, 2).await;
        s.indexed().await;
        assert_eq!((found(&bob, "회의록").await, found(&bob, "다른").await), (vec![], vec![old.id]));
        let changed = page(&alice, MessagePageQuery::default()).await;
        assert_eq!(changed.iter().map(|m| m.seq).collect::<Vec<_>>(), (1..=6).collect::<Vec<_>>());
        assert_eq!((changed[0].content.as_str(), changed[0].reactions.len()), (other.content.as_str(), 2));
        assert_eq!(bob.http.pins(general).await.unwrap().len(), 2);
        let resume = Hello { resume: Some(Resume { channels: known.clone() }), ..Hello::default() };
        let missed = async |user: &User, resume: &Hello| {
            let (_, ready) = Raw::with(user, resume.clone()).await;
            let changes = ready.changes.into_iter().find(|changes| changes.channel.id == general).unwrap();
            let mut ids: Vec<_> = changes.messages.iter().map(|m| m.id).collect();
            ids.sort_unstable();
            ids
        };
        let mut wanted = [old.id, rest[1].id, rest[2].id, rest[3].id];
        wanted.sort_unstable();
        assert_eq!(missed(&bob, &resume).await, wanted);
        s.days_later(1, "archive").await;
        let s = s.restarted_with(|_| {}).await;
        assert_eq!(months(&s).await, [("2026_11".to_owned(), (true, 7)), ("2027_01".to_owned(), (false, 1))].into());
        let bob = s.again_as(&bob.name).await;
        assert_eq!(missed(&bob, &resume).await, wanted, "also once they are archived anew, and from no memory");
        assert_eq!(page(&bob, MessagePageQuery::default()).await.len(), 6);
    }

    async fn the_index_of_search_is_made_anew_with_what_is_archived(s: TestServer) {
        let s = soon_old(s).await;
        let alice = s.user("alice").await;
        let old = alice.send(alice.general(), "마당 회의록").await.id;
        s.days_later(TO_JANUARY, "archive").await;
        let alice = s.again_as("alice").await;
        let new = alice.send(alice.general(), "새 회의록").await.id;
        madang_server::admin::reindex(&s.config).await.unwrap();
        let s = s.restarted_with(|_| {}).await;
        let alice = s.again_as(&alice.name).await;
        s.indexed().await;
        assert_eq!(found(&alice, "회의록").await, [new, old]);
    }

    async fn retention_reaches_the_archive(s: TestServer) {
        let s = soon_old(s).await;
        let alice = s.user("alice").await;
        let old = write(&alice, alice.general(), 10).await;
        s.days_later(TO_JANUARY, "archive").await;
        let alice = s.again_as("alice").await;
        let young = alice.send(alice.general(), "young").await;
        // One that came back is removed in both places.
        alice.http.react(old[0].id, "👍").await.unwrap();
        let rule = Retention { days: Some(30) };
        alice.http.set_workspace_retention(alice.workspace(), rule).await.unwrap();
        s.faults.arm("retention-purged");
        s.days_later(1, "retention").await;
        let all = page(&alice, MessagePageQuery::default()).await;
        assert_eq!(all, [young]);
        assert!(alice.http.message(old[0].id).await.is_err() && alice.http.message(old[9].id).await.is_err());
        assert_eq!(months(&s).await, [("2027_01".to_owned(), (false, 1))].into());
    }

    async fn an_operator_asks_for_removal_and_the_server_does_it(s: TestServer) {
        let alice = s.user("alice").await;
        let old = alice.send(alice.general(), "old").await;
        s.done("retention").await;
        alice.http.set_workspace_retention(alice.workspace(), Retention { days: Some(1) }).await.unwrap();
        // The run of this day is over.
        s.clock.advance(24 * 60 * 60 * 1_000);
        s.done("retention").await;
        s.clock.advance(1);
        madang_server::admin::request_retention(&s.config).await.unwrap();
        // Any job that is stored wakes those who do them.
        alice.http.remind(None, Some("later"), s.clock.now().plus_millis(60_000)).await.unwrap();
        s.done("retention").await;
        assert!(alice.http.message(old.id).await.is_err());
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_shown_and_the_next_attempt_succeeds() {
    let s = TestServer::start_with(Backend::Sqlite, |config| {
        (config.archive_months, config.database_patience) = (1, 1);
    });
    let s = s.await.unwrap();
    let alice = s.user("alice").await;
    write(&alice, alice.general(), 3).await;
    let lock = testing::Lock::take(&s.config.database()).await.unwrap();
    s.clock.advance(TO_JANUARY * 24 * 60 * 60 * 1_000);
    let up = async || s.http().health().await.unwrap().1["archive"]["up"].clone();
    while up().await == true {}
    assert_eq!(s.http().health().await.unwrap().1["status"], "degraded");
    lock.release().await.unwrap();
    s.clock.advance(60_000);
    s.done("archive").await;
    assert_eq!(up().await, true);
    assert_eq!(months(&s).await, [("2026_11".to_owned(), (true, 3))].into());
}

#[tokio::test]
async fn a_database_without_its_archive_is_refused() {
    let mut s = TestServer::start_with(Backend::Sqlite, |config| config.archive_months = 1).await.unwrap();
    let alice = s.user("alice").await;
    write(&alice, alice.general(), 3).await;
    s.days_later(TO_JANUARY, "archive").await;
    s.stop().await;
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(s.config.data.join(format!("madang.archive.db{end}"))));
    }
    let refused = TestServer::again(s.config.clone(), s.clock.clone()).await.err().unwrap();
    assert!(refused.to_string().contains("madang.archive.db"), "{refused}");
}
