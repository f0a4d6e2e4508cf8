//! Pages: walking them gives every message once, whoever writes meanwhile.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use madang_client::proto::{
    ChannelId, MessageId,
    channels::ChannelKind,
    error::ErrorCode::Invalid,
    messages::{CreateMessage, Message},
    page::{MessagePageQuery, Page},
    saved::SavedQuery,
};
use proptest::{prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};
use reqwest::Method;

use crate::support::{TestServer, User, on_both};

const NEWEST: MessagePageQuery =
    MessagePageQuery { limit: None, before: None, after: None, around: None, around_seq: None };

fn limit(limit: u32) -> MessagePageQuery {
    MessagePageQuery { limit: Some(limit), ..NEWEST }
}

fn id(cursor: Option<&String>) -> Option<MessageId> {
    cursor.map(|cursor| cursor.parse().unwrap())
}

fn seqs(items: &[Message]) -> Vec<i64> {
    items.iter().map(|m| m.seq).collect()
}

pub async fn write(user: &User, channel: ChannelId, count: usize) -> Vec<Message> {
    let body = CreateMessage { content: "안녕".to_owned(), nonce: None, file_ids: Vec::new() };
    join_all((0..count).map(|_| user.http.create_message(channel, &body)))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// From the newest page back to the beginning; someone writes after each page.
pub async fn walk_back(reader: &User, writer: &User, channel: ChannelId, size: u32) -> Vec<i64> {
    let (mut seen, mut query) = (Vec::new(), limit(size));
    loop {
        let page = reader.http.messages(channel, query).await.unwrap();
        assert!(page.items.len() <= size as usize, "{} items", page.items.len());
        seen.splice(0..0, seqs(&page.items));
        write(writer, channel, 2).await;
        let Some(older) = id(page.next_cursor.as_ref()) else { return seen };
        query.before = Some(older);
    }
}

/// From a message on to the end; someone writes after each of the first pages.
pub async fn walk_on(
    reader: &User,
    writer: &User,
    channel: ChannelId,
    from: MessageId,
    size: u32,
) -> Vec<i64> {
    let (mut seen, mut query, mut writes) =
        (Vec::new(), MessagePageQuery { after: Some(from), ..limit(size) }, 5);
    loop {
        let page = reader.http.messages(channel, query).await.unwrap();
        assert!(page.items.len() <= size as usize, "{} items", page.items.len());
        seen.extend(seqs(&page.items));
        if writes > 0 {
            write(writer, channel, 2).await;
            writes -= 1;
        }
        let Some(newer) = id(page.next_cursor.as_ref()) else { return seen };
        query.after = Some(newer);
    }
}

on_both! {
    async fn walking_back_gives_each_message_once_while_others_write(s: TestServer) {
        let (alice, bob) = s.users().await;
        write(&bob, bob.general(), 60).await;
        for size in [1, 7, 30, 59, 60, 61, 100] {
            let newest = alice.http.channel(alice.general()).await.unwrap().last_seq;
            let seen = walk_back(&alice, &bob, alice.general(), size).await;
            assert_eq!(seen, (1..=newest).collect::<Vec<_>>(), "pages of {size}");
            if size == 1 {
                write(&bob, bob.general(), 1).await;
            }
        }
    }

    async fn walking_on_gives_each_message_once_while_others_write(s: TestServer) {
        let (alice, bob) = s.users().await;
        let first = write(&bob, bob.general(), 40).await.into_iter().min_by_key(|m| m.seq).unwrap();
        for size in [1, 3, 17, 39, 40, 100] {
            let seen = walk_on(&alice, &bob, alice.general(), first.id, size).await;
            let until = *seen.last().unwrap();
            assert_eq!(seen, (2..=until).collect::<Vec<_>>(), "pages of {size}");
            assert!(until >= 40);
        }
    }

    async fn from_the_middle_both_ways_reach_everything(s: TestServer) {
        let (alice, bob) = s.users().await;
        let all = write(&bob, bob.general(), 41).await;
        for (seq, size) in [(1, 4), (2, 5), (20, 1), (21, 2), (40, 9), (41, 10), (21, 100)] {
            let middle = all.iter().find(|m| m.seq == seq).unwrap();
            let query = MessagePageQuery { around: Some(middle.id), ..limit(size) };
            let page = alice.http.messages(alice.general(), query).await.unwrap();
            assert!(page.items.len() <= size as usize && page.items.contains(middle), "around {seq}, {size}");
            let (mut seen, mut older, mut newer) =
                (seqs(&page.items), id(page.next_cursor.as_ref()), id(page.prev_cursor.as_ref()));
            while let Some(before) = older {
                let query = MessagePageQuery { before: Some(before), ..limit(size) };
                let page = alice.http.messages(alice.general(), query).await.unwrap();
                assert!(page.prev_cursor.is_some(), "there is something after it");
                seen.splice(0..0, seqs(&page.items));
                older = id(page.next_cursor.as_ref());
            }
            while let Some(after) = newer {
                let query = MessagePageQuery { after: Some(after), ..limit(size) };
                let page = alice.http.messages(alice.general(), query).await.unwrap();
                assert!(page.prev_cursor.is_some(), "there is something before it");
                seen.extend(seqs(&page.items));
                newer = id(page.next_cursor.as_ref());
            }
            assert_eq!(seen, (1..=41).collect::<Vec<_>>(), "around {seq}, pages of {size}");
        }
    }

    async fn a_page_is_the_newest_fifty_and_says_where_it_goes_on(s: TestServer) {
        let alice = s.user("alice").await;
        assert_eq!(
            alice.http.messages(alice.general(), NEWEST).await.unwrap(),
            Page { items: vec![], next_cursor: None, prev_cursor: None }
        );
        write(&alice, alice.general(), 51).await;
        let page = alice.http.messages(alice.general(), NEWEST).await.unwrap();
        assert_eq!(seqs(&page.items), (2..=51).collect::<Vec<_>>());
        assert_eq!((page.next_cursor, page.prev_cursor), (Some(page.items[0].id.to_string()), None));
        let again = alice.http.messages_of_channel(alice.general(), NEWEST).await.unwrap();
        assert_eq!(again.items, page.items, "the same under its other name");
    }

    async fn the_header_repeats_the_cursor(s: TestServer) {
        let alice = s.user("alice").await;
        write(&alice, alice.general(), 3).await;
        for (query, more) in [("limit=2", true), ("limit=3", false), ("", false)] {
            for path in [format!("channels/{}/messages", alice.general()), format!("messages/channel/{}", alice.general())] {
                let path = format!("/api/v1/{path}?{query}");
                let answer = alice.http.request(Method::GET, &path, None).await.unwrap();
                let header = answer.headers["x-next-cursor"].to_str().unwrap();
                assert_eq!((header, !header.is_empty()), (answer.json["next_cursor"].as_str().unwrap_or_default(), more), "{path}");
            }
        }
    }

    async fn tombstones_keep_their_place_in_pages(s: TestServer) {
        let alice = s.user("alice").await;
        let all = write(&alice, alice.general(), 5).await;
        alice.http.delete_message(all[2].id).await.unwrap();
        let query = MessagePageQuery { around: Some(all[2].id), ..NEWEST };
        let page = alice.http.messages(alice.general(), query).await.unwrap();
        assert_eq!(seqs(&page.items), [1, 2, 3, 4, 5]);
    }

    async fn a_cursor_belongs_to_its_channel(s: TestServer) {
        let alice = s.user("alice").await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let (here, there) = (write(&alice, alice.general(), 3).await, write(&alice, other, 3).await);
        for (field, query) in [
            ("before", MessagePageQuery { before: Some(there[1].id), ..NEWEST }),
            ("after", MessagePageQuery { after: Some(there[1].id), ..NEWEST }),
            ("around", MessagePageQuery { around: Some(there[1].id), ..NEWEST }),
            ("before", MessagePageQuery { before: Some(12_345.into()), ..NEWEST }),
            ("before", MessagePageQuery { before: Some(here[1].id), after: Some(here[0].id), ..NEWEST }),
            ("limit", limit(0)),
            ("limit", limit(101)),
        ] {
            let error = alice.http.messages(alice.general(), query).await.unwrap_err();
            assert_eq!((error.code(), &*error.problem().unwrap().errors[0].field), (Some(Invalid), field), "{query:?}");
        }
        for query in ["before=x", "limit=-1", "limit=x", "page=2", "before=1&before=2"] {
            let path = format!("/api/v1/channels/{other}/messages?{query}");
            assert_eq!(alice.http.request(Method::GET, &path, None).await.unwrap().status, 422, "{query}");
        }
        let fine = MessagePageQuery { before: Some(there[1].id), ..limit(100) };
        assert_eq!(alice.http.messages(other, fine).await.unwrap().items.len(), (there[1].seq - 1) as usize);
    }
}

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Between {
    Write(usize),
    Delete(Index),
    Edit(Index),
}

/// A walk over a channel: how many messages it begins with, where, in pages of which size, and what happens meanwhile.
#[derive(Debug, Clone)]
struct Walk {
    first: usize,
    from: Index,
    way: Way,
    sizes: Vec<u32>,
    between: Vec<Vec<Between>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Newest,
    Before,
    After,
    Around,
}

fn walks() -> impl Strategy<Value = Walk> {
    let between = prop_oneof![
        (0..4_usize).prop_map(Between::Write),
        any::<Index>().prop_map(Between::Delete),
        any::<Index>().prop_map(Between::Edit),
    ];
    let ways = vec![Way::Newest, Way::Before, Way::After, Way::Around];
    let sizes = prop::collection::vec(prop_oneof![1..8_u32, 1..=100_u32], 1..4);
    let between = prop::collection::vec(prop::collection::vec(between, 0..3), 1..8);
    (1..40_usize, any::<Index>(), prop::sample::select(ways), sizes, between)
        .prop_map(|(first, from, way, sizes, between)| Walk { first, from, way, sizes, between })
}

impl Walk {
    /// Does what happens before the next page; after as many pages as there are plans, nothing does.
    async fn happens(&self, page: usize, writer: &User, channel: ChannelId, all: &mut Vec<Message>) {
        for step in self.between.get(page).into_iter().flatten() {
            match step {
                Between::Write(count) => {
                    for _ in 0..*count {
                        all.extend(write(writer, channel, 1).await);
                    }
                }
                // A tombstone keeps its place; what is one already stays one.
                Between::Delete(which) => drop(writer.http.delete_message(which.get(all).id).await),
                Between::Edit(which) => {
                    drop(writer.http.update_message(which.get(all).id, "edited").await);
                }
            }
        }
    }

    /// The seqs that are seen, as they stand, and those of the messages that had to be.
    async fn go(&self, reader: &User, writer: &User, channel: ChannelId) -> (Vec<i64>, Vec<i64>) {
        let mut all = write(writer, channel, self.first).await;
        all.sort_by_key(|message| message.seq);
        let from = self.from.get(&all).clone();
        let place = |way| (self.way == way).then_some(from.id);
        let (before, after, around) = (place(Way::Before), place(Way::After), place(Way::Around));
        let due = all.iter().map(|message| message.seq).filter(|seq| match self.way {
            Way::Newest | Way::Around => true,
            Way::Before => *seq < from.seq,
            Way::After => *seq > from.seq,
        });
        let due: Vec<_> = due.collect();
        let mut sizes = self.sizes.iter().copied().cycle();
        let mut pages = 0;
        let first = MessagePageQuery { limit: sizes.next(), before, after, around, around_seq: None };
        let page = reader.http.messages(channel, first).await.unwrap();
        let mut seen = seqs(&page.items);
        let (next, other) = (id(page.next_cursor.as_ref()), id(page.prev_cursor.as_ref()));
        let (mut older, mut newer) = if self.way == Way::After { (None, next) } else { (next, None) };
        if self.way == Way::Around {
            newer = other;
        }
        while older.is_some() || newer.is_some() {
            self.happens(pages, writer, channel, &mut all).await;
            pages += 1;
            let limit = sizes.next();
            let (before, after) = if older.is_some() { (older, None) } else { (None, newer) };
            let query = MessagePageQuery { limit, before, after, ..Default::default() };
            let page = reader.http.messages(channel, query).await.unwrap();
            assert!(page.items.len() <= limit.unwrap() as usize, "{} items", page.items.len());
            let next = id(page.next_cursor.as_ref());
            if older.is_some() {
                seen.splice(0..0, seqs(&page.items));
                older = next;
            } else {
                seen.extend(seqs(&page.items));
                newer = next;
            }
        }
        (seen, due)
    }
}

/// Walks of the same kind in every run.
fn some<T: Strategy>(strategy: T, count: usize) -> Vec<T::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

on_both! {
    /// Whatever is written, edited and deleted meanwhile: no message twice, none missing that stood throughout.
    async fn any_walk_gives_each_message_once(s: TestServer) {
        let (alice, bob) = s.users().await;
        for (n, walk) in some(walks(), 40).into_iter().enumerate() {
            let channel = bob.channel(&format!("walk {n}"), ChannelKind::Public).await.id;
            let (seen, due) = walk.go(&alice, &bob, channel).await;
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "in order and once: {seen:?} {walk:?}");
            assert!(due.iter().all(|seq| seen.contains(seq)), "{due:?} in {seen:?} {walk:?}");
        }
    }

    /// A list from which things go for good: what one saved.
    async fn any_walk_over_what_changes_gives_what_stood_throughout(s: TestServer) {
        let alice = s.user("alice").await;
        let messages = write(&alice, alice.general(), 30).await;
        for message in &messages {
            alice.http.save(message.id).await.unwrap();
        }
        let changes = prop::collection::vec((any::<Index>(), any::<bool>()), 0..6);
        let plans = (1..9_u32, prop::collection::vec(changes, 1..12));
        for (limit, changes) in some(plans, 25) {
            let mut stood: BTreeSet<_> = alice.http.all_saved().await.unwrap().into_iter().map(|x| x.message.id).collect();
            let (mut seen, mut before) = (Vec::new(), None);
            for page in 0.. {
                let answer = alice.http.saved(SavedQuery { limit: Some(limit), before }).await.unwrap();
                seen.extend(answer.items.into_iter().map(|saved| saved.message.id));
                for (which, save) in changes.get(page).into_iter().flatten() {
                    let id = which.get(&messages).id;
                    if *save {
                        alice.http.save(id).await.unwrap();
                    } else {
                        alice.http.unsave(id).await.unwrap();
                        stood.remove(&id);
                    }
                }
                let Some(next) = answer.next_cursor else { break };
                before = Some(next.parse().unwrap());
            }
            let missing: Vec<_> = stood.iter().filter(|id| !seen.contains(id)).collect();
            assert!(missing.is_empty(), "{missing:?} in pages of {limit} with {changes:?}");
            let again: Vec<_> = seen.iter().filter(|id| seen.iter().filter(|x| x == id).count() > 1).collect();
            assert!(again.iter().all(|id| !stood.contains(id)), "twice: {again:?} in pages of {limit} with {changes:?}");
        }
    }
}
