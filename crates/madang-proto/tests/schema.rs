//! What the OpenAPI document says of a text is what the checks of input take.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use madang_proto::{
    ChannelId, UserId,
    input::{self, Reason},
    schema,
};
use proptest::{prelude::*, string::string_regex, test_runner::TestRunner};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use utoipa::PartialSchema;

fn json(schema: impl serde::Serialize) -> Value {
    serde_json::to_value(schema).unwrap()
}

/// Texts of a schema, in the form in which they are kept: the few signs that NFC takes apart can break a rule.
fn texts(schema: &Value) -> BoxedStrategy<String> {
    let pattern = schema["pattern"].as_str().unwrap_or(r"[^\u0000]*").trim_matches(['^', '$']);
    let least = schema["minLength"].as_u64().unwrap_or_default() as usize;
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX) as usize;
    let fits =
        move |text: &String| (least..=most).contains(&text.chars().count()) && text.nfc().eq(text.chars());
    string_regex(pattern).unwrap().prop_filter("length and form", fits).boxed()
}

fn check(name: &str, takes: impl Fn(&str) -> Result<String, Reason>) {
    let schema = schema::all().into_iter().find(|(known, _)| known == name).unwrap().1;
    let result = TestRunner::deterministic().run(&texts(&json(schema)), |text| {
        let taken = takes(&text);
        prop_assert!(taken.is_ok(), "{name} {text:?}: {taken:?}");
        Ok(())
    });
    result.unwrap();
}

#[test]
fn what_the_document_says_of_a_text_is_taken() {
    check("Username", input::username);
    check("Password", input::password);
    check("Email", input::email);
    check("DisplayName", input::display_name);
    check("WorkspaceName", input::workspace_name);
    check("ChannelName", input::channel_name);
    check("Topic", input::topic);
    check("About", input::about);
    check("KeywordText", input::keyword);
    check("EmojiName", input::emoji_name);
    check("CustomStatus", input::custom_status);
    check("ReasonText", input::reason);
    check("Content", input::content);
    check("Caption", input::caption);
    check("ReminderText", input::reminder);
    check("Nonce", input::nonce);
}

#[test]
fn what_the_document_says_of_an_id_is_one() {
    let id = texts(&json(ChannelId::schema()));
    let result = TestRunner::deterministic().run(&id, |text| {
        prop_assert_eq!(text.parse::<ChannelId>().unwrap().to_string(), text);
        Ok(())
    });
    result.unwrap();
    let pattern = json(UserId::schema())["pattern"].as_str().unwrap().to_owned();
    assert!(pattern.starts_with("^(guest_)?"), "{pattern}");
}

#[test]
fn every_text_has_an_end() {
    for (name, schema) in schema::all() {
        let schema = json(schema);
        assert!(schema["maxLength"].is_u64() || schema["anyOf"].is_array(), "{name}: {schema}");
    }
}
