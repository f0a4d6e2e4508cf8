//! Presence, status and typing: told to those who are there. What someone says of themself is stored; the rest is not.

mod board;
mod conflate;
pub mod http;

use std::time::Duration;

use madang_proto::{
    ChannelId, Event, Timestamp, UserId, WorkspaceId,
    command::Watch,
    event::ServerFrame,
    input, limits,
    permissions::{ChannelPermission, Role},
    presence::{ChosenStatus, Presence, Status, Typing, UserStatus},
};
use madang_realtime::{Audience, BoxError, Class, Connection, Topic};
use madang_store::{accounts, profiles as store};

pub use board::{Board, Limit};
use board::{News, Told};
pub use conflate::Conflation;

use crate::{
    access,
    app::{Actor, App},
    change::{envelope, envelope_for},
    cluster::Notice,
    error::{Error, Field, Result},
    gateway::codec,
    memory::{Person, Silent},
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

/// To those who are connected here: every node knows who is there, and tells its own.
async fn tell(app: &App, News { turned, counts, people }: News) {
    let classes = [(Class::Durable, turned), (Class::Ephemeral, counts)];
    for (class, online) in
        classes.into_iter().flat_map(|(class, all)| all.into_iter().map(move |o| (class, o)))
    {
        let item = envelope(Topic::Workspace(online.workspace_id), class, Event::Online(online));
        app.hub.publish(item.into()).await;
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
        app.hub.publish(
            envelope_for(topic, audience, Class::Ephemeral, Event::Presence(presence.clone())).into(),
        )
    };
    let mut except = topics(&known);
    for workspace in named {
        let topic = Topic::Workspace(workspace);
        say(topic, &[], &except).await;
        except.push(topic);
    }
    // A visitor hears of no workspace who is there; of themself they do.
    let visits = |person: &Person| person.workspaces.iter().any(|w| w.role == Some(Role::Visitor));
    if app.memory.known_person(id).is_some_and(|person| visits(&person)) {
        let topic = Topic::User(id);
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

/// How a user is, for those who see them: of who is not there, what they said of it.
pub async fn show(app: &App, actor: Actor, id: UserId) -> Result<Presence> {
    access::user(&mut app.db.read().await?, actor, id).await?;
    seen(app, id).await
}

async fn seen(app: &App, id: UserId) -> Result<Presence> {
    let there = app.presence.get(id);
    if there.status != Status::Offline {
        return Ok(there);
    }
    Ok(Presence::of(id, Status::Offline, Some(&said(app, id).await?)))
}

/// What a user says of themself at this moment, also while they are not there.
pub async fn said(app: &App, id: UserId) -> Result<UserStatus> {
    let status = match app.memory.known_person(id) {
        Some(person) => person.status.clone(),
        None => {
            let found = accounts::with_status(&mut app.db.read().await?, id).await?;
            found.map(|(_, status)| status).unwrap_or_default()
        }
    };
    Ok(status.at(app.now()).unwrap_or_default())
}

/// Says how one is.
pub async fn update(app: &App, actor: Actor, id: UserId, new: UserStatus) -> Result<Presence> {
    let status = checked(new, app.now())?;
    let mut change = app.change().await?;
    access::oneself(change.tx(), actor, id).await?;
    store::put_status(change.tx(), id, &status).await?;
    change.touch([Silent::Person(id)]);
    change.share(Notice::Said(id, status.clone()));
    let chosen = status.clone();
    change.after(move |app| app.presence.choose(id, chosen, app.now().millis()));
    change.commit().await?;
    keep_up(app, id, status).await;
    seen(app, id).await
}

fn checked(new: UserStatus, now: Timestamp) -> Result<UserStatus> {
    let UserStatus { status, dnd_until, custom_status, emoji, expires_at } = new;
    let custom_status =
        custom_status.as_deref().map(input::custom_status).transpose().field("custom_status")?;
    let custom_status = custom_status.filter(|text| !text.is_empty());
    let emoji = emoji.as_deref().map(input::emoji).transpose().field("emoji")?;
    let dnd_until = dnd_until.map(|end| input::ahead(end, now)).transpose().field("dnd_until")?;
    let expires_at = expires_at.map(|end| input::ahead(end, now)).transpose().field("expires_at")?;
    if dnd_until.is_some() && status != ChosenStatus::Dnd {
        return Err(Error::field("dnd_until", "only with the status dnd"));
    }
    if expires_at.is_some() && custom_status.is_none() && emoji.is_none() {
        return Err(Error::field("expires_at", "only with a custom_status or an emoji"));
    }
    Ok(UserStatus { status, dnd_until, custom_status, emoji, expires_at })
}

/// Sees to it that the board has what is stored of a user, when it was given `known`: another may have been stored
/// before that and been given to it first, or when it did not know of the user yet.
pub async fn keep_up(app: &App, id: UserId, mut known: UserStatus) {
    loop {
        let status = match app.memory.known_person(id) {
            Some(person) => person.status.clone(),
            None => match app.memory.person(&app.db, id, app.now()).await {
                Ok(Some(standing)) => standing.person.status.clone(),
                // Whoever comes next finds it.
                Ok(None) | Err(_) => return,
            },
        };
        if status == known {
            return;
        }
        app.presence.choose(id, status.clone(), app.now().millis());
        known = status;
    }
}

/// Forgets texts whose time is over.
pub async fn sweep(app: &App) -> Result<()> {
    let mut change = app.change().await?;
    store::sweep(change.tx(), app.now()).await?;
    change.commit().await
}

/// Says that one is typing, or no more.
pub async fn typing(app: &App, actor: Actor, channel_id: ChannelId, typing: bool) -> Result<()> {
    let (at, _) = access::channel_now(app, actor, channel_id, ChannelPermission::Write).await?;
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
