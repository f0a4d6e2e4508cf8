//! `docs/protocol.md` is true: its examples are executed in their order against a real server, and its
//! tables are compared with the code.
//!
//! How: every fenced block is a step. `http-request` and `ws-send` do something, `http-answer`,
//! `ws-receive` and `ws-close` say what must come of it. `{{name}}` is bound to the text that stands there
//! the first time and filled in from then on.
//!
//! Invariants:
//! - What comes must have the fields of the example and no others, so the document stays complete.
//! - Every route, command and event has an example; a kind of block that is not known is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use madang_client::{
    Incoming, RawResponse, RawSocket,
    proto::{
        Timestamp,
        channels::ChannelKind,
        close::{CloseCode, may_return},
        command,
        error::ErrorCode,
        event::ServerFrame,
        permissions::{self, ChannelPermission, InChannel, Role, Verdict, WorkspacePermission},
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    openapi::{check_answer, check_body, check_frame, operations, types_of, words_of},
    support::{PATIENCE, TestServer, on_both},
};

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");
const LIMITS: &str = include_str!("../../../madang-proto/src/limits.rs");
const RATE_LIMITS: &str = include_str!("../../src/ratelimit.rs");

on_both! {
    async fn every_example_works(s: TestServer) {
        let mut story = Story::of(&s.url);
        for block in blocks() {
            eprintln!("docs/protocol.md:{} {} {}", block.line, block.kind, block.who);
            // What was said is found a moment later.
            if ["GET /api/v1/messages/search", "GET /health"].iter().any(|asked| block.text.starts_with(asked)) {
                s.indexed().await;
                s.kept_up().await;
            }
            story.step(&block).await;
        }
        story.told_everything();
    }
}

/// A fenced block.
struct Block {
    kind: &'static str,
    who: &'static str,
    text: &'static str,
    line: usize,
}

fn blocks() -> Vec<Block> {
    let (mut blocks, mut open, mut offset) = (Vec::new(), None, 0);
    for (line, text) in (1..).zip(DOCUMENT.split_inclusive('\n')) {
        let (begin, end) = (offset, offset + text.len());
        offset = end;
        let Some(info) = text.trim_end().strip_prefix("```") else { continue };
        open = match open {
            None => Some((info, end, line)),
            Some((info, from, line)) => {
                let (kind, who) = info.split_once(' ').unwrap_or((info, ""));
                blocks.push(Block { kind, who, text: DOCUMENT[from..begin].trim_end(), line });
                None
            }
        };
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What was bound, sent and received so far.
struct Story {
    url: String,
    bound: HashMap<String, String>,
    answer: Option<(&'static Value, RawResponse)>,
    connections: HashMap<String, Connection>,
    requested: BTreeSet<(String, String)>,
    sent: BTreeSet<String>,
    received: BTreeSet<String>,
}

/// A connection, and the frames that no example took yet.
struct Connection {
    socket: RawSocket,
    frames: Vec<Value>,
    closed: Option<Option<u16>>,
}

impl Story {
    fn of(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            bound: HashMap::new(),
            answer: None,
            connections: HashMap::new(),
            requested: BTreeSet::new(),
            sent: BTreeSet::new(),
            received: BTreeSet::new(),
        }
    }

    async fn step(&mut self, block: &Block) {
        let text = fill(block.text, &self.bound);
        match block.kind {
            "http-request" => self.request(&text).await,
            "http-answer" => self.answered(&text),
            "ws-open" => {
                let (path, token, _) = head(&text);
                let address = self.url.replace("http://", "ws://") + path.strip_prefix("GET ").unwrap();
                let socket = RawSocket::open(&address, token).await.unwrap();
                let connection = Connection { socket, frames: Vec::new(), closed: None };
                self.connections.insert(block.who.to_owned(), connection);
            }
            "ws-send" => self.send(block.who, &text).await,
            "ws-receive" => {
                for expected in values(&text).unwrap() {
                    self.receive(block.who, &expected).await;
                }
            }
            "ws-close" => self.closed(block.who, &text).await,
            "ws-form" => {
                let frame: ServerFrame = serde_json::from_str(&text).unwrap();
                let form: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(serde_json::to_value(&frame).unwrap(), form);
                // The server has no occasion to send it in this story, so its form is all there is to check.
                let kind = form["type"].as_str().unwrap();
                assert!(["RESYNC", "ONLINE"].contains(&kind), "what can be received must be received");
                self.received.insert(kind.to_owned());
            }
            other => panic!("docs/protocol.md:{}: no such kind of block: {other:?}", block.line),
        }
    }

    async fn request(&mut self, text: &str) {
        assert!(!text.contains("{{"), "a request with something that has no value yet:\n{text}");
        let (line, token, headers) = head(text);
        let (method, path) = line.split_once(' ').unwrap();
        let template = template_of(method, path.split('?').next().unwrap());
        let operation = operations()[&template];
        let method: Method = method.parse().unwrap();
        let body = text.split_once("\n\n").map(|(_, body)| body);
        let answer = if headers.is_empty() {
            let body = body.map(|body| serde_json::from_str::<Value>(body).unwrap());
            let fits = check_body(operation, body.as_ref());
            let http = madang_client::Http::new(&self.url).unwrap();
            let http = token.map_or(http.clone(), |token| http.with_token(token));
            let answer = http.request(method, path, body.as_ref()).await.unwrap();
            assert!(fits.is_ok() || answer.status == 422, "{line}: taken, though {fits:?}");
            answer
        } else {
            // A body that is not JSON stands there as it is.
            let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let request = token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token));
            let answer = request.body(raw(body.unwrap_or_default())).send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
            RawResponse { status, headers, json }
        };
        self.answer = Some((operation, answer));
        self.requested.insert(template);
    }

    fn answered(&mut self, text: &str) {
        let (operation, answer) = self.answer.take().unwrap();
        assert_eq!(check_answer(operation, answer.status, &answer.json), Ok(()));
        let (top, body) = text.split_once("\n\n").unwrap_or((text, "null"));
        let mut lines = top.lines();
        assert_eq!(answer.status.to_string(), lines.next().unwrap(), "{}", answer.json);
        for header in lines {
            let (name, value) = header.split_once(':').unwrap();
            let actual = answer.headers.get(name).unwrap_or_else(|| panic!("no header {name}"));
            let actual = actual.to_str().unwrap();
            match value.trim().split_once("{{") {
                Some((before, named)) => {
                    let named = json!(format!("{{{{{named}"));
                    let rest =
                        json!(actual.strip_prefix(before).unwrap_or_else(|| panic!("{name}: {actual}")));
                    bind(&named, &rest, name, &mut self.bound).unwrap();
                }
                None => assert_eq!(actual, value.trim(), "{name}"),
            }
        }
        let expected: Value = serde_json::from_str(body).unwrap();
        if let Err(difference) = bind(&expected, &answer.json, "", &mut self.bound) {
            panic!("{difference}\nanswer: {:#}", answer.json);
        }
    }

    async fn send(&mut self, who: &str, text: &str) {
        assert!(!text.contains("{{"), "a frame with something that has no value yet:\n{text}");
        let socket = &mut self.connections.get_mut(who).unwrap().socket;
        let Ok(frames) = values(text) else { return socket.send_text(text).await.unwrap() };
        for frame in frames {
            let kind = frame["type"].as_str().unwrap();
            assert_eq!(check_frame("Command", &frame).is_ok(), command::TYPES.contains(&kind), "{frame}");
            self.sent.insert(kind.to_owned());
            socket.send_text(frame.to_string()).await.unwrap();
        }
    }

    /// Waits for the frame; others stay for later examples.
    async fn receive(&mut self, who: &str, expected: &Value) {
        let connection = self.connections.get_mut(who).unwrap();
        let mut looked_at = 0;
        loop {
            for (place, frame) in connection.frames.iter().enumerate().skip(looked_at) {
                let mut bound = self.bound.clone();
                if bind(expected, frame, "", &mut bound).is_ok() {
                    self.bound = bound;
                    self.received.insert(expected["type"].as_str().unwrap().to_owned());
                    connection.frames.remove(place);
                    return;
                }
            }
            looked_at = connection.frames.len();
            if !connection.hear().await {
                let differences: Vec<_> = (connection.frames.iter())
                    .filter(|frame| frame["type"] == expected["type"])
                    .filter_map(|frame| bind(expected, frame, "", &mut self.bound.clone()).err())
                    .collect();
                panic!(
                    "{who} did not hear {expected:#}\nbut {differences:#?}\namong {:#?}",
                    connection.frames
                );
            }
        }
    }

    async fn closed(&mut self, who: &str, text: &str) {
        let (number, reason) = text.split_once(' ').unwrap();
        let code = CloseCode::ALL.into_iter().find(|c| c.number().to_string() == number).unwrap();
        assert_eq!(reason, code.reason());
        let mut connection = self.connections.remove(who).unwrap();
        while connection.hear().await {}
        assert_eq!(connection.closed, Some(Some(code.number())), "{who}");
    }

    fn told_everything(&self) {
        let expected: BTreeSet<_> = operations().into_keys().collect();
        assert_eq!(self.requested, expected, "routes with an example, and routes");
        assert_eq!(types_of("Command"), command::TYPES.map(str::to_owned).into());
        assert!(self.sent.is_superset(&types_of("Command")), "commands with an example: {:?}", self.sent);
        assert_eq!(self.received, types_of("Event"), "events with an example, and events");
    }
}

impl Connection {
    /// Takes in the next frame. False when the connection is closed or nothing comes.
    async fn hear(&mut self) -> bool {
        match timeout(PATIENCE, self.socket.next_frame()).await {
            Ok(Incoming::Frame(frame)) => {
                let frame = serde_json::to_value(*frame).unwrap();
                assert_eq!(check_frame("Event", &frame), Ok(()));
                self.frames.push(frame);
            }
            Ok(Incoming::Unknown(text)) => panic!("not a frame of this protocol: {text}"),
            Ok(Incoming::Closed(code)) => self.closed = Some(code),
            Err(_) => return false,
        }
        self.closed.is_none()
    }
}

/// The first line of a request, its token and its other headers.
fn head(text: &str) -> (&str, Option<&str>, Vec<(&str, &str)>) {
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let first = lines.next().unwrap();
    let (tokens, headers): (Vec<_>, Vec<_>) =
        lines.map(|line| line.split_once(": ").unwrap()).partition(|(name, _)| *name == "Authorization");
    let token = tokens.first().map(|(_, value)| value.strip_prefix("Bearer ").unwrap());
    (first, token, headers)
}

/// A body as it is sent: its lines, and the bytes that some stand for.
fn raw(body: &str) -> Vec<u8> {
    let line = |line: &str| match line.strip_prefix("base64:") {
        Some(coded) => BASE64_STANDARD.decode(coded).unwrap(),
        None => line.as_bytes().to_vec(),
    };
    body.split('\n').map(line).collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn values(text: &str) -> serde_json::Result<Vec<Value>> {
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

/// Fills in what is bound.
fn fill(text: &str, bound: &HashMap<String, String>) -> String {
    let mut pieces = text.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap();
        match bound.get(name) {
            Some(value) => filled.push_str(value),
            None => filled.extend(["{{", name, "}}"]),
        }
        filled.push_str(rest);
    }
    filled
}

/// Compares what came with the example, and binds the names that have no value yet.
fn bind(
    expected: &Value,
    actual: &Value,
    place: &str,
    bound: &mut HashMap<String, String>,
) -> Result<(), String> {
    let differs = || Err(format!("at {place:?}: expected {expected}, got {actual}"));
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(got)) => {
            if !wanted.keys().eq(got.keys()) {
                let (wanted, got): (Vec<_>, Vec<_>) = (wanted.keys().collect(), got.keys().collect());
                return Err(format!("at {place:?}: expected the fields {wanted:?}, got {got:?}"));
            }
            wanted
                .iter()
                .try_for_each(|(key, value)| bind(value, &got[key], &format!("{place}/{key}"), bound))
        }
        (Value::Array(wanted), Value::Array(got)) => {
            let open = wanted.last().is_some_and(|last| last == "{{more}}");
            let named = wanted.len() - usize::from(open);
            if got.len() < named || (got.len() > named && !open) {
                return differs();
            }
            (wanted[..named].iter().zip(got).enumerate())
                .try_for_each(|(n, (wanted, got))| bind(wanted, got, &format!("{place}/{n}"), bound))
        }
        (Value::String(wanted), Value::String(got)) => {
            let name = wanted.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            let fits = match name {
                None => wanted == got,
                Some("any") => true,
                Some("time") => got.parse::<Timestamp>().is_ok_and(|time| time.to_string() == *got),
                Some(name) => bound.entry(name.to_owned()).or_insert_with(|| got.clone()) == got,
            };
            if fits { Ok(()) } else { differs() }
        }
        _ if expected == actual => Ok(()),
        _ => differs(),
    }
}

/// The operation that a path belongs to: the one with the fewest parameters.
fn template_of(method: &str, path: &str) -> (String, String) {
    let fits = |template: &str| {
        let (pieces, parts) = (path.split('/'), template.split('/'));
        pieces.clone().count() == parts.clone().count()
            && pieces.zip(parts).all(|(piece, part)| piece == part || part.starts_with('{'))
    };
    let fitting = operations().into_keys().filter(|(m, template)| m == method && fits(template));
    let best = fitting.min_by_key(|(_, template)| template.matches('{').count());
    best.unwrap_or_else(|| panic!("no route for {method} {path}"))
}

/// The rows of the table whose first header cell this is, without backticks.
fn table(first: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with('|') || cells(line)[0] != first);
    let rows: Vec<_> = lines.skip(2).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "no table of {first}");
    rows
}

#[test]
fn the_table_of_routes_is_the_openapi_document() {
    let written = |row: &Vec<String>| {
        let base = if row[1].starts_with("/health") { "" } else { "/api/v1" };
        (row[0].clone(), format!("{base}{}", row[1]))
    };
    let rows = table("Method");
    let operations = operations();
    let listed: BTreeSet<_> = rows.iter().map(written).collect();
    assert_eq!(listed, operations.keys().cloned().collect());
    assert_eq!(rows.len(), listed.len(), "a route stands there twice");
    for row in &rows {
        let operation = &operations[&written(row)];
        let body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let body: Vec<_> = body.iter().map(|name| name.rsplit('/').next().unwrap().to_owned()).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned());
        let takes: BTreeSet<_> = body.into_iter().chain(query).collect();
        assert_eq!(takes, row[2].split_whitespace().map(str::to_owned).collect(), "{row:?}");

        let mut answers = BTreeSet::new();
        for (status, response) in operation["responses"].as_object().unwrap() {
            // The errors are those of all routes of the kind.
            if status != "default" && response.get("$ref").is_none() {
                let schema = response["content"]["application/json"]["schema"]["$ref"].as_str();
                let schema = schema.map_or("", |name| name.rsplit('/').next().unwrap()).replace('_', " of ");
                answers.insert(format!("{status} {schema}").trim().to_owned());
            }
        }
        let (statuses, schema) =
            row[3].split_at(row[3].find(|c: char| c.is_uppercase()).unwrap_or(row[3].len()));
        let listed =
            statuses.split(" or ").map(|status| format!("{} {schema}", status.trim()).trim().to_owned());
        assert_eq!(answers, listed.collect(), "{row:?}");
    }
}

#[test]
fn the_table_of_errors_is_complete() {
    let listed: BTreeMap<_, _> =
        table("code").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let known = words_of("ErrorCode").into_iter().map(|code| {
        let status = serde_json::from_value::<ErrorCode>(code.clone()).unwrap().status();
        (code.as_str().unwrap().to_owned(), status.to_string())
    });
    assert_eq!(listed, known.collect());
}

#[test]
fn the_table_of_close_codes_is_complete() {
    let listed: Vec<_> = table("Code").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let known = CloseCode::ALL.map(|code| (code.number().to_string(), code.reason().to_owned()));
    assert_eq!(listed, known);
    for row in table("Code") {
        assert_eq!(may_return(row[0].parse().unwrap()), row[2] == "come back", "{row:?}");
    }
}

#[test]
fn the_table_of_commands_is_complete() {
    let listed: Vec<_> = table("Type").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(listed, command::TYPES);
}

/// `8000` is `8,000`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
    groups.collect::<Vec<_>>().join(",")
}

#[test]
fn every_limit_is_listed_with_its_number() {
    let product = |text: &str| -> u64 {
        text.split('*').map(|factor| factor.trim().replace('_', "").parse::<u64>().unwrap()).product()
    };
    let constants = LIMITS.lines().filter_map(|line| line.strip_prefix("pub const ")).map(|line| {
        let (name, rest) = line.split_once(':').unwrap();
        let value = rest.split_once('=').unwrap().1.trim().trim_end_matches(';');
        let numbers = value.trim_matches(['(', ')']).split(',').map(|part| with_commas(product(part)));
        (name.to_owned(), numbers.collect::<Vec<_>>().join(" to "))
    });
    let listed = table("Limit").into_iter().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(listed.collect::<Vec<_>>(), constants.collect::<Vec<_>>());
}

#[test]
fn every_rate_limit_is_listed_with_its_numbers() {
    let numbers = RATE_LIMITS.lines().filter_map(|line| {
        let (name, numbers) = line.trim().strip_prefix("Self::")?.split_once(" => (")?;
        let (minute, at_once) = numbers.trim_end_matches("),").split_once(", ")?;
        Some([name, minute, at_once].map(str::to_owned))
    });
    let rows =
        DOCUMENT.split_once("## Rate limits").unwrap().1.lines().filter(|line| line.starts_with("| `"));
    let listed = rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
        std::array::from_fn(|_| cells.next().unwrap())
    });
    let numbers: Vec<[String; 3]> = numbers.collect();
    assert_eq!(numbers.len(), 13);
    assert_eq!(listed.collect::<Vec<_>>(), numbers);
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "yes",
        Verdict::Forbidden => "403",
        Verdict::Unseen => "404",
    }
}

#[test]
fn the_tables_of_permissions_are_the_functions() {
    use ChannelPermission as C;
    use WorkspacePermission as W;
    let name = |row: &[String]| row[0].split(':').next().unwrap().to_owned();
    let rows = table("In a workspace");
    assert_eq!(rows.len(), 10);
    for row in rows {
        let all = [
            W::View,
            W::People,
            W::Edit,
            W::CreateChannel,
            W::OpenDirect,
            W::AddEmoji,
            W::ManageMembers,
            W::Moderate,
            W::Audit,
            W::Export,
        ];
        let permission = all.into_iter().find(|p| format!("{p:?}") == name(&row)).unwrap();
        let cells = Role::ALL.map(|role| word(permissions::in_workspace(Some(role), permission)));
        assert_eq!(row[1..], cells, "{row:?}");
    }
    let rows = table("In a channel");
    assert_eq!(rows.len(), 11);
    for row in rows {
        let permission = C::ALL.into_iter().find(|p| format!("{p:?}") == name(&row)).unwrap();
        let people = [
            (Role::Visitor, false),
            (Role::Guest, false),
            (Role::Member, false),
            (Role::Member, true),
            (Role::Moderator, false),
            (Role::Admin, false),
            (Role::Owner, false),
        ];
        let cells = people.map(|(role, creator)| {
            let may = |kind, member| {
                let at = InChannel::new(kind, member, creator);
                word(permissions::in_channel(Some(role), at, permission))
            };
            assert_eq!(may(ChannelKind::Private, false), "404");
            assert_eq!(may(ChannelKind::Private, true), may(ChannelKind::Public, true));
            for direct in [ChannelKind::Dm, ChannelKind::Group] {
                let keepers = [C::Invite, C::Remove, C::Manage, C::Moderate];
                let own = !keepers.contains(&permission);
                assert_eq!((may(direct, false), may(direct, true)), ("404", if own { "yes" } else { "403" }));
            }
            format!("{} · {}", may(ChannelKind::Public, false), may(ChannelKind::Public, true))
        });
        assert_eq!(row[1..], cells, "{row:?}");
    }
}

#[test]
fn an_example_that_differs_is_noticed() {
    let differs = |expected: Value, actual: Value| bind(&expected, &actual, "", &mut HashMap::new()).is_err();
    assert!(differs(json!({"a": 1}), json!({"a": 1, "b": 2})), "one field more");
    assert!(differs(json!({"a": 1, "b": 2}), json!({"a": 1})), "one field less");
    assert!(differs(json!(["{{x}}", "{{x}}"]), json!(["1", "2"])), "one name, two values");
    assert!(differs(json!(["{{any}}"]), json!([1])), "not a text");
    assert!(differs(json!(["{{time}}"]), json!(["2026-11-20"])), "not a time");
    assert!(differs(json!([1, "{{more}}"]), json!([])) && differs(json!([1]), json!([1, 2])));
    assert!(!differs(json!(["{{x}}", 1, "{{more}}"]), json!(["a", 1, 2, 3])));
}
