//! Direct messages and groups: opened, found again, left, and closed to everyone else.

use futures_util::future::join_all;
use madang_client::{
    Error,
    proto::{
        UserId,
        channels::{Channel, ChannelKind, CreateChannel, UpdateChannel},
        direct::OpenDirect,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        limits,
        messages::CreateMessage,
        permissions::Role,
    },
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, refusals, settled};

fn with(people: &[&User]) -> OpenDirect {
    OpenDirect { user_ids: people.iter().map(|user| user.id).collect(), workspace_id: None }
}

async fn open(user: &User, people: &[&User]) -> Result<Channel, Error> {
    user.http.open_direct(&with(people)).await
}

/// In the closed workspace, with these of its people.
async fn open_in(cast: &Cast, user: &User, people: &[&User]) -> Result<Channel, Error> {
    user.http.open_direct(&OpenDirect { workspace_id: Some(cast.workspace), ..with(people) }).await
}

fn names(channel: &Channel) -> Vec<&str> {
    channel.people.iter().map(|user| user.username.as_str()).collect()
}

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn new(content: &str) -> CreateMessage {
    CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() }
}

on_both! {
    async fn opening_one_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let all = [&alice, &bob, &carol];
        let two = all_converge(&all, open(&alice, &[&bob])).await.unwrap();
        assert_eq!((two.kind, two.member_count, two.joined), (ChannelKind::Dm, 2, Some(true)));
        assert_eq!((two.name.as_str(), names(&two)), ("", vec!["alice", "bob"]));
        let three = all_converge(&all, open(&bob, &[&alice, &carol, &bob])).await.unwrap();
        assert_eq!((three.kind, names(&three)), (ChannelKind::Group, vec!["alice", "bob", "carol"]));
        let notes = all_converge(&all, open(&carol, &[&carol])).await.unwrap();
        assert_eq!((notes.kind, names(&notes)), (ChannelKind::Dm, vec!["carol"]));
        let known = |user: &User| user.client.state().channels().filter(|c| c.facts().kind.is_direct()).count();
        assert_eq!(all.map(known), [2, 2, 2]);
        all_converge(&all, alice.client.send(three.id, "안녕하세요")).await.unwrap();
        assert_eq!(bob.client.state().channel(three.id).unwrap().unread(), 1);
    }

    async fn the_same_people_have_one_whoever_asks_and_at_the_same_time(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (mine, theirs) = (with(&[&bob]), with(&[&alice]));
        let both = [(&alice, &mine), (&bob, &theirs)].repeat(3);
        let opened = join_all(both.into_iter().map(|(user, body)| user.http.open_direct(body))).await;
        let opened: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
        assert!(opened.iter().all(|channel| channel.id == opened[0].id), "{opened:?}");
        assert_eq!((opened[5].version, alice.http.directs().await.unwrap().len()), (1, 1));
        let body = OpenDirect { workspace_id: Some(alice.workspace()), ..with(&[&bob, &alice, &bob]) };
        assert_eq!(alice.http.open_direct(&body).await.unwrap().id, opened[0].id);
        settled(&alice).await;
        settled(&bob).await;
    }

    async fn nobody_misses_the_first_message(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        for n in 0..10 {
            let carol = s.user(&format!("carol{n}")).await;
            let group = open(&alice, &[&bob, &carol]).await.unwrap().id;
            let text = n.to_string();
            alice.http.create_message(group, &new(&text)).await.unwrap();
            assert_eq!(bob.next_message().await.content, text);
        }
    }

    async fn they_are_listed_with_the_newest_message_first(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let mut opened = Vec::new();
        for people in [vec![&bob], vec![&carol], vec![&bob, &carol]] {
            s.advance(1_000);
            opened.push(open(&alice, &people).await.unwrap().id);
        }
        s.advance(1_000);
        carol.send(opened[1], "hi").await;
        let listed: Vec<_> = alice.http.directs().await.unwrap().iter().map(|c| c.id).collect();
        assert_eq!(listed, [opened[1], opened[2], opened[0]]);
        let all = alice.http.channels().await.unwrap();
        assert!(listed.iter().all(|id| all.iter().any(|c| c.id == *id && !c.people.is_empty())));
        let page = carol.http.direct_messages(opened[1], Default::default()).await.unwrap();
        assert_eq!(page, alice.http.messages(opened[1], Default::default()).await.unwrap());
        assert_eq!(refused(alice.http.direct_messages(alice.general(), Default::default()).await), NotFound);
        let seen = alice.http.workspace_channels(alice.workspace()).await.unwrap();
        assert!(seen.iter().all(|channel| !channel.kind.is_direct()), "they are not for browsing");
    }

    async fn whoever_adds_someone_gets_a_new_one_without_the_old_messages(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let two = open(&alice, &[&bob]).await.unwrap().id;
        alice.send(two, "between us").await;
        let three = open(&alice, &[&bob, &carol]).await.unwrap();
        assert!(three.id != two && three.last_seq == 0);
        assert_eq!(refused(carol.http.messages(two, Default::default()).await), NotFound);
    }

    async fn leaving_a_group_leaves_nobody_stale_and_nobody_is_brought_back(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let all = [&carol, &alice, &bob];
        let group = open(&alice, &[&bob, &carol]).await.unwrap().id;
        all_converge(&all, carol.http.leave_channel(group)).await.unwrap();
        assert!(carol.client.state().channel(group).is_none());
        assert_eq!(names(alice.client.state().channel(group).unwrap().facts()), ["alice", "bob"]);
        assert_eq!(refused(carol.http.channel(group).await), NotFound);
        let again = all_converge(&all, open(&bob, &[&alice, &carol])).await.unwrap();
        assert!(again.id != group);
        alice.send(group, "the two of us").await;
        settled(&bob).await;
    }

    async fn who_comes_back_to_the_workspace_finds_theirs_again(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, workspace, .. } = &cast;
        let all = [member, outsider, owner];
        let two = open_in(&cast, member, &[outsider]).await.unwrap().id;
        let three = open_in(&cast, member, &[outsider, owner]).await.unwrap().id;
        member.send(two, "before").await;
        all_converge(&all, owner.http.remove_workspace_member(*workspace, outsider.id)).await.unwrap();
        assert_eq!(refused(outsider.http.channel(two).await), NotFound);
        let left = member.http.channel(two).await.unwrap();
        assert_eq!((left.member_count, names(&left)), (1, vec!["member", "outsider"]), "it keeps its name");
        assert_eq!(refused(open_in(&cast, member, &[outsider]).await), Invalid);
        owner.http.add_workspace_member(*workspace, &outsider.name).await.unwrap();
        let again = all_converge(&all, open_in(&cast, outsider, &[member])).await.unwrap();
        assert_eq!((again.id, again.member_count, again.joined), (two, 2, Some(true)));
        assert_eq!(outsider.http.messages(two, Default::default()).await.unwrap().items.len(), 1);
        assert!(open_in(&cast, member, &[outsider, owner]).await.unwrap().id != three, "a group is left for good");
    }

    async fn who_may_open_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        let of = |user_id: UserId| OpenDirect { user_ids: vec![user_id], workspace_id: Some(cast.workspace) };
        let (member, guest) = (&of(cast.member.id), &of(cast.guest.id));
        refusals(&cast, Expected::IN_WORKSPACE.accounts(), |user| user.http.open_direct(member)).await;
        refusals(&cast, Expected::IN_WORKSPACE.accounts(), |user| user.http.open_direct(guest)).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.directs()).await;
        let own = open(&cast.member, &[&cast.guest]).await.unwrap().id;
        cast.guest.send(own, "a guest answers").await;
    }

    async fn to_everyone_else_it_is_not_there(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, .. } = &cast;
        for people in [vec![outsider], vec![outsider, &cast.guest]] {
            let own = open_in(&cast, member, &people).await.unwrap().id;
            let message = member.send(own, "between us").await.id;
            for user in [&cast.stranger, &cast.admin, owner] {
                let http = &user.http;
                let answers = [
                    refused(http.channel(own).await),
                    refused(http.channel_members(own, Default::default()).await),
                    refused(http.changes(own, 0).await),
                    refused(http.messages(own, Default::default()).await),
                    refused(http.direct_messages(own, Default::default()).await),
                    refused(http.message(message).await),
                    refused(http.create_message(own, &new("hi")).await),
                    refused(http.update_message(message, "changed").await),
                    refused(http.delete_message(message).await),
                    refused(http.mark_read(own, message).await),
                    refused(http.join_channel(own).await),
                    refused(user.client.subscribe(own).await),
                    refused(http.leave_channel(own).await),
                    refused(http.add_channel_member(own, user.id).await),
                    refused(http.remove_channel_member(own, outsider.id).await),
                    refused(http.update_channel(own, &UpdateChannel::default()).await),
                    refused(http.delete_channel(own).await),
                ];
                assert!(answers.iter().all(|code| *code == NotFound), "{}: {answers:?}", user.name);
                assert!(http.directs().await.unwrap().is_empty());
            }
            let there = member.http.channel(own).await.unwrap();
            assert_eq!((there.version, there.last_seq), (2, 1), "nothing changed");
        }
    }

    async fn no_role_counts_among_the_people(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, admin, outsider, .. } = &cast;
        let (two, three) = (open_in(&cast, owner, &[member]).await.unwrap(), open_in(&cast, admin, &[member, owner]).await.unwrap());
        let rename = UpdateChannel { name: Some("ours".to_owned()), ..UpdateChannel::default() };
        for (channel, user) in [(&two, owner), (&three, owner), (&three, admin), (&three, member)] {
            let id = channel.id;
            let said = if user.id == member.id { owner } else { member }.send(id, "mine").await.id;
            let other = if user.id == member.id { owner.id } else { member.id };
            assert_eq!(refused(user.http.delete_message(said).await), Forbidden);
            assert_eq!(refused(user.http.update_channel(id, &rename).await), Forbidden);
            assert_eq!(refused(user.http.delete_channel(id).await), Forbidden);
            assert_eq!(refused(user.http.add_channel_member(id, outsider.id).await), Forbidden);
            assert_eq!(refused(user.http.remove_channel_member(id, other).await), Forbidden);
            assert_eq!(user.http.join_channel(id).await.unwrap().member_count, channel.member_count);
        }
        assert_eq!(refused(member.http.leave_channel(two.id).await), Conflict);
        assert_eq!(refused(owner.http.remove_channel_member(two.id, owner.id).await), Conflict);
        owner.http.set_role(cast.workspace, member.id, Role::Admin).await.unwrap();
        settled(owner).await;
    }

    async fn what_does_not_fit_is_refused(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, stranger, .. } = &cast;
        let mut many: Vec<UserId> = Vec::new();
        for n in 0..20 {
            let name = format!("many{n:02}");
            many.push(s.user(&name).await.id);
            owner.http.add_workspace_member(cast.workspace, &name).await.unwrap();
        }
        let of = |user_ids: &[UserId]| OpenDirect { user_ids: user_ids.to_vec(), workspace_id: None };
        for bad in [&[][..], &many, &[12_345.into()], &[cast.member.id, 12_345.into()]] {
            let error = owner.http.open_direct(&of(bad)).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "user_ids", "{bad:?}");
        }
        let body = OpenDirect { workspace_id: Some(cast.workspace), ..with(&[stranger]) };
        assert_eq!(refused(owner.http.open_direct(&body).await), Invalid);
        let most = owner.http.open_direct(&of(&many[1..])).await.unwrap();
        assert_eq!(most.people.len(), limits::DIRECT_PEOPLE);
        for kind in [ChannelKind::Dm, ChannelKind::Group] {
            let body = CreateChannel { workspace_id: None, name: "x".to_owned(), kind, topic: None };
            assert_eq!(refused(owner.http.create_channel(&body).await), Invalid);
            let body = UpdateChannel { kind: Some(kind), ..UpdateChannel::default() };
            assert_eq!(refused(owner.http.update_channel(cast.open.id, &body).await), Invalid);
        }
    }
}
