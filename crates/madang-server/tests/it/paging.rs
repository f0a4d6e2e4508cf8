//! Pages: walking them gives every message once, whoever writes meanwhile.

use futures_util::future::join_all;
use madang_client::proto::{
    ChannelId, MessageId,
    channels::ChannelKind,
    error::ErrorCode::Invalid,
    messages::{CreateMessage, Message},
    page::{MessagePageQuery, Page},
};
use reqwest::Method;

use crate::support::{TestServer, User, on_both};

const NEWEST: MessagePageQuery = MessagePageQuery { limit: None, before: None, after: None, around: None };

fn limit(limit: u32) -> MessagePageQuery {
    MessagePageQuery { limit: Some(limit), ..NEWEST }
}

fn id(cursor: Option<&String>) -> Option<MessageId> {
    cursor.map(|cursor| cursor.parse().unwrap())
}

fn seqs(items: &[Message]) -> Vec<i64> {
    items.iter().map(|m| m.seq).collect()
}

async fn write(user: &User, channel: ChannelId, count: usize) -> Vec<Message> {
    let body = CreateMessage { content: "안녕".to_owned(), nonce: None };
    join_all((0..count).map(|_| user.http.create_message(channel, &body)))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// From the newest page back to the beginning; someone writes after each page.
async fn walk_back(reader: &User, writer: &User, channel: ChannelId, size: u32) -> Vec<i64> {
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
async fn walk_on(reader: &User, writer: &User, channel: ChannelId, from: MessageId, size: u32) -> Vec<i64> {
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
