//! Notices: what the nodes tell each other that is no event. JSON; who does not know one leaves it.

use madang_proto::{UserId, presence::UserStatus};
use madang_realtime::Bus;
use serde::{Deserialize, Serialize};

use super::people::News;
use crate::{memory::Silent, ratelimit::Spent};

/// Something for all other nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// What is remembered of these is not as it was.
    Touched(Vec<Silent>),
    /// These users show otherwise.
    Authors(Vec<UserId>),
    /// What a user says of themself.
    Said(UserId, UserStatus),
    /// Who is connected to the node.
    People(News),
    /// How often who tried what is limited.
    Spent(Vec<Spent>),
    /// The node stops.
    Leaving,
}

impl Notice {
    /// Tells all other nodes.
    pub fn tell(&self, bus: &dyn Bus) {
        match serde_json::to_vec(self) {
            Ok(bytes) => bus.notify(bytes.into()),
            Err(error) => tracing::error!(%error, "a notice for the other nodes"),
        }
    }
}
