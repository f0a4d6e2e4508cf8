//! Months of messages on PostgreSQL: made ahead, so that there is no DEFAULT partition to get in the
//! way of detaching old ones. SQLite has none.
//!
//! Invariants:
//! - The months of `now` and of the next [`MONTHS_AHEAD`] exist after [`ensure`].
//! - A partition's borders are the smallest ids of its month and of the next.

use madang_proto::{Timestamp, ids};

use crate::{Db, Result};

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

/// Makes the months that are missing from `now` on.
///
/// # Errors
/// When the database fails.
pub async fn ensure(db: &Db, now: Timestamp) -> Result<()> {
    let Db::Postgres { pool, .. } = db else { return Ok(()) };
    let (year, month) = year_month(now);
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    for ahead in 0..=MONTHS_AHEAD {
        let index = year * 12 + (month - 1) + ahead;
        let start = |index: i64| ids::floor_at(first_day(index / 12, index % 12 + 1) * DAY_MS);
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS messages_{:04}_{:02} PARTITION OF messages FOR VALUES FROM ({}) TO ({})",
            index / 12,
            index % 12 + 1,
            start(index),
            start(index + 1)
        );
        // Only numbers of our own stand in this text.
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
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
        }
    }
}
