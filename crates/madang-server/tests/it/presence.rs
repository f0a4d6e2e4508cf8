//! Presence and typing: who is there, told to those who may know.

use madang_client::proto::{
    Event, UserId,
    error::ErrorCode::Forbidden,
    limits,
    presence::{ChosenStatus, Presence, Status, Typing, UpdateStatus},
};

use crate::support::{Cast, Expected, TestServer, User, on_both, refusals};

fn say(status: ChosenStatus, custom: Option<&str>) -> UpdateStatus {
    UpdateStatus { status, custom_status: custom.map(str::to_owned) }
}

/// The next that is heard of `who`.
async fn told(user: &mut User, who: UserId) -> (Status, Option<String>) {
    let presence = user.next("presence", |event| match event {
        Event::Presence(Presence { user_id, status, custom_status }) if user_id == who => {
            Some((status, custom_status))
        }
        _ => None,
    });
    presence.await
}

async fn next_typing(user: &mut User) -> Typing {
    user.next("typing", |event| if let Event::Typing(typing) = event { Some(typing) } else { None }).await
}

/// Someone's last connection ends and the time passes after which that shows.
async fn goes_offline(s: &TestServer, user: &User, left: u64) {
    user.client.disconnect().await.unwrap();
    s.connections(left).await;
    s.advance(limits::OFFLINE_MS);
}

on_both! {
    async fn coming_and_going_is_told(s: TestServer) {
        let mut alice = s.user("alice").await;
        let bob = s.user("bob").await;
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None));
        goes_offline(&s, &bob, 1).await;
        assert_eq!(told(&mut alice, bob.id).await, (Status::Offline, None));
        assert_eq!(alice.http.presence(bob.id).await.unwrap().status, Status::Offline);
        bob.client.reconnect().await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None));
        assert_eq!(bob.client.state().status_of(alice.id), Status::Online, "READY tells who is there");
    }

    async fn a_short_absence_is_not_told(s: TestServer) {
        let mut alice = s.user("alice").await;
        let bob = s.user("bob").await;
        told(&mut alice, bob.id).await;
        bob.client.disconnect().await.unwrap();
        s.connections(1).await;
        s.advance(limits::OFFLINE_MS - 1);
        bob.client.reconnect().await.unwrap();
        s.advance(limits::OFFLINE_MS);
        bob.http.set_status(bob.id, &say(ChosenStatus::Online, Some("back"))).await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, Some("back".to_owned())), "the first thing told");
    }

    async fn with_two_devices_one_is_there_until_both_are_gone(s: TestServer) {
        let mut alice = s.user("alice").await;
        let bob = s.user("bob").await;
        told(&mut alice, bob.id).await;
        let phone = bob.device().await;
        goes_offline(&s, &bob, 2).await;
        phone.typing(bob.general(), true).await.unwrap();
        next_typing(&mut alice).await;
        assert_eq!(alice.http.presence(bob.id).await.unwrap().status, Status::Online);
        phone.disconnect().await.unwrap();
        s.connections(1).await;
        s.advance(limits::OFFLINE_MS);
        assert_eq!(told(&mut alice, bob.id).await, (Status::Offline, None));
    }

    async fn who_does_nothing_is_away_until_they_do_something(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        s.advance(limits::AWAY_MS);
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None), "as they came in");
        assert_eq!(told(&mut alice, bob.id).await, (Status::Away, None));
        bob.send(bob.general(), "here again").await;
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None));
    }

    async fn one_says_how_one_is(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        told(&mut alice, bob.id).await;
        let lunch = bob.http.set_status(bob.id, &say(ChosenStatus::Away, Some(" 점심 "))).await.unwrap();
        assert_eq!((lunch.status, lunch.custom_status.as_deref()), (Status::Away, Some("점심")));
        assert_eq!(told(&mut alice, bob.id).await, (Status::Away, Some("점심".to_owned())));
        bob.send(bob.general(), "from lunch").await;
        assert_eq!(alice.http.presence(bob.id).await.unwrap(), lunch, "away by choice stays");
        bob.http.set_status(bob.id, &say(ChosenStatus::Online, None)).await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None));
        goes_offline(&s, &bob, 1).await;
        told(&mut alice, bob.id).await;
        let lost = bob.http.set_status(bob.id, &say(ChosenStatus::Away, Some("gone"))).await.unwrap();
        assert_eq!((lost.status, lost.custom_status), (Status::Offline, None), "who is not there has no say");
    }

    async fn a_status_has_one_short_line(s: TestServer) {
        let alice = s.user("alice").await;
        for bad in ["a\nb", &"s".repeat(101)] {
            let error = alice.http.set_status(alice.id, &say(ChosenStatus::Online, Some(bad))).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "custom_status", "{bad:?}");
        }
        let fits = "가".repeat(100);
        let set = alice.http.set_status(alice.id, &say(ChosenStatus::Online, Some(&fits))).await.unwrap();
        assert_eq!(set.custom_status, Some(fits));
    }

    async fn who_may_know_and_who_may_say(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.http.remove_workspace_member(cast.owner.workspace(), cast.stranger.id).await.unwrap();
        let of = cast.member.id;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.presence(of)).await;
        let mut only_oneself = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        (only_oneself.member, only_oneself.admin, only_oneself.owner) = (None, Some(Forbidden), Some(Forbidden));
        let away = say(ChosenStatus::Away, None);
        refusals(&cast, only_oneself, |user| user.http.set_status(of, &away)).await;
        for user in cast.everyone() {
            let own = user.http.set_status(user.id, &say(ChosenStatus::Online, Some(&user.name))).await.unwrap();
            assert_eq!(own.custom_status.as_deref(), Some(user.name.as_str()));
        }
    }

    async fn strangers_are_told_nothing(s: TestServer) {
        let cast = Cast::of(&s).await;
        let mut stranger = s.user("lone").await;
        let first = cast.owner.workspace();
        cast.owner.http.remove_workspace_member(first, stranger.id).await.unwrap();
        let member = &cast.member;
        member.http.set_status(member.id, &say(ChosenStatus::Away, Some("not for strangers"))).await.unwrap();
        // The next that concerns the stranger: they meet again.
        cast.owner.http.add_workspace_member(first, "lone").await.unwrap();
        member.http.set_status(member.id, &say(ChosenStatus::Away, Some("for everyone"))).await.unwrap();
        assert_eq!(told(&mut stranger, member.id).await.1.as_deref(), Some("for everyone"));
        let again = stranger.device().await;
        assert_eq!(again.state().status_of(member.id), Status::Away);
        cast.owner.http.remove_workspace_member(first, stranger.id).await.unwrap();
        let apart = stranger.device().await;
        assert_eq!(apart.state().presence().map(|p| p.user_id).collect::<Vec<_>>(), [], "READY names nobody");
    }

    async fn typing_is_heard_by_the_members_of_the_channel(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (mut inside, mut outside) = (s.user("inside").await, s.user("outside").await);
        for user in [&inside, &outside] {
            cast.owner.http.add_workspace_member(cast.workspace, &user.name).await.unwrap();
        }
        cast.owner.http.add_channel_member(cast.secret.id, inside.id).await.unwrap();
        let member = &cast.member.client;
        member.typing(cast.secret.id, true).await.unwrap();
        member.typing(cast.secret.id, false).await.unwrap();
        member.typing(cast.member.general(), true).await.unwrap();
        for typing in [true, false] {
            let heard = next_typing(&mut inside).await;
            assert_eq!((heard.channel_id, heard.user_id, heard.typing), (cast.secret.id, cast.member.id, typing));
        }
        assert_eq!(next_typing(&mut outside).await.channel_id, cast.member.general(), "the first that they hear");
    }

    async fn who_may_type(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            refusals(&cast, expected, |user| user.client.typing(id, true)).await;
        }
        // Nothing of it is stored.
        assert_eq!(cast.owner.http.channel(cast.open.id).await.unwrap().version, cast.open.version + 3);
    }
}
