//! The beginning of a connection: subscribe first, read afterwards, so that nothing falls between.
//!
//! What was stored before the snapshot is in it; what is stored later is heard; what is both is known
//! by its version.

use std::collections::{HashMap, HashSet};

use madang_proto::{
    ChannelId, ConnectionId,
    channels::{Channel, ChannelChanges},
    command::{Hello, Resume, Subscribe},
    event::Ready,
    limits,
    workspaces::Workspace,
};
use madang_realtime::{Codec, Connection, ConnectionInfo, Topic};
use madang_store::{Tx, accounts, channels as store_channels, workspaces as store_workspaces};

use crate::{
    app::{Actor, App},
    channels,
    error::{Error, Result},
};

/// Registers a connection and takes the snapshot that it begins with.
pub async fn open(
    app: &App,
    id: ConnectionId,
    actor: Actor,
    hello: &Hello,
    codec: Codec,
) -> Result<(Connection, Ready)> {
    let follows = hello.subscribe == Subscribe::Joined;
    let info = ConnectionInfo { id, user: actor.user, session: actor.session, codec, follows };
    let connection = app.hub.connect(info);
    connection.subscribe(&[Topic::User(actor.user)]);
    let mut before: Vec<Topic> = Vec::new();
    if follows {
        let mut tx = app.db.read().await?;
        let workspaces = store_workspaces::of_user(&mut tx, actor.user).await?;
        let channels = store_channels::of_user(&mut tx, actor.user).await?;
        before = topics(&workspaces, &channels);
        connection.subscribe(&before);
    }
    // A session that was ended meanwhile found no connection to close.
    if app.revoked.contains(actor.session) {
        return Err(Error::Unauthenticated("the session was ended; sign in again"));
    }
    let mut tx = app.db.read().await?;
    let workspaces = store_workspaces::of_user(&mut tx, actor.user).await?;
    let channels = store_channels::of_user(&mut tx, actor.user).await?;
    if follows {
        keep_only(&connection, &before, &topics(&workspaces, &channels));
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

fn topics(workspaces: &[Workspace], channels: &[Channel]) -> Vec<Topic> {
    let workspaces = workspaces.iter().map(|w| Topic::Workspace(w.id));
    workspaces.chain(channels.iter().map(|c| Topic::Channel(c.id))).collect()
}

/// Brings the subscriptions in line with the snapshot: whoever came in or went out between the two
/// reads was not there to be told. What is added here was stored before the snapshot; what comes after
/// it follows by itself.
fn keep_only(connection: &Connection, before: &[Topic], now: &[Topic]) {
    connection.subscribe(now);
    let now: HashSet<&Topic> = now.iter().collect();
    before.iter().filter(|topic| !now.contains(topic)).for_each(|topic| connection.unsubscribe(*topic));
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
