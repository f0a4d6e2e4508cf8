//! Search: what is said is found, by those who may read it and by nobody else.

use futures_util::future::join_all;
use madang_client::{
    Error,
    proto::{
        ChannelId, MessageId,
        channels::{ChannelKind, UpdateChannel},
        error::ErrorCode::{Invalid, NotFound, RateLimited},
        messages::{CreateMessage, Message},
        page::{MessagePageQuery, Page},
        search::{SearchQuery, SearchResult},
    },
};
use madang_server::config::Switch;
use madang_store::{prose::Prose, testing::Lock};
use reqwest::Method;

use crate::support::{Backend, Cast, Expected, TestServer, User, on_both, refusals};

fn asking(q: &str) -> SearchQuery {
    SearchQuery { q: Some(q.to_owned()), ..SearchQuery::default() }
}

async fn ask(user: &User, query: &SearchQuery) -> Result<Page<SearchResult>, Error> {
    user.http.search(query).await
}

fn contents(page: &Page<SearchResult>) -> Vec<String> {
    page.items.iter().map(|hit| hit.message.content.clone()).collect()
}

/// What is found, the newest first.
async fn found(s: &TestServer, user: &User, q: &str) -> Vec<String> {
    s.indexed().await;
    contents(&ask(user, &asking(q)).await.unwrap())
}

/// All that is found by walking pages of this size.
async fn walked(user: &User, q: &str, limit: u32, mut between: impl AsyncFnMut()) -> Vec<MessageId> {
    let (mut ids, mut query) = (Vec::new(), SearchQuery { limit: Some(limit), ..asking(q) });
    loop {
        let page = ask(user, &query).await.unwrap();
        assert!(page.items.len() <= limit as usize && page.prev_cursor.is_none());
        ids.extend(page.items.iter().map(|hit| hit.message.id));
        let Some(cursor) = page.next_cursor else { return ids };
        query.before = Some(cursor.parse().unwrap());
        between().await;
    }
}

async fn write(user: &User, channel: ChannelId, texts: Vec<String>) -> Vec<Message> {
    let mut written = Vec::new();
    for chunk in texts.chunks(50) {
        let bodies: Vec<_> = chunk
            .iter()
            .map(|text| CreateMessage { content: text.clone(), nonce: None, file_ids: Vec::new() })
            .collect();
        let sent = join_all(bodies.iter().map(|body| user.http.create_message(channel, body))).await;
        written.extend(sent.into_iter().map(Result::unwrap));
    }
    written
}

on_both! {
    async fn what_is_said_is_found_with_its_places(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "우리 마당에서 봐요, Madang서버 앞").await;
        bob.send(bob.general(), "없는 말").await;
        s.indexed().await;
        for (q, places) in [
            ("마당", vec![(3, 5)]),
            ("당", vec![(4, 5)]),
            ("\u{1106}\u{1161}\u{1103}\u{1161}\u{11bc}", vec![(3, 5)]),
            ("MADANG서버", vec![(12, 20)]),
            ("madang 봐요", vec![(8, 10), (12, 18)]),
            ("\"봐요 madang서버\"", vec![(8, 20)]),
        ] {
            let page = ask(&bob, &asking(q)).await.unwrap();
            let [hit] = &page.items[..] else { panic!("{q}: {page:?}") };
            assert_eq!(hit.message, sent);
            let here: Vec<_> = hit.highlights.iter().map(|h| (h.start, h.end)).collect();
            assert_eq!(here, places, "{q}");
        }
        for q in ["당마", "\"서버 마당\"", "마당 서버 없는"] {
            assert_eq!(found(&s, &bob, q).await, Vec::<String>::new(), "{q}");
        }
    }

    async fn filters_say_who_where_when_and_what(s: TestServer) {
        let (alice, bob) = s.users().await;
        let books = alice.channel("책 모임", ChannelKind::Public).await.id;
        alice.send(alice.general(), "책 하나").await;
        s.advance(86_400_000);
        bob.send(bob.general(), "책 둘 https://example.org").await;
        let edited = alice.send(books, "책 셋").await;
        alice.http.update_message(edited.id, "책 넷").await.unwrap();
        let (one, two, four) = ("책 하나", "책 둘 https://example.org", "책 넷");
        for (q, expected) in [
            ("책", vec![four, two, one]),
            ("책 from:@ALICE", vec![four, one]),
            ("책 from:me", vec![two]),
            (&format!("from:{}", alice.id), vec![four, one]),
            ("from:nobody", vec![]),
            ("책 in:#general", vec![two, one]),
            ("in:\"책 모임\"", vec![four]),
            (&format!("in:{books} in:general 책"), vec![four, two, one]),
            ("책 in:#secret", vec![]),
            ("has:link", vec![two]),
            ("is:edited", vec![four]),
            ("책 before:2026-11-21", vec![one]),
            ("책 after:2026-11-20", vec![four, two]),
            ("책 after:2026-11-20T09:00:00Z before:2026-11-22T00:00:00+09:00", vec![four, two]),
            ("책 after:2026-11-21 before:2026-11-21", vec![]),
        ] {
            assert_eq!(found(&s, &bob, q).await, expected, "{q}");
        }
        let q = asking("책");
        for (query, expected) in [
            (SearchQuery { author_id: Some(alice.id), ..q.clone() }, vec![four, one]),
            (SearchQuery { channel_id: Some(books), q: None, ..q.clone() }, vec![four]),
            (SearchQuery { workspace_id: Some(bob.workspace()), has: Some("link".into()), ..q.clone() }, vec![two]),
            (SearchQuery { before: Some("2026-11-21".parse().unwrap()), ..q.clone() }, vec![one]),
            (SearchQuery { after: Some(edited.id.to_string().parse().unwrap()), ..q.clone() }, vec![]),
        ] {
            assert_eq!(contents(&ask(&bob, &query).await.unwrap()), expected, "{query:?}");
        }
    }

    async fn what_messages_have_is_found_as_a_scan_finds_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let mut prose = Prose::new(5);
        let general = alice.general();
        let png = {
            let mut out = std::io::Cursor::new(Vec::new());
            image::RgbImage::new(2, 2).write_to(&mut out, image::ImageFormat::Png).unwrap();
            out.into_inner()
        };
        // Of a kind that is kept as it comes, whether or not there is an ffmpeg.
        let video = b"RIFF\x04\0\0\0AVI LIST".to_vec();
        for n in 0..48 {
            let link = if prose.below(4) == 0 { " https://example.org" } else { "" };
            let mut file_ids = Vec::new();
            for bytes in [b"text".to_vec(), png.clone(), video.clone()] {
                if prose.below(5) == 0 {
                    file_ids.push(alice.http.upload("a", bytes).await.unwrap().id);
                }
            }
            let content = format!("{n} {}{link}", prose.message());
            let sent = alice.client.send_files(general, &content, file_ids).await.unwrap().id;
            for what in 0..4 {
                match (what, prose.below(3)) {
                    (0, 0) => drop(bob.http.react(sent, "👍").await.unwrap()),
                    (1, 0) => drop(bob.http.pin(sent).await.unwrap()),
                    (2, 0) => drop(bob.http.unreact(sent, "👍").await.unwrap()),
                    (3, 0) if n % 2 == 0 => drop(bob.http.unpin(sent).await.unwrap()),
                    (3, 0) if n % 3 == 0 => alice.http.delete_message(sent).await.unwrap(),
                    _ => {}
                }
            }
        }
        s.indexed().await;
        let query = MessagePageQuery { limit: Some(100), ..MessagePageQuery::default() };
        let mut all = bob.http.messages(general, query).await.unwrap().items;
        all.reverse();
        let carries = |m: &Message, kind: &str| m.files.iter().any(|f| f.media_type.starts_with(kind));
        let holds = |m: &Message, what: &str| m.deleted_at.is_none() && match what {
            "file" => !m.files.is_empty(),
            "image" => carries(m, "image/"),
            "video" => carries(m, "video/"),
            "link" => m.content.contains("https://"),
            "reaction" => !m.reactions.is_empty(),
            _ => m.pinned,
        };
        for what in ["file", "image", "video", "link", "reaction", "pin"] {
            for also in ["", "file", "reaction"] {
                let scanned: Vec<_> = all.iter().filter(|m| holds(m, what) && (also.is_empty() || holds(m, also))).collect();
                let scanned: Vec<_> = scanned.iter().map(|m| m.id).collect();
                assert!(!scanned.is_empty() || !also.is_empty(), "{what}");
                let also = if also.is_empty() { String::new() } else { format!(" has:{also}") };
                assert_eq!(walked(&bob, &format!("has:{what}{also}"), 7, async || {}).await, scanned, "{what}{also}");
                let by_field = SearchQuery { has: Some(what.to_owned()), q: Some(also), limit: Some(100), ..SearchQuery::default() };
                let found: Vec<_> = ask(&bob, &by_field).await.unwrap().items.iter().map(|hit| hit.message.id).collect();
                assert_eq!(found, scanned, "{what}");
            }
        }
    }

    async fn what_is_edited_or_deleted_is_found_no_more(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "마당에서").await;
        let other = bob.send(bob.general(), "마당 옆").await;
        assert_eq!(found(&s, &bob, "마당").await, ["마당 옆", "마당에서"]);
        alice.http.update_message(sent.id, "운동장에서").await.unwrap();
        bob.http.delete_message(other.id).await.unwrap();
        assert_eq!(contents(&ask(&bob, &asking("마당")).await.unwrap()), [""; 0], "at once");
        assert_eq!(found(&s, &bob, "마당").await, [""; 0]);
        assert_eq!(found(&s, &bob, "운동장").await, ["운동장에서"]);
    }

    async fn each_finds_what_they_may_read_and_nothing_else(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.send(cast.secret.id, "비밀 이야기").await;
        cast.owner.send(cast.open.id, "열린 이야기").await;
        s.indexed().await;
        let (open, both) = (vec!["열린 이야기"], vec!["열린 이야기", "비밀 이야기"]);
        for user in cast.everyone() {
            let expected = match user.name.as_str() {
                "stranger" => vec![],
                "outsider" => open.clone(),
                _ => both.clone(),
            };
            for q in ["이야기", "야", "from:@owner", "이야기 in:#open in:#secret"] {
                let page = ask(user, &SearchQuery { limit: Some(2), ..asking(q) }).await.unwrap();
                assert_eq!((contents(&page), page.next_cursor), (expected.iter().map(|c| (*c).to_owned()).collect(), None), "{q} of {}", user.name);
            }
            // Neither a page that is full without it nor its cursor says that it is there.
            let one = ask(user, &SearchQuery { limit: Some(1), ..asking("이야기") }).await.unwrap();
            assert_eq!(one.next_cursor.is_some(), expected.len() > 1, "{}", user.name);
            assert_eq!(ask(user, &asking("비밀 in:#secret")).await.unwrap().items.len(), expected.len().saturating_sub(1));
        }
        cast.member.http.leave_channel(cast.secret.id).await.unwrap();
        assert_eq!(contents(&ask(&cast.member, &asking("이야기")).await.unwrap()), open);
        cast.owner.http.remove_workspace_member(cast.workspace, cast.outsider.id).await.unwrap();
        assert_eq!(contents(&ask(&cast.outsider, &asking("이야기")).await.unwrap()), [""; 0]);
        let close = UpdateChannel { kind: Some(ChannelKind::Private), ..UpdateChannel::default() };
        cast.owner.http.update_channel(cast.secret.id, &close).await.unwrap();
        cast.owner.http.delete_channel(cast.secret.id).await.unwrap();
        assert_eq!(contents(&ask(&cast.owner, &asking("이야기")).await.unwrap()), open);
    }

    async fn who_may_search_where(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let query = SearchQuery { channel_id: Some(id), ..asking("이야기") };
            refusals(&cast, expected, |user| user.http.search(&query)).await;
        }
        let query = SearchQuery { workspace_id: Some(cast.workspace), ..asking("이야기") };
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.search(&query)).await;
        let nowhere = SearchQuery { channel_id: Some(12_345.into()), ..asking("이야기") };
        assert_eq!(ask(&cast.owner, &nowhere).await.unwrap_err().code(), Some(NotFound));
    }

    async fn pages_give_each_message_once_while_others_write(s: TestServer) {
        let (alice, bob) = s.users().await;
        let mut prose = Prose::new(11);
        let said = write(&alice, alice.general(), (0..120).map(|_| prose.message()).collect()).await;
        s.indexed().await;
        let mut expected: Vec<_> = said.iter().filter(|m| m.content.contains('하')).map(|m| m.id).collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        assert!(expected.len() > 10);
        for limit in [1, 4, 50] {
            let seen = walked(&bob, "하 in:#general", limit, async || {
                bob.send(bob.general(), "하루 더").await;
                s.indexed().await;
            });
            let seen: Vec<_> = seen.await.into_iter().filter(|id| said.iter().any(|m| m.id == *id)).collect();
            assert_eq!(seen, expected, "pages of {limit}");
        }
    }

    async fn a_search_that_makes_no_sense_says_why(s: TestServer) {
        let alice = s.user("alice").await;
        for (query, field) in [
            (SearchQuery::default(), "q"),
            (asking("?!"), "q"),
            (asking("before:2026-11-20"), "q"),
            (asking("has:feathers"), "q"),
            (asking(&"가".repeat(201)), "q"),
            (asking(&"가 ".repeat(17)), "q"),
            (SearchQuery { has: Some("files".into()), ..asking("가") }, "has"),
            (SearchQuery { limit: Some(101), ..asking("가") }, "limit"),
        ] {
            let error = ask(&alice, &query).await.unwrap_err();
            assert_eq!((error.code(), &*error.problem().unwrap().errors[0].field), (Some(Invalid), field), "{query:?}");
        }
        for query in ["before=soon&q=a", "q=a&page=2", "channel_id=x&q=a"] {
            let path = format!("/api/v1/messages/search?{query}");
            assert_eq!(alice.http.request(Method::GET, &path, None).await.unwrap().status, 422, "{query}");
        }
        // Signs that mean something to a database mean nothing here.
        for q in ["100%_", "a' OR 'b", "(NEAR) AND NOT *", "words:마당", "<b>&:*|!", "\u{e000}1", "가\0나"] {
            assert_eq!(ask(&alice, &asking(q)).await.unwrap().items.len(), 0, "{q:?}");
        }
    }

    async fn a_crash_of_the_index_loses_nothing(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        for point in ["search", "search-store"] {
            s.indexed().await;
            s.faults.arm(point);
            alice.send(alice.general(), &format!("마당 {point}")).await;
            assert_eq!(found(&s, &bob, &format!("\"{point}\"")).await, [format!("마당 {point}")]);
        }
        let children = s.http().health().await.unwrap().1["children"].clone();
        let child = children.as_array().unwrap().iter().find(|c| c["name"] == "search").unwrap().clone();
        assert_eq!((&child["restarts"], &child["state"]), (&2.into(), &"running".into()));
        // What was sent right before a stop is indexed after the start.
        alice.send(alice.general(), "마당 다시").await;
        s.restart().await;
        let alice = User::of(s.http(), s.http().login(&s.login("alice")).await.unwrap()).await;
        assert_eq!(found(&s, &alice, "다시").await, ["마당 다시"]);
        madang_server::admin::reindex(&s.config).await.unwrap();
        assert_eq!(contents(&ask(&alice, &asking("마당")).await.unwrap()), [""; 0]);
        alice.send(alice.general(), "그리고").await;
        assert_eq!(found(&s, &alice, "마당").await.len(), 3);
    }
}

#[tokio::test]
async fn a_locked_file_is_waited_for() {
    let s = TestServer::start_with(Backend::Sqlite, |c| c.database_patience = 1).await.unwrap();
    let alice = s.user("alice").await;
    alice.send(alice.general(), "마당에서").await;
    s.indexed().await;
    let lock = Lock::take(&s.config.database()).await.unwrap();
    let body = CreateMessage { content: "마당 옆".to_owned(), nonce: None, file_ids: Vec::new() };
    alice.http.create_message(alice.general(), &body).await.unwrap_err();
    assert_eq!(contents(&ask(&alice, &asking("마당")).await.unwrap()), ["마당에서"], "searching goes on");
    lock.release().await.unwrap();
    alice.http.create_message(alice.general(), &body).await.unwrap();
    assert_eq!(found(&s, &alice, "마당").await, ["마당 옆", "마당에서"]);
}

#[tokio::test]
async fn searches_are_limited_by_user() {
    let s = TestServer::start_with(Backend::Sqlite, |c| c.rate_limits = Switch::On).await.unwrap();
    let (alice, bob) = s.users().await;
    let query = asking("마당");
    let refused = loop {
        if let Err(error) = ask(&alice, &query).await {
            break error;
        }
    };
    assert_eq!(refused.code(), Some(RateLimited));
    assert!(refused.retry_after().is_some());
    ask(&bob, &query).await.unwrap();
}
