//! How people show, in whatever order events and answers come.

use madang_proto::{
    accounts::User,
    event::Ready,
    profiles::{UserChange, UserChanges},
};

use super::{
    server::{Server, user},
    *,
};

/// Eve under another name.
fn called(name: &str) -> User {
    let mut eve = user(EVE);
    name.clone_into(&mut eve.summary.display_name);
    eve
}

fn told(name: &str, version: i64) -> Event {
    Event::User(UserChange { user: called(name), version })
}

/// `READY`, which says how new profiles are.
fn ready(server: &Server, state: &State, users_version: i64) -> Event {
    match server.ready(state.resume(), 100) {
        Event::Ready(ready) => Event::Ready(Box::new(Ready { users_version, ..*ready })),
        other => other,
    }
}

/// What the authors of the loaded messages are called.
fn authors(state: &State) -> Vec<&str> {
    let messages = state.channel(general()).unwrap().messages();
    messages.map(|message| message.author.display_name.as_str()).collect()
}

#[test]
fn who_changes_shows_so_in_all_that_is_loaded_and_in_what_comes_late() {
    let mut server = Server::new();
    server.send(EVE, "one");
    let mut state = opened(&server);
    let number = state.expect_workspace_members(WORKSPACE.into());
    state.put_workspace_members(WORKSPACE.into(), number, Some(vec![member(ME), member(EVE)]));
    let number = state.expect_page(general());
    assert_eq!(hear(&mut state, told("Eva", 1)), []);
    hear(&mut state, server.send(EVE, "under the old name, as it was when it was sent"));
    assert!(state.put_page(general(), number, Some(&server.page(None, 3))));
    assert_eq!(authors(&state), ["Eva", "Eva"]);
    let members = state.workspace_members(WORKSPACE.into()).unwrap();
    assert_eq!(members[&EVE.into()].user.display_name, "Eva");
    assert_eq!(state.user(EVE.into()).unwrap().display_name, "Eva");
    assert_eq!(state.me().unwrap().summary.display_name, "user1");
}

#[test]
fn what_changed_while_away_is_asked_for_once_and_never_takes_the_place_of_what_is_newer() {
    let mut server = Server::new();
    server.send(EVE, "one");
    let mut state = opened(&server);
    let back = ready(&server, &state, 3);
    assert_eq!(hear(&mut state, back), [Effect::Users { after: 0 }]);
    hear(&mut state, told("Eva", 4));
    let old = UserChanges { users: vec![called("Evi")], version: 3, more: false };
    state.put_user_changes(old);
    assert_eq!(authors(&state), ["Eva"], "it was read before that");
    hear(&mut state, told("Evi", 3));
    assert_eq!(authors(&state), ["Eva"], "told late");
    let (again, put_back) = (ready(&server, &state, 4), ready(&server, &state, 2));
    assert_eq!(hear(&mut state, again), [], "all was heard");
    assert_eq!(hear(&mut state, put_back), [], "of another time");
    hear(&mut state, told("Evi", 3));
    assert_eq!(authors(&state), ["Evi"]);
}
