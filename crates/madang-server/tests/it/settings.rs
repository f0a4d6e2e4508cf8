//! Settings, and what they keep from others.

use madang_client::proto::{
    Event,
    reads::{ReadMark, SeenQuery},
    settings::{Settings, UpdateSettings},
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals};

fn sharing(share_read_marks: bool) -> UpdateSettings {
    UpdateSettings { share_read_marks: Some(share_read_marks) }
}

async fn next_mark(user: &mut User) -> ReadMark {
    user.next("a read mark", |event| if let Event::ReadReceipt(mark) = event { Some(mark) } else { None })
        .await
}

on_both! {
    async fn they_are_the_same_on_all_devices(s: TestServer) {
        let (alice, bob) = s.users().await;
        assert_eq!(alice.http.settings().await.unwrap(), Settings { share_read_marks: true });
        let changed = all_converge(&[&alice, &bob], alice.http.update_settings(&sharing(false))).await.unwrap();
        assert_eq!(changed, Settings { share_read_marks: false });
        assert_eq!(alice.http.update_settings(&UpdateSettings::default()).await.unwrap(), changed, "what is missing stays");
        assert_eq!(alice.http.settings().await.unwrap(), changed);
        assert_eq!(bob.http.settings().await.unwrap(), Settings { share_read_marks: true });
    }

    async fn everyone_has_their_own(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.settings()).await;
        let private = sharing(false);
        refusals(&cast, Expected::ALLOWED, |user| user.http.update_settings(&private)).await;
    }

    async fn who_does_not_share_read_marks_is_told_to_nobody(s: TestServer) {
        let (mut alice, mut bob) = s.users().await;
        let general = alice.general();
        let (first, second) = (alice.send(general, "1").await, alice.send(general, "2").await);
        bob.http.update_settings(&sharing(false)).await.unwrap();
        let mut ear = Raw::of(&alice).await;
        bob.http.mark_read(general, first.id).await.unwrap();
        assert_eq!(next_mark(&mut bob).await.seq, 1, "one's own devices hear it");
        let http = alice.http.clone();
        let seen = async |id| http.seen(id, SeenQuery::default()).await.unwrap();
        assert_eq!((seen(first.id).await.count, seen(first.id).await.items.len()), (0, 0));
        bob.http.update_settings(&sharing(true)).await.unwrap();
        bob.http.mark_read(general, second.id).await.unwrap();
        assert_eq!(next_mark(&mut alice).await.seq, 2, "the first that she hears");
        let marks = ear.heard().await.into_iter().filter(|frame| matches!(frame.event, Event::ReadReceipt(_)));
        assert!(marks.count() <= 1);
        assert_eq!(seen(second.id).await.items[0].id, bob.id);
    }
}
