//! Rows as lines: one statement a table, whose rows are given as they come.
//!
//! Messages are of both tables, `messages` and the archive of old ones; what retention is about to remove is gone. A
//! thread is where its root is.

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use madang_proto::{UserId, WorkspaceId};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};

use super::{
    columns::{Column, Kind, Table},
    tables::SHARED,
};
use crate::{
    Error, Result, Tx,
    db::counted,
    packed::{ARCHIVED, KEPT},
};

/// Whose rows.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// What is of a user.
    User(UserId),
    /// A workspace.
    Workspace {
        /// Which.
        id: WorkspaceId,
        /// Whether its direct messages and groups go out too.
        direct: bool,
    },
    /// What an owner of a workspace sees of it: public channels and their own private ones.
    Owner {
        /// Of which.
        workspace: WorkspaceId,
        /// Who.
        owner: UserId,
    },
}

/// Lines, each with its line break.
pub type Lines<'a> = BoxStream<'a, Result<Vec<u8>>>;

impl Scope {
    const fn id(self) -> i64 {
        match self {
            Self::User(user) => user.get(),
            Self::Workspace { id, .. } | Self::Owner { workspace: id, .. } => id.get(),
        }
    }

    fn has(self, column: &Column) -> bool {
        let of_one = matches!(self, Self::User(_));
        let stays = of_one && column.shared;
        !stays && !matches!(column.kind, Kind::Key(_))
    }

    /// Which rows of a table, if any of them go out.
    const fn rows(self, table: &Table) -> Option<&'static str> {
        match self {
            Self::User(_) => table.of_user,
            Self::Workspace { .. } | Self::Owner { .. } => table.of_workspace,
        }
    }

    /// A condition in which nothing stands for something else.
    fn fill(self, condition: &str) -> String {
        let of = |table: &str| SHARED.iter().find(|t| t.name == table).and_then(|t| self.rows(t));
        let messages = of("messages").unwrap_or_default();
        let people = format!("SELECT id FROM users WHERE {}", of("users").unwrap_or_default());
        let filled = condition
            .replace("{users}", &people)
            .replace("{messages}", &every_message("id", messages))
            .replace("{kept}", &every_message("author_id, pinned_by", messages));
        match self.channels() {
            Some(which) => filled.replace("{channels}", &channels(&which)),
            None => filled,
        }
    }

    /// Which channels of a workspace go out, besides threads in them.
    fn channels(self) -> Option<String> {
        match self {
            Self::User(_) => None,
            Self::Workspace { direct: true, .. } => Some("workspace_id = $1".to_owned()),
            Self::Workspace { direct: false, .. } => {
                Some("workspace_id = $1 AND kind NOT IN ('dm', 'group')".to_owned())
            }
            Self::Owner { owner, .. } => Some(format!(
                "workspace_id = $1 AND deleted_at IS NULL AND (kind IN ('public', 'thread') OR (kind = 'private' AND
                     id IN (SELECT channel_id FROM channel_members WHERE user_id = {owner} AND left_at IS NULL)))",
                owner = owner.get()
            )),
        }
    }

    /// What is selected of a column.
    fn selected(self, column: &Column) -> String {
        let name = match self {
            Self::Owner { .. } => column.untold.unwrap_or(column.name),
            Self::User(_) | Self::Workspace { .. } => column.name,
        };
        match column.kind {
            Kind::Flag => format!("CASE WHEN {name} THEN 1 ELSE 0 END"),
            _ => name.to_owned(),
        }
    }
}

/// The channels of a workspace that go out. A thread whose root is gone, or about to go, does not.
fn channels(top: &str) -> String {
    let root = |table: &str| {
        format!(
            "EXISTS (SELECT 1 FROM {table} AS root JOIN channels AS home ON home.id = root.channel_id
                     WHERE root.id = channels.root_id AND root.seq >= home.first_seq)"
        )
    };
    let (live, old) = (root("messages"), root("messages_archive"));
    format!(
        "SELECT id FROM channels WHERE {top} AND (parent_id IS NULL OR (
             parent_id IN (SELECT id FROM channels WHERE {top}) AND ({live} OR {old})))"
    )
}

/// Messages, archived or not.
fn every_message(columns: &str, condition: &str) -> String {
    format!(
        "SELECT {columns} FROM messages WHERE {condition} AND {KEPT}
         UNION ALL SELECT {columns} FROM messages_archive AS messages WHERE {condition} AND {ARCHIVED}"
    )
}

/// The rows of a table that are of a scope, in the order of the table; `None` where none of it goes out.
///
/// # Errors
/// The lines end with an error when the database fails.
pub fn lines<'a>(tx: &'a mut Tx, table: &'static Table, scope: Scope) -> Option<Lines<'a>> {
    let condition = scope.rows(table)?;
    let columns: Vec<&'static Column> = table.columns.iter().filter(|column| scope.has(column)).collect();
    let named: Vec<String> = columns.iter().map(|column| scope.selected(column)).collect();
    let (named, order) = (named.join(", "), table.order);
    let rows = match table.name {
        "messages" => every_message(&named, condition),
        name => format!("SELECT {named} FROM {name} WHERE {condition}"),
    };
    // The names are ours, as is the condition.
    let sql = scope.fill(&format!("{rows} ORDER BY {order}"));
    macro_rules! fetch {
        ($c:ident) => {{
            let query = sqlx::query(AssertSqlSafe(sql)).bind(scope.id());
            let rows = counted(query).fetch(&mut **$c);
            rows.map_err(Error::from)
                .map(move |row| {
                    let row = row?;
                    let mut fields = Fields::new();
                    for (place, column) in columns.iter().enumerate() {
                        if column.is_number() {
                            let number: Option<i64> = match column.kind {
                                Kind::Flag => row.try_get::<i32, _>(place).map(|flag| Some(flag.into()))?,
                                _ => row.try_get(place)?,
                            };
                            fields.number(column, number);
                        } else {
                            fields.text(column, row.try_get(place)?);
                        }
                    }
                    fields.line()
                })
                .boxed()
        }};
    }
    Some(match tx {
        Tx::Sqlite(c) => fetch!(c),
        Tx::Postgres(c) => fetch!(c),
    })
}

/// The fields of a line, in the order of the columns.
struct Fields(Vec<u8>);

impl Fields {
    fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    fn number(&mut self, column: &Column, number: Option<i64>) {
        if let Some(number) = number.filter(|number| *number != 0 || !column.zero) {
            self.field(column.name, &column.shown(number));
        }
    }

    fn text(&mut self, column: &Column, text: Option<String>) {
        if let Some(text) = text {
            self.field(column.name, &column.shown_text(text));
        }
    }

    fn field(&mut self, name: &str, value: &Value) {
        let before = if self.0.is_empty() { '{' } else { ',' };
        self.0.extend_from_slice(format!("{before}\"{name}\":{value}").as_bytes());
    }

    fn line(mut self) -> Result<Vec<u8>> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.extend_from_slice(b"}\n");
        Ok(self.0)
    }
}
