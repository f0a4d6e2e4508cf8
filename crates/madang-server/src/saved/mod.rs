//! Saved messages: what someone keeps for later. Only their own devices hear of it.

pub mod http;

use madang_proto::{
    Event, MessageId, limits,
    page::Page,
    permissions::ChannelPermission,
    saved::{Saved, SavedChange, SavedQuery},
};
use madang_realtime::Topic;
use madang_store::saved as store;

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Result},
    http::{page_limit, page_of},
};

/// Saves a message for the actor. One that is saved already stays where it is.
pub async fn create(app: &App, actor: Actor, id: MessageId) -> Result<()> {
    let mut change = app.change().await?;
    let (message, _) = access::message(change.tx(), actor, id, ChannelPermission::View).await?;
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    if !store::add(change.tx(), actor.user, id, app.id(), app.now()).await? {
        return Ok(());
    }
    if store::count(change.tx(), actor.user).await? > limits::SAVED_PER_USER {
        return Err(Error::Conflict(format!("at most {} saved messages", limits::SAVED_PER_USER)));
    }
    tell(change, actor, id, true).await
}

/// Keeps a message no longer. That touches only what is the actor's own, so they need not see the message.
pub async fn destroy(app: &App, actor: Actor, id: MessageId) -> Result<()> {
    let mut change = app.change().await?;
    match store::remove(change.tx(), actor.user, id).await? {
        true => tell(change, actor, id, false).await,
        false => Ok(()),
    }
}

async fn tell(mut change: Change, actor: Actor, message_id: MessageId, saved: bool) -> Result<()> {
    change.emit(Topic::User(actor.user), Event::Saved(SavedChange { message_id, saved }));
    change.commit().await
}

/// What the actor saved and may still see, the newest first.
pub async fn index(app: &App, actor: Actor, query: SavedQuery) -> Result<Page<Saved>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    let before = query.before.unwrap_or(i64::MAX);
    Ok(page_of(store::of_user(&mut tx, actor.user, before, limit + 1).await?, limit))
}
