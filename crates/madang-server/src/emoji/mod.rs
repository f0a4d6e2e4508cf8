//! A workspace's own emoji: added from pictures, used by name, deleted by who added them or keeps order.
//!
//! Invariants:
//! - What is kept is made here from the picture that came, never its bytes as they came.
//! - What is deleted stays as text, `:name:`, where it was used.

pub mod http;

use bytes::Bytes;
use madang_proto::{
    Event, FileId, WorkspaceId,
    audit::AuditAction,
    emoji::{CustomEmoji, EmojiAction, EmojiChange, EmojiList},
    input, limits,
    permissions::{self, Verdict, WorkspacePermission},
};
use madang_store::{emoji as store, files as store_files};
use serde_json::json;

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::Change,
    error::{Error, Field, Result},
    files, workspaces,
};

/// The emoji of a workspace, by name.
pub async fn index(app: &App, actor: Actor, id: WorkspaceId) -> Result<EmojiList> {
    let mut tx = app.db.read().await?;
    access::workspace(&mut tx, actor, id, WorkspacePermission::View).await?;
    Ok(store::of_workspace(&mut tx, id).await?)
}

/// Adds an emoji that is made from a picture.
pub async fn create(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    name: &str,
    picture: Bytes,
) -> Result<CustomEmoji> {
    let name = input::emoji_name(name).field("name")?;
    // Nothing is worked on for those who may not.
    access::workspace(&mut app.db.read().await?, actor, id, WorkspacePermission::AddEmoji).await?;
    access::unmuted(app, actor, id).await?;
    let (upload, file) = files::keep_emoji(app, actor, &name, picture).await?;
    let mut change = app.change().await?;
    access::workspace(change.tx(), actor, id, WorkspacePermission::AddEmoji).await?;
    let version = store::next_version(change.tx(), id).await?;
    if store::by_name(change.tx(), id, &name).await?.is_some() {
        return Err(Error::Conflict(format!("there is a :{name}: already")));
    }
    let most = limits::EMOJI_PER_WORKSPACE;
    if usize::try_from(store::count(change.tx(), id).await?).is_ok_and(|count| count >= most) {
        return Err(Error::Conflict(format!("at most {most} emoji a workspace: delete some")));
    }
    let kept = store_files::usage_of_workspace(change.tx(), id).await?;
    if kept.saturating_add(file.size) > app.config.quotas().1 {
        return Err(Error::StorageFull("the workspace has no room for more files"));
    }
    if !store::insert(change.tx(), id, &file).await? {
        return Err(Error::NotFound("upload"));
    }
    let emoji = store::by_name(change.tx(), id, &name).await?.ok_or(Error::NotFound("emoji"))?;
    announce(&mut change, EmojiAction::Created, id, emoji.clone(), version);
    change.commit().await?;
    upload.done();
    Ok(emoji)
}

/// Deletes an emoji.
pub async fn destroy(app: &App, actor: Actor, id: WorkspaceId, name: &str) -> Result<()> {
    // What is no name is the name of nothing.
    let name = input::emoji_name(name).map_err(|_| Error::NotFound("emoji"))?;
    let mut change = app.change().await?;
    let at = access::workspace(change.tx(), actor, id, WorkspacePermission::View).await?;
    let version = store::next_version(change.tx(), id).await?;
    let emoji = store::by_name(change.tx(), id, &name).await?.ok_or(Error::NotFound("emoji"))?;
    if emoji.created_by != actor.user {
        let moderates = permissions::in_workspace(Some(at.role()), WorkspacePermission::Moderate);
        if moderates != Verdict::Allowed {
            return Err(Error::Forbidden("only moderators can delete emoji that others added"));
        }
        let act = Act::new(AuditAction::EmojiDeleted).on(emoji.created_by);
        let act = act.changed(Some(json!({"name": emoji.name})), None);
        audit::note(app, &mut change, actor, id, act).await?;
    }
    store::remove(change.tx(), emoji.id).await?;
    announce(&mut change, EmojiAction::Deleted, id, emoji, version);
    change.after(|app| app.storage.removed.notify_one());
    change.commit().await
}

fn announce(
    change: &mut Change,
    action: EmojiAction,
    workspace_id: WorkspaceId,
    emoji: CustomEmoji,
    version: i64,
) {
    let told = EmojiChange { action, workspace_id, emoji, version };
    change.emit_to_all(&workspaces::everyone(workspace_id), &Event::Emoji(told));
}

/// What is known of an emoji's picture, if the actor may see it.
pub async fn show(app: &App, actor: Actor, id: FileId) -> Result<store::Picture> {
    access::emoji(app, actor, id).await
}

/// Refuses a new reaction with an emoji that the workspace does not have. What is there can be taken away.
pub async fn reaction(change: &mut Change, id: WorkspaceId, reaction: &str, add: bool) -> Result<()> {
    if let (true, Some(name)) = (add, input::custom_emoji(reaction))
        && store::by_name(change.tx(), id, name).await?.is_none()
    {
        return Err(Error::field("emoji", "no emoji of this name in the workspace"));
    }
    Ok(())
}
