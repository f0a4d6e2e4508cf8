//! Mentions: whom a text mentions, of those who are in the channel.
//!
//! Names are looked up when a message is sent or edited, all of them by one question; a text without an `@` asks
//! none. What names nobody, or everyone where the author may not, stays text.
//!
//! In a thread names are those of its channel; everyone are those who follow it.

use std::collections::HashMap;

use madang_proto::{
    UserId, limits,
    mentions::{self, Mention, MentionKind},
    messages::Message,
    permissions::ChannelPermission,
};
use madang_store::{Tx, mentions as store};

use crate::{
    access::InChannel,
    app::{Actor, App},
    error::Result,
};

/// Whom a new message mentions.
#[derive(Debug, Default)]
pub struct Mentioned {
    /// As on the wire.
    pub all: Vec<Mention>,
    /// Where it mentions those who are there: who they are, by id.
    pub here: Vec<UserId>,
}

/// Whether a text may mention anyone.
pub fn possible(content: &str) -> bool {
    content.contains('@')
}

/// Whom a text mentions that is being sent.
pub async fn of_new(app: &App, actor: Actor, at: &InChannel, content: &str) -> Result<Mentioned> {
    let written = if possible(content) { mentions::written(content) } else { Vec::new() };
    if written.is_empty() {
        return Ok(Mentioned::default());
    }
    let mut tx = app.db.read().await?;
    let all = resolve(&mut tx, actor, at, &written).await?;
    let mut here = Vec::new();
    if mentions::has(&all, MentionKind::Here) && !mentions::has(&all, MentionKind::Channel) {
        let members = store::members(&mut tx, at.channel().id).await?;
        here = app.presence.there(at.channel().workspace_id, members);
    }
    Ok(Mentioned { all, here })
}

/// Whom a text mentions in the place of what a message said. Those who were there when it was sent can be
/// mentioned no longer, but not anew.
pub async fn of_edit(
    tx: &mut Tx,
    actor: Actor,
    at: &InChannel,
    before: &Message,
    content: &str,
) -> Result<Vec<Mention>> {
    let mut all = resolve(tx, actor, at, &mentions::written(content)).await?;
    let had = |kind| mentions::has(&before.mentions, kind);
    let whole = mentions::has(&all, MentionKind::Channel);
    if !whole && (had(MentionKind::Channel) || !had(MentionKind::Here)) {
        all.retain(|mention| mention.kind != MentionKind::Here);
    }
    Ok(all)
}

async fn resolve(tx: &mut Tx, actor: Actor, at: &InChannel, written: &[&str]) -> Result<Vec<Mention>> {
    let channel = at.channel();
    let names = written.iter().copied().flat_map(mentions::names);
    let mut names: Vec<&str> = names.filter(|name| mentions::everyone(name).is_none()).collect();
    names.sort_unstable();
    names.dedup();
    let found = if names.is_empty() {
        HashMap::new()
    } else {
        let scope = channel.thread.map_or(channel.id, |of| of.channel_id);
        store::find(tx, scope, &names).await?
    };
    let mut all = mentions::resolve(written, |name| found.get(name).copied());
    let few = channel.member_count <= limits::MENTION_EVERYONE_MEMBERS;
    if !few && !at.may(actor, ChannelPermission::Manage) && !at.may(actor, ChannelPermission::Moderate) {
        all.retain(|mention| mention.kind == MentionKind::User);
    }
    Ok(all)
}
