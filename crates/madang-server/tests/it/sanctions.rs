//! Mutes and bans: imposed, felt, over.

use madang_client::{
    Error,
    proto::{
        ChannelId, Event, UserId, WorkspaceId,
        channels::ChannelKind,
        command::{Hello, Subscribe},
        direct::OpenDirect,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        messages::CreateMessage,
        page::MessagePageQuery,
        permissions::Role,
        sanctions::{CreateSanction, Sanction, SanctionAction, SanctionKind, SanctionsQuery},
        threads::CreateReply,
    },
};
use serde_json::json;

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn new(kind: SanctionKind, user_id: UserId) -> CreateSanction {
    CreateSanction { user_id, kind, channel_id: None, reason: "noise".to_owned(), expires_at: None }
}

fn mute(user: &User) -> CreateSanction {
    new(SanctionKind::Mute, user.id)
}

fn ban(user: &User) -> CreateSanction {
    new(SanctionKind::Ban, user.id)
}

fn within(channel: ChannelId, new: CreateSanction) -> CreateSanction {
    CreateSanction { channel_id: Some(channel), ..new }
}

async fn impose(by: &User, at: WorkspaceId, new: &CreateSanction) -> Result<Sanction, Error> {
    by.http.create_sanction(at, new).await
}

async fn write(user: &User, id: ChannelId) -> Result<(), Error> {
    let body = CreateMessage { content: "hi".to_owned(), nonce: None, file_ids: Vec::new() };
    user.http.create_message(id, &body).await.map(drop)
}

/// The next that one is told of a sanction of one's own.
async fn told(user: &mut User) -> (SanctionAction, Sanction) {
    let change = |event| {
        if let Event::Sanction(change) = event { Some((change.action, change.sanction)) } else { None }
    };
    user.next("a sanction", change).await
}

on_both! {
    async fn who_is_muted_reads_and_does_nothing_else(s: TestServer) {
        let mut cast = Cast::of(&s).await;
        let (workspace, open, secret) = (cast.workspace, cast.open.id, cast.secret.id);
        let sent = cast.owner.send(open, "hi").await.id;
        let own = cast.member.send(open, "mine").await.id;
        let direct = OpenDirect { user_ids: vec![cast.owner.id], workspace_id: Some(workspace) };
        let direct = cast.member.http.open_direct(&direct).await.unwrap().id;
        let sanction = impose(&cast.admin, workspace, &mute(&cast.member)).await.unwrap();
        assert_eq!((sanction.user.id, sanction.by.as_ref().unwrap().id), (cast.member.id, cast.admin.id));
        assert_eq!(told(&mut cast.member).await, (SanctionAction::Imposed, sanction.clone().for_them()));
        let Cast { owner, admin, member, .. } = &cast;
        for id in [open, secret, direct] {
            assert_eq!(refused(write(member, id).await), Forbidden);
        }
        let reply = CreateReply { content: "re".to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        assert_eq!(refused(member.http.reply(sent, &reply).await), Forbidden);
        assert_eq!(refused(member.http.react(sent, "🎉").await), Forbidden);
        assert_eq!(refused(member.http.pin(sent).await), Forbidden);
        assert_eq!(refused(member.http.update_message(own, "more").await), Forbidden);
        assert_eq!(refused(member.http.add_channel_member(open, cast.outsider.id).await), Forbidden);
        let mut socket = Raw::of(member).await;
        for (kind, payload) in [
            ("MESSAGE", json!({"channel_id": open, "content": "hi", "nonce": "1"})),
            ("TYPING", json!({"channel_id": open, "typing": true})),
            ("REACTION", json!({"message_id": sent, "emoji": "🎉", "add": true})),
        ] {
            assert_eq!(socket.ask(json!({"type": kind, "payload": payload})).await, Err(json!("forbidden")), "{kind}");
        }
        assert_eq!(member.http.messages(open, MessagePageQuery::default()).await.unwrap().items.len(), 2);
        member.http.mark_read(open, sent).await.unwrap();
        write(owner, open).await.unwrap();
        admin.http.lift_sanction(workspace, sanction.id).await.unwrap();
        write(member, direct).await.unwrap();
        assert_eq!(told(&mut cast.member).await, (SanctionAction::Lifted, sanction.for_them()));
    }

    async fn a_mute_in_a_channel_is_felt_there_and_in_its_threads(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, open, secret, .. } = &cast;
        let root = owner.send(open.id, "root").await.id;
        let reply = CreateReply { content: "re".to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() };
        let thread = member.http.reply(root, &reply).await.unwrap().channel_id;
        impose(owner, *workspace, &within(open.id, mute(member))).await.unwrap();
        assert_eq!(refused(write(member, open.id).await), Forbidden);
        assert_eq!(refused(member.http.reply(root, &reply).await), Forbidden);
        assert_eq!(refused(write(member, thread).await), Forbidden);
        write(member, secret.id).await.unwrap();
        assert_eq!(refused(impose(owner, *workspace, &within(thread, mute(member))).await), NotFound);
    }

    async fn what_one_is_under_leaves_nobody_stale(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, outsider, workspace, open, .. } = &cast;
        let all = [owner, member, guest, outsider];
        let first = all_converge(&all, impose(owner, *workspace, &mute(member))).await.unwrap();
        assert_eq!(member.client.state().sanctions().len(), 1);
        let again = CreateSanction { reason: "more noise".to_owned(), ..mute(member) };
        let second = all_converge(&all, impose(owner, *workspace, &again)).await.unwrap();
        assert!(first.id != second.id && member.client.state().sanctions()[0].reason == "more noise");
        all_converge(&all, impose(owner, *workspace, &within(open.id, ban(guest)))).await.unwrap();
        all_converge(&all, owner.http.lift_sanction(*workspace, second.id)).await.unwrap();
        all_converge(&all, impose(owner, *workspace, &ban(member))).await.unwrap();
        assert!(member.client.state().workspace(*workspace).is_none());
    }

    async fn who_is_banned_is_out_at_once_and_stays_out(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, workspace, open, secret, .. } = &cast;
        let alone = Hello { subscribe: Subscribe::None, ..Hello::default() };
        let (mut socket, _) = Raw::with(member, alone).await;
        let join = json!({"type": "JOIN_CHANNEL", "payload": {"channel_id": open.id}});
        socket.ask(join.clone()).await.unwrap();
        let sanction = impose(admin, *workspace, &ban(member)).await.unwrap();
        owner.send(open.id, "not for you").await;
        let heard = socket.heard().await;
        assert!(!heard.iter().any(|frame| matches!(&frame.event, Event::Message(_))), "{heard:?}");
        assert_eq!(socket.ask(join).await, Err(json!("not_found")));
        for id in [open.id, secret.id] {
            assert_eq!(refused(member.http.channel(id).await), NotFound);
            assert_eq!(refused(owner.http.add_channel_member(id, member.id).await), Invalid);
        }
        assert_eq!(refused(owner.http.add_workspace_member(*workspace, &member.name).await), Forbidden);
        owner.http.lift_sanction(*workspace, sanction.id).await.unwrap();
        owner.http.add_workspace_member(*workspace, &member.name).await.unwrap();
        settled(member).await;
    }

    async fn who_is_banned_from_a_channel_is_in_the_others(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, open, secret, .. } = &cast;
        let mut socket = Raw::of(member).await;
        let sanctions = [open.id, secret.id].map(|id| within(id, ban(member)));
        let first = impose(owner, *workspace, &sanctions[0]).await.unwrap();
        impose(owner, *workspace, &sanctions[1]).await.unwrap();
        owner.send(open.id, "not for you").await;
        let heard = socket.heard().await;
        assert!(!heard.iter().any(|frame| matches!(&frame.event, Event::Message(_))), "{heard:?}");
        assert_eq!(refused(write(member, open.id).await), Forbidden);
        assert_eq!(refused(member.http.join_channel(open.id).await), Forbidden);
        assert_eq!(refused(owner.http.add_channel_member(open.id, member.id).await), Forbidden);
        assert_eq!(refused(owner.http.add_channel_member(secret.id, member.id).await), Forbidden);
        assert_eq!(refused(member.http.channel(secret.id).await), NotFound);
        write(member, owner.http.workspace(*workspace).await.unwrap().default_channel_id).await.unwrap();
        owner.http.lift_sanction(*workspace, first.id).await.unwrap();
        member.http.join_channel(open.id).await.unwrap();
        let default = owner.http.workspace(*workspace).await.unwrap().default_channel_id;
        assert_eq!(refused(impose(owner, *workspace, &within(default, ban(member))).await), Conflict);
    }

    async fn when_the_time_is_over_it_ends_by_itself(s: TestServer) {
        let mut cast = Cast::of(&s).await;
        let (workspace, open) = (cast.workspace, cast.open.id);
        let until = |ms| CreateSanction { expires_at: Some(s.clock.now().plus_millis(ms)), ..mute(&cast.member) };
        assert_eq!(refused(impose(&cast.owner, workspace, &until(0)).await), Invalid);
        let short = impose(&cast.owner, workspace, &until(60_000)).await.unwrap();
        let other = impose(&cast.owner, workspace, &within(cast.secret.id, until(120_000))).await.unwrap();
        told(&mut cast.member).await;
        told(&mut cast.member).await;
        s.advance(60_000);
        assert_eq!(told(&mut cast.member).await, (SanctionAction::Lifted, short.for_them()));
        write(&cast.member, open).await.unwrap();
        assert_eq!(refused(write(&cast.member, cast.secret.id).await), Forbidden);
        s.advance(60_000);
        assert_eq!(told(&mut cast.member).await, (SanctionAction::Lifted, other.for_them()));
        settled(&cast.member).await;
    }

    async fn a_restart_forgets_no_mute_and_no_end(s: TestServer) {
        let mut s = s;
        let (alice, mut bob) = s.users().await;
        let until = CreateSanction { expires_at: Some(s.clock.now().plus_millis(60_000)), ..mute(&bob) };
        impose(&alice, alice.workspace(), &until).await.unwrap();
        told(&mut bob).await;
        s.restart().await;
        assert_eq!(refused(write(&bob, bob.general()).await), Forbidden);
        s.restart().await;
        s.advance(60_000);
        let write = async { while write(&bob, bob.general()).await.is_err() {} };
        tokio::time::timeout(crate::support::PATIENCE, write).await.unwrap();
    }

    async fn who_may_mute_and_ban_and_whom(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, admin, member, guest, outsider, workspace, secret, .. } = &cast;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| async { impose(user, *workspace, &mute(guest)).await }).await;
        let there = within(secret.id, mute(guest));
        refusals(&cast, Expected::IN_SECRET.admins(), |user| async { impose(user, *workspace, &there).await }).await;
        let all = SanctionsQuery::default();
        refusals(&cast, expected, |user| user.http.sanctions(*workspace, &all)).await;
        owner.http.set_role(*workspace, member.id, Role::Moderator).await.unwrap();
        impose(member, *workspace, &mute(outsider)).await.unwrap();
        for (by, whom) in [(member, member), (member, admin), (admin, admin), (admin, owner), (owner, owner)] {
            for new in [mute(whom), ban(whom)] {
                assert_eq!(refused(impose(by, *workspace, &new).await), Forbidden, "{} on {}", by.name, whom.name);
            }
        }
        let muted = impose(admin, *workspace, &mute(member)).await.unwrap();
        assert_eq!(refused(member.http.lift_sanction(*workspace, muted.id).await), Forbidden, "one's own");
        assert_eq!(refused(impose(owner, *workspace, &mute(&cast.stranger)).await), NotFound);
        assert_eq!(refused(impose(owner, *workspace, &CreateSanction { reason: " ".to_owned(), ..mute(guest) }).await), Invalid);
        let lost = cast.stranger.http.lift_sanction(*workspace, muted.id).await;
        assert_eq!(refused(lost), NotFound);
        let elsewhere = member.channel_in(*workspace, "elsewhere", ChannelKind::Private).await.id;
        assert_eq!(refused(impose(admin, *workspace, &within(elsewhere, mute(guest))).await), NotFound);
        admin.http.lift_sanction(*workspace, muted.id).await.unwrap();
        assert_eq!(refused(admin.http.lift_sanction(*workspace, muted.id).await), NotFound);
    }

    async fn who_may_lift(s: TestServer) {
        let cast = Cast::of(&s).await;
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| async {
            let sanction = impose(&cast.owner, cast.workspace, &mute(&cast.outsider)).await.unwrap();
            user.http.lift_sanction(cast.workspace, sanction.id).await
        })
        .await;
    }

    async fn a_list_of_sanctions_is_filtered_and_paged(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, guest, outsider, workspace, open, .. } = &cast;
        for new in [mute(member), mute(guest), within(open.id, ban(guest)), mute(outsider)] {
            impose(owner, *workspace, &new).await.unwrap();
        }
        let all = SanctionsQuery::default();
        let count = async |query: &SanctionsQuery| owner.http.sanctions(*workspace, query).await.unwrap().items.len();
        assert_eq!(count(&all).await, 4);
        assert_eq!(count(&SanctionsQuery { user_id: Some(guest.id), ..all }).await, 2);
        assert_eq!(count(&SanctionsQuery { kind: Some(SanctionKind::Ban), ..all }).await, 1);
        assert_eq!(count(&SanctionsQuery { channel_id: Some(open.id), ..all }).await, 1);
        let first = owner.http.sanctions(*workspace, &SanctionsQuery { limit: Some(3), ..all }).await.unwrap();
        let before = Some(first.next_cursor.unwrap().parse().unwrap());
        let rest = owner.http.sanctions(*workspace, &SanctionsQuery { before, ..all }).await.unwrap();
        assert_eq!((rest.items.len(), rest.items[0].user.id, rest.next_cursor), (1, member.id, None));
    }
}
