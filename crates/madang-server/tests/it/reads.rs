//! Read marks and what is unread.

use futures_util::future::join_all;
use madang_client::proto::{
    Event, MessageId,
    accounts::GuestLogin,
    channels::ChannelKind,
    error::ErrorCode::{Invalid, NotFound},
    limits,
    reads::ReadMark,
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

fn unread(user: &User) -> i64 {
    user.client.state().channel(user.general()).unwrap().unread()
}

/// The next read mark that is heard.
async fn next_mark(user: &mut User) -> ReadMark {
    user.next("a read mark", |event| if let Event::ReadReceipt(mark) = event { Some(mark) } else { None })
        .await
}

on_both! {
    async fn reading_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (first, second) = (alice.send(alice.general(), "1").await, alice.send(alice.general(), "2").await);
        settled(&bob).await;
        assert_eq!((unread(&bob), unread(&alice)), (2, 0), "one's own are read");
        all_converge(&[&bob, &alice], bob.http.mark_read(bob.general(), first.id)).await.unwrap();
        assert_eq!(unread(&bob), 1);
        all_converge(&[&bob, &alice], bob.client.mark_read(bob.general(), second.id)).await.unwrap();
        assert_eq!(unread(&bob), 0);
    }

    async fn a_mark_never_moves_back(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (first, second) = (alice.send(alice.general(), "1").await, alice.send(alice.general(), "2").await);
        bob.http.mark_read(bob.general(), second.id).await.unwrap();
        for _ in 0..2 {
            bob.http.mark_read(bob.general(), first.id).await.unwrap();
            bob.client.mark_read(bob.general(), first.id).await.unwrap();
        }
        let general = bob.http.channel(bob.general()).await.unwrap();
        assert_eq!((general.last_read_seq, general.unread_count), (Some(2), Some(0)));
        settled(&bob).await;
    }

    async fn ones_other_device_hears_it_and_the_others_see_it(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        let phone = bob.device().await;
        let sent = alice.send(alice.general(), "read me").await;
        bob.http.mark_read(bob.general(), sent.id).await.unwrap();
        let read = |state: &madang_client::State| {
            (state.channel_named("general")?.facts().last_read_seq == Some(1)).then_some(())
        };
        phone.wait_for("the mark on the other device", read).await.unwrap();
        let mark = next_mark(&mut alice).await;
        assert_eq!((mark.user_id, mark.message_id, mark.seq), (bob.id, sent.id, 1));
    }

    async fn ones_own_marks_are_heard_each_once_and_the_others_hear_the_newest(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        let mut phone = Raw::of(&bob).await;
        let mut sent = Vec::new();
        for at in 0..20 {
            sent.push(alice.send(alice.general(), &at.to_string()).await);
        }
        for message in &sent {
            bob.http.mark_read(bob.general(), message.id).await.unwrap();
        }
        while next_mark(&mut alice).await.seq < 20 {}
        let frames = phone.heard().await.into_iter();
        let own = frames.filter_map(|f| if let Event::ReadReceipt(mark) = f.event { Some(mark.seq) } else { None });
        assert_eq!(own.collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    }

    async fn in_a_large_channel_only_oneself_hears_it(s: TestServer) {
        let (mut alice, mut bob) = s.users().await;
        let (http, guest) = (s.http(), GuestLogin::default());
        let all = join_all((0..limits::READ_RECEIPT_MEMBERS).map(|_| http.guest(&guest))).await;
        all.into_iter().for_each(|guest| drop(guest.unwrap()));
        let sent = alice.send(alice.general(), "read me").await;
        bob.http.mark_read(bob.general(), sent.id).await.unwrap();
        assert_eq!(next_mark(&mut bob).await.message_id, sent.id);
        let small = alice.channel("small", ChannelKind::Public).await.id;
        bob.client.join(small).await.unwrap();
        let sent = alice.send(small, "read me too").await;
        bob.http.mark_read(small, sent.id).await.unwrap();
        assert_eq!(next_mark(&mut alice).await.message_id, sent.id, "the first that she hears");
    }

    async fn what_one_writes_counts_as_read_and_so_does_what_was_before_one_came(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.send(alice.general(), "old").await;
        let carol = s.user("carol").await;
        assert_eq!(unread(&carol), 0);
        alice.send(alice.general(), "new").await;
        settled(&carol).await;
        assert_eq!((unread(&carol), carol.client.state().channel(carol.general()).unwrap().last_read_seq()), (1, 1));
        bob.send(bob.general(), "answer").await;
        settled(&bob).await;
        assert_eq!(unread(&bob), 0);
        let general = bob.http.channel(bob.general()).await.unwrap();
        assert_eq!((general.last_read_seq, general.unread_count), (Some(3), Some(0)));
    }

    async fn a_deleted_message_keeps_its_place_in_the_count(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "gone soon").await;
        alice.send(alice.general(), "stays").await;
        alice.http.delete_message(sent.id).await.unwrap();
        settled(&bob).await;
        assert_eq!(unread(&bob), 2);
        bob.http.mark_read(bob.general(), sent.id).await.unwrap();
        settled(&bob).await;
        assert_eq!(unread(&bob), 1);
    }

    async fn a_mark_stands_at_a_message_of_its_channel(s: TestServer) {
        let alice = s.user("alice").await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let elsewhere = alice.send(other, "elsewhere").await.id;
        for id in [elsewhere, MessageId::from(12_345)] {
            let error = alice.http.mark_read(alice.general(), id).await.unwrap_err();
            assert_eq!((error.code(), error.problem().unwrap().errors[0].field.as_str()), (Some(Invalid), "message_id"));
            assert_eq!(alice.client.mark_read(alice.general(), id).await.unwrap_err().code(), Some(Invalid));
        }
        let nowhere = alice.http.mark_read(12_345.into(), elsewhere).await;
        assert_eq!(nowhere.unwrap_err().code(), Some(NotFound));
    }

    async fn who_may_mark(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let message = cast.owner.send(id, "read me").await.id;
            refusals(&cast, expected, |user| user.http.mark_read(id, message)).await;
            refusals(&cast, expected, |user| user.client.mark_read(id, message)).await;
        }
    }

    async fn marks_are_not_told_outside_the_channel(s: TestServer) {
        let cast = Cast::of(&s).await;
        let mut watcher = s.user("watcher").await;
        cast.owner.http.add_workspace_member(cast.workspace, "watcher").await.unwrap();
        let hidden = cast.owner.send(cast.secret.id, "read me").await.id;
        let shown = cast.owner.send(cast.owner.general(), "read me too").await.id;
        cast.member.http.mark_read(cast.secret.id, hidden).await.unwrap();
        cast.member.http.mark_read(cast.member.general(), shown).await.unwrap();
        assert_eq!(next_mark(&mut watcher).await.message_id, shown, "the first one heard");
    }
}
