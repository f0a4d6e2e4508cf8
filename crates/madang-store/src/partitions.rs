//! Months of messages on PostgreSQL: made ahead, so that there is no DEFAULT partition to get in the
//! way of detaching old ones. SQLite has none.
//!
//! Invariants:
//! - The months of `now` and of the next [`MONTHS_AHEAD`] exist after [`ensure`].
//! - A partition's borders are the smallest ids of its month and of the next.

use madang_proto::{Timestamp, ids};

use crate::{Db, Result, bounded::PgTx};

/// Months made ahead of the present one.
pub const MONTHS_AHEAD: i64 = 3;
/// Key of the advisory lock that lets one node at a time make partitions.
const LOCK: i64 = 0x6d61_6461_6e67;
const DAY_MS: i64 = 86_400_000;

/// Days from 1970-01-01 to the first of a month (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
const fn first_day(year: i64, month: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

fn year_month(now: Timestamp) -> (i64, i64) {
    let text = now.to_string();
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse().ok()).unwrap_or(1);
    (number(0..4), number(5..7))
}

/// The month of a time, counted from the year 0.
pub(crate) fn month_of(now: Timestamp) -> i64 {
    let (year, month) = year_month(now);
    year * 12 + (month - 1)
}

/// The smallest id of a month.
pub(crate) fn start(month: i64) -> i64 {
    ids::floor_at(first_day(month / 12, month % 12 + 1) * DAY_MS)
}

/// What a month is called, as in `2026_01`.
pub(crate) fn name(month: i64) -> String {
    format!("{:04}_{:02}", month / 12, month % 12 + 1)
}

/// The month that is called so.
pub(crate) fn named(name: &str) -> Option<i64> {
    let (year, month) = name.split_once('_')?;
    let (year, month): (i64, i64) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some(year * 12 + month - 1)
}

/// Makes the months that are missing from `now` on.
///
/// # Errors
/// When the database fails.
pub async fn ensure(db: &Db, now: Timestamp) -> Result<()> {
    let first = month_of(now);
    ensure_months(db, first..=first + MONTHS_AHEAD).await
}

/// Makes the months that are missing from that of `oldest` to that of `newest`.
///
/// # Errors
/// When the database fails.
pub async fn ensure_between(db: &Db, oldest: Timestamp, newest: Timestamp) -> Result<()> {
    ensure_months(db, month_of(oldest)..=month_of(newest)).await
}

async fn ensure_months(db: &Db, months: std::ops::RangeInclusive<i64>) -> Result<()> {
    let Db::Postgres { pool, pulse, .. } = db else { return Ok(()) };
    let mut tx = PgTx::begin(pool, pulse).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut tx).await?;
    let old = archived_below(&mut tx).await?;
    for month in months {
        let table = if start(month) < old { "messages_archive" } else { "messages" };
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS messages_{} PARTITION OF {table} FOR VALUES FROM ({}) TO ({})",
            name(month),
            start(month),
            start(month + 1)
        );
        // Only numbers of our own stand in this text.
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Below which id messages are archived: `messages_late` has a place there for those that came back.
async fn archived_below(c: &mut PgTx) -> Result<i64> {
    let bound: Option<Option<String>> = sqlx::query_scalar(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = to_regclass('messages_late')",
    )
    .fetch_optional(c)
    .await?;
    let end = bound.flatten().and_then(|bound| bound.rsplit_once("TO (").map(|(_, end)| end.to_owned()));
    let digits = end.map(|end| end.chars().filter(char::is_ascii_digit).collect::<String>());
    Ok(digits.and_then(|digits| digits.parse().ok()).unwrap_or(i64::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_where_the_calendar_says() {
        for (year, month, text) in [
            (2026, 11, "2026-11-01T00:00:00.000Z"),
            (2027, 1, "2027-01-01T00:00:00.000Z"),
            (2028, 3, "2028-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from(first_day(year, month) * DAY_MS).to_string(), text);
            assert_eq!(year_month(text.parse().unwrap()), (year, month));
            let index = month_of(text.parse().unwrap());
            assert_eq!(
                (named(&name(index)), start(index)),
                (Some(index), ids::floor_at(first_day(year, month) * DAY_MS))
            );
        }
    }
}
