//! One batch in one transaction, in three steps: nonces, the channels' numbers, the messages with their
//! authors' read marks; and the jobs of those that have some. Each step is as many trips to the database for a full batch as for one message.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use madang_proto::{UserId, messages::Message};

use super::{NewMessage, Sent, postgres, sqlite};
use crate::{Db, Error, Result, Tx, db::execute, files, jobs, mentions, messages, packed};

/// What an author's client called a message.
pub(super) struct Nonce<'a> {
    pub author: i64,
    pub nonce: &'a str,
    pub message: i64,
}

/// Where the numbers of a channel stand.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub seq: i64,
    pub version: i64,
}

/// What a channel gains by a batch: so many messages, the newest at this time.
pub(super) struct Gain {
    pub channel: i64,
    pub messages: i64,
    pub at: i64,
}

/// Up to where a member has read.
pub(super) struct Mark {
    pub channel: i64,
    pub user: i64,
    pub seq: i64,
}

/// What becomes of a message of the batch.
#[derive(Clone, Copy)]
enum Fate {
    Stored(Numbers),
    /// Its nonce was used before.
    Known,
    /// Its channel is gone.
    Nowhere,
    /// One of its files is carried by another message, or gone.
    Bereft,
}

/// A message with its numbers.
pub(super) struct Numbered<'a> {
    pub new: &'a NewMessage,
    pub at: &'a Numbers,
}

/// Stores a batch and takes its messages; the answers stand in their order. All or nothing, but for
/// messages to channels that are gone, or with files that are.
pub(super) async fn store(db: &Db, news: &mut Vec<NewMessage>) -> Result<Vec<Result<Sent>>> {
    let mut tx = db.begin().await?;
    let fresh = remember_nonces(&mut tx, news).await?;
    let mut gains: BTreeMap<i64, Gain> = BTreeMap::new();
    let standing = give_files(&mut tx, news, fresh).await?;
    for (new, _) in news.iter().zip(&standing).filter(|(_, fate)| fate.is_none()) {
        let (channel, at) = (new.channel_id.get(), new.created_at.millis());
        let gain = gains.entry(channel).or_insert(Gain { channel, messages: 0, at });
        (gain.messages, gain.at) = (gain.messages + 1, gain.at.max(at));
    }
    let mut numbers = advance_channels(&mut tx, gains.into_values().collect()).await?;
    let fates: Vec<Fate> = news
        .iter()
        .zip(standing)
        .map(|(new, known)| known.unwrap_or_else(|| fate(new, &mut numbers)))
        .collect();
    store_fates(&mut tx, news, &fates).await?;
    let stored = news.iter().zip(&fates).filter(|(_, fate)| matches!(fate, Fate::Stored(_)));
    jobs::insert(&mut tx, stored.flat_map(|(new, _)| &new.jobs)).await?;
    let firsts = first_messages(&mut tx, news, &fates).await?;
    tx.commit().await?;
    let firsts: HashMap<_, _> = firsts.iter().map(|m| ((m.author.id, m.nonce.as_deref()), m)).collect();
    Ok(news.drain(..).zip(fates).map(|(new, fate)| answer(new, fate, &firsts)).collect())
}

/// What messages have to do with threads, as it is stored.
pub(super) fn threads(messages: &[Numbered<'_>]) -> Result<Vec<Option<String>>> {
    messages.iter().map(|m| m.new.thread.as_ref().map(packed::text).transpose()).collect()
}

/// Whom messages mention, as it is stored.
pub(super) fn mentions(messages: &[Numbered<'_>]) -> Result<Vec<Option<String>>> {
    messages.iter().map(|m| mentions::packed(&m.new.mentions)).collect()
}

/// The files of messages, as they are stored.
pub(super) fn carried(messages: &[Numbered<'_>]) -> Result<Vec<Option<String>>> {
    messages.iter().map(|m| files::packed(&m.new.files)).collect()
}

/// Gives the fresh messages their files. Which fates are known then: of messages that were stored before, and
/// of those that did not get theirs.
async fn give_files(tx: &mut Tx, news: &[NewMessage], fresh: Vec<bool>) -> Result<Vec<Option<Fate>>> {
    let wanted = news.iter().zip(&fresh).filter(|(_, fresh)| **fresh).flat_map(|(new, _)| &new.files);
    let wanted: Vec<i64> = wanted.map(|file| file.id.get()).collect();
    if let (Tx::Postgres(c), false) = (&mut *tx, wanted.is_empty()) {
        postgres::lock_files(c, &wanted).await?;
    }
    let mut fates = Vec::with_capacity(news.len());
    for (new, fresh) in news.iter().zip(fresh) {
        fates.push(if !fresh {
            Some(Fate::Known)
        } else if new.files.is_empty()
            || files::attach(tx, new.id, new.channel_id, new.author.id, &new.files).await?
        {
            None
        } else {
            Some(Fate::Bereft)
        });
    }
    Ok(fates)
}

fn fate(new: &NewMessage, numbers: &mut HashMap<i64, Numbers>) -> Fate {
    let Some(at) = numbers.get_mut(&new.channel_id.get()) else { return Fate::Nowhere };
    at.seq += 1;
    at.version += 1;
    Fate::Stored(*at)
}

fn answer(new: NewMessage, fate: Fate, firsts: &HashMap<(UserId, Option<&str>), &Message>) -> Result<Sent> {
    match fate {
        Fate::Stored(Numbers { seq, version }) => {
            let message = Message {
                id: new.id,
                channel_id: new.channel_id,
                seq,
                version,
                author: Arc::clone(&new.author),
                user: new.author,
                content: new.content,
                nonce: new.nonce,
                edited_at: None,
                deleted_at: None,
                reactions: Vec::new(),
                mentions: new.mentions,
                pinned: false,
                files: new.files,
                previews: Vec::new(),
                thread: new.thread,
                created_at: new.created_at,
            };
            Ok(Sent { message, created: true })
        }
        Fate::Nowhere => Err(Error::NotFound),
        Fate::Bereft => Err(Error::FileTaken),
        Fate::Known => {
            let first = firsts.get(&(new.author.id, new.nonce.as_deref())).ok_or(Error::NotFound)?;
            Ok(Sent { message: Message::clone(first), created: false })
        }
    }
}

/// Which messages are new: without a nonce, or the first with theirs.
async fn remember_nonces(tx: &mut Tx, news: &[NewMessage]) -> Result<Vec<bool>> {
    let mut nonces: Vec<Nonce<'_>> = news
        .iter()
        .filter_map(|n| {
            let nonce = n.nonce.as_deref()?;
            Some(Nonce { author: n.author.id.get(), nonce, message: n.id.get() })
        })
        .collect();
    // In one order on every node, so that two batches never wait for each other; of equal nonces the
    // first in the batch is first here.
    nonces.sort_by_key(|n| (n.author, n.nonce));
    nonces.dedup_by_key(|n| (n.author, n.nonce));
    let remembered: HashSet<i64> = match tx {
        _ if nonces.is_empty() => HashSet::new(),
        Tx::Sqlite(c) => sqlite::remember(c, &nonces).await?.into_iter().collect(),
        Tx::Postgres(c) => postgres::remember(c, &nonces).await?.into_iter().collect(),
    };
    Ok(news.iter().map(|n| n.nonce.is_none() || remembered.contains(&n.id.get())).collect())
}

/// Moves the numbers of the channels on by their messages; gives where they stood, for those that are
/// there.
async fn advance_channels(tx: &mut Tx, gains: Vec<Gain>) -> Result<HashMap<i64, Numbers>> {
    match tx {
        _ if gains.is_empty() => Ok(HashMap::new()),
        Tx::Sqlite(c) => sqlite::advance(c, &gains).await,
        Tx::Postgres(c) => postgres::advance(c, &gains).await,
    }
}

async fn store_fates(tx: &mut Tx, news: &[NewMessage], fates: &[Fate]) -> Result<()> {
    let mut stored: Vec<Numbered<'_>> = Vec::with_capacity(fates.len());
    // Who writes has read up to there.
    let mut marks: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (new, fate) in news.iter().zip(fates) {
        match fate {
            Fate::Stored(at) => {
                marks.insert((new.channel_id.get(), new.author.id.get()), at.seq);
                stored.push(Numbered { new, at });
            }
            Fate::Nowhere => {
                forget_nonce(tx, new).await?;
                if !new.files.is_empty() {
                    files::release(tx, new.id).await?;
                }
            }
            Fate::Bereft => forget_nonce(tx, new).await?,
            Fate::Known => {}
        }
    }
    if stored.is_empty() {
        return Ok(());
    }
    let marks: Vec<Mark> =
        marks.into_iter().map(|((channel, user), seq)| Mark { channel, user, seq }).collect();
    match tx {
        Tx::Sqlite(c) => sqlite::store(c, &stored, &marks).await?,
        Tx::Postgres(c) => postgres::store(c, &stored, &marks).await?,
    }
    let mentioning = stored.iter().filter(|m| !m.new.mentions.is_empty());
    let told = |m: &Numbered<'_>| mentions::told(m.new.channel_id, m.at.seq, &m.new.mentions, &m.new.here);
    mentions::insert(tx, &mentioning.flat_map(told).collect::<Vec<_>>()).await
}

async fn forget_nonce(tx: &mut Tx, new: &NewMessage) -> Result<()> {
    if let Some(nonce) = &new.nonce {
        let author = new.author.id.get();
        execute!(tx, "DELETE FROM message_nonces WHERE author_id = $1 AND nonce = $2", author, nonce)?;
    }
    Ok(())
}

/// The first messages of the nonces that were used before.
async fn first_messages(tx: &mut Tx, news: &[NewMessage], fates: &[Fate]) -> Result<Vec<Message>> {
    let known = news.iter().zip(fates).filter(|(_, fate)| matches!(fate, Fate::Known));
    let nonces: Vec<(i64, &str)> =
        known.filter_map(|(n, _)| Some((n.author.id.get(), n.nonce.as_deref()?))).collect();
    if nonces.is_empty() { Ok(Vec::new()) } else { messages::of_nonces(tx, &nonces).await }
}
