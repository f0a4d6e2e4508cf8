//! Workspaces and the people in them.
//!
//! Invariants:
//! - Everyone in a workspace is in its default channel, but visitors: these are in the channels of their guest links.
//! - A visitor hears of what happens in a workspace beside these no more than its own facts and emoji.
//! - A workspace keeps at least one owner.
//! - Who leaves a workspace leaves all its channels.

pub mod http;

use madang_proto::{
    ChannelId, Event, UserId, WorkspaceId,
    audit::AuditAction,
    channels::{Channel, ChannelKind},
    close::CloseCode,
    input, limits,
    page::Page,
    permissions::{self, Role, WorkspacePermission},
    retention::Retention,
    workspaces::{
        CreateWorkspace, EditHistory, Member, MemberAction, MemberChange, UpdateWorkspace, Workspace,
    },
};
use madang_realtime::{Control, Topic};
use madang_store::{
    accounts, channels as store_channels, members as store_members, visits, workspaces as store,
};
use serde_json::json;

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::Change,
    channels,
    error::{Error, Field, Result},
    profiles, sanctions,
};

/// What the default channel of a new workspace is called.
const DEFAULT_CHANNEL: &str = "general";

/// The actor's workspaces.
pub async fn index(app: &App, actor: Actor) -> Result<Vec<Workspace>> {
    Ok(store::of_user(&mut app.db.read().await?, actor.user).await?)
}

/// One workspace.
pub async fn show(app: &App, actor: Actor, id: WorkspaceId) -> Result<Workspace> {
    let mut tx = app.db.read().await?;
    Ok(access::workspace(&mut tx, actor, id, WorkspacePermission::View).await?.into_workspace())
}

/// Makes a workspace with the actor as its owner.
pub async fn create(app: &App, actor: Actor, new: &CreateWorkspace) -> Result<Workspace> {
    let name = input::workspace_name(&new.name).field("name")?;
    if actor.user.is_guest() {
        return Err(Error::Forbidden("guests cannot create workspaces"));
    }
    let mut change = app.change().await?;
    if store::owned_by(change.tx(), actor.user).await? >= limits::WORKSPACES_OWNED {
        return Err(Error::Conflict(format!("at most {} workspaces a person", limits::WORKSPACES_OWNED)));
    }
    let workspace = insert(app, &mut change, name, false, new.allow_guests, Some(actor.user)).await?;
    enter(app, &mut change, &workspace, actor.user, Role::Owner).await?;
    change.commit().await?;
    Ok(Workspace { role: Some(Role::Owner), ..workspace })
}

/// Makes the first workspace of a server, open to all.
pub async fn create_first(app: &App) -> Result<()> {
    let mut change = app.change().await?;
    store::lock_all(change.tx()).await?;
    if !store::any(change.tx()).await? {
        let name = input::workspace_name(&app.config.workspace_name).field("workspace_name")?;
        insert(app, &mut change, name, true, true, None).await?;
        change.commit().await?;
    }
    Ok(())
}

async fn insert(
    app: &App,
    change: &mut Change,
    name: String,
    open: bool,
    allow_guests: bool,
    created_by: Option<UserId>,
) -> Result<Workspace> {
    let id = app.id();
    let made = channels::made(app, id, ChannelKind::Public, created_by);
    let channel = Channel { name: DEFAULT_CHANNEL.to_owned(), is_default: true, ..made };
    let workspace = Workspace {
        id,
        name,
        open,
        allow_guests,
        edit_history: EditHistory::default(),
        retention: Retention::default(),
        emoji_version: 0,
        default_channel_id: channel.id,
        created_at: channel.created_at,
        role: None,
    };
    store::insert(change.tx(), &workspace).await?;
    store_channels::insert(change.tx(), &channel, DEFAULT_CHANNEL).await?;
    Ok(workspace)
}

/// Changes name and settings.
pub async fn update(app: &App, actor: Actor, id: WorkspaceId, new: &UpdateWorkspace) -> Result<Workspace> {
    let name = new.name.as_deref().map(input::workspace_name).transpose().field("name")?;
    let mut change = app.change().await?;
    let before = access::workspace(change.tx(), actor, id, WorkspacePermission::Edit).await?.into_workspace();
    let mut workspace = before.clone();
    workspace.name = name.unwrap_or(workspace.name);
    workspace.open = new.open.unwrap_or(workspace.open);
    workspace.allow_guests = new.allow_guests.unwrap_or(workspace.allow_guests);
    workspace.edit_history = new.edit_history.unwrap_or(workspace.edit_history);
    store::update(change.tx(), &workspace).await?;
    if workspace != before {
        audit::note(app, &mut change, actor, id, Act::of_workspace(&before, &workspace)).await?;
    }
    let told = Event::Workspace(Workspace { role: None, ..workspace.clone() });
    change.emit_to_all(&everyone(id), &told);
    change.commit().await?;
    Ok(workspace)
}

/// The topics of what everyone in a workspace hears, visitors too.
pub const fn everyone(id: WorkspaceId) -> [Topic; 2] {
    [Topic::Workspace(id), Topic::Lobby(id)]
}

/// The topic of what someone with this role hears of a workspace.
pub const fn topic(id: WorkspaceId, role: Role) -> Topic {
    match role {
        Role::Visitor => Topic::Lobby(id),
        Role::Guest | Role::Member | Role::Moderator | Role::Admin | Role::Owner => Topic::Workspace(id),
    }
}

/// Brings someone into a workspace and its default channel, in a change; a visitor becomes more than that. False when
/// they were in it.
pub async fn enter(
    app: &App,
    change: &mut Change,
    workspace: &Workspace,
    user: UserId,
    role: Role,
) -> Result<bool> {
    if enter_by(app, change, workspace, user, role, workspace.default_channel_id).await? {
        return Ok(true);
    }
    let member = store::member(change.tx(), workspace.id, user).await?;
    if member.is_none_or(|member| member.role > Role::Visitor) {
        return Ok(false);
    }
    stay(app, change, workspace, user, role).await?;
    Ok(true)
}

/// Brings someone into a workspace and one of its channels, in a change. False when they were in the workspace.
pub async fn enter_by(
    app: &App,
    change: &mut Change,
    workspace: &Workspace,
    user: UserId,
    role: Role,
    channel: ChannelId,
) -> Result<bool> {
    let id = workspace.id;
    if !store::add_member(change.tx(), id, user, role, app.now()).await? {
        return Ok(false);
    }
    change.control(Control::Subscribe { user, topic: topic(id, role) });
    change.emit(Topic::User(user), Event::Workspace(Workspace { role: Some(role), ..workspace.clone() }));
    announce(change, id, user, MemberAction::Joined).await?;
    profiles::introduce(change, id, user).await?;
    channels::enter(app, change, channel, user).await?;
    // Once the channel is locked, so that a ban of the same moment is found.
    sanctions::check(change, id, None, user).await?;
    change.after(move |app| app.presence.moved_in(user, id));
    Ok(true)
}

/// Makes a visitor one of the workspace, who stays in the channels of their links, in a change.
async fn stay(
    app: &App,
    change: &mut Change,
    workspace: &Workspace,
    user: UserId,
    role: Role,
) -> Result<Member> {
    let id = workspace.id;
    let theirs = channels_of(change, id, user).await?;
    store::set_role(change.tx(), id, user, role).await?;
    visits::leave_workspace(change.tx(), id, user).await?;
    change.control(Control::Unsubscribe { user, topic: topic(id, Role::Visitor) });
    change.control(Control::Subscribe { user, topic: topic(id, role) });
    change.emit(Topic::User(user), Event::Workspace(Workspace { role: Some(role), ..workspace.clone() }));
    // The default channel is the oldest, and the first to be locked.
    if !store_members::is_member(change.tx(), workspace.default_channel_id, user).await? {
        channels::enter(app, change, workspace.default_channel_id, user).await?;
    }
    for channel in theirs {
        channels::renew(change, channel, user).await?;
    }
    announce(change, id, user, MemberAction::Updated).await
}

async fn announce(
    change: &mut Change,
    id: WorkspaceId,
    user: UserId,
    action: MemberAction,
) -> Result<Member> {
    let member = store::member(change.tx(), id, user).await?.ok_or(Error::NotFound("member"))?;
    let event =
        MemberChange { action, workspace_id: id, channel_id: None, member: member.clone(), version: None };
    // A visitor does not hear of who comes and goes, but of themself.
    let visits = member.role == Role::Visitor;
    let topics = [Topic::Workspace(id)].into_iter().chain(visits.then_some(Topic::User(user)));
    change.emit_to_all(&topics.collect::<Vec<_>>(), &Event::Member(event));
    Ok(member)
}

/// The members, by id.
pub async fn members(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    after: i64,
    limit: u32,
) -> Result<Page<Member>> {
    let mut tx = app.db.read().await?;
    access::workspace(&mut tx, actor, id, WorkspacePermission::People).await?;
    Ok(member_page(store::members(&mut tx, id, after, limit + 1).await?, limit))
}

/// Cuts a list that has one item more than asked for into a page.
pub fn member_page(mut items: Vec<Member>, limit: u32) -> Page<Member> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|m| m.user.id.to_string());
    Page { items, next_cursor, prev_cursor: None }
}

/// Brings in someone by name.
pub async fn add_member(app: &App, actor: Actor, id: WorkspaceId, username: &str) -> Result<Member> {
    let mut change = app.change().await?;
    let at = access::workspace(change.tx(), actor, id, WorkspacePermission::ManageMembers).await?;
    let user = accounts::by_username_key(change.tx(), &input::name_key(username.trim())).await?;
    let user = user.ok_or_else(|| Error::field("username", "nobody has this name"))?;
    lets_in(at.workspace(), user.summary.id)?;
    let role = if user.guest { Role::Guest } else { Role::Member };
    if !enter(app, &mut change, at.workspace(), user.summary.id, role).await? {
        return Err(Error::Conflict("is a member already".to_owned()));
    }
    let member = store::member(change.tx(), id, user.summary.id).await?.ok_or(Error::NotFound("member"))?;
    let role = Some(json!({"role": role}));
    let act = Act::new(AuditAction::MemberAdded).on(user.summary.id).changed(None, role);
    audit::note(app, &mut change, actor, id, act).await?;
    change.commit().await?;
    Ok(member)
}

/// Gives someone another role.
pub async fn update_member(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<Member> {
    let mut change = app.change().await?;
    let at = access::workspace(change.tx(), actor, id, WorkspacePermission::ManageMembers).await?;
    let member = store::member(change.tx(), id, user).await?.ok_or(Error::NotFound("member"))?;
    if !permissions::may_assign(at.role(), member.role.max(role)) {
        return Err(Error::Forbidden("only owners can make or change admins and owners"));
    }
    if role == Role::Visitor && member.role != role {
        return Err(Error::field("role", "only a guest link makes a visitor"));
    }
    if role != Role::Visitor && user.is_guest() != (role == Role::Guest) {
        return Err(Error::field("role", "guests stay guests, and only guests are"));
    }
    keep_an_owner(&mut change, id, &member, role).await?;
    if role != member.role {
        let [from, to] = [member.role, role].map(|role| Some(json!({"role": role})));
        let act = Act::new(AuditAction::RoleChanged).on(user).changed(from, to);
        audit::note(app, &mut change, actor, id, act).await?;
    }
    if member.role == Role::Visitor && role != member.role {
        lets_in(at.workspace(), user)?;
        let member = stay(app, &mut change, at.workspace(), user, role).await?;
        change.commit().await?;
        return Ok(member);
    }
    store::set_role(change.tx(), id, user, role).await?;
    // The role shows in the lists of the channels too, also to those who come back later.
    for channel in channels_of(&mut change, id, user).await? {
        channels::renew(&mut change, channel, user).await?;
    }
    let member = announce(&mut change, id, user, MemberAction::Updated).await?;
    change.commit().await?;
    Ok(member)
}

/// Refuses guests where none are let in. A guest link is not asked: whoever made it lets them in.
pub fn lets_in(workspace: &Workspace, user: UserId) -> Result<()> {
    if user.is_guest() && !workspace.allow_guests {
        return Err(Error::Conflict("this workspace lets no guests in".to_owned()));
    }
    Ok(())
}

async fn keep_an_owner(change: &mut Change, id: WorkspaceId, member: &Member, role: Role) -> Result<()> {
    if member.role == Role::Owner
        && role != Role::Owner
        && !store::has_other_owner(change.tx(), id, member.user.id).await?
    {
        return Err(Error::Conflict("the last owner stays; make someone else owner first".to_owned()));
    }
    Ok(())
}

/// Takes someone out, or leaves oneself.
pub async fn remove_member(app: &App, actor: Actor, id: WorkspaceId, user: UserId) -> Result<()> {
    let mut change = app.change().await?;
    let needed =
        if user == actor.user { WorkspacePermission::View } else { WorkspacePermission::ManageMembers };
    let at = access::workspace(change.tx(), actor, id, needed).await?;
    let member = store::member(change.tx(), id, user).await?.ok_or(Error::NotFound("member"))?;
    if user != actor.user && !permissions::may_assign(at.role(), member.role) {
        return Err(Error::Forbidden("only owners can remove admins and owners"));
    }
    keep_an_owner(&mut change, id, &member, Role::Guest).await?;
    put_out(app, &mut change, id, user).await?;
    if user != actor.user {
        let role = Some(json!({"role": member.role}));
        let act = Act::new(AuditAction::MemberRemoved).on(user).changed(role, None);
        audit::note(app, &mut change, actor, id, act).await?;
    }
    change.commit().await
}

/// Takes a member out of a workspace and all its channels, in a change.
pub async fn put_out(app: &App, change: &mut Change, id: WorkspaceId, user: UserId) -> Result<()> {
    for channel in channels_of(change, id, user).await? {
        channels::exit(app, change, channel, user).await?;
    }
    let member = announce(change, id, user, MemberAction::Left).await?;
    visits::leave_workspace(change.tx(), id, user).await?;
    store::remove_member(change.tx(), id, user).await?;
    change.control(Control::Unsubscribe { user, topic: topic(id, member.role) });
    change.after(move |app| app.presence.moved_out(user, id));
    // Nothing is left to a guest who was here only for a time, and there is nothing to come back for.
    if member.role == Role::Visitor && user.is_guest() && store::of_user(change.tx(), user).await?.is_empty()
    {
        change.control(Control::CloseUser { user, code: CloseCode::AccessEnded });
    }
    Ok(())
}

/// The channels of a workspace that someone is in, in the order in which they are locked.
pub async fn channels_of(change: &mut Change, id: WorkspaceId, user: UserId) -> Result<Vec<ChannelId>> {
    let theirs = store_channels::of_user(change.tx(), user).await?;
    let mut ids: Vec<_> = theirs.into_iter().filter(|c| c.workspace_id == id).map(|c| c.id).collect();
    ids.sort_unstable();
    Ok(ids)
}
