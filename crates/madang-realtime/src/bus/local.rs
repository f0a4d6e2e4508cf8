//! The bus of a single node: straight into its hub.

use std::sync::Arc;

use bytes::Bytes;

use super::{BoxFuture, Bus, BusHealth, BusItem, BusStats};
use crate::{BoxError, Hub, Topic};

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

    fn notify(&self, _: Bytes) {}

    fn run(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.hub.closed().await;
            Ok(())
        })
    }

    fn health(&self) -> BusHealth {
        BusHealth::Up
    }

    fn listening<'a>(&'a self, _: &'a [Topic]) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn hears(&self, _: Topic) -> bool {
        true
    }

    fn stats(&self) -> BusStats {
        BusStats::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bus::conformance::{Node, suite},
        testing::World,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn it_keeps_what_every_bus_keeps() {
        suite(async || {
            let world = World::new(3);
            let hub = Arc::clone(&world.hub);
            let bus = Arc::new(LocalBus::new(Arc::clone(&hub)));
            assert_eq!(bus.health(), BusHealth::Up);
            vec![Node { hub, bus, _kept: Box::new(world) }]
        })
        .await;
    }
}
