//! Authors of messages, kept in memory: pages have few, and mostly the same, and to look them up in the
//! database took longer than to read the messages.
//!
//! Invariants:
//! - A change of how a user shows takes them out of here once it is stored ([`Db::forget_authors`]). What was read
//!   from the database before that is not kept after it.
//! - At most [`KEPT`] users.

use std::{collections::HashMap, sync::Arc};

use madang_proto::{UserId, accounts::UserSummary};
use parking_lot::RwLock;

use crate::{
    Db, Result,
    db::counted,
    kept::ask,
    packed::{Author, summary, text},
};

/// Most users that are kept; about 200 bytes each.
const KEPT: usize = 16_384;

/// Users who wrote something.
#[derive(Debug, Default)]
pub struct Authors(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<UserId, Arc<UserSummary>>,
    /// Grows whenever someone is taken out.
    changes: u64,
}

impl Authors {
    /// Those of `ids` who are known, those who are not, and how many changes there were.
    fn known(&self, ids: Vec<UserId>) -> (Vec<Arc<UserSummary>>, Vec<i64>, u64) {
        let (inner, mut missing) = (self.0.read(), Vec::new());
        let known = ids.into_iter().filter_map(|id| {
            let author = inner.kept.get(&id).cloned();
            if author.is_none() {
                missing.push(id.get());
            }
            author
        });
        (known.collect(), missing, inner.changes)
    }

    /// Keeps what was read when there were so many changes, unless there was one more since.
    fn keep(&self, authors: &[Arc<UserSummary>], changes: u64) {
        let mut inner = self.0.write();
        if inner.changes != changes {
            return;
        }
        if inner.kept.len() + authors.len() > KEPT {
            inner.kept.clear();
        }
        inner.kept.extend(authors.iter().map(|a| (a.id, Arc::clone(a))));
    }

    fn forget(&self, id: UserId) {
        let mut inner = self.0.write();
        inner.kept.remove(&id);
        inner.changes += 1;
    }
}

impl Db {
    /// Forgets how these users show, because that changed.
    pub fn forget_authors(&self, ids: impl IntoIterator<Item = UserId>) {
        let (Self::Sqlite { authors, .. } | Self::Postgres { authors, .. }) = self;
        ids.into_iter().for_each(|id| authors.forget(id));
    }

    /// Forgets how everyone shows: nobody knows what changed.
    pub fn forget_all_authors(&self) {
        let (Self::Sqlite { authors, .. } | Self::Postgres { authors, .. }) = self;
        let mut inner = authors.0.write();
        inner.kept.clear();
        inner.changes += 1;
    }
}

/// The users with these ids, by id; asks the database for those who are not known.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(db: &Db, mut ids: Vec<UserId>) -> Result<Vec<Arc<UserSummary>>> {
    const OF_SQLITE: &str = "SELECT id, username, display_name, avatar_url FROM users
                             WHERE id IN (SELECT value FROM json_each($1))";
    const OF_POSTGRES: &str = "SELECT id, username, display_name, avatar_url FROM users WHERE id = ANY($1)";
    ids.sort_unstable();
    ids.dedup();
    let (Db::Sqlite { authors: kept_authors, .. } | Db::Postgres { authors: kept_authors, .. }) = db;
    let (mut authors, missing, changes) = kept_authors.known(ids);
    if missing.is_empty() {
        return Ok(authors);
    }
    let rows: Vec<Author> = match counted(db) {
        Db::Sqlite { kept, .. } => {
            let asked = text(&missing)?;
            ask!(kept, c => sqlx::query_as(OF_SQLITE).bind(&asked).fetch_all(c))
        }
        Db::Postgres { kept, .. } => ask!(kept, c => sqlx::query_as(OF_POSTGRES).bind(&missing).fetch_all(c)),
    }?;
    let found: Vec<_> = rows.into_iter().map(summary).map(Arc::new).collect();
    kept_authors.keep(&found, changes);
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
        let author = |id: i64| Arc::new(summary((id, format!("guest-{id}"), "손님".to_owned(), None)));
        authors.keep(&[author(1), author(2)], 0);
        let ids = [1, 2, 3].map(UserId::from).to_vec();
        assert_eq!(authors.known(ids), (vec![author(1), author(2)], vec![3], 0));
        for id in 0..20_000 {
            authors.keep(&[author(id)], 0);
        }
        assert!(authors.0.read().kept.len() <= KEPT);
    }

    #[test]
    fn what_was_read_before_someone_changed_is_not_kept_after_it() {
        let authors = Authors::default();
        let author = |name: &str| Arc::new(summary((1, "jimin".to_owned(), name.to_owned(), None)));
        authors.keep(&[author("old")], 0);
        let (.., early) = authors.known(Vec::new());
        authors.forget(1.into());
        authors.keep(&[author("old")], early);
        let (known, missing, changes) = authors.known(vec![1.into()]);
        assert_eq!((known, missing), (vec![], vec![1]));
        authors.keep(&[author("new")], changes);
        assert_eq!(authors.known(vec![1.into()]).0, [author("new")]);
    }
}
