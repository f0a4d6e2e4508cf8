//! What each command does: the same operations as behind REST.

use std::{collections::BTreeMap, time::Duration};

use madang_proto::{
    Event,
    command::Command,
    event::{Pong, ServerFrame},
    reads::MarkRead,
};
use madang_realtime::{Connection, Topic};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::codec;
use crate::{
    app::{Actor, App},
    channels,
    error::{Error, Result},
    messages, presence,
    ratelimit::Limit,
    reactions, reads,
};

/// How long a message may take to be stored; clients send it once more when they hear nothing for 20 seconds.
const SENT_WITHIN: Duration = Duration::from_secs(15);

fn payload(value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(Error::internal)
}

/// Does what a command asks; gives the payload of its `ACK`.
pub async fn command(app: &App, actor: Actor, connection: &Connection, command: Command) -> Result<Value> {
    match &command {
        Command::Ping(_) => {}
        // Messages have a limit of their own.
        Command::Message(_) => present(app, actor),
        Command::Hello(_)
        | Command::JoinChannel(_)
        | Command::LeaveChannel(_)
        | Command::Typing(_)
        | Command::ReadReceipt(_)
        | Command::Reaction(_) => {
            app.limits.check(Limit::ChangeByUser, actor.user)?;
            present(app, actor);
        }
        // Clients send it by themselves: it says nothing about the person.
        Command::Watch(_) => app.limits.check(Limit::ChangeByUser, actor.user)?,
    }
    match command {
        Command::Hello(_) => Err(Error::Conflict("HELLO was said already".to_owned())),
        Command::JoinChannel(at) => {
            let topic = Topic::Channel(at.channel_id);
            connection.subscribe(&[topic]);
            app.bus.listening(&[topic]).await;
            // Asked after subscribing: whoever is put out in between is heard of or refused here.
            match channels::join(app, actor, at.channel_id).await {
                Ok(channel) => {
                    connection.read(&[(channel.id, channel.version)]);
                    payload(channel)
                }
                Err(error) => {
                    connection.unsubscribe(topic);
                    Err(error)
                }
            }
        }
        Command::LeaveChannel(at) => {
            connection.unsubscribe(Topic::Channel(at.channel_id));
            Ok(json!({}))
        }
        Command::Message(new) => {
            let late = |_| Error::Unavailable("a message took too long to be stored".to_owned());
            let sent = timeout(SENT_WITHIN, messages::send(app, actor, new)).await.map_err(late)?;
            payload(sent?.0)
        }
        Command::Typing(t) => {
            presence::typing(app, actor, t.channel_id, t.typing).await?;
            Ok(json!({}))
        }
        Command::ReadReceipt(mark) => {
            let asked = MarkRead { message_id: mark.message_id, read_version: mark.read_version };
            payload(reads::mark(app, actor, mark.channel_id, asked).await?)
        }
        Command::Reaction(set) => {
            payload(reactions::set(app, actor, set.message_id, &set.emoji, set.add).await?)
        }
        Command::Watch(new) => {
            presence::watch(app, actor, connection, &new)?;
            Ok(json!({}))
        }
        Command::Ping(_) => {
            // What was announced before is heard before.
            connection.settled().await;
            let versions: BTreeMap<_, _> = connection.versions().into_iter().collect();
            let pong = ServerFrame::from(Event::Pong(Pong { versions }));
            connection.outbox().push_reply(codec::frame(&pong, connection.info().codec));
            Ok(json!({}))
        }
    }
}

fn present(app: &App, actor: Actor) {
    if app.presence.active(actor.user, app.now().millis()) {
        app.cluster.active(actor.user);
    }
}
