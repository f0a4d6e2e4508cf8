//! A room that hears of messages, reactions and names.

use std::sync::Arc;

use madang_proto::channels::ChannelKind;

use super::*;

fn seat(user: i64) -> Seat {
    Seat { user: user.into(), read: Some((3, 0)) }
}

pub(in crate::memory) fn room(version: i64, last_seq: i64) -> Room {
    let channel = Channel {
        id: 1.into(),
        workspace_id: 1.into(),
        kind: ChannelKind::Public,
        name: "마당".to_owned(),
        topic: String::new(),
        is_default: false,
        created_by: None,
        member_count: 2,
        last_seq,
        first_seq: 1,
        version,
        created_at: 0.into(),
        joined: None,
        last_read_seq: None,
        read_version: 0,
        unread_count: None,
        unread_skipped: Vec::new(),
        mention_count: None,
        unread_mentions: Vec::new(),
        people: Vec::new(),
        thread: None,
        overrides: Vec::new(),
        slow_mode: 0,
        archived_at: None,
        retention: None,
    };
    Room::new(channel, Marks::default(), 0.into())
}

pub(in crate::memory) fn message(id: i64, version: i64, content: &str) -> Message {
    let author = Arc::new(UserSummary {
        id: 1.into(),
        username: "jimin".to_owned(),
        display_name: "지민".to_owned(),
        avatar_url: None,
    });
    Message {
        id: id.into(),
        channel_id: 1.into(),
        seq: id,
        version,
        user: Arc::clone(&author),
        author,
        content: content.to_owned(),
        nonce: None,
        edited_at: None,
        deleted_at: None,
        reactions: Vec::new(),
        mentions: Vec::new(),
        pinned: false,
        files: Vec::new(),
        previews: Vec::new(),
        thread: None,
        created_at: 0.into(),
    }
}

fn missed(room: &Room, version: i64) -> Option<Vec<(i64, String)>> {
    let messages = room.since(seat(1), version).1.ok()?.messages;
    Some(messages.into_iter().map(|m| (m.id.get(), m.content)).collect())
}

#[test]
fn it_tells_what_changed_since_a_version_as_states() {
    let room = room(10, 4);
    assert!(room.take(&message(5, 11, "안녕")) && room.take(&message(6, 12, "hi")));
    assert!(room.take(&message(5, 13, "안녕하세요")), "an edit");
    let (edited, hi) = ((5, "안녕하세요".to_owned()), (6, "hi".to_owned()));
    assert_eq!(missed(&room, 10), Some(vec![hi.clone(), edited.clone()]));
    assert_eq!(missed(&room, 12), Some(vec![edited]));
    assert_eq!(missed(&room, 13), Some(vec![]));
    assert_eq!((missed(&room, 9), missed(&room, 14)), (None, None), "before and after its time");
    let channel = room.channel(seat(1));
    assert_eq!((channel.version, channel.last_seq, channel.unread_count), (13, 6, Some(3)));
}

#[test]
fn what_the_database_told_one_is_told_to_the_next() {
    let room = room(10, 4);
    let changes = |version, ids: &[i64]| {
        let messages = ids.iter().map(|id| message(*id, *id + 6, "안녕")).collect();
        let channel = room.channel(seat(1));
        ChannelChanges { channel, messages, members: Vec::new(), version, more: false }
    };
    let asked = |version| room.since(seat(1), version).1.unwrap_err();
    let early = asked(8);
    room.learn(asked(8), &changes(9, &[3]));
    room.learn(asked(7), &ChannelChanges { more: true, ..changes(10, &[2]) });
    assert_eq!(missed(&room, 8), None, "of another time, or not all of it");
    room.rename(&message(1, 1, "").author);
    room.learn(early, &changes(10, &[4, 3]));
    assert_eq!(missed(&room, 8), None, "with a name of another time");
    room.learn(asked(8), &changes(10, &[4, 3]));
    assert!(room.take(&message(5, 11, "hi")));
    let numbers = |version| Some(missed(&room, version)?.into_iter().map(|m| m.0).collect::<Vec<_>>());
    assert_eq!((numbers(8), numbers(9)), (Some(vec![3, 4, 5]), Some(vec![4, 5])));
    assert_eq!(numbers(7), None);
}

#[test]
fn who_shows_otherwise_does_so_in_what_is_kept() {
    let room = room(10, 4);
    assert!(room.take(&message(5, 11, "안녕")) && room.shows(1.into()) && !room.shows(2.into()));
    let other = UserSummary { display_name: "박지민".to_owned(), ..(*message(1, 1, "").author).clone() };
    assert!(room.rename(&other));
    let kept = room.since(seat(1), 10).1.unwrap().messages.remove(0);
    assert_eq!((&*kept.author, &*kept.user), (&other, &other));
}

#[test]
fn it_does_not_go_on_over_a_gap() {
    let room = room(10, 4);
    assert!(!room.take(&message(6, 12, "hi")));
    assert!(room.take(&message(4, 10, "known")), "nothing new");
    assert_eq!(room.channel(seat(1)).version, 10);
}

#[test]
fn it_keeps_a_bounded_part() {
    let room = room(0, 0);
    let text = "가".repeat(200);
    (1..=1_000).for_each(|id| assert!(room.take(&message(id, id, &text))));
    let kept = (0..1_000).find_map(|version| missed(&room, version)).unwrap().len();
    assert!(kept <= RECENT && kept * text.len() <= RECENT_BYTES && kept > 20, "{kept}");
}

fn reaction(message: i64, version: i64, user: i64, added: bool) -> ReactionChange {
    let (channel_id, message_id, emoji) = (1.into(), message.into(), "👍".to_owned());
    ReactionChange { channel_id, message_id, emoji, user_id: user.into(), added, version }
}

/// How many reacted, and whether this user did.
fn reacted(room: &Room, user: i64, version: i64) -> Option<Vec<(i64, bool)>> {
    let messages = room.since(seat(user), version).1.ok()?.messages;
    Some(messages.iter().flat_map(|m| &m.reactions).map(|r| (r.count, r.me.unwrap())).collect())
}

#[test]
fn it_knows_whose_the_reactions_to_new_messages_are_and_asks_for_those_to_old_ones() {
    let room = room(10, 4);
    assert!(room.take(&message(5, 11, "안녕")) && room.react(&reaction(5, 12, 1, true)));
    assert!(room.react(&reaction(5, 13, 2, true)) && room.react(&reaction(5, 14, 2, false)));
    assert_eq!(
        (reacted(&room, 1, 10), reacted(&room, 2, 13)),
        (Some(vec![(1, true)]), Some(vec![(1, false)]))
    );
    let mut edited = message(5, 15, "안녕하세요");
    edited.reactions.push(madang_proto::reactions::Reaction { emoji: "👍".to_owned(), count: 1, me: None });
    assert!(room.take(&edited));
    assert_eq!(reacted(&room, 1, 14), Some(vec![(1, true)]), "an edit keeps them");
    assert!(room.react(&reaction(4, 16, 1, true)), "to a message of which nothing is known");
    assert_eq!((missed(&room, 15), missed(&room, 16)), (None, Some(vec![])));
    assert!(room.take(&message(6, 17, "hi")) && !room.react(&reaction(6, 19, 1, true)), "a gap");
    assert!(room.react(&reaction(6, 17, 1, true)) && missed(&room, 16).is_some(), "nothing new");
}

#[test]
fn many_reactions_take_a_bounded_part() {
    let room = room(0, 0);
    assert!(room.take(&message(1, 1, "hi")));
    assert!((1..=1_000).all(|user| room.react(&reaction(1, user + 1, user, true))));
    let state = room.0.lock();
    assert!(state.bytes <= RECENT_BYTES && state.recent.len() <= 1);
}
