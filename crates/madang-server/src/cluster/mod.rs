//! What the nodes of a cluster tell each other beside events: one bus between them, and what each does with what it hears.
//!
//! - [`relay`] takes in what comes: memory is brought up to date before the hub is given an event.
//! - [`notice`] is what no event tells.
//! - [`people`] is who is connected to which node.
//! - [`gaps`] reads from the log what the bus did not bring, and [`heads`] finds it there.
//!
//! A lone node has a bus that ends in its process; then nothing here runs but that and [`gaps`].
//!
//! Invariants:
//! - What a node knows of others' changes, it hears from the bus or reads from the log: nothing is believed because it
//!   was true once ([`Memory::unheard`](crate::memory::Memory::unheard)).
//! - When the bus was away, whoever is connected is asked to come back, and so begins with what is stored.

mod gaps;
mod heads;
mod notice;
mod people;
mod relay;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use madang_proto::{UserId, accounts::Secret, close::CloseCode};
use madang_realtime::{
    BoxError, Bus, Hub,
    bus::{LocalBus, NodeId, RedisBus, RedisServers, RedisSettings},
};
use tokio::time::sleep;

use self::people::People;
pub use self::{gaps::close as close_gaps, notice::Notice, relay::Relay};
use crate::{app::App, auth::Keys, config::Config, memory::Hears};

/// What the names of our channels at Redis begin with.
const PREFIX: &str = "madang";
/// How often the nodes tell each other how they are.
const EVERY: Duration = Duration::from_secs(1);
/// Within how long all connections are asked to come back, and in how many parts at most, one after the other.
pub const COME_BACK_WITHIN: Duration = Duration::from_secs(5);
const PARTS: u32 = 20;
/// How many are asked at one time at least: 3,000 a second come back without making each other wait.
const PART: usize = 750;

/// What one node has to do with the others.
#[derive(Default)]
pub struct Cluster {
    people: People,
}

impl Cluster {
    /// Someone who is connected here did something, and was away before.
    pub fn active(&self, user: UserId) {
        self.people.active(user);
    }
}

/// The way between the nodes, and what has to be told which app it serves.
pub struct Way {
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// What it hands to the app; nothing where it ends here.
    pub relay: Option<Arc<Relay>>,
}

impl Way {
    /// The bus that the settings ask for.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_config(config: &Config, keys: &Keys, node: u16, hub: &Arc<Hub>) -> Result<Self, String> {
        let Some(Secret(redis)) = &config.cluster_redis else {
            return Ok(Self { bus: Arc::new(LocalBus::new(Arc::clone(hub))), relay: None });
        };
        let relay = Arc::new(Relay::default());
        let servers: RedisServers = RedisServers::parse(redis).map_err(|e| format!("cluster_redis: {e}"))?;
        let settings =
            RedisSettings { servers, prefix: PREFIX, secret: keys.of_bus().as_bytes(), node: NodeId(node) };
        let remote = Arc::clone(&relay) as Arc<_>;
        let bus =
            RedisBus::new(Arc::clone(hub), remote, settings).map_err(|e| format!("cluster_redis: {e}"))?;
        Ok(Self { bus: Arc::new(bus), relay: Some(relay) })
    }

    /// What memory may keep.
    pub fn hears(&self) -> Hears {
        self.relay.as_ref()?;
        let bus = Arc::clone(&self.bus);
        Some(Box::new(move |topic| bus.hears(topic)))
    }
}

/// The child `bus`: carries what other nodes publish.
///
/// # Errors
/// When the bus gives up, to be started again.
pub async fn carry(app: App) -> Result<(), BoxError> {
    app.bus.run().await
}

/// The child `cluster`: tells the others, once a second, what they cannot know.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    let Some(relay) = &app.relay else {
        app.shutdown.wait().await;
        return Ok(());
    };
    let mut outages = relay.outages();
    let mut coming_back = FuturesUnordered::new();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(()) = coming_back.next() => continue,
            () = app.shutdown.wait() => break,
        }
        app.faults.point("cluster");
        app.cluster.people.tell(&app);
        let spent = app.limits.spent();
        if !spent.is_empty() {
            Notice::Spent(spent).tell(&*app.bus);
        }
        if relay.outages() != outages {
            outages = relay.outages();
            app.cluster.people.again();
            // What was missed is more than the channels' logs have.
            coming_back.push(come_back(&app));
        }
    }
    Notice::Leaving.tell(&*app.bus);
    Ok(())
}

/// Asks whoever is connected to come back, over some seconds, so that they do not come all at once.
pub async fn come_back(app: &App) {
    let outboxes = app.hub.outboxes();
    for part in outboxes.chunks(outboxes.len().div_ceil(PARTS as usize).max(PART)) {
        part.iter().for_each(|outbox| outbox.close(CloseCode::Restarting));
        tokio::select! {
            () = sleep(COME_BACK_WITHIN / PARTS) => {}
            () = app.shutdown.wait() => return,
        }
    }
}

/// Takes in what another node told.
fn heard(app: &App, from: NodeId, notice: Notice) {
    match notice {
        Notice::Touched(silent) => app.memory.changed(silent.into_iter().map(Into::into).collect()),
        Notice::Authors(users) => {
            app.db.forget_authors(users.iter().copied());
            users.into_iter().for_each(|user| app.memory.shows_otherwise(user));
        }
        Notice::Said(user, said) => app.presence.choose(user, said, app.now().millis()),
        Notice::People(news) => app.cluster.people.heard(app, from, news),
        Notice::Leaving => app.cluster.people.left(app, from),
        Notice::Spent(spent) => spent.iter().for_each(|spent| app.limits.count(spent)),
    }
}
