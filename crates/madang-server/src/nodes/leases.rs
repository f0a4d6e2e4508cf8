//! Work that one node does at a time: `retention`, `archive`, `exports`, `sweep`, `uploads`, and `upload-` with the id of
//! one that is whole. A child asks with [`alone`].
//!
//! A lease is for what would be done twice, or in each other's way; nothing depends on it. All that is done with one is
//! right when two do it for a moment, as when a node was asleep and does not know yet that its lease is over.
//!
//! How the rest works with several nodes, each by transactions that find nothing left to do where another was quicker:
//!
//! | Child | Why |
//! |---|---|
//! | `jobs` | claims its rows, and skips those that others have claimed; a job of a dead node is due again |
//! | `threads` | takes the mark `untold` away in the transaction that tells |
//! | `search` | moves the indexed version of a channel on, and indexes only where it did |
//! | `files` | bytes may be forgotten twice; what a request brings is gathered on its machine and nobody else's |
//! | `sweep`: sanctions | tells what it removed itself |
//! | `sweep`: months of messages | has a lock in the database |
//! | `writer`, `presence`, shards | work for those who are connected to this node |

use std::{future::Future, pin::pin};

use madang_store::leases as store;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{app::App, error::Result};

/// Does some work unless another node is at it. `None` where one is, or where the lease was lost meanwhile: then the work
/// was left where it stood.
///
/// # Errors
/// Those of the work, and when the database fails.
pub async fn alone<T>(app: &App, name: &str, work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    let node = &app.node;
    let mut end = node.end(Instant::now());
    if !store::claim(&app.db, name, node.id(), node.lease()).await? {
        return Ok(None);
    }
    let keep = async {
        loop {
            sleep(node.every()).await;
            let asked = Instant::now();
            match timeout_at(end, store::claim(&app.db, name, node.id(), node.lease())).await {
                Ok(Ok(true)) => end = node.end(asked),
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) if Instant::now() < end => tracing::warn!(%error, name, "keeping a lease"),
                Ok(Err(_)) => return,
            }
        }
    };
    let (work, keep) = (pin!(work), pin!(keep));
    let result = tokio::select! {
        result = work => result.map(Some),
        () = keep => {
            tracing::warn!(name, "another node goes on with this");
            return Ok(None);
        }
    };
    if let Err(error) = store::release(&app.db, name, node.id()).await {
        tracing::debug!(%error, name, "the lease ends by itself");
    }
    result
}
