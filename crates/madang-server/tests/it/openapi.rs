//! The OpenAPI document is true: it is the committed one, it is whole, and real answers fit it.
//!
//! How: [`check_answer`] and its siblings are a validator for the part of JSON Schema that the document
//! uses. They are called for every request, answer and frame of the examples in `docs/protocol.md`, which
//! have one for every operation (`protocol.rs`).
//!
//! Invariants:
//! - The validator knows every keyword in the document or panics; it never passes over one.
//! - A field that the schema does not name is an error, though JSON Schema would let it pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use madang_client::proto::{Timestamp, error::ErrorCode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Backend, TestServer};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap());

/// Keywords that say nothing about a value.
const ANNOTATIONS: [&str; 3] = ["description", "example", "default"];

/// The operations by method and path template.
pub fn operations() -> BTreeMap<(String, String), &'static Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert((method.to_uppercase(), path.clone()), operation);
        }
    }
    operations
}

/// The words of one of the closed sets: `Event`, `Command`.
pub fn types_of(name: &str) -> BTreeSet<String> {
    let variants = DOCUMENT["components"]["schemas"][name]["oneOf"].as_array().unwrap();
    variants.iter().map(|v| v["properties"]["type"]["enum"][0].as_str().unwrap().to_owned()).collect()
}

/// The words of a plain enum.
pub fn words_of(name: &str) -> Vec<Value> {
    DOCUMENT["components"]["schemas"][name]["enum"].as_array().unwrap().clone()
}

/// Checks the body of a request against what the operation takes.
pub fn check_body(operation: &Value, body: Option<&Value>) -> Result<(), String> {
    let content = operation.get("requestBody").map(|body| &body["content"]["application/json"]["schema"]);
    match (content, body) {
        (Some(schema), Some(body)) => check(schema, body, "body", true),
        (None, None) => Ok(()),
        (taken, given) => Err(format!("takes a body: {}, has one: {}", taken.is_some(), given.is_some())),
    }
}

/// Checks an answer against what the operation answers with that status.
pub fn check_answer(operation: &Value, status: u16, body: &Value) -> Result<(), String> {
    let responses = &operation["responses"];
    let response = responses.get(status.to_string()).unwrap_or(&responses["default"]);
    let response = if let Some(shared) = response["$ref"].as_str() { resolve(shared) } else { response };
    let kind = if status < 400 || status == 503 { "application/json" } else { "application/problem+json" };
    match response.get("content") {
        None => check(&json!({"type": "null"}), body, "answer", true),
        // Bytes are what they are.
        Some(content) if content.get(kind).is_none() => check(&json!({"type": "null"}), body, "answer", true),
        Some(content) => check(&content[kind]["schema"], body, "answer", true),
    }
}

/// Checks a frame against `Event` or `Command`.
pub fn check_frame(set: &str, frame: &Value) -> Result<(), String> {
    let mut frame = frame.clone();
    frame.as_object_mut().unwrap().remove("rid");
    check(&json!({"$ref": format!("#/components/schemas/{set}")}), &frame, "frame", true)
}

fn resolve(reference: &str) -> &'static Value {
    let target = DOCUMENT.pointer(reference.strip_prefix('#').unwrap());
    target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Checks a value. `strict`: a field that is not named is an error.
fn check(schema: &Value, value: &Value, place: &str, strict: bool) -> Result<(), String> {
    let wrong = |what: String| Err(format!("{place}: {what}: {value}"));
    for (keyword, rule) in schema.as_object().unwrap_or_else(|| panic!("{place}: no schema: {schema}")) {
        match keyword.as_str() {
            "$ref" => check(resolve(rule.as_str().unwrap()), value, place, strict)?,
            "type" => {
                let kinds = if rule.is_array() { rule.clone() } else { json!([rule]) };
                if !kinds.as_array().unwrap().iter().any(|kind| is_a(kind.as_str().unwrap(), value)) {
                    return wrong(format!("not of type {rule}"));
                }
            }
            "pattern" | "minLength" | "maxLength" | "minItems" | "maxItems" => {
                if !fits(keyword, rule, value) {
                    return wrong(format!("not of {keyword} {rule}"));
                }
            }
            "maximum" if value.as_f64().is_some_and(|n| n > rule.as_f64().unwrap()) => {
                return wrong(format!("more than {rule}"));
            }
            "enum" if !rule.as_array().unwrap().contains(value) => return wrong(format!("none of {rule}")),
            "minimum" if value.as_f64().is_some_and(|n| n < rule.as_f64().unwrap()) => {
                return wrong(format!("less than {rule}"));
            }
            "format" => match (rule.as_str().unwrap(), value.as_str()) {
                ("date-time", Some(text)) if text.parse::<Timestamp>().is_err() => {
                    return wrong("not a time".to_owned());
                }
                ("date-time" | "int32" | "int64" | "emoji" | "reaction" | "time-zone", _) => {}
                (id, _) if id.ends_with("-id") => {}
                (other, _) => panic!("{place}: a format that this validator does not know: {other}"),
            },
            "oneOf" => {
                let branches = rule.as_array().unwrap();
                let results = branches.iter().map(|branch| check(branch, value, place, strict));
                let (fitting, others): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
                if fitting.len() != 1 {
                    return wrong(format!("fits {} of {}: {others:?}", fitting.len(), branches.len()));
                }
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    check(part, value, place, false)?;
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return wrong(format!("without {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(schema, value, &format!("{place}.{name}"), true)?;
                    }
                }
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{place}[{n}]"), true)?;
                }
            }
            "additionalProperties" if rule.is_object() => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    check(rule, value, &format!("{place}.{name}"), true)?;
                }
            }
            "enum" | "minimum" | "maximum" | "additionalProperties" | "propertyNames" => {}
            annotation if ANNOTATIONS.contains(&annotation) => {}
            other => panic!("{place}: a keyword that this validator does not know: {other}"),
        }
    }
    let named = names(schema);
    let stray = value.as_object().into_iter().flatten().find(|(name, _)| !named.contains(*name));
    match stray {
        Some((name, _)) if strict && !named.is_empty() => wrong(format!("{name} is not in the schema")),
        _ => Ok(()),
    }
}

/// Whether a value is as long as it is to be, and an id made of what ids are. Other patterns are a test of
/// `madang-proto` (`tests/schema.rs`).
fn fits(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = value.as_str().map(|text| text.chars().count()).or(value.as_array().map(Vec::len));
    match (keyword, rule.as_u64(), length) {
        ("minLength" | "minItems", Some(least), Some(length)) => length >= usize::try_from(least).unwrap(),
        ("maxLength" | "maxItems", Some(most), Some(length)) => length <= usize::try_from(most).unwrap(),
        _ => match (rule.as_str(), value.as_str()) {
            (Some(pattern), Some(id)) if pattern.contains("[1-8][0-9]{18})$") && !pattern.contains("(0|") => {
                id.strip_prefix("guest_").unwrap_or(id).parse::<i64>().is_ok_and(|id| id > 0)
            }
            _ => true,
        },
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("a type that this validator does not know: {other}"),
    }
}

/// The fields that a schema of an object names, by itself or in its parts.
fn names(schema: &Value) -> BTreeSet<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return names(resolve(reference));
    }
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    own.chain(schema["allOf"].as_array().into_iter().flatten().flat_map(names)).collect()
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let s = TestServer::start(Backend::Sqlite).await;
    let served = s.http().request(Method::GET, "/api/openapi.json", None).await.unwrap();
    assert_eq!(served.status, 200);
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.json, *DOCUMENT);
    let made = madang_server::openapi::document().to_json().unwrap();
    assert!(
        serde_json::from_str::<Value>(&made).unwrap() == *DOCUMENT,
        "docs/openapi.json is stale: run `cargo xtask codegen`"
    );
}

#[test]
fn every_operation_is_described() {
    let mut ids = BTreeSet::new();
    for ((method, path), operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        assert!(!operation["tags"].as_array().unwrap().is_empty(), "{id} has no tag");
        assert!(operation["summary"].is_string(), "{id} has no summary");

        let in_path: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described = parameters.filter(|p| p["in"] == "path" && p["required"] == true);
        assert_eq!(in_path, described.map(|p| p["name"].as_str().unwrap()).collect(), "{id}");

        let responses = operation["responses"].as_object().unwrap();
        let successes: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
        assert!(!successes.is_empty(), "{id} has no success");
        for code in ErrorCode::ALL {
            let listed = responses.get(&code.status().to_string());
            let answer = format!("#/components/responses/{code:?}");
            assert!(
                listed.is_none_or(|listed| listed["$ref"] == answer || path == "/health"),
                "{id} {code:?}"
            );
        }
        let errors: Vec<_> = responses.keys().filter(|status| !status.starts_with('2')).collect();
        assert!(path == "/health" || errors.len() >= 3, "{id} has no errors: {errors:?}");
        for (status, response) in successes {
            // An upload in pieces says all in its headers.
            let bare = status == "204" || path.starts_with("/api/v1/files/uploads");
            assert_eq!(response["content"].is_null(), bare, "{id} {status}");
        }
        let problem = &responses["default"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(problem, "#/components/schemas/Problem", "{id}");

        let open =
            ["/auth/register", "/auth/login", "/auth/guest", "/auth/refresh", "/invites/preview", "/health"];
        let is_open = path.starts_with("/api/v1/avatars/") || open.iter().any(|end| path.ends_with(end));
        assert_eq!(operation["security"].is_null(), is_open, "{method} {path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, seen: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if let ("$ref", Value::String(reference)) = (key.as_str(), value) {
                        resolve(reference);
                        seen.insert(reference.clone());
                    }
                    walk(value, seen);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    walk(&DOCUMENT, &mut seen);
    assert!(seen.len() > 40, "{seen:?}");
}

#[test]
fn an_answer_that_does_not_fit_is_noticed() {
    let operations = operations();
    let me = operations[&("GET".to_owned(), "/api/v1/users/me".to_owned())];
    let user = json!({
        "id": "1", "username": "a", "display_name": "A", "guest": false, "created_at": "2026-11-20T09:00:00Z",
    });
    assert_eq!(check_answer(me, 200, &user), Ok(()));
    for (field, value) in [
        ("id", json!(1)),
        ("guest", json!("no")),
        ("created_at", json!("today")),
        ("password_hash", json!("secret")),
    ] {
        let mut wrong = user.clone();
        wrong[field] = value;
        assert!(check_answer(me, 200, &wrong).is_err(), "{wrong}");
    }
    let mut short = user.clone();
    short.as_object_mut().unwrap().remove("guest");
    assert!(check_answer(me, 200, &short).is_err());
    assert!(check_answer(me, 401, &user).is_err(), "not a problem");
    assert!(check_frame("Event", &json!({"type": "TYPING", "payload": {"channel_id": "1"}})).is_err());
    assert!(check_frame("Command", &json!({"type": "PING", "payload": {}, "rid": "1"})).is_ok());
}
