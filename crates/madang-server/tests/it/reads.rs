//! Read marks and what is unread.

use futures_util::future::join_all;
use madang_client::proto::{
    Event, MessageId,
    accounts::GuestLogin,
    channels::{Channel, ChannelKind},
    error::ErrorCode::{Conflict, Invalid, NotFound},
    limits,
    page::MessagePageQuery,
    reads::{MarkRead, ReadMark, SeenQuery},
};

use crate::support::{
    Cast, Expected, TestServer, User, all_converge, client_settled, on_both, raw::Raw, refusals, settled,
};

fn unread(user: &User) -> i64 {
    user.client.state().channel(user.general()).unwrap().unread()
}

/// What is unread in general, how much of it mentions, and the first: live, and as fresh requests say.
async fn badge(user: &User) -> (i64, i64, Option<i64>) {
    settled(user).await;
    let of = |c: &Channel| (c.unread_count.unwrap(), c.mention_count.unwrap(), c.first_unread_seq());
    let known = of(user.client.state().channel(user.general()).unwrap().facts());
    assert_eq!(of(&user.http.channel(user.general()).await.unwrap()), known);
    assert_eq!(of(&user.http.channels().await.unwrap()[0]), known);
    known
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

    async fn a_deleted_message_is_not_unread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let (first, gone) = (alice.send(general, "1").await, alice.send(general, "@bob").await);
        alice.send(general, "3").await;
        all_converge(&[&alice, &bob], alice.http.delete_message(gone.id)).await.unwrap();
        assert_eq!((unread(&bob), badge(&bob).await), (2, (2, 0, Some(1))));
        all_converge(&[&bob, &alice], bob.http.mark_read(general, first.id)).await.unwrap();
        assert_eq!(badge(&bob).await, (1, 0, Some(3)));
    }

    async fn one_can_mark_a_channel_as_unread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let mut sent = Vec::new();
        for content in ["1", "@bob", "3", "@channel"] {
            sent.push(alice.send(general, content).await);
        }
        bob.send(general, "@channel from bob").await;
        let last = alice.send(general, "6").await;
        alice.http.delete_message(sent[2].id).await.unwrap();
        bob.http.mark_read(general, last.id).await.unwrap();
        assert_eq!(badge(&bob).await, (0, 0, None));
        let back = all_converge(&[&bob, &alice], bob.http.mark_unread(general, sent[1].id)).await.unwrap();
        assert_eq!((back.last_read_seq, back.read_version, back.message_id), (1, 1, sent[1].id));
        assert_eq!(badge(&bob).await, (3, 2, Some(2)), "neither the deleted one nor one's own");
        all_converge(&[&bob, &alice], alice.http.update_message(sent[3].id, "no more")).await.unwrap();
        all_converge(&[&bob, &alice], alice.http.delete_message(sent[1].id)).await.unwrap();
        assert_eq!(badge(&bob).await, (2, 0, Some(4)));
        all_converge(&[&bob, &alice], bob.client.send(general, "who writes has read")).await.unwrap();
        assert_eq!(badge(&bob).await, (0, 0, None));
    }

    async fn a_mark_from_before_does_not_undo_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let (first, second) = (alice.send(general, "1").await, alice.send(general, "2").await);
        let late = MarkRead { message_id: second.id, read_version: Some(0) };
        bob.http.mark_unread(general, first.id).await.unwrap();
        assert_eq!(bob.http.put_read_mark(general, &late).await.unwrap_err().code(), Some(Conflict));
        assert_eq!(badge(&bob).await, (2, 0, Some(1)));
        let knowing = MarkRead { read_version: Some(1), ..late };
        assert_eq!(bob.http.put_read_mark(general, &knowing).await.unwrap().read_version, Some(1));
        assert_eq!(badge(&bob).await, (0, 0, None));
        bob.http.mark_unread(general, second.id).await.unwrap();
        settled(&bob).await;
        bob.client.mark_read(general, second.id).await.unwrap();
        assert_eq!(badge(&bob).await, (0, 0, None), "a client names the version that it knows");
    }

    async fn a_device_that_was_away_learns_that_it_is_unread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let phone = bob.device().await;
        let sent = alice.send(alice.general(), "read me").await;
        bob.http.mark_read(bob.general(), sent.id).await.unwrap();
        phone.wait_for("the mark", |state| (state.channel_named("general")?.last_read_seq() == 1).then_some(())).await.unwrap();
        phone.disconnect().await.unwrap();
        bob.http.mark_unread(bob.general(), sent.id).await.unwrap();
        phone.reconnect().await.unwrap();
        client_settled(&phone, "bob's phone").await;
        assert_eq!(phone.state().channel_named("general").unwrap().unread(), 1);
    }

    async fn a_page_begins_at_the_first_unread_message(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        for n in 1..=9 {
            let sent = alice.send(general, &n.to_string()).await;
            if n == 4 {
                bob.http.mark_read(general, sent.id).await.unwrap();
            }
        }
        let first = bob.http.channel(general).await.unwrap().first_unread_seq();
        assert_eq!(first, Some(5));
        let query = MessagePageQuery { limit: Some(4), around_seq: first, ..Default::default() };
        let page = bob.http.messages(general, query).await.unwrap();
        assert_eq!(page.items.iter().map(|m| m.seq).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(page.next_cursor.is_some() && page.prev_cursor.is_some());
        for (around_seq, seqs) in [(1, vec![1, 2]), (9, vec![7, 8, 9]), (99, vec![8, 9])] {
            let query = MessagePageQuery { around_seq: Some(around_seq), ..query };
            let page = bob.http.messages(general, query).await.unwrap();
            assert_eq!(page.items.iter().map(|m| m.seq).collect::<Vec<_>>(), seqs);
        }
        for query in [
            MessagePageQuery { around_seq: Some(0), ..query },
            MessagePageQuery { around: Some(12_345.into()), ..query },
        ] {
            assert_eq!(bob.http.messages(general, query).await.unwrap_err().code(), Some(Invalid));
        }
    }

    async fn who_has_seen_a_message(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let carol = s.user("carol").await;
        s.advance(1_000);
        let (first, sent) = (alice.send(general, "1").await, alice.send(general, "2").await);
        s.advance(1_000);
        s.user("late").await;
        let seen = async |query| alice.http.seen(sent.id, query).await.unwrap();
        assert_eq!(seen(SeenQuery::default()).await.count, 0, "who came later has not");
        bob.http.mark_read(general, first.id).await.unwrap();
        carol.http.mark_read(general, sent.id).await.unwrap();
        bob.send(general, "who writes has read").await;
        bob.http.mark_unread(general, first.id).await.unwrap();
        let all = seen(SeenQuery::default()).await;
        let names: Vec<_> = all.items.iter().map(|user| user.username.as_str()).collect();
        assert_eq!((all.count, names, all.next_cursor), (2, vec!["bob", "carol"], None), "what was seen was seen");
        let one = seen(SeenQuery { limit: Some(1), after: None }).await;
        assert_eq!((one.count, one.items.len(), one.next_cursor), (2, 1, Some(bob.id.to_string())));
        let rest = seen(SeenQuery { limit: Some(1), after: Some(bob.id) }).await;
        assert_eq!((rest.count, rest.items[0].id, rest.next_cursor), (2, carol.id, None));
        let beyond = seen(SeenQuery { limit: None, after: Some(carol.id) }).await;
        assert_eq!((beyond.count, beyond.items.len()), (2, 0));
    }

    async fn a_mark_stands_at_a_message_of_its_channel(s: TestServer) {
        let alice = s.user("alice").await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let elsewhere = alice.send(other, "elsewhere").await.id;
        for id in [elsewhere, MessageId::from(12_345)] {
            let error = alice.http.mark_read(alice.general(), id).await.unwrap_err();
            assert_eq!((error.code(), error.problem().unwrap().errors[0].field.as_str()), (Some(Invalid), "message_id"));
            assert_eq!(alice.client.mark_read(alice.general(), id).await.unwrap_err().code(), Some(Invalid));
            assert_eq!(alice.http.mark_unread(alice.general(), id).await.unwrap_err().code(), Some(Invalid));
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
            refusals(&cast, expected, |user| user.http.mark_unread(id, message)).await;
            refusals(&cast, expected, |user| user.http.seen(message, SeenQuery::default())).await;
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
