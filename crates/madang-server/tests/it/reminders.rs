//! Reminders: one's own alone, due at their time on all one's devices until they are deleted.

use madang_client::proto::{
    Event, Timestamp,
    error::ErrorCode::{self, Conflict, Invalid, NotFound},
    limits,
    reminders::Reminder,
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn within(s: &TestServer, ms: i64) -> Timestamp {
    s.clock.now().plus_millis(ms)
}

async fn next_due(user: &mut User) -> Reminder {
    let due = user.next("a reminder that is due", |event| match event {
        Event::Reminder(change) => change.reminder.filter(|reminder| reminder.due),
        _ => None,
    });
    due.await
}

on_both! {
    async fn it_is_told_at_its_time_and_stays_until_it_is_deleted(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let sent = alice.send(alice.general(), "do this").await;
        let mut raw = Raw::of(&alice).await;
        let both = bob.http.remind(Some(sent.id), Some("오늘"), within(&s, 60_000)).await.unwrap();
        let tea = bob.http.remind(None, Some("tea"), within(&s, 30_000)).await.unwrap();
        assert_eq!((both.message_id, both.channel_id, both.due), (Some(sent.id), Some(sent.channel_id), false));
        assert_eq!(bob.http.reminders().await.unwrap(), [tea.clone(), both.clone()], "the next first");
        s.advance(30_000);
        let due = Reminder { due: true, ..tea };
        assert_eq!(next_due(&mut bob).await, due);
        assert_eq!(bob.http.reminders().await.unwrap(), [due.clone(), both.clone()]);
        bob.http.delete_reminder(due.id).await.unwrap();
        bob.http.delete_reminder(both.id).await.unwrap();
        assert_eq!(refused(bob.http.delete_reminder(due.id).await), NotFound);
        s.advance(60_000);
        bob.http.remind(None, Some("the next that is told"), within(&s, 1)).await.unwrap();
        s.advance(1);
        assert_eq!(next_due(&mut bob).await.text.as_deref(), Some("the next that is told"));
        assert!(!raw.heard().await.into_iter().any(|frame| matches!(frame.event, Event::Reminder(_))));
    }

    async fn ones_devices_know_the_same(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let id = all_converge(&[&bob, &alice], bob.http.remind(None, Some("tea"), within(&s, 1_000))).await.unwrap().id;
        s.advance(1_000);
        next_due(&mut bob).await;
        crate::support::settled(&bob).await;
        all_converge(&[&bob, &alice], bob.http.delete_reminder(id)).await.unwrap();
        assert_eq!(bob.client.state().later().unwrap().reminders.len(), 0);
    }

    async fn text_time_and_number_have_limits(s: TestServer) {
        let (alice, bob) = s.users().await;
        let furthest = within(&s, limits::AHEAD_SECONDS * 1_000);
        let long = "가".repeat(limits::REMINDER_CHARS);
        for (text, at) in [
            (None, furthest),
            (Some(" "), furthest),
            (Some(&*format!("{long}가")), furthest),
            (Some("past"), within(&s, 0)),
            (Some("far"), furthest.plus_millis(1)),
        ] {
            assert_eq!(refused(alice.http.remind(None, text, at).await), Invalid, "{text:?}");
        }
        let first = alice.http.remind(None, Some(&long), furthest).await.unwrap().id;
        for _ in 1..limits::REMINDERS_PER_USER {
            alice.http.remind(None, Some("tea"), furthest).await.unwrap();
        }
        assert_eq!(refused(alice.http.remind(None, Some("one more"), furthest).await), Conflict);
        assert_eq!(refused(bob.http.delete_reminder(first).await), NotFound);
        alice.http.delete_reminder(first).await.unwrap();
        alice.http.remind(None, Some("one more"), furthest).await.unwrap();
    }

    async fn who_may_be_reminded(s: TestServer) {
        let cast = Cast::of(&s).await;
        let at = within(&s, 1_000_000);
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let message = cast.owner.send(id, "hi").await.id;
            refusals(&cast, expected, |user| user.http.remind(Some(message), None, at)).await;
        }
        refusals(&cast, Expected::ALLOWED, |user| user.http.reminders()).await;
        let own = cast.member.http.remind(None, Some("tea"), at).await.unwrap().id;
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.delete_reminder(own)).await;
    }
}
