//! Reading back: pages of a channel by cursor, over plain HTTP with kept connections.
//!
//! First the channel is filled through the gateway, then several readers walk from the newest message to
//! the oldest, again and again. Each page is due at its moment, or, with `--rate 0`, as soon as the one
//! before is there. Every page is checked: no message missing, none twice, in order.

use std::{sync::Arc, time::Duration};

use clap::value_parser;
use parking_lot::Mutex;

use super::{members, seats};
use crate::{
    Error, Report,
    check::Faults,
    crew::{self, Crew},
    measure::Measure,
    options::Common,
    pages::{Reader, Walk},
    plan::{Plan, Send},
    proc::Process,
    report::reading::{Found, Reading},
    schedule::Clock,
    setup::Room,
};

/// Connections that fill the channel; each hears it too, so more of them slow the filling down.
const WRITERS: usize = 32;

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Messages in the channel [default: 1000000, 2000 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(50..=2_000_000))]
    pub messages: Option<u32>,

    /// Messages a second while the channel is filled, which is not what is measured.
    #[arg(long, default_value_t = 8_000, value_parser = value_parser!(u32).range(1..=50_000))]
    pub fill_rate: u32,

    /// Connections that read.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=256))]
    pub readers: u32,

    /// Pages a second, over all readers; 0 is as fast as it goes [default: 500, 100 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(0..=100_000))]
    pub rate: Option<u32>,

    /// Messages of a page.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=100))]
    pub page: u32,
}

/// The run that fills the channel.
fn fill(flags: &Flags, common: &Common) -> Plan {
    let messages = common.or(flags.messages, 1_000_000, 2_000);
    let seconds = u64::from(messages.div_ceil(flags.fill_rate));
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    let rate = f64::from(messages) / seconds as f64;
    Plan {
        users: 16,
        rooms: vec![Room { members: members(0..16), beside: false }],
        connections: seats(WRITERS, 16, 1, WRITERS),
        streams: vec![Send { rooms: 0..1, rate, from: 0, to: seconds, thread: 0 }],
        ..Plan::new("history", seconds, 1)
    }
}

/// Fills and reads.
///
/// # Errors
/// When it could not be run; what it found is in the report.
pub async fn run(flags: &Flags, common: &Common) -> Result<Report, Error> {
    let rate = common.or(flags.rate, 500, 100);
    let seconds = common.or(common.seconds, 20, 5);
    let (readers, page) = (flags.readers, flags.page);
    crew::run_then(common, fill(flags, common), async |crew, report| {
        read(crew, report, How { rate, seconds, readers, page }).await
    })
    .await
}

/// How it is read.
struct How {
    rate: u32,
    seconds: u64,
    readers: u32,
    page: u32,
}

async fn read(crew: &Crew<'_>, report: &mut Report, how: How) -> Result<(), Error> {
    crew.stage.indexed().await?;
    let clock = Clock::start();
    let walk = Arc::new(Walk {
        server: crew.ground.servers[0],
        host: crew.ground.host.clone(),
        token: crew.stage.tokens[0].clone(),
        channel: crew.ground.channels[0].id,
        newest: crew.ground.channels[0].base_seq + report.stored,
        page: how.page,
        rate: f64::from(how.rate) / f64::from(how.readers),
        length: how.seconds * 1_000_000,
        clock,
    });
    let process = crew.process;
    let before = process.and_then(Process::cpu);
    let sum = Arc::new(Mutex::new((Measure::new(walk.length), Faults::default(), 0_u64)));
    let start = |n: u32| {
        let (walk, sum) = (walk.clone(), sum.clone());
        let work = move || -> Result<(), Error> {
            let mut reader = Reader::connect(walk, n)?;
            reader.run()?;
            let mut sum = sum.lock();
            sum.0.merge(&reader.measure);
            sum.1 += reader.faults;
            sum.2 += reader.pages;
            Ok(())
        };
        std::thread::Builder::new()
            .name(format!("read-{n}"))
            .spawn(work)
            .map_err(Error::io("starting a thread"))
    };
    let threads = (0..how.readers).map(start).collect::<Result<Vec<_>, _>>()?;
    let panicked = |_| Error::Protocol("a thread of the load generator panicked".to_owned());
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().try_for_each(|thread| thread.join().map_err(panicked)?)
    });
    joined.await.map_err(|e| Error::Protocol(e.to_string()))??;
    let lasted = Duration::from_micros(clock.now()).as_secs_f64();
    let cpu = process.and_then(Process::cpu).zip(before).map(|(after, before)| after.saturating_sub(before));

    let sum = sum.lock();
    let (measure, faults, pages) = &*sum;
    report.reading = Some(Reading::new(&Found { pages: *pages, lasted, cpu, measure, faults: *faults }));
    report.faults += *faults;
    report.ok &= faults.none();
    Ok(())
}
