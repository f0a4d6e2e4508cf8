//! Reading back: pages of a channel by cursor, over plain HTTP with kept connections.
//!
//! First the channel is filled through the gateway, then several readers walk from the newest message to
//! the oldest, again and again. Each page is due at its moment, or, with `--rate 0`, as soon as the one
//! before is there. Every page is checked: no message missing, none twice, in order.

use std::{sync::Arc, time::Duration};

use clap::value_parser;
use parking_lot::Mutex;

use super::{WINDOW, members, seats};
use crate::{
    Error, Report,
    check::Faults,
    crew::{self, Crew},
    measure::{Kind, Latency, Measure},
    options::Common,
    pages::{Reader, Walk},
    plan::{Plan, Send},
    proc::Process,
    schedule::Clock,
    setup::Room,
};

/// Messages a second while the channel is filled, which is not what is measured.
const FILL_RATE: u32 = 2_000;
/// Connections that fill it.
const WRITERS: usize = 256;

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Messages in the channel [default: 20000, 2000 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(50..=1_000_000))]
    pub messages: Option<u32>,

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
    let messages = common.or(flags.messages, 20_000, 2_000);
    let seconds = u64::from(messages.div_ceil(FILL_RATE));
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    let rate = f64::from(messages) / seconds as f64;
    Plan {
        scenario: "history",
        users: 16,
        rooms: vec![Room { members: members(0..16), beside: false }],
        connections: seats(WRITERS, 16, 1),
        streams: vec![Send { rooms: 0..1, rate, from: 0, to: seconds, thread: 0 }],
        threads: 2,
        stormy: Vec::new(),
        window: WINDOW,
        seconds,
        turns: Vec::new(),
        phases: Vec::new(),
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
        read(crew, report, Reading { rate, seconds, readers, page }).await
    })
    .await
}

/// How it is read.
struct Reading {
    rate: u32,
    seconds: u64,
    readers: u32,
    page: u32,
}

async fn read(crew: &Crew<'_>, report: &mut Report, reading: Reading) -> Result<(), Error> {
    let clock = Clock::start();
    let walk = Arc::new(Walk {
        server: crew.ground.server,
        host: crew.ground.host.clone(),
        token: crew.stage.tokens[0].clone(),
        channel: crew.ground.channels[0].id,
        newest: crew.ground.channels[0].base_seq + report.stored,
        page: reading.page,
        rate: f64::from(reading.rate) / f64::from(reading.readers),
        length: reading.seconds * 1_000_000,
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
    let threads = (0..reading.readers).map(start).collect::<Result<Vec<_>, _>>()?;
    let panicked = |_| Error::Protocol("a thread of the load generator panicked".to_owned());
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().try_for_each(|thread| thread.join().map_err(panicked)?)
    });
    joined.await.map_err(|e| Error::Protocol(e.to_string()))??;
    let lasted = Duration::from_micros(clock.now()).as_secs_f64();
    let cpu = process.and_then(Process::cpu).zip(before).map(|(after, before)| after.saturating_sub(before));

    let sum = sum.lock();
    let (measure, faults, pages) = &*sum;
    #[expect(clippy::cast_precision_loss, reason = "far fewer pages than 2^52")]
    let pages = *pages as f64;
    let mut note = |name: &str, value: String| report.notes.push((name.to_owned(), value));
    let show = |kind| {
        let Latency { p50_ms, p99_ms, max_ms, .. } = Latency::from(&measure.all(kind));
        format!("{p50_ms:.1} / {p99_ms:.1} / {max_ms:.1} ms")
    };
    note(
        "pages",
        format!("{pages:.0} of {} messages in {lasted:.1} s: {:.0}/s", reading.page, pages / lasted),
    );
    note("page p50 / p99 / max, newer half", show(Kind::Delivery));
    note("page p50 / p99 / max, older half", show(Kind::Beside));
    if let Some(cpu) = cpu {
        let cpu = cpu.as_secs_f64();
        note(
            "server CPU while reading",
            format!(
                "{cpu:.2} s, {:.0} µs a page, {:.0} pages/s per core",
                cpu * 1e6 / pages.max(1.0),
                pages / cpu.max(0.01)
            ),
        );
    }
    note(
        "pages: missing / twice / out of order",
        format!("{} / {} / {}", faults.lost, faults.doubled, faults.disordered),
    );
    report.pages_per_second = Some(pages / lasted);
    report.faults += *faults;
    report.ok &= faults.none();
    Ok(())
}
