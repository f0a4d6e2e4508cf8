//! Start and stop: from settings to a running server, and back without losing anything.
//!
//! Stop, in this order: no new connections or requests; connected clients are told to come back; the
//! hub ends; running requests and the writer's queue end; the database is closed.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use madang_proto::close::CloseCode;
use madang_realtime::{BoxError, Control, Faults, Hub, Shutdown, Supervisor, bus::LocalBus};
use madang_store::{Db, Writer, partitions, writer};
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    accounts,
    app::{App, Parts},
    auth::{Issuer, Keys, Passwords, Revoked},
    clock::{Clock, Ids},
    config::{Config, Switch},
    gateway::Threads,
    http::{self, Listener},
    memory::Memory,
    messages::Announcer,
    presence::{self, Board, Conflation, Limit},
    ratelimit::Limits,
    search::{self, Indexing},
    threads,
    tls::Tls,
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
}

/// A running server.
pub struct Server {
    app: App,
    address: SocketAddr,
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
        let Hands { clock, faults, password_kib, presence, queue } = hands;
        let data = config.data.clone();
        let in_data =
            |e: &dyn std::error::Error| StartError::of(format!("data folder {}", data.display()))(e);
        create_private(&data).map_err(|e| in_data(&e))?;
        let lock = lock(&data)?;
        let keys = Keys::load(&data).map_err(|e| in_data(&e))?;
        let issuer = Issuer::from_config(&config).map_err(StartError)?;
        let tls = Tls::from_config(&config, clock.now()).await.map_err(StartError)?;
        let listener = Listener::bind(config.listen).map_err(|e| StartError::of(config.listen)(&e))?;
        let address = listener.address().map_err(|e| StartError::of(config.listen)(&e))?;
        let db = database(&config).await?;
        partitions::ensure(&db, clock.now()).await.map_err(|e| StartError::of("database")(&e))?;
        let newest = db.newest_id().await.map_err(|e| StartError::of("database")(&e))?;
        if config.rate_limits == Switch::Off {
            tracing::warn!("rate limits are off: for load tests only");
        }
        let shutdown = Shutdown::new();
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let hub = Hub::new(shards, &faults);
        let app = App::new(Parts {
            writer: Writer::with_queue(db.clone(), queue.unwrap_or(writer::QUEUE)),
            db,
            bus: Box::new(LocalBus::new(Arc::clone(&hub))),
            hub,
            memory: Memory::default(),
            presence: Board::new(presence),
            conflation: Conflation::default(),
            indexing: Indexing::default(),
            limits: Limits::new(config.rate_limits, &clock),
            clock,
            ids: Ids::after(newest),
            keys,
            issuer,
            tls,
            passwords: Passwords::new(password_kib),
            revoked: Revoked::default(),
            replies: Notify::new(),
            threads: Threads::start(shards).map_err(|e| StartError::of("threads")(&e))?,
            runtime: Handle::current(),
            supervisor: Supervisor::new(shutdown.clone()),
            shutdown,
            faults,
            config,
        });
        let prepared = async {
            workspaces::create_first(&app).await?;
            accounts::load_revoked(&app).await
        };
        prepared.await.map_err(|e| StartError::of("database")(&e))?;
        start_children(&app, listener);
        Ok(Self { app, address, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until a signal to stop, or until a part failed too often.
    ///
    /// # Errors
    /// Which part failed, and why.
    pub async fn run(&self) -> Result<(), BoxError> {
        Ok(self.app.supervisor.run().await?)
    }

    /// Stops in order; nothing acknowledged is lost.
    pub async fn stop(self) {
        let app = &self.app;
        app.shutdown.signal();
        app.bus.publish(Control::CloseAll { code: CloseCode::Restarting }.into()).await;
        app.hub.close();
        let grace = Duration::from_secs(app.config.shutdown_seconds);
        app.supervisor.shutdown(grace).await;
        app.db.close().await;
    }
}

/// Makes the data folder when it is missing, for its owner only.
fn create_private(data: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(data)
}

fn lock(data: &std::path::Path) -> Result<fs::File, StartError> {
    let path = data.join("madang.lock");
    let file = fs::File::create(&path).map_err(|e| StartError::of(path.display())(&e))?;
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
async fn database(config: &Config) -> Result<Db, StartError> {
    let deadline = tokio::time::Instant::now() + DATABASE_WITHIN;
    loop {
        let attempt = async {
            let db = Db::connect(&config.store()).await?;
            db.migration_status().await?;
            db.migrate().await?;
            Ok(db)
        };
        match attempt.await {
            Ok(db) => return Ok(db),
            Err(madang_store::Error::Unavailable(reason)) if tokio::time::Instant::now() < deadline => {
                tracing::warn!(reason, "the database is away; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(StartError::of("database")(&error)),
        }
    }
}

fn start_children(app: &App, listener: Listener) {
    app.hub.start(&app.supervisor, |shard| app.threads.of(shard).enter());
    let (of_writer, of_presence, of_sweep, of_http) = (app.clone(), app.clone(), app.clone(), app.clone());
    let of_search = app.clone();
    app.supervisor.child("writer", move || {
        let app = of_writer.clone();
        async move {
            app.writer.run(&Announcer(&app), app.shutdown.wait()).await;
            Ok(())
        }
    });
    let of_threads = app.clone();
    app.supervisor.child("threads", move || threads::run(of_threads.clone()));
    app.supervisor.child("presence", move || presence::run(of_presence.clone()));
    app.supervisor.child("search", move || search::run(of_search.clone()));
    app.supervisor.child("sweep", move || sweep(of_sweep.clone()));
    let listener = Arc::new(listener);
    let router = http::router(app.clone());
    app.supervisor.child("listener", move || {
        let (app, listener, router) = (of_http.clone(), Arc::clone(&listener), router.clone());
        async move { listener.run(app, router).await }
    });
}

/// What passes with time: certificates, old sessions, months of messages.
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
        if second % FORGET_EVERY == 0 {
            app.memory.sweep(app.now());
        }
        if second % HOUSEKEEPING_EVERY == 0 {
            app.limits.sweep();
            app.revoked.sweep(app.now());
            if let Err(error) = accounts::sweep(&app, app.now()).await {
                tracing::warn!(%error, "old sessions");
            }
            if let Err(error) = partitions::ensure(&app.db, app.now()).await {
                tracing::warn!(%error, "months of messages");
            }
        }
    }
    Ok(())
}
