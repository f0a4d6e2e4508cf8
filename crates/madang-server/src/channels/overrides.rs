//! Which overrides someone may give a channel.
//!
//! Invariants:
//! - Nobody gives what they may not do themselves, or says anything of someone larger.
//! - Each role and each person has one entry at most.

use std::collections::HashSet;

use madang_proto::{
    limits,
    overrides::Override,
    permissions::{ChannelPermission, Role},
};
use madang_store::workspaces;

use crate::{
    access::InChannel,
    app::Actor,
    change::Change,
    error::{Error, Result},
};

/// The overrides that the channel has from now on: those asked for, if they may be.
pub async fn checked(
    change: &mut Change,
    actor: Actor,
    at: &InChannel,
    asked: Option<&[Override]>,
) -> Result<Vec<Override>> {
    let known = &at.channel().overrides;
    let Some(asked) = asked else { return Ok(known.clone()) };
    let wrong = |reason: &str| Error::field("overrides", reason);
    if asked.len() > limits::OVERRIDES_PER_CHANNEL {
        return Err(wrong(&format!("at most {} of them", limits::OVERRIDES_PER_CHANNEL)));
    }
    let mut subjects = HashSet::new();
    for entry in asked {
        if !subjects.insert((entry.role, entry.user_id)) || entry.role.is_some() == entry.user_id.is_some() {
            return Err(wrong("each names either a role or a person, and each of them once"));
        }
        if entry.role >= Some(Role::Admin) {
            return Err(wrong("admins and owners are not bound by them"));
        }
        let named: Vec<_> = entry.allow.iter().chain(&entry.deny).collect();
        let once = named.iter().collect::<HashSet<_>>().len() == named.len();
        if named.is_empty() || !once || !named.iter().all(|p| ChannelPermission::OVERRIDABLE.contains(p)) {
            return Err(wrong(
                "each allows or denies something: write, reply, react, pin, invite, remove, moderate",
            ));
        }
        if !known.contains(entry) {
            may_say(change, actor, at, entry).await?;
        }
    }
    Ok(asked.to_vec())
}

/// Whether the actor may add this, or put it in the place of what was there.
async fn may_say(change: &mut Change, actor: Actor, at: &InChannel, entry: &Override) -> Result<()> {
    let before = at.channel().overrides.iter().find(|k| (k.role, k.user_id) == (entry.role, entry.user_id));
    let given = entry.allow.iter().filter(|p| !before.is_some_and(|before| before.allow.contains(p)));
    if given.into_iter().any(|permission| !at.may(actor, *permission)) {
        return Err(Error::Forbidden("nobody can allow what they may not do themselves"));
    }
    let role = match (entry.role, entry.user_id) {
        (Some(role), _) => role,
        (None, Some(user)) => {
            let member = workspaces::member(change.tx(), at.channel().workspace_id, user).await?;
            member.ok_or_else(|| Error::field("overrides", "nobody of this workspace has this id"))?.role
        }
        (None, None) => Role::Guest,
    };
    if Some(role) > at.role() {
        return Err(Error::Forbidden("this says something of those who are larger"));
    }
    Ok(())
}
