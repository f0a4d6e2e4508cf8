//! Whom one watches: where people are only counted, the server tells of those whom a client names.

use std::collections::BTreeSet;

use madang_client::{
    proto::{UserId, limits},
    state::ChannelState,
};

use crate::model::{Chat, Cmd};

/// How many messages back their authors are in view, more or less.
const MESSAGES: usize = 200;

/// Who is in view of the channel that is shown: those who wrote last, then other members.
fn in_view(channel: &ChannelState) -> BTreeSet<UserId> {
    let authors = channel.messages().rev().take(MESSAGES).map(|message| message.author.id);
    let members = channel.members().into_iter().flat_map(|members| members.keys().copied());
    let mut seen = BTreeSet::new();
    for id in authors.chain(members) {
        if seen.len() == limits::WATCH_PEOPLE {
            break;
        }
        seen.insert(id);
    }
    seen
}

/// Watches those in view, where they are not told of by themselves.
pub fn follow(chat: &mut Chat) -> Option<Cmd> {
    let counted = |channel: &&ChannelState| chat.state.online(channel.facts().workspace_id).is_some();
    let wanted = chat.channel().filter(counted).map(in_view).unwrap_or_default();
    if wanted == chat.watched {
        return None;
    }
    chat.watched.clone_from(&wanted);
    Some(Cmd::Watch(wanted))
}
