//! What the screen looks like.

use std::time::Duration;

use madang_client::{
    proto::{
        channels::{ChannelAction, ChannelChange},
        presence::{Online, Typing, Watched},
        reactions::ReactionChange,
    },
    status::OfflineReason,
};

use super::*;

#[test]
fn messages_stand_under_their_day_and_their_author() {
    let desk = Desk::with(&[(EVE, "hello"), (EVE, "한글도 됩니다"), (ME, "ok")]);
    let screen = desk.screen();
    let shown: Vec<&str> =
        screen.iter().filter_map(|line| line.split_once('│').map(|(_, right)| right)).collect();
    let day = shown.iter().position(|line| line.contains("Friday, 20 November 2026")).unwrap();
    assert_eq!(shown[day - 1], "This is the beginning.");
    assert_eq!(
        shown[day + 1..=day + 5],
        ["○ Eve  08:30", "  hello", "  한글도 됩니다", "● 지민  08:30", "  ok"]
    );
    assert!(screen[0].contains("#general  2 members"));
    assert!(screen[2].starts_with("#잡담 "));
}

#[test]
fn direct_messages_stand_last_and_are_called_by_the_others_in_them() {
    let mut desk = Desk::with(&[(EVE, "hello")]);
    let direct = |id: i64, people: &[i64]| Channel {
        kind: ChannelKind::Dm,
        people: people.iter().map(|id| summary(*id)).collect(),
        ..channel(id, "", 0)
    };
    for channel in [direct(7, &[ME, EVE]), direct(8, &[ME])] {
        desk.hear(Event::Channel(ChannelChange { action: ChannelAction::Created, channel }));
    }
    let screen = desk.screen();
    let shown: Vec<_> = screen.iter().take(5).map(|line| line.split('│').next().unwrap().trim()).collect();
    assert!(shown[2].starts_with("#잡담") && shown[3] == "@Eve" && shown[4] == "@지민", "{shown:?}");
}

#[test]
fn in_a_crowd_the_number_is_shown_and_those_in_view_are_watched() {
    let mut desk = Desk::with(&[(EVE, "hello"), (ME, "ok")]);
    let crowd = |named| Event::Online(Online { workspace_id: 10.into(), online: 1_204, named });
    desk.hear(crowd(false));
    assert_eq!(desk.done(), [Cmd::Watch([user(ME), user(EVE)].into())]);
    assert!(desk.screen()[0].contains("#general  2 members  1204 online"));
    desk.hear(crowd(false));
    assert_eq!(desk.done(), [], "once");
    let eve = Presence::of(EVE.into(), Status::Online, None);
    desk.hear(Event::Watched(Watched {
        presence: vec![eve],
        online: vec![Online { workspace_id: 10.into(), online: 1_205, named: false }],
    }));
    assert!(desk.sees("● Eve  08:30") && desk.sees("1205 online"));
    desk.hear(crowd(true));
    assert_eq!(desk.done(), [Cmd::Watch([].into())], "all are named again");
    assert!(!desk.sees("1204 online"));
}

#[test]
fn reactions_stand_behind_their_message_and_ones_own_in_brackets() {
    let mut desk = Desk::with(&[(EVE, "cake?")]);
    for (version, user_id) in [(2, ME), (3, EVE)] {
        let (channel_id, message_id) = (general(), 1_001.into());
        let (emoji, user_id) = ("🎂".to_owned(), user_id.into());
        let change = ReactionChange { channel_id, message_id, emoji, user_id, added: true, version };
        desk.hear(Event::Reaction(change));
    }
    assert!(desk.sees("  [🎂 2]"), "{:?}", desk.screen());
}

#[test]
fn hangul_wraps_between_syllables_and_the_cursor_stands_behind_it() {
    let mut desk = Desk::with(&[(EVE, &"가".repeat(40))]);
    assert!(desk.sees(&format!("  {}", "가".repeat(28))) && desk.sees(&format!("  {}", "가".repeat(12))));
    desk.write("안녕하세요");
    let (lines, (x, y)) = screen(&desk.model);
    let line = &lines[usize::from(y)];
    assert!(line.contains("│ 안녕하세요"));
    // 20 columns of channels, the box's edge and a space, five syllables of two columns.
    assert_eq!(x, 20 + 2 + 10, "{line}");
    desk.write(&"다".repeat(30));
    let (lines, (x, y)) = screen(&desk.model);
    assert!(lines[usize::from(y)].contains('다') && usize::from(x) < 78);
}

#[test]
fn nobodys_text_steers_the_terminal() {
    let evil = "a\u{1b}[2Jb\u{202e}c\u{7}d\u{9b}31me";
    let mut desk = Desk::with(&[(EVE, evil)]);
    let topic = Channel { topic: evil.into(), name: evil.into(), version: 2, ..channel(GENERAL, "x", 1) };
    desk.hear(Event::Channel(madang_client::proto::channels::ChannelChange {
        action: madang_client::proto::channels::ChannelAction::Updated,
        channel: topic,
    }));
    let all = desk.screen().concat();
    assert!(!all.chars().any(|c| c.is_control() || c == '\u{202e}'), "{all:?}");
    assert!(desk.sees("  a[2Jbcd31me") && desk.sees("#a[2Jbcd31me"));
}

#[test]
fn the_connection_line_says_why_and_when() {
    let mut desk = Desk::with(&[]);
    assert!(desk.sees("지민 online"));
    let retry_at = Some(desk.model.now + Duration::from_millis(3_200));
    let reason = OfflineReason::Unreachable("connection refused".into());
    desk.state.connection = ConnectionStatus::Offline { reason, retry_at };
    desk.state.outbox.push(general(), "n", "later", Vec::new());
    desk.changed();
    assert!(desk.sees("offline: server not reachable, next try in 4 s · 1 message waits"));
    assert!(desk.sees("  later …"), "pending");
    desk.state.connection = ConnectionStatus::Connecting;
    desk.changed();
    assert!(desk.sees("connecting…"));
}

#[test]
fn the_same_in_korean() {
    let mut desk = Desk::with(&[(EVE, "hello")]);
    desk.model.texts = crate::texts::Texts::of(Some("ko_KR.UTF-8"));
    assert!(desk.sees("2026년 11월 20일 금요일") && desk.sees("멤버 2명") && desk.sees("지민 온라인"));
    desk.key(KeyCode::F(1));
    assert!(desk.sees("단축키") && desk.sees("빈 줄에서 ↑"));
}

#[test]
fn typing_shows_until_it_is_over() {
    let mut desk = Desk::with(&[(EVE, "hello")]);
    desk.hear(Event::Typing(Typing { channel_id: general(), user_id: user(EVE), typing: true }));
    assert!(desk.sees("Eve is typing…"));
    let later = desk.model.now + Duration::from_secs(6);
    desk.happen(Msg::Tick(later));
    assert!(!desk.sees("Eve is typing…"));
}

#[test]
fn scrolling_back_holds_its_place_while_new_messages_come() {
    let contents: Vec<String> = (1..=60).map(|n| format!("line {n}")).collect();
    let messages: Vec<(i64, &str)> = contents.iter().map(|content| (EVE, content.as_str())).collect();
    let mut desk = Desk::with(&messages);
    assert!(desk.sees("  line 60"));
    desk.key(KeyCode::PageUp);
    let before = desk.screen();
    let shown = |line: &str| line.split_once('│').map(|(_, right)| right.to_owned());
    assert!(!desk.sees("  line 60") && desk.sees("newer messages below"));
    desk.hear(Event::Message(message(61, EVE, "news")));
    let after = desk.screen();
    assert!(after[1..14].iter().map(|l| shown(l)).eq(before[1..14].iter().map(|l| shown(l))));
    for _ in 0..20 {
        desk.key(KeyCode::PageUp);
    }
    assert!(desk.sees("  line 1") && desk.sees("This is the beginning."));
    for _ in 0..20 {
        desk.key(KeyCode::PageDown);
    }
    assert!(desk.sees("  news") && !desk.sees("newer messages below"));
    desk.key(KeyCode::PageUp).key(KeyCode::End);
    assert!(desk.sees("  news"));
}

#[test]
fn scrolling_to_the_top_asks_for_older_messages_once() {
    let mut desk = Desk::with(&[]);
    let page: Vec<Message> = (51..=100).map(|seq| message(seq, EVE, "old")).collect();
    let number = desk.state.expect_page(general());
    assert!(desk.state.put_page(general(), number, Some(&page)));
    desk.changed();
    for _ in 0..6 {
        desk.key(KeyCode::PageUp);
    }
    assert_eq!(desk.done(), [Cmd::LoadOlder(general())]);
    assert!(desk.sees("loading…"));
}

#[test]
fn an_edited_message_says_so_and_a_deleted_one_leaves_a_trace() {
    let mut desk = Desk::with(&[(EVE, "one"), (EVE, "two")]);
    let at = Some(Timestamp::from(NOON));
    desk.hear(Event::Message(Message { version: 3, edited_at: at, ..message(1, EVE, "ONE") }));
    desk.hear(Event::Message(Message { version: 4, deleted_at: at, ..message(2, EVE, "") }));
    assert!(desk.sees("  ONE (edited)") && desk.sees("  message deleted"));
}

#[test]
fn every_size_of_terminal_can_be_drawn() {
    let mut desk = Desk::with(&[(EVE, "안녕 hello"), (ME, &"긴 글 ".repeat(50))]);
    desk.write("여러 줄\n");
    for key in [None, Some(KeyCode::F(1)), Some(KeyCode::Esc)] {
        if let Some(key) = key {
            desk.key(key);
        }
        for (width, height) in (1..100).step_by(11).flat_map(|w| (1..40).step_by(5).map(move |h| (w, h))) {
            desk.happen(Msg::Resize(width, height));
            assert_eq!(desk.screen().len(), usize::from(height));
        }
    }
    let mut model = Model::new("http://localhost:8080", Some("ko"), TimeZone::UTC, Instant::now());
    for (width, height) in [(1, 1), (20, 8), (40, 10), (200, 60)] {
        update(&mut model, Msg::Resize(width, height));
        screen(&model);
    }
}
