//! Sanctions: who has to be silent or to stay away, imposed by those who keep order.
//!
//! What is stored is in force: when the time of one is over, the sweep takes it away and says so.
//!
//! Invariants:
//! - Nobody acts on someone of their own rank or a higher one.
//! - Whoever is banned is out, hears nothing more and cannot come in, by whatever way.

pub mod http;

use std::sync::atomic::{AtomicI64, Ordering};

use madang_proto::{
    ChannelId, Event, SanctionId, Timestamp, UserId, WorkspaceId,
    audit::AuditAction,
    input,
    page::Page,
    permissions::{ChannelPermission, Role, WorkspacePermission},
    sanctions::{CreateSanction, Sanction, SanctionAction, SanctionChange, SanctionKind, SanctionsQuery},
    workspaces::Member,
};
use madang_realtime::Topic;
use madang_store::{accounts, members, sanctions as store, workspaces as store_workspaces};

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::Change,
    channels,
    error::{Error, Field, Result},
    http::{page_limit, page_of},
    visits, workspaces,
};

/// How many are taken away at a time.
const PASS: u32 = 100;

/// When the time of the next sanction is over, so that nobody asks before.
#[derive(Debug, Default)]
pub struct Lapses(AtomicI64);

impl Lapses {
    pub fn note(&self, at: Timestamp) {
        self.0.fetch_min(at.millis(), Ordering::AcqRel);
    }
}

/// Imposes a sanction, in the place of another of its kind for the same person and place.
pub async fn create(app: &App, actor: Actor, id: WorkspaceId, new: &CreateSanction) -> Result<Sanction> {
    let mut change = app.change().await?;
    let role = match new.channel_id {
        None => access::workspace(change.tx(), actor, id, WorkspacePermission::Moderate).await?.role(),
        Some(channel) => {
            let needed = ChannelPermission::Moderate;
            let at = access::channel_to_change(change.tx(), actor, channel, needed).await?;
            if at.channel().workspace_id != id || at.channel().thread.is_some() {
                return Err(Error::NotFound("channel"));
            }
            if at.channel().is_default && new.kind == SanctionKind::Ban {
                return Err(Error::Conflict(
                    "everyone in the workspace is in its default channel".to_owned(),
                ));
            }
            at.role().unwrap_or(Role::Visitor)
        }
    };
    let member = store_workspaces::member(change.tx(), id, new.user_id).await?;
    let member = member.ok_or(Error::NotFound("member"))?;
    let sanction = impose(app, &mut change, actor, role, id, &member, new).await?;
    change.commit().await?;
    Ok(sanction)
}

/// Whether someone with this role may act on someone with that one.
pub fn outranks(actor: Role, target: Role) -> Result<()> {
    let smaller = target < actor;
    smaller.then_some(()).ok_or(Error::Forbidden("nobody can act on someone of their rank or a higher one"))
}

/// Imposes a sanction on a member, in a change.
pub async fn impose(
    app: &App,
    change: &mut Change,
    actor: Actor,
    role: Role,
    workspace_id: WorkspaceId,
    member: &Member,
    new: &CreateSanction,
) -> Result<Sanction> {
    let reason = input::reason(&new.reason).field("reason")?;
    if new.expires_at.is_some_and(|at| at <= app.now()) {
        return Err(Error::field("expires_at", "in the future"));
    }
    outranks(role, member.role)?;
    let by = accounts::by_id(change.tx(), actor.user).await?.ok_or(Error::NotFound("user"))?;
    let sanction = Sanction {
        id: app.id(),
        workspace_id,
        channel_id: new.channel_id,
        user: member.user.clone(),
        kind: new.kind,
        reason,
        by: Some(by.summary),
        created_at: app.now(),
        expires_at: new.expires_at,
    };
    let user = member.user.id;
    if new.kind == SanctionKind::Ban {
        match new.channel_id {
            None => workspaces::put_out(app, change, workspace_id, user).await?,
            Some(channel) if members::is_member(change.tx(), channel, user).await? => {
                channels::exit(app, change, channel, user).await?;
                visits::settle(app, change, workspace_id, user).await?;
            }
            Some(_) => {}
        }
    }
    // After the channels are locked, so that whoever comes in at the same moment finds it or was found.
    store::put(change.tx(), &sanction, actor.user).await?;
    let terms = serde_json::json!({
        "kind": new.kind, "reason": sanction.reason, "expires_at": sanction.expires_at,
    });
    let act =
        Act::new(AuditAction::SanctionImposed).on(user).within(new.channel_id).changed(None, Some(terms));
    audit::note(app, change, actor, workspace_id, act).await?;
    tell(change, SanctionAction::Imposed, &sanction);
    if let Some(at) = sanction.expires_at {
        change.after(move |app| app.lapses.note(at));
    }
    Ok(sanction)
}

fn tell(change: &mut Change, action: SanctionAction, sanction: &Sanction) {
    let told = SanctionChange { action, sanction: sanction.clone().for_them() };
    change.emit(Topic::User(sanction.user.id), Event::Sanction(told));
}

/// Lifts a sanction before its time.
pub async fn destroy(app: &App, actor: Actor, workspace: WorkspaceId, id: SanctionId) -> Result<()> {
    let mut change = app.change().await?;
    access::workspace(change.tx(), actor, workspace, WorkspacePermission::View).await?;
    let found = store::find(change.tx(), workspace, id).await?;
    let missing = || Error::NotFound("sanction");
    let role = match found.as_ref().and_then(|sanction| sanction.channel_id) {
        None => access::workspace(change.tx(), actor, workspace, WorkspacePermission::Moderate).await?.role(),
        Some(channel) => {
            let at = access::channel(change.tx(), actor, channel, ChannelPermission::Moderate).await;
            let at = at.map_err(|e| if matches!(e, Error::NotFound(_)) { missing() } else { e })?;
            at.role().unwrap_or(Role::Visitor)
        }
    };
    let sanction = found.ok_or_else(missing)?;
    let user = sanction.user.id;
    if let Some(member) = store_workspaces::member(change.tx(), workspace, user).await? {
        outranks(role, member.role)?;
    }
    if !store::remove(change.tx(), id).await? {
        return Err(missing());
    }
    let terms = serde_json::json!({
        "kind": sanction.kind, "reason": sanction.reason, "expires_at": sanction.expires_at,
    });
    let act =
        Act::new(AuditAction::SanctionLifted).on(user).within(sanction.channel_id).changed(Some(terms), None);
    audit::note(app, &mut change, actor, workspace, act).await?;
    tell(&mut change, SanctionAction::Lifted, &sanction);
    change.commit().await
}

/// Those in force, the newest first.
pub async fn index(
    app: &App,
    actor: Actor,
    workspace: WorkspaceId,
    query: SanctionsQuery,
) -> Result<Page<Sanction>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    access::workspace(&mut tx, actor, workspace, WorkspacePermission::Moderate).await?;
    Ok(page_of(store::of_workspace(&mut tx, workspace, query, limit + 1).await?, limit))
}

/// Whether someone has to stay away.
pub async fn check(
    change: &mut Change,
    workspace: WorkspaceId,
    channel: Option<ChannelId>,
    user: UserId,
) -> Result<()> {
    if store::is_banned(change.tx(), workspace, channel, user).await? {
        return Err(Error::Forbidden("banned from here"));
    }
    Ok(())
}

/// Takes those away whose time is over.
pub async fn lapse(app: &App) -> Result<()> {
    let now = app.now();
    if app.lapses.0.load(Ordering::Acquire) > now.millis() {
        return Ok(());
    }
    loop {
        let due = store::due(&mut app.db.read().await?, now, PASS).await?;
        for sanction in &due {
            let mut change = app.change().await?;
            if store::remove(change.tx(), sanction.id).await? {
                tell(&mut change, SanctionAction::Lifted, sanction);
                change.commit().await?;
            }
        }
        if due.len() < usize::try_from(PASS).unwrap_or(usize::MAX) {
            break;
        }
    }
    // First, so that what is imposed meanwhile is found or noted.
    app.lapses.0.store(i64::MAX, Ordering::Release);
    match store::next_expiry(&mut app.db.read().await?).await {
        Ok(next) => next.into_iter().for_each(|at| app.lapses.note(at)),
        Err(error) => {
            app.lapses.note(now);
            return Err(error.into());
        }
    }
    Ok(())
}
