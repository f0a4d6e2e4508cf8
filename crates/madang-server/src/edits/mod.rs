//! Edit history: what messages said before. Who sees it, each workspace decides.

pub mod http;

use madang_proto::{
    MessageId,
    edits::{Edit, EditsQuery},
    page::Page,
    permissions::{self, ChannelPermission, WorkspacePermission},
};
use madang_store::edits as store;

use crate::{
    access,
    app::{Actor, App},
    error::{Error, Result},
    http::{page_limit, page_of},
};

/// What a message said before, oldest first.
pub async fn index(app: &App, actor: Actor, id: MessageId, query: EditsQuery) -> Result<Page<Edit>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    let (message, at) = access::message(&mut tx, actor, id, ChannelPermission::View).await?;
    let of = at.channel().workspace_id;
    let place = access::workspace(&mut tx, actor, of, WorkspacePermission::View).await?;
    let author = message.author.id == actor.user;
    if !permissions::may_see_edits(place.workspace().edit_history, place.role(), author) {
        return Err(Error::Forbidden("the workspace does not show what messages said before"));
    }
    Ok(page_of(store::of_message(&mut tx, id, query.after.unwrap_or(0), limit + 1).await?, limit))
}
