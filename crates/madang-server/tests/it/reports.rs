//! Reports: what someone wants looked at, and what comes of it.

use madang_client::{
    Error,
    proto::{
        MessageId,
        audit::{AuditAction, AuditQuery},
        channels::ChannelKind,
        direct::OpenDirect,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        messages::CreateMessage,
        permissions::Role,
        reports::{Report, ReportsQuery, Resolution, ResolveReport},
        workspaces::CreateWorkspace,
    },
};

use crate::support::{Cast, Expected, TestServer, all_converge, on_both, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn resolve(resolution: Resolution) -> ResolveReport {
    ResolveReport { resolution, reason: None, expires_at: None }
}

/// The open reports, or those that are decided on.
async fn listed(cast: &Cast, resolved: bool) -> Vec<Report> {
    let query = ReportsQuery { resolved, ..ReportsQuery::default() };
    cast.owner.http.reports(cast.workspace, &query).await.unwrap().items
}

on_both! {
    async fn a_report_keeps_the_message_as_it_was(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, open, workspace, .. } = &cast;
        let sent = member.send(open.id, "나쁜 말").await.id;
        let report = guest.http.report(sent, "rude").await.unwrap();
        assert_eq!((report.message_id, report.content.as_str(), report.reason.as_str()), (sent, "나쁜 말", "rude"));
        member.http.update_message(sent, "nothing").await.unwrap();
        member.http.delete_message(sent).await.unwrap();
        assert_eq!(listed(&cast, false).await, std::slice::from_ref(&report));
        assert_eq!(refused(owner.http.report(sent, "late").await), Conflict);
        let done = owner.http.resolve_report(*workspace, report.id, &resolve(Resolution::Dismissed)).await.unwrap();
        assert_eq!((done.resolution, done.resolved_by.map(|by| by.id)), (Some(Resolution::Dismissed), Some(owner.id)));
        assert_eq!((listed(&cast, false).await.len(), listed(&cast, true).await[0].content.as_str()), (0, "나쁜 말"));
        let again = owner.http.resolve_report(*workspace, report.id, &resolve(Resolution::Dismissed)).await;
        assert_eq!(refused(again), Conflict);
    }

    async fn deciding_leaves_nobody_stale_and_decides_for_all_who_reported(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, outsider, open, workspace, .. } = &cast;
        let all = [owner, member, outsider];
        let sent = member.send(open.id, "noise").await.id;
        let report = all_converge(&[guest, owner, member], guest.http.report(sent, "rude")).await.unwrap();
        admin.http.report(sent, "me too").await.unwrap();
        let delete = resolve(Resolution::MessageDeleted);
        all_converge(&all, owner.http.resolve_report(*workspace, report.id, &delete)).await.unwrap();
        assert!(owner.http.message(sent).await.unwrap().deleted_at.is_some());
        assert_eq!((listed(&cast, false).await.len(), listed(&cast, true).await.len()), (0, 2));
        for resolution in [Resolution::AuthorMuted, Resolution::AuthorBanned] {
            let sent = owner.http.add_channel_member(open.id, outsider.id).await;
            drop(sent);
            let sent = member.send(open.id, "more noise").await.id;
            let report = guest.http.report(sent, "again").await.unwrap();
            let body = ResolveReport { reason: Some("noise".to_owned()), ..resolve(resolution) };
            all_converge(&all, owner.http.resolve_report(*workspace, report.id, &body)).await.unwrap();
            assert_eq!(member.client.state().sanctions().last().unwrap().reason, "noise");
            let muted = member.client.state().sanctions()[0].id;
            if resolution == Resolution::AuthorMuted {
                owner.http.lift_sanction(*workspace, muted).await.unwrap();
            }
        }
        assert_eq!(refused(member.http.workspace(*workspace).await), NotFound);
        let acts = owner.http.audit(*workspace, &AuditQuery::default()).await.unwrap().items;
        let decided = acts.iter().filter(|act| act.action == AuditAction::ReportResolved).count();
        assert_eq!((decided, acts[0].user.as_ref().unwrap().id), (3, member.id));
    }

    async fn what_stands_where_moderators_are_not_is_deleted_by_a_report(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, workspace, .. } = &cast;
        let hidden = member.channel_in(*workspace, "hidden", ChannelKind::Private).await.id;
        member.http.add_channel_member(hidden, guest.id).await.unwrap();
        let direct = OpenDirect { user_ids: vec![guest.id], workspace_id: Some(*workspace) };
        let direct = member.http.open_direct(&direct).await.unwrap().id;
        for id in [hidden, direct] {
            let body = CreateMessage { content: "threat".to_owned(), nonce: None, file_ids: Vec::new() };
            let sent = member.http.create_message(id, &body).await.unwrap().id;
            assert_eq!(refused(owner.http.report(sent, "unseen").await), NotFound);
            let report = guest.http.report(sent, "a threat").await.unwrap();
            owner.http.resolve_report(*workspace, report.id, &resolve(Resolution::MessageDeleted)).await.unwrap();
            assert!(guest.http.message(sent).await.unwrap().deleted_at.is_some());
        }
    }

    async fn what_cannot_be_reported_or_decided_on(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, open, workspace, .. } = &cast;
        let sent = admin.send(open.id, "hi").await.id;
        assert_eq!(refused(admin.http.report(sent, "mine").await), Conflict);
        assert_eq!(refused(guest.http.report(sent, " ").await), Invalid);
        assert_eq!(refused(guest.http.report(sent, &"a".repeat(501)).await), Invalid);
        assert_eq!(refused(guest.http.report(MessageId::from(12_345), "none").await), NotFound);
        let report = guest.http.report(sent, "rude").await.unwrap().id;
        assert_eq!(refused(guest.http.report(sent, "twice").await), Conflict);
        assert_eq!(refused(admin.http.resolve_report(*workspace, report, &resolve(Resolution::Dismissed)).await), Forbidden);
        owner.http.set_role(*workspace, member.id, Role::Moderator).await.unwrap();
        let muted = member.http.resolve_report(*workspace, report, &resolve(Resolution::AuthorMuted)).await;
        assert_eq!((refused(muted), listed(&cast, false).await.len()), (Forbidden, 1), "of a higher rank");
        owner.http.remove_workspace_member(*workspace, admin.id).await.unwrap();
        assert_eq!(refused(owner.http.resolve_report(*workspace, report, &resolve(Resolution::AuthorBanned)).await), Conflict);
        let other = CreateWorkspace { name: "Other".to_owned(), allow_guests: false };
        let other = owner.http.create_workspace(&other).await.unwrap().id;
        assert_eq!(refused(owner.http.resolve_report(other, report, &resolve(Resolution::Dismissed)).await), NotFound);
        member.http.resolve_report(*workspace, report, &resolve(Resolution::Dismissed)).await.unwrap();
    }

    async fn who_may_report_and_who_may_decide(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, open, secret, workspace, .. } = &cast;
        let sent = owner.send(open.id, "hi").await.id;
        let hidden = owner.send(secret.id, "hi").await.id;
        let report = member.http.report(hidden, "rude").await.unwrap().id;
        let but_owner = |expected| Expected { owner: Some(Conflict), ..expected };
        refusals(&cast, but_owner(Expected::IN_WORKSPACE), |user| user.http.report(sent, "rude")).await;
        let expected = Expected { member: Some(Conflict), ..but_owner(Expected::IN_SECRET) };
        refusals(&cast, expected, |user| user.http.report(hidden, "rude")).await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        let all = ReportsQuery::default();
        refusals(&cast, expected, |user| user.http.reports(*workspace, &all)).await;
        let expected = Expected { owner: Some(Forbidden), ..expected };
        let dismissed = resolve(Resolution::Dismissed);
        refusals(&cast, expected, |user| user.http.resolve_report(*workspace, report, &dismissed)).await;
    }

    async fn reports_are_paged(s: TestServer) {
        let cast = Cast::of(&s).await;
        for n in 0..3 {
            let sent = cast.member.send(cast.open.id, &n.to_string()).await.id;
            cast.guest.http.report(sent, "rude").await.unwrap();
        }
        let query = ReportsQuery { limit: Some(2), ..ReportsQuery::default() };
        let first = cast.owner.http.reports(cast.workspace, &query).await.unwrap();
        let before = Some(first.next_cursor.unwrap().parse().unwrap());
        let rest = cast.owner.http.reports(cast.workspace, &ReportsQuery { before, ..query }).await.unwrap();
        let contents: Vec<_> = first.items.iter().chain(&rest.items).map(|report| report.content.as_str()).collect();
        assert_eq!((contents, rest.next_cursor), (vec!["2", "1", "0"], None));
    }
}
