//! Visits: people in a channel by a guest link, until its access is over.
//!
//! A guest link is an invite with an `access_until`. Its end is a job, stored with it: whoever came by it and has nothing
//! else there goes. Revoking it, or deleting its channel, brings the same job forward.
//!
//! Invariants:
//! - A visitor is in a workspace as long as one of their links lasts. Who is more than a visitor loses the channel only,
//!   and only where nothing but a link brought them in.
//! - Nobody comes in by a link after its end began: its row goes first.

use std::collections::BTreeSet;

use madang_proto::{
    ChannelId, InviteId, Timestamp, UserId, WorkspaceId, channels::ChannelKind, invites::Invite,
    permissions::Role, workspaces::Workspace,
};
use madang_store::{
    Tx, channels as store_channels, invites as store_invites, jobs, members,
    transfer::{Row, Table},
    visits::{self as store, Visit},
    workspaces as store_workspaces,
};

use crate::{
    app::{Actor, App},
    change::Change,
    channels,
    clock::Ids,
    error::{Error, Result},
    jobs::Job,
    workspaces,
};

/// How many are ended between two looks at who is left.
const PASS: u32 = 100;

/// Brings the actor into the channel of a guest link, in a change. False when it gives them nothing that they do not
/// have.
pub async fn begin(
    app: &App,
    change: &mut Change,
    actor: Actor,
    link: &Invite,
    workspace: &Workspace,
) -> Result<bool> {
    let missing = || Error::NotFound("invite");
    let (id, until) = link.guest_link().ok_or_else(missing)?;
    let user = actor.user;
    let channel = store_channels::lock(change.tx(), id, user).await?.ok_or_else(missing)?.channel;
    if channel.archived_at.is_some() {
        return Err(missing());
    }
    let inside = members::is_member(change.tx(), id, user).await?;
    let stays = match workspace.role {
        None => {
            workspaces::enter_by(app, change, workspace, user, Role::Visitor, id).await?;
            false
        }
        Some(role) => {
            let for_good = inside && !store::any_in_channel(change.tx(), id, user).await?;
            if !inside {
                channels::enter(app, change, id, user).await?;
            }
            // What is public, they could have joined without the link.
            role > Role::Visitor && (for_good || channel.kind == ChannelKind::Public)
        }
    };
    if stays {
        return Ok(!inside);
    }
    let visit = Visit { invite: link.id, user, workspace: workspace.id, channel: id };
    Ok(store::insert(change.tx(), &visit, until).await?)
}

/// The job of a guest link: its access is over.
pub async fn run(app: &App, link: InviteId) -> Result<()> {
    // Whoever is coming in by it at this moment is found below, or finds nothing.
    let mut change = app.change().await?;
    store_invites::forget(change.tx(), link).await?;
    change.commit().await?;
    loop {
        let visits = store::of_invite(&mut app.db.read().await?, link, PASS).await?;
        if visits.is_empty() {
            return Ok(());
        }
        for visit in visits {
            end(app, visit).await?;
        }
    }
}

async fn end(app: &App, visit: Visit) -> Result<()> {
    let Visit { user, workspace, channel, .. } = visit;
    let mut change = app.change().await?;
    for theirs in workspaces::channels_of(&mut change, workspace, user).await? {
        store_channels::lock(change.tx(), theirs, user).await?;
    }
    if store::remove(change.tx(), &visit).await? && !store::any_in_channel(change.tx(), channel, user).await?
    {
        let found = store_channels::find(change.tx(), channel, user).await?;
        if found.is_some_and(|found| found.channel.joined == Some(true)) {
            channels::exit(app, &mut change, channel, user).await?;
        }
        settle(app, &mut change, workspace, user).await?;
    }
    change.commit().await
}

/// Takes a visitor to whom no channel is left out of a workspace, in a change.
pub async fn settle(app: &App, change: &mut Change, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let member = store_workspaces::member(change.tx(), workspace, user).await?;
    if member.is_some_and(|member| member.role == Role::Visitor)
        && !store::any_in_workspace(change.tx(), workspace, user).await?
    {
        workspaces::put_out(app, change, workspace, user).await?;
    }
    Ok(())
}

/// Ends a guest link before its time, in a change.
pub async fn end_now(app: &App, change: &mut Change, link: InviteId) -> Result<()> {
    change.enqueue(&Job::GuestLink(link), app.now()).await.map(drop)
}

/// The same for those of a channel that is being deleted.
pub async fn end_of_channel(app: &App, change: &mut Change, id: ChannelId) -> Result<()> {
    for link in store_invites::links_of_channel(change.tx(), id).await? {
        end_now(app, change, link).await?;
    }
    Ok(())
}

/// The link and the end of an imported visit.
pub fn end_of(table: &Table, row: &Row) -> Option<(InviteId, Timestamp)> {
    let number = |column| row.get(table.place(column)?)?.as_i64();
    let invite = if table.name == "visits" { number("invite_id") } else { None };
    Some((invite?.into(), number("access_until")?.into()))
}

/// Stores the ends of imported visits, whose links stayed where they were made.
pub async fn end_all(
    tx: &mut Tx,
    ids: &Ids,
    now: Timestamp,
    ends: BTreeSet<(InviteId, Timestamp)>,
) -> Result<()> {
    let job = |(link, due_at)| Job::GuestLink(link).row_as(ids.next(now), due_at);
    let jobs = ends.into_iter().map(job).collect::<Result<Vec<_>>>()?;
    Ok(jobs::insert(tx, &jobs).await?)
}
