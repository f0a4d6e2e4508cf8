//! What a channel says besides the roles: overrides, slow mode, archiving; and what moderators may.

use std::time::Duration;

use madang_client::{
    Error,
    proto::{
        ChannelId, UserId,
        channels::{Channel, ChannelKind, UpdateChannel},
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, RateLimited},
        messages::{CreateMessage, Message, UpdateMessage},
        overrides::Override,
        permissions::{ChannelPermission as May, Role},
        threads::CreateReply,
    },
};
use serde_json::json;

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn overrides(overrides: &[Override]) -> UpdateChannel {
    UpdateChannel { overrides: Some(overrides.to_vec()), ..UpdateChannel::default() }
}

fn slow(seconds: u32) -> UpdateChannel {
    UpdateChannel { slow_mode: Some(seconds), ..UpdateChannel::default() }
}

fn archived(archived: bool) -> UpdateChannel {
    UpdateChannel { archived: Some(archived), ..UpdateChannel::default() }
}

fn text(nonce: Option<&str>) -> CreateMessage {
    CreateMessage { content: "hi".to_owned(), nonce: nonce.map(str::to_owned), file_ids: Vec::new() }
}

fn reply(also_to_channel: bool) -> CreateReply {
    CreateReply { content: "re".to_owned(), nonce: None, also_to_channel, file_ids: Vec::new() }
}

/// Only moderators and larger ones write.
fn announcements() -> UpdateChannel {
    overrides(&[Override::of_role(Role::Member).deny(&[May::Write])])
}

async fn write(user: &User, id: ChannelId) -> Result<Message, Error> {
    user.http.create_message(id, &text(None)).await
}

async fn moderator(cast: &Cast) {
    cast.owner.http.set_role(cast.workspace, cast.member.id, Role::Moderator).await.unwrap();
}

async fn names(channels: impl Future<Output = Result<Vec<Channel>, Error>>) -> Vec<String> {
    channels.await.unwrap().into_iter().map(|channel| channel.name).collect()
}

on_both! {
    async fn changing_what_a_channel_allows_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, open, secret, .. } = &cast;
        let all = [owner, member, outsider];
        for id in [open.id, secret.id] {
            let closed = UpdateChannel { slow_mode: Some(30), ..announcements() };
            let changed = all_converge(&all, owner.http.update_channel(id, &closed)).await.unwrap();
            assert_eq!((changed.slow_mode, changed.overrides.len()), (30, 1));
            let topic = UpdateChannel { topic: Some("news".to_owned()), ..UpdateChannel::default() };
            assert_eq!(all_converge(&all, owner.http.update_channel(id, &topic)).await.unwrap().overrides, changed.overrides);
        }
        let close = UpdateChannel { kind: Some(ChannelKind::Private), ..UpdateChannel::default() };
        all_converge(&all, owner.http.update_channel(open.id, &close)).await.unwrap();
        let open_again = UpdateChannel { slow_mode: Some(0), ..overrides(&[]) };
        let changed = all_converge(&all, owner.http.update_channel(secret.id, &open_again)).await.unwrap();
        assert_eq!((changed.slow_mode, changed.overrides), (0, vec![]));
    }

    async fn in_a_channel_for_announcements_only_moderators_write_and_the_others_do_the_rest(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, open, .. } = &cast;
        let own = member.send(open.id, "before").await;
        owner.http.update_channel(open.id, &announcements()).await.unwrap();
        refusals(&cast, Expected::IN_OPEN.admins(), |user| write(user, open.id)).await;
        let mut socket = Raw::of(member).await;
        let said = json!({"type": "MESSAGE", "payload": {"channel_id": open.id, "content": "hi", "nonce": "1"}});
        assert_eq!(socket.ask(said).await, Err(json!("forbidden")));
        let typing = json!({"type": "TYPING", "payload": {"channel_id": open.id, "typing": true}});
        assert_eq!(socket.ask(typing).await, Err(json!("forbidden")));
        assert_eq!(refused(member.http.update_message(own.id, "after").await), Forbidden);
        let news = owner.send(open.id, "news").await;
        member.http.react(news.id, "🎉").await.unwrap();
        guest.http.reply(news.id, &reply(false)).await.unwrap();
        let before = owner.http.replies(news.id, Default::default()).await.unwrap().items.len();
        assert_eq!(refused(guest.http.reply(news.id, &reply(true)).await), Forbidden);
        assert_eq!(owner.http.replies(news.id, Default::default()).await.unwrap().items.len(), before);
        member.http.delete_message(own.id).await.unwrap();
        moderator(&cast).await;
        write(member, open.id).await.unwrap();
        write(admin, open.id).await.unwrap();
        let quiet = [Override::of_role(Role::Guest).deny(&[May::Reply, May::React]), Override::of_user(guest.id).allow(&[May::Write])];
        owner.http.update_channel(open.id, &overrides(&quiet)).await.unwrap();
        assert_eq!(refused(guest.http.reply(news.id, &reply(false)).await), Forbidden);
        assert_eq!(refused(guest.http.react(news.id, "🎉").await), Forbidden);
        write(guest, open.id).await.unwrap();
    }

    async fn what_a_person_is_allowed_wins_over_the_role_and_goes_with_it(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, outsider, open, .. } = &cast;
        let helper = Override::of_user(guest.id).allow(&[May::Write, May::Moderate]);
        let closed = [Override::of_role(Role::Moderator).deny(&[May::Write, May::Pin]), helper];
        let sent = member.send(open.id, "noise").await;
        owner.http.update_channel(open.id, &overrides(&closed)).await.unwrap();
        assert_eq!(refused(write(member, open.id).await), Forbidden);
        assert_eq!(refused(member.http.pin(sent.id).await), Forbidden);
        write(guest, open.id).await.unwrap();
        guest.http.delete_message(sent.id).await.unwrap();
        let named = Override::of_user(outsider.id).allow(&[May::Write]);
        owner.http.update_channel(open.id, &overrides(&[named])).await.unwrap();
        assert_eq!(refused(write(outsider, open.id).await), Forbidden, "not in it");
        assert_eq!(refused(guest.http.delete_message(owner.send(open.id, "x").await.id).await), Forbidden);
    }

    async fn nobody_gives_what_they_have_not_or_speaks_of_larger_ones(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, outsider, stranger, workspace, .. } = &cast;
        let own = member.channel_in(*workspace, "own", ChannelKind::Public).await.id;
        let change = |user: &'static str, entries: Vec<Override>| {
            let http = if user == "member" { member.http.clone() } else { owner.http.clone() };
            async move { http.update_channel(own, &overrides(&entries)).await }
        };
        let of = Override::of_user;
        assert_eq!(refused(change("member", vec![of(member.id).allow(&[May::Moderate])]).await), Forbidden);
        assert_eq!(refused(change("member", vec![of(admin.id).deny(&[May::Write])]).await), Forbidden);
        assert_eq!(refused(change("member", vec![Override::of_role(Role::Moderator).deny(&[May::Write])]).await), Forbidden);
        let closed = vec![Override::of_role(Role::Member).deny(&[May::Write]), of(member.id).allow(&[May::Write])];
        change("member", closed.clone()).await.unwrap();
        write(member, own).await.unwrap();
        let given = [closed, vec![of(outsider.id).allow(&[May::Moderate])]].concat();
        change("owner", given.clone()).await.unwrap();
        change("member", given).await.unwrap();
        let wrong = [
            vec![Override::default().deny(&[May::Write])],
            vec![Override { user_id: Some(member.id), ..Override::of_role(Role::Guest) }.deny(&[May::Write])],
            vec![Override::of_role(Role::Admin).deny(&[May::Write])],
            vec![Override::of_role(Role::Guest)],
            vec![Override::of_role(Role::Guest).deny(&[May::View])],
            vec![Override::of_role(Role::Guest).deny(&[May::Pin]).allow(&[May::Pin])],
            vec![of(member.id).deny(&[May::Pin]), of(member.id).deny(&[May::Write])],
            vec![of(stranger.id).deny(&[May::Pin])],
            (1..=101).map(|n| of(UserId::from(n << 13)).deny(&[May::Pin])).collect(),
        ];
        for entries in wrong {
            let told = format!("{entries:?}");
            assert_eq!(refused(change("owner", entries).await), Invalid, "{told}");
        }
    }

    async fn who_may_change_what_a_channel_allows(s: TestServer) {
        let cast = Cast::of(&s).await;
        for body in [announcements(), slow(5), archived(true)] {
            let outsider = Some(Forbidden);
            let expected = Expected { outsider, ..Expected::IN_WORKSPACE.admins() };
            refusals(&cast, expected, |user| user.http.update_channel(cast.open.id, &body)).await;
            refusals(&cast, Expected::IN_SECRET.admins(), |user| user.http.update_channel(cast.secret.id, &body)).await;
        }
        let direct = madang_client::proto::direct::OpenDirect { user_ids: vec![cast.admin.id], workspace_id: Some(cast.workspace) };
        let direct = cast.owner.http.open_direct(&direct).await.unwrap().id;
        assert_eq!(refused(cast.owner.http.update_channel(direct, &archived(true)).await), Forbidden);
    }

    async fn in_a_slow_channel_one_waits_and_moderators_do_not(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, open, .. } = &cast;
        owner.http.update_channel(open.id, &slow(10)).await.unwrap();
        let first = member.http.create_message(open.id, &text(Some("a"))).await.unwrap();
        let again = member.http.create_message(open.id, &text(Some("a"))).await.unwrap();
        assert_eq!(first.id, again.id, "the same message, once");
        s.advance(2_500);
        let wait = write(member, open.id).await.unwrap_err();
        assert_eq!((wait.code(), wait.retry_after()), (Some(RateLimited), Some(Duration::from_secs(8))));
        assert_eq!(refused(member.http.reply(first.id, &reply(false)).await), RateLimited, "replies count");
        let mut socket = Raw::of(member).await;
        let said = json!({"type": "MESSAGE", "payload": {"channel_id": open.id, "content": "hi", "nonce": "b"}});
        assert_eq!(socket.ask(said.clone()).await, Err(json!("rate_limited")));
        guest.http.reply(first.id, &reply(true)).await.unwrap();
        assert_eq!(refused(write(guest, open.id).await), RateLimited);
        for user in [owner, admin] {
            write(user, open.id).await.unwrap();
            write(user, open.id).await.unwrap();
        }
        member.http.update_message(first.id, "edits do not wait").await.unwrap();
        write(member, cast.secret.id).await.unwrap();
        s.advance(7_500);
        assert!(socket.ask(said).await.is_ok());
        moderator(&cast).await;
        write(member, open.id).await.unwrap();
        owner.http.set_role(cast.workspace, member.id, Role::Member).await.unwrap();
        owner.http.update_channel(open.id, &slow(0)).await.unwrap();
        write(member, open.id).await.unwrap();
        assert_eq!(refused(owner.http.update_channel(open.id, &slow(21_601)).await), Invalid);
    }

    async fn archiving_and_restoring_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, outsider, open, secret, .. } = &cast;
        let all = [owner, member, outsider];
        for id in [open.id, secret.id] {
            let done = all_converge(&all, owner.http.update_channel(id, &archived(true))).await.unwrap();
            assert_eq!(done.archived_at, Some(s.clock.now()));
            s.advance(1_000);
            assert_eq!(owner.http.update_channel(id, &archived(true)).await.unwrap().archived_at, done.archived_at);
            all_converge(&all, owner.http.update_channel(id, &archived(false))).await.unwrap();
        }
        assert_eq!(refused(owner.http.update_channel(default_of(&cast).await, &archived(true)).await), Conflict);
    }

    async fn what_is_archived_is_read_and_found_but_not_written_in_or_listed(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, outsider, open, workspace, .. } = &cast;
        let sent = member.send(open.id, "마당 이야기").await;
        member.http.reply(sent.id, &reply(false)).await.unwrap();
        owner.http.update_channel(open.id, &archived(true)).await.unwrap();
        s.indexed().await;
        let query = madang_client::proto::search::SearchQuery { q: Some("이야기".to_owned()), ..Default::default() };
        assert_eq!(outsider.http.search(&query).await.unwrap().items.len(), 1);
        assert_eq!(outsider.http.messages(open.id, Default::default()).await.unwrap().items.len(), 1);
        for user in [member, admin, owner] {
            assert_eq!(refused(write(user, open.id).await), Forbidden);
            assert_eq!(refused(user.http.reply(sent.id, &reply(false)).await), Forbidden);
            assert_eq!(refused(user.http.react(sent.id, "🎉").await), Forbidden);
            assert_eq!(refused(user.http.pin(sent.id).await), Forbidden);
        }
        let edit = UpdateMessage { content: "other".to_owned() };
        assert_eq!(refused(member.http.update_message(sent.id, &edit.content).await), Forbidden);
        assert_eq!(refused(outsider.http.join_channel(open.id).await), Forbidden);
        assert_eq!(refused(owner.http.add_channel_member(open.id, outsider.id).await), Forbidden);
        let open_name = open.name.clone();
        assert!(!names(member.http.channels()).await.contains(&open_name));
        assert!(names(member.http.all_channels()).await.contains(&open_name));
        assert!(!names(outsider.http.workspace_channels(*workspace)).await.contains(&open_name));
        assert!(names(outsider.http.all_workspace_channels(*workspace)).await.contains(&open_name));
        owner.http.update_channel(open.id, &archived(false)).await.unwrap();
        write(member, open.id).await.unwrap();
    }

    async fn moderators_keep_order_and_keep_no_channels(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, outsider, open, workspace, .. } = &cast;
        let sent = guest.send(open.id, "noise").await;
        assert_eq!(refused(member.http.delete_message(sent.id).await), Forbidden);
        all_converge(&[owner, member, outsider], owner.http.set_role(*workspace, member.id, Role::Moderator)).await.unwrap();
        member.http.delete_message(sent.id).await.unwrap();
        member.http.remove_channel_member(open.id, guest.id).await.unwrap();
        assert_eq!(refused(member.http.update_channel(open.id, &slow(1)).await), Forbidden);
        assert_eq!(refused(member.http.set_role(*workspace, outsider.id, Role::Moderator).await), Forbidden);
        assert_eq!(refused(member.http.remove_workspace_member(*workspace, outsider.id).await), Forbidden);
        cast.admin.http.set_role(*workspace, member.id, Role::Member).await.unwrap();
    }
}

async fn default_of(cast: &Cast) -> ChannelId {
    cast.owner.http.workspace(cast.workspace).await.unwrap().default_channel_id
}
