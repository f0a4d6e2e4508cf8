//! Invites: who comes in by a code, how often, until when.

use madang_client::{
    Error,
    proto::{
        accounts::Secret,
        audit::{AuditAction, AuditQuery},
        channels::UpdateChannel,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        invites::{CreateInvite, Invite},
        permissions::Role,
        sanctions::{CreateSanction, SanctionKind},
        workspaces::UpdateWorkspace,
    },
};

use crate::support::{Cast, Expected, TestServer, all_converge, on_both, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// An invite and its code.
async fn invite(cast: &Cast, new: &CreateInvite) -> (Invite, Secret) {
    let made = cast.owner.http.create_invite(cast.workspace, new).await.unwrap();
    let code = made.code.clone().unwrap();
    (made, code)
}

fn times(uses: u32) -> CreateInvite {
    CreateInvite { max_uses: Some(uses), ..CreateInvite::default() }
}

on_both! {
    async fn who_has_the_code_comes_in_and_nobody_is_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, stranger, workspace, secret, .. } = &cast;
        let (made, code) = invite(&cast, &CreateInvite { channel_id: Some(secret.id), ..times(3) }).await;
        let all = [stranger, member, owner];
        let joined = all_converge(&all, stranger.http.accept_invite(&code)).await.unwrap();
        assert_eq!((joined.id, joined.role), (*workspace, Some(Role::Member)));
        assert!(stranger.client.state().channel(secret.id).is_some());
        stranger.http.accept_invite(&code).await.unwrap();
        all_converge(&all, cast.outsider.http.accept_invite(&code)).await.unwrap();
        let listed = owner.http.invites(*workspace).await.unwrap();
        assert_eq!(listed, [Invite { uses: 2, code: None, ..made }], "who is in takes none, and no code is told");
        let acts = owner.http.audit(*workspace, &AuditQuery::default()).await.unwrap().items;
        assert_eq!(acts[0].action, AuditAction::InviteCreated);
        assert!(!format!("{acts:?}").contains(&code.0));
    }

    async fn what_becomes_of_codes_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, .. } = &cast;
        let made = all_converge(&[owner, member], owner.http.create_invite(*workspace, &times(3))).await.unwrap();
        all_converge(&[owner, member], owner.http.revoke_invite(*workspace, made.id)).await.unwrap();
    }

    async fn a_code_ends_with_its_uses_its_time_or_when_it_is_revoked(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, stranger, workspace, .. } = &cast;
        let (_, once) = invite(&cast, &times(1)).await;
        stranger.http.accept_invite(&once).await.unwrap();
        let late = s.user("late").await;
        assert_eq!(refused(late.http.accept_invite(&once).await), NotFound);
        let soon = CreateInvite { expires_at: Some(s.clock.now().plus_millis(60_000)), ..CreateInvite::default() };
        let (_, soon) = invite(&cast, &soon).await;
        s.advance(60_000);
        assert_eq!(refused(late.http.accept_invite(&soon).await), NotFound);
        let (made, revoked) = invite(&cast, &CreateInvite::default()).await;
        owner.http.revoke_invite(*workspace, made.id).await.unwrap();
        assert_eq!(refused(late.http.accept_invite(&revoked).await), NotFound);
        assert_eq!(refused(owner.http.revoke_invite(*workspace, made.id).await), NotFound);
        assert_eq!(refused(late.http.accept_invite(&Secret("guess".to_owned())).await), NotFound);
        assert_eq!(owner.http.invites(*workspace).await.unwrap(), []);
        assert_eq!(stranger.http.workspace(*workspace).await.unwrap().role, Some(Role::Member), "who came stays");
    }

    async fn of_many_at_once_no_more_come_in_than_may(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (_, code) = invite(&cast, &times(2)).await;
        let mut people = Vec::new();
        for n in 0..6 {
            people.push(s.user(&format!("newcomer{n}")).await);
        }
        let tries = people.iter().map(|user| user.http.accept_invite(&code));
        let came = futures_util::future::join_all(tries).await.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(came, 2);
    }

    async fn a_code_opens_nothing_to_who_is_banned_and_to_guests_what_guests_may(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, open, .. } = &cast;
        let (_, code) = invite(&cast, &CreateInvite { channel_id: Some(open.id), ..CreateInvite::default() }).await;
        let ban = |channel_id| CreateSanction {
            user_id: member.id, kind: SanctionKind::Ban, channel_id, reason: "noise".to_owned(), expires_at: None,
        };
        owner.http.create_sanction(*workspace, &ban(Some(open.id))).await.unwrap();
        assert_eq!(refused(member.http.accept_invite(&code).await), Forbidden);
        owner.http.create_sanction(*workspace, &ban(None)).await.unwrap();
        assert_eq!(refused(member.http.accept_invite(&code).await), Forbidden);
        assert_eq!(refused(member.http.workspace(*workspace).await), NotFound);
        let closed = UpdateWorkspace { allow_guests: Some(false), ..UpdateWorkspace::default() };
        owner.http.update_workspace(*workspace, &closed).await.unwrap();
        let guest = s.guest("Other").await;
        assert_eq!(refused(guest.http.accept_invite(&code).await), Conflict);
        let open_again = UpdateWorkspace { allow_guests: Some(true), ..UpdateWorkspace::default() };
        owner.http.update_workspace(*workspace, &open_again).await.unwrap();
        assert_eq!(guest.http.accept_invite(&code).await.unwrap().role, Some(Role::Guest));
        let archive = UpdateChannel { archived: Some(true), ..UpdateChannel::default() };
        owner.http.update_channel(open.id, &archive).await.unwrap();
        cast.stranger.http.accept_invite(&code).await.unwrap();
        assert_eq!(cast.stranger.http.channel(open.id).await.unwrap().joined, Some(false));
        assert_eq!(owner.http.invites(*workspace).await.unwrap()[0].uses, 2);
    }

    async fn wrong_invites_are_refused(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, workspace, .. } = &cast;
        for wrong in [
            times(0),
            times(10_001),
            CreateInvite { expires_at: Some(s.clock.now()), ..CreateInvite::default() },
        ] {
            assert_eq!(refused(owner.http.create_invite(*workspace, &wrong).await), Invalid, "{wrong:?}");
        }
        let hidden = owner.channel_in(*workspace, "hidden", madang_client::proto::channels::ChannelKind::Private).await;
        let hidden = CreateInvite { channel_id: Some(hidden.id), ..CreateInvite::default() };
        assert_eq!(refused(admin.http.create_invite(*workspace, &hidden).await), NotFound);
        for _ in 0..100 {
            invite(&cast, &CreateInvite::default()).await;
        }
        assert_eq!(refused(owner.http.create_invite(*workspace, &times(1)).await), Conflict);
    }

    async fn who_may_invite_by_codes(s: TestServer) {
        let cast = Cast::of(&s).await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        let new = times(5);
        refusals(&cast, expected, |user| user.http.create_invite(cast.workspace, &new)).await;
        refusals(&cast, expected, |user| user.http.invites(cast.workspace)).await;
        refusals(&cast, expected, |user| async {
            let (made, _) = invite(&cast, &CreateInvite::default()).await;
            user.http.revoke_invite(cast.workspace, made.id).await
        })
        .await;
        let (_, code) = invite(&cast, &CreateInvite::default()).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.accept_invite(&code)).await;
    }
}
