//! Presence and typing: told to those who are there, never stored.

mod board;
mod conflate;
pub mod http;

use std::time::Duration;

use madang_proto::{
    ChannelId, Event, UserId, WorkspaceId,
    command::Watch,
    event::ServerFrame,
    input, limits,
    permissions::ChannelPermission,
    presence::{ChosenStatus, Presence, Typing, UpdateStatus},
};
use madang_realtime::{Audience, BoxError, Class, Connection, Topic};

pub use board::{Board, Limit};
use board::{News, Told};
pub use conflate::Conflation;

use crate::{
    access,
    app::{Actor, App},
    change::{envelope, envelope_for},
    error::{Error, Field, Result},
    gateway::codec,
};

/// How often what changed is told.
const TICK: Duration = Duration::from_millis(250);
/// Ticks of about a second.
const SECOND: u64 = 4;

/// Tells what changed, until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.shutdown.wait() => break,
        }
        app.faults.point("presence");
        let news = app.presence.tick(app.now().millis(), tick % SECOND == 0);
        tell(&app, news).await;
        tell_conflated(&app).await;
    }
    Ok(())
}

async fn tell(app: &App, News { turned, counts, people }: News) {
    let classes = [(Class::Durable, turned), (Class::Ephemeral, counts)];
    for (class, online) in
        classes.into_iter().flat_map(|(class, all)| all.into_iter().map(move |o| (class, o)))
    {
        let item = envelope(Topic::Workspace(online.workspace_id), class, Event::Online(online));
        app.bus.publish(item.into()).await;
    }
    for told in people {
        tell_of(app, told).await;
    }
}

async fn tell_conflated(app: &App) {
    let (typing, marks) = app.conflation.sweep(app.now().millis());
    for typing in typing {
        tell_typing(app, typing).await;
    }
    for mark in marks {
        // The person's own connections have heard it.
        let others = Audience { except: vec![Topic::User(mark.user_id)], ..Audience::default() };
        let (topic, event) = (Topic::Channel(mark.channel_id), Event::ReadReceipt(mark));
        app.bus.publish(envelope_for(topic, others, Class::Ephemeral, event).into()).await;
    }
}

async fn tell_typing(app: &App, typing: Typing) {
    let topic = Topic::Channel(typing.channel_id);
    app.bus.publish(envelope(topic, Class::Ephemeral, Event::Typing(typing)).into()).await;
}

fn topics(workspaces: &[WorkspaceId]) -> Vec<Topic> {
    workspaces.iter().copied().map(Topic::Workspace).collect()
}

/// Tells how someone is: everyone in workspaces where people are named, in the others themself and those
/// who watch; each of them once.
async fn tell_of(app: &App, Told { presence, named, counted, known }: Told) {
    let id = presence.user_id;
    let say = |topic, among: &[WorkspaceId], except: &[Topic]| {
        let audience = Audience { among: topics(among), except: except.to_vec() };
        app.bus.publish(
            envelope_for(topic, audience, Class::Ephemeral, Event::Presence(presence.clone())).into(),
        )
    };
    let mut except = topics(&known);
    for workspace in named {
        let topic = Topic::Workspace(workspace);
        say(topic, &[], &except).await;
        except.push(topic);
    }
    if !counted.is_empty() {
        for topic in [Topic::User(id), Topic::Presence(id)] {
            say(topic, &counted, &except).await;
            except.push(topic);
        }
    }
}

/// Watches these people from now on, in the place of those before, and tells how they are.
pub fn watch(app: &App, actor: Actor, connection: &Connection, new: &Watch) -> Result<()> {
    if new.user_ids.len() > limits::WATCH_PEOPLE {
        return Err(Error::field("user_ids", format!("at most {}", limits::WATCH_PEOPLE)));
    }
    if !connection.info().follows {
        return Err(Error::Conflict("WATCH needs a connection with subscribe: joined".to_owned()));
    }
    connection.watch(&new.user_ids);
    let mut workspaces = app.presence.homes(actor.user);
    workspaces.retain(|workspace| connection.hears(Topic::Workspace(*workspace)));
    app.presence.picture(actor.user, &workspaces, &new.user_ids, |watched| {
        let frame = ServerFrame::from(Event::Watched(watched));
        connection.outbox().push_reply(codec::frame(&frame, connection.info().codec));
    });
    Ok(())
}

/// How a user is, for those who share a workspace with them.
pub async fn show(app: &App, actor: Actor, id: UserId) -> Result<Presence> {
    let user = crate::accounts::user(app, actor, id).await?;
    Ok(app.presence.get(user.summary.id))
}

/// Says how one is.
pub async fn update(app: &App, actor: Actor, id: UserId, new: &UpdateStatus) -> Result<Presence> {
    let custom = new.custom_status.as_deref().map(input::custom_status).transpose().field("custom_status")?;
    crate::accounts::user(app, actor, id).await?;
    if id != actor.user {
        return Err(Error::Forbidden("only your own status can be changed"));
    }
    let custom = custom.filter(|text| !text.is_empty());
    app.presence.choose(id, new.status == ChosenStatus::Away, custom, app.now().millis());
    Ok(app.presence.get(id))
}

/// Says that one is typing, or no more.
pub async fn typing(app: &App, actor: Actor, channel_id: ChannelId, typing: bool) -> Result<()> {
    let (at, _) = access::channel_now(app, actor, channel_id, ChannelPermission::Take).await?;
    let said = Typing { channel_id, user_id: actor.user, typing };
    if !app.conflation.typing(&said, app.now().millis()) {
        return Ok(());
    }
    if typing && at.channel().member_count > limits::READ_RECEIPT_MEMBERS {
        app.conflation.hush(channel_id, actor.user);
        return Ok(());
    }
    tell_typing(app, said).await;
    Ok(())
}
