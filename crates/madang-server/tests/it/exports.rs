//! What someone takes away of their own: all of it, nothing of others, for them alone, for some days.

use std::{collections::BTreeMap, io::Read};

use madang_client::{
    Error,
    proto::{
        Event,
        error::ErrorCode::{self, NotFound, RateLimited},
        exports::{Export, ExportState},
        limits,
        messages::CreateMessage,
    },
};
use serde_json::Value;

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, refusals};

const DAY_MS: u32 = 24 * 60 * 60 * 1_000;

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// Asks for an export and waits until it is told that it is made.
pub async fn exported(user: &mut User) -> Export {
    let asked = user.http.create_export().await.unwrap();
    assert_eq!((asked.state, asked.link), (ExportState::Waiting, None));
    let told =
        user.next("the export", |event| if let Event::Export(export) = event { Some(export) } else { None });
    let told = told.await;
    assert_eq!((told.id, told.state), (asked.id, ExportState::Ready));
    told
}

/// The entries of a transfer.
pub fn entries(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    });
    entries.collect()
}

fn lines(entries: &BTreeMap<String, Vec<u8>>, part: &str) -> Vec<Value> {
    let text = std::str::from_utf8(&entries[part]).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

on_both! {
    async fn it_is_all_of_ones_own_and_nothing_of_others(s: TestServer) {
        let (mut alice, bob) = s.users().await;
        let file = alice.http.upload("사진.txt", "her file").await.unwrap();
        let body = CreateMessage { content: "first".to_owned(), nonce: None, file_ids: vec![file.id] };
        let sent = alice.http.create_message(alice.general(), &body).await.unwrap();
        alice.http.update_message(sent.id, "second").await.unwrap();
        let his = bob.send(bob.general(), "what bob says").await;
        alice.http.react(his.id, "👍").await.unwrap();
        alice.http.save(his.id).await.unwrap();
        alice.http.remind(Some(his.id), Some("answer"), s.clock.now().plus_millis(60_000)).await.unwrap();
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([255, 0, 0]));
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        alice.http.set_avatar(alice.id, png.into_inner()).await.unwrap();
        alice.http.set_draft(alice.general(), "unfinished").await.unwrap();
        let export = exported(&mut alice).await;
        assert_eq!(alice.http.export().await.unwrap(), export);
        let answer = alice.http.download_export().await.unwrap();
        let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment; ") && disposition.contains(".tar.gz"), "{disposition}");
        let bytes = answer.bytes().await.unwrap();
        let entries = entries(&bytes);
        let all: String = entries.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        for theirs in ["what bob says", "argon2", "hash", "\"bob\""] {
            assert!(!all.contains(theirs), "{theirs} is in {all}");
        }
        assert_eq!(lines(&entries, "users.jsonl")[0]["username"], "alice");
        let messages = lines(&entries, "messages.jsonl");
        assert_eq!((messages.len(), &messages[0]["content"]), (1, &"second".into()));
        assert_eq!(lines(&entries, "edits.jsonl")[0]["content"], "first");
        assert_eq!(lines(&entries, "reactions.jsonl")[0]["message_id"], his.id.to_string());
        for part in ["sessions", "workspaces", "workspace_members", "channels", "channel_members", "saved_messages", "reminders", "drafts"] {
            assert_eq!(lines(&entries, &format!("{part}.jsonl")).len(), 1, "{part}");
        }
        assert_eq!(entries[&format!("files/{}", file.id)], b"her file");
        let manifest: Value = serde_json::from_slice(&entries["manifest.json"]).unwrap();
        assert_eq!((&manifest["kind"], &manifest["id"]), (&"user".into(), &alice.id.to_string().into()));
        assert_eq!(refused(bob.http.export().await), NotFound);
        assert_eq!(refused(bob.http.download_export().await), NotFound);
    }

    async fn one_at_a_time_for_some_days(s: TestServer) {
        let mut alice = s.user("alice").await;
        let first = exported(&mut alice).await;
        assert_eq!(refused(alice.http.create_export().await), RateLimited);
        s.advance(u32::try_from(limits::EXPORT_SECONDS).unwrap() * 1_000);
        let second = exported(&mut alice).await;
        assert_ne!(first.id, second.id);
        s.advance(u32::try_from(limits::EXPORT_DAYS).unwrap() * DAY_MS);
        let http = s.http().signed_in(&s.http().login(&s.login("alice")).await.unwrap());
        assert_eq!(refused(http.export().await), NotFound);
        assert_eq!(refused(http.download_export().await), NotFound);
        http.create_export().await.unwrap();
    }

    async fn a_panic_while_it_is_made_costs_a_moment(s: TestServer) {
        let mut alice = s.user("alice").await;
        s.faults.arm("exports-keep");
        exported(&mut alice).await;
        let (_, health) = s.http().health().await.unwrap();
        let child = health["children"].as_array().unwrap().iter().find(|child| child["name"] == "exports").cloned();
        assert_eq!(child.unwrap()["restarts"], 1);
    }

    async fn nothing_else_that_people_know_depends_on_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        all_converge(&[&alice, &bob], alice.http.create_export()).await.unwrap();
    }

    async fn who_may_take_theirs_away(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.create_export()).await;
    }
}
