//! The disk and the databases, with nothing around them.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use madang_store::floor::Floor;

use super::{Flags, Found, Inserts, Pages};
use crate::{
    Error,
    measure::{Latency, samples},
    schedule::micros,
};

const PAGE: i64 = 50;

/// Small writes, each made to last: their latency and how many a second.
pub(super) fn sync(folder: &Path, each: Duration) -> Result<(Latency, f64), Error> {
    let path = folder.join(format!("madang-floor-{}.tmp", std::process::id()));
    let doing = || Error::io(format!("writing {}", path.display()));
    let mut file = File::create(&path).map_err(doing())?;
    let (mut found, begun) = (samples(), Instant::now());
    let result = loop {
        if begun.elapsed() >= each {
            break Ok(());
        }
        let one = Instant::now();
        if let Err(error) = file.write_all(&[b'x'; 4096]).and_then(|()| file.sync_data()) {
            break Err(doing()(error));
        }
        found.saturating_record(micros(one.elapsed()).max(1));
    };
    drop(file);
    drop(fs::remove_file(&path));
    result?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let a_second = found.len() as f64 / begun.elapsed().as_secs_f64();
    Ok((Latency::from(&found), a_second))
}

/// SQLite in a folder of its own, which goes with all that SQLite made of it.
pub(super) async fn sqlite(flags: &Flags, each: Duration, found: &mut Found) -> Result<(), Error> {
    let folder = flags.folder.join(format!("madang-floor-{}", std::process::id()));
    fs::create_dir(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
    let url = format!("sqlite:{}", folder.join("floor.db").display());
    let result = database(&url, flags, each, found).await;
    drop(fs::remove_dir_all(folder));
    result
}

/// Inserts and pages on the database at `url`.
pub(super) async fn database(
    url: &str,
    flags: &Flags,
    each: Duration,
    found: &mut Found,
) -> Result<(), Error> {
    let doing = |doing: &'static str| move |source| Error::Database { doing, source };
    let mut floor = Floor::open(url).await.map_err(doing("opening the database"))?;
    let content = "x".repeat(flags.size.into());
    for rows in &flags.rows {
        let (mut commits, begun, before) = (samples(), Instant::now(), floor.rows());
        while begun.elapsed() < each {
            let one = Instant::now();
            floor.insert(i64::from(*rows), &content).await.map_err(doing("inserting"))?;
            commits.saturating_record(micros(one.elapsed()).max(1));
        }
        let rows_per_second = rate(floor.rows() - before, begun);
        found.inserts.push(Inserts {
            database: floor.name(),
            rows: *rows,
            rows_per_second,
            commit: Latency::from(&commits),
        });
    }
    let (mut pages, mut before, begun) = (0, floor.rows(), Instant::now());
    while begun.elapsed() < each {
        floor.page(before, PAGE).await.map_err(doing("reading a page"))?;
        pages += 1;
        before = if before > PAGE { before - PAGE } else { floor.rows() };
    }
    let pages_per_second = rate(pages, begun);
    found.pages.push(Pages { database: floor.name(), of_rows: floor.rows(), pages_per_second });
    floor.close().await.map_err(doing("removing the table"))
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn rate(n: i64, since: Instant) -> f64 {
    n as f64 / since.elapsed().as_secs_f64()
}
