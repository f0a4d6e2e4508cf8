//! The beginning of a connection: subscribe first, read afterwards, so that nothing falls between.
//!
//! What was stored before the snapshot is in it; what is stored later is heard; what is both is known
//! by its version.

use std::collections::HashSet;

use madang_proto::{
    ChannelId, ConnectionId,
    channels::{Channel, ChannelChanges},
    command::{Hello, Subscribe},
    event::Ready,
    limits,
    permissions::Role,
    presence::{UserStatus, Watched},
};
use madang_realtime::{Codec, Connection, ConnectionInfo, Topic};
use madang_store::{channels as store, unread};

use crate::{
    app::{Actor, App},
    channels,
    error::{Error, Result},
    memory::{Person, Room, Standing},
    workspaces,
};

/// Registers a connection and takes the snapshot that it begins with, and what its user says of themself.
pub async fn open(
    app: &App,
    id: ConnectionId,
    actor: Actor,
    hello: &Hello,
    codec: Codec,
) -> Result<(Connection, Ready, UserStatus)> {
    let follows = hello.subscribe == Subscribe::Joined;
    let info = ConnectionInfo { id, user: actor.user, session: actor.session, codec, follows };
    let connection = app.hub.connect(info);
    connection.subscribe(&[Topic::User(actor.user)]);
    let standing = || async {
        let gone = Error::Unauthenticated("this user is not there any more");
        app.memory.person(&app.db, actor.user, app.now()).await?.ok_or(gone)
    };
    let before = standing().await?;
    let mut heard = vec![Topic::User(actor.user)];
    if follows {
        heard.extend(topics(&before.person));
        connection.subscribe(&heard);
    }
    // What other nodes publish after the snapshot has to reach this one.
    app.bus.listening(&heard).await;
    // A session that was ended meanwhile found no connection to close.
    if app.revoked.contains(actor.session) {
        return Err(Error::Unauthenticated("the session was ended; sign in again"));
    }
    let Standing { person, rooms } = standing().await?;
    if follows {
        keep_only(&connection, &topics(&before.person), &topics(&person));
        let versions = person.channels.iter().zip(&rooms).map(|(id, room)| (*id, room.version()));
        connection.read(&versions.collect::<Vec<_>>());
    }
    let resume = hello.resume.clone().unwrap_or_default();
    if resume.channels.len() > limits::RESUME_CHANNELS {
        return Err(Error::field("resume", format!("at most {} channels", limits::RESUME_CHANNELS)));
    }
    let mut missed = Missed::default();
    for (id, room) in person.channels.iter().zip(&rooms) {
        let version = resume.channels.get(id).copied();
        missed.add(app, &person, *id, room, version).await?;
    }
    let Missed { channels, changes, resync, .. } = missed;
    // A visitor is not told who is there.
    let places = person.workspaces.iter().filter(|w| w.role > Some(Role::Visitor)).map(|w| w.id);
    let places: Vec<_> = places.collect();
    let told_of_people = topics(&person).into_iter().chain([Topic::User(actor.user)]);
    let Watched { presence, online } = app.presence.picture(actor.user, &places, &[], |seen| seen);
    let ready = Ready {
        session_id: info.id,
        user: person.user.clone(),
        heartbeat_interval_ms: limits::HEARTBEAT_MS,
        server_time: app.now(),
        presence,
        online,
        users_version: app.memory.profiles.newest(told_of_people),
        workspaces: person.workspaces.clone(),
        channels,
        changes,
        resync,
        sanctions: person.sanctions.clone(),
        settings: person.settings,
        notifications: person.unread(),
    };
    Ok((connection, ready, person.status.clone()))
}

fn topics(person: &Person) -> Vec<Topic> {
    let workspaces = person.workspaces.iter().filter_map(|w| Some(workspaces::topic(w.id, w.role?)));
    workspaces.chain(person.channels.iter().map(|id| Topic::Channel(*id))).collect()
}

/// Brings the subscriptions in line with the snapshot: whoever came in or went out between the two
/// reads was not there to be told. What is added here was stored before the snapshot; what comes after
/// it follows by itself.
fn keep_only(connection: &Connection, before: &[Topic], now: &[Topic]) {
    connection.subscribe(now);
    let now: HashSet<&Topic> = now.iter().collect();
    before.iter().filter(|topic| !now.contains(topic)).for_each(|topic| connection.unsubscribe(*topic));
}

/// The channels of a returning client, and what it missed in them, within the limits of one answer.
#[derive(Default)]
struct Missed {
    channels: Vec<Channel>,
    changes: Vec<ChannelChanges>,
    resync: Vec<ChannelId>,
    messages: usize,
}

impl Missed {
    /// Adds a channel that the client knows up to `version`, if it does.
    async fn add(
        &mut self,
        app: &App,
        person: &Person,
        id: ChannelId,
        room: &Room,
        version: Option<i64>,
    ) -> Result<()> {
        let seat = person.seat(id);
        let Some(version) = version else {
            let mut channel = room.channel(seat);
            person.tell(&mut channel, room);
            self.channels.push(channel);
            return Ok(());
        };
        let (mut channel, known) = room.since(seat, version);
        person.tell(&mut channel, room);
        // A version that was never given: the database was restored from a backup.
        let too_far = channel.version < version || self.messages >= limits::RESUME_MESSAGES;
        if channel.version != version && too_far {
            self.resync.push(id);
        } else if channel.version != version {
            let missed = match known {
                Ok(known) => ChannelChanges { channel, ..known },
                Err(asked) => {
                    let mut tx = app.db.read().await?;
                    // The channel or the membership is gone since: the client hears of it.
                    let found = store::find(&mut tx, id, person.user.summary.id).await?;
                    let Some(found) = found.filter(|found| found.channel.joined == Some(true)) else {
                        return Ok(());
                    };
                    let mut channel = found.channel;
                    unread::tell(&mut tx, seat.user, std::slice::from_mut(&mut channel)).await?;
                    let missed = channels::changes_since(&mut tx, channel, seat.user, version).await?;
                    room.learn(asked, &missed);
                    missed
                }
            };
            self.messages += missed.messages.len();
            self.channels.push(missed.channel.clone());
            self.changes.push(missed);
            return Ok(());
        }
        self.channels.push(channel);
        Ok(())
    }
}
