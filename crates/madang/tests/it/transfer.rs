//! A workspace goes out of a running server and into another, by the command line.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use madang_client::{
    Client, Http, Options,
    proto::accounts::{Login, Secret},
};

use crate::process::{Backend, MADANG, Process, run};

/// What `set-password` prints, with this on its standard input.
fn set_password(folder: &Path, name: &str, password: &str) -> (bool, String) {
    let mut child = Command::new(MADANG)
        .args(["admin", "set-password", name])
        .current_dir(folder)
        .env("MADANG_DATA", folder.join("data"))
        .env_remove("MADANG_DATABASE_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_workspace_moves_from_one_server_to_another() {
    let here = Process::start(Backend::Sqlite).await;
    let alice = here.user("alice").await;
    let general = alice.state().channel_named("general").unwrap().id();
    let sent = alice.send(general, "안녕").await.unwrap();
    let file = here.folder().join("out.tar.gz").display().to_string();
    let (fine, text) = run(&["admin", "export", "--workspace", "Madang", "--to", &file], here.folder());
    assert!(fine && text.contains("1  messages.jsonl"), "{text}");

    let mut there = Process::start(Backend::Sqlite).await;
    let (fine, text) = run(&["admin", "import", &file], there.folder());
    assert!(!fine && text.contains("another madang uses the data folder"), "{text}");
    assert!(there.terminate().await.success());
    let (fine, text) = run(&["admin", "import", &file, "--dry-run"], there.folder());
    assert!(fine && text.contains("Madang can come in") && text.contains("1  messages"), "{text}");
    let (fine, text) = run(&["admin", "import", &file], there.folder());
    assert!(fine && text.contains("Madang is in"), "{text}");
    let (fine, text) = run(&["admin", "import", &file], there.folder());
    assert!(!fine && text.contains("the workspace is here already"), "{text}");
    let (fine, text) = set_password(there.folder(), "alice", "short");
    assert!(!fine && text.contains("at least 8 characters"), "{text}");
    let (fine, text) = set_password(there.folder(), "nobody", "correct horse");
    assert!(!fine && text.contains("there is no user \"nobody\""), "{text}");
    assert!(set_password(there.folder(), "alice", "correct horse").0);

    there.again().await;
    let login = Login { username: "alice".to_owned(), password: Secret("correct horse".to_owned()) };
    let http = Http::new(&there.url).unwrap();
    let signed_in = http.login(&login).await.unwrap();
    let again = Client::connect(http.signed_in(&signed_in), Options::default()).await.unwrap();
    let message = again.http().message(sent.id).await.unwrap();
    assert_eq!((message.content.as_str(), message.seq), ("안녕", sent.seq));
}
