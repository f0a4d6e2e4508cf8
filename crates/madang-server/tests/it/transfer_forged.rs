//! Transfers that someone made or changed: each is refused with what is wrong, and nothing of it comes in.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::EntryType;

use crate::{
    support::{Backend, TestServer, on_both},
    transfer::{export, fresh, import, world},
};

/// An entry, as it is written.
#[derive(Clone)]
struct Entry {
    name: String,
    kind: EntryType,
    bytes: Vec<u8>,
}

type Entries = Vec<Entry>;

fn read(path: &Path) -> Entries {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let (name, kind) = (entry.path().unwrap().display().to_string(), entry.header().entry_type());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        Entry { name, kind, bytes }
    });
    entries.collect()
}

/// The manifest says again what the parts are.
fn honest(entries: &mut Entries) {
    if entries[0].name != "manifest.json" {
        return;
    }
    let mut manifest: Value = serde_json::from_slice(&entries[0].bytes).unwrap();
    for part in manifest["parts"].as_array_mut().unwrap() {
        let Some(entry) = entries.iter().find(|entry| part["name"] == entry.name) else { continue };
        let hash: String = Sha256::digest(&entry.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let lines = entry.bytes.iter().filter(|byte| **byte == b'\n').count();
        *part = json!({"name": entry.name, "lines": lines, "bytes": entry.bytes.len(), "sha256": hash});
    }
    entries[0].bytes = manifest.to_string().into_bytes();
}

fn write(entries: &Entries, to: &Path) {
    let mut out = GzEncoder::new(std::fs::File::create(to).unwrap(), Compression::best());
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        let name = entry.name.as_bytes();
        // As an attacker would: the name as it is.
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_size(entry.bytes.len() as u64);
        header.set_entry_type(entry.kind);
        header.set_cksum();
        out.write_all(header.as_bytes()).unwrap();
        out.write_all(&entry.bytes).unwrap();
        out.write_all(&vec![0; entry.bytes.len().next_multiple_of(512) - entry.bytes.len()]).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap();
}

fn part<'a>(entries: &'a mut Entries, table: &str) -> &'a mut Vec<u8> {
    let name = format!("{table}.jsonl");
    &mut entries.iter_mut().find(|entry| entry.name == name).unwrap().bytes
}

/// Another value in a line of a part; `Null` takes it away.
fn set(entries: &mut Entries, table: &str, line: usize, field: &str, value: Value) {
    let bytes = part(entries, table);
    let mut lines: Vec<Value> =
        std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[line - 1][field] = value;
    *bytes = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
}

fn manifest(entries: &mut Entries, field: &str, value: Value) {
    let mut manifest: Value = serde_json::from_slice(&entries[0].bytes).unwrap();
    manifest[field] = value;
    entries[0].bytes = manifest.to_string().into_bytes();
}

type Forgery = (&'static str, fn(&mut Entries));

/// What is done to a transfer whose manifest is then made honest, and what the refusal says.
const FORGED: &[Forgery] = &[
    ("messages.jsonl line 1: content: at most 8000 characters", |e| {
        set(e, "messages", 1, "content", "a".repeat(8_001).into());
    }),
    ("messages.jsonl line 1: content: no control characters", |e| {
        set(e, "messages", 1, "content", "a\u{0}b".into());
    }),
    ("messages.jsonl line 2: messages are in order", |e| {
        let first = std::str::from_utf8(part(e, "messages")).unwrap().lines().next().unwrap().to_owned();
        let seq = serde_json::from_str::<Value>(&first).unwrap()["seq"].clone();
        set(e, "messages", 2, "seq", seq);
    }),
    ("messages.jsonl line 1: author_id: 77 is not in the transfer", |e| {
        set(e, "messages", 1, "author_id", "77".into());
    }),
    ("messages.jsonl line 1: id: 9000000000000000000 is an id of the future", |e| {
        set(e, "messages", 1, "id", "9000000000000000000".into());
    }),
    ("messages.jsonl line 1: is beyond the last_seq or version of its channel", |e| {
        set(e, "messages", 1, "version", 9_000_000.into());
    }),
    ("messages.jsonl line 1: version: is not a number", |e| {
        set(e, "messages", 1, "version", i64::MAX.into());
    }),
    ("messages.jsonl line 1: \"me\" is not a field of it", |e| set(e, "messages", 1, "me", true.into())),
    ("messages.jsonl line 1: reactions: ", |e| set(e, "messages", 1, "reactions", json!([["👍", "many"]]))),
    ("messages.jsonl line 1: is not a JSON object", |e| {
        part(e, "messages").splice(0..1, *b"[").for_each(drop);
    }),
    ("messages.jsonl line 1: more than 4194304 bytes", |e| {
        part(e, "messages").splice(0..0, vec![b' '; 5_000_000]).for_each(drop);
    }),
    ("channels.jsonl line 1: root_id: 77 is not in the transfer", |e| {
        set(e, "channels", 1, "root_id", "77".into());
    }),
    ("channels.jsonl line 1: workspace_id: 77 is not in the transfer", |e| {
        set(e, "channels", 1, "workspace_id", "77".into());
    }),
    ("channels.jsonl line 1: kind: is none of public", |e| set(e, "channels", 1, "kind", "open".into())),
    ("workspaces.jsonl line 1: default_channel_id: 77 is not in the transfer", |e| {
        set(e, "workspaces", 1, "default_channel_id", "77".into());
    }),
    ("workspaces.jsonl line 1: name: no line breaks or control characters", |e| {
        set(e, "workspaces", 1, "name", "a\u{7}".into());
    }),
    ("workspaces.jsonl line 2: one workspace a transfer", |e| {
        let text = String::from_utf8(part(e, "workspaces").clone()).unwrap();
        *part(e, "workspaces") = text.repeat(2).into_bytes();
    }),
    ("workspaces.jsonl: there is no workspace", |e| part(e, "workspaces").clear()),
    ("users.jsonl line 1: username: only letters", |e| set(e, "users", 1, "username", "<script>".into())),
    ("users.jsonl line 1: display_name: no invisible", |e| {
        set(e, "users", 1, "display_name", "al\u{202e}ice".into());
    }),
    ("users.jsonl line 1: avatar_url: is no address of a picture", |e| {
        set(e, "users", 1, "avatar_url", "javascript:alert(1)".into());
    }),
    ("users.jsonl line 1: \"password_hash\" is not a field of it", |e| {
        set(e, "users", 1, "password_hash", "x".into());
    }),
    ("users.jsonl line 1: created_at: is missing", |e| set(e, "users", 1, "created_at", Value::Null)),
    ("workspace_members.jsonl line 1: role: is none of visitor", |e| {
        set(e, "workspace_members", 1, "role", "root".into());
    }),
    ("files.jsonl line 1: sha256: the bytes of file", |e| {
        e.iter_mut().find(|entry| entry.name.starts_with("files/")).unwrap().bytes[0] ^= 1;
    }),
    ("files.jsonl line 1: media_type: its bytes are text/plain", |e| {
        set(e, "files", 1, "media_type", "image/png".into());
    }),
    ("files.jsonl line 1: state: is none of ready", |e| set(e, "files", 1, "state", "coming".into())),
    ("files.jsonl line 1: sha256: all files have one but avatars", |e| {
        set(e, "files", 1, "state", "avatar".into());
    }),
    ("files.jsonl line 1: name: emoji of a workspace", |e| set(e, "files", 1, "state", "emoji".into())),
    ("channels.jsonl line 1: first_seq: is neither", |e| set(e, "channels", 1, "first_seq", 9_000.into())),
    ("workspaces.jsonl line 1: retention_days: is not a number from 0 to 36500", |e| {
        set(e, "workspaces", 1, "retention_days", 36_501.into());
    }),
    ("messages.jsonl line 1: previews: are no previews", |e| {
        set(e, "messages", 1, "previews", json!([{"url": "javascript:alert(1)", "title": "a"}]));
    }),
    ("users.jsonl line 1: status: is none of online", |e| set(e, "users", 1, "status", "god".into())),
    ("files.jsonl line 1: size: files may have", |e| {
        set(e, "files", 1, "size", 1_000_000_000_000_i64.into());
    }),
    ("files.jsonl line 1: name: is not in its normal form", |e| {
        set(e, "files", 1, "name", "../../etc/passwd".into());
    }),
    ("entry \"../../evil\" is not a file of files.jsonl", |e| {
        e.push(Entry { name: "../../evil".to_owned(), kind: EntryType::Regular, bytes: b"x".to_vec() });
    }),
    ("entry \"files/../x\" is not a file of files.jsonl", |e| {
        e.push(Entry { name: "files/../x".to_owned(), kind: EntryType::Regular, bytes: b"x".to_vec() });
    }),
    ("comes twice", |e| {
        let file = e.iter().find(|entry| entry.name.starts_with("files/")).unwrap().clone();
        e.push(file);
    }),
    ("an entry is not a plain file", |e| {
        e.push(Entry { name: "files/1".to_owned(), kind: EntryType::Symlink, bytes: Vec::new() });
    }),
    ("an entry is not a plain file", |e| {
        e.push(Entry { name: "long".to_owned(), kind: EntryType::GNULongName, bytes: vec![b'a'; 9_000] });
    }),
    ("it has format 2", |e| manifest(e, "format", 2.into())),
    ("only workspaces are imported", |e| manifest(e, "kind", "user".into())),
    ("manifest.json: unknown field `more`", |e| manifest(e, "more", 2.into())),
    ("its first entry is not manifest.json", |e| e.swap(0, 1)),
    ("does not come in its place", |e| e.swap(1, 2)),
    ("part \"passwords.jsonl\" is not known", |e| {
        let parts = json!([{"name": "passwords.jsonl", "lines": 0, "bytes": 0, "sha256": ""}]);
        manifest(e, "parts", parts);
    }),
];

async fn refused(s: &TestServer, there: &madang_server::Config, from: &Path, what: &str) {
    let Err(error) = import(there, s, from).await else { panic!("{what}") };
    let error = error.to_string();
    assert!(error.contains(what), "{what:?} is not in:\n{error}");
}

on_both! {
    async fn what_was_forged_is_refused_and_nothing_comes_in(s: TestServer) {
        let (_alice, _bob, workspace) = world(&s, 2, 60).await;
        let folder = tempfile::tempdir().unwrap();
        let real = export(&s.config, workspace, folder.path().join("real")).await;
        let forged: PathBuf = folder.path().join("forged");
        let (there, _there) = fresh(Backend::Sqlite).await;
        for (what, forge) in FORGED {
            let mut entries = read(&real);
            forge(&mut entries);
            honest(&mut entries);
            write(&entries, &forged);
            refused(&s, &there, &forged, what).await;
        }
        let mut entries = read(&real);
        part(&mut entries, "reactions").pop();
        write(&entries, &forged);
        refused(&s, &there, &forged, "reactions.jsonl: is not what manifest.json says").await;
        let bytes = std::fs::read(&real).unwrap();
        std::fs::write(&forged, &bytes[..bytes.len() / 2]).unwrap();
        refused(&s, &there, &forged, "is it whole, and a transfer of Madang?").await;
        std::fs::write(&forged, "not a tar").unwrap();
        refused(&s, &there, &forged, "is it whole, and a transfer of Madang?").await;
        let kept = std::fs::read_dir(there.data.join("files")).unwrap().count();
        assert_eq!(kept, 0, "no bytes of any file were kept");
        // Nothing of all that is in the way of the real one.
        import(&there, &s, &real).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_unfolds_without_end_is_not_read_to_its_end() {
    let s = TestServer::start(Backend::Sqlite).await;
    let (_alice, _bob, workspace) = world(&s, 2, 60).await;
    let folder = tempfile::tempdir().unwrap();
    let real = read(&export(&s.config, workspace, folder.path().join("real")).await);
    let bomb = folder.path().join("bomb");
    let (there, _there) = fresh(Backend::Sqlite).await;
    let mut entries = real.clone();
    part(&mut entries, "audit").extend(std::iter::repeat_n(b' ', 90_000_000));
    honest(&mut entries);
    write(&entries, &bomb);
    assert!(std::fs::metadata(&bomb).unwrap().len() < 1_000_000);
    refused(&s, &there, &bomb, "more than 4194304 bytes").await;
    let mut entries = real;
    set(&mut entries, "files", 1, "size", 90_000_000.into());
    honest(&mut entries);
    let file = entries.iter_mut().find(|entry| entry.name.starts_with("files/")).unwrap();
    file.bytes = vec![0; 90_000_000];
    write(&entries, &bomb);
    refused(&s, &there, &bomb, "it unfolds to more than 300 times its size").await;
}
