//! The names of Redis channels, and which server carries them.
//!
//! One server: `{prefix}:t:{topic}` for the events of a topic, and `{prefix}:all` for what is for all nodes. In a
//! Cluster a hash tag is in between, `{prefix}:{{bucket}}:…`: a topic falls into one of [`BUCKETS`], and what is for
//! all nodes goes to a bucket of each server, while every node hears that of each bucket.

use super::place::Layout;
use crate::Topic;

/// How many parts of a Cluster topics are spread over.
pub(super) const BUCKETS: usize = 64;

pub(super) struct Channels {
    prefix: String,
    buckets: Option<Vec<usize>>,
    links: usize,
}

impl Channels {
    pub(super) fn new(prefix: &str, layout: &Layout) -> Self {
        let (buckets, links) = (layout.buckets.clone(), layout.servers.len());
        Self { prefix: prefix.to_owned(), buckets, links }
    }

    /// Whether they are sharded ones, which only a Cluster has.
    pub(super) const fn sharded(&self) -> bool {
        self.buckets.is_some()
    }

    /// The channel of a topic, and its link.
    pub(super) fn of(&self, topic: Topic) -> (usize, String) {
        let (kind, id) = match topic {
            Topic::Channel(id) => ('c', id.get()),
            Topic::Workspace(id) => ('w', id.get()),
            Topic::Lobby(id) => ('l', id.get()),
            Topic::User(id) => ('u', id.get()),
            Topic::Presence(id) => ('p', id.get()),
        };
        let prefix = &self.prefix;
        let Some(buckets) = &self.buckets else { return (0, format!("{prefix}:t:{kind}{id}")) };
        // The high bits of an id are its time, the low ones often zero: multiplying spreads them.
        let hash = id.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
        let bucket = usize::try_from(hash).unwrap_or_default() % BUCKETS;
        let link = buckets.get(bucket).copied().unwrap_or_default();
        (link, format!("{prefix}:{{{bucket}}}:t:{kind}{id}"))
    }

    /// Where to publish what is for all nodes: one channel of each link.
    pub(super) fn all(&self) -> Vec<(usize, String)> {
        let every = self.every_all();
        let first = |link| every.iter().find(|(of, _)| *of == link).cloned();
        (0..self.links).filter_map(first).collect()
    }

    /// Where to hear what is for all nodes.
    pub(super) fn every_all(&self) -> Vec<(usize, String)> {
        let prefix = &self.prefix;
        let Some(buckets) = &self.buckets else { return vec![(0, format!("{prefix}:all"))] };
        let name = |(bucket, link): (usize, &usize)| (*link, format!("{prefix}:{{{bucket}}}:all"));
        buckets.iter().enumerate().map(name).collect()
    }
}
