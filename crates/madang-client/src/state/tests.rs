//! The rules of versions, one by one; `random.rs` tries them all together.

mod profiles;
mod random;
mod server;

use std::time::{Duration, Instant};

use madang_proto::{
    ChannelId, Event,
    channels::{ChannelAction, ChannelChange, ChannelKind},
    event::{Pong, Resync},
    presence::{Presence, Status, Typing},
    reads::ReadMark,
    workspaces::{MemberAction, MemberChange},
};

use super::{Effect, Reloaded, State};
use server::{GENERAL, ME, Server, WORKSPACE, channel, member, workspace};

const EVE: i64 = 2;

fn general() -> ChannelId {
    GENERAL.into()
}

fn connected(server: &Server) -> State {
    let mut state = State::default();
    assert_eq!(hear(&mut state, server.ready(None, 100)), []);
    state
}

/// A state that has the newest page.
fn opened(server: &Server) -> State {
    let mut state = connected(server);
    load(&mut state, server, None);
    state
}

fn load(state: &mut State, server: &Server, before: Option<i64>) {
    let number = state.expect_page(general());
    assert!(state.put_page(general(), number, Some(&server.page(before, 3))));
}

fn hear(state: &mut State, event: Event) -> Vec<Effect> {
    state.apply(event, Instant::now())
}

fn contents(state: &State) -> Vec<String> {
    state.channel(general()).unwrap().messages().map(|message| message.content.clone()).collect()
}

#[test]
fn live_messages_follow_the_loaded_page_and_doubles_change_nothing() {
    let mut server = Server::new();
    server.send(EVE, "one");
    let mut state = opened(&server);
    let two = server.send(EVE, "two");
    for event in [two.clone(), two, server.send(ME, "three")] {
        assert_eq!(hear(&mut state, event), []);
    }
    assert_eq!(contents(&state), ["one", "two", "three"]);
    let general = state.channel(general()).unwrap();
    assert_eq!((general.facts().last_seq, general.version(), general.unread()), (3, 3, 0));
}

#[test]
fn a_channel_that_was_not_opened_begins_with_what_is_heard() {
    let mut server = Server::new();
    for content in ["one", "two", "three", "four", "five"] {
        server.send(EVE, content);
    }
    let mut state = connected(&server);
    assert_eq!(hear(&mut state, server.edit(0, Some("ONE"))), []);
    assert_eq!(contents(&state), Vec::<String>::new(), "an old message says nothing about the newest");
    hear(&mut state, server.send(EVE, "six"));
    assert_eq!(contents(&state), ["six"]);
    assert!(state.channel(general()).unwrap().has_older());
    load(&mut state, &server, None);
    load(&mut state, &server, Some(4));
    assert_eq!(contents(&state), ["ONE", "two", "three", "four", "five", "six"]);
    assert!(!state.channel(general()).unwrap().has_older());
}

#[test]
fn a_gap_makes_events_wait_and_asks_once_for_the_changes() {
    let mut server = Server::new();
    let mut state = opened(&server);
    let _lost = server.send(EVE, "one");
    let (two, three) = (server.send(EVE, "two"), server.send(EVE, "three"));
    assert_eq!(hear(&mut state, two), [Effect::Changes { channel: general(), after: 0 }]);
    assert_eq!(hear(&mut state, three), [], "it is being asked");
    assert_eq!(contents(&state), Vec::<String>::new());
    assert_eq!(state.put_changes(0, server.changes(0, 100)), []);
    assert_eq!(contents(&state), ["one", "two", "three"]);
    assert_eq!(state.channel(general()).unwrap().version(), 3);
}

#[test]
fn changes_in_several_parts_are_asked_for_until_the_end() {
    let mut server = Server::new();
    let mut state = opened(&server);
    for n in 0..5 {
        server.send(EVE, &n.to_string());
    }
    server.edit(0, Some("edited"));
    let pong = Event::Pong(Pong { versions: [(general(), 6)].into() });
    assert_eq!(hear(&mut state, pong), [Effect::Changes { channel: general(), after: 0 }]);
    let mut effects = state.put_changes(0, server.changes(0, 2));
    let mut asked = 1;
    while let [Effect::Changes { after, .. }] = effects[..] {
        effects = state.put_changes(after, server.changes(after, 2));
        asked += 1;
    }
    assert_eq!(asked, 3);
    assert_eq!(contents(&state), ["edited", "1", "2", "3", "4"]);
}

#[test]
fn a_deleted_message_leaves_a_tombstone_and_an_older_state_does_not_bring_it_back() {
    let mut server = Server::new();
    let one = server.send(EVE, "one");
    let mut state = opened(&server);
    hear(&mut state, server.edit(0, None));
    hear(&mut state, one);
    let message = state.channel(general()).unwrap().messages().next().unwrap().clone();
    assert!(message.deleted_at.is_some() && message.content.is_empty());
}

#[test]
fn a_page_that_was_overtaken_by_an_event_does_not_undo_it() {
    let mut server = Server::new();
    server.send(EVE, "one");
    server.toggle_member(EVE);
    let mut state = connected(&server);
    let (page, members) = (server.page(None, 10), server.member_list());
    let (number, list) = (state.expect_page(general()), state.expect_members(general()));
    hear(&mut state, server.edit(0, Some("edited")));
    hear(&mut state, server.send(EVE, "two"));
    hear(&mut state, server.toggle_member(3));
    hear(&mut state, server.toggle_member(EVE));
    assert!(state.put_page(general(), number, Some(&page)));
    assert!(state.put_members(general(), list, Some(members)));
    assert_eq!(contents(&state), ["edited", "two"]);
    let members: Vec<_> = state.channel(general()).unwrap().members().unwrap().keys().collect();
    assert_eq!(members, [&3.into()]);
}

#[test]
fn a_page_far_away_takes_the_place_of_the_window_and_paging_on_finds_the_newest_again() {
    let mut server = Server::new();
    for n in 1..=12 {
        server.send(EVE, &n.to_string());
    }
    let mut state = opened(&server);
    load(&mut state, &server, Some(4));
    assert_eq!(contents(&state), ["1", "2", "3"]);
    assert!(state.channel(general()).unwrap().has_newer());
    hear(&mut state, server.send(EVE, "13"));
    assert_eq!(contents(&state), ["1", "2", "3"], "the newest is not next to it");
    load(&mut state, &server, Some(7));
    load(&mut state, &server, Some(10));
    let all: Vec<_> = (1..=13).map(|n| n.to_string()).collect();
    assert_eq!(contents(&state), all);
}

#[test]
fn a_returning_client_says_where_it_stands_and_goes_on_from_there() {
    let mut server = Server::new();
    server.send(EVE, "one");
    let mut state = opened(&server);
    server.edit(0, Some("ONE"));
    server.send(EVE, "two");
    server.toggle_member(EVE);
    let resume = state.resume();
    assert_eq!(resume.as_ref().unwrap().channels[&general()], 1);
    assert_eq!(hear(&mut state, server.ready(resume, 100)), []);
    assert_eq!(contents(&state), ["ONE", "two"]);
    assert_eq!(state.channel(general()).unwrap().facts().member_count, 2);
    assert_eq!(state.comparable(), opened(&server).comparable());
}

#[test]
fn a_client_too_far_behind_drops_the_messages_and_loads_a_page_anew() {
    let mut server = Server::new();
    server.send(EVE, "old");
    let mut state = opened(&server);
    for n in 0..40 {
        server.send(EVE, &n.to_string());
    }
    let reload = Effect::Reload { channel: general(), messages: true, members: false };
    let resume = state.resume();
    assert_eq!(hear(&mut state, server.ready(resume, 100)), [reload]);
    let fetched = Reloaded { channel: server.mine(), messages: Some(server.page(None, 3)), members: None };
    let meanwhile = server.send(EVE, "new");
    assert_eq!(hear(&mut state, meanwhile), []);
    assert_eq!(contents(&state), Vec::<String>::new());
    assert_eq!(state.put_reloaded(fetched), []);
    assert_eq!(contents(&state), ["37", "38", "39", "new"]);
    assert_eq!(hear(&mut state, Event::Resync(Resync { channel_id: general() })), [reload]);
    assert_eq!(hear(&mut state, Event::Resync(Resync { channel_id: general() })), [], "it is being done");
}

#[test]
fn read_marks_only_move_on_and_count_the_unread() {
    let mut server = Server::new();
    for n in 0..3 {
        server.send(EVE, &n.to_string());
    }
    let mut state = opened(&server);
    assert_eq!(state.channel(general()).unwrap().unread(), 3);
    let mark = |user: i64, seq: i64| ReadMark {
        channel_id: general(),
        user_id: user.into(),
        message_id: (1_000 + seq).into(),
        seq,
        read_version: Some(0),
    };
    for (user, seq, unread) in [(ME, 2, 1), (ME, 1, 1), (EVE, 3, 1), (ME, 3, 0)] {
        hear(&mut state, Event::ReadReceipt(mark(user, seq)));
        assert_eq!(state.channel(general()).unwrap().unread(), unread);
    }
    assert_eq!(state.channel(general()).unwrap().reads()[&EVE.into()].seq, 3);
    assert_eq!(state.channel(general()).unwrap().reads()[&ME.into()].seq, 3);
}

#[test]
fn typing_is_over_after_six_seconds_or_with_the_message() {
    let mut server = Server::new();
    let mut state = opened(&server);
    let now = Instant::now();
    let typing =
        |user: i64| Event::Typing(Typing { channel_id: general(), user_id: user.into(), typing: true });
    for user in [EVE, 3, ME] {
        state.apply(typing(user), now);
    }
    let who = |state: &State, at| state.channel(general()).unwrap().typing(at).collect::<Vec<_>>();
    assert_eq!(who(&state, now), [EVE.into(), 3.into()], "not oneself");
    state.apply(server.send(EVE, "done"), now);
    assert_eq!(who(&state, now), [3.into()]);
    let later = now + Duration::from_secs(6);
    assert_eq!(state.typing_ends_at(), Some(later));
    assert!(who(&state, later).is_empty());
    state.expire(later);
    assert_eq!(state.typing_ends_at(), None);
}

#[test]
fn presence_is_what_was_said_last() {
    let mut state = connected(&Server::new());
    for status in [Status::Online, Status::Away, Status::Offline] {
        hear(&mut state, Event::Presence(Presence::of(EVE.into(), status, None)));
        assert_eq!(state.status_of(EVE.into()), status);
    }
    assert_eq!(state.presence().count(), 0);
}

#[test]
fn channels_come_and_go_with_ones_membership() {
    let mut state = connected(&Server::new());
    let number = state.expect_directory(WORKSPACE.into());
    assert!(state.put_directory(WORKSPACE.into(), number, Some(vec![])));
    let seen = |state: &State, id: i64| {
        let other = state.directory(WORKSPACE.into()).unwrap().contains_key(&id.into());
        (state.channel(id.into()).is_some(), other)
    };
    let change = |action, id: i64, joined: Option<bool>, kind| {
        let channel = madang_proto::channels::Channel { joined, kind, ..channel(id) };
        Event::Channel(ChannelChange { action, channel })
    };
    let (public, private) = (ChannelKind::Public, ChannelKind::Private);
    hear(&mut state, change(ChannelAction::Created, 7, None, public));
    assert_eq!(seen(&state, 7), (false, true));
    hear(&mut state, change(ChannelAction::Created, 7, Some(true), public));
    assert_eq!(seen(&state, 7), (true, false));
    hear(&mut state, change(ChannelAction::Created, 8, Some(true), private));
    assert_eq!(seen(&state, 8), (true, false));
    for id in [7, 8] {
        hear(
            &mut state,
            Event::Member(MemberChange {
                action: MemberAction::Left,
                workspace_id: WORKSPACE.into(),
                channel_id: Some(id.into()),
                member: member(ME),
                version: Some(1),
            }),
        );
    }
    assert_eq!((seen(&state, 7), seen(&state, 8)), ((false, true), (false, false)));
    hear(&mut state, change(ChannelAction::Deleted, 7, None, public));
    assert_eq!(seen(&state, 7), (false, false));
}

#[test]
fn members_of_a_workspace_are_kept_and_asked_for_again_after_a_return() {
    let server = Server::new();
    let mut state = connected(&server);
    let number = state.expect_workspace_members(WORKSPACE.into());
    assert!(state.put_workspace_members(WORKSPACE.into(), number, Some(vec![member(ME)])));
    let change = |action, user: i64| {
        Event::Member(MemberChange {
            action,
            workspace_id: WORKSPACE.into(),
            channel_id: None,
            member: member(user),
            version: None,
        })
    };
    hear(&mut state, change(MemberAction::Joined, EVE));
    assert_eq!(state.workspace_members(WORKSPACE.into()).unwrap().len(), 2);
    let resume = state.resume();
    let effects = hear(&mut state, server.ready(resume, 100));
    assert_eq!(effects, [Effect::WorkspaceMembers(WORKSPACE.into())]);
    hear(&mut state, change(MemberAction::Left, ME));
    assert!(state.workspace(WORKSPACE.into()).is_none() && state.channels().count() == 0);
    let unknown = madang_proto::workspaces::Workspace { role: None, ..workspace() };
    let effects = hear(&mut state, Event::Workspace(unknown));
    let asked = [Effect::Workspace(WORKSPACE.into()), Effect::Watch];
    assert_eq!(effects, asked, "the role is not in the event, nor who is there");
}

#[test]
fn a_stored_message_is_no_longer_on_its_way_though_its_acknowledgement_was_lost() {
    let mut server = Server::new();
    let mut state = opened(&server);
    state.outbox.push(general(), "nonce1", "mine", Vec::new());
    hear(&mut state, server.send(ME, "mine"));
    assert!(state.outbox.is_empty());
    state.outbox.push(general(), "nonce2", "mine too", Vec::new());
    hear(&mut state, server.send(EVE, "hers, with the same nonce"));
    assert!(!state.outbox.is_empty());
}
