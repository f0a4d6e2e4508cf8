//! What has to be right in the end. Each fault names the message, the channel and the client.

use std::collections::{BTreeMap, BTreeSet};

use madang_client::proto::{ChannelId, channels::Channel, messages::Message};

use crate::crowd::{Crowd, Heads, Person, at_once};

/// What was acknowledged, by channel and text.
pub type Acknowledged = BTreeMap<(ChannelId, String), Message>;

/// Everything that is wrong.
pub async fn faults(crowd: &Crowd, heads: &Heads, acknowledged: &Acknowledged) -> Vec<String> {
    let mut all = Vec::new();
    let mut stored = BTreeMap::new();
    for before in &crowd.channels {
        let messages = crowd.stored(before.id).await.unwrap();
        all.extend(in_database(before, &heads[&before.id], &messages, acknowledged));
        stored.insert(before.id, messages);
    }
    let stored = std::sync::Arc::new(stored);
    let looks = crowd.people.iter().cloned().map(|person| {
        let stored = std::sync::Arc::clone(&stored);
        async move { in_view(&person, &stored).await }
    });
    all.extend(at_once(looks).await.into_iter().flatten());
    all
}

/// Each acknowledged message is stored once, as it was acknowledged; places and versions have no holes.
fn in_database(
    before: &Channel,
    now: &Channel,
    stored: &[Message],
    acknowledged: &Acknowledged,
) -> Vec<String> {
    let (id, mut all) = (before.id, Vec::new());
    let mut texts = BTreeSet::new();
    for message in stored {
        let text = &message.content;
        if !texts.insert(text) {
            all.push(format!("channel {id}: {text} is stored twice"));
        }
        match acknowledged.get(&(id, text.clone())) {
            None => all.push(format!("channel {id}: {text} is stored, and nobody was told so")),
            Some(told) if told == message => {}
            Some(told) => all.push(format!("channel {id}: {text} is {message:?}, but was told as {told:?}")),
        }
    }
    for ((_, text), _) in acknowledged.range((id, String::new())..).take_while(|((of, _), _)| *of == id) {
        if !texts.contains(text) {
            all.push(format!("channel {id}: {text} was acknowledged and is not stored"));
        }
    }
    let places: Vec<i64> = stored.iter().map(|message| message.seq).collect();
    if !places.iter().copied().eq(before.last_seq + 1..=now.last_seq) {
        all.push(format!("channel {id}: seq goes to {}, and there are {places:?}", now.last_seq));
    }
    let mut versions: Vec<i64> = stored.iter().map(|message| message.version).collect();
    versions.sort_unstable();
    if !versions.iter().copied().eq(before.version + 1..=now.version) {
        all.push(format!(
            "channel {id}: version goes from {} to {}, and there are {versions:?}",
            before.version, now.version
        ));
    }
    all
}

/// What someone knows is what they would fetch anew, and all that is stored.
async fn in_view(person: &Person, stored: &BTreeMap<ChannelId, Vec<Message>>) -> Vec<String> {
    let (who, mut all) = (person.number, Vec::new());
    for id in &person.channels {
        let (view, stored) = (person.view(*id), &stored[id]);
        if !stored.ends_with(&view) {
            let wrong = view.iter().find(|message| !stored.contains(message));
            all.push(format!("client {who}, channel {id}: shows what is not stored so: {wrong:?}"));
        }
        if let Err(error) = person.client.load_all_messages(*id).await {
            all.push(format!("client {who}, channel {id}: cannot load it: {error}"));
        }
        let view = person.view(*id);
        if view != *stored {
            let missing = stored.iter().find(|message| !view.contains(message));
            all.push(format!(
                "client {who}, channel {id}: has {} messages of {}; the first it lacks: {missing:?}",
                view.len(),
                stored.len()
            ));
        }
    }
    match person.afresh().await {
        Err(error) => all.push(format!("client {who}: cannot begin anew: {error}")),
        Ok(fresh) => {
            let known = person.client.state().comparable();
            let there = fresh.comparable().like(&known);
            if known != there {
                let differs = first_difference(&format!("{known:#?}"), &format!("{there:#?}"));
                all.push(format!("client {who} is stale: {differs}"));
            }
        }
    }
    all
}

/// The first line that differs, and those before it that say where it is.
fn first_difference(known: &str, there: &str) -> String {
    let mut same = Vec::new();
    for (k, t) in known.lines().zip(there.lines()) {
        if k != t {
            let before: Vec<&str> = same.iter().rev().take(6).rev().copied().collect();
            return format!("after {:?} it knows {:?}, there is {:?}", before, k.trim(), t.trim());
        }
        same.push(k.trim());
    }
    format!("{} lines are known, there are {}", known.lines().count(), there.lines().count())
}
