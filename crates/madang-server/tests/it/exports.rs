//! What someone takes away of their own: all of it, nothing of others, for them alone, for some days.

use std::{collections::BTreeMap, io::Read};

use madang_client::{
    Error,
    proto::{
        Event,
        accounts::{Register, Secret},
        audit::{AuditAction, AuditQuery},
        channels::ChannelKind,
        direct::OpenDirect,
        error::ErrorCode::{self, Conflict, Forbidden, NotFound, RateLimited, Unavailable},
        exports::{Export, ExportState},
        limits,
        messages::CreateMessage,
        permissions::Role,
        threads::CreateReply,
    },
};
use serde_json::Value;

use crate::{
    support::{Backend, Cast, Expected, TestServer, User, all_converge, on_both, refusals, server::PASSWORD},
    transfer::{fresh, import},
};

const DAY_MS: u32 = 24 * 60 * 60 * 1_000;

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// Asks for an export and waits until it is told that it is made.
pub async fn exported(user: &mut User) -> Export {
    let asked = user.http.create_export().await.unwrap();
    assert_eq!((asked.state, &asked.link), (ExportState::Waiting, &None));
    made(user, &asked).await
}

/// Waits until it is told that an export is made.
async fn made(user: &mut User, asked: &Export) -> Export {
    let told =
        user.next("the export", |event| if let Event::Export(export) = event { Some(export) } else { None });
    let told = told.await;
    assert_eq!((told.id, told.state), (asked.id, ExportState::Ready));
    told
}

/// Someone new, with an address.
async fn with_address(s: &TestServer, name: &str) -> User {
    let body = Register {
        username: name.to_owned(),
        password: Secret(PASSWORD.to_owned()),
        display_name: None,
        email: Some(format!("{name}@example.org")),
    };
    User::of(s.http(), s.http().register(&body).await.unwrap()).await
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
        all_converge(&[&alice, &bob], alice.http.create_workspace_export(alice.workspace())).await.unwrap();
    }

    async fn an_owner_takes_along_what_they_see_of_a_workspace(s: TestServer) {
        let mut cast = Cast::of(&s).await;
        drop(with_address(&s, "late").await);
        cast.owner.http.add_workspace_member(cast.workspace, "late").await.unwrap();
        let hidden = cast.member.channel_in(cast.workspace, "hidden", ChannelKind::Private).await.id;
        let gone = cast.owner.channel_in(cast.workspace, "gone", ChannelKind::Public).await.id;
        let with = OpenDirect { user_ids: vec![cast.member.id], workspace_id: Some(cast.workspace) };
        let direct = cast.owner.http.open_direct(&with).await.unwrap().id;
        cast.member.send(hidden, "among the members").await;
        cast.owner.send(direct, "between two").await;
        cast.owner.send(gone, "deleted with all").await;
        cast.owner.http.delete_channel(gone).await.unwrap();
        let (open, secret) = (cast.open.id, cast.secret.id);
        let file = cast.member.http.upload("a.txt", "a file of all").await.unwrap();
        let body = CreateMessage { content: "all may read".to_owned(), nonce: None, file_ids: vec![file.id] };
        let read = cast.member.http.create_message(open, &body).await.unwrap();
        let reply = CreateReply { content: "in a thread".to_owned(), nonce: None, also_to_channel: false, file_ids: vec![] };
        cast.member.http.reply(read.id, &reply).await.unwrap();
        cast.member.send(secret, "the owner is in it").await;

        let asked = cast.owner.http.create_workspace_export(cast.workspace).await.unwrap();
        assert_eq!((asked.state, asked.workspace_id), (ExportState::Waiting, Some(cast.workspace)));
        let export = made(&mut cast.owner, &asked).await;
        assert_eq!(cast.owner.http.workspace_export(cast.workspace).await.unwrap(), export);
        let bytes = cast.owner.http.download_workspace_export(cast.workspace).await.unwrap().bytes().await.unwrap();
        let entries = entries(&bytes);
        let all: String = entries.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        for seen in ["all may read", "in a thread", "the owner is in it", "a file of all", "\"late\""] {
            assert!(all.contains(seen), "{seen} is not in {all}");
        }
        let ids = [hidden, direct, gone].map(|id| id.to_string());
        for unseen in ["among the members", "between two", "deleted with all", "hidden", "example.org", &ids[0], &ids[1]] {
            assert!(!all.contains(unseen), "{unseen} is in {all}");
        }
        assert!(!entries["channels.jsonl"].windows(ids[2].len()).any(|part| part == ids[2].as_bytes()));
        let marks = lines(&entries, "channel_members.jsonl");
        let marks: Vec<_> = marks.iter().filter(|mark| mark["channel_id"] == open.to_string()).collect();
        assert!(!marks.is_empty() && marks.iter().all(|mark| mark["last_read_seq"] == 1), "{marks:?}");
        let act = cast.owner.http.audit(cast.workspace, &AuditQuery::default()).await.unwrap().items.remove(0);
        assert_eq!((act.action, act.actor.id), (AuditAction::WorkspaceExported, cast.owner.id));

        let (there, folder) = fresh(Backend::Sqlite).await;
        let path = folder.path().join("workspace.tar.gz");
        std::fs::write(&path, &bytes).unwrap();
        let came = import(&there, &s, &path).await.unwrap();
        assert_eq!((came.workspace.as_str(), came.files, came.missing), ("Closed", 1, 0));
    }

    async fn each_owner_has_their_own_while_they_are_one(s: TestServer) {
        let mut cast = Cast::of(&s).await;
        let id = cast.workspace;
        cast.owner.http.set_role(id, cast.member.id, Role::Owner).await.unwrap();
        let asked = cast.member.http.create_workspace_export(id).await.unwrap();
        made(&mut cast.member, &asked).await;
        assert_eq!(refused(cast.owner.http.workspace_export(id).await), NotFound);
        assert_eq!(refused(cast.owner.http.download_workspace_export(id).await), NotFound);
        assert_eq!(refused(cast.member.http.create_workspace_export(id).await), RateLimited);
        assert_eq!(refused(cast.member.http.export().await), NotFound, "it is not of themself");
        cast.owner.http.set_role(id, cast.member.id, Role::Admin).await.unwrap();
        assert_eq!(refused(cast.member.http.workspace_export(id).await), Forbidden);
        assert_eq!(refused(cast.member.http.download_workspace_export(id).await), Forbidden);
    }

    async fn of_a_workspace_one_is_made_at_a_time(s: TestServer) {
        let cast = Cast::of(&s).await;
        let id = cast.workspace;
        cast.owner.http.set_role(id, cast.member.id, Role::Owner).await.unwrap();
        // Where the storage is away, what is to be made waits.
        let (folder, aside) = (s.config.data.join("files"), s.config.data.join("aside"));
        std::fs::rename(&folder, &aside).unwrap();
        std::fs::write(&folder, "not a folder").unwrap();
        assert_eq!(refused(cast.owner.http.upload("a.txt", "hi").await), Unavailable);
        cast.owner.http.create_workspace_export(id).await.unwrap();
        for user in [&cast.owner, &cast.member] {
            assert_eq!(refused(user.http.create_workspace_export(id).await), Conflict);
        }
        cast.owner.http.create_export().await.unwrap();
    }

    async fn who_may_take_theirs_away(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.create_export()).await;
        let owner = Expected { outsider: Some(Forbidden), admin: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, owner, |user| user.http.create_workspace_export(cast.workspace)).await;
        refusals(&cast, owner, |user| user.http.workspace_export(cast.workspace)).await;
    }
}
