//! Drafts: one's own alone, on all one's devices, one a channel.

use futures_util::future::join_all;
use madang_client::proto::{
    Event,
    channels::ChannelKind,
    drafts::DraftQuery,
    error::ErrorCode::{self, Conflict, Invalid, NotFound},
    limits,
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn drafts(user: &User) -> Vec<String> {
    let page = user.http.drafts(DraftQuery::default()).await.unwrap();
    page.items.into_iter().map(|draft| draft.content).collect()
}

on_both! {
    async fn what_was_written_last_stays_and_nobody_else_knows(s: TestServer) {
        let (alice, bob) = s.users().await;
        let other = bob.channel("other", ChannelKind::Public).await.id;
        let mut raw = Raw::of(&alice).await;
        let first = bob.http.set_draft(bob.general(), "안").await.unwrap();
        s.advance(1_000);
        bob.http.set_draft(other, "elsewhere").await.unwrap();
        let last = bob.http.set_draft(bob.general(), "안녕").await.unwrap();
        assert_eq!((last.content.as_str(), last.updated_at), ("안녕", first.updated_at.plus_millis(1_000)));
        assert_eq!(bob.http.draft(bob.general()).await.unwrap(), last);
        assert_eq!(drafts(&bob).await, ["안녕", "elsewhere"]);
        bob.send(bob.general(), "안녕").await;
        assert_eq!(drafts(&bob).await.len(), 2, "only the client knows what was sent");
        bob.http.delete_draft(bob.general()).await.unwrap();
        bob.http.delete_draft(bob.general()).await.unwrap();
        assert_eq!(refused(bob.http.draft(bob.general()).await), NotFound);
        assert_eq!((drafts(&bob).await, drafts(&alice).await), (vec!["elsewhere".to_owned()], vec![]));
        assert!(!raw.heard().await.into_iter().any(|frame| matches!(frame.event, Event::Draft(_))));
    }

    async fn ones_devices_know_the_same(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await.id;
        let thread = bob.http.follow_thread(root).await.unwrap().id;
        let both = [&bob, &alice];
        for id in [bob.general(), thread] {
            all_converge(&both, bob.http.set_draft(id, "he")).await.unwrap();
            all_converge(&both, bob.http.set_draft(id, "hello")).await.unwrap();
        }
        assert_eq!(bob.client.state().later().unwrap().drafts[&thread].content, "hello");
        all_converge(&both, bob.http.delete_draft(thread)).await.unwrap();
        assert_eq!(bob.client.state().later().unwrap().drafts.len(), 1);
    }

    async fn a_draft_outlives_the_right_to_send_it(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, secret, .. } = &cast;
        member.http.set_draft(secret.id, "kept").await.unwrap();
        owner.http.remove_channel_member(secret.id, member.id).await.unwrap();
        assert_eq!(refused(member.http.set_draft(secret.id, "more").await), NotFound);
        assert_eq!(member.http.draft(secret.id).await.unwrap().content, "kept");
        member.http.delete_draft(secret.id).await.unwrap();
        assert_eq!(drafts(member).await.len(), 0);
    }

    async fn it_is_a_text_that_could_be_sent(s: TestServer) {
        let alice = s.user("alice").await;
        for wrong in ["", " \n ", "a\u{0}", &"가".repeat(limits::CONTENT_CHARS + 1)] {
            assert_eq!(refused(alice.http.set_draft(alice.general(), wrong).await), Invalid);
        }
        let long = "가".repeat(limits::CONTENT_CHARS);
        assert_eq!(alice.http.set_draft(alice.general(), &long).await.unwrap().content, long);
        assert_eq!(alice.http.set_draft(alice.general(), "\u{1100}\u{1161}").await.unwrap().content, "가");
    }

    async fn they_come_in_pages_and_are_five_hundred_at_most(s: TestServer) {
        let alice = s.user("alice").await;
        let names: Vec<_> = (0..=limits::DRAFTS_PER_USER).map(|n| format!("room{n}")).collect();
        let mut made = Vec::new();
        for some in names.chunks(50) {
            made.extend(join_all(some.iter().map(|name| alice.channel(name, ChannelKind::Public))).await);
        }
        let more = made.pop().unwrap().id;
        for (n, channel) in made.iter().enumerate() {
            alice.http.set_draft(channel.id, &n.to_string()).await.unwrap();
        }
        assert_eq!(refused(alice.http.set_draft(more, "one more").await), Conflict);
        alice.http.set_draft(made[0].id, "again").await.unwrap();
        alice.client.load_later().await.unwrap();
        assert_eq!(alice.client.state().later().unwrap().drafts.len(), made.len());
        let page = alice.http.drafts(DraftQuery { limit: Some(2), before: None }).await.unwrap();
        let texts: Vec<_> = page.items.iter().map(|draft| draft.content.as_str()).collect();
        assert_eq!((texts, page.next_cursor.is_some()), (vec!["again", "499"], true));
        assert_eq!(refused(alice.http.drafts(DraftQuery { limit: Some(0), before: None }).await), Invalid);
    }

    async fn who_may_write_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            refusals(&cast, expected, |user| user.http.set_draft(id, "hi")).await;
            refusals(&cast, Expected::ALLOWED, |user| user.http.delete_draft(id)).await;
        }
        refusals(&cast, Expected::ALLOWED, |user| user.http.drafts(DraftQuery::default())).await;
    }
}
