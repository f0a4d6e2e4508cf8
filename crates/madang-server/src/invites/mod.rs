//! Invites: codes that bring whoever has them into a workspace, and into a channel of it; as guest links, into that
//! channel alone and for a time ([`visits`]).
//!
//! Invariants:
//! - A code is known to those alone whom its maker gave it: only its hash is stored, and it is shown once.
//! - It is used no more often, and no longer, than its maker said, and opens nothing to who is banned.

pub mod http;

use madang_proto::{
    ChannelId, InviteId, UserId, WorkspaceId,
    accounts::Secret,
    audit::AuditAction,
    invites::{CreateInvite, Invite, InvitePreview, InvitesQuery},
    limits,
    permissions::{ChannelPermission, Role, WorkspacePermission},
    workspaces::Workspace,
};
use madang_store::{
    Tx, accounts, channels as store_channels, invites as store, members, workspaces as store_workspaces,
};
use serde_json::json;

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    auth::InviteCode,
    change::Change,
    channels,
    error::{Error, Result},
    jobs::Job,
    visits, workspaces,
};

/// Makes an invite; the answer has its code, once and for all.
pub async fn create(app: &App, actor: Actor, id: WorkspaceId, new: &CreateInvite) -> Result<Invite> {
    let mut change = app.change().await?;
    access::workspace(change.tx(), actor, id, WorkspacePermission::View).await?;
    keeps(change.tx(), actor, id, new.access_until.and(new.channel_id)).await?;
    if let Some(channel) = new.channel_id {
        let at = access::channel(change.tx(), actor, channel, ChannelPermission::Invite).await?;
        if at.channel().workspace_id != id {
            return Err(Error::NotFound("channel"));
        }
    }
    if new.expires_at.is_some_and(|at| at <= app.now()) {
        return Err(Error::field("expires_at", "in the future"));
    }
    if let Some(until) = new.access_until {
        let latest = app.now().plus_millis(limits::GUEST_LINK_DAYS * 86_400_000);
        if new.channel_id.is_none() {
            return Err(Error::field("access_until", "only with a channel_id"));
        }
        if until <= app.now() || until > latest {
            let most = limits::GUEST_LINK_DAYS;
            return Err(Error::field("access_until", format!("in the future, at most {most} days ahead")));
        }
        if new.expires_at.is_some_and(|at| at > until) {
            return Err(Error::field("expires_at", "not after access_until"));
        }
    }
    if new.max_uses.is_some_and(|uses| !(1..=limits::INVITE_USES).contains(&uses)) {
        return Err(Error::field("max_uses", format!("1 to {}", limits::INVITE_USES)));
    }
    if store::of_workspace(change.tx(), id, app.now()).await?.len() >= limits::INVITES_PER_WORKSPACE {
        let most = limits::INVITES_PER_WORKSPACE;
        return Err(Error::Conflict(format!("at most {most} invites a workspace: revoke some")));
    }
    let by = accounts::by_id(change.tx(), actor.user).await?.ok_or(Error::NotFound("user"))?.summary;
    let invite = Invite {
        id: app.id(),
        workspace_id: id,
        channel_id: new.channel_id,
        by,
        created_at: app.now(),
        expires_at: new.expires_at,
        access_until: new.access_until,
        max_uses: new.max_uses,
        uses: 0,
        code: None,
    };
    let code = InviteCode::new();
    store::insert(change.tx(), &invite, &code.hash()).await?;
    if let Some(until) = invite.access_until {
        change.enqueue(&Job::GuestLink(invite.id), until).await?;
    }
    let terms = json!({
        "id": invite.id, "expires_at": invite.expires_at, "access_until": invite.access_until,
        "max_uses": invite.max_uses,
    });
    let act = Act::new(AuditAction::InviteCreated).within(invite.channel_id).changed(None, Some(terms));
    audit::note(app, &mut change, actor, id, act).await?;
    change.commit().await?;
    Ok(Invite { code: Some(code.0), ..invite })
}

/// Refuses who keeps neither the invites of a workspace nor, where it is about one, the guest links of this channel.
async fn keeps(tx: &mut Tx, actor: Actor, id: WorkspaceId, link: Option<ChannelId>) -> Result<()> {
    if keeps_links_of(tx, actor, link).await? {
        return Ok(());
    }
    let kept = access::workspace(tx, actor, id, WorkspacePermission::ManageMembers).await;
    kept.map(drop).map_err(|error| match error {
        Error::Forbidden(_) if link.is_some() => {
            Error::Forbidden("only admins and those who moderate the channel can make and end guest links")
        }
        Error::Forbidden(_) => Error::Forbidden("only admins can make, see and revoke invites"),
        error => error,
    })
}

/// Whether the actor keeps the guest links of a channel.
async fn keeps_links_of(tx: &mut Tx, actor: Actor, channel: Option<ChannelId>) -> Result<bool> {
    let Some(channel) = channel else { return Ok(false) };
    match access::channel(tx, actor, channel, ChannelPermission::Moderate).await {
        Ok(at) => Ok(at.channel().thread.is_none()),
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Those that can be used, and guest links that give access, oldest first, without their codes.
pub async fn index(app: &App, actor: Actor, id: WorkspaceId, query: InvitesQuery) -> Result<Vec<Invite>> {
    let mut tx = app.db.read().await?;
    let Some(channel) = query.channel_id else {
        keeps(&mut tx, actor, id, None).await?;
        return Ok(store::of_workspace(&mut tx, id, app.now()).await?);
    };
    access::workspace(&mut tx, actor, id, WorkspacePermission::View).await?;
    access::channel(&mut tx, actor, channel, ChannelPermission::Moderate).await?;
    let mut links = store::of_workspace(&mut tx, id, app.now()).await?;
    links.retain(|invite| invite.guest_link().is_some_and(|(of, _)| of == channel));
    Ok(links)
}

/// Revokes an invite. Who came by it stays, but by a guest link.
pub async fn destroy(app: &App, actor: Actor, workspace: WorkspaceId, id: InviteId) -> Result<()> {
    let mut change = app.change().await?;
    access::workspace(change.tx(), actor, workspace, WorkspacePermission::View).await?;
    let found = store::find(change.tx(), workspace, id).await?;
    let link = found.as_ref().and_then(Invite::guest_link);
    keeps(change.tx(), actor, workspace, link.map(|(channel, _)| channel)).await?;
    if !store::remove(change.tx(), workspace, id).await? {
        return Err(Error::NotFound("invite"));
    }
    if link.is_some() {
        visits::end_now(app, &mut change, id).await?;
    }
    let act = Act::new(AuditAction::InviteRevoked).changed(Some(json!({"id": id})), None);
    audit::note(app, &mut change, actor, workspace, act).await?;
    change.commit().await
}

/// Comes in by a code. Nothing happens to who is in already.
pub async fn accept(app: &App, actor: Actor, code: Secret) -> Result<Workspace> {
    let missing = || Error::NotFound("invite");
    let mut change = app.change().await?;
    let invite =
        store::by_code(change.tx(), &InviteCode(code).hash(), app.now()).await?.ok_or_else(missing)?;
    let id = invite.workspace_id;
    let workspace = store_workspaces::find(change.tx(), id, actor.user).await?.ok_or_else(missing)?;
    if invite.guest_link().is_some() {
        if !store::take(change.tx(), invite.id).await? {
            return Err(missing());
        }
        if !visits::begin(app, &mut change, actor, &invite, &workspace).await? {
            return Ok(workspace);
        }
        let workspace = store_workspaces::find(change.tx(), id, actor.user).await?.ok_or_else(missing)?;
        change.commit().await?;
        return Ok(workspace);
    }
    let channel = opened(&mut change, actor, &invite).await?;
    let inside = workspace.role > Some(Role::Visitor);
    if inside && channel.is_none() {
        return Ok(workspace);
    }
    if !store::take(change.tx(), invite.id).await? {
        return Err(missing());
    }
    if !inside {
        workspaces::lets_in(&workspace, actor.user)?;
        let role = if actor.user.is_guest() { Role::Guest } else { Role::Member };
        workspaces::enter(app, &mut change, &workspace, actor.user, role).await?;
    }
    if let Some(channel) = channel.filter(|channel| *channel != workspace.default_channel_id) {
        channels::enter(app, &mut change, channel, actor.user).await?;
    }
    let workspace = store_workspaces::find(change.tx(), id, actor.user).await?.ok_or_else(missing)?;
    change.commit().await?;
    Ok(workspace)
}

/// What a code opens.
pub async fn preview(app: &App, code: Secret) -> Result<InvitePreview> {
    let missing = || Error::NotFound("invite");
    let mut tx = app.db.read().await?;
    let invite = store::by_code(&mut tx, &InviteCode(code).hash(), app.now()).await?.ok_or_else(missing)?;
    let nobody = UserId::from(0);
    let workspace =
        store_workspaces::find(&mut tx, invite.workspace_id, nobody).await?.ok_or_else(missing)?;
    let channel = match invite.channel_id {
        Some(id) => store_channels::find(&mut tx, id, nobody).await?.map(|found| found.channel),
        None => None,
    };
    let channel = channel.filter(|channel| channel.archived_at.is_none());
    if invite.guest_link().is_some() && channel.is_none() {
        return Err(missing());
    }
    Ok(InvitePreview {
        workspace_id: workspace.id,
        workspace_name: workspace.name,
        channel_id: channel.as_ref().map(|channel| channel.id),
        channel_name: channel.map(|channel| channel.name),
        expires_at: invite.expires_at,
        access_until: invite.access_until,
    })
}

/// The channel of an invite, if it is still in use and the actor is not in it.
async fn opened(change: &mut Change, actor: Actor, invite: &Invite) -> Result<Option<ChannelId>> {
    let Some(id) = invite.channel_id else { return Ok(None) };
    let found = store_channels::find(change.tx(), id, actor.user).await?;
    let in_use = found.is_some_and(|found| found.channel.archived_at.is_none());
    let inside = members::is_member(change.tx(), id, actor.user).await?;
    Ok((in_use && !inside).then_some(id))
}

/// Forgets those that cannot be used any more.
pub async fn sweep(app: &App) -> Result<()> {
    let mut change = app.change().await?;
    store::sweep(change.tx(), app.now()).await?;
    change.commit().await
}
