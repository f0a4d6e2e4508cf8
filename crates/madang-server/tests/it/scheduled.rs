//! Scheduled messages: sent once at their time as their author would send them then, or kept with the reason.

use madang_client::proto::{
    ChannelId, Event, Timestamp,
    error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
    limits,
    scheduled::{Scheduled, UpdateScheduled},
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn within(s: &TestServer, ms: i64) -> Timestamp {
    s.clock.now().plus_millis(ms)
}

/// Waits until one's scheduled messages are as wanted.
async fn becomes(user: &User, what: &str, wanted: impl Fn(&[Scheduled]) -> bool) -> Vec<Scheduled> {
    user.client.load_later().await.unwrap();
    let found = user.client.wait_for(what, |state| {
        let all: Vec<_> = state.later()?.scheduled.values().cloned().collect();
        wanted(&all).then_some(all)
    });
    let found = found.await.unwrap();
    assert_eq!(user.http.scheduled().await.unwrap(), found);
    found
}

async fn texts(user: &User, channel: ChannelId) -> Vec<String> {
    let page = user.http.messages(channel, Default::default()).await.unwrap();
    page.items.into_iter().map(|message| message.content).collect()
}

on_both! {
    async fn it_is_sent_at_its_time_and_nobody_knew_before(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        let mut raw = Raw::of(&alice).await;
        let later = bob.http.schedule(bob.general(), "나중에", within(&s, 60_000)).await.unwrap();
        assert_eq!(bob.http.scheduled().await.unwrap(), [later]);
        s.advance(59_999);
        assert_eq!(texts(&alice, alice.general()).await.len(), 0);
        assert!(!raw.heard().await.into_iter().any(|frame| matches!(frame.event, Event::Scheduled(_))));
        s.advance(1);
        let heard = alice.next_message().await;
        assert_eq!((heard.content.as_str(), heard.author.id, heard.seq), ("나중에", bob.id, 1));
        becomes(&bob, "nothing is left", <[_]>::is_empty).await;
        assert_eq!(alice.http.scheduled().await.unwrap(), []);
    }

    async fn ones_devices_know_the_same(s: TestServer) {
        let (alice, bob) = s.users().await;
        let both = [&bob, &alice];
        let schedule = async |text: &str| bob.http.schedule(bob.general(), text, within(&s, 60_000)).await.unwrap();
        let (first, second) = (all_converge(&both, schedule("1")).await.id, schedule("2").await.id);
        let earlier = UpdateScheduled { content: Some("one".to_owned()), send_at: Some(within(&s, 30_000)) };
        all_converge(&both, bob.http.update_scheduled(first, &earlier)).await.unwrap();
        all_converge(&both, bob.http.delete_scheduled(second)).await.unwrap();
        all_converge(&both, async {
            s.advance(30_000);
            becomes(&bob, "it was sent", <[_]>::is_empty).await;
        }).await;
        s.advance(60_000);
        assert_eq!(texts(&alice, alice.general()).await, ["one"]);
    }

    async fn what_is_refused_at_its_time_is_kept_with_the_reason_and_can_be_tried_again(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, secret, open, .. } = &cast;
        for (channel, code) in [(secret, NotFound), (open, Forbidden)] {
            let id = member.http.schedule(channel.id, "hi", within(&s, 1_000)).await.unwrap().id;
            member.http.leave_channel(channel.id).await.unwrap();
            settled(member).await;
            all_converge(&[member], async {
                s.advance(1_000);
                becomes(member, "it failed", |all| all.iter().any(|one| one.failed.is_some())).await;
            }).await;
            let failed = member.http.scheduled().await.unwrap()[0].failed.clone().unwrap();
            assert_eq!(failed.code, code, "{failed:?}");
            assert_eq!(texts(owner, channel.id).await.len(), 0);
            let only_text = UpdateScheduled { content: Some("hello".to_owned()), send_at: None };
            assert_eq!(refused(member.http.update_scheduled(id, &only_text).await), Invalid, "its time is over");
            owner.http.add_channel_member(channel.id, member.id).await.unwrap();
            settled(member).await;
            let again = UpdateScheduled { send_at: Some(within(&s, 1_000)), ..only_text };
            let waits = all_converge(&[member], member.http.update_scheduled(id, &again)).await.unwrap();
            assert_eq!(waits.failed, None);
            s.advance(1_000);
            becomes(member, "it was sent", <[_]>::is_empty).await;
            assert_eq!(texts(owner, channel.id).await, ["hello"]);
        }
    }

    async fn a_crash_after_it_was_sent_does_not_send_it_again(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        s.faults.arm("scheduled");
        let id = bob.http.schedule(bob.general(), "once", within(&s, 1_000)).await.unwrap().id;
        s.advance(3_000);
        assert_eq!(alice.next_message().await.content, "once");
        assert_eq!(refused(bob.http.delete_scheduled(id).await), Conflict, "too late");
        let change = UpdateScheduled { content: None, send_at: Some(within(&s, 9_000)) };
        assert_eq!(refused(bob.http.update_scheduled(id, &change).await), Conflict);
        s.tried().await;
        s.advance(2_000);
        becomes(&bob, "nothing is left", <[_]>::is_empty).await;
        assert_eq!(texts(&alice, alice.general()).await, ["once"]);
    }

    async fn what_falls_due_while_the_server_is_down_is_sent_when_it_is_back(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        bob.http.schedule(bob.general(), "late", within(&s, 1_000)).await.unwrap();
        s.stop().await;
        s.advance(5_000);
        s.start_again().await;
        let there = alice.client.wait_for("the message", |state| {
            state.channel_named("general")?.messages().any(|message| message.content == "late").then_some(())
        });
        there.await.unwrap();
    }

    async fn a_reply_can_be_scheduled_too(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await.id;
        let thread = bob.http.follow_thread(root).await.unwrap().id;
        bob.http.schedule(thread, "reply", within(&s, 1_000)).await.unwrap();
        s.advance(1_000);
        becomes(&bob, "it was sent", <[_]>::is_empty).await;
        assert_eq!(texts(&alice, thread).await, ["reply"]);
    }

    async fn text_time_and_number_have_limits(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let soon = within(&s, 1_000);
        let furthest = limits::AHEAD_SECONDS * 1_000;
        for (text, at) in [("", soon), ("hi", within(&s, 0)), ("hi", within(&s, -1)), ("hi", within(&s, furthest + 1))] {
            assert_eq!(refused(alice.http.schedule(general, text, at).await), Invalid);
        }
        let mut ids = Vec::new();
        for n in 0..limits::SCHEDULED_PER_USER {
            ids.push(alice.http.schedule(general, "hi", within(&s, furthest - n)).await.unwrap().id);
        }
        assert_eq!(refused(alice.http.schedule(general, "hi", soon).await), Conflict);
        ids.reverse();
        let listed: Vec<_> = alice.http.scheduled().await.unwrap().iter().map(|one| one.id).collect();
        assert_eq!(listed, ids, "the next first");
        for id in [ids[0], 12_345.into()] {
            assert_eq!(refused(bob.http.update_scheduled(id, &UpdateScheduled::default()).await), NotFound);
            assert_eq!(refused(bob.http.delete_scheduled(id).await), NotFound);
        }
        bob.http.schedule(general, "of another", soon).await.unwrap();
    }

    async fn who_may_schedule(s: TestServer) {
        let cast = Cast::of(&s).await;
        let at = within(&s, 1_000_000);
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            refusals(&cast, expected, |user| user.http.schedule(id, "hi", at)).await;
        }
        refusals(&cast, Expected::ALLOWED, |user| user.http.scheduled()).await;
        let own = cast.member.http.schedule(cast.open.id, "hi", at).await.unwrap().id;
        let change = UpdateScheduled { content: Some("hello".to_owned()), send_at: None };
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.update_scheduled(own, &change)).await;
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.delete_scheduled(own)).await;
    }
}
