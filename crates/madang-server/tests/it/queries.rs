//! How many statements an operation sends to the database: as many for much as for little.

use std::{collections::BTreeMap, future::Future};

use futures_util::future::join_all;
use madang_client::proto::{
    MessageId,
    channels::ChannelKind,
    command::{Hello, Resume},
    direct::OpenDirect,
    messages::CreateMessage,
    notifications::NotificationLevel,
    page::MessagePageQuery,
    profiles::UpdateUser,
    search::SearchQuery,
    threads::{CreateReply, ThreadPageQuery},
};
use madang_store::testing::statements;

use crate::support::{Backend, TestServer, User, raw::Raw};

/// The fewest of several times: what a connected client asks for meanwhile is counted too.
async fn counted<T, F: Future<Output = T>>(operation: impl Fn() -> F) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..12 {
        let before = statements();
        operation().await;
        fewest = fewest.min(statements() - before);
    }
    fewest
}

async fn write(user: &User, content: &str, count: usize) {
    let body = CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() };
    let sent = join_all((0..count).map(|_| user.http.create_message(user.general(), &body))).await;
    assert!(sent.iter().all(Result::is_ok));
}

async fn page(s: TestServer) {
    let (alice, bob) = s.users().await;
    write(&alice, "hi", 70).await;
    write(&bob, "hi", 70).await;
    let all =
        alice.http.messages(alice.general(), MessagePageQuery { limit: Some(100), ..Default::default() });
    let middle = Some(all.await.unwrap().items[50].id);
    let mut counts = Vec::new();
    for limit in [Some(1), Some(50), Some(100)] {
        for (before, after, around) in
            [(None, None, None), (middle, None, None), (None, middle, None), (None, None, middle)]
        {
            let query = MessagePageQuery { limit, before, after, around, around_seq: None };
            counts.push(counted(|| alice.http.messages(alice.general(), query)).await);
        }
    }
    // Whether alice may see the channel is known in memory.
    assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
}

/// A page meets the archive only where it reaches below the border.
async fn archived(s: TestServer) {
    let s = s.restarted_with(|config| config.archive_months = 1).await;
    let alice = s.user("alice").await;
    write(&alice, "old", 60).await;
    s.days_later(50, "archive").await;
    let alice = s.again_as("alice").await;
    write(&alice, "new", 60).await;
    let of = |limit, before| MessagePageQuery { limit: Some(limit), before, ..Default::default() };
    let oldest = alice.http.messages(alice.general(), of(60, None)).await.unwrap().items[0].id;
    let count = async |query| counted(|| alice.http.messages(alice.general(), query)).await;
    assert_eq!([count(of(50, None)).await, count(of(59, None)).await], [1, 1]);
    assert_eq!([count(of(100, None)).await, count(of(10, Some(oldest))).await], [2, 2]);
}

/// A message with so many kinds of emoji from each of two people.
async fn reacted(alice: &User, bob: &User, kinds: usize) -> MessageId {
    let sent = alice.send(alice.general(), "hi").await.id;
    for emoji in ["👍", "🎉", "😀", "👀", "🔥"].into_iter().take(kinds) {
        alice.http.react(sent, emoji).await.unwrap();
        bob.http.react(sent, emoji).await.unwrap();
    }
    sent
}

async fn reactions(s: TestServer) {
    let (alice, bob) = s.users().await;
    for _ in 0..10 {
        reacted(&alice, &bob, 5).await;
    }
    let query = MessagePageQuery::default();
    assert_eq!(counted(|| alice.http.messages(alice.general(), query)).await, 1);
    let mut toggled = Vec::new();
    for kinds in [0, 1, 5] {
        let id = reacted(&alice, &bob, kinds).await;
        let toggle = || async {
            alice.http.react(id, "🥶").await.unwrap();
            alice.http.unreact(id, "🥶").await.unwrap();
        };
        toggled.push(counted(toggle).await);
    }
    assert!(toggled.iter().all(|count| *count <= 22), "{toggled:?}");
}

async fn send(s: TestServer) {
    let alice = s.user("alice").await;
    let first = counted(|| write(&alice, "hi", 1)).await;
    let long = "가".repeat(8_000);
    assert_eq!(counted(|| write(&alice, &long, 1)).await, first);
    write(&alice, "hi", 100).await;
    assert_eq!(counted(|| write(&alice, "hi", 1)).await, first);
    assert!((3..=7).contains(&first), "{first}");
}

async fn mention(s: TestServer) {
    let alice = s.user("alice").await;
    let plain = counted(|| write(&alice, "hi", 1)).await;
    for n in 0..6 {
        s.user(&format!("other{n}")).await;
    }
    let mut counts = Vec::new();
    for text in ["@other1", "@other1 @other2에게 @other3 @nobody @channel"] {
        counts.push(counted(|| write(&alice, text, 1)).await);
    }
    assert_eq!(counted(|| write(&alice, "a@b.c `@other1` hi", 1)).await, plain);
    // The question for the names, in a transaction of its own, their rows, and the job that tells them.
    assert!(counts.iter().all(|count| *count <= plain + 4), "{plain} {counts:?}");
}

/// Whoever wants to hear of a channel costs its messages one statement.
async fn notifications(s: TestServer) {
    let (alice, bob) = s.users().await;
    let plain = counted(|| write(&alice, "hi", 1)).await;
    let body = OpenDirect { user_ids: vec![bob.id], workspace_id: None };
    let direct = alice.http.open_direct(&body).await.unwrap().id;
    let message = CreateMessage { content: "hi".to_owned(), nonce: None, file_ids: Vec::new() };
    assert_eq!(counted(|| alice.http.create_message(direct, &message)).await, plain + 1);
    bob.http
        .set_channel_notifications(alice.general(), Some(NotificationLevel::Nothing), None)
        .await
        .unwrap();
    assert_eq!(counted(|| write(&alice, "hi", 1)).await, plain);
    bob.http.set_channel_notifications(alice.general(), Some(NotificationLevel::All), None).await.unwrap();
    assert_eq!(counted(|| write(&alice, "hi", 1)).await, plain + 1);
    bob.http.set_channel_notifications(alice.general(), None, None).await.unwrap();
    assert_eq!(counted(|| write(&alice, "hi", 1)).await, plain);
}

/// Messages that carry so many files.
async fn files(s: TestServer) {
    let alice = s.user("alice").await;
    let carrying = async |count: usize| {
        let mut file_ids = Vec::new();
        for n in 0..count {
            file_ids.push(alice.http.upload(&n.to_string(), "hi").await.unwrap().id);
        }
        let body = CreateMessage { content: "hi".to_owned(), nonce: None, file_ids };
        alice.http.create_message(alice.general(), &body).await.unwrap()
    };
    let query = MessagePageQuery::default();
    for count in [0, 1, 10, 10] {
        carrying(count).await;
        assert_eq!(counted(|| alice.http.messages(alice.general(), query)).await, 1);
    }
}

async fn search(s: TestServer) {
    let alice = s.user("alice").await;
    let asked = |q: &str| SearchQuery { q: Some(q.to_owned()), ..SearchQuery::default() };
    let mut counts = Vec::new();
    for count in [1, 100] {
        write(&alice, "마당에서 만나요", count).await;
        s.indexed().await;
        for query in [asked("마당"), asked("없다"), asked("마 당 에 서 in:#general from:me")] {
            counts.push(counted(|| alice.http.search(&query)).await);
        }
    }
    assert!(counts.iter().all(|count| *count == counts[0]) && counts[0] <= 5, "{counts:?}");
}

async fn listing(s: TestServer) {
    let alice = s.user("alice").await;
    let mut counts = Vec::new();
    for n in 0..6 {
        let other = s.user(&format!("other{n}")).await;
        let body = OpenDirect { user_ids: vec![other.id], workspace_id: None };
        let direct = alice.http.open_direct(&body).await.unwrap().id;
        other.send(direct, "unread @alice @channel").await;
        let all = counted(|| alice.http.channels()).await;
        counts.push((all, counted(|| alice.http.directs()).await));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

async fn threads(s: TestServer) {
    let alice = s.user("alice").await;
    let body = CreateMessage { content: "root".to_owned(), nonce: None, file_ids: Vec::new() };
    let mut counts = Vec::new();
    for n in 0..6 {
        let root = alice.http.create_message(alice.general(), &body).await.unwrap().id;
        let reply =
            CreateReply { content: n.to_string(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        alice.http.reply(root, &reply).await.unwrap();
        let replying = counted(|| alice.http.reply(root, &reply)).await;
        let query = ThreadPageQuery::default();
        counts.push((replying, counted(|| alice.http.threads(&query)).await));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

/// A new name, to as many people, channels and messages.
async fn names(s: TestServer) {
    let alice = s.user("alice").await;
    let mut counts = Vec::new();
    for n in 0..3 {
        let rename = |end: &str| {
            let body = UpdateUser { display_name: Some(format!("Alice {n} {end}")), ..UpdateUser::default() };
            let http = alice.http.clone();
            async move { http.update_user(alice.id, &body).await.unwrap() }
        };
        let both = || async { (rename("a").await, rename("b").await) };
        counts.push(counted(both).await);
        for other in 0..3 {
            let other = s.user(&format!("other{n}{other}")).await;
            let body = OpenDirect { user_ids: vec![other.id], workspace_id: None };
            let direct = alice.http.open_direct(&body).await.unwrap().id;
            alice.send(direct, "hi").await;
            alice.channel(&format!("channel{n}{other}", other = other.name), ChannelKind::Public).await;
        }
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

async fn resume(s: TestServer) {
    let (alice, bob) = s.users().await;
    let (_, ready) = Raw::with(&bob, Hello::default()).await;
    let known: BTreeMap<_, _> = ready.channels.iter().map(|channel| (channel.id, channel.version)).collect();
    write(&alice, "hi", 19).await;
    reacted(&alice, &bob, 5).await;
    let returned = || async {
        let resume = Some(Resume { channels: known.clone() });
        let (_, ready) = Raw::with(&bob, Hello { resume, ..Hello::default() }).await;
        assert_eq!(ready.changes.iter().map(|changes| changes.messages.len()).sum::<usize>(), 20);
    };
    assert_eq!(counted(returned).await, 0);
}

/// After a restart nothing is held in memory: the first who comes back brings it there for all.
async fn return_after_a_restart(mut s: TestServer) {
    const DEVICES: usize = 20;
    let (alice, bob) = s.users().await;
    let (_, ready) = Raw::with(&bob, Hello::default()).await;
    let known: BTreeMap<_, _> = ready.channels.iter().map(|channel| (channel.id, channel.version)).collect();
    write(&alice, "hi", 20).await;
    s.restart().await;
    let comes_back = || async {
        let resume = Some(Resume { channels: known.clone() });
        let (_, ready) = Raw::with(&bob, Hello { resume, ..Hello::default() }).await;
        assert_eq!(ready.changes.iter().map(|changes| changes.messages.len()).sum::<usize>(), 20);
    };
    comes_back().await;
    assert_eq!(counted(|| join_all((0..DEVICES).map(|_| comes_back()))).await, 0);
}

/// On both databases, with the server on the thread of the test, where its statements are counted.
macro_rules! on_this_thread {
    ($($check:ident as $sqlite:ident, $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            $check(TestServer::start(Backend::Sqlite).await).await;
        }

        #[tokio::test]
        async fn $postgres() {
            if let Some(backend) = Backend::postgres().await {
                $check(TestServer::start(backend).await).await;
            }
        }
    )*};
}

on_this_thread! {
    archived as only_a_page_below_the_border_asks_the_archive_on_sqlite,
        only_a_page_below_the_border_asks_the_archive_on_postgres;
    threads as replying_and_listing_is_as_many_statements_whatever_the_number_of_threads_on_sqlite,
        replying_and_listing_is_as_many_statements_whatever_the_number_of_threads_on_postgres;
    mention as mentions_are_as_many_statements_whatever_their_number_on_sqlite,
        mentions_are_as_many_statements_whatever_their_number_on_postgres;
    notifications as a_message_that_concerns_nobody_costs_nothing_more_on_sqlite,
        a_message_that_concerns_nobody_costs_nothing_more_on_postgres;
    files as files_cost_no_statement_more_on_sqlite, files_cost_no_statement_more_on_postgres;
    listing as a_list_is_as_many_statements_whatever_the_number_of_direct_messages_on_sqlite,
        a_list_is_as_many_statements_whatever_the_number_of_direct_messages_on_postgres;
    names as a_new_name_is_as_many_statements_whoever_shows_it_on_sqlite,
        a_new_name_is_as_many_statements_whoever_shows_it_on_postgres;
    page as a_page_is_as_many_statements_whatever_its_size_and_place_on_sqlite,
        a_page_is_as_many_statements_whatever_its_size_and_place_on_postgres;
    reactions as reactions_cost_no_statement_more_on_sqlite, reactions_cost_no_statement_more_on_postgres;
    resume as a_gap_that_is_held_in_memory_is_no_statement_on_sqlite,
        a_gap_that_is_held_in_memory_is_no_statement_on_postgres;
    return_after_a_restart as a_gap_is_read_once_for_all_who_come_back_on_sqlite,
        a_gap_is_read_once_for_all_who_come_back_on_postgres;
    search as a_search_is_as_many_statements_whatever_is_found_on_sqlite,
        a_search_is_as_many_statements_whatever_is_found_on_postgres;
    send as a_message_is_as_many_statements_whatever_its_length_on_sqlite,
        a_message_is_as_many_statements_whatever_its_length_on_postgres;
}
