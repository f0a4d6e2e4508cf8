//! Nothing is forgotten: each table and column goes out, or is named as one that stays.

use std::collections::BTreeSet;

use super::*;
use crate::{Db, Options, db::all};

/// A database with all tables, and its folder.
async fn database() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&Options::new(format!("sqlite:{}/db", folder.path().display()))).await.unwrap();
    db.migrate().await.unwrap();
    (db, folder)
}

#[tokio::test]
async fn each_table_and_column_goes_out_or_is_said_to_stay() {
    let (db, _folder) = database().await;
    let tx = &mut db.read().await.unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '_sqlx_%'
                 AND m.name NOT LIKE 'message_words_%'";
    let there: BTreeSet<(String, String)> =
        all!(&mut *tx, (String, String), sql).unwrap().into_iter().collect();
    let mut said = BTreeSet::new();
    for table in tables() {
        for column in table.columns.iter().map(|column| column.name).chain(table.left_out.iter().copied()) {
            assert!(said.insert((table.name.to_owned(), column.to_owned())), "{}.{column} twice", table.name);
        }
    }
    for (table, why) in LEFT_OUT {
        assert!(!why.is_empty() && tables().all(|exported| exported.name != *table), "{table}");
        let columns = there.iter().filter(|(of, _)| of == table).cloned().collect::<Vec<_>>();
        assert!(!columns.is_empty(), "{table} is not there");
        said.extend(columns);
    }
    let missing: Vec<_> = there.difference(&said).collect();
    assert!(missing.is_empty(), "say in transfer/tables.rs what goes out of {missing:?}");
    let gone: Vec<_> = said.difference(&there).collect();
    assert!(gone.is_empty(), "not in the database: {gone:?}");
}

#[test]
fn no_secret_goes_out() {
    for table in tables() {
        for column in table.columns {
            let name = column.name;
            let secret =
                ["hash", "token", "secret", "code", "password"].iter().any(|word| name.contains(word));
            assert!(!secret, "{}.{name}", table.name);
        }
    }
}

#[test]
fn what_is_read_is_what_was_shown() {
    use serde_json::{Value, json};
    let column = |table: &str, name: &str| {
        let table = tables().find(|known| known.name == table).unwrap();
        &table.columns[table.place(name).unwrap()]
    };
    let guest = 0x800;
    assert_eq!(column("users", "id").shown(guest), "guest_2048");
    assert_eq!(column("users", "id").read(Some(&json!("guest_2048"))).unwrap(), guest);
    assert_eq!(column("messages", "created_at").shown(7), "1970-01-01T00:00:00.007Z");
    assert_eq!(column("messages", "created_at").read(Some(&json!("1970-01-01T00:00:00.007Z"))).unwrap(), 7);
    assert_eq!(column("mentions", "user_id").read(None).unwrap(), 0, "everyone");
    let people = column("mentions", "people");
    assert_eq!(people.shown_text("[3,2048]".to_owned()), json!(["3", "guest_2048"]));
    assert_eq!(people.read(Some(&json!(["guest_2048", "3"]))).unwrap(), "[3,2048]");
    let refused: [(&str, &str, Value); 9] = [
        ("users", "id", json!(7)),
        ("users", "username", json!("a\u{202e}b")),
        ("users", "avatar_url", json!("javascript:alert(1)")),
        ("messages", "seq", json!(-1)),
        ("messages", "seq", json!(i64::MAX)),
        ("messages", "created_at", json!("yesterday")),
        ("messages", "content", json!("a".repeat(8_001))),
        ("workspace_members", "role", json!("god")),
        ("files", "name", json!("../../etc/passwd")),
    ];
    for (table, name, said) in refused {
        assert!(column(table, name).read(Some(&said)).is_err(), "{table}.{name} {said}");
    }
    assert!(column("messages", "content").read(None).is_err());
}
