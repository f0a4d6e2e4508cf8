//! What a bus between nodes needs of the layer above: payloads out of bytes, and to be told what came.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use super::Control;
use crate::{Audience, Class, Payload, Topic};

/// A node's number, as in the ids that it makes. Each node of a cluster has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event that another node published, before its payload is read.
#[derive(Debug)]
pub struct Arriving<'a> {
    /// What it is about.
    pub topic: Topic,
    /// Its place in the topic's history.
    pub version: Option<i64>,
    /// How much it matters.
    pub class: Class,
    /// Which of those who hear the topic it is for.
    pub audience: &'a Audience,
    /// What [`Payload::portable`] gave there.
    pub payload: Bytes,
}

/// The layer above, as the bus calls it: one call at a time, in the order in which another node published.
/// Nothing that follows is carried before a call returned, so it may not wait.
pub trait Remote: Send + Sync {
    /// Makes the payload of an event, which is given to the hub right after. Called once for each, also when
    /// nobody here hears the topic any more; what memory has to know first is done here. Nothing, when it
    /// cannot be read: it is counted as refused.
    fn event(&self, from: NodeId, event: Arriving<'_>) -> Option<Arc<dyn Payload>>;

    /// Another node changed who hears what; the hub does it right after.
    fn control(&self, from: NodeId, control: Control);

    /// What another node gave to [`Bus::notify`](super::Bus::notify).
    fn notice(&self, from: NodeId, notice: Bytes);

    /// These topics are heard no more, since nobody here does: what is remembered of them grows old.
    fn unheard(&self, topics: &[Topic]);

    /// The bus is down: nothing is heard, and what is remembered grows old.
    fn lost(&self);

    /// Something was missed: the bus is up, for the first time or again, and what was published before did not come;
    /// or another node lost some of what it published. Whatever is published from this call on is heard. When the
    /// bus comes up it is called once, before anything counts as heard.
    fn missed(&self);
}
