//! Search in messages: only what the actor may see, the newest first.

pub mod http;
mod indexing;
mod query;

use std::ops::Range;

use madang_proto::{
    ChannelId, UserId, input,
    messages::Message,
    page::Page,
    permissions::ChannelPermission,
    search::{Highlight, Moment, SearchQuery, SearchResult},
};
use madang_store::{
    Tx, accounts,
    search::{self as store, Fact, Search, Terms},
};

pub use self::indexing::{Indexing, run};
use self::query::{Query, Where, Who, has};
use crate::{
    access,
    app::{Actor, App},
    error::{Error, Field, Result},
    http::page_limit,
    ratelimit::Limit,
};

/// What was found, a page of it.
pub async fn index(app: &App, actor: Actor, asked: &SearchQuery) -> Result<Page<SearchResult>> {
    let limit = page_limit(asked.limit)?;
    let query = Query::read(asked.q.as_deref().unwrap_or_default()).field("q")?;
    let mut terms = Terms::default();
    let facts = asked.has.as_deref().map(has).transpose().field("has")?;
    facts.into_iter().chain(query.facts).for_each(|fact| terms.fact(fact));
    for (text, phrase) in &query.texts {
        terms.text(text, *phrase);
    }
    app.limits.check(Limit::SearchByUser, actor.user)?;
    let mut tx = app.db.read().await?;
    let channels = channels(&mut tx, actor, asked, &query.within).await?;
    let Some(authors) = authors(&mut tx, actor, asked.author_id, &query.from).await? else {
        return Ok(nothing());
    };
    authors.into_iter().for_each(|author| terms.fact(Fact::Author(author)));
    if terms.is_empty() && asked.channel_id.is_none() && query.within.is_empty() {
        return Err(Error::field("q", "say what to look for: words, from:, in:, has: or is:"));
    }
    let between = between(asked, &query.before, &query.after);
    if channels.is_empty() || between.0 >= between.1 {
        return Ok(nothing());
    }
    let search = Search { terms: &terms, user: actor.user, channels: &channels, between, limit };
    let found = store::find(&mut tx, &search).await?;
    let items = found.messages.into_iter().map(result).collect();
    Ok(Page { items, next_cursor: found.more_before.map(|id| id.to_string()), prev_cursor: None })
}

const fn nothing() -> Page<SearchResult> {
    Page { items: Vec::new(), next_cursor: None, prev_cursor: None }
}

fn result((message, places): (Message, Vec<Range<usize>>)) -> SearchResult {
    let highlights =
        places.into_iter().map(|place| Highlight { start: place.start, end: place.end }).collect();
    SearchResult { message, highlights }
}

/// The channels that are searched, all of which the actor sees.
async fn channels(
    tx: &mut Tx,
    actor: Actor,
    asked: &SearchQuery,
    within: &[Where],
) -> Result<Vec<ChannelId>> {
    let mut channels = match (asked.channel_id, asked.workspace_id) {
        (Some(id), _) => vec![access::channel(tx, actor, id, ChannelPermission::View).await?],
        (None, workspace) => access::visible_channels(tx, actor, workspace).await?,
    };
    if let Some(workspace) = asked.workspace_id {
        channels.retain(|at| at.channel().workspace_id == workspace);
    }
    if !within.is_empty() {
        channels.retain(|at| {
            within.iter().any(|place| match place {
                Where::Id(id) => at.channel().id == *id,
                Where::Name(name) => input::name_key(&at.channel().name) == input::name_key(name),
            })
        });
    }
    Ok(channels.iter().map(|at| at.channel().id).collect())
}

/// Those of whom a message must be; `None` where there is nobody of a name, and so no message. Whether there
/// is someone whom the actor cannot see makes no difference: what they wrote where the actor cannot read is not
/// found either way.
async fn authors(tx: &mut Tx, actor: Actor, id: Option<UserId>, from: &[Who]) -> Result<Option<Vec<UserId>>> {
    let mut authors: Vec<UserId> = id.into_iter().collect();
    for who in from {
        authors.push(match who {
            Who::Me => actor.user,
            Who::Id(id) => *id,
            Who::Name(name) => match accounts::by_username_key(tx, &input::name_key(name)).await? {
                Some(user) => user.summary.id,
                None => return Ok(None),
            },
        });
    }
    Ok(Some(authors))
}

/// The ids between which a message's must be.
fn between(asked: &SearchQuery, before: &[Moment], after: &[Moment]) -> (i64, i64) {
    let before = before.iter().chain(&asked.before).map(|moment| moment.before());
    let after = after.iter().chain(&asked.after).map(|moment| moment.after());
    (after.max().unwrap_or(0), before.min().unwrap_or(i64::MAX))
}
