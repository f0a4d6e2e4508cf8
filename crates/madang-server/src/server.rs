//! Start and stop: from settings to a running server, and back without losing anything.
//!
//! Stop, in this order: where there are other nodes, clients go there ([`drain`]); no new connections or requests;
//! connected clients are told to come back; running requests and jobs end, then the writer's queue, then the hub and the
//! bus, which tell the other nodes; the node's number is given back; the database is closed.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use madang_proto::close::CloseCode;
use madang_realtime::{BoxError, Control, Faults, Hub, Shutdown, Supervisor};
use madang_store::{Db, Writer, partitions, writer};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{
    accounts,
    app::{App, Parts},
    auth::{Issuer, Keys, Passwords, Revoked},
    clock::Clock,
    cluster::{self, Cluster, Way},
    config::{Config, Switch},
    drain,
    error::Error,
    exports,
    files::{self, Storage},
    gateway::Threads,
    http::{self, For, Listener},
    invites,
    jobs::{self, Jobs},
    memory::Memory,
    message_archive,
    messages::Announcer,
    metrics::{self, Metrics},
    nodes::{self, Node, leases},
    presence::{self, Board, Conflation, Limit},
    previews::Previews,
    profiles, pulse,
    ratelimit::Limits,
    retention,
    sanctions::{self, Lapses},
    search::{self, Indexing},
    slow_mode::SlowMode,
    threads,
    tls::Tls,
    upkeep::Upkeep,
    workspaces,
};

/// How long a start waits for its database.
const DATABASE_WITHIN: Duration = Duration::from_secs(60);
const FORGET_EVERY: u64 = 60;
const HOUSEKEEPING_EVERY: u64 = 3_600;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    fn of(what: impl std::fmt::Display) -> impl FnOnce(&dyn std::error::Error) -> Self {
        move |e| {
            let causes = std::iter::successors(e.source(), |cause| cause.source());
            Self(causes.fold(format!("{what}: {e}"), |text, cause| format!("{text}: {cause}")))
        }
    }
}

/// What a test may hold in its hands; the default is what a server runs with.
#[derive(Debug, Clone, Default)]
pub struct Hands {
    /// The clock.
    pub clock: Clock,
    /// Fault switches.
    pub faults: Faults,
    /// KiB of memory that a password's hash takes, with one pass, where the real cost is not the matter.
    pub password_kib: Option<u32>,
    /// When people are counted and no longer named.
    pub presence: Limit,
    /// How many messages may wait to be stored, where it is not the usual number.
    pub queue: Option<usize>,
    /// How long a node holds its number and its leases without being heard, where it is not the usual time.
    pub lease: Option<Duration>,
    /// Whether it may be a node beside others that do not hear it.
    pub unheard: bool,
}

/// A running server.
pub struct Server {
    app: App,
    listener: Arc<Listener>,
    metrics_address: Option<SocketAddr>,
    /// Held while the server lives: one server a data folder.
    _lock: fs::File,
}

impl Server {
    /// Starts a server on the system's clock.
    ///
    /// # Errors
    /// Says what to mend: a taken port, a locked or unwritable data folder, a database that is away or
    /// newer than this binary, contradictory settings.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, Hands::default()).await
    }

    /// Starts a server with what a test holds in its hands.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(config: Config, hands: Hands) -> Result<Self, StartError> {
        let Hands { clock, faults, password_kib, presence, queue, lease, unheard } = hands;
        let data = config.data.clone();
        let in_data =
            |e: &dyn std::error::Error| StartError::of(format!("data folder {}", data.display()))(e);
        create_private(&data).map_err(|e| in_data(&e))?;
        let lock = lock(&data)?;
        let place = nodes::place(&lock).map_err(|e| in_data(&e))?;
        nodes::check(&config).map_err(StartError)?;
        let keys = Keys::of(&config).map_err(|e| in_data(&e))?;
        let issuer = Issuer::from_config(&config).map_err(StartError)?;
        let tls = Tls::from_config(&config, clock.now()).await.map_err(StartError)?;
        let storage = Storage::from_config(&config).map_err(StartError)?;
        let ffmpeg = files::Ffmpeg::from_config(&config).map_err(StartError)?;
        if ffmpeg.is_none() {
            tracing::info!("no ffmpeg: videos get no thumbnail, and keep what they tell of place and device");
        }
        let listener = bind(config.listen, For::Everyone)?;
        let watched = config.metrics_listen.map(|at| bind(at, For::Watchers)).transpose()?;
        let db = database(&config, &place).await?;
        partitions::ensure(&db, clock.now()).await.map_err(|e| StartError::of("database")(&e))?;
        let said = nodes::about(
            &config,
            listener.address(),
            place,
            db.schema(),
            keys.fingerprint().to_owned(),
            clock.now(),
        );
        let node = Node::new(said, lease.unwrap_or(nodes::LEASE), unheard);
        let ids = nodes::enter(&db, &node, &clock).await.map_err(|e| StartError::of("database")(&e))?;
        let ids = ids.map_err(StartError)?;
        if config.rate_limits == Switch::Off {
            tracing::warn!("rate limits are off: for load tests only");
        }
        let shutdown = Shutdown::new();
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let hub = Hub::new(shards, &faults);
        let way = Way::from_config(&config, &keys, ids.number(), &hub).map_err(StartError)?;
        let app = App::new(Parts {
            writer: Writer::with_queue(db.clone(), queue.unwrap_or(writer::QUEUE)),
            db,
            memory: Memory::new(way.hears()),
            bus: way.bus,
            relay: way.relay,
            cluster: Cluster::default(),
            hub,
            metrics: Metrics::new(clock.now()),
            presence: Board::new(presence),
            conflation: Conflation::default(),
            storage,
            images: Semaphore::new(files::IMAGES_AT_ONCE),
            previews: Previews::from_config(&config),
            ffmpeg: ffmpeg.map(Arc::new),
            videos: Semaphore::new(files::VIDEOS_AT_ONCE),
            indexing: Indexing::default(),
            exports: Notify::new(),
            jobs: Jobs::default(),
            retention: Upkeep::default(),
            archive: Upkeep::default(),
            lapses: Lapses::default(),
            limits: Limits::new(config.rate_limits, &clock, config.cluster_redis.is_some()),
            slow_mode: SlowMode::default(),
            clock,
            node,
            ids,
            keys,
            issuer,
            tls,
            passwords: Passwords::new(password_kib),
            revoked: Revoked::default(),
            replies: Notify::new(),
            threads: Threads::start(shards).map_err(|e| StartError::of("threads")(&e))?,
            runtime: Handle::current(),
            supervisor: Supervisor::new(shutdown.clone()),
            draining: Shutdown::new(),
            shutdown,
            unused: Shutdown::new(),
            faults,
            config,
        });
        if let Some(relay) = &app.relay {
            relay.serve(&app);
        }
        let prepared = async {
            workspaces::create_first(&app).await?;
            accounts::load_revoked(&app).await?;
            profiles::load(&app).await
        };
        prepared.await.map_err(|e| StartError::of("database")(&e))?;
        start_children(&app);
        listen(&app, &listener, http::router(app.clone()));
        let metrics_address = watched.map(|listener| {
            listen(&app, &listener, metrics::http::router(app.clone()));
            listener.address()
        });
        Ok(Self { app, listener, metrics_address, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where it tells its metrics, if it does.
    #[must_use]
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Serves until a signal to stop, or until a part failed too often.
    ///
    /// # Errors
    /// Which part failed, and why.
    pub async fn run(&self) -> Result<(), BoxError> {
        Ok(self.app.supervisor.run().await?)
    }

    /// Has whoever is connected go to other nodes, before a [stop](Self::stop).
    pub async fn drain(&self) {
        drain::drain(&self.app).await;
    }

    /// Stops in order; nothing acknowledged is lost.
    pub async fn stop(self) {
        let app = &self.app;
        app.draining.signal();
        app.shutdown.signal();
        // Those of other nodes stay.
        app.hub.publish(Control::CloseAll { code: CloseCode::Restarting }.into()).await;
        let over = Instant::now() + Duration::from_secs(app.config.shutdown_seconds);
        let used = async { tokio::join!(self.listener.ended(), app.jobs.ended()) };
        tokio::select! {
            _ = used => {}
            () = drain::out_of_time(app) => {}
        }
        app.unused.signal();
        drop(timeout_at(over, app.writer.ended()).await);
        app.hub.close();
        app.supervisor.shutdown(over.saturating_duration_since(Instant::now())).await;
        nodes::leave(app).await;
        app.db.close().await;
    }
}

/// Makes the data folder when it is missing, for its owner only.
pub(crate) fn create_private(data: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(data)
}

pub(crate) fn lock(data: &std::path::Path) -> Result<fs::File, StartError> {
    let path = data.join("madang.lock");
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(&path).map_err(|e| StartError::of(path.display())(&e))?;
    file.try_lock().map_err(|_| {
        StartError(format!(
            "another madang uses the data folder {}; stop it, or choose another folder with --data",
            data.display()
        ))
    })?;
    Ok(file)
}

/// The database with an up-to-date schema. Waits a while for one that is away, as it is when machines
/// start together.
async fn database(config: &Config, place: &str) -> Result<Db, StartError> {
    let deadline = tokio::time::Instant::now() + DATABASE_WITHIN;
    loop {
        let attempt = async {
            let db = Db::connect(&config.store()).await?;
            Ok(nodes::migrate(&db, place, config.force).await?.map(|()| db))
        };
        match attempt.await {
            Ok(done) => return done.map_err(StartError),
            Err(madang_store::Error::Unavailable(reason)) if tokio::time::Instant::now() < deadline => {
                tracing::warn!(reason, "the database is away; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(StartError::of("database")(&error)),
        }
    }
}

fn bind(address: SocketAddr, whom: For) -> Result<Arc<Listener>, StartError> {
    Listener::bind(address, whom).map(Arc::new).map_err(|e| StartError::of(address)(&e))
}

/// Has a listener answer with these routes.
fn listen(app: &App, listener: &Arc<Listener>, router: Router) {
    let (app, listener) = (app.clone(), Arc::clone(listener));
    app.supervisor.clone().child(listener.name(), move || {
        let (app, listener, router) = (app.clone(), Arc::clone(&listener), router.clone());
        async move { listener.run(app, router).await }
    });
}

fn start_children(app: &App) {
    app.hub.start(&app.supervisor, |shard| app.threads.of(shard).enter());
    child(app, "writer", |app| async move {
        app.writer.run(&Announcer(&app), app.unused.wait()).await;
        Ok(())
    });
    child(app, "pulse", pulse::run);
    child(app, "node", nodes::run);
    child(app, "bus", cluster::carry);
    child(app, "cluster", cluster::run);
    child(app, "gaps", cluster::close_gaps);
    child(app, "threads", threads::run);
    child(app, "presence", presence::run);
    child(app, "search", search::run);
    child(app, "jobs", jobs::run);
    child(app, "exports", exports::run);
    child(app, "files", files::sweep);
    child(app, "retention", retention::run);
    child(app, "archive", message_archive::run);
    child(app, "sweep", sweep);
}

/// Has a part of the app supervised.
fn child<F>(app: &App, name: &'static str, run: impl Fn(App) -> F + Send + Sync + 'static)
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let of_child = app.clone();
    app.supervisor.child(name, move || run(of_child.clone()));
}

/// What passes with time: certificates, old sessions, dead jobs, months of messages.
async fn sweep(app: App) -> Result<(), BoxError> {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for second in 0_u64.. {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.shutdown.wait() => break,
        }
        app.faults.point("sweep");
        if let Some(tls) = &app.tls {
            tls.look(app.now()).await;
        }
        if let Err(error) = sanctions::lapse(&app).await {
            tracing::warn!(%error, "sanctions whose time is over");
        }
        if second % FORGET_EVERY == 0 {
            app.memory.sweep(app.now());
            // What another node imposed, which may not be there any more when its time is over.
            app.lapses.note(app.now());
        }
        if second % HOUSEKEEPING_EVERY == 0 {
            app.limits.sweep();
            app.slow_mode.sweep(app.now());
            app.revoked.sweep(app.now());
            if let Err(error) = leases::alone(&app, "sweep", sweep_rows(&app)).await {
                tracing::warn!(%error, "rows whose time is over");
            }
            if let Err(error) = partitions::ensure(&app.db, app.now()).await {
                tracing::warn!(%error, "months of messages");
            }
        }
    }
    Ok(())
}

/// Removes rows whose time is over, of all nodes.
async fn sweep_rows(app: &App) -> Result<(), Error> {
    accounts::sweep(app, app.now()).await?;
    presence::sweep(app).await?;
    jobs::sweep(app).await?;
    invites::sweep(app).await
}
