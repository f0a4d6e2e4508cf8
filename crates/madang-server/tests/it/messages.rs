//! Messages: sent, heard, edited, deleted; one for each nonce, in one order.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use madang_client::{
    RawResponse,
    proto::{
        ChannelId, MessageId, UserId,
        channels::ChannelKind,
        error::ErrorCode::{self, Conflict, Forbidden, NotFound},
        messages::{CreateMessage, Message, SendMessage},
        page::MessagePageQuery,
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Cast, Expected, TestServer, User, all_converge, converge, on_both, refusals};

fn text(content: &str) -> CreateMessage {
    CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() }
}

fn to(channel_id: ChannelId) -> SendMessage {
    let content = "hi".to_owned();
    SendMessage {
        channel_id,
        content,
        nonce: None,
        thread_root_id: None,
        also_to_channel: false,
        file_ids: Vec::new(),
    }
}

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn post(user: &User, channel: ChannelId, body: Value) -> RawResponse {
    let path = format!("/api/v1/channels/{channel}/messages");
    user.http.request(Method::POST, &path, Some(&body)).await.unwrap()
}

async fn all(user: &User, channel: ChannelId) -> Vec<Message> {
    let query = MessagePageQuery { limit: Some(100), ..MessagePageQuery::default() };
    user.http.messages(channel, query).await.unwrap().items
}

on_both! {
    async fn what_alice_sends_bob_hears_once_and_in_order(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        for n in 1..=20 {
            alice.send(alice.general(), &format!("안녕 {n}")).await;
        }
        for n in 1..=20 {
            let message = bob.next_message().await;
            assert_eq!((message.content, message.seq), (format!("안녕 {n}"), n));
        }
    }

    async fn sending_editing_and_deleting_leave_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, outsider, secret, .. } = &cast;
        let everyone = [member, owner, outsider];
        let sent = all_converge(&everyone, member.send(secret.id, "안녕")).await;
        s.advance(1_000);
        all_converge(&everyone, member.client.edit(sent.id, "안녕하세요")).await.unwrap();
        all_converge(&everyone, member.http.update_message(sent.id, "다시")).await.unwrap();
        s.advance(1_000);
        let by_rest = text("by REST");
        let other = all_converge(&everyone, member.http.create_message(secret.id, &by_rest)).await.unwrap();
        all_converge(&everyone, member.http.send_message(&to(secret.id))).await.unwrap();
        all_converge(&everyone, member.client.delete(sent.id)).await.unwrap();
        all_converge(&[admin, member, owner], admin.http.delete_message(other.id)).await.unwrap();
        assert_eq!(member.client.state().channel(secret.id).unwrap().messages().len(), 3, "as tombstones");
    }

    async fn what_is_sent_to_oneself_alone_comes_back_too(s: TestServer) {
        let alice = s.user("alice").await;
        converge(&alice, alice.send(alice.general(), "to myself")).await;
        assert_eq!(alice.client.state().channel(alice.general()).unwrap().unread(), 0);
    }

    async fn a_message_looks_the_same_from_every_side(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        s.advance(7);
        let body = SendMessage { nonce: Some("n".into()), ..to(alice.general()) };
        let sent = alice.http.send_message(&body).await.unwrap();
        assert_eq!(bob.next_message().await, sent);
        assert_eq!(bob.http.message(sent.id).await.unwrap(), sent);
        assert_eq!(all(&bob, alice.general()).await, std::slice::from_ref(&sent));
        assert_eq!((sent.author.id, sent.user.id, sent.nonce.as_deref()), (alice.id, alice.id, Some("n")));
        assert_eq!((sent.seq, sent.edited_at, sent.deleted_at), (1, None, None));
        assert_eq!(sent.created_at, s.clock.now());
    }

    async fn the_same_nonce_is_the_same_message_for_good(s: TestServer) {
        let mut s = s;
        let alice = s.user("alice").await;
        let (general, body) = (alice.general(), json!({"content": "once", "nonce": "n-1"}));
        let first = post(&alice, general, body.clone()).await;
        let second = post(&alice, general, json!({"content": "other text", "nonce": "n-1"})).await;
        assert_eq!((first.status, second.status), (201, 200));
        assert_eq!(first.json, second.json);
        s.restart().await;
        s.advance(40 * 86_400_000);
        let alice = User::of(s.http(), s.http().login(&s.login("alice")).await.unwrap()).await;
        let third = post(&alice, general, body.clone()).await;
        assert_eq!((third.status, &third.json), (200, &first.json));
        let by_gateway = alice.client.send_with_nonce(general, "once", "n-1").await.unwrap();
        assert_eq!(serde_json::to_value(by_gateway).unwrap(), first.json);
        assert_eq!(all(&alice, general).await.len(), 1);
    }

    async fn ten_at_once_with_one_nonce_are_one_message(s: TestServer) {
        let (alice, bob) = s.users().await;
        let body = json!({"content": "once", "nonce": "n"});
        let answers = join_all((0..10).map(|_| post(&alice, alice.general(), body.clone()))).await;
        let ids: BTreeSet<_> = answers.iter().map(|a| a.json["id"].to_string()).collect();
        assert_eq!((ids.len(), answers.iter().filter(|a| a.status == 201).count()), (1, 1));
        let of_bob = post(&bob, bob.general(), body).await;
        assert_eq!(of_bob.status, 201, "nonces are each author's own");
        assert_eq!(all(&alice, alice.general()).await.len(), 2);
    }

    async fn a_nonce_used_elsewhere_gives_that_message(s: TestServer) {
        let alice = s.user("alice").await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let body = json!({"content": "once", "nonce": "n"});
        let first = post(&alice, alice.general(), body.clone()).await;
        let second = post(&alice, other, body).await;
        assert_eq!((second.status, &second.json), (200, &first.json));
        assert_eq!(all(&alice, other).await, []);
    }

    async fn places_are_without_holes_whoever_writes_at_once(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let general = alice.general();
        let guests = join_all((0..8).map(|n| s.guest(["가", "나", "다", "라", "마", "바", "사", "아"][n]))).await;
        let sends = guests.iter().flat_map(|user| {
            (0..25).map(move |n| async move { user.http.create_message(general, &text(&format!("{n}"))).await.unwrap() })
        });
        let sent = join_all(sends).await;
        let seqs: BTreeSet<i64> = sent.iter().map(|m| m.seq).collect();
        assert_eq!(seqs, (1..=200).collect());
        let ids: BTreeSet<MessageId> = sent.iter().map(|m| m.id).collect();
        assert_eq!(ids.len(), 200);
        for seq in 1..=200 {
            assert_eq!(bob.next_message().await.seq, seq);
        }
        converge(&bob, async {}).await;
    }

    async fn eight_thousand_characters_fit_and_are_kept_in_nfc(s: TestServer) {
        let alice = s.user("alice").await;
        let long = "가".repeat(8_000);
        let sent = alice.http.create_message(alice.general(), &text(&long)).await.unwrap();
        assert_eq!(sent.content, long);
        let nfd = "\u{1100}\u{1161}".repeat(8_000);
        let by_gateway = alice.send(alice.general(), &nfd).await;
        assert_eq!(alice.http.message(by_gateway.id).await.unwrap().content, long, "counted and kept in NFC");
        let lines = " 첫 줄\n\t둘째 줄 ";
        assert_eq!(alice.send(alice.general(), lines).await.content, lines, "kept as written");
        let edited = alice.http.update_message(sent.id, &nfd).await.unwrap();
        assert_eq!(edited.content, long);
    }

    async fn what_does_not_fit_is_refused_by_field(s: TestServer) {
        let alice = s.user("alice").await;
        let general = alice.general();
        let there = alice.send(general, "there").await;
        let long = "가".repeat(8_001);
        for content in [long.as_str(), "", " \n\t ", "a\u{0}b", "a\u{1b}[31m"] {
            let answer = post(&alice, general, json!({"content": content})).await;
            assert_eq!((answer.status, &answer.json["errors"][0]["field"]), (422, &json!("content")), "{content:?}");
            let error = alice.client.send(general, content).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "content");
            let error = alice.http.update_message(there.id, content).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "content");
        }
        for nonce in ["", "a\nb", &"n".repeat(65)] {
            let answer = post(&alice, general, json!({"content": "hi", "nonce": nonce})).await;
            assert_eq!((answer.status, &answer.json["errors"][0]["field"]), (422, &json!("nonce")), "{nonce:?}");
        }
        for body in [json!({}), json!({"content": 7}), json!({"content": "hi", "author": "1"}), json!("hi")] {
            assert_eq!(post(&alice, general, body.clone()).await.status, 422, "{body}");
        }
        let huge = post(&alice, general, json!({"content": "x".repeat(300_000)})).await;
        assert_eq!((huge.status, &huge.json["code"]), (413, &json!("too_large")));
        assert_eq!(all(&alice, general).await, [there], "nothing came of it");
    }

    async fn an_edit_is_told_and_shows_when(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let sent = alice.send(alice.general(), "teh").await;
        s.advance(60_000);
        let edited = alice.http.update_message(sent.id, "the").await.unwrap();
        assert_eq!((edited.edited_at, edited.version), (Some(s.clock.now()), sent.version + 1));
        assert_eq!((edited.id, edited.seq, edited.created_at), (sent.id, sent.seq, sent.created_at));
        assert_eq!(bob.next_message().await.content, "teh");
        assert_eq!(bob.next_message().await, edited);
    }

    async fn what_is_deleted_leaves_a_tombstone_without_words(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let sent = alice.send(alice.general(), "regret").await;
        s.advance(60_000);
        alice.http.delete_message(sent.id).await.unwrap();
        bob.next_message().await;
        let told = bob.next_message().await;
        assert_eq!((told.content.as_str(), told.deleted_at, told.seq), ("", Some(s.clock.now()), 1));
        assert_eq!(bob.http.message(sent.id).await.unwrap(), told);
        assert_eq!(all(&bob, alice.general()).await, std::slice::from_ref(&told));
        assert_eq!(bob.http.changes(alice.general(), 0).await.unwrap().messages, std::slice::from_ref(&told));
        assert_eq!(refused(alice.http.update_message(sent.id, "back").await), Conflict);
        alice.http.delete_message(sent.id).await.unwrap();
        assert_eq!(alice.http.message(sent.id).await.unwrap().version, told.version, "deleting twice is once");
        assert_eq!(alice.send(alice.general(), "next").await.seq, 2, "its place is not given again");
    }

    async fn who_may_send(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let body = to(id);
            let short = text("hi");
            refusals(&cast, expected, |user| user.http.create_message(id, &short)).await;
            refusals(&cast, expected, |user| user.http.send_message(&body)).await;
            refusals(&cast, expected, |user| user.client.send(id, "hi")).await;
        }
    }

    async fn who_may_read(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let message = cast.owner.send(id, "hi").await.id;
            let query = MessagePageQuery::default();
            let around = MessagePageQuery { around: Some(message), ..query };
            refusals(&cast, expected, |user| user.http.messages(id, query)).await;
            refusals(&cast, expected, |user| user.http.messages(id, around)).await;
            refusals(&cast, expected, |user| user.http.messages_of_channel(id, query)).await;
            refusals(&cast, expected, |user| user.http.message(message)).await;
        }
    }

    async fn who_may_edit(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let message = cast.owner.send(id, "the owner's").await.id;
            // Nobody but the author, whatever the role.
            let expected = Expected { admin: Some(Forbidden), ..expected.admins() };
            refusals(&cast, expected, |user| user.http.update_message(message, "edited")).await;
        }
    }

    async fn who_may_delete(s: TestServer) {
        let cast = Cast::of(&s).await;
        let author = s.user("author").await;
        cast.owner.http.add_workspace_member(cast.workspace, "author").await.unwrap();
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            cast.owner.http.add_channel_member(id, author.id).await.unwrap();
            let mut doomed: HashMap<UserId, MessageId> = HashMap::new();
            for user in cast.everyone() {
                let sent = author.http.create_message(id, &text("the author's")).await.unwrap();
                doomed.insert(user.id, sent.id);
            }
            refusals(&cast, expected.admins(), |user| user.http.delete_message(doomed[&user.id])).await;
            let own = cast.guest.send(id, "a guest's own").await.id;
            cast.guest.http.delete_message(own).await.unwrap();
        }
    }

    async fn who_left_can_change_nothing_any_more(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, code) in [(cast.open.id, Forbidden), (cast.secret.id, NotFound)] {
            let sent = cast.member.send(id, "before leaving").await;
            cast.member.http.leave_channel(id).await.unwrap();
            assert_eq!(refused(cast.member.http.update_message(sent.id, "after").await), code);
            assert_eq!(refused(cast.member.http.delete_message(sent.id).await), code);
            assert_eq!(cast.owner.http.message(sent.id).await.unwrap(), sent);
        }
    }

    async fn messages_that_are_not_there_are_not_found(s: TestServer) {
        let alice = s.user("alice").await;
        let (sent, none) = (alice.send(alice.general(), "here").await, MessageId::from(12_345));
        assert_eq!(refused(alice.http.message(none).await), NotFound);
        assert_eq!(refused(alice.http.update_message(none, "x").await), NotFound);
        assert_eq!(refused(alice.http.delete_message(none).await), NotFound);
        for path in ["/api/v1/messages/x", "/api/v1/messages/0", "/api/v1/messages/-1", "/api/v1/channels/x/messages"] {
            assert_eq!(alice.http.request(Method::GET, path, None).await.unwrap().status, 404, "{path}");
        }
        assert_eq!(alice.http.message(sent.id).await.unwrap(), sent);
    }
}
