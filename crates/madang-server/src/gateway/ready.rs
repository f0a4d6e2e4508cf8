//! The beginning of a connection: subscribe first, read afterwards, so that nothing falls between.
//!
//! What was stored before the snapshot is in it; what is stored later is heard; what is both is known
//! by its version.

use std::collections::{BTreeSet, HashMap};

use madang_proto::{
    ChannelId, WorkspaceId,
    channels::{Channel, ChannelChanges},
    command::{Hello, Resume, Subscribe},
    event::Ready,
    limits,
};
use madang_realtime::{Codec, Connection, ConnectionInfo, Topic};
use madang_store::{Tx, accounts, channels as store_channels, workspaces as store_workspaces};

use crate::{
    app::{Actor, App},
    channels,
    error::{Error, Result},
};

/// Registers a connection and takes the snapshot that it begins with.
pub async fn open(app: &App, actor: Actor, hello: &Hello) -> Result<(Connection, Ready)> {
    let follows = hello.subscribe == Subscribe::Joined;
    let info = ConnectionInfo {
        id: app.id(),
        user: actor.user,
        session: actor.session,
        codec: Codec::Json,
        follows,
    };
    let connection = app.hub.connect(info);
    connection.subscribe(&[Topic::User(actor.user)]);
    if follows {
        let mut tx = app.db.read().await?;
        let workspaces = store_workspaces::of_user(&mut tx, actor.user).await?;
        let channels = store_channels::of_user(&mut tx, actor.user).await?;
        let topics: Vec<_> = topics(workspaces.iter().map(|w| w.id), channels.iter().map(|c| c.id)).collect();
        connection.subscribe(&topics);
    }
    // A session that was ended meanwhile found no connection to close.
    if app.revoked.contains(actor.session) {
        return Err(Error::Unauthenticated("the session was ended; sign in again"));
    }
    let mut tx = app.db.read().await?;
    let workspaces = store_workspaces::of_user(&mut tx, actor.user).await?;
    let channels = store_channels::of_user(&mut tx, actor.user).await?;
    if follows {
        keep_only(&connection, workspaces.iter().map(|w| w.id), &channels);
    }
    let resume = hello.resume.clone().unwrap_or_default();
    if resume.channels.len() > limits::RESUME_CHANNELS {
        return Err(Error::field("resume", format!("at most {} channels", limits::RESUME_CHANNELS)));
    }
    let (changes, resync) = missed(&mut tx, &channels, &resume).await?;
    let user = accounts::by_id(&mut tx, actor.user).await?;
    let ready = Ready {
        session_id: info.id,
        user: user.ok_or(Error::Unauthenticated("this user is not there any more"))?,
        heartbeat_interval_ms: limits::HEARTBEAT_MS,
        server_time: app.now(),
        presence: app.presence.listed(workspaces.iter().map(|w| w.id)),
        workspaces,
        channels,
        changes,
        resync,
    };
    Ok((connection, ready))
}

fn topics(
    workspaces: impl Iterator<Item = WorkspaceId>,
    channels: impl Iterator<Item = ChannelId>,
) -> impl Iterator<Item = Topic> {
    workspaces.map(Topic::Workspace).chain(channels.map(Topic::Channel))
}

/// Brings the subscriptions in line with the snapshot: whoever came in or went out between the two
/// reads was not there to be told. What is added here was stored before the snapshot; what comes after
/// it follows by itself.
fn keep_only(connection: &Connection, workspaces: impl Iterator<Item = WorkspaceId>, channels: &[Channel]) {
    let now: BTreeSet<ChannelId> = channels.iter().map(|c| c.id).collect();
    let missing: Vec<_> =
        topics(workspaces, now.iter().copied()).filter(|topic| !connection.hears(*topic)).collect();
    connection.subscribe(&missing);
    for (id, _) in connection.versions() {
        if !now.contains(&id) {
            connection.unsubscribe(Topic::Channel(id));
        }
    }
}

/// What a returning client missed, channel by channel, within the limits of one answer.
async fn missed(
    tx: &mut Tx,
    channels: &[Channel],
    resume: &Resume,
) -> Result<(Vec<ChannelChanges>, Vec<ChannelId>)> {
    let by_id: HashMap<ChannelId, &Channel> = channels.iter().map(|c| (c.id, c)).collect();
    let (mut changes, mut resync, mut messages) = (Vec::new(), Vec::new(), 0);
    for (id, version) in &resume.channels {
        let Some(channel) = by_id.get(id) else { continue };
        if channel.version == *version {
            continue;
        }
        // A version that was never given: the database was restored from a backup.
        if channel.version < *version || messages >= limits::RESUME_MESSAGES {
            resync.push(*id);
            continue;
        }
        let missed = channels::changes_since(tx, (*channel).clone(), *version).await?;
        messages += missed.messages.len();
        changes.push(missed);
    }
    Ok((changes, resync))
}
