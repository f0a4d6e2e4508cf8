//! Reactions: each person each emoji once, counted, told, and one's own told apart.

use futures_util::future::join_all;
use madang_client::proto::{
    Event, MessageId, UserId,
    command::{Hello, Resume},
    error::ErrorCode::{self, Conflict, NotFound},
    limits,
    messages::Message,
    page::MessagePageQuery,
    reactions::{Reaction, ReactionChange, ReactorsQuery},
};
use reqwest::Method;
use serde_json::json;

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

const EMOJI: [&str; 60] = [
    "😀", "😃", "😄", "😁", "😆", "😅", "🤣", "😂", "🙂", "🙃", "🫠", "😉", "😊", "😇", "🥰", "😍", "🤩",
    "😘", "😗", "☺️", "😚", "😙", "🥲", "😋", "😛", "😜", "🤪", "😝", "🤑", "🤗", "🤭", "🫢", "🫣", "🤫",
    "🤔", "🫡", "🤐", "🤨", "😐", "😑", "😶", "🫥", "😏", "😒", "🙄", "😬", "🤥", "😌", "😔", "😪", "🤤",
    "😴", "😷", "🤒", "🤕", "🤢", "🤮", "🤧", "🥵", "🥶",
];

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// What is on a message: which, how many, whether one's own is among them.
fn shown(message: &Message) -> Vec<(&str, i64, Option<bool>)> {
    message.reactions.iter().map(|r| (r.emoji.as_str(), r.count, r.me)).collect()
}

fn of(emoji: &str) -> ReactorsQuery {
    ReactorsQuery { emoji: emoji.to_owned(), ..ReactorsQuery::default() }
}

async fn names(user: &User, id: MessageId, emoji: &str) -> Vec<UserId> {
    let page = user.http.reactors(id, &of(emoji)).await.unwrap();
    page.items.into_iter().map(|person| person.id).collect()
}

async fn next_reaction(user: &mut User) -> ReactionChange {
    user.next("a reaction", |event| if let Event::Reaction(change) = event { Some(change) } else { None })
        .await
}

on_both! {
    async fn everyone_hears_who_reacted_and_sees_how_many(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let sent = alice.send(alice.general(), "cake?").await;
        let after = alice.http.react(sent.id, "🎂").await.unwrap();
        assert_eq!((shown(&after), after.version), (vec![("🎂", 1, Some(true))], sent.version + 1));
        let told = next_reaction(&mut bob).await;
        assert_eq!((told.user_id, told.emoji.as_str(), told.added, told.version), (alice.id, "🎂", true, after.version));
        assert_eq!((told.channel_id, told.message_id), (sent.channel_id, sent.id));
        let after = bob.client.set_reaction(sent.id, "🎂", true).await.unwrap();
        assert_eq!(shown(&after), [("🎂", 2, Some(true))]);
        assert_eq!(names(&alice, sent.id, "🎂").await, [alice.id, bob.id], "the first one first");
        let after = bob.http.unreact(sent.id, "🎂").await.unwrap();
        assert_eq!(shown(&after), [("🎂", 1, Some(false))]);
        alice.client.set_reaction(sent.id, "🎂", false).await.unwrap();
        assert_eq!(shown(&bob.http.message(sent.id).await.unwrap()), []);
        assert_eq!(names(&alice, sent.id, "🎂").await, []);
    }

    async fn reacting_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, outsider, secret, .. } = &cast;
        let sent = owner.send(secret.id, "안녕").await;
        let old = owner.send(secret.id, "old").await;
        for n in 0..40 {
            member.send(secret.id, &n.to_string()).await;
        }
        let everyone = [member, owner, guest, outsider];
        all_converge(&everyone, member.http.react(sent.id, "👍")).await.unwrap();
        all_converge(&everyone, owner.client.set_reaction(sent.id, "👍", true)).await.unwrap();
        all_converge(&everyone, async {
            guest.http.react(sent.id, "❤").await.unwrap();
            owner.http.update_message(sent.id, "안녕하세요").await.unwrap();
            member.http.react(old.id, "🎉").await.unwrap();
            let new = guest.send(secret.id, "new").await;
            member.http.react(new.id, "👀").await.unwrap();
            owner.http.react(new.id, "👀").await.unwrap();
            guest.http.update_message(new.id, "newer").await.unwrap();
            member.http.unreact(new.id, "👀").await.unwrap();
        })
        .await;
        all_converge(&everyone, member.http.unreact(sent.id, "👍")).await.unwrap();
        all_converge(&everyone, owner.http.delete_message(sent.id)).await.unwrap();
    }

    async fn reacting_to_what_is_new_while_away_is_known_after_coming_back(s: TestServer) {
        let (alice, bob) = s.users().await;
        all_converge(&[&alice, &bob], async {
            let sent = alice.send(alice.general(), "new").await;
            bob.http.react(sent.id, "👍").await.unwrap();
            alice.http.react(sent.id, "👍").await.unwrap();
            alice.http.react(sent.id, "🎉").await.unwrap();
            alice.http.unreact(sent.id, "👍").await.unwrap();
        })
        .await;
        let known = bob.client.state();
        let newest = known.channel(bob.general()).unwrap().messages().last().cloned().unwrap();
        assert_eq!(shown(&newest), [("👍", 1, Some(true)), ("🎉", 1, Some(false))]);
    }

    async fn twice_is_once_and_nobody_is_told(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        let mut raw = Raw::of(&bob).await;
        let first = alice.http.react(sent.id, "👍").await.unwrap();
        assert_eq!(alice.http.react(sent.id, "👍\u{FE0F}").await.unwrap(), first);
        assert_eq!(alice.client.set_reaction(sent.id, "👍", true).await.unwrap(), first);
        assert_eq!(bob.http.unreact(sent.id, "👍").await.unwrap().version, first.version, "it is not his");
        assert_eq!(alice.http.unreact(sent.id, "🎉").await.unwrap().version, first.version);
        assert_eq!(alice.http.channel(alice.general()).await.unwrap().version, first.version);
        let told = raw.heard().await.into_iter().filter(|frame| matches!(frame.event, Event::Reaction(_))).count();
        assert_eq!(told, 1);
        let both = join_all((0..8).map(|_| bob.http.react(sent.id, "🎉"))).await;
        assert!(both.iter().all(Result::is_ok));
        assert_eq!(shown(&alice.http.message(sent.id).await.unwrap()), [("👍", 1, Some(true)), ("🎉", 1, Some(false))]);
    }

    async fn one_emoji_is_one_however_it_was_typed_and_words_are_none(s: TestServer) {
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), "hi").await;
        alice.http.react(sent.id, "\u{2764}").await.unwrap();
        let after = alice.http.react(sent.id, "\u{2764}\u{FE0F}").await.unwrap();
        assert_eq!(shown(&after), [("\u{2764}\u{FE0F}", 1, Some(true))]);
        assert_eq!(names(&alice, sent.id, "\u{2764}").await, [alice.id]);
        for bad in ["", "a", "👍👍", "마당", ":Up:", "\u{1F3FF}\u{200D}", "<b>"] {
            let error = alice.http.react(sent.id, bad).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "emoji", "{bad:?}");
            assert!(alice.client.set_reaction(sent.id, bad, true).await.is_err());
            assert!(alice.http.reactors(sent.id, &of(bad)).await.is_err());
        }
        let path = format!("/api/v1/messages/{}/reactions", sent.id);
        for body in [json!({}), json!({"emoji": 1}), json!({"emoji": "👍", "user_id": "1"})] {
            assert_eq!(alice.http.request(Method::POST, &path, Some(&body)).await.unwrap().status, 422, "{body}");
        }
        assert_eq!(alice.http.request(Method::GET, &path, None).await.unwrap().status, 422, "of which emoji?");
    }

    async fn they_stand_in_the_order_of_first_use_and_are_fifty_at_most(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        for emoji in &EMOJI[..limits::REACTION_KINDS] {
            alice.http.react(sent.id, emoji).await.unwrap();
        }
        assert_eq!(refused(bob.http.react(sent.id, EMOJI[limits::REACTION_KINDS]).await), Conflict);
        bob.http.react(sent.id, EMOJI[1]).await.unwrap();
        alice.http.unreact(sent.id, EMOJI[1]).await.unwrap();
        alice.http.unreact(sent.id, EMOJI[0]).await.unwrap();
        bob.http.react(sent.id, EMOJI[0]).await.unwrap();
        let expected: Vec<_> = EMOJI[1..limits::REACTION_KINDS].iter().chain(&EMOJI[..1]).copied().collect();
        let there = bob.http.message(sent.id).await.unwrap();
        assert_eq!(there.reactions.iter().map(|r| r.emoji.as_str()).collect::<Vec<_>>(), expected);
        settled(&alice).await;
    }

    async fn ones_own_are_told_apart_in_answers_and_not_in_events(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        let before = sent.version;
        alice.http.react(sent.id, "👍").await.unwrap();
        let (mine, others) = (vec![("👍", 1, Some(true))], vec![("👍", 1, Some(false))]);
        for (user, expected) in [(&alice, mine), (&bob, others)] {
            let page = user.http.messages(user.general(), MessagePageQuery::default()).await.unwrap();
            assert_eq!(shown(&page.items[0]), expected);
            assert_eq!(shown(&user.http.message(sent.id).await.unwrap()), expected);
            assert_eq!(shown(&user.http.changes(user.general(), before).await.unwrap().messages[0]), expected);
            let resume = Some(Resume { channels: [(user.general(), before)].into() });
            let (_, ready) = Raw::with(user, Hello { resume, ..Hello::default() }).await;
            assert_eq!(shown(&ready.changes[0].messages[0]), expected);
        }
        let mut raw = Raw::of(&alice).await;
        assert_eq!(shown(&alice.http.update_message(sent.id, "edited").await.unwrap()), [("👍", 1, Some(true))]);
        let frames = raw.heard().await;
        let told = frames.iter().find_map(|f| if let Event::Message(m) = &f.event { Some(m) } else { None });
        assert_eq!(told.unwrap().reactions, [Reaction { emoji: "👍".to_owned(), count: 1, me: None }]);
    }

    async fn who_reacted_comes_in_pages(s: TestServer) {
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), "hi").await;
        let mut guests = Vec::new();
        for n in 0..5 {
            guests.push(s.guest(&format!("guest {n}")).await);
            guests[n].http.react(sent.id, "👍").await.unwrap();
            guests[n].http.react(sent.id, "🎉").await.unwrap();
        }
        let (mut seen, mut query) = (Vec::new(), ReactorsQuery { limit: Some(2), ..of("👍") });
        loop {
            let page = alice.http.reactors(sent.id, &query).await.unwrap();
            assert!(page.items.len() <= 2);
            seen.extend(page.items.iter().map(|person| person.id));
            let Some(next) = page.next_cursor else { break };
            query.after = Some(next.parse().unwrap());
        }
        assert_eq!(seen, guests.iter().map(|guest| guest.id).collect::<Vec<_>>());
        assert_eq!(names(&alice, sent.id, "🥶").await, []);
        let too_many = ReactorsQuery { limit: Some(101), ..of("👍") };
        assert!(alice.http.reactors(sent.id, &too_many).await.is_err());
    }

    async fn what_is_deleted_has_none_and_takes_none(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        bob.http.react(sent.id, "👍").await.unwrap();
        alice.http.delete_message(sent.id).await.unwrap();
        assert_eq!(shown(&bob.http.message(sent.id).await.unwrap()), []);
        assert_eq!(names(&bob, sent.id, "👍").await, []);
        assert_eq!(refused(bob.http.react(sent.id, "👍").await), Conflict);
        assert_eq!(refused(bob.client.set_reaction(sent.id, "👍", false).await), Conflict);
        let none = MessageId::from(12_345);
        assert_eq!(refused(bob.http.react(none, "👍").await), NotFound);
        assert_eq!(refused(bob.http.unreact(none, "👍").await), NotFound);
        assert_eq!(refused(bob.http.reactors(none, &of("👍")).await), NotFound);
    }

    async fn who_may_react(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let message = cast.owner.send(id, "hi").await.id;
            refusals(&cast, expected, |user| user.http.react(message, "👍")).await;
            refusals(&cast, expected, |user| user.client.set_reaction(message, "🎉", true)).await;
            refusals(&cast, expected, |user| user.http.unreact(message, "👍")).await;
            refusals(&cast, expected, |user| user.client.set_reaction(message, "🎉", false)).await;
        }
    }

    async fn who_may_see_who_reacted(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let message = cast.owner.send(id, "hi").await.id;
            let query = of("👍");
            refusals(&cast, expected, |user| user.http.reactors(message, &query)).await;
        }
    }
}
