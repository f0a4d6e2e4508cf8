//! Drafts: what someone began to write, one a channel, on all their devices. Only those hear of it. The one written
//! last stays; sending does not touch it, because only the client knows whether it was what was sent.

pub mod http;

use madang_proto::{
    ChannelId, Event,
    drafts::{Draft, DraftChange, DraftQuery},
    input, limits,
    page::Page,
    permissions::ChannelPermission,
};
use madang_realtime::Topic;
use madang_store::drafts as store;

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Field, Result},
    http::{page_limit, page_of},
};

/// Writes the actor's draft in a channel where they may write.
pub async fn update(app: &App, actor: Actor, id: ChannelId, content: &str) -> Result<Draft> {
    let content = input::content(content).field("content")?;
    let mut change = app.change().await?;
    access::channel(change.tx(), actor, id, ChannelPermission::Take).await?;
    let draft = Draft { channel_id: id, content, updated_at: app.now() };
    store::put(change.tx(), actor.user, &draft, app.id()).await?;
    if store::count(change.tx(), actor.user).await? > limits::DRAFTS_PER_USER {
        return Err(Error::Conflict(format!("at most {} drafts", limits::DRAFTS_PER_USER)));
    }
    tell(change, actor, id, Some(draft.clone())).await?;
    Ok(draft)
}

/// Forgets a draft. It is the actor's own, so they need not see the channel.
pub async fn destroy(app: &App, actor: Actor, id: ChannelId) -> Result<()> {
    let mut change = app.change().await?;
    match store::remove(change.tx(), actor.user, id).await? {
        true => tell(change, actor, id, None).await,
        false => Ok(()),
    }
}

async fn tell(mut change: Change, actor: Actor, channel_id: ChannelId, draft: Option<Draft>) -> Result<()> {
    change.emit(Topic::User(actor.user), Event::Draft(DraftChange { channel_id, draft }));
    change.commit().await
}

/// The actor's draft in a channel, which they need not see any more.
pub async fn show(app: &App, actor: Actor, id: ChannelId) -> Result<Draft> {
    store::find(&mut app.db.read().await?, actor.user, id).await?.ok_or(Error::NotFound("draft"))
}

/// The actor's drafts, the newest first.
pub async fn index(app: &App, actor: Actor, query: DraftQuery) -> Result<Page<Draft>> {
    let limit = page_limit(query.limit)?;
    let before = query.before.unwrap_or(i64::MAX);
    let drafts = store::of_user(&mut app.db.read().await?, actor.user, before, limit + 1).await?;
    Ok(page_of(drafts, limit))
}
