//! The conductor: makes the stage, starts the threads, says when a phase begins, waits until everything has
//! arrived, and gathers the figures.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{
    Error, Report,
    beyond::Acks,
    bus,
    check::{Faults, Order},
    dialect::Dialect,
    marks::{self, Marks},
    options::Common,
    plan::{Plan, Turn},
    proc::Process,
    progress::Progress,
    report::{self, Server},
    schedule::{Clock, Stream},
    setup::{self, Stage},
    socket::{Connection, Pace, Phase},
    worker::{Ground, Lane, Outcome, Share, Shared, Worker},
};

/// How often the conductor looks.
const LOOK: Duration = Duration::from_millis(100);
/// Files that a process needs besides its connections.
const OTHER_FILES: u64 = 150;

/// Runs a plan to its end.
///
/// # Errors
/// When it could not be run. What it found wrong with the deliveries is in the report.
pub async fn run(common: &Common, plan: Plan) -> Result<Report, Error> {
    run_then(common, plan, async |_, _| Ok(())).await
}

/// The same, with something more to do while the channels are still there.
///
/// # Errors
/// As [`run`], and those of `then`.
pub async fn run_then(
    common: &Common,
    plan: Plan,
    then: impl AsyncFnOnce(&Crew<'_>, &mut Report) -> Result<(), Error>,
) -> Result<Report, Error> {
    let progress = Progress::default();
    let (server, host) = common.server()?;
    let process = common.server_pid.map(Process).or_else(|| Process::listening_on(server.port()));
    check_files(process, plan.connections.len() as u64)?;
    let stage = if plan.peer.is_some() {
        setup::at_peer(server, plan.users).await?
    } else {
        setup::stage(&common.url, plan.users, &plan.rooms, &progress).await?
    };
    let memory_before = process.and_then(Process::memory);

    let ground = Arc::new(Ground {
        servers: [&[server], &plan.others[..]].concat(),
        host,
        tokens: stage.tokens.clone(),
        by_id: stage.channels.iter().map(|c| c.id).zip(0..).collect(),
        channels: stage.channels.clone(),
        size: common.size.into(),
        run: format!("{:x}", stage.channels.first().map_or(0, |c| c.id)),
        clock: Clock::start(),
        dialect: plan.peer.unwrap_or(Dialect::Madang(common.manner())),
        tls: common.tls()?,
        acks: Acks::of(&plan.streams, plan.threads),
        length: (plan.seconds) * 1_000_000,
    });
    let shared = Arc::new(Shared::default());
    let crew = Crew { common, plan, stage, ground, shared, progress, process };
    let threads = crew.start()?;
    let result = crew.conduct(memory_before).await;
    crew.shared.stop.store(true, Relaxed);
    let outcomes = tokio::task::spawn_blocking(move || join(threads)).await;
    crew.progress.clear();
    let mut figures = result?;
    let outcomes = outcomes.map_err(|e| Error::Protocol(e.to_string()))??;
    if let Some(fatal) = crew.shared.fatal.lock().take() {
        return Err(fatal);
    }
    figures.outcomes = outcomes;
    let mut report = report::build(&crew, &figures);
    then(&crew, &mut report).await?;
    if !common.keep {
        crew.stage.clear().await?;
    }
    Ok(report)
}

fn join(threads: Vec<std::thread::JoinHandle<Outcome>>) -> Result<Vec<Outcome>, Error> {
    let joined = threads.into_iter().map(std::thread::JoinHandle::join);
    joined
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Protocol("a thread of the load generator panicked".to_owned()))
}

/// Both sides need a file for each connection.
fn check_files(server: Option<Process>, connections: u64) -> Result<(), Error> {
    let needed = connections + OTHER_FILES;
    for (who, process) in [("this process", Some(Process::own())), ("the server", server)] {
        if let Some(limit) = process.and_then(Process::files).filter(|limit| *limit < needed) {
            return Err(Error::Files { who, limit, needed });
        }
    }
    Ok(())
}

/// A run under way.
pub struct Crew<'a> {
    pub common: &'a Common,
    pub plan: Plan,
    pub stage: Stage,
    pub ground: Arc<Ground>,
    pub shared: Arc<Shared>,
    pub process: Option<Process>,
    progress: Progress,
}

/// What the conductor saw.
#[derive(Debug, Default)]
pub struct Figures {
    pub server: Option<Server>,
    /// Messages that came to the nodes over the bus.
    pub bus_received: u64,
    pub stored: Vec<u64>,
    pub expected: u64,
    /// What was seen of each part of the plan.
    pub parts: Vec<marks::Seen>,
    /// From the beginning of the schedule to the last delivery.
    pub lasted: Duration,
    pub outcomes: Vec<Outcome>,
}

impl Crew<'_> {
    fn start(&self) -> Result<Vec<std::thread::JoinHandle<Outcome>>, Error> {
        let spawn = |(index, share): (usize, Share)| {
            let worker = Worker::new(index as u64 + 1, self.ground.clone(), self.shared.clone(), share)?;
            std::thread::Builder::new()
                .name(format!("load-{index}"))
                .spawn(move || worker.run())
                .map_err(Error::io("starting a thread"))
        };
        self.shares().into_iter().enumerate().map(spawn).collect()
    }

    /// Deals connections and streams out to the threads.
    fn shares(&self) -> Vec<Share> {
        let mut hears: Vec<Vec<u16>> = vec![Vec::new(); self.plan.users];
        for (room, number) in self.plan.rooms.iter().zip(0..) {
            room.members.iter().for_each(|user| hears[*user as usize].push(number));
        }
        let mut shares: Vec<Share> = (0..self.plan.threads)
            .map(|thread| Share {
                stormy: self.plan.stormy.contains(&thread),
                window: self.plan.window,
                ..Share::default()
            })
            .collect();
        let mut senders: HashMap<(usize, u16), Vec<usize>> = HashMap::new();
        for (index, seat) in self.plan.connections.iter().enumerate() {
            let share = &mut shares[seat.thread];
            let position = share.connections.len();
            for room in &hears[seat.user] {
                senders.entry((seat.thread, *room)).or_default().push(position);
            }
            let order = |room: &u16| (*room, Order::after(self.ground.channels[usize::from(*room)].base_seq));
            share.connections.push(Connection {
                stream: None,
                tls: None,
                phase: Phase::Gone,
                user: u32::try_from(seat.user).unwrap_or_default(),
                index,
                node: index,
                pace: seat.pace,
                rest: Vec::new(),
                out: Vec::new(),
                orders: hears[seat.user].iter().map(order).collect(),
                pending: Vec::new(),
                since: 0,
                returning: false,
            });
        }
        for send in &self.plan.streams {
            let lane = |room: usize| {
                let channel = u16::try_from(room).ok()?;
                senders.get(&(send.thread, channel)).map(|s| Lane { channel, senders: s.clone() })
            };
            let lanes: Vec<Lane> = send.rooms.clone().filter_map(lane).collect();
            if !lanes.is_empty() {
                let stream = Stream::new(send.rate, send.from * 1_000_000, send.to * 1_000_000);
                shares[send.thread].sends.push((stream, lanes));
            }
        }
        shares
    }

    async fn conduct(&self, memory_before: Option<u64>) -> Result<Figures, Error> {
        self.wait_until_live().await?;
        // What opening left to do is not part of the run.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let memory_connected = self.process.and_then(Process::memory);
        let cpu_before = self.process.and_then(Process::cpu);
        let bus_before = bus::received(&self.plan.metrics).await?;
        let start = self.ground.clock.now() + 200_000;
        self.shared.start.store(start, Relaxed);
        let marks = self.play(start).await?;
        let (stored, expected) = self.drain().await?;
        let bus_received = bus::received(&self.plan.metrics).await? - bus_before;
        let last =
            self.shared.last_heard.load(Relaxed).max(self.ground.clock.now().min(start + self.ground.length));
        let cpu = self
            .process
            .and_then(Process::cpu)
            .zip(cpu_before)
            .map(|(after, before)| after.saturating_sub(before));
        self.shared.stored.lock().clone_from(&stored);
        let server = self.process.zip(cpu).map(|(process, cpu)| Server {
            process: process.0,
            cpu_seconds: cpu.as_secs_f64(),
            memory_before,
            memory_connected,
            memory_after: process.memory(),
            memory_most: marks.memory_most,
        });
        let lasted = Duration::from_micros(last.saturating_sub(start));
        Ok(Figures {
            server,
            bus_received,
            stored,
            expected,
            parts: marks.seen(),
            lasted,
            outcomes: Vec::new(),
        })
    }

    async fn wait_until_live(&self) -> Result<(), Error> {
        let wanted = self.plan.connections.len() as u64;
        let seconds = 30 + wanted / 50;
        let begun = Instant::now();
        loop {
            let live = self.shared.live.load(Relaxed);
            if live == wanted {
                return Ok(());
            }
            self.fail_early()?;
            if begun.elapsed().as_secs() > seconds {
                let hint = ": look at the server's log and its limit of open files".to_owned();
                return Err(Error::NotConnected { live, wanted, seconds, hint });
            }
            self.progress.line(|| format!("connections {live}/{wanted}"));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The schedule; gives what was seen meanwhile.
    async fn play(&self, start: u64) -> Result<Marks, Error> {
        let (mut turns, mut marks) = (self.plan.turns.iter().peekable(), Marks::new(&self.plan.phases));
        let mut before = (Instant::now(), 0);
        loop {
            let elapsed = self.ground.clock.now().saturating_sub(start);
            marks.look(elapsed, &self.shared, self.process);
            if elapsed >= self.ground.length {
                return Ok(marks);
            }
            while let Some((_, turn)) = turns.next_if(|(second, _)| second * 1_000_000 <= elapsed) {
                match turn {
                    Turn::Slow => self.shared.slow.store(true, Relaxed),
                    Turn::Kill(process) => Process(*process).kill()?,
                    Turn::Storm => drop(self.shared.storms.fetch_add(1, Relaxed)),
                }
            }
            self.fail_early()?;
            self.progress.line(|| {
                let heard = self.shared.heard.load(Relaxed);
                let seconds = before.0.elapsed().as_secs_f64().max(0.001);
                #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
                let rate = (heard - before.1) as f64 / seconds;
                before = (Instant::now(), heard);
                self.status(elapsed, rate)
            });
            tokio::time::sleep(LOOK).await;
        }
    }

    fn status(&self, elapsed: u64, rate: f64) -> String {
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
        let (live, sent, acked) = (of(&self.shared.live), of(&self.shared.sent), of(&self.shared.acked));
        let seconds = elapsed / 1_000_000;
        format!(
            "{seconds}/{} s  {live} live  sent {sent}  acked {acked}  {rate:.0} deliveries/s",
            self.plan.seconds
        )
    }

    /// Waits for what is under way; gives the newest message of each channel and how many deliveries that
    /// makes. Ends early when nothing is missing, and late when something never comes.
    async fn drain(&self) -> Result<(Vec<u64>, u64), Error> {
        let until = Instant::now() + Duration::from_secs(self.common.drain);
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
        while of(&self.shared.acked) + of(&self.shared.refused) < of(&self.shared.sent)
            && Instant::now() < until
        {
            self.progress.line(|| {
                format!(
                    "waiting for acknowledgements: {} of {}",
                    of(&self.shared.acked),
                    of(&self.shared.sent)
                )
            });
            tokio::time::sleep(LOOK).await;
        }
        let stored = loop {
            match self.stage.stored().await {
                Ok(stored) => break stored,
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        };
        let expected = self.expected(&stored);
        loop {
            let heard = of(&self.shared.heard) + of(&self.shared.skipped);
            if heard >= expected || Instant::now() > until {
                return Ok((stored, expected));
            }
            self.progress.line(|| format!("waiting for deliveries: {heard} of {expected}"));
            tokio::time::sleep(LOOK / 10).await;
        }
    }

    /// How many deliveries the stored messages make to those who read at full pace.
    fn expected(&self, stored: &[u64]) -> u64 {
        let mut devices = vec![0_u64; self.plan.users];
        for seat in self.plan.connections.iter().filter(|s| s.pace == Pace::Full) {
            devices[seat.user] += 1;
        }
        let rooms = self.plan.rooms.iter().zip(&self.ground.channels).zip(stored);
        rooms
            .map(|((room, channel), stored)| {
                let hearers: u64 = room.members.iter().map(|m| devices[*m as usize]).sum();
                stored.saturating_sub(channel.base_seq) * hearers
            })
            .sum()
    }

    fn fail_early(&self) -> Result<(), Error> {
        self.shared.fatal.lock().take().map_or(Ok(()), Err)
    }
}

impl Figures {
    /// What is wrong with the deliveries, over all threads.
    #[must_use]
    pub fn faults(&self) -> Faults {
        let mut sum = Faults::default();
        self.outcomes.iter().for_each(|outcome| sum += outcome.faults);
        sum
    }
}
