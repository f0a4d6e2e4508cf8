//! Guest links: who comes by one sees its channel and nothing else, until the access is over.

use madang_client::{
    Error,
    proto::{
        ChannelId, Event,
        accounts::Secret,
        channels::{ChannelKind, UpdateChannel},
        close::CloseCode,
        direct::OpenDirect,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound},
        invites::{CreateInvite, Invite},
        messages::CreateMessage,
        overrides::Override,
        page::MessagePageQuery,
        permissions::{ChannelPermission as May, Role},
        profiles::UpdateUser,
        sanctions::{CreateSanction, SanctionKind},
        search::SearchQuery,
        threads::CreateReply,
        workspaces::UpdateWorkspace,
    },
};

use crate::{
    support::{
        Backend, Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals, settled,
    },
    transfer::{export, fresh, import},
};

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> ErrorCode {
    answer.unwrap_err().code().unwrap()
}

/// Everyone; nobody comes in as a guest by themself, and the member keeps order.
async fn cast(s: &TestServer) -> Cast {
    let cast = Cast::of(s).await;
    let owner = &cast.owner.http;
    for workspace in owner.workspaces().await.unwrap() {
        let closed =
            UpdateWorkspace { allow_guests: Some(false), open: Some(false), ..UpdateWorkspace::default() };
        owner.update_workspace(workspace.id, &closed).await.unwrap();
    }
    owner.set_role(cast.workspace, cast.member.id, Role::Moderator).await.unwrap();
    cast
}

fn for_a(s: &TestServer, channel: ChannelId, ms: i64) -> CreateInvite {
    let access_until = Some(s.clock.now().plus_millis(ms));
    CreateInvite { channel_id: Some(channel), access_until, ..CreateInvite::default() }
}

const MINUTE: u32 = 60_000;

/// A link to a channel for some minutes, by the moderator.
async fn link(s: &TestServer, cast: &Cast, channel: ChannelId, minutes: u32) -> (Invite, Secret) {
    let new = for_a(s, channel, (minutes * MINUTE).into());
    let made = cast.member.http.create_invite(cast.workspace, &new).await.unwrap();
    let code = made.code.clone().unwrap();
    (made, code)
}

/// A guest who came by a link to the secret channel.
async fn visitor(s: &TestServer, cast: &Cast) -> (User, Invite) {
    let (made, code) = link(s, cast, cast.secret.id, 1).await;
    let visitor = s.guest("Visitor").await;
    assert_eq!(visitor.http.accept_invite(&code).await.unwrap().role, Some(Role::Visitor));
    visitor.client.wait_for("the channel", |state| state.channel(cast.secret.id).map(drop)).await.unwrap();
    (visitor, made)
}

/// Waits until someone is out of the workspace.
async fn out(cast: &Cast, who: &User) {
    let members = |state: &madang_client::State| {
        (!state.workspace_members(cast.workspace)?.contains_key(&who.id)).then_some(())
    };
    cast.owner.client.load_workspace_members(cast.workspace).await.unwrap();
    cast.owner.client.wait_for("the visitor to be out", members).await.unwrap();
    assert_eq!(refused(who.http.workspace(cast.workspace).await), NotFound);
    settled(&cast.owner).await;
}

fn saying(content: &str) -> CreateMessage {
    CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() }
}

on_both! {
    async fn a_visitor_reads_and_writes_in_one_channel_and_sees_nothing_else(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, member, outsider, workspace, open, secret, .. } = &cast;
        let elsewhere = owner.send(open.id, "elsewhere").await;
        let (visitor, _) = visitor(&s, &cast).await;
        let http = &visitor.http;
        let said = visitor.send(secret.id, "here").await;
        http.react(said.id, "👍").await.unwrap();
        let reply = CreateReply { content: "here too".to_owned(), nonce: None, also_to_channel: false, file_ids: vec![] };
        http.reply(said.id, &reply).await.unwrap();
        assert_eq!(http.all_channel_members(secret.id).await.unwrap().len(), 5);
        assert_eq!(http.user(member.id).await.unwrap().summary.id, member.id);

        let seen = http.workspace_channels(*workspace).await.unwrap();
        assert_eq!(seen.iter().map(|channel| channel.id).collect::<Vec<_>>(), [secret.id]);
        assert_eq!(refused(http.channel(open.id).await), NotFound);
        assert_eq!(refused(http.join_channel(open.id).await), NotFound);
        assert_eq!(refused(http.messages(open.id, MessagePageQuery::default()).await), NotFound);
        assert_eq!(refused(http.create_message(open.id, &saying("hi")).await), NotFound);
        assert_eq!(refused(http.message(elsewhere.id).await), NotFound);
        assert_eq!(refused(http.all_workspace_members(*workspace).await), Forbidden);
        assert_eq!(refused(http.user(outsider.id).await), NotFound);
        assert_eq!(refused(http.presence(outsider.id).await), NotFound);
        assert_eq!(refused(http.pin(said.id).await), Forbidden);
        assert_eq!(refused(http.create_invite(*workspace, &for_a(&s, secret.id, 1_000)).await), Forbidden);
        assert_eq!(refused(http.add_channel_member(secret.id, outsider.id).await), Forbidden);
        assert_eq!(refused(http.open_direct(&OpenDirect { user_ids: vec![member.id], workspace_id: None }).await), Forbidden);
        s.indexed().await;
        let query = SearchQuery { q: Some("elsewhere".to_owned()), ..SearchQuery::default() };
        assert_eq!(http.search(&query).await.unwrap().items.len(), 0);
        let query = SearchQuery { q: Some("here".to_owned()), ..query };
        assert_eq!(http.search(&query).await.unwrap().items.len(), 2);

        let with = |people: &[&User]| OpenDirect {
            user_ids: people.iter().map(|user| user.id).collect(), workspace_id: Some(*workspace),
        };
        assert_eq!(refused(outsider.http.open_direct(&with(&[&visitor])).await), Invalid);
        assert_eq!(refused(member.http.open_direct(&with(&[&visitor, outsider])).await), Invalid);
        let direct = member.http.open_direct(&with(&[&visitor])).await.unwrap();
        http.create_message(direct.id, &saying("between us")).await.unwrap();
        assert_eq!(refused(owner.http.add_channel_member(open.id, visitor.id).await), Conflict);
        let gives = UpdateChannel {
            overrides: Some(vec![Override::of_user(visitor.id).allow(&[May::Invite])]), ..UpdateChannel::default()
        };
        owner.http.update_channel(secret.id, &gives).await.unwrap();
        assert_eq!(refused(http.add_channel_member(secret.id, outsider.id).await), Forbidden, "whatever is said");
    }

    async fn a_visitor_hears_of_what_they_see_and_of_nothing_else(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, member, outsider, workspace, secret, .. } = &cast;
        let (_, code) = link(&s, &cast, secret.id, 1).await;
        let visitor = s.guest("Visitor").await;
        let all = [&visitor, member, owner];
        all_converge(&all, visitor.http.accept_invite(&code)).await.unwrap();
        all_converge(&all, async {
            let name = UpdateWorkspace { name: Some("마당".to_owned()), ..UpdateWorkspace::default() };
            owner.http.update_workspace(*workspace, &name).await.unwrap();
            member.http.create_message(secret.id, &saying("hello")).await.unwrap();
            let called = UpdateUser { display_name: Some("Mina".to_owned()), ..UpdateUser::default() };
            member.http.update_user(member.id, &called).await.unwrap();
            visitor.http.update_user(visitor.id, &called).await.unwrap();
        }).await;
        let mut raw = Raw::of(&visitor).await;
        owner.channel_in(*workspace, "news", ChannelKind::Public).await;
        owner.http.set_role(*workspace, outsider.id, Role::Moderator).await.unwrap();
        let called = UpdateUser { display_name: Some("Outside".to_owned()), ..UpdateUser::default() };
        outsider.http.update_user(outsider.id, &called).await.unwrap();
        outsider.http.remove_workspace_member(*workspace, outsider.id).await.unwrap();
        let heard: Vec<_> = raw.heard().await.into_iter().map(|frame| frame.event).collect();
        assert!(heard.is_empty(), "{heard:?}");
        settled(&visitor).await;
    }

    async fn at_the_end_nothing_is_left_to_a_guest(s: TestServer) {
        let mut s = s;
        let cast = cast(&s).await;
        let (visitor, _) = visitor(&s, &cast).await;
        let mut live = Raw::of(&visitor).await;
        s.advance(MINUTE - 1);
        visitor.send(cast.secret.id, "still here").await;
        all_converge(&[&cast.owner, &cast.member], async {
            s.advance(1);
            assert_eq!(live.closed().await, Some(CloseCode::AccessEnded.number()));
        }).await;
        out(&cast, &visitor).await;
        assert_eq!(cast.owner.http.invites(cast.workspace).await.unwrap(), []);
        assert_eq!(visitor.http.channels().await.unwrap(), []);
        s.restart().await;
        assert_eq!(visitor.http.workspaces().await.unwrap(), [], "also after a restart");
    }

    async fn an_end_that_came_while_the_server_was_down_is_made_up_for(s: TestServer) {
        let mut s = s;
        let cast = cast(&s).await;
        let (visitor, _) = visitor(&s, &cast).await;
        s.stop().await;
        s.advance(2 * MINUTE);
        s.start_again().await;
        out(&cast, &visitor).await;
    }

    async fn who_is_in_other_places_loses_the_channel_only(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, stranger, guest, workspace, open, .. } = &cast;
        let hidden = owner.channel_in(*workspace, "hidden", ChannelKind::Private).await.id;
        owner.http.set_role(*workspace, cast.member.id, Role::Admin).await.unwrap();
        owner.http.add_channel_member(hidden, cast.member.id).await.unwrap();
        let (_, code) = link(&s, &cast, hidden, 1).await;
        for who in [stranger, guest] {
            who.http.accept_invite(&code).await.unwrap();
        }
        let (_, public) = link(&s, &cast, open.id, 1).await;
        guest.http.leave_channel(open.id).await.unwrap();
        guest.http.accept_invite(&public).await.unwrap();
        let mut live = Raw::of(stranger).await;
        all_converge(&[stranger, guest, owner], async {
            s.advance(MINUTE);
            out(&cast, stranger).await;
            let left = |state: &madang_client::State| state.channel(hidden).is_none().then_some(());
            guest.client.wait_for("the channel to be left", left).await.unwrap();
        }).await;
        live.heard().await;
        assert_eq!(guest.http.workspace(*workspace).await.unwrap().role, Some(Role::Guest));
        assert_eq!(refused(guest.http.channel(hidden).await), NotFound);
        assert_eq!(guest.http.channel(open.id).await.unwrap().joined, Some(true), "they could have joined by themselves");
    }

    async fn the_access_ends_also_when_someone_ends_it(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, member, workspace, secret, .. } = &cast;
        let (by_link, made) = visitor(&s, &cast).await;
        let mut live = Raw::of(&by_link).await;
        member.http.revoke_invite(*workspace, made.id).await.unwrap();
        assert_eq!(live.closed().await, Some(CloseCode::AccessEnded.number()));
        out(&cast, &by_link).await;

        let (put_out, _) = visitor(&s, &cast).await;
        let mut live = Raw::of(&put_out).await;
        member.http.remove_channel_member(secret.id, put_out.id).await.unwrap();
        assert_eq!(live.closed().await, Some(CloseCode::AccessEnded.number()));
        out(&cast, &put_out).await;

        let (left, _) = visitor(&s, &cast).await;
        left.http.leave_channel(secret.id).await.unwrap();
        out(&cast, &left).await;

        let (banned, _) = visitor(&s, &cast).await;
        let ban = CreateSanction {
            user_id: banned.id, kind: SanctionKind::Ban, channel_id: Some(secret.id), reason: "noise".to_owned(), expires_at: None,
        };
        member.http.create_sanction(*workspace, &ban).await.unwrap();
        out(&cast, &banned).await;
        let (_, code) = link(&s, &cast, secret.id, 1).await;
        assert_eq!(refused(banned.http.accept_invite(&code).await), Forbidden);

        let (deleted, _) = visitor(&s, &cast).await;
        owner.http.delete_channel(secret.id).await.unwrap();
        out(&cast, &deleted).await;
        assert_eq!(owner.http.invites(*workspace).await.unwrap(), []);
    }

    async fn whoever_has_more_keeps_it(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, stranger, workspace, open, secret, .. } = &cast;
        let (twice, first) = visitor(&s, &cast).await;
        let (second, code) = link(&s, &cast, secret.id, 2).await;
        let (_, other) = link(&s, &cast, open.id, 1).await;
        all_converge(&[&twice, owner], async {
            twice.http.accept_invite(&code).await.unwrap();
            twice.http.accept_invite(&other).await.unwrap();
            twice.http.accept_invite(&code).await.unwrap();
        }).await;
        let used = owner.http.invites(*workspace).await.unwrap().iter().map(|i| i.uses).collect::<Vec<_>>();
        assert_eq!(used, [1, 1, 1], "who has it takes none");
        let (_, made) = link(&s, &cast, secret.id, 1).await;
        stranger.http.accept_invite(&made).await.unwrap();
        let all = [stranger, owner];
        let added = all_converge(&all, owner.http.add_workspace_member(*workspace, &stranger.name)).await.unwrap();
        assert_eq!(added.role, Role::Member);
        assert!(stranger.http.all_workspace_members(*workspace).await.is_ok());
        assert_eq!(stranger.http.accept_invite(&made).await.unwrap().role, Some(Role::Member));

        s.advance(MINUTE);
        let left = |state: &madang_client::State| state.channel(open.id).is_none().then_some(());
        twice.client.wait_for("the other channel to be left", left).await.unwrap();
        s.tried().await;
        assert_eq!(twice.http.channel(secret.id).await.unwrap().joined, Some(true));
        assert_eq!(owner.http.invites(*workspace).await.unwrap().iter().map(|i| i.id).collect::<Vec<_>>(), [second.id]);
        assert_eq!(refused(owner.http.revoke_invite(*workspace, first.id).await), NotFound);
        settled(&twice).await;
        s.advance(MINUTE);
        out(&cast, &twice).await;
        assert_eq!(stranger.http.channel(secret.id).await.unwrap().joined, Some(true), "a member stays");
        settled(stranger).await;
    }

    async fn a_visitor_becomes_a_guest_or_a_member(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, stranger, workspace, secret, .. } = &cast;
        let (visitor, _) = visitor(&s, &cast).await;
        let set = |role| owner.http.set_role(*workspace, visitor.id, role);
        assert_eq!(refused(set(Role::Member).await), Invalid);
        assert_eq!(refused(set(Role::Guest).await), Conflict, "no guests are let in here");
        assert_eq!(refused(owner.http.set_role(*workspace, cast.outsider.id, Role::Visitor).await), Invalid);
        let guests = UpdateWorkspace { allow_guests: Some(true), ..UpdateWorkspace::default() };
        owner.http.update_workspace(*workspace, &guests).await.unwrap();
        let all = [&visitor, owner];
        assert_eq!(all_converge(&all, set(Role::Guest)).await.unwrap().role, Role::Guest);
        assert!(visitor.http.workspace_channels(*workspace).await.unwrap().len() > 2, "sees what is public");
        let (_, code) = link(&s, &cast, secret.id, 1).await;
        stranger.http.accept_invite(&code).await.unwrap();
        let invite = owner.http.create_invite(*workspace, &CreateInvite::default()).await.unwrap();
        let all = [stranger, owner];
        let joined = all_converge(&all, stranger.http.accept_invite(&invite.code.unwrap())).await.unwrap();
        assert_eq!(joined.role, Some(Role::Member));
        all_converge(&all, async {
            let name = UpdateWorkspace { name: Some("한마당".to_owned()), ..UpdateWorkspace::default() };
            owner.http.update_workspace(*workspace, &name).await.unwrap();
            owner.channel_in(*workspace, "news", ChannelKind::Public).await;
        }).await;
    }

    async fn whoever_has_the_code_may_know_what_it_opens(s: TestServer) {
        let cast = cast(&s).await;
        let (made, code) = link(&s, &cast, cast.secret.id, 1).await;
        let shown = s.http().preview_invite(&code).await.unwrap();
        assert_eq!((shown.workspace_name.as_str(), shown.channel_name.as_deref()), ("Closed", Some("secret")));
        assert_eq!((shown.channel_id, shown.access_until), (Some(cast.secret.id), made.access_until));
        assert_eq!(refused(s.http().preview_invite(&Secret("guess".to_owned())).await), NotFound);
        s.advance(MINUTE);
        assert_eq!(refused(s.http().preview_invite(&code).await), NotFound);
        assert_eq!(refused(cast.stranger.http.accept_invite(&code).await), NotFound);
    }

    async fn who_may_make_guest_links_and_end_them(s: TestServer) {
        let cast = Cast::of(&s).await;
        let new = for_a(&s, cast.secret.id, 1_000);
        let expected = Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| user.http.create_invite(cast.workspace, &new)).await;
        let why = cast.member.http.create_invite(cast.workspace, &new).await.unwrap_err();
        assert!(why.problem().unwrap().detail.contains("can make and end guest links"), "{why}");
        refusals(&cast, Expected::IN_SECRET.admins(), |user| user.http.guest_links(cast.workspace, cast.secret.id)).await;
        refusals(&cast, expected, |user| async {
            let made = cast.owner.http.create_invite(cast.workspace, &new).await.unwrap();
            user.http.revoke_invite(cast.workspace, made.id).await
        })
        .await;
        let moderates = vec![Override::of_user(cast.member.id).allow(&[May::Moderate])];
        let moderates = UpdateChannel { overrides: Some(moderates), ..UpdateChannel::default() };
        cast.owner.http.update_channel(cast.secret.id, &moderates).await.unwrap();
        let made = cast.member.http.create_invite(cast.workspace, &new).await.unwrap();
        let listed = cast.member.http.guest_links(cast.workspace, cast.secret.id).await.unwrap();
        assert!(listed.iter().any(|link| link.id == made.id));
        cast.member.http.revoke_invite(cast.workspace, made.id).await.unwrap();
        let plain = CreateInvite { access_until: None, ..new };
        assert_eq!(refused(cast.member.http.create_invite(cast.workspace, &plain).await), Forbidden);
    }

    async fn wrong_guest_links_are_refused(s: TestServer) {
        let cast = cast(&s).await;
        let good = for_a(&s, cast.secret.id, 1_000);
        let now = s.clock.now();
        for wrong in [
            CreateInvite { channel_id: None, ..good.clone() },
            for_a(&s, cast.secret.id, 0),
            for_a(&s, cast.secret.id, 367 * 86_400_000),
            CreateInvite { expires_at: Some(now.plus_millis(1_001)), ..good.clone() },
        ] {
            let answer = cast.owner.http.create_invite(cast.workspace, &wrong).await;
            assert_eq!(refused(answer), Invalid, "{wrong:?}");
        }
        let archive = UpdateChannel { archived: Some(true), ..UpdateChannel::default() };
        let (_, code) = link(&s, &cast, cast.secret.id, 1).await;
        cast.owner.http.update_channel(cast.secret.id, &archive).await.unwrap();
        assert_eq!(refused(cast.stranger.http.accept_invite(&code).await), NotFound);
        assert_eq!(refused(s.http().preview_invite(&code).await), NotFound);
    }

    async fn a_visit_moves_with_its_workspace_and_ends_there(s: TestServer) {
        let cast = cast(&s).await;
        let (visitor, _) = visitor(&s, &cast).await;
        let folder = tempfile::tempdir().unwrap();
        let file = export(&s.config, cast.workspace, folder.path().join("1.tar.gz")).await;
        let (config, _there) = fresh(Backend::Sqlite).await;
        import(&config, &s, &file).await.unwrap();
        let t = TestServer::again(config.clone(), s.clock.clone()).await.unwrap();
        madang_server::transfer::set_password(&config, "owner", crate::support::server::PASSWORD.to_owned().into()).await.unwrap();
        let owner = User::of(t.http(), t.http().login(&t.login("owner")).await.unwrap()).await;
        let there = async || {
            let members = owner.http.all_workspace_members(cast.workspace).await.unwrap();
            members.iter().find(|member| member.user.id == visitor.id).map(|member| member.role)
        };
        assert_eq!(there().await, Some(Role::Visitor));
        owner.client.load_everything().await.unwrap();
        t.advance(MINUTE);
        let gone = |state: &madang_client::State| {
            (!state.workspace_members(cast.workspace)?.contains_key(&visitor.id)).then_some(())
        };
        owner.client.wait_for("the visitor to be out", gone).await.unwrap();
        assert_eq!(there().await, None);
    }

    async fn somebody_invited_for_good_stays(s: TestServer) {
        let cast = cast(&s).await;
        let Cast { owner, guest, workspace, member, .. } = &cast;
        let hidden = owner.channel_in(*workspace, "hidden", ChannelKind::Private).await.id;
        let made = owner.http.create_invite(*workspace, &for_a(&s, hidden, MINUTE.into())).await.unwrap();
        for who in [guest, member] {
            who.http.accept_invite(&made.code.clone().unwrap()).await.unwrap();
        }
        owner.http.add_channel_member(hidden, guest.id).await.unwrap();
        s.advance(MINUTE);
        let left = |state: &madang_client::State| state.channel(hidden).is_none().then_some(());
        member.client.wait_for("the channel to be left", left).await.unwrap();
        assert_eq!(guest.http.channel(hidden).await.unwrap().joined, Some(true));
    }
}

/// What a visitor hears of who is there: of themself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_is_not_told_who_is_there() {
    let s = TestServer::start(Backend::Sqlite).await;
    let cast = cast(&s).await;
    let (visitor, _) = visitor(&s, &cast).await;
    let (mut raw, ready) = Raw::with(&visitor, Default::default()).await;
    assert!(ready.online.is_empty() && ready.presence.iter().all(|p| p.user_id == visitor.id), "{ready:?}");
    raw = raw.and_presence();
    let chosen = |text: &str| madang_client::proto::presence::UserStatus {
        custom_status: Some(text.to_owned()),
        ..Default::default()
    };
    cast.owner.http.set_status(cast.owner.id, &chosen("busy")).await.unwrap();
    visitor.http.set_status(visitor.id, &chosen("visiting")).await.unwrap();
    loop {
        if let Event::Presence(presence) = raw.next().await.unwrap().event {
            assert_eq!(presence.user_id, visitor.id, "{presence:?}");
            if presence.custom_status.as_deref() == Some("visiting") {
                return;
            }
        }
    }
}
