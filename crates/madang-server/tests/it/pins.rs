//! Pins: who may, in which order they show, and when they go.

use madang_client::proto::{
    MessageId,
    channels::ChannelKind,
    error::ErrorCode::{self, Conflict, Forbidden, NotFound},
    limits,
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, refusals};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn pinned(user: &User) -> Vec<MessageId> {
    user.http.pins(user.general()).await.unwrap().iter().map(|pin| pin.message.id).collect()
}

on_both! {
    async fn the_newest_pin_stands_first_and_says_who_and_when(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let (first, second) = (alice.send(alice.general(), "1").await, alice.send(alice.general(), "2").await);
        let after = bob.http.pin(second.id).await.unwrap();
        assert_eq!((after.pinned, after.version), (true, second.version + 1));
        s.advance(1_000);
        alice.http.pin(first.id).await.unwrap();
        let pins = alice.http.pins(alice.general()).await.unwrap();
        let shown: Vec<_> = pins.iter().map(|pin| (pin.message.id, pin.user.id, pin.pinned_at)).collect();
        let now = s.clock.now();
        assert_eq!(shown, [(first.id, alice.id, now), (second.id, bob.id, now.plus_millis(-1_000))]);
        assert!(pins.iter().all(|pin| pin.message.pinned));
        assert!(bob.next("the pin", |event| match event {
            madang_client::proto::Event::Message(message) if message.version > second.version => Some(message.pinned),
            _ => None,
        }).await);
        assert!(!bob.http.unpin(first.id).await.unwrap().pinned, "anyone's");
        assert_eq!(pinned(&alice).await, [second.id]);
    }

    async fn pinning_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, secret, .. } = &cast;
        let sent = owner.send(secret.id, "read this").await;
        member.http.react(sent.id, "👍").await.unwrap();
        let everyone = [member, owner, outsider];
        all_converge(&everyone, member.http.pin(sent.id)).await.unwrap();
        assert!(owner.client.state().channel(secret.id).unwrap().message(sent.id).unwrap().pinned);
        all_converge(&everyone, owner.http.update_message(sent.id, "read this too")).await.unwrap();
        all_converge(&everyone, owner.http.unpin(sent.id)).await.unwrap();
        all_converge(&everyone, async {
            owner.http.pin(sent.id).await.unwrap();
            owner.http.delete_message(sent.id).await.unwrap();
        })
        .await;
        assert_eq!(member.http.pins(secret.id).await.unwrap(), []);
    }

    async fn twice_is_once(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        bob.http.react(sent.id, "👍").await.unwrap();
        assert_eq!(alice.http.unpin(sent.id).await.unwrap().version, sent.version + 1, "it was not pinned");
        let first = alice.http.pin(sent.id).await.unwrap();
        assert_eq!(bob.http.pin(sent.id).await.unwrap().version, first.version);
        let pins = bob.http.pins(bob.general()).await.unwrap();
        assert_eq!((pins.len(), pins[0].user.id, pins[0].message.reactions[0].me), (1, alice.id, Some(true)));
    }

    async fn what_is_deleted_is_unpinned_and_cannot_be_pinned(s: TestServer) {
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), "hi").await;
        alice.http.pin(sent.id).await.unwrap();
        alice.http.delete_message(sent.id).await.unwrap();
        assert!(!alice.http.message(sent.id).await.unwrap().pinned);
        assert_eq!(pinned(&alice).await, []);
        assert_eq!(refused(alice.http.pin(sent.id).await), Conflict);
        assert!(!alice.http.unpin(sent.id).await.unwrap().pinned);
        let none = MessageId::from(12_345);
        assert_eq!((refused(alice.http.pin(none).await), refused(alice.http.unpin(none).await)), (NotFound, NotFound));
    }

    async fn a_channel_has_a_hundred_at_most_and_each_its_own(s: TestServer) {
        let alice = s.user("alice").await;
        for n in 0..limits::PINS_PER_CHANNEL {
            let sent = alice.send(alice.general(), &n.to_string()).await;
            alice.http.pin(sent.id).await.unwrap();
        }
        let sent = alice.send(alice.general(), "one more").await;
        assert_eq!(refused(alice.http.pin(sent.id).await), Conflict);
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let elsewhere = alice.send(other, "hi").await;
        assert!(alice.http.pin(elsewhere.id).await.unwrap().pinned);
        let first = pinned(&alice).await.pop().unwrap();
        alice.http.unpin(first).await.unwrap();
        alice.http.pin(sent.id).await.unwrap();
        assert_eq!(pinned(&alice).await.len(), 100);
    }

    async fn who_may_pin(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let message = cast.owner.send(id, "hi").await.id;
            refusals(&cast, expected.accounts(), |user| user.http.pin(message)).await;
            refusals(&cast, expected.accounts(), |user| user.http.unpin(message)).await;
        }
        let elsewhere = cast.owner.channel_in(cast.workspace, "elsewhere", ChannelKind::Public).await.id;
        let message = cast.owner.send(elsewhere, "hi").await.id;
        assert_eq!(refused(cast.admin.http.pin(message).await), Forbidden, "not in it");
    }

    async fn who_may_see_pins(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            refusals(&cast, expected, |user| user.http.pins(id)).await;
        }
    }
}
