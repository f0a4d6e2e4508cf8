//! Lines that came in, as rows: many at a time, with as many statements for a batch as for one row.

use std::collections::{HashMap, HashSet};

use madang_proto::Timestamp;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::columns::{Column, Kind, Table};
use crate::{
    Db, Result, Tx,
    db::{all, execute},
    packed, partitions, profiles,
};

/// A row as it is to be kept: what is in each column of its table, in their order; nothing in those that are derived.
pub type Row = Vec<Value>;

/// Makes room for messages of the time from `oldest` to `newest`, where the database keeps them by time.
///
/// # Errors
/// When the database fails.
pub async fn prepare(db: &Db, oldest: Timestamp, newest: Timestamp) -> Result<()> {
    partitions::ensure_between(db, oldest, newest).await
}

/// Which of these ids a table has.
///
/// # Errors
/// When the database fails.
pub async fn taken(tx: &mut Tx, table: &Table, ids: &[i64]) -> Result<HashSet<i64>> {
    let among = match tx {
        Tx::Sqlite(_) => "SELECT value FROM json_each($1)",
        Tx::Postgres(_) => "SELECT value::bigint FROM json_array_elements_text($1::json)",
    };
    let mut sql = format!("SELECT id FROM {} WHERE id IN ({among})", table.name);
    if table.name == "messages" {
        sql += &format!(" UNION ALL SELECT id FROM messages_archive WHERE id IN ({among})");
    }
    let rows = all!(tx, (i64,), AssertSqlSafe(sql.clone()), packed::text(ids)?)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A user who is here.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their name.
    pub username: String,
    /// Since when they are here.
    pub created_at: Timestamp,
}

/// The users with these ids.
///
/// # Errors
/// When the database fails.
pub async fn people(tx: &mut Tx, ids: &[i64]) -> Result<HashMap<i64, Person>> {
    let among = match tx {
        Tx::Sqlite(_) => "SELECT value FROM json_each($1)",
        Tx::Postgres(_) => "SELECT value::bigint FROM json_array_elements_text($1::json)",
    };
    let sql = format!("SELECT id, username, created_at FROM users WHERE id IN ({among})");
    let rows = all!(tx, (i64, String, i64), AssertSqlSafe(sql.clone()), packed::text(ids)?)?;
    let person = |(id, username, at)| (id, Person { username, created_at: Timestamp::from(at) });
    Ok(rows.into_iter().map(person).collect())
}

/// Which of these values of a column of `users` someone has.
///
/// # Errors
/// When the database fails.
pub async fn taken_names(tx: &mut Tx, column: &'static str, names: &[String]) -> Result<HashSet<String>> {
    let among = match tx {
        Tx::Sqlite(_) => "SELECT value FROM json_each($1)",
        Tx::Postgres(_) => "SELECT value FROM json_array_elements_text($1::json)",
    };
    let sql = format!("SELECT {column} FROM users WHERE {column} IN ({among})");
    let rows = all!(tx, (String,), AssertSqlSafe(sql.clone()), packed::text(names)?)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Begins a transaction that may stand still for as long as it takes to store files.
///
/// # Errors
/// When the database fails.
pub async fn begin(db: &Db) -> Result<Tx> {
    let mut tx = db.begin().await?.unhurried();
    if let Tx::Postgres(_) = tx {
        execute!(&mut tx, "SET LOCAL idle_in_transaction_session_timeout = 0")?;
    }
    Ok(tx)
}

/// Gives profiles that came the next versions, one each, so that whoever asks what changed is told of them.
///
/// # Errors
/// When the database fails.
pub async fn introduce(tx: &mut Tx, users: &[i64]) -> Result<()> {
    let count = i64::try_from(users.len()).unwrap_or(i64::MAX);
    let first = profiles::next_versions(tx, count).await? - count;
    let those = match tx {
        Tx::Sqlite(_) => "SELECT value AS id, key + 1 AS place FROM json_each($1)",
        Tx::Postgres(_) => {
            "SELECT value::bigint AS id, place
             FROM json_array_elements_text($1::json) WITH ORDINALITY AS every (value, place)"
        }
    };
    let sql = format!(
        "UPDATE users SET version = $2 + those.place FROM ({those}) AS those WHERE users.id = those.id"
    );
    execute!(tx, AssertSqlSafe(sql.clone()), packed::text(users)?, first)?;
    Ok(())
}

/// Stores rows.
///
/// # Errors
/// `Conflict` when something of them is there already.
pub async fn insert(tx: &mut Tx, table: &Table, mut rows: Vec<Row>) -> Result<()> {
    for row in &mut rows {
        derive(table, row);
    }
    let sqlite = matches!(tx, Tx::Sqlite(_));
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let values: Vec<String> =
        table.columns.iter().enumerate().map(|(place, column)| value(column, place, sqlite)).collect();
    let from = if sqlite { "json_each($1)" } else { "json_array_elements($1::json) AS rows (value)" };
    // The names are ours; what is stored is bound.
    let sql =
        format!("INSERT INTO {} ({}) SELECT {} FROM {from}", table.name, names.join(", "), values.join(", "));
    let rows = packed::text(&rows)?;
    execute!(tx, AssertSqlSafe(sql.clone()), rows)?;
    Ok(())
}

/// How a value is taken out of its row.
fn value(column: &Column, place: usize, sqlite: bool) -> String {
    match column.kind {
        _ if sqlite => format!("value ->> {place}"),
        Kind::Id(_) | Kind::Number | Kind::Time => format!("(value ->> {place})::bigint"),
        Kind::Flag => format!("(value ->> {place})::boolean"),
        Kind::Text(_) | Kind::Json(_) | Kind::People | Kind::Key(_) => format!("value ->> {place}"),
    }
}

/// Fills in what follows from the rest of a row.
fn derive(table: &Table, row: &mut Row) {
    for (place, column) in table.columns.iter().enumerate() {
        let Kind::Key(of) = column.kind else { continue };
        let text = table.place(of).and_then(|from| row.get(from)?.as_str()).unwrap_or_default();
        let key = madang_proto::input::name_key(text);
        if let Some(kept) = row.get_mut(place) {
            *kept = key.into();
        }
    }
}
