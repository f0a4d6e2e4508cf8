//! Coming back: what was missed is told once, in versions without holes, or the client is told to start
//! anew.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use madang_client::{
    Client, Options,
    proto::{
        ChannelId, Event,
        channels::{ChannelKind, UpdateChannel},
        command::{Hello, Resume},
        limits,
        messages::CreateMessage,
        workspaces::MemberAction,
    },
};

use crate::support::{Cast, TestServer, User, all_converge, client_settled, on_both, raw::Raw, settled};

async fn write(user: &User, channel: ChannelId, count: usize) {
    let body = CreateMessage { content: "안녕".to_owned(), nonce: None, file_ids: Vec::new() };
    join_all((0..count).map(|_| user.http.create_message(channel, &body)))
        .await
        .into_iter()
        .for_each(|m| drop(m.unwrap()));
}

fn from(channels: impl IntoIterator<Item = (ChannelId, i64)>) -> Hello {
    Hello { resume: Some(Resume { channels: channels.into_iter().collect() }), ..Hello::default() }
}

/// The version that an event about a channel carries.
fn version(event: &Event, id: ChannelId) -> Option<i64> {
    match event {
        Event::Message(m) if m.channel_id == id => Some(m.version),
        Event::Member(m) if m.channel_id == Some(id) => m.version,
        Event::Channel(c) if c.channel.id == id && c.channel.joined.is_none() => Some(c.channel.version),
        _ => None,
    }
}

on_both! {
    async fn everything_that_can_happen_meanwhile_is_known_after_coming_back(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, open, secret, workspace, .. } = &cast;
        let (edited, deleted) = (owner.send(open.id, "teh").await.id, owner.send(open.id, "oops").await.id);
        all_converge(&[member, outsider], async {
            owner.send(open.id, "new").await;
            owner.http.update_message(edited, "the").await.unwrap();
            owner.http.delete_message(deleted).await.unwrap();
            owner.http.add_channel_member(open.id, outsider.id).await.unwrap();
            owner.http.remove_channel_member(open.id, cast.guest.id).await.unwrap();
            let topic = UpdateChannel { topic: Some("meanwhile".to_owned()), ..UpdateChannel::default() };
            owner.http.update_channel(open.id, &topic).await.unwrap();
            owner.http.remove_channel_member(secret.id, member.id).await.unwrap();
            let fresh = owner.channel_in(*workspace, "fresh", ChannelKind::Private).await.id;
            owner.http.add_channel_member(fresh, member.id).await.unwrap();
            owner.send(fresh, "welcome").await;
            owner.http.mark_read(open.id, edited).await.unwrap();
        })
        .await;
        assert!(member.client.state().channel_named("fresh").is_some());
    }

    async fn versions_are_without_holes_whatever_happens_at_once(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, outsider, open, .. } = &cast;
        let mut raw = Raw::of(owner).await;
        let first = owner.http.channel(open.id).await.unwrap().version;
        let (doomed, body) = (member.send(open.id, "doomed").await.id, CreateMessage { content: "x".into(), nonce: None, file_ids: Vec::new() });
        let topic = |n: i32| UpdateChannel { topic: Some(format!("{n}")), ..UpdateChannel::default() };
        for n in 0..6 {
            let topic = topic(n);
            let (a, b, c, d, e) = tokio::join!(
                owner.http.create_message(open.id, &body),
                member.http.update_message(doomed, "changed"),
                admin.http.update_channel(open.id, &topic),
                outsider.http.join_channel(open.id),
                member.http.create_message(open.id, &body),
            );
            drop((a.unwrap(), b.unwrap(), c.unwrap(), d.unwrap(), e.unwrap()));
            outsider.http.leave_channel(open.id).await.unwrap();
        }
        let last = owner.http.channel(open.id).await.unwrap().version;
        let mut heard = BTreeMap::new();
        while heard.len() < usize::try_from(last - first).unwrap() {
            let event = raw.next().await.unwrap().event;
            if let Some(version) = version(&event, open.id) {
                heard.insert(version, event);
            }
        }
        assert_eq!(heard.keys().copied().collect::<Vec<_>>(), (first + 1..=last).collect::<Vec<_>>());
        assert_eq!(last - first, 1 + 6 * 6);
    }

    async fn changes_are_states_and_end_where_the_channel_is(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let edited = alice.send(general, "1").await.id;
        alice.send(general, "2").await;
        let before = alice.http.channel(general).await.unwrap().version;
        alice.http.update_message(edited, "one").await.unwrap();
        alice.http.update_message(edited, "uno").await.unwrap();
        let carol = s.user("carol").await;
        let changes = bob.http.changes(general, before).await.unwrap();
        assert_eq!(changes.messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), ["uno"], "each once");
        assert_eq!(changes.members.iter().map(|m| (m.action, m.user_id())).collect::<Vec<_>>(), [(MemberAction::Joined, carol.id)]);
        assert_eq!((changes.version, changes.more, changes.channel.version), (before + 3, false, before + 3));
        let none = bob.http.changes(general, changes.version).await.unwrap();
        assert_eq!((none.messages.len(), none.members.len(), none.version), (0, 0, changes.version));
    }

    async fn far_behind_is_told_in_parts_each_change_once(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let before = alice.http.channel(general).await.unwrap().version;
        write(&bob, general, 230).await;
        for n in 0..30 {
            s.guest(&format!("guest {n}")).await.client.close().await;
        }
        write(&bob, general, 220).await;
        let (mut after, mut seen, mut parts) = (before, Vec::new(), 0);
        loop {
            let changes = alice.http.changes(general, after).await.unwrap();
            assert!(changes.messages.len() <= limits::CHANGES_MAX as usize);
            seen.extend(changes.messages.iter().map(|m| m.version));
            seen.extend(changes.members.iter().filter_map(|m| m.version));
            assert!(changes.version > after && seen.iter().all(|version| *version <= changes.version));
            (after, parts) = (changes.version, parts + 1);
            if !changes.more {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (before + 1..=before + 480).collect::<Vec<_>>());
        assert!(parts >= 3, "in {parts} parts");
        let (_, ready) = Raw::with(&alice, from([(general, before)])).await;
        assert!(ready.changes[0].more && ready.resync.is_empty());
        assert_eq!(ready.changes[0].messages.len(), limits::CHANGES_MAX as usize);
    }

    async fn who_was_away_long_finds_everything(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.client.load_everything().await.unwrap();
        alice.client.disconnect().await.unwrap();
        write(&bob, bob.general(), 450).await;
        alice.client.reconnect().await.unwrap();
        settled(&alice).await;
        assert_eq!(alice.client.state().channel(alice.general()).unwrap().messages().len(), 450);
    }

    async fn too_far_behind_everywhere_means_starting_anew(s: TestServer) {
        let (alice, bob) = s.users().await;
        let mut channels = Vec::new();
        for n in 0..6 {
            channels.push(bob.channel(&format!("{n}"), ChannelKind::Public).await.id);
            alice.client.join(channels[n]).await.unwrap();
        }
        alice.client.load_everything().await.unwrap();
        alice.client.disconnect().await.unwrap();
        let versions: Vec<_> = alice.http.channels().await.unwrap().iter().map(|c| (c.id, c.version)).collect();
        for id in &channels {
            write(&bob, *id, 201).await;
        }
        let (_, ready) = Raw::with(&alice, from(versions)).await;
        let told: usize = ready.changes.iter().map(|c| c.messages.len()).sum();
        assert_eq!((told, ready.changes.len(), ready.resync.as_slice()), (limits::RESUME_MESSAGES, 5, &channels[5..]));
        alice.client.reconnect().await.unwrap();
        settled(&alice).await;
    }

    async fn versions_that_never_were_mean_starting_anew(s: TestServer) {
        let alice = s.user("alice").await;
        alice.send(alice.general(), "hi").await;
        let (_, ready) = Raw::with(&alice, from([(alice.general(), 1_000), (12_345.into(), 7)])).await;
        assert_eq!((ready.resync, ready.changes), (vec![alice.general()], vec![]), "and of what one is not in, nothing");
    }

    async fn too_many_channels_to_resume_are_refused(s: TestServer) {
        let alice = s.user("alice").await;
        let token = alice.http.current_token().unwrap().0;
        let mut raw = Raw::open(&s.url, Some(&token)).await;
        let channels = |count| (1..=count).map(|id| (ChannelId::from(id), 1));
        let most = i64::try_from(limits::RESUME_CHANNELS).unwrap();
        let (_, ready) = Raw::with(&alice, from(channels(most))).await;
        assert_eq!((ready.changes, ready.resync), (vec![], vec![]));
        raw.send(madang_client::proto::Command::Hello(from(channels(most + 1))), None).await;
        assert!(raw.closed().await.is_some());
    }

    async fn an_event_lost_in_the_middle_is_found_with_the_next(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        bob.client.load_everything().await.unwrap();
        let edited = alice.send(general, "heard").await.id;
        settled(&bob).await;
        bob.client.unsubscribe(general).await.unwrap();
        alice.send(general, "lost").await;
        alice.http.update_message(edited, "lost too").await.unwrap();
        s.user("carol").await;
        bob.client.subscribe(general).await.unwrap();
        alice.send(general, "shows the gap").await;
        settled(&bob).await;
        assert_eq!(bob.client.state().channel(general).unwrap().messages().len(), 3);
    }

    async fn an_event_lost_at_the_end_is_found_by_the_heartbeat(s: TestServer) {
        let (alice, bob) = s.users().await;
        let quick = Options { heartbeat: Some(std::time::Duration::from_millis(50)), ..Options::default() };
        let device = Client::connect(bob.http.clone(), quick).await.unwrap();
        device.load_everything().await.unwrap();
        device.unsubscribe(bob.general()).await.unwrap();
        alice.send(alice.general(), "lost").await;
        device.subscribe(bob.general()).await.unwrap();
        client_settled(&device, "the quick one").await;
        assert_eq!(device.state().channel(bob.general()).unwrap().messages().len(), 1);
    }

    async fn clients_come_back_by_themselves_after_a_restart(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        for user in [&alice, &bob] {
            user.client.load_everything().await.unwrap();
        }
        alice.send(alice.general(), "before").await;
        s.restart().await;
        alice.send(alice.general(), "after").await;
        settled(&alice).await;
        settled(&bob).await;
        assert_eq!(bob.client.state().channel(bob.general()).unwrap().messages().len(), 2);
    }

    async fn what_is_written_offline_is_sent_once_on_coming_back(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.client.load_everything().await.unwrap();
        bob.client.load_everything().await.unwrap();
        alice.client.disconnect().await.unwrap();
        for n in 1..=5 {
            alice.client.enqueue(alice.general(), &format!("{n}")).await.unwrap();
        }
        bob.send(bob.general(), "meanwhile").await;
        alice.client.reconnect().await.unwrap();
        let all = |state: &madang_client::State| (state.channel_named("general")?.messages().len() == 6).then_some(());
        bob.client.wait_for("all of them", all).await.unwrap();
        let contents = |user: &User| -> Vec<String> {
            user.client.state().channel(user.general()).unwrap().messages().map(|m| m.content.clone()).collect()
        };
        assert_eq!(contents(&bob), ["meanwhile", "1", "2", "3", "4", "5"]);
        settled(&alice).await;
        settled(&bob).await;
    }
}
