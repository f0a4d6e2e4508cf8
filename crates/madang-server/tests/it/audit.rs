//! The audit log: each act of those who keep a workspace, once, with what changed; and nothing secret.

use madang_client::{
    Error,
    proto::{
        audit::{AuditAction as Act, AuditEntry, AuditQuery},
        channels::UpdateChannel,
        error::ErrorCode::{self, Forbidden},
        permissions::Role,
        sanctions::{CreateSanction, SanctionKind},
        workspaces::UpdateWorkspace,
    },
};
use serde_json::{Value, json};

use crate::support::{Cast, Expected, TestServer, on_both, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn entries(cast: &Cast, query: AuditQuery) -> Vec<AuditEntry> {
    cast.owner.http.audit(cast.workspace, &query).await.unwrap().items
}

/// What was noted last.
async fn newest(cast: &Cast) -> (Act, Value, Value) {
    let entry = entries(cast, AuditQuery { limit: Some(1), ..AuditQuery::default() }).await.remove(0);
    (entry.action, entry.from.unwrap_or_default(), entry.to.unwrap_or_default())
}

on_both! {
    async fn each_act_is_noted_with_what_changed(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, outsider, stranger, workspace, open, secret } = &cast;
        let settings = UpdateWorkspace { name: Some("다른 이름".to_owned()), open: Some(true), ..UpdateWorkspace::default() };
        admin.http.update_workspace(*workspace, &settings).await.unwrap();
        let changed = (json!({"name": "Closed", "open": false}), json!({"name": "다른 이름", "open": true}));
        assert_eq!(newest(&cast).await, (Act::WorkspaceUpdated, changed.0, changed.1));
        owner.http.set_role(*workspace, outsider.id, Role::Moderator).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::RoleChanged, json!({"role": "member"}), json!({"role": "moderator"})));
        owner.http.add_workspace_member(*workspace, &stranger.name).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::MemberAdded, Value::Null, json!({"role": "member"})));
        owner.http.remove_workspace_member(*workspace, stranger.id).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::MemberRemoved, json!({"role": "member"}), Value::Null));
        let slow = UpdateChannel { topic: Some("news".to_owned()), slow_mode: Some(5), ..UpdateChannel::default() };
        admin.http.update_channel(open.id, &slow).await.unwrap();
        let changed = (json!({"slow_mode": null, "topic": ""}), json!({"slow_mode": 5, "topic": "news"}));
        assert_eq!(newest(&cast).await, (Act::ChannelUpdated, changed.0, changed.1));
        owner.http.update_channel(secret.id, &slow).await.unwrap();
        let changed = (json!({"slow_mode": null}), json!({"slow_mode": 5}));
        assert_eq!(newest(&cast).await, (Act::ChannelUpdated, changed.0, changed.1), "a private one's topic is not told");
        let rename = UpdateChannel { name: Some("hidden".to_owned()), ..UpdateChannel::default() };
        owner.http.update_channel(secret.id, &rename).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::ChannelUpdated, json!({}), json!({})), "nor its name");
        admin.http.remove_channel_member(open.id, guest.id).await.unwrap();
        assert_eq!(newest(&cast).await.0, Act::ChannelMemberRemoved);
        let sent = member.send(open.id, "마당의 비밀").await.id;
        admin.http.delete_message(sent).await.unwrap();
        let entry = entries(&cast, AuditQuery::default()).await.remove(0);
        assert_eq!((entry.action, entry.actor.id, entry.message_id), (Act::MessageDeleted, admin.id, Some(sent)));
        assert_eq!((entry.user.map(|user| user.id), entry.channel_id), (Some(member.id), Some(open.id)));
        assert!(!format!("{:?}", entries(&cast, AuditQuery::default()).await).contains("비밀"), "no texts");
        let mute = CreateSanction {
            user_id: guest.id, kind: SanctionKind::Mute, channel_id: None, reason: "noise".to_owned(), expires_at: None,
        };
        let mute = admin.http.create_sanction(*workspace, &mute).await.unwrap();
        let terms = json!({"kind": "mute", "reason": "noise", "expires_at": null});
        assert_eq!(newest(&cast).await, (Act::SanctionImposed, Value::Null, terms.clone()));
        owner.http.lift_sanction(*workspace, mute.id).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::SanctionLifted, terms, Value::Null));
        owner.http.delete_channel(open.id).await.unwrap();
        assert_eq!(newest(&cast).await, (Act::ChannelDeleted, json!({"name": open.name}), Value::Null));
    }

    async fn what_was_refused_or_is_ones_own_or_nothing_new_is_not_noted(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, open, workspace, .. } = &cast;
        let before = entries(&cast, AuditQuery::default()).await;
        assert_eq!(refused(member.http.set_role(*workspace, cast.guest.id, Role::Owner).await), Forbidden);
        let own = member.send(open.id, "hi").await.id;
        member.http.delete_message(own).await.unwrap();
        member.http.leave_channel(open.id).await.unwrap();
        member.http.remove_workspace_member(*workspace, member.id).await.unwrap();
        owner.http.update_channel(open.id, &UpdateChannel::default()).await.unwrap();
        assert_eq!(entries(&cast, AuditQuery::default()).await, before);
    }

    async fn the_log_is_filtered_and_paged(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, open, workspace, .. } = &cast;
        let began = entries(&cast, AuditQuery::default()).await.len();
        let all = AuditQuery::default();
        admin.http.remove_channel_member(open.id, guest.id).await.unwrap();
        owner.http.remove_channel_member(open.id, member.id).await.unwrap();
        owner.http.set_role(*workspace, member.id, Role::Moderator).await.unwrap();
        assert_eq!(entries(&cast, all).await.len(), began + 3);
        let by = AuditQuery { actor_id: Some(admin.id), ..all };
        assert_eq!(entries(&cast, by).await.len(), 1);
        let there = AuditQuery { channel_id: Some(open.id), ..all };
        assert_eq!(entries(&cast, there).await.len(), 2);
        let removed = AuditQuery { action: Some(Act::ChannelMemberRemoved), user_id: Some(member.id), ..all };
        assert_eq!(entries(&cast, removed).await.len(), 1);
        let mut seen = Vec::new();
        let mut query = AuditQuery { limit: Some(2), ..all };
        loop {
            let page = owner.http.audit(*workspace, &query).await.unwrap();
            seen.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            query.before = Some(cursor.parse().unwrap());
        }
        assert_eq!(seen, entries(&cast, all).await);
    }

    async fn who_may_read_the_log(s: TestServer) {
        let cast = Cast::of(&s).await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        let all = AuditQuery::default();
        refusals(&cast, expected, |user| user.http.audit(cast.workspace, &all)).await;
        cast.owner.http.set_role(cast.workspace, cast.member.id, Role::Moderator).await.unwrap();
        assert_eq!(refused(cast.member.http.audit(cast.workspace, &AuditQuery::default()).await), Forbidden);
    }
}
