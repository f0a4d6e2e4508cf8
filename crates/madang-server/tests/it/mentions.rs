//! Mentions: who is meant by a name, and how they are counted.

use madang_client::proto::{
    ChannelId,
    accounts::{Register, Secret},
    channels::ChannelKind,
    limits,
    mentions::MentionKind::{self, Channel, Here, User as Person},
    messages::Message,
    presence::Status,
    threads::{CreateReply, ThreadPageQuery},
};

use crate::support::{TestServer, User, all_converge, on_both, settled};

/// What a message mentions, by kind and name.
fn mentioned(message: &Message) -> Vec<(MentionKind, &str)> {
    message.mentions.iter().map(|m| (m.kind, &*m.name)).collect()
}

/// The unread messages that mention someone, as they know it live and as a fresh request says.
async fn unread(user: &User, channel: ChannelId) -> Vec<i64> {
    settled(user).await;
    let there = user.http.channel(channel).await.unwrap();
    let listed = user.http.channels().await.unwrap().into_iter().find(|c| c.id == channel).unwrap();
    let known = user.client.state().channel(channel).unwrap().facts().clone();
    for seen in [&there, &listed] {
        assert_eq!(
            (&seen.unread_mentions, seen.mention_count),
            (&known.unread_mentions, known.mention_count)
        );
    }
    assert_eq!(known.mention_count, Some(i64::try_from(known.unread_mentions.len()).unwrap()));
    known.unread_mentions
}

async fn called(s: &TestServer, username: &str, display_name: &str) -> User {
    let body = Register {
        username: username.to_owned(),
        password: Secret("correct horse".to_owned()),
        display_name: Some(display_name.to_owned()),
        email: None,
    };
    User::of(s.http(), s.http().register(&body).await.unwrap()).await
}

on_both! {
    async fn a_name_means_who_is_called_so_in_the_channel(s: TestServer) {
        let (alice, bob) = s.users().await;
        let jimin = called(&s, "jimin", "지민").await;
        let minji = called(&s, "minji", "민지").await;
        let (_one, _other) = (called(&s, "seo1", "서연").await, called(&s, "seo2", "서연").await);
        let general = alice.general();
        let sent = alice.send(general, "@BOB에게, @지민님이 @jimin. @서연 @seo2는 @nobody a@bob `@minji`").await;
        let named = [(Person, "BOB"), (Person, "지민"), (Person, "jimin"), (Person, "seo2")];
        assert_eq!(mentioned(&sent), named, "of two called the same neither is meant");
        assert_eq!([sent.mentions[0].user_id, sent.mentions[1].user_id], [Some(bob.id), Some(jimin.id)]);
        assert_eq!(alice.http.message(sent.id).await.unwrap().mentions, sent.mentions);
        let listed = alice.http.messages(general, Default::default()).await.unwrap();
        assert_eq!(listed.items[0].mentions, sent.mentions);
        let private = alice.channel("private", ChannelKind::Private).await.id;
        let there = alice.send(private, "@bob @지민 @minji @alice").await;
        assert_eq!(mentioned(&there), [(Person, "alice")], "the others are not in it");
        assert_eq!((unread(&bob, general).await, unread(&minji, general).await), (vec![1], vec![]));
    }

    async fn they_are_counted_until_they_are_read(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (general, both) = (alice.general(), [&bob, &alice]);
        let texts = ["@bob", "안녕", "@channel", "@here", "@alice", "@bob @channel"];
        for (seq, text) in (1..).zip(texts) {
            let sent = all_converge(&both, alice.http.create_message(general, &hello(text))).await.unwrap();
            assert_eq!(sent.seq, seq);
        }
        assert_eq!(unread(&bob, general).await, [1, 3, 4, 6]);
        assert_eq!(unread(&alice, general).await, [0_i64; 0], "one's own are read");
        let page = alice.http.messages(general, Default::default()).await.unwrap().items;
        all_converge(&both, bob.http.mark_read(general, page[2].id)).await.unwrap();
        assert_eq!(unread(&bob, general).await, [4, 6]);
        all_converge(&both, bob.client.mark_read(general, page[5].id)).await.unwrap();
        assert_eq!(unread(&bob, general).await, [0_i64; 0]);
    }

    async fn an_edit_names_anew_and_a_deletion_nobody(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (general, both) = (alice.general(), [&bob, &alice]);
        let plain = alice.send(general, "안녕").await.id;
        let here = alice.send(general, "@here").await.id;
        let whole = alice.send(general, "@channel").await.id;
        for (id, text, names, count) in [
            (plain, "@bob", vec![(Person, "bob")], vec![1, 2, 3]),
            (plain, "@bob @here", vec![(Person, "bob")], vec![1, 2, 3]),
            (plain, "bob", vec![], vec![2, 3]),
            (here, "@here 다시", vec![(Here, "here")], vec![2, 3]),
            (here, "@here @alice", vec![(Here, "here"), (Person, "alice")], vec![2, 3]),
            (here, "@channel @here", vec![(Channel, "channel"), (Here, "here")], vec![2, 3]),
            (here, "@here", vec![], vec![3]),
            (whole, "@alice", vec![(Person, "alice")], vec![]),
            (whole, "@channel", vec![(Channel, "channel")], vec![3]),
        ] {
            let edited = all_converge(&both, alice.http.update_message(id, text)).await.unwrap();
            assert_eq!((mentioned(&edited), unread(&bob, general).await), (names, count), "{text}");
        }
        all_converge(&both, alice.http.delete_message(whole)).await.unwrap();
        assert_eq!(alice.http.message(whole).await.unwrap().mentions, []);
        assert_eq!(unread(&bob, general).await, [0_i64; 0]);
    }

    async fn what_is_counted_outlives_a_restart(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        let general = alice.general();
        for text in ["@bob", "@channel", "@here", "plain"] {
            alice.send(general, text).await;
        }
        s.restart().await;
        bob.client.reconnect().await.unwrap();
        let fresh = bob.device().await;
        let known = fresh.state().channel(general).unwrap().facts().clone();
        assert_eq!((known.mention_count, known.unread_mentions), (Some(3), vec![1, 2, 3]));
        assert_eq!(unread(&bob, general).await, [1, 2, 3]);
    }

    async fn here_is_who_is_connected(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        carol.client.disconnect().await.unwrap();
        s.connections(2).await;
        s.advance(limits::OFFLINE_MS);
        let gone = async || alice.http.presence(carol.id).await.unwrap().status == Status::Offline;
        while !gone().await {}
        let general = alice.general();
        assert_eq!(mentioned(&alice.send(general, "@here").await), [(Here, "here")]);
        assert_eq!(unread(&bob, general).await, [1]);
        let missed = carol.http.channel(general).await.unwrap();
        assert_eq!((missed.unread_count, missed.mention_count), (Some(1), Some(0)));
        carol.client.reconnect().await.unwrap();
        assert_eq!(unread(&carol, general).await, [0_i64; 0]);
        alice.send(general, "@here").await;
        assert_eq!(unread(&carol, general).await, [2]);
    }

    async fn in_a_large_channel_its_keepers_mention_everyone(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        assert_eq!(mentioned(&bob.send(general, "@channel").await), [(Channel, "channel")]);
        s.guests(limits::MENTION_EVERYONE_MEMBERS).await;
        assert_eq!(mentioned(&bob.send(general, "@channel @here @alice").await), [(Person, "alice")]);
        assert_eq!(mentioned(&alice.send(general, "@channel").await), [(Channel, "channel")]);
        assert_eq!((unread(&alice, general).await, unread(&bob, general).await), (vec![], vec![3]));
    }

    async fn in_a_thread_they_count_for_the_thread(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let root = bob.send(bob.general(), "질문").await.id;
        let reply = |text: &str| CreateReply { content: text.to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        let named = alice.http.reply(root, &reply("@bob @carol @channel")).await.unwrap();
        assert_eq!(mentioned(&named), [(Person, "bob"), (Person, "carol"), (Channel, "channel")]);
        alice.http.reply(root, &reply("@here")).await.unwrap();
        let threads = bob.http.threads(&ThreadPageQuery::default()).await.unwrap().items;
        assert_eq!(threads[0].channel.unread_mentions, [1, 2]);
        assert_eq!(unread(&bob, bob.general()).await, [0_i64; 0]);
        let followed = carol.http.follow_thread(root).await.unwrap();
        assert_eq!(followed.mention_count, Some(0), "what was before one came is read");
    }

    async fn so_many_and_no_more(s: TestServer) {
        let (alice, bob) = s.users().await;
        let spelled = |n: usize| (0..5).map(|bit| ["b", "B"][n >> bit & 1]).collect::<String>();
        let many: String = (0..limits::MENTIONS_PER_MESSAGE + 10).map(|n| format!("@n{n} ")).collect();
        assert_eq!(mentioned(&alice.send(alice.general(), &format!("{many}@bob")).await), []);
        let _bbbbb = s.user("bbbbb").await;
        let all: String = (0..32).map(|n| format!("@{} ", spelled(n))).collect();
        assert_eq!(alice.send(alice.general(), &all).await.mentions.len(), 32, "each spelling once");
        let texts = (0..limits::MENTIONS_COUNTED + 5).map(|_| hello("@bob"));
        for text in texts {
            alice.http.create_message(alice.general(), &text).await.unwrap();
        }
        assert_eq!(unread(&bob, bob.general()).await.len(), limits::MENTIONS_COUNTED);
    }
}

fn hello(content: &str) -> madang_client::proto::messages::CreateMessage {
    madang_client::proto::messages::CreateMessage {
        content: content.to_owned(),
        nonce: None,
        file_ids: Vec::new(),
    }
}
