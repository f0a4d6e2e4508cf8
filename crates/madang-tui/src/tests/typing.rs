//! What keys do.

use std::time::Duration;

use madang_client::{
    Error,
    proto::{event::Pong, presence::Typing},
    status::{EndReason, OfflineReason},
};

use super::*;
use crate::{dialogs::Dialog, login::Mode, model::SignIn};

fn form(keys: &[KeyCode]) -> (Model, Vec<Cmd>) {
    let mut model = Model::new("http://localhost:8080", None, TimeZone::UTC, Instant::now());
    let cmds = keys.iter().flat_map(|code| update(&mut model, Msg::Key(KeyEvent::from(*code)))).collect();
    (model, cmds)
}

fn keys(text: &str) -> Vec<KeyCode> {
    text.chars().map(|c| if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }).collect()
}

#[test]
fn one_logs_in_with_name_and_password() {
    let (_, cmds) = form(&keys("지민\n비밀번호1234\n"));
    let (username, password) = ("지민".to_owned(), "비밀번호1234".to_owned());
    assert_eq!(cmds, [Cmd::SignIn(SignIn::LogIn { username, password })]);
    let (model, cmds) = form(&keys("지민\n\n"));
    assert!(cmds.is_empty(), "no password yet");
    assert!(matches!(model.screen, Screen::Login(form) if !form.busy));
}

#[test]
fn one_signs_up_or_comes_as_a_guest() {
    let mut way = vec![KeyCode::Up, KeyCode::Right, KeyCode::Tab];
    way.extend(keys("eve\npassword"));
    way.extend([KeyCode::Tab, KeyCode::Char('E'), KeyCode::Enter]);
    let (username, password) = ("eve".to_owned(), "password".to_owned());
    let display_name = Some("E".to_owned());
    assert_eq!(form(&way).1, [Cmd::SignIn(SignIn::Register { username, password, display_name })]);
    let way = [KeyCode::Up, KeyCode::Left, KeyCode::Tab, KeyCode::Enter];
    assert_eq!(form(&way).1, [Cmd::SignIn(SignIn::Guest { display_name: None })]);
}

#[test]
fn a_failed_login_says_why_and_can_be_tried_again() {
    let (mut model, _) = form(&keys("eve\nwrong\n"));
    update(&mut model, Msg::NotSignedIn("wrong name or password".into()));
    let Screen::Login(form) = &model.screen else { panic!("not the form") };
    assert_eq!(
        (form.error.as_deref(), form.busy, form.mode),
        (Some("wrong name or password"), false, Mode::LogIn)
    );
    assert_eq!(form.username.text(), "eve");
}

#[test]
fn enter_sends_once_and_blank_lines_are_not_sent() {
    let mut desk = Desk::with(&[]);
    desk.write("안녕").key(KeyCode::Enter).key(KeyCode::Enter);
    let content = "안녕".to_owned();
    assert_eq!(desk.done(), [Cmd::Send { channel: general(), content }]);
    desk.write("  ").key(KeyCode::Enter);
    assert_eq!(desk.done(), []);
}

#[test]
fn several_lines_come_by_alt_enter_and_by_pasting() {
    let mut desk = Desk::with(&[]);
    desk.write("one").press(KeyCode::Enter, KeyModifiers::ALT).write("two");
    desk.happen(Msg::Paste("\r\nthree\nfour".into()));
    desk.key(KeyCode::Enter);
    assert_eq!(desk.done(), [Cmd::Send { channel: general(), content: "one\ntwo\nthree\nfour".into() }]);
}

#[test]
fn typing_is_told_every_three_seconds_and_when_it_is_over() {
    let mut desk = Desk::with(&[]);
    let typing = |typing| Cmd::Typing { channel: general(), typing };
    desk.write("ab");
    assert_eq!(std::mem::take(&mut desk.done), [typing(true)]);
    let later = desk.model.now + Duration::from_secs(3);
    desk.happen(Msg::Tick(later));
    desk.write("c");
    assert_eq!(std::mem::take(&mut desk.done), [typing(true)]);
    desk.control('u');
    assert_eq!(std::mem::take(&mut desk.done), [typing(false)]);
}

#[test]
fn up_edits_ones_last_messages_and_escape_leaves_them() {
    let mut desk = Desk::with(&[(ME, "first"), (EVE, "hers"), (ME, "second")]);
    desk.key(KeyCode::Up);
    assert_eq!(desk.chat().composer.text(), "second");
    desk.key(KeyCode::Up);
    assert_eq!(desk.chat().composer.text(), "first");
    desk.write("!").key(KeyCode::Enter);
    assert_eq!(desk.done(), [Cmd::Edit { message: 1_001.into(), content: "first!".into() }]);
    desk.key(KeyCode::Up).key(KeyCode::Esc).write("new").key(KeyCode::Enter);
    assert_eq!(desk.done(), [Cmd::Send { channel: general(), content: "new".into() }]);
    desk.key(KeyCode::Up).key(KeyCode::Enter);
    assert_eq!(desk.done(), [], "nothing was changed");
}

#[test]
fn deleting_asks_first() {
    let mut desk = Desk::with(&[(ME, "mine")]);
    desk.key(KeyCode::Up).control('d').write("n");
    assert_eq!(desk.done(), []);
    desk.control('d').write("y");
    assert_eq!(desk.done(), [Cmd::Delete(1_001.into())]);
    assert!(desk.chat().editing.is_none() && desk.chat().composer.is_empty());
    desk.key(KeyCode::Up).control('u').key(KeyCode::Enter);
    assert!(matches!(desk.chat().dialog, Some(Dialog::Delete(_))), "an emptied message is a deleted one");
}

#[test]
fn each_channel_keeps_what_was_being_written() {
    let mut desk = Desk::with(&[]);
    desk.write("draft").press(KeyCode::Down, KeyModifiers::ALT);
    assert_eq!((desk.chat().current, desk.chat().composer.text()), (Some(RANDOM.into()), ""));
    assert_eq!(desk.done(), [Cmd::LoadNewest(RANDOM.into()), Cmd::LoadMembers(RANDOM.into())]);
    desk.press(KeyCode::Down, KeyModifiers::ALT);
    assert_eq!((desk.chat().current, desk.chat().composer.text()), (Some(general()), "draft"));
}

#[test]
fn one_goes_to_a_channel_by_a_part_of_its_name() {
    let mut desk = Desk::with(&[]);
    desk.control('k').write("담").key(KeyCode::Enter);
    assert_eq!(desk.chat().current, Some(RANDOM.into()));
    desk.control('k').write("nowhere").key(KeyCode::Enter).key(KeyCode::Esc);
    assert_eq!(desk.chat().current, Some(RANDOM.into()));
}

#[test]
fn one_joins_makes_and_leaves_channels() {
    let mut desk = Desk::with(&[]);
    desk.control('o');
    assert_eq!(desk.done(), [Cmd::LoadDirectory(10.into())]);
    let number = desk.state.expect_directory(10.into());
    let other = Channel { joined: Some(false), ..channel(102, "other", 0) };
    desk.state.put_directory(10.into(), number, Some(vec![other]));
    desk.changed();
    desk.key(KeyCode::Enter);
    assert_eq!(desk.done(), [Cmd::Join(102.into())]);
    desk.control('n').write("#새 방").key(KeyCode::Tab).key(KeyCode::Enter);
    let (name, kind) = ("새 방".to_owned(), ChannelKind::Private);
    assert_eq!(desk.done(), [Cmd::Create { workspace: 10.into(), name, kind }]);
    desk.control('x').write("y");
    assert_eq!(desk.done(), [Cmd::Leave(general())]);
}

#[test]
fn what_is_seen_is_marked_as_read_once() {
    let mut desk = Desk::with(&[(EVE, "one")]);
    desk.hear(Event::Message(message(2, EVE, "two")));
    desk.changed();
    let mark = Cmd::MarkRead { channel: general(), message: 1_002.into() };
    assert_eq!(std::mem::take(&mut desk.done), [mark]);
    desk.happen(Msg::Focus(false));
    desk.hear(Event::Message(message(3, EVE, "three")));
    assert_eq!(desk.done, [], "nobody looks");
    desk.happen(Msg::Focus(true));
    assert_eq!(desk.done, [Cmd::MarkRead { channel: general(), message: 1_003.into() }]);
}

#[test]
fn offline_one_can_write_but_not_edit() {
    let mut desk = Desk::with(&[(ME, "mine")]);
    desk.state.connection = ConnectionStatus::Offline { reason: OfflineReason::Lost, retry_at: None };
    desk.changed();
    desk.write("later").key(KeyCode::Enter);
    assert_eq!(desk.done(), [Cmd::Send { channel: general(), content: "later".into() }]);
    desk.key(KeyCode::Up).write("!").key(KeyCode::Enter);
    assert_eq!(desk.done(), []);
    assert!(desk.chat().editing.is_some() && desk.sees("needs a connection"));
}

#[test]
fn a_message_the_client_did_not_take_goes_back_where_it_was_written() {
    let mut desk = Desk::with(&[]);
    let (content, why) = ("precious".to_owned(), "full".to_owned());
    desk.happen(Msg::NotTaken { channel: general(), content, why });
    assert_eq!(desk.chat().composer.text(), "precious");
}

#[test]
fn what_was_refused_can_be_tried_again_or_discarded() {
    let mut desk = Desk::with(&[]);
    desk.state.outbox.push(general(), "n", "refused", Vec::new());
    let now = desk.model.now;
    desk.state.outbox.take_due(now);
    desk.state.outbox.fail("n", &Error::Protocol("no".into()), now, 0.0);
    desk.changed();
    assert!(desk.sees("not sent"));
    desk.control('r').control('d');
    assert_eq!(desk.done(), [Cmd::Retry("n".into()), Cmd::Discard("n".into())]);
}

#[test]
fn a_session_that_is_over_leads_back_to_the_form() {
    let mut desk = Desk::with(&[]);
    desk.state.connection = ConnectionStatus::Ended { reason: EndReason::SignedOut };
    desk.changed();
    assert_eq!(desk.done(), [Cmd::SignOut]);
    let Screen::Login(form) = &desk.model.screen else { panic!("not the form") };
    assert_eq!(form.username.text(), "지민");
    assert!(desk.sees("Your session is over"));
}

#[test]
fn quitting_works_from_everywhere() {
    for c in ['c', 'q'] {
        let mut desk = Desk::with(&[]);
        desk.control('k').control(c);
        assert!(desk.model.quit);
    }
}

#[test]
fn events_that_change_nothing_on_the_screen_do_no_harm() {
    let mut desk = Desk::with(&[(EVE, "one")]);
    desk.hear(Event::Pong(Pong { versions: [].into() }));
    desk.hear(Event::Typing(Typing { channel_id: 7.into(), user_id: user(EVE), typing: true }));
    assert_eq!(desk.done(), []);
}
