//! Threads: replies to a message, who sees and follows them, and what their roots tell.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use madang_client::{
    Error, State,
    proto::{
        Event, MessageId,
        channels::{Channel, ChannelKind, UpdateChannel},
        command::{Command, InChannel},
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        messages::{Message, SendMessage},
        page::MessagePageQuery,
        threads::{CreateReply, FollowedThread, MessageThread, ThreadPageQuery},
    },
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

fn reply(content: &str) -> CreateReply {
    CreateReply { content: content.to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() }
}

async fn say(user: &User, root: MessageId, content: &str) -> Message {
    user.http.reply(root, &reply(content)).await.unwrap()
}

async fn replies(user: &User, root: MessageId) -> Vec<String> {
    let page = user.http.replies(root, MessagePageQuery::default()).await.unwrap();
    page.items.into_iter().map(|message| message.content).collect()
}

async fn followed(user: &User) -> Vec<FollowedThread> {
    user.http.threads(&ThreadPageQuery::default()).await.unwrap().items
}

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// What the root tells, in a client that has loaded its channel.
fn told(state: &State, root: &Message) -> Option<MessageThread> {
    state.channel(root.channel_id)?.message(root.id)?.thread.clone()
}

/// Waits until the root tells of so many replies.
async fn tells(user: &User, root: &Message, count: i64) -> MessageThread {
    let told = |state: &State| told(state, root).filter(|thread| thread.reply_count == count);
    user.client.wait_for("the root to tell of its replies", told).await.unwrap()
}

on_both! {
    async fn replying_leaves_nobody_stale_and_the_root_tells(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "뭐 먹을까요?").await;
        let all = [&bob, &alice];
        let body = CreateReply { nonce: Some("n".to_owned()), ..reply("김밥") };
        let (first, _) = all_converge(&all, async {
            let first = bob.http.reply(root.id, &body).await.unwrap();
            (first, tells(&alice, &root, 1).await)
        })
        .await;
        let thread = first.thread.clone().unwrap();
        assert_eq!((first.seq, thread.root_id, thread.channel_id), (1, Some(root.id), first.channel_id));
        assert_eq!(bob.http.reply(root.id, &body).await.unwrap(), first, "the same nonce");
        s.advance(60_000);
        let second = all_converge(&all, async {
            let second = say(&alice, root.id, "라면").await;
            tells(&bob, &root, 2).await;
            second
        })
        .await;
        let told = tells(&alice, &root, 2).await;
        assert_eq!((told.last_reply_at, told.channel_id), (Some(second.created_at), first.channel_id));
        assert_eq!(replies(&bob, root.id).await, ["김밥", "라면"]);
        let general = alice.http.channel(root.channel_id).await.unwrap();
        assert_eq!(general.last_seq, 1, "replies are not in the channel");
        let listed: Vec<Channel> = alice.http.channels().await.unwrap();
        assert!(listed.iter().all(|channel| channel.kind != ChannelKind::Thread));
        assert!(alice.client.state().channel(first.channel_id).is_none());
    }

    async fn many_first_replies_at_the_same_time_are_in_one_thread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        alice.client.load_everything().await.unwrap();
        let sent = join_all((0..20).map(|n| {
            let user = if n % 2 == 0 { &alice } else { &bob };
            async move { say(user, root.id, &n.to_string()).await }
        }))
        .await;
        let channels: BTreeSet<_> = sent.iter().map(|message| message.channel_id).collect();
        let seqs: BTreeSet<_> = sent.iter().map(|message| message.seq).collect();
        assert_eq!((channels.len(), seqs), (1, (1..=20).collect()));
        tells(&alice, &root, 20).await;
        let told = alice.http.channel(root.channel_id).await.unwrap().version - root.version;
        assert!((1..20).contains(&told), "the root was told {told} times for 20 replies");
        settled(&alice).await;
        settled(&bob).await;
    }

    async fn a_storm_of_replies_is_told_a_few_times(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        alice.client.load_everything().await.unwrap();
        let thread = say(&bob, root.id, "first").await.channel_id;
        tells(&alice, &root, 1).await;
        for _ in 0..10 {
            join_all((0..20).map(|_| bob.client.send(thread, "more"))).await;
        }
        tells(&alice, &root, 201).await;
        let told = alice.http.channel(root.channel_id).await.unwrap().version - root.version;
        assert!(told < 100, "the root was told {told} times for 201 replies");
        settled(&bob).await;
    }

    async fn deleting_a_reply_lowers_the_count_and_deleting_the_root_keeps_the_thread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let (first, _) = (say(&bob, root.id, "first").await, say(&alice, root.id, "second").await);
        alice.client.load_everything().await.unwrap();
        bob.client.load_everything().await.unwrap();
        tells(&alice, &root, 2).await;
        let all = [&alice, &bob];
        all_converge(&all, async {
            bob.http.delete_message(first.id).await.unwrap();
            bob.http.delete_message(first.id).await.unwrap();
            tells(&alice, &root, 1).await;
        })
        .await;
        all_converge(&all, alice.http.delete_message(root.id)).await.unwrap();
        assert_eq!(replies(&bob, root.id).await, ["", "second"]);
        say(&bob, root.id, "third").await;
        assert_eq!(tells(&alice, &root, 2).await.root_id, None);
        settled(&alice).await;
        assert!(alice.http.message(root.id).await.unwrap().deleted_at.is_some());
        let bare = alice.send(alice.general(), "nobody replied").await.id;
        alice.http.delete_message(bare).await.unwrap();
        assert_eq!(refused(bob.http.reply(bare, &reply("too late")).await), Conflict);
    }

    async fn who_has_the_thread_open_hears_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let thread = say(&alice, root.id, "first").await.channel_id;
        let (mut socket, _) = Raw::with(&bob, Default::default()).await;
        socket.send(Command::JoinChannel(InChannel { channel_id: thread }), Some("join")).await;
        let frame = async |socket: &mut Raw, what: fn(&Event) -> bool| loop {
            let frame = socket.next().await.unwrap();
            if what(&frame.event) {
                return frame.event;
            }
        };
        frame(&mut socket, |event| matches!(event, Event::Ack(_))).await;
        alice.client.send(thread, "heard").await.unwrap();
        let reply = |event: &Event| matches!(event, Event::Message(m) if m.content == "heard");
        let Event::Message(heard) = frame(&mut socket, reply).await else { unreachable!() };
        assert_eq!((heard.channel_id, heard.thread.unwrap().root_id), (thread, Some(root.id)));
        assert!(followed(&bob).await.is_empty(), "hearing is not following");
    }

    async fn who_is_put_out_of_the_channel_hears_its_threads_no_more(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, secret, .. } = &cast;
        let root = owner.send(secret.id, "root").await.id;
        let thread = say(member, root, "first").await.channel_id;
        member.client.subscribe(thread).await.unwrap();
        let (mut socket, _) = Raw::with(member, Default::default()).await;
        socket.send(Command::JoinChannel(InChannel { channel_id: thread }), None).await;
        owner.http.remove_channel_member(secret.id, member.id).await.unwrap();
        say(owner, root, "hidden").await;
        owner.http.add_channel_member(secret.id, member.id).await.unwrap();
        let mark = owner.send(secret.id, "heard again").await.id;
        loop {
            match socket.next().await.unwrap().event {
                Event::Message(message) if message.id == mark => break,
                Event::Message(message) => assert!(message.content != "hidden", "{message:?}"),
                _ => {}
            }
        }
        assert_eq!(followed(member).await.len(), 1, "who is back follows again");
    }

    async fn authors_follow_and_have_what_they_have_not_read(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let first = alice.send(alice.general(), "first").await;
        s.advance(1_000);
        let second = alice.send(alice.general(), "second").await;
        for (user, root) in [(&bob, &first), (&bob, &second), (&alice, &first), (&bob, &first)] {
            s.advance(1_000);
            say(user, root.id, "hm").await;
        }
        let unread = |threads: &[FollowedThread]| -> Vec<_> {
            threads.iter().map(|t| (t.root.content.clone(), t.channel.unread_count.unwrap())).collect()
        };
        let of_alice = followed(&alice).await;
        assert_eq!(unread(&of_alice), [("first".to_owned(), 1), ("second".to_owned(), 1)]);
        let thread = &of_alice[0].channel;
        let newest = alice.http.replies(first.id, MessagePageQuery::default()).await.unwrap().items[2].id;
        alice.http.mark_read(thread.id, newest).await.unwrap();
        assert_eq!(unread(&followed(&alice).await), [("second".to_owned(), 1), ("first".to_owned(), 0)]);
        assert!(followed(&carol).await.is_empty());
        let all = [&carol, &alice];
        let known = all_converge(&all, carol.http.follow_thread(first.id)).await.unwrap();
        assert_eq!((known.joined, known.unread_count, known.member_count), (Some(true), Some(0), 3));
        assert_eq!(carol.http.follow_thread(first.id).await.unwrap(), known, "twice changes nothing");
        say(&bob, first.id, "for carol").await;
        assert_eq!(unread(&followed(&carol).await), [("first".to_owned(), 1)]);
        for _ in 0..2 {
            all_converge(&all, carol.http.unfollow_thread(first.id)).await.unwrap();
        }
        assert!(followed(&carol).await.is_empty());
        let bare = alice.send(alice.general(), "nobody replied").await;
        carol.http.unfollow_thread(bare.id).await.unwrap();
        assert_eq!(carol.http.follow_thread(bare.id).await.unwrap().last_seq, 0);
    }

    async fn followed_threads_come_in_pages(s: TestServer) {
        let (alice, bob) = s.users().await;
        for n in 0..7 {
            let root = alice.send(alice.general(), &n.to_string()).await.id;
            s.advance(1_000);
            say(if n < 3 { &alice } else { &bob }, root, "hm").await;
        }
        let mut seen = Vec::new();
        let mut query = ThreadPageQuery { limit: Some(2), after: None };
        loop {
            let page = alice.http.threads(&query).await.unwrap();
            seen.extend(page.items.into_iter().map(|thread| thread.root.content));
            query.after = page.next_cursor;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"], "unread ones first");
        for (limit, after) in [(Some(0), None), (Some(101), None), (None, Some("1-2")), (None, Some("x-1-1"))] {
            let query = ThreadPageQuery { limit, after: after.map(str::to_owned) };
            assert_eq!(refused(alice.http.threads(&query).await), Invalid);
        }
    }

    async fn a_reply_can_stand_in_the_channel_too(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let (content, nonce) = ("for all".to_owned(), Some("n".to_owned()));
        let body = CreateReply { content, nonce, also_to_channel: true, file_ids: Vec::new() };
        let sent = all_converge(&[&bob, &alice], bob.http.reply(root.id, &body)).await.unwrap();
        assert_eq!(bob.http.reply(root.id, &body).await.unwrap(), sent);
        let query = MessagePageQuery::default();
        let messages = alice.http.messages(root.channel_id, query).await.unwrap().items;
        assert_eq!(messages.len(), 2, "once, however often it was asked for");
        assert_eq!((messages[1].content.as_str(), &messages[1].thread), ("for all", &sent.thread));
        assert_eq!(replies(&alice, root.id).await, ["for all"]);
        assert_eq!(refused(alice.http.reply(messages[1].id, &reply("no")).await), Conflict);
    }

    async fn the_command_replies_too(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let new = |channel_id, thread_root_id, also_to_channel| {
            Command::Message(SendMessage {
                channel_id,
                content: "hi".to_owned(),
                nonce: Some("n".to_owned()),
                thread_root_id,
                also_to_channel,
                file_ids: Vec::new(),
            })
        };
        let (mut socket, _) = Raw::with(&bob, Default::default()).await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        for (command, expected) in [
            (new(root.channel_id, Some(root.id), false), None),
            (new(root.channel_id, Some(root.id), true), None),
            (new(other, Some(root.id), false), Some(Invalid)),
            (new(root.channel_id, None, true), Some(Invalid)),
            (new(root.channel_id, Some(12_345.into()), false), Some(NotFound)),
        ] {
            socket.send(command, Some("r")).await;
            let code = loop {
                match socket.next().await.unwrap().event {
                    Event::Ack(_) => break None,
                    Event::Error(error) => break Some(error.code),
                    _ => {}
                }
            };
            assert_eq!(code, expected);
        }
        assert_eq!(replies(&alice, root.id).await, ["hi"]);
    }

    async fn there_is_no_thread_in_a_thread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await.id;
        let first = say(&bob, root, "first").await;
        assert_eq!(refused(alice.http.reply(first.id, &reply("no")).await), Conflict);
        assert_eq!(refused(alice.http.follow_thread(first.id).await), Conflict);
        assert_eq!(refused(alice.http.replies(first.id, MessagePageQuery::default()).await), NotFound);
        for bad in ["", " ", &"x".repeat(8_001)] {
            let bare = alice.send(alice.general(), "bare").await.id;
            assert_eq!(refused(bob.http.reply(bare, &reply(bad)).await), Invalid);
            assert!(replies(&alice, bare).await.is_empty());
            assert!(followed(&alice).await.len() == 1, "no thread was opened");
        }
    }

    async fn who_may_reply_read_and_follow(s: TestServer) {
        let cast = Cast::of(&s).await;
        let owner = &cast.owner;
        for (channel, takes, sees) in [
            (cast.open.id, Expected::IN_OPEN, Expected::IN_WORKSPACE),
            (cast.secret.id, Expected::IN_SECRET, Expected::IN_SECRET),
        ] {
            let message = owner.send(channel, "root").await;
            let root = message.id;
            let thread = say(owner, root, "first").await;
            tells(owner, &message, 1).await;
            let (body, query) = (&reply("hi"), MessagePageQuery::default());
            refusals(&cast, sees, |user| user.http.replies(root, query)).await;
            refusals(&cast, sees, |user| user.http.messages(thread.channel_id, query)).await;
            refusals(&cast, sees, |user| user.http.channel(thread.channel_id)).await;
            refusals(&cast, sees, |user| user.http.message(thread.id)).await;
            refusals(&cast, sees, |user| user.http.changes(thread.channel_id, 0)).await;
            refusals(&cast, takes, |user| user.http.reply(root, body)).await;
            tells(owner, &message, 5).await;
            refusals(&cast, takes, |user| user.client.send(thread.channel_id, "hi")).await;
            tells(owner, &message, 9).await;
            refusals(&cast, takes, |user| user.http.follow_thread(root)).await;
            refusals(&cast, takes, |user| user.http.unfollow_thread(root)).await;
            refusals(&cast, takes, |user| user.http.mark_read(thread.channel_id, thread.id)).await;
            refusals(&cast, takes, |user| user.client.subscribe(thread.channel_id)).await;
            for user in cast.everyone() {
                let may = user.http.channel(channel).await.is_ok();
                let expected = if may { Forbidden } else { NotFound };
                let rename = UpdateChannel { name: Some("x".to_owned()), ..UpdateChannel::default() };
                assert_eq!(refused(user.http.update_channel(thread.channel_id, &rename).await), expected);
                assert_eq!(refused(user.http.delete_channel(thread.channel_id).await), expected);
                assert_eq!(refused(user.http.add_channel_member(thread.channel_id, owner.id).await), expected);
                if user.id != owner.id {
                    assert_eq!(refused(user.http.remove_channel_member(thread.channel_id, owner.id).await), expected);
                    assert_eq!(refused(user.http.update_message(thread.id, "changed").await), expected);
                }
            }
        }
        let query = &ThreadPageQuery::default();
        refusals(&cast, Expected::ALLOWED, |user| user.http.threads(query)).await;
    }

    async fn what_a_root_was_to_be_told_is_told_after_a_fault(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let thread = say(&bob, root.id, "first").await.channel_id;
        tells(&alice, &root, 1).await;
        s.faults.arm("threads");
        for n in 0..5 {
            bob.client.send(thread, &n.to_string()).await.unwrap();
        }
        tells(&alice, &root, 6).await;
        settled(&bob).await;
        let (_, health) = s.http().health().await.unwrap();
        let child = health["children"].as_array().unwrap().iter().find(|child| child["name"] == "threads");
        assert_eq!(child.unwrap()["restarts"], 1);
    }
}
