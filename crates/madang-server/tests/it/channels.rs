//! Channels: made, changed, joined, left, invited to, put out of, deleted.

use std::collections::HashMap;

use madang_client::proto::{
    ChannelId, UserId,
    channels::{ChannelKind, CreateChannel, UpdateChannel},
    error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
    page::MemberPageQuery,
    permissions::Role,
};

use crate::support::{Cast, Expected, TestServer, all_converge, on_both, refusals, settled};

fn new(name: &str, kind: ChannelKind) -> CreateChannel {
    CreateChannel { workspace_id: None, name: name.to_owned(), kind, topic: None }
}

fn topic(text: &str) -> UpdateChannel {
    UpdateChannel { topic: Some(text.to_owned()), ..UpdateChannel::default() }
}

fn kind(kind: ChannelKind) -> UpdateChannel {
    UpdateChannel { kind: Some(kind), ..UpdateChannel::default() }
}

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

on_both! {
    async fn making_one_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let all = [&alice, &bob];
        let open = new("마당 이야기", ChannelKind::Public);
        let open = all_converge(&all, alice.http.create_channel(&open)).await.unwrap();
        let secret = CreateChannel { topic: Some("숨은 이야기".to_owned()), ..new("secret", ChannelKind::Private) };
        let secret = all_converge(&all, alice.http.create_workspace_channel(alice.workspace(), &secret)).await.unwrap();
        assert_eq!((open.joined, open.unread_count, secret.topic.as_str()), (Some(true), Some(0), "숨은 이야기"));
        let directory = bob.client.state().directory(bob.workspace()).unwrap().clone();
        assert!(directory.contains_key(&open.id) && !directory.contains_key(&secret.id));
    }

    async fn changing_one_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, stranger, open, secret, .. } = &cast;
        let all = [owner, member, outsider, stranger];
        let rename = UpdateChannel { name: Some("새 이름".to_owned()), ..topic("새 주제") };
        all_converge(&all, owner.http.update_channel(open.id, &rename)).await.unwrap();
        all_converge(&all, owner.http.update_channel(secret.id, &topic("hidden"))).await.unwrap();
        all_converge(&all, owner.http.update_channel(secret.id, &kind(ChannelKind::Public))).await.unwrap();
        all_converge(&all, owner.http.update_channel(open.id, &kind(ChannelKind::Private))).await.unwrap();
        let directory = outsider.client.state().directory(cast.workspace).unwrap().clone();
        assert!(directory.contains_key(&secret.id) && !directory.contains_key(&open.id));
    }

    async fn deleting_one_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, open, secret, .. } = &cast;
        for id in [open.id, secret.id] {
            owner.send(id, "soon gone").await;
            all_converge(&[owner, member, outsider], owner.http.delete_channel(id)).await.unwrap();
            assert!(member.client.state().channel(id).is_none());
            assert_eq!(refused(owner.http.channel(id).await), NotFound);
            assert_eq!(refused(owner.http.messages(id, Default::default()).await), NotFound);
        }
    }

    async fn joining_and_leaving_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, open, secret, .. } = &cast;
        owner.send(open.id, "before").await;
        let all = [outsider, member, owner];
        all_converge(&all, outsider.http.join_channel(open.id)).await.unwrap();
        assert_eq!(outsider.client.state().channel(open.id).unwrap().unread(), 0, "what was there counts as read");
        all_converge(&all, outsider.http.leave_channel(open.id)).await.unwrap();
        assert!(outsider.client.state().channel(open.id).is_none());
        all_converge(&all, outsider.client.subscribe(open.id)).await.unwrap();
        all_converge(&[member, outsider, owner], member.client.leave(open.id)).await.unwrap();
        all_converge(&[member, outsider, owner], member.http.leave_channel(secret.id)).await.unwrap();
    }

    async fn inviting_and_removing_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, outsider, open, secret, .. } = &cast;
        for id in [open.id, secret.id] {
            owner.send(id, "before").await;
            let all = [member, outsider, owner];
            all_converge(&all, member.http.add_channel_member(id, outsider.id)).await.unwrap();
            assert!(outsider.client.state().channel(id).is_some());
            let all = [admin, outsider, owner];
            all_converge(&all, admin.http.remove_channel_member(id, outsider.id)).await.unwrap();
            assert!(outsider.client.state().channel(id).is_none());
            all_converge(&all, owner.http.add_channel_member(id, outsider.id)).await.unwrap();
        }
    }

    async fn joining_twice_changes_nothing(s: TestServer) {
        let cast = Cast::of(&s).await;
        let before = cast.member.http.channel(cast.open.id).await.unwrap();
        assert_eq!(cast.member.http.join_channel(cast.open.id).await.unwrap(), before);
        assert_eq!(cast.owner.http.channel(cast.open.id).await.unwrap().version, before.version);
    }

    async fn who_may_see_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.open.id, Expected::IN_WORKSPACE), (cast.secret.id, Expected::IN_SECRET)] {
            refusals(&cast, expected, |user| user.http.channel(id)).await;
            refusals(&cast, expected, |user| user.http.channel_members(id, MemberPageQuery::default())).await;
            refusals(&cast, expected, |user| user.http.changes(id, 0)).await;
            refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.workspace_channels(cast.workspace)).await;
            refusals(&cast, Expected::ALLOWED, |user| user.http.channels()).await;
        }
        for user in cast.everyone() {
            let own: Vec<ChannelId> = user.http.channels().await.unwrap().iter().map(|c| c.id).collect();
            let inside = user.id != cast.stranger.id && user.id != cast.outsider.id;
            assert_eq!(own.contains(&cast.secret.id), inside, "{}", user.name);
            assert_eq!(user.client.state().channel(cast.secret.id).is_some(), inside, "{}", user.name);
            if let Ok(all) = user.http.workspace_channels(cast.workspace).await {
                assert!(all.iter().any(|c| c.id == cast.open.id && c.joined == Some(inside)), "{}", user.name);
                assert_eq!(all.iter().any(|c| c.id == cast.secret.id), inside, "{}", user.name);
            }
        }
    }

    async fn who_may_make_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        for route in [false, true] {
            refusals(&cast, Expected::IN_WORKSPACE.accounts(), |user| {
                let name = format!("{} {route}", user.name);
                let workspace = cast.workspace;
                async move {
                    let named = CreateChannel { workspace_id: Some(workspace), ..new(&name, ChannelKind::Private) };
                    match route {
                        true => user.http.create_channel(&named).await,
                        false => user.http.create_workspace_channel(workspace, &new(&name, ChannelKind::Public)).await,
                    }
                }
            })
            .await;
        }
    }

    async fn who_may_change_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        let change = topic("changed");
        for (id, expected) in [(cast.open.id, Expected::IN_OPEN), (cast.secret.id, Expected::IN_SECRET)] {
            refusals(&cast, expected.admins(), |user| user.http.update_channel(id, &change)).await;
        }
    }

    async fn who_may_delete_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (kind, expected) in [(ChannelKind::Public, Expected::IN_OPEN), (ChannelKind::Private, Expected::IN_SECRET)] {
            let mut doomed: HashMap<UserId, ChannelId> = HashMap::new();
            for user in cast.everyone() {
                let id = cast.owner.channel_in(cast.workspace, &user.name, kind).await.id;
                for inside in [&cast.guest, &cast.member, &cast.admin] {
                    cast.owner.http.add_channel_member(id, inside.id).await.unwrap();
                }
                doomed.insert(user.id, id);
            }
            refusals(&cast, expected.admins(), |user| user.http.delete_channel(doomed[&user.id])).await;
            for id in doomed.into_values() {
                drop(cast.owner.http.delete_channel(id).await);
            }
        }
    }

    async fn who_may_join_and_leave(s: TestServer) {
        let cast = Cast::of(&s).await;
        let open = cast.open.id;
        refusals(&cast, Expected::IN_OPEN, |user| async move {
            let left = user.http.leave_channel(open).await;
            if left.is_ok() {
                user.http.join_channel(open).await.unwrap();
            }
            left
        })
        .await;
        refusals(&cast, Expected::IN_SECRET, |user| user.http.join_channel(cast.secret.id)).await;
        refusals(&cast, Expected::IN_SECRET, |user| user.client.subscribe(cast.secret.id)).await;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.client.subscribe(cast.open.id)).await;
        cast.outsider.http.leave_channel(cast.open.id).await.unwrap();
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.join_channel(cast.open.id)).await;
        // The owner last: they are the one who looks at what is stored.
        refusals(&cast, Expected::IN_SECRET, |user| user.http.leave_channel(cast.secret.id)).await;
    }

    async fn who_may_invite_and_remove(s: TestServer) {
        let cast = Cast::of(&s).await;
        let newcomer = s.user("newcomer").await.id;
        cast.owner.http.add_workspace_member(cast.workspace, "newcomer").await.unwrap();
        let owner = &cast.owner.http;
        for (id, expected) in [(cast.open.id, Expected::IN_OPEN), (cast.secret.id, Expected::IN_SECRET)] {
            refusals(&cast, expected.accounts(), |user| async move {
                let invited = user.http.add_channel_member(id, newcomer).await;
                if invited.is_ok() {
                    owner.remove_channel_member(id, newcomer).await.unwrap();
                }
                invited
            })
            .await;
            owner.add_channel_member(id, newcomer).await.unwrap();
            refusals(&cast, expected.admins(), |user| async move {
                let removed = user.http.remove_channel_member(id, newcomer).await;
                if removed.is_ok() {
                    owner.add_channel_member(id, newcomer).await.unwrap();
                }
                removed
            })
            .await;
        }
    }

    async fn who_made_one_keeps_it_while_inside(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, workspace, .. } = &cast;
        let own = member.channel_in(*workspace, "of the member", ChannelKind::Public).await.id;
        member.http.update_channel(own, &topic("mine")).await.unwrap();
        member.http.add_channel_member(own, outsider.id).await.unwrap();
        member.http.remove_channel_member(own, outsider.id).await.unwrap();
        member.http.add_channel_member(own, owner.id).await.unwrap();
        member.http.leave_channel(own).await.unwrap();
        assert_eq!(refused(member.http.update_channel(own, &topic("still mine?")).await), Forbidden);
        member.http.join_channel(own).await.unwrap();
        member.http.delete_channel(own).await.unwrap();
    }

    async fn a_private_one_is_closed_to_admins_and_owners_who_are_not_in_it(s: TestServer) {
        let cast = Cast::of(&s).await;
        let own = cast.member.channel_in(cast.workspace, "private", ChannelKind::Private).await.id;
        let message = cast.member.send(own, "between us").await.id;
        for user in [&cast.admin, &cast.owner] {
            let http = &user.http;
            assert_eq!(refused(http.channel(own).await), NotFound);
            assert_eq!(refused(http.join_channel(own).await), NotFound);
            assert_eq!(refused(http.update_channel(own, &topic("seen")).await), NotFound);
            assert_eq!(refused(http.delete_channel(own).await), NotFound);
            assert_eq!(refused(http.add_channel_member(own, user.id).await), NotFound);
            assert_eq!(refused(http.remove_channel_member(own, cast.member.id).await), NotFound);
            assert_eq!(refused(http.message(message).await), NotFound);
            assert_eq!(refused(http.delete_message(message).await), NotFound);
        }
        assert_eq!(cast.member.http.channel(own).await.unwrap().version, 2, "one came in, one message");
    }

    async fn a_name_is_there_once_whatever_its_case_and_form(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (owner, workspace) = (&cast.owner, cast.workspace);
        let here = owner.channel_in(workspace, "잡담 Room", ChannelKind::Public).await;
        let nfd = "\u{110c}\u{1161}\u{11b8}\u{1103}\u{1161}\u{11b7} room";
        for taken in ["잡담 Room", "잡담 ROOM", nfd, " 잡담 room ", "general"] {
            let body = new(taken, ChannelKind::Private);
            assert_eq!(refused(owner.http.create_workspace_channel(workspace, &body).await), Conflict, "{taken}");
            let body = UpdateChannel { name: Some(taken.to_owned()), ..UpdateChannel::default() };
            assert_eq!(refused(owner.http.update_channel(cast.open.id, &body).await), Conflict, "{taken}");
        }
        let again = UpdateChannel { name: Some("잡담 ROOM".to_owned()), ..UpdateChannel::default() };
        assert_eq!(owner.http.update_channel(here.id, &again).await.unwrap().name, "잡담 ROOM", "its own");
        owner.http.delete_channel(here.id).await.unwrap();
        owner.channel_in(workspace, "잡담 room", ChannelKind::Public).await;
        cast.stranger.http.create_channel(&new("잡담 room", ChannelKind::Public)).await.unwrap();
    }

    async fn the_default_one_stays_and_everyone_with_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let general = alice.general();
        assert_eq!(refused(alice.http.delete_channel(general).await), Conflict);
        assert_eq!(refused(alice.http.update_channel(general, &kind(ChannelKind::Private)).await), Conflict);
        assert_eq!(refused(bob.http.leave_channel(general).await), Conflict);
        assert_eq!(refused(alice.http.remove_channel_member(general, bob.id).await), Conflict);
        assert_eq!(bob.http.channel(general).await.unwrap().joined, Some(true));
        alice.http.update_channel(general, &topic("may have a topic")).await.unwrap();
    }

    async fn what_does_not_fit_is_refused_by_field(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, stranger, open, workspace, .. } = &cast;
        for bad in ["", " ", "#open", "a\nb", &"n".repeat(81), "a\u{200b}b"] {
            let error = owner.http.create_channel(&new(bad, ChannelKind::Public)).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "name", "{bad:?}");
        }
        for bad in ["t\nt", &"t".repeat(251)] {
            let error = owner.http.update_channel(open.id, &topic(bad)).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "topic", "{bad:?}");
        }
        let error = owner.http.add_channel_member(open.id, stranger.id).await.unwrap_err();
        assert_eq!(error.problem().unwrap().errors[0].field, "user_id", "not in the workspace");
        assert_eq!(refused(owner.http.add_channel_member(open.id, member.id).await), Conflict);
        assert_eq!(refused(owner.http.remove_channel_member(open.id, stranger.id).await), NotFound);
        let elsewhere = CreateChannel { workspace_id: Some(owner.workspace()), ..new("x", ChannelKind::Public) };
        assert_eq!(refused(owner.http.create_workspace_channel(*workspace, &elsewhere).await), Invalid);
        assert_eq!(owner.http.channel(open.id).await.unwrap().version, 4, "nothing changed");
    }

    async fn who_is_put_out_hears_nothing_more_and_who_comes_in_hears_all(s: TestServer) {
        let cast = Cast::of(&s).await;
        let mut bob = s.user("bob").await;
        let (owner, secret) = (&cast.owner, cast.secret.id);
        owner.http.add_workspace_member(cast.workspace, "bob").await.unwrap();
        owner.send(secret, "too early").await;
        owner.http.add_channel_member(secret, bob.id).await.unwrap();
        owner.send(secret, "heard").await;
        owner.http.remove_channel_member(secret, bob.id).await.unwrap();
        owner.send(secret, "too late").await;
        owner.http.add_channel_member(secret, bob.id).await.unwrap();
        owner.send(secret, "heard again").await;
        assert_eq!(bob.next_message().await.content, "heard");
        assert_eq!(bob.next_message().await.content, "heard again");
        settled(&bob).await;
        assert_eq!(bob.http.set_role(cast.workspace, bob.id, Role::Admin).await.unwrap_err().code(), Some(Forbidden));
    }

    async fn nobody_who_is_no_member_hears_of_a_private_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        let mut watcher = s.user("watcher").await;
        cast.owner.http.add_workspace_member(cast.workspace, "watcher").await.unwrap();
        let hidden = cast.owner.channel_in(cast.workspace, "hidden", ChannelKind::Private).await.id;
        cast.owner.http.update_channel(hidden, &topic("hidden too")).await.unwrap();
        cast.owner.send(hidden, "hidden as well").await;
        cast.owner.http.delete_channel(hidden).await.unwrap();
        let shown = cast.owner.channel_in(cast.workspace, "shown", ChannelKind::Public).await.id;
        let mut before = Vec::new();
        watcher
            .next("the public one", |event| {
                before.push(format!("{event:?}"));
                before.last().is_some_and(|e| e.contains("shown")).then_some(())
            })
            .await;
        assert!(!before.iter().any(|e| e.contains("hidden") || e.contains(&hidden.get().to_string())), "{before:?}");
        assert!(cast.owner.http.channel(shown).await.is_ok());
    }
}
