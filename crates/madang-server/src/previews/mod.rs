//! Previews: what the links of a message lead to, fetched by a job after the message is sent or edited.
//!
//! How: a message with links brings a job ([`job_of`]). The job fetches what is missing ([`fetch`], guarded by
//! [`guard`]), keeps pictures as files of the message, and changes the message if it still says the same.
//!
//! Invariants:
//! - Who reads a message asks nobody but this server.
//! - A message without links costs nothing; one with links waits for nothing.
//! - A job may be done twice: what is there is not fetched again, and whose author wants none gets none.

mod cache;
mod fetch;
mod guard;
pub mod http;
mod page;

use std::sync::Arc;

use futures_util::future::join_all;
use madang_proto::{
    Event, FileId, MessageId,
    messages::Message,
    permissions::ChannelPermission,
    previews::{Preview, PreviewImage, links},
};
use madang_realtime::Topic;
use madang_store::{
    channels as store_channels, files as store_files, jobs::NewJob, messages as store_messages,
    previews as store, reactions,
};

use self::fetch::Found;
pub use self::fetch::Previews;
use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Result},
    files::{self, Kept},
    jobs::Job,
    messages,
};

/// The job that a new message of this content brings with it.
pub fn job_of(app: &App, id: MessageId, content: &str) -> Result<Option<NewJob>> {
    if app.previews.is_none() || links(content).is_empty() {
        return Ok(None);
    }
    Job::Previews(id).row(app, app.now()).map(Some)
}

/// Fits the previews of a message to its new content, in a change: those of links that are gone go, and what is
/// missing is fetched later.
pub async fn edited(app: &App, change: &mut Change, message: &mut Message, content: &str) -> Result<()> {
    let links = links(content);
    let (kept, gone): (Vec<_>, Vec<_>) =
        std::mem::take(&mut message.previews).into_iter().partition(|preview| links.contains(&&*preview.url));
    message.previews = kept;
    if !gone.is_empty() {
        store_files::remove_some(change.tx(), message.id, &images(&gone)).await?;
        store::set(change.tx(), message).await?;
        change.after(|app| app.storage.removed.notify_one());
    }
    if app.previews.is_some() && links.len() > message.previews.len() {
        change.enqueue(&Job::Previews(message.id), app.now()).await?;
    }
    Ok(())
}

fn images(previews: &[Preview]) -> Vec<FileId> {
    previews.iter().filter_map(|preview| Some(preview.image.as_ref()?.id)).collect()
}

/// Takes the previews of one's own message away, for good.
pub async fn refuse(app: &App, actor: Actor, id: MessageId) -> Result<Message> {
    let mut change = app.change().await?;
    let (mut message, _) = access::message_to_change(change.tx(), actor, id, ChannelPermission::Take).await?;
    if message.author.id != actor.user {
        return Err(Error::Forbidden("only the author can take the previews of a message away"));
    }
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    let gone = std::mem::take(&mut message.previews);
    store::refuse(change.tx(), id).await?;
    if gone.is_empty() {
        reactions::tell_own(change.tx(), &mut message, actor.user).await?;
        change.commit().await?;
        return Ok(message);
    }
    store_files::remove_some(change.tx(), id, &images(&gone)).await?;
    change.after(|app| app.storage.removed.notify_one());
    messages::store_change(change, actor, message).await
}

/// Fetches what a message has no previews of yet.
pub async fn run(app: &App, id: MessageId) -> Result<()> {
    let Some(previews) = &app.previews else { return Ok(()) };
    let mut tx = app.db.read().await?;
    let Some(message) = store_messages::find(&mut tx, id).await? else { return Ok(()) };
    if message.deleted_at.is_some() || store::are_refused(&mut tx, id).await? {
        return Ok(());
    }
    drop(tx);
    let is_missing = |link: &&str| !message.previews.iter().any(|preview| preview.url == *link);
    let missing: Vec<&str> = links(&message.content).into_iter().filter(is_missing).collect();
    let _turn = previews.turn()?;
    let looks = missing.into_iter().map(async |link| {
        let found = previews.find(&app.images, link, app.now()).await?;
        Ok(found.map(|found| (link, found)))
    });
    let looked: Result<Vec<_>> = join_all(looks).await.into_iter().collect();
    let found: Vec<(&str, Arc<Found>)> = looked?.into_iter().flatten().collect();
    if found.is_empty() {
        return Ok(());
    }
    let mut new = Vec::with_capacity(found.len());
    for (link, found) in found {
        let kept = match &found.image {
            Some(picture) => {
                let bytes = picture.bytes.clone();
                files::keep(app, Actor::absent(message.author.id), picture.media_type, bytes).await?
            }
            None => None,
        };
        new.push((link, found, kept));
    }
    add(app, &message, new).await
}

/// Adds previews to a message if it still says what it said.
async fn add(app: &App, before: &Message, new: Vec<(&str, Arc<Found>, Option<Kept>)>) -> Result<()> {
    let mut change = app.change().await?;
    // Nobody else changes the channel until the end.
    let version = match store_channels::next_version(change.tx(), before.channel_id).await {
        Err(madang_store::Error::NotFound) => return Ok(()),
        version => version?,
    };
    let Some(mut message) = store_messages::find_to_change(change.tx(), before.id).await? else {
        return Ok(());
    };
    let is_changed = message.deleted_at.is_some()
        || message.content != before.content
        || message.previews != before.previews;
    if is_changed || store::are_refused(change.tx(), before.id).await? {
        return Ok(());
    }
    let mut pictures = Vec::new();
    for (link, found, kept) in new {
        let image = kept.as_ref().zip(found.image.as_ref()).map(|(kept, picture)| PreviewImage {
            id: kept.file.id,
            width: picture.width,
            height: picture.height,
        });
        message.previews.push(Preview {
            url: link.to_owned(),
            title: found.title.clone(),
            description: found.description.clone(),
            site_name: found.site_name.clone(),
            image,
        });
        pictures.extend(kept);
    }
    let order = links(&before.content);
    message.previews.sort_by_key(|preview| order.iter().position(|link| *link == preview.url));
    for kept in &pictures {
        if !store_files::complete(change.tx(), &kept.file).await? {
            return Err(Error::Unavailable("a picture was swept away meanwhile".to_owned()));
        }
    }
    let carried: Vec<_> = pictures.iter().map(|kept| kept.file.clone()).collect();
    if !carried.is_empty() {
        let (author, channel) = (message.author.id, message.channel_id);
        store_files::attach(change.tx(), message.id, channel, author, &carried).await?;
    }
    message.version = version;
    store::set(change.tx(), &message).await?;
    store_messages::update(change.tx(), &message).await?;
    change.emit(Topic::Channel(message.channel_id), Event::Message(message));
    change.commit().await?;
    pictures.into_iter().for_each(Kept::stays);
    Ok(())
}
