//! What is said in MessagePack is what is said in JSON: every event, every command, any value.

use std::collections::BTreeSet;

use madang_proto::{
    Command, Event,
    command::{self, ClientFrame},
    event::ServerFrame,
    input, msgpack,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Every event with all of its fields.
fn events() -> Vec<Value> {
    let at = "2026-11-20T09:30:00.123Z";
    let max = i64::MAX;
    let id = max.to_string();
    let author = json!({"id": "9", "username": "마당", "display_name": "a \"b\"\n", "avatar_url": "/a"});
    let user = json!({
        "id": "guest_2055", "username": "b", "display_name": "", "guest": true, "email": "a@b", "created_at": at
    });
    let message = json!({
        "id": id, "channel_id": "7", "seq": max, "version": -1, "author": author, "user": author,
        "content": "가나다 🙂", "nonce": "n", "edited_at": at, "deleted_at": at, "created_at": at,
        "reactions": [{"emoji": "👍🏽", "count": 70_000}, {"emoji": "🇰🇷", "count": 1, "me": true}],
        "mentions": [{"kind": "user", "user_id": "9", "name": "지민"}, {"kind": "channel", "name": "channel"}],
        "pinned": true,
        "files": [{
            "id": "12", "name": "마당.png", "media_type": "image/png", "size": max, "sha256": "0a", "width": 640,
            "height": 70_000, "thumbnail": true, "created_at": at
        }]
    });
    let channel = json!({
        "id": "7", "workspace_id": "8", "kind": "private", "name": "일반", "topic": "", "is_default": false,
        "created_by": "9", "member_count": 3, "last_seq": 2, "version": 70_000, "created_at": at,
        "joined": true, "last_read_seq": 0, "read_version": 3, "unread_count": 128, "unread_skipped": [2, 300],
        "mention_count": 2, "unread_mentions": [1, 70_000], "slow_mode": 21_600, "archived_at": at, "first_seq": 2,
        "retention": {"days": 30},
        "overrides": [{"role": "moderator", "deny": ["write"]}, {"user_id": "9", "allow": ["reply", "moderate"]}]
    });
    let workspace = json!({
        "id": "8", "name": "w", "open": true, "allow_guests": false, "default_channel_id": "7",
        "edit_history": "admins", "retention": {"days": 36_500}, "emoji_version": 3,
        "created_at": at, "role": "owner"
    });
    let member = json!({
        "action": "left", "workspace_id": "8", "channel_id": "7", "version": 5,
        "member": {"user": author, "role": "guest", "joined_at": at}
    });
    let sanction = json!({
        "id": "4", "workspace_id": "8", "channel_id": "7", "user": author, "kind": "mute", "reason": "소란",
        "by": author, "created_at": at, "expires_at": at
    });
    let presence = json!({
        "user_id": "9", "status": "dnd", "custom_status": "점심", "emoji": "🍜", "expires_at": at, "dnd_until": at
    });
    let error = json!({
        "code": "rate_limited", "detail": "d", "errors": [{"field": "f", "reason": "r"}], "retry_after": 4_294_967_295_u32
    });
    let online = json!({"workspace_id": "8", "online": 70_000, "named": false});
    let count = json!({"unread": 3, "version": 70_000});
    let ready = json!({
        "session_id": id, "user": user, "heartbeat_interval_ms": 30_000, "server_time": at,
        "workspaces": [workspace], "channels": [channel], "presence": [presence], "online": [online],
        "changes": [{"channel": channel, "messages": [message], "members": [member], "version": 3, "more": true}],
        "resync": ["7", "8"], "users_version": max, "settings": {"share_read_marks": true}, "notifications": count
    });
    let reaction = json!({
        "channel_id": "7", "message_id": id, "emoji": "👍🏽", "user_id": "9", "added": false, "version": 5
    });
    let mark = json!({"channel_id": "7", "user_id": "9", "message_id": id, "seq": 256, "read_version": 1});
    let unread = json!({"channel_id": "7", "message_id": id, "last_read_seq": 255, "read_version": 1});
    let draft = json!({"channel_id": "7", "content": "가", "updated_at": at});
    let scheduled = json!({
        "id": "10", "channel_id": "7", "content": "가", "send_at": at,
        "failed": {"code": "not_found", "detail": "d"}
    });
    let emoji = json!({
        "action": "created", "workspace_id": "8", "version": 3,
        "emoji": {
            "id": "12", "name": "마당냥", "media_type": "image/gif", "width": 128, "height": 96, "created_by": "9",
            "created_at": at
        }
    });
    let reminder = json!({
        "id": "11", "message_id": id, "channel_id": "7", "text": "차", "remind_at": at, "due": true
    });
    let notification = json!({
        "id": "12", "kind": "reply", "workspace_id": "6", "channel_id": "8", "message_id": id,
        "thread": {"channel_id": "7", "root_id": "14"}, "author": message["author"], "excerpt": "가",
        "created_at": at, "silent": true, "read": false
    });
    let settings = json!({
        "keywords": ["배포"],
        "quiet_hours": {"days": ["friday"], "from": "22:00", "to": "07:30", "time_zone": "Asia/Seoul"},
        "snoozed_until": at, "workspaces": [{"workspace_id": "6", "level": "all"}],
        "channels": [{"channel_id": "7", "level": "nothing", "muted_until": at}], "version": 5
    });
    let export = json!({
        "id": "12", "state": "ready", "created_at": at, "expires_at": at, "sha256": "ab", "link": "/x"
    });
    vec![
        json!({"type": "READY", "payload": ready}),
        json!({"type": "MESSAGE", "payload": message}),
        json!({"type": "TYPING", "payload": {"channel_id": "7", "user_id": "guest_2057", "typing": false}}),
        json!({"type": "PRESENCE", "payload": presence}),
        json!({"type": "ONLINE", "payload": online}),
        json!({"type": "WATCHED", "payload": {"presence": [presence], "online": [online]}}),
        json!({"type": "READ_RECEIPT", "payload": mark}),
        json!({"type": "REACTION", "payload": reaction}),
        json!({"type": "SAVED", "payload": {"message_id": id, "saved": true}}),
        json!({"type": "CHANNEL", "payload": {"action": "updated", "channel": channel}}),
        json!({"type": "MEMBER", "payload": member}),
        json!({"type": "WORKSPACE", "payload": workspace}),
        json!({"type": "RESYNC", "payload": {"channel_id": "7"}}),
        json!({"type": "ACK", "payload": {"any": [null, 1.5, {"deep": {}}]}, "rid": "r"}),
        json!({"type": "ERROR", "payload": error, "rid": "가"}),
        json!({"type": "PONG", "payload": {"versions": {"7": max, "8": 0}}}),
        json!({"type": "SANCTION", "payload": {"action": "imposed", "sanction": sanction}}),
        json!({"type": "DRAFT", "payload": {"channel_id": "7", "draft": draft}}),
        json!({"type": "SCHEDULED", "payload": {"id": "10", "scheduled": scheduled}}),
        json!({"type": "REMINDER", "payload": {"id": "11", "reminder": reminder}}),
        json!({"type": "UNREAD", "payload": unread}),
        json!({"type": "SETTINGS", "payload": {"share_read_marks": false}}),
        json!({"type": "USER", "payload": {"user": user, "version": 5}}),
        json!({"type": "EMOJI", "payload": emoji}),
        json!({"type": "NOTIFICATION", "payload": {"notification": notification, "count": count}}),
        json!({"type": "NOTIFICATIONS", "payload": {"read": ["12"], "removed": ["13"], "count": count}}),
        json!({"type": "NOTIFICATION_SETTINGS", "payload": settings}),
        json!({"type": "EXPORT", "payload": export}),
    ]
}

/// The place of an event in the table above. A new one does not compile until it has a place.
const fn place(event: &Event) -> usize {
    match event {
        Event::Ready(_) => 0,
        Event::Message(_) => 1,
        Event::Typing(_) => 2,
        Event::Presence(_) => 3,
        Event::Online(_) => 4,
        Event::Watched(_) => 5,
        Event::ReadReceipt(_) => 6,
        Event::Reaction(_) => 7,
        Event::Saved(_) => 8,
        Event::Channel(_) => 9,
        Event::Member(_) => 10,
        Event::Workspace(_) => 11,
        Event::Resync(_) => 12,
        Event::Ack(_) => 13,
        Event::Error(_) => 14,
        Event::Pong(_) => 15,
        Event::Sanction(_) => 16,
        Event::Draft(_) => 17,
        Event::Scheduled(_) => 18,
        Event::Reminder(_) => 19,
        Event::Unread(_) => 20,
        Event::Settings(_) => 21,
        Event::User(_) => 22,
        Event::Emoji(_) => 23,
        Event::Notification(_) => 24,
        Event::Notifications(_) => 25,
        Event::NotificationSettings(_) => 26,
        Event::Export(_) => 27,
    }
}

#[test]
fn every_event_is_the_same_object() {
    let table = events();
    for (index, example) in table.iter().enumerate() {
        let frame: ServerFrame = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(place(&frame.event), index, "{example}");
        assert_eq!(
            &serde_json::to_value(&frame).unwrap(),
            example,
            "the example has all fields, and no others"
        );
        let bytes = frame.to_msgpack();
        assert_eq!(&msgpack::from_slice::<Value>(&bytes).unwrap(), example);
        assert_eq!(msgpack::from_slice::<ServerFrame>(&bytes).unwrap(), frame);
        assert!(bytes.len() < frame.to_json().len(), "{example}");
    }
}

#[test]
fn every_command_is_the_same_command() {
    let table = [
        json!({
            "type": "HELLO", "rid": "h",
            "payload": {"token": "t", "subscribe": "none", "resume": {"channels": {"7": 70_000, "8": 0}}}
        }),
        json!({"type": "JOIN_CHANNEL", "payload": {"channel_id": "9223372036854775807"}}),
        json!({"type": "LEAVE_CHANNEL", "payload": {"channel_id": "7"}}),
        json!({"type": "MESSAGE", "payload": {"channel_id": "7", "content": "가 \u{0}🙂", "nonce": "n"}, "rid": "m"}),
        json!({"type": "TYPING", "payload": {"channel_id": "7", "typing": true}}),
        json!({"type": "READ_RECEIPT", "payload": {"channel_id": "7", "message_id": "8"}}),
        json!({"type": "REACTION", "payload": {"message_id": "8", "emoji": "👍🏽", "add": true}}),
        json!({"type": "WATCH", "payload": {"user_ids": ["9", "guest_2057"]}}),
        json!({"type": "PING", "payload": {}, "rid": "p"}),
    ];
    let types: BTreeSet<&str> = table.iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(types, command::TYPES.into());
    for example in table {
        let frame = ClientFrame::parse(&example.to_string()).unwrap();
        let bytes = frame.to_msgpack();
        assert_eq!(msgpack::from_slice::<Value>(&bytes).unwrap(), serde_json::to_value(&frame).unwrap());
        let read = ClientFrame::parse_msgpack(&msgpack::to_vec(&example).unwrap()).unwrap();
        assert_eq!(ClientFrame::parse_msgpack(&bytes).unwrap().rid, read.rid);
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&frame).unwrap());
    }
}

#[test]
fn what_is_wrong_is_answered_the_same() {
    for wrong in [
        json!([]),
        json!(7),
        json!({"type": 7}),
        json!({"type": "FLY", "rid": "r"}),
        json!({"type": "PING", "rid": "r", "extra": 1}),
        json!({"type": "PING", "payload": [1]}),
        json!({"type": "TYPING", "payload": {"channel_id": 7, "typing": true}, "rid": "r"}),
        json!({"type": "MESSAGE", "payload": {"channel_id": "7"}, "rid": "x".repeat(65)}),
    ] {
        let bad = ClientFrame::parse(&wrong.to_string()).map(|f| f.command).unwrap_err();
        let packed = ClientFrame::parse_msgpack(&msgpack::to_vec(&wrong).unwrap()).map(|f| f.command);
        assert_eq!(packed.unwrap_err(), bad, "{wrong}");
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 7.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..20)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_the_same_value(value in anything()) {
        let bytes = msgpack::to_vec(&value).unwrap();
        prop_assert_eq!(msgpack::from_slice::<Value>(&bytes).unwrap(), value);
        prop_assert!(msgpack::from_slice::<Value>(&bytes[..bytes.len() - 1]).is_err(), "cut off");
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        _ = ClientFrame::parse_msgpack(&bytes);
        _ = msgpack::from_slice::<ServerFrame>(&bytes);
    }

    #[test]
    fn any_text_of_a_message_arrives(content in any::<String>(), nonce in any::<Option<String>>()) {
        let payload = match nonce {
            Some(nonce) => json!({"channel_id": "7", "content": content, "nonce": nonce}),
            None => json!({"channel_id": "7", "content": content}),
        };
        let frame = json!({"type": "MESSAGE", "payload": payload});
        let read = ClientFrame::parse_msgpack(&msgpack::to_vec(&frame).unwrap()).unwrap();
        let Command::Message(sent) = read.command else { panic!("another command") };
        prop_assert_eq!(sent.content, content);
    }

    #[test]
    fn any_text_is_an_emoji_that_stays_as_it_is_or_none(text in any::<String>()) {
        if let Ok(emoji) = input::emoji(&text) {
            prop_assert_eq!(input::emoji(&emoji), Ok(emoji));
        }
    }

    #[test]
    fn any_emoji_is_one_key_with_and_without_selectors(
        emoji in prop::sample::select(emojis::iter().collect::<Vec<_>>()), tone in 0..26_usize,
    ) {
        let emoji = emoji.skin_tones().and_then(|mut tones| tones.nth(tone)).unwrap_or(emoji).as_str();
        let kept = input::emoji(emoji);
        prop_assert_eq!(kept.as_deref(), Ok(emoji));
        prop_assert_eq!(&input::emoji(&emoji.replace('\u{FE0F}', "")), &kept);
        prop_assert_eq!(&input::emoji(&format!("{emoji}\u{FE0F}")), &kept);
    }
}
