//! Workspaces and the people in them.

use madang_client::proto::{
    channels::ChannelKind,
    error::ErrorCode::{Conflict, Forbidden, Invalid, NotFound},
    page::MemberPageQuery,
    permissions::Role,
    workspaces::{CreateWorkspace, UpdateWorkspace},
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, refusals, settled};

fn named(name: &str) -> CreateWorkspace {
    CreateWorkspace { name: name.to_owned(), allow_guests: true }
}

fn rename(name: &str) -> UpdateWorkspace {
    UpdateWorkspace { name: Some(name.to_owned()), ..UpdateWorkspace::default() }
}

on_both! {
    async fn making_and_changing_one_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let new = named("뒷마당");
        let made = all_converge(&[&alice, &bob], alice.http.create_workspace(&new)).await.unwrap();
        assert!(alice.client.state().workspace(made.id).is_some() && bob.client.state().workspace(made.id).is_none());
        alice.http.add_workspace_member(made.id, "bob").await.unwrap();
        let change = rename("앞마당");
        all_converge(&[&alice, &bob], alice.http.update_workspace(made.id, &change)).await.unwrap();
        let known = bob.client.state().workspace(made.id).cloned().unwrap();
        assert_eq!((known.name.as_str(), known.role), ("앞마당", Some(Role::Member)));
    }

    async fn coming_and_going_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, stranger, workspace, .. } = &cast;
        let all = [owner, member, guest, stranger];
        all_converge(&all, owner.http.add_workspace_member(*workspace, "stranger")).await.unwrap();
        assert!(stranger.client.state().workspace(*workspace).is_some());
        stranger.http.join_channel(cast.open.id).await.unwrap();
        all_converge(&all, owner.http.remove_workspace_member(*workspace, stranger.id)).await.unwrap();
        assert!(stranger.client.state().workspace(*workspace).is_none());
        assert!(stranger.client.state().channel(cast.open.id).is_none());
        all_converge(&[member, owner, admin], member.http.remove_workspace_member(*workspace, member.id)).await.unwrap();
        all_converge(&[admin, guest, owner], admin.http.remove_workspace_member(*workspace, guest.id)).await.unwrap();
        let known = owner.client.state().workspace_members(*workspace).unwrap().len();
        assert_eq!(known, 3, "owner, admin, outsider");
    }

    async fn another_role_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, workspace, .. } = &cast;
        for role in [Role::Admin, Role::Owner, Role::Member] {
            all_converge(&[member, owner, outsider], owner.http.set_role(*workspace, member.id, role)).await.unwrap();
            assert_eq!(member.client.state().workspace(*workspace).unwrap().role, Some(role));
        }
    }

    async fn who_comes_back_finds_what_was_said_meanwhile(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, open, secret, .. } = &cast;
        member.client.load_everything().await.unwrap();
        owner.http.remove_workspace_member(*workspace, member.id).await.unwrap();
        owner.send(open.id, "while they were out").await;
        owner.http.add_workspace_member(*workspace, "member").await.unwrap();
        settled(member).await;
        all_converge(&[member, owner], member.client.join(open.id)).await.unwrap();
        all_converge(&[owner, member], owner.http.add_channel_member(secret.id, member.id)).await.unwrap();
    }

    async fn who_may_see_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        let id = cast.workspace;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.workspace(id)).await;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.all_workspace_members(id)).await;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.workspace_channels(id)).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.workspaces()).await;
        for user in cast.everyone() {
            let listed = user.http.workspaces().await.unwrap().iter().any(|w| w.id == id);
            assert_eq!(listed, user.id != cast.stranger.id, "{}", user.name);
            let seen = user.client.state().workspace(id).is_some();
            assert_eq!(seen, listed, "{}", user.name);
        }
    }

    async fn who_may_make_and_change_one(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (new, change) = (named("More"), rename("Other"));
        refusals(&cast, Expected::ALLOWED.accounts(), |user| user.http.create_workspace(&new)).await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| user.http.update_workspace(cast.workspace, &change)).await;
    }

    async fn who_may_bring_in_and_put_out(s: TestServer) {
        let cast = Cast::of(&s).await;
        let newcomer = s.user("newcomer").await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| {
            let (cast, newcomer) = (&cast, &newcomer);
            async move {
                let answer = user.http.add_workspace_member(cast.workspace, "newcomer").await;
                if answer.is_ok() {
                    cast.owner.http.remove_workspace_member(cast.workspace, newcomer.id).await.unwrap();
                }
                answer
            }
        })
        .await;
        cast.owner.http.add_workspace_member(cast.workspace, "newcomer").await.unwrap();
        refusals(&cast, expected, |user| {
            let (cast, newcomer) = (&cast, &newcomer);
            async move {
                let answer = user.http.remove_workspace_member(cast.workspace, newcomer.id).await;
                if answer.is_ok() {
                    cast.owner.http.add_workspace_member(cast.workspace, "newcomer").await.unwrap();
                }
                answer
            }
        })
        .await;
    }

    async fn who_may_give_roles(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (id, other) = (cast.workspace, s.user("other").await);
        cast.owner.http.add_workspace_member(id, "other").await.unwrap();
        let admins = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        let owners = Expected { admin: Some(Forbidden), ..admins };
        refusals(&cast, admins, |user| user.http.set_role(id, other.id, Role::Member)).await;
        refusals(&cast, owners, |user| user.http.set_role(id, other.id, Role::Admin)).await;
        // An admin cannot take down or put out another admin.
        refusals(&cast, owners, |user| user.http.set_role(id, other.id, Role::Member)).await;
        cast.owner.http.set_role(id, other.id, Role::Owner).await.unwrap();
        let (answer, admin) = (cast.admin.http.remove_workspace_member(id, other.id).await, &cast.admin);
        assert_eq!(answer.unwrap_err().code(), Some(Forbidden), "an owner is not an admin's to remove");
        assert_eq!(admin.http.set_role(id, admin.id, Role::Owner).await.unwrap_err().code(), Some(Forbidden));
    }

    async fn the_last_owner_stays(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (owner, id) = (&cast.owner, cast.workspace);
        assert_eq!(owner.http.remove_workspace_member(id, owner.id).await.unwrap_err().code(), Some(Conflict));
        assert_eq!(owner.http.set_role(id, owner.id, Role::Admin).await.unwrap_err().code(), Some(Conflict));
        assert_eq!(owner.http.workspace(id).await.unwrap().role, Some(Role::Owner));
        owner.http.set_role(id, cast.admin.id, Role::Owner).await.unwrap();
        owner.http.remove_workspace_member(id, owner.id).await.unwrap();
        settled(owner).await;
    }

    async fn guests_stay_guests_and_only_they_are(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (owner, id) = (&cast.owner, cast.workspace);
        for (who, role) in [(&cast.guest, Role::Member), (&cast.guest, Role::Owner), (&cast.member, Role::Guest)] {
            assert_eq!(owner.http.set_role(id, who.id, role).await.unwrap_err().code(), Some(Invalid), "{}", who.name);
        }
        owner.http.remove_workspace_member(id, cast.guest.id).await.unwrap();
        let none = UpdateWorkspace { allow_guests: Some(false), ..UpdateWorkspace::default() };
        owner.http.update_workspace(id, &none).await.unwrap();
        let answer = owner.http.add_workspace_member(id, &cast.guest.name).await;
        assert_eq!(answer.unwrap_err().code(), Some(Conflict));
    }

    async fn what_does_not_fit_is_refused(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (owner, id) = (&cast.owner, cast.workspace);
        for bad in ["", "  ", "a\nb", &"n".repeat(81), "a\u{202e}b"] {
            let error = owner.http.create_workspace(&named(bad)).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "name", "{bad:?}");
            let error = owner.http.update_workspace(id, &rename(bad)).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, "name", "{bad:?}");
        }
        let error = owner.http.add_workspace_member(id, "nobody").await.unwrap_err();
        assert_eq!(error.problem().unwrap().errors[0].field, "username");
        let twice = owner.http.add_workspace_member(id, "member").await;
        assert_eq!(twice.unwrap_err().code(), Some(Conflict));
        let stranger = cast.stranger.id;
        assert_eq!(owner.http.set_role(id, stranger, Role::Member).await.unwrap_err().code(), Some(NotFound));
        assert_eq!(owner.http.remove_workspace_member(id, stranger).await.unwrap_err().code(), Some(NotFound));
    }

    async fn twenty_are_enough_for_one_person(s: TestServer) {
        let (alice, bob) = s.users().await;
        for n in 1..20 {
            alice.http.create_workspace(&named(&format!("{n}"))).await.unwrap();
        }
        assert_eq!(alice.http.create_workspace(&named("21")).await.unwrap_err().code(), Some(Conflict));
        bob.http.create_workspace(&named("of bob")).await.unwrap();
    }

    async fn members_come_in_pages(s: TestServer) {
        let alice = s.user("alice").await;
        let mut ids = vec![alice.id];
        for n in 0..6 {
            ids.push(s.guest(&format!("guest {n}")).await.id);
        }
        ids.sort_unstable();
        for limit in [1, 3, 7, 100] {
            for of_channel in [false, true] {
                let (mut seen, mut query) = (Vec::new(), MemberPageQuery { limit: Some(limit), after: None });
                loop {
                    let page = if of_channel {
                        alice.http.channel_members(alice.general(), query).await.unwrap()
                    } else {
                        alice.http.workspace_members(alice.workspace(), query).await.unwrap()
                    };
                    assert!(page.items.len() <= limit as usize);
                    seen.extend(page.items.iter().map(|m| m.user.id));
                    let Some(cursor) = page.next_cursor else { break };
                    query.after = Some(cursor.parse().unwrap());
                }
                assert_eq!(seen, ids, "pages of {limit}");
            }
        }
    }

    async fn who_is_put_out_hears_nothing_more(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, workspace, .. } = &cast;
        let mut member = s.user("leaver").await;
        owner.http.add_workspace_member(*workspace, "leaver").await.unwrap();
        member.http.join_channel(cast.open.id).await.unwrap();
        owner.send(cast.open.id, "heard").await;
        owner.http.remove_workspace_member(*workspace, member.id).await.unwrap();
        owner.send(cast.open.id, "not for you").await;
        owner.channel_in(*workspace, "later", ChannelKind::Public).await;
        assert_eq!(heard_until_marked(owner, &mut member).await, ["heard"]);
    }
}

/// The messages that `who` heard, up to one in the first workspace that marks the end.
async fn heard_until_marked(from: &User, who: &mut User) -> Vec<String> {
    let (_, mark) = (from.send(from.general(), "mark").await, "mark");
    let mut heard = Vec::new();
    loop {
        match who.next_message().await.content {
            content if content == mark => return heard,
            content => heard.push(content),
        }
    }
}
