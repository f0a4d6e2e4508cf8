//! Authors of messages, kept in memory: pages have few, and mostly the same, and to look them up in the
//! database took longer than to read the messages.
//!
//! Invariants:
//! - What is stored of a user's names never changes, so what is kept stays true. A statement that changes
//!   it has to take the user out of here.
//! - At most [`KEPT`] users.

use std::collections::HashMap;

use madang_proto::{UserId, accounts::UserSummary};
use parking_lot::RwLock;

use crate::{
    Db, Error, Result,
    db::counted,
    kept::ask,
    packed::{Author, summary},
};

/// Most users that are kept; about 200 bytes each.
const KEPT: usize = 16_384;

/// Users who wrote something.
#[derive(Debug, Default)]
pub struct Authors(RwLock<HashMap<UserId, UserSummary>>);

impl Authors {
    /// Those of `ids` who are known, and those who are not.
    fn known(&self, ids: Vec<UserId>) -> (Vec<UserSummary>, Vec<i64>) {
        let (kept, mut missing) = (self.0.read(), Vec::new());
        let known = ids.into_iter().filter_map(|id| {
            let author = kept.get(&id).cloned();
            if author.is_none() {
                missing.push(id.get());
            }
            author
        });
        (known.collect(), missing)
    }

    fn keep(&self, authors: &[UserSummary]) {
        let mut kept = self.0.write();
        if kept.len() + authors.len() > KEPT {
            kept.clear();
        }
        kept.extend(authors.iter().map(|a| (a.id, a.clone())));
    }
}

/// The users with these ids, by id; asks the database for those who are not known.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(db: &Db, mut ids: Vec<UserId>) -> Result<Vec<UserSummary>> {
    const OF_SQLITE: &str = "SELECT id, username, display_name, avatar_url FROM users
                             WHERE id IN (SELECT value FROM json_each($1))";
    const OF_POSTGRES: &str = "SELECT id, username, display_name, avatar_url FROM users WHERE id = ANY($1)";
    ids.sort_unstable();
    ids.dedup();
    let (Db::Sqlite { authors: kept_authors, .. } | Db::Postgres { authors: kept_authors, .. }) = db;
    let (mut authors, missing) = kept_authors.known(ids);
    if missing.is_empty() {
        return Ok(authors);
    }
    let rows: Vec<Author> = match counted(db) {
        Db::Sqlite { kept, .. } => {
            let asked =
                serde_json::to_string(&missing).map_err(|e| Error::Fault(sqlx::Error::Encode(e.into())))?;
            ask!(kept, c => sqlx::query_as(OF_SQLITE).bind(&asked).fetch_all(c))
        }
        Db::Postgres { kept, .. } => ask!(kept, c => sqlx::query_as(OF_POSTGRES).bind(&missing).fetch_all(c)),
    }?;
    let found: Vec<_> = rows.into_iter().map(summary).collect();
    kept_authors.keep(&found);
    authors.extend(found);
    authors.sort_unstable_by_key(|a| a.id);
    Ok(authors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_known_once_they_were_kept_and_stay_bounded() {
        let authors = Authors::default();
        let author = |id: i64| summary((id, format!("guest-{id}"), "손님".to_owned(), None));
        authors.keep(&[author(1), author(2)]);
        let ids = [1, 2, 3].map(UserId::from).to_vec();
        assert_eq!(authors.known(ids), (vec![author(1), author(2)], vec![3]));
        for id in 0..20_000 {
            authors.keep(&[author(id)]);
        }
        assert!(authors.0.read().len() <= KEPT);
    }
}
