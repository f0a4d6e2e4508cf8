//! A line of a transfer is looked at: is it what its table takes, and does it fit what came before?

use madang_proto::{Timestamp, ids};
use madang_store::transfer::{Kind, Refers, Row, Table};
use serde_json::{Map, Value};

use super::seen::{Numbers, Seen};

/// Problems that are told; past it there are only more.
const TOLD: usize = 100;
/// References that may wait for what comes later.
const WAITING: usize = 1_000_000;
/// By how much clocks of installations may differ, in milliseconds.
const SKEW: i64 = 60 * 60 * 1_000;

/// Where in a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table of the part.
    pub table: &'static str,
    /// The line.
    pub line: u64,
}

/// What is wrong with a transfer.
#[derive(Debug, Default)]
pub struct Problems {
    told: Vec<String>,
    more: u64,
}

impl Problems {
    /// One with a line.
    pub fn add(&mut self, place: Place, what: impl std::fmt::Display) {
        self.say(format!("{}.jsonl line {}: {what}", place.table, place.line));
    }

    /// One with the whole.
    pub fn say(&mut self, what: String) {
        if self.told.len() < TOLD {
            self.told.push(what);
        } else {
            self.more += 1;
        }
    }

    /// Whether there are so many that reading on is of no use.
    pub fn is_full(&self) -> bool {
        self.more > 0
    }

    /// All of them.
    pub fn into_lines(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more", self.more));
        }
        self.told
    }
}

/// What lines are held against.
#[derive(Debug)]
pub struct Checker {
    pub seen: Seen,
    pub problems: Problems,
    now: Timestamp,
}

impl Checker {
    pub fn new(now: Timestamp) -> Self {
        Self { seen: Seen::default(), problems: Problems::default(), now }
    }

    /// The row of a line, if it can be one.
    pub fn row(&mut self, table: &'static Table, line: u64, text: &[u8]) -> Option<Row> {
        let place = Place { table: table.name, line };
        let fields: Map<String, Value> = match serde_json::from_slice(text) {
            Ok(fields) => fields,
            Err(error) => {
                self.problems.add(place, format!("is not a JSON object: {error}"));
                return None;
            }
        };
        let mut fine = true;
        let known =
            |name: &str| table.columns.iter().any(|c| c.name == name && !matches!(c.kind, Kind::Key(_)));
        if let Some(name) = fields.keys().find(|name| !known(name)) {
            self.problems.add(place, format!("{name:?} is not a field of it; a newer Madang may know it"));
            fine = false;
        }
        let mut row = Row::with_capacity(table.columns.len());
        for column in table.columns {
            if matches!(column.kind, Kind::Key(_)) {
                row.push(Value::Null);
                continue;
            }
            match column.read(fields.get(column.name)) {
                Ok(value) if value.as_str().is_some_and(|text| text.contains('\0')) => {
                    self.problems.add(place, format!("{}: has a character of the number 0", column.name));
                    fine = false;
                    row.push(Value::Null);
                }
                Ok(value) => {
                    if let (Kind::Id(refers), Some(id)) = (column.kind, value.as_i64().filter(|id| *id != 0))
                    {
                        fine &= self.id(refers, id, place, column.name);
                    }
                    row.push(value);
                }
                Err(reason) => {
                    self.problems.add(place, format!("{}: {reason}", column.name));
                    fine = false;
                    row.push(Value::Null);
                }
            }
        }
        (self.fits(table, &row, place) && fine).then_some(row)
    }

    fn id(&mut self, refers: Refers, id: i64, place: Place, column: &'static str) -> bool {
        // Ids that are made from now on come after all that are there.
        if ids::made_at(id) > self.now.millis() + SKEW {
            self.problems.add(place, format!("{column}: {id} is an id of the future"));
            return false;
        }
        self.seen.refer(refers, id, place, column);
        if self.seen.waiting() > WAITING {
            self.problems.add(place, format!("{column}: {id} is not in the transfer"));
            return false;
        }
        true
    }

    /// Whether a row fits the others, and notes what they refer to.
    fn fits(&mut self, table: &'static Table, row: &Row, place: Place) -> bool {
        let number = |column: &str| table.place(column).and_then(|at| row.get(at)?.as_i64());
        let id = number("id").unwrap_or_default();
        let fresh = match table.name {
            "users" => self.seen.users.insert(id),
            "workspaces" => self.seen.workspace.replace(id).is_none(),
            "channels" => {
                let numbers = |n: &str| number(n).unwrap_or_default();
                if !(1..=numbers("last_seq").saturating_add(1)).contains(&numbers("first_seq")) {
                    self.problems.add(place, "first_seq: is neither of its messages nor of the next");
                }
                let numbers = Numbers { seq: numbers("last_seq"), version: numbers("version") };
                self.seen.channels.insert(id, numbers).is_none()
            }
            "messages" => {
                let at = number("channel_id").zip(number("seq"));
                let ordered = self.seen.last.is_none_or(|last| at > Some(last));
                self.seen.last = at.or(self.seen.last);
                if !ordered {
                    self.problems.add(place, "messages are in order of channel_id and seq, each seq once");
                }
                self.seen.messages.insert(id)
            }
            _ => true,
        };
        if !fresh {
            let what =
                if table.name == "workspaces" { "one workspace a transfer" } else { "id: is there twice" };
            self.problems.add(place, what);
        }
        let channel = number("channel_id").and_then(|channel| self.seen.channels.get(&channel)).copied();
        let Some(numbers) = channel else { return fresh };
        let beyond = number("seq") > Some(numbers.seq) || number("version") > Some(numbers.version);
        if beyond {
            self.problems.add(place, "is beyond the last_seq or version of its channel");
        }
        fresh && !beyond
    }
}
