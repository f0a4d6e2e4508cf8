//! The bus of a single node: straight into its hub.

use std::sync::Arc;

use super::{BoxFuture, Bus, BusHealth, BusItem};
use crate::{BoxError, Hub};

/// Hands every item to one hub. Within the process nothing is lost.
pub struct LocalBus {
    hub: Arc<Hub>,
}

impl LocalBus {
    /// A bus to this hub.
    #[must_use]
    pub const fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

impl Bus for LocalBus {
    fn publish(&self, item: BusItem) -> BoxFuture<'_, ()> {
        Box::pin(self.hub.publish(item))
    }

    fn run(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.hub.closed().await;
            Ok(())
        })
    }

    fn health(&self) -> BusHealth {
        BusHealth::Up
    }
}
