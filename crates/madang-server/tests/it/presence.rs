//! Presence and typing: who is there, told to those who may know.

use madang_client::{
    State,
    proto::{
        Event, UserId,
        channels::ChannelKind,
        command::{Hello, Subscribe},
        error::ErrorCode::Forbidden,
        limits,
        presence::{ChosenStatus, Presence, Status, Typing, UserStatus},
        workspaces::CreateWorkspace,
    },
};
use serde_json::{Value, json};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals};

fn say(status: ChosenStatus, custom: Option<&str>) -> UserStatus {
    UserStatus { status, custom_status: custom.map(str::to_owned), ..UserStatus::default() }
}

/// The next that is heard of `who`.
async fn told(user: &mut User, who: UserId) -> (Status, Option<String>) {
    let presence = user.next("presence", |event| match event {
        Event::Presence(Presence { user_id, status, custom_status, .. }) if user_id == who => {
            Some((status, custom_status))
        }
        _ => None,
    });
    presence.await
}

async fn next_typing(user: &mut User) -> Typing {
    user.next("typing", |event| if let Event::Typing(typing) = event { Some(typing) } else { None }).await
}

/// Waits until a user's client knows exactly these as there, and this number of the first workspace.
async fn knows(user: &User, there: &[&User], online: Option<u32>) {
    let ids = sorted(there.iter().map(|user| user.id).collect());
    let known = user.client.wait_for("presence", |state| {
        let known: Vec<_> = state.presence().map(|presence| presence.user_id).collect();
        let number = state.workspaces().next().and_then(|workspace| state.online(workspace.id));
        (known == ids && number == online).then_some(())
    });
    if known.await.is_err() {
        let state = user.client.state();
        let known: Vec<_> = state.presence().collect();
        panic!("{} knows {known:?}, not {ids:?}; number {online:?}", user.name);
    }
}

async fn wait_for_status(user: &User, of: UserId, status: Status) {
    let known = user.client.wait_for("a status", |state| (state.status_of(of) == status).then_some(()));
    known.await.unwrap();
}

fn watch(ids: &[UserId]) -> Value {
    json!({"type": "WATCH", "payload": {"user_ids": ids}})
}

fn sorted(mut ids: Vec<UserId>) -> Vec<UserId> {
    ids.sort();
    ids
}

/// Of whom a connection was told until now.
async fn told_of(raw: &mut Raw) -> Vec<UserId> {
    let told = raw.heard().await.into_iter();
    told.filter_map(|f| if let Event::Presence(p) = f.event { Some(p.user_id) } else { None }).collect()
}

/// Waits until a connection was told of exactly these, in this order.
async fn wait_until_told(raw: &mut Raw, ids: &[UserId]) {
    for id in ids {
        loop {
            if let Event::Presence(presence) = raw.next().await.unwrap().event {
                assert_eq!(presence.user_id, *id);
                break;
            }
        }
    }
}

/// The next answer to `WATCH`.
async fn watched(raw: &mut Raw) -> Vec<Presence> {
    loop {
        if let Event::Watched(watched) = raw.next().await.unwrap().event {
            return watched.presence;
        }
    }
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

    async fn what_people_say_of_themselves_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let both = [&bob, &alice];
        all_converge(&both, bob.http.set_status(bob.id, &say(ChosenStatus::Away, Some("점심")))).await.unwrap();
        wait_for_status(&alice, bob.id, Status::Away).await;
        all_converge(&both, bob.client.typing(bob.general(), true)).await.unwrap();
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
        assert_eq!(told(&mut alice, bob.id).await, (Status::Online, None), "as they came in");
        s.advance(limits::AWAY_MS);
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
        let kept = bob.http.set_status(bob.id, &say(ChosenStatus::Away, Some("gone"))).await.unwrap();
        assert_eq!((kept.status, kept.custom_status.as_deref()), (Status::Offline, Some("gone")));
        bob.client.reconnect().await.unwrap();
        assert_eq!(told(&mut alice, bob.id).await, (Status::Away, Some("gone".to_owned())), "kept until they are back");
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
        wait_for_status(&cast.owner, member.id, Status::Away).await;
        // The next that concerns the stranger: they meet again.
        cast.owner.http.add_workspace_member(first, "lone").await.unwrap();
        member.http.set_status(member.id, &say(ChosenStatus::Away, Some("for everyone"))).await.unwrap();
        assert_eq!(told(&mut stranger, member.id).await.1.as_deref(), Some("for everyone"));
        let again = stranger.device().await;
        assert_eq!(again.state().status_of(member.id), Status::Away);
        cast.owner.http.remove_workspace_member(first, stranger.id).await.unwrap();
        let apart = stranger.device().await;
        assert_eq!(apart.state().presence().map(|p| p.user_id).collect::<Vec<_>>(), [stranger.id], "only oneself");
    }

    async fn in_a_crowd_the_number_is_told_and_nobody_by_name(s: TestServer) {
        let s = s.counting_people(5, 3).await;
        let alice = s.user("alice").await;
        let mut observer = Raw::of(&alice).await.and_presence();
        let mut crowd = Vec::new();
        for at in 1..=30 {
            crowd.push(s.guest(&at.to_string()).await);
        }
        let (mut named, mut counts) = (Vec::new(), Vec::new());
        while counts.last() != Some(&31) {
            match observer.next().await.unwrap().event {
                Event::Presence(presence) if presence.user_id != alice.id => named.push(presence.user_id),
                Event::Online(online) => {
                    assert!(!online.named);
                    counts.push(online.online);
                }
                _ => {}
            }
        }
        let first_few: Vec<_> = crowd.iter().map(|guest| guest.id).take(4).collect();
        assert!(named.iter().all(|id| first_few.contains(id)), "named were {named:?}");
        assert!(counts.is_sorted() && counts.len() <= 30, "{counts:?}");
        let (_, ready) = Raw::with(&crowd[0], Hello::default()).await;
        assert_eq!(ready.presence.iter().map(|p| p.user_id).collect::<Vec<_>>(), [crowd[0].id], "only oneself");
        assert_eq!((ready.online[0].online, ready.online[0].named), (31, false));
        for user in [&alice, &crowd[0], &crowd[29]] {
            knows(user, &[user], Some(31)).await;
        }
    }

    async fn whoever_lived_through_it_knows_who_is_there_when_the_crowd_has_gone(s: TestServer) {
        let s = s.counting_people(3, 2).await;
        let (alice, bob) = s.users().await;
        let (carol, dave) = (s.user("carol").await, s.user("dave").await);
        for user in [&alice, &bob, &carol, &dave] {
            knows(user, &[user], Some(4)).await;
        }
        goes_offline(&s, &dave, 3).await;
        knows(&alice, &[&alice], Some(3)).await;
        goes_offline(&s, &carol, 2).await;
        for user in [&alice, &bob] {
            knows(user, &[&alice, &bob], None).await;
        }
        dave.client.reconnect().await.unwrap();
        for user in [&alice, &bob, &dave] {
            knows(user, &[&alice, &bob, &dave], None).await;
        }
        carol.client.reconnect().await.unwrap();
        for user in [&alice, &bob, &carol, &dave] {
            knows(user, &[user], Some(4)).await;
        }
    }

    async fn in_a_crowd_one_hears_of_those_whom_one_watches_and_of_oneself(s: TestServer) {
        let s = s.counting_people(2, 1).await;
        let (alice, bob) = s.users().await;
        let (carol, dave) = (s.user("carol").await, s.user("dave").await);
        knows(&alice, &[&alice], Some(4)).await;
        alice.client.watch_people([bob.id, carol.id]).await.unwrap();
        knows(&alice, &[&alice, &bob, &carol], Some(4)).await;
        let (mut watcher, mut phone) = (Raw::of(&alice).await.and_presence(), Raw::of(&alice).await.and_presence());
        watcher.ask(watch(&[bob.id, alice.id])).await.unwrap();
        for user in [&dave, &bob, &alice] {
            user.http.set_status(user.id, &say(ChosenStatus::Away, None)).await.unwrap();
        }
        wait_for_status(&alice, bob.id, Status::Away).await;
        wait_for_status(&alice, alice.id, Status::Away).await;
        assert_eq!(sorted(told_of(&mut watcher).await), sorted(vec![bob.id, alice.id]), "each once");
        assert_eq!(told_of(&mut phone).await, [alice.id]);
        // What is watched before is so no more.
        watcher.ask(watch(&[dave.id])).await.unwrap();
        for user in [&bob, &dave] {
            user.http.set_status(user.id, &say(ChosenStatus::Online, None)).await.unwrap();
        }
        wait_for_status(&alice, bob.id, Status::Online).await;
        phone.ask(watch(&[dave.id])).await.unwrap();
        wait_until_told(&mut watcher, &[dave.id]).await;
        // It holds over a reconnect.
        alice.client.disconnect().await.unwrap();
        alice.client.reconnect().await.unwrap();
        knows(&alice, &[&alice, &bob, &carol], Some(4)).await;
        goes_offline(&s, &carol, 5).await;
        knows(&alice, &[&alice, &bob], Some(3)).await;
    }

    async fn who_shares_a_small_and_a_large_workspace_hears_it_once(s: TestServer) {
        let s = s.counting_people(3, 2).await;
        let (alice, bob) = s.users().await;
        let _crowd = (s.user("carol").await, s.user("dave").await);
        let body = CreateWorkspace { name: "Small".to_owned(), allow_guests: false };
        for _ in 0..2 {
            let small = alice.http.create_workspace(&body).await.unwrap().id;
            alice.http.add_workspace_member(small, "bob").await.unwrap();
        }
        knows(&alice, &[&alice, &bob], Some(4)).await;
        bob.http.set_status(bob.id, &say(ChosenStatus::Online, Some("all that was is told"))).await.unwrap();
        let told = |state: &State| state.presence().any(|p| p.custom_status.is_some()).then_some(());
        alice.client.wait_for("what was told so far", told).await.unwrap();
        let mut watcher = Raw::of(&alice).await.and_presence();
        watcher.ask(watch(&[bob.id])).await.unwrap();
        bob.http.set_status(bob.id, &say(ChosenStatus::Away, None)).await.unwrap();
        wait_for_status(&alice, bob.id, Status::Away).await;
        bob.http.set_status(bob.id, &say(ChosenStatus::Online, None)).await.unwrap();
        wait_for_status(&alice, bob.id, Status::Online).await;
        assert_eq!(told_of(&mut watcher).await, [bob.id, bob.id], "away once and back once");
    }

    async fn whom_one_may_watch(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.http.remove_workspace_member(cast.owner.workspace(), cast.stranger.id).await.unwrap();
        let of = cast.member.id;
        for user in cast.everyone() {
            let mut raw = Raw::of(user).await.and_presence();
            raw.ask(watch(&[of, 12_345.into()])).await.unwrap();
            let seen = watched(&mut raw).await;
            let how = |id: UserId| seen.iter().find(|p| p.user_id == id).unwrap().status;
            let expected = if user.id == cast.stranger.id { Status::Offline } else { Status::Online };
            assert_eq!((how(of), how(12_345.into())), (expected, Status::Offline), "{}", user.name);
        }
        let mut raw = Raw::of(&cast.owner).await.and_presence();
        let many: Vec<UserId> = (0..=i64::try_from(limits::WATCH_PEOPLE).unwrap()).map(UserId::from).collect();
        assert_eq!(raw.ask(watch(&many)).await, Err(json!("invalid")));
        raw.ask(watch(&many[1..])).await.unwrap();
        let hello = Hello { subscribe: Subscribe::None, ..Hello::default() };
        let (mut apart, _) = Raw::with(&cast.owner, hello).await;
        assert_eq!(apart.ask(watch(&[of])).await, Err(json!("conflict")));
    }

    async fn who_was_put_out_of_a_crowd_watches_nobody_in_it_and_is_seen_by_none(s: TestServer) {
        let s = s.counting_people(1, 0).await;
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        for user in [&alice, &carol] {
            user.client.watch_people([bob.id]).await.unwrap();
            knows(user, &[user, &bob], Some(3)).await;
        }
        bob.client.watch_people([alice.id]).await.unwrap();
        knows(&bob, &[&bob, &alice], Some(3)).await;
        let mut raw = Raw::of(&bob).await.and_presence();
        raw.ask(watch(&[alice.id])).await.unwrap();
        alice.http.remove_workspace_member(alice.workspace(), bob.id).await.unwrap();
        knows(&alice, &[&alice], Some(2)).await;
        knows(&bob, &[&bob], None).await;
        // That she came may have been told while he still watched.
        told_of(&mut raw).await;
        for (who, by) in [(&alice, &carol), (&bob, &bob)] {
            who.http.set_status(who.id, &say(ChosenStatus::Away, None)).await.unwrap();
            by.client.watch_people([who.id]).await.unwrap();
        }
        wait_for_status(&carol, alice.id, Status::Away).await;
        assert_eq!(told_of(&mut raw).await.iter().filter(|id| **id == alice.id).count(), 0);
        assert_eq!(alice.client.state().status_of(bob.id), Status::Offline);
    }

    async fn who_comes_into_a_workspace_knows_who_is_there_and_is_known(s: TestServer) {
        let (alice, bob) = s.users().await;
        let lone = s.user("lone").await;
        let first = alice.workspace();
        alice.http.remove_workspace_member(first, lone.id).await.unwrap();
        knows(&alice, &[&alice, &bob], None).await;
        knows(&lone, &[&lone], None).await;
        alice.http.add_workspace_member(first, "lone").await.unwrap();
        for user in [&alice, &bob, &lone] {
            knows(user, &[&alice, &bob, &lone], None).await;
        }
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

    async fn typing_that_is_repeated_is_told_again_after_a_while(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        let (general, other) = (alice.general(), alice.channel("other", ChannelKind::Public).await.id);
        bob.client.join(other).await.unwrap();
        for _ in 0..2 {
            for typing in [true, true, true, false, false] {
                bob.client.typing(general, typing).await.unwrap();
            }
            bob.client.typing(other, true).await.unwrap();
            for expected in [(general, true), (general, false), (other, true)] {
                let heard = next_typing(&mut alice).await;
                assert_eq!((heard.channel_id, heard.typing), expected);
            }
            s.advance(limits::TYPING_REPEAT_MS);
        }
    }

    async fn in_a_large_channel_nobody_is_told_who_types(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        s.guests(limits::READ_RECEIPT_MEMBERS).await;
        let small = alice.channel("small", ChannelKind::Public).await.id;
        bob.client.join(small).await.unwrap();
        for typing in [true, false, true] {
            bob.client.typing(bob.general(), typing).await.unwrap();
        }
        bob.client.typing(small, true).await.unwrap();
        assert_eq!(next_typing(&mut alice).await.channel_id, small, "the first that she hears");
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
