//! What a column is in a line of JSON, and what a line may say of it.

use madang_proto::{Timestamp, UserId, input::Reason};
use serde_json::Value;

/// The largest number of a line, the largest that every reader of JSON knows exactly.
const MOST: u64 = 1 << 53;

/// A text as it is stored, or why it cannot be.
pub type Check = fn(&str) -> Result<String, Reason>;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refers {
    /// The row itself.
    Own,
    /// The row itself, which is a user.
    OwnUser,
    /// The workspace of the transfer.
    Workspace,
    /// One of its users.
    User,
    /// One of its channels.
    Channel,
    /// One of its messages.
    Message,
    /// Something that may be gone, or was left out.
    Anything,
}

/// What a column is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An id.
    Id(Refers),
    /// A number that is not negative.
    Number,
    /// A time.
    Time,
    /// True or false.
    Flag,
    /// A text.
    Text(Check),
    /// JSON, which the database keeps as text.
    Json(Check),
    /// Users; the database keeps their numbers, sorted, as JSON.
    People,
    /// In no line: how the text of another column is compared.
    Key(&'static str),
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, in the table and in a line.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether a line may have nothing of it.
    pub optional: bool,
    /// The largest number that it may be.
    pub most: u64,
    /// Whether the database keeps 0 where there is nothing.
    pub zero: bool,
    /// Whether it is of others too: not in what someone gets of themselves.
    pub shared: bool,
    /// What stands in its place in what the owner of a workspace gets, to whom it is not told; in SQL.
    pub untold: Option<&'static str>,
}

impl Column {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: false, most: MOST, zero: false, shared: false, untold: None }
    }

    pub(super) const fn id(name: &'static str, refers: Refers) -> Self {
        Self::new(name, Kind::Id(refers))
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    pub(super) const fn time(name: &'static str) -> Self {
        Self::new(name, Kind::Time)
    }

    pub(super) const fn flag(name: &'static str) -> Self {
        Self::new(name, Kind::Flag)
    }

    pub(super) const fn text(name: &'static str, check: Check) -> Self {
        Self::new(name, Kind::Text(check))
    }

    pub(super) const fn json(name: &'static str, check: Check) -> Self {
        Self { optional: true, ..Self::new(name, Kind::Json(check)) }
    }

    pub(super) const fn people(name: &'static str) -> Self {
        Self { optional: true, ..Self::new(name, Kind::People) }
    }

    pub(super) const fn key(name: &'static str, of: &'static str) -> Self {
        Self::new(name, Kind::Key(of))
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(super) const fn at_most(self, most: u32) -> Self {
        Self { most: most as u64, ..self }
    }

    pub(super) const fn or_zero(self) -> Self {
        Self { optional: true, zero: true, ..self }
    }

    pub(super) const fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    pub(super) const fn untold(self, instead: &'static str) -> Self {
        Self { untold: Some(instead), ..self }
    }

    /// Whether the database keeps a number.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Id(_) | Kind::Number | Kind::Time | Kind::Flag)
    }

    /// What stands in a line of a number of the database.
    pub(super) fn shown(&self, number: i64) -> Value {
        match self.kind {
            Kind::Id(Refers::User | Refers::OwnUser) => UserId::from(number).to_string().into(),
            Kind::Id(_) => number.to_string().into(),
            Kind::Time => Timestamp::from(number).to_string().into(),
            Kind::Flag => (number != 0).into(),
            _ => number.into(),
        }
    }

    /// What stands in a line of a text of the database.
    pub(super) fn shown_text(&self, text: String) -> Value {
        match self.kind {
            // What is no JSON goes out as the text that it is.
            Kind::Json(_) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            Kind::People => {
                let people: Vec<i64> = serde_json::from_str(&text).unwrap_or_default();
                people.into_iter().map(|user| UserId::from(user).to_string()).collect()
            }
            _ => text.into(),
        }
    }

    /// What the database is to keep of what a line says.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(&self, said: Option<&Value>) -> Result<Value, Reason> {
        let refuse = |why: &str| Err(Reason(why.to_owned()));
        let Some(said) = said.filter(|said| !said.is_null()) else {
            return if self.zero {
                Ok(0.into())
            } else if self.optional {
                Ok(Value::Null)
            } else {
                refuse("is missing")
            };
        };
        let text = said.as_str().unwrap_or_default();
        match self.kind {
            Kind::Id(Refers::User | Refers::OwnUser) => match text.parse::<UserId>() {
                Ok(id) => Ok(id.get().into()),
                Err(_) => refuse("is not the id of a user"),
            },
            Kind::Id(_) => match text.parse::<madang_proto::MessageId>() {
                Ok(id) => Ok(id.get().into()),
                Err(_) => refuse("is not an id"),
            },
            Kind::Number => match said.as_u64() {
                Some(number) if number <= self.most => Ok(number.into()),
                _ => refuse(&format!("is not a number from 0 to {}", self.most)),
            },
            Kind::Time => match text.parse::<Timestamp>() {
                Ok(time) if time.millis() >= 0 => Ok(time.millis().into()),
                _ => refuse("is not a time"),
            },
            Kind::Flag if said.is_boolean() => Ok(said.clone()),
            Kind::Flag => refuse("is neither true nor false"),
            Kind::Text(check) if said.is_string() => {
                let stored = check(text)?;
                if stored == text { Ok(stored.into()) } else { refuse("is not in its normal form") }
            }
            Kind::Text(_) => refuse("is not a text"),
            Kind::Json(check) => Ok(check(&said.to_string())?.into()),
            Kind::People => match serde_json::from_value::<Vec<UserId>>(said.clone()) {
                Ok(people) => {
                    let mut people: Vec<i64> = people.into_iter().map(UserId::get).collect();
                    people.sort_unstable();
                    Ok(Value::from(people).to_string().into())
                }
                Err(_) => refuse("is no list of users"),
            },
            Kind::Key(_) => refuse("is in no line"),
        }
    }
}

/// A table, which is a part of a transfer.
#[derive(Debug)]
pub struct Table {
    /// Its name; the part is called `{name}.jsonl`.
    pub name: &'static str,
    /// Its columns, in the order of a line.
    pub columns: &'static [Column],
    /// Columns that stay here.
    pub left_out: &'static [&'static str],
    /// In what order its lines are.
    pub order: &'static str,
    /// Which rows are those of a workspace.
    pub of_workspace: Option<&'static str>,
    /// Which rows are those of a user.
    pub of_user: Option<&'static str>,
}

impl Table {
    /// The place of a column.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// Whether its rows have ids that nothing else may have.
    #[must_use]
    pub fn has_ids(&self) -> bool {
        self.columns.first().is_some_and(|c| c.name == "id")
    }
}
