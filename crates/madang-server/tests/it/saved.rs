//! Saved messages: one's own alone, on all one's devices, as far as one may still see them.

use madang_client::proto::{
    Event, MessageId,
    channels::ChannelKind,
    error::ErrorCode::{self, Conflict, NotFound},
    limits,
    saved::SavedQuery,
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn saved(user: &User) -> Vec<MessageId> {
    user.http.all_saved().await.unwrap().iter().map(|saved| saved.message.id).collect()
}

on_both! {
    async fn what_was_saved_last_stands_first_and_nobody_else_knows(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (first, second) = (alice.send(alice.general(), "1").await, alice.send(alice.general(), "2").await);
        alice.http.react(first.id, "👍").await.unwrap();
        let mut raw = Raw::of(&alice).await;
        bob.http.save(first.id).await.unwrap();
        s.advance(1_000);
        bob.http.save(second.id).await.unwrap();
        bob.http.save(first.id).await.unwrap();
        let list = bob.http.all_saved().await.unwrap();
        let now = s.clock.now();
        let shown: Vec<_> = list.iter().map(|saved| (saved.message.id, saved.saved_at)).collect();
        assert_eq!(shown, [(second.id, now), (first.id, now.plus_millis(-1_000))], "twice is once");
        assert_eq!(list[1].message, bob.http.message(first.id).await.unwrap());
        assert_eq!(saved(&alice).await, []);
        let told = raw.heard().await.into_iter().any(|frame| matches!(frame.event, Event::Saved(_)));
        assert!(!told);
        bob.http.unsave(second.id).await.unwrap();
        bob.http.unsave(second.id).await.unwrap();
        assert_eq!(saved(&bob).await, [first.id]);
    }

    async fn ones_devices_know_the_same(s: TestServer) {
        let (alice, bob) = s.users().await;
        let other = alice.channel("other", ChannelKind::Private).await.id;
        alice.http.add_channel_member(other, bob.id).await.unwrap();
        let (here, there) = (alice.send(alice.general(), "here").await, alice.send(other, "there").await);
        let both = [&bob, &alice];
        all_converge(&both, bob.http.save(here.id)).await.unwrap();
        all_converge(&both, bob.http.save(there.id)).await.unwrap();
        assert_eq!(bob.client.state().saved().unwrap().len(), 2);
        all_converge(&both, bob.http.unsave(here.id)).await.unwrap();
        all_converge(&both, bob.http.leave_channel(other)).await.unwrap();
        assert_eq!(bob.client.state().saved().unwrap().len(), 0);
        all_converge(&both, alice.http.add_channel_member(other, bob.id)).await.unwrap();
        assert_eq!(bob.client.state().saved().unwrap().len(), 1, "it was only out of sight");
        all_converge(&both, alice.http.delete_message(there.id)).await.unwrap();
        assert_eq!(bob.client.state().saved().unwrap().len(), 0);
    }

    async fn only_what_one_may_still_see_is_shown(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, secret, open, .. } = &cast;
        let mut sent = Vec::new();
        for id in [secret.id, open.id, secret.id] {
            sent.push(owner.send(id, "hi").await.id);
            member.http.save(*sent.last().unwrap()).await.unwrap();
        }
        assert_eq!(saved(member).await, [sent[2], sent[1], sent[0]]);
        owner.http.delete_message(sent[2]).await.unwrap();
        assert_eq!(saved(member).await, [sent[1], sent[0]]);
        member.http.leave_channel(secret.id).await.unwrap();
        member.http.leave_channel(open.id).await.unwrap();
        assert_eq!(saved(member).await, [sent[1]], "the public one is still seen");
        owner.http.delete_channel(open.id).await.unwrap();
        assert_eq!(saved(member).await, []);
        owner.http.remove_workspace_member(*workspace, member.id).await.unwrap();
        assert_eq!(saved(member).await, []);
        member.http.unsave(sent[0]).await.unwrap();
        settled(member).await;
    }

    async fn they_come_in_pages_and_are_a_thousand_at_most(s: TestServer) {
        let alice = s.user("alice").await;
        let mut sent = Vec::new();
        for n in 0..limits::SAVED_PER_USER {
            sent.push(alice.send(alice.general(), &n.to_string()).await.id);
            alice.http.save(sent[sent.len() - 1]).await.unwrap();
        }
        let more = alice.send(alice.general(), "one more").await.id;
        assert_eq!(refused(alice.http.save(more).await), Conflict);
        alice.http.save(sent[0]).await.unwrap();
        sent.reverse();
        assert_eq!(saved(&alice).await, sent);
        let page = alice.http.saved(SavedQuery { limit: Some(3), before: None }).await.unwrap();
        assert_eq!((page.items.len(), page.next_cursor.is_some(), page.prev_cursor), (3, true, None));
        assert!(alice.http.saved(SavedQuery { limit: Some(0), before: None }).await.is_err());
    }

    async fn what_is_not_there_or_deleted_cannot_be_saved(s: TestServer) {
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), "hi").await.id;
        alice.http.delete_message(sent).await.unwrap();
        assert_eq!(refused(alice.http.save(sent).await), Conflict);
        assert_eq!(refused(alice.http.save(12_345.into()).await), NotFound);
        alice.http.unsave(12_345.into()).await.unwrap();
    }

    async fn who_may_save(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let message = cast.owner.send(id, "hi").await.id;
            refusals(&cast, expected, |user| user.http.save(message)).await;
            refusals(&cast, Expected::ALLOWED, |user| user.http.unsave(message)).await;
        }
        refusals(&cast, Expected::ALLOWED, |user| user.http.saved(SavedQuery::default())).await;
    }
}
