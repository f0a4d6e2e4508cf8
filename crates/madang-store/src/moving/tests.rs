//! Nothing is forgotten: each table moves, or is named as one that does not.

use std::collections::BTreeSet;

use super::*;
use crate::{
    Db, Options,
    db::{all, execute},
};

async fn database() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&Options::new(format!("sqlite:{}/db", folder.path().display()))).await.unwrap();
    db.migrate().await.unwrap();
    (db, folder)
}

#[tokio::test]
async fn each_table_moves_or_is_said_not_to_after_those_that_it_refers_to() {
    let (db, _folder) = database().await;
    let tx = &mut db.read().await.unwrap();
    let sql = "SELECT name FROM (SELECT name, type FROM main.sqlite_schema
                                 UNION ALL SELECT name, type FROM archive.sqlite_schema) AS every
               WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'message_words_%'";
    let there: BTreeSet<String> =
        all!(&mut *tx, (String,), sql).unwrap().into_iter().map(|row| row.0).collect();
    let said: Vec<&str> = MOVED.iter().copied().chain(LEFT_OUT.iter().map(|(name, _)| *name)).collect();
    let once: BTreeSet<String> = said.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(once.len(), said.len(), "one is said twice");
    assert_eq!(there, once, "say in moving/mod.rs whether a table moves");
    assert!(LEFT_OUT.iter().all(|(_, why)| !why.is_empty()));
    let sql = "SELECT m.name, f.\"table\" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
               WHERE m.type = 'table'";
    for (table, of) in all!(&mut *tx, (String, String), sql).unwrap() {
        let place = |name: &str| MOVED.iter().position(|known| *known == name).unwrap();
        assert!(place(&of) < place(&table), "{table} refers to {of}");
    }
}

#[tokio::test]
async fn each_row_comes_once_in_batches_and_archived_ones_as_they_count() {
    let (db, folder) = database().await;
    let mut tx = db.begin().await.unwrap();
    let insert = "INSERT INTO message_nonces (author_id, nonce, message_id)
                  SELECT value / 10, 'n' || (value % 10), value FROM json_each('[' || $1 || ']')";
    let numbers = (0..25).map(|n: i64| n.to_string()).collect::<Vec<_>>().join(",");
    execute!(&mut tx, insert, numbers).unwrap();
    tx.commit().await.unwrap();
    let url = format!("sqlite:{}/db", folder.path().display());
    let mut source = Source::open(&Options::new(url)).await.unwrap();
    let column = |name: &str| Column { name: name.to_owned(), kind: "bigint".to_owned() };
    let columns = ["author_id", "nonce", "message_id"].map(column).to_vec();
    let table = Table { name: "message_nonces", columns, keys: 2 };
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let rows = source.rows(&table, after.as_deref(), 7).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(table.key_of(&read(last).unwrap()).unwrap());
        seen.extend(read_all(&rows).unwrap().into_iter().map(|row| row[2].as_i64().unwrap()));
    }
    assert_eq!(seen, (0..25).collect::<Vec<_>>());
}

#[test]
fn a_difference_is_named_and_not_shown() {
    let column = |name: &str| Column { name: name.to_owned(), kind: "text".to_owned() };
    let table = Table { name: "users", columns: ["id", "password_hash"].map(column).to_vec(), keys: 1 };
    let row = |hash: &str| vec![Value::from(7), Value::from(hash)];
    assert!(table.compare(&[row("a")], &[row("a")]).is_ok());
    let other = table.compare(&[row("a")], &[row("secret")]).unwrap_err().to_string();
    assert!(
        other.starts_with("users [7]: password_hash is another in the target") && !other.contains("secret")
    );
    assert!(table.compare(&[row("a")], &[]).unwrap_err().to_string().contains("is missing in the target"));
}
