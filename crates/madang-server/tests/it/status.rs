//! What people say of themselves: on all devices, kept until its time is over, told to those who are there.

use madang_client::{
    Client,
    proto::{
        Event, Timestamp, UserId,
        error::ErrorCode::{Forbidden, NotFound},
        limits,
        presence::{ChosenStatus, Presence, Status, UserStatus},
    },
};

use crate::support::{Cast, TestServer, User, on_both};

fn within(s: &TestServer, ms: i64) -> Option<Timestamp> {
    Some(s.clock.now().plus_millis(ms))
}

fn chosen(status: ChosenStatus) -> UserStatus {
    UserStatus { status, ..UserStatus::default() }
}

/// Not to be disturbed, with words and an emoji.
fn focused() -> UserStatus {
    let (custom_status, emoji) = (Some("집중".to_owned()), Some("🎧".to_owned()));
    UserStatus { custom_status, emoji, ..chosen(ChosenStatus::Dnd) }
}

async fn says(user: &User, status: &UserStatus) -> Presence {
    user.http.set_status(user.id, status).await.unwrap()
}

/// The next that is heard of `who`.
async fn told(user: &mut User, who: UserId) -> Presence {
    let of = |event| if let Event::Presence(p) = event { Some(p).filter(|p| p.user_id == who) } else { None };
    user.next("presence", of).await
}

/// A device does something.
async fn used(device: &Client, user: &User) {
    device.typing(user.general(), true).await.unwrap();
    device.typing(user.general(), false).await.unwrap();
}

/// A device is closed; so many connections are left.
async fn closed(s: &TestServer, device: &Client, left: u64) {
    device.disconnect().await.unwrap();
    s.connections(left).await;
    s.advance(limits::OFFLINE_MS);
}

on_both! {
    async fn it_outlives_ones_connections_and_the_server(s: TestServer) {
        let (mut s, (mut alice, bob)) = { let users = s.users().await; (s, users) };
        told(&mut alice, bob.id).await;
        let shown = Presence::of(bob.id, Status::Dnd, Some(&focused()));
        assert_eq!(says(&bob, &focused()).await, shown);
        assert_eq!(told(&mut alice, bob.id).await, shown);
        closed(&s, &bob.client, 1).await;
        assert_eq!(told(&mut alice, bob.id).await, Presence::offline(bob.id), "nobody is told more");
        let away = Presence { status: Status::Offline, ..shown.clone() };
        assert_eq!(alice.http.presence(bob.id).await.unwrap(), away, "who asks is");
        s.restart().await;
        assert_eq!(alice.http.presence(bob.id).await.unwrap(), away);
        let phone = bob.device().await;
        assert_eq!(bob.http.presence(bob.id).await.unwrap(), shown);
        let known = phone.wait_for("one's own", |state| state.presence_of(bob.id).cloned());
        assert_eq!(known.await.unwrap(), shown);
        says(&bob, &UserStatus::default()).await;
        assert_eq!(bob.http.presence(bob.id).await.unwrap(), Presence::of(bob.id, Status::Online, None));
    }

    async fn each_part_goes_at_its_time_whether_one_is_there_or_not(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        told(&mut alice, bob.id).await;
        let until = UserStatus { expires_at: within(&s, 60_000), dnd_until: within(&s, 120_000), ..focused() };
        says(&bob, &until).await;
        assert_eq!(told(&mut alice, bob.id).await, Presence::of(bob.id, Status::Dnd, Some(&until)));
        s.advance(60_000);
        let left = UserStatus { dnd_until: until.dnd_until, ..chosen(ChosenStatus::Dnd) };
        assert_eq!(told(&mut alice, bob.id).await, Presence::of(bob.id, Status::Dnd, Some(&left)));
        s.advance(60_000);
        assert_eq!(told(&mut alice, bob.id).await, Presence::of(bob.id, Status::Online, None));
        let emoji = UserStatus { custom_status: None, status: ChosenStatus::Online, ..focused() };
        says(&bob, &UserStatus { expires_at: within(&s, 60_000), ..emoji }).await;
        assert_eq!(told(&mut alice, bob.id).await.emoji.as_deref(), Some("🎧"));
        closed(&s, &bob.client, 1).await;
        told(&mut alice, bob.id).await;
        s.advance(60_000);
        assert_eq!(alice.http.presence(bob.id).await.unwrap(), Presence::offline(bob.id));
        bob.client.reconnect().await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await, Presence::of(bob.id, Status::Online, None));
    }

    async fn with_two_devices_the_one_that_is_used_counts_and_a_choice_holds_for_both(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        told(&mut alice, bob.id).await;
        let phone = bob.device().await;
        s.advance(limits::AWAY_MS - 1);
        used(&phone, &bob).await;
        s.advance(limits::AWAY_MS - 1);
        used(&bob.client, &bob).await;
        assert_eq!(alice.http.presence(bob.id).await.unwrap().status, Status::Online, "one or the other was used");
        s.advance(limits::AWAY_MS);
        let mut heard = told(&mut alice, bob.id).await.status;
        assert_eq!(heard, Status::Away, "both are idle: the first that is told");
        used(&phone, &bob).await;
        heard = told(&mut alice, bob.id).await.status;
        assert_eq!(heard, Status::Online);
        for (choice, status) in [(ChosenStatus::Away, Status::Away), (ChosenStatus::Dnd, Status::Dnd)] {
            says(&bob, &chosen(choice)).await;
            assert_eq!(told(&mut alice, bob.id).await.status, status);
            used(&phone, &bob).await;
            used(&bob.client, &bob).await;
            assert_eq!(alice.http.presence(bob.id).await.unwrap().status, status, "by choice, whatever is used");
        }
        closed(&s, &phone, 2).await;
        s.advance(limits::AWAY_MS);
        assert_eq!(alice.http.presence(bob.id).await.unwrap().status, Status::Dnd, "one is left, and idle");
        closed(&s, &bob.client, 1).await;
        heard = told(&mut alice, bob.id).await.status;
        assert_eq!(heard, Status::Offline, "the next that is told");
        phone.reconnect().await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await.status, Status::Dnd);
    }

    async fn what_makes_no_sense_is_refused(s: TestServer) {
        let alice = s.user("alice").await;
        let far = within(&s, limits::AHEAD_SECONDS * 1_000 + 1);
        let soon = within(&s, 1);
        for (field, bad) in [
            ("emoji", UserStatus { emoji: Some("ab".to_owned()), ..UserStatus::default() }),
            ("emoji", UserStatus { emoji: Some("👍👍".to_owned()), ..UserStatus::default() }),
            ("expires_at", UserStatus { expires_at: soon, ..UserStatus::default() }),
            ("expires_at", UserStatus { expires_at: within(&s, 0), ..focused() }),
            ("expires_at", UserStatus { expires_at: far, ..focused() }),
            ("dnd_until", UserStatus { dnd_until: far, ..focused() }),
            ("dnd_until", UserStatus { dnd_until: within(&s, -1), ..focused() }),
            ("dnd_until", UserStatus { dnd_until: soon, ..chosen(ChosenStatus::Away) }),
        ] {
            let error = alice.http.set_status(alice.id, &bad).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, field, "{bad:?}");
        }
        let heart = UserStatus { emoji: Some("\u{2764}".to_owned()), ..UserStatus::default() };
        assert_eq!(says(&alice, &heart).await.emoji.as_deref(), Some("\u{2764}\u{FE0F}"));
    }

    async fn nobody_speaks_for_another(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.http.remove_workspace_member(cast.owner.workspace(), cast.stranger.id).await.unwrap();
        for (user, code) in [(&cast.admin, Forbidden), (&cast.stranger, NotFound)] {
            let answer = user.http.set_status(cast.member.id, &focused()).await;
            assert_eq!(answer.unwrap_err().code(), Some(code), "{}", user.name);
        }
        let of = cast.member.http.presence(cast.member.id).await.unwrap();
        assert_eq!(of, Presence::of(cast.member.id, Status::Online, None));
    }
}
