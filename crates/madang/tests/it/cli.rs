//! The command line: help, settings and their order, stopping.

use madang_client::status::ConnectionStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::process::{Backend, Process, run};

#[test]
fn help_explains_every_flag_and_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["--help"][..], &["serve", "chat", "load", "admin"][..]),
        (&["chat", "--help"], &["--server", "MADANG_SERVER", "--guest"]),
        (
            &["serve", "--help"],
            &[
                "--listen",
                "MADANG_LISTEN",
                "127.0.0.1:8080",
                "--data",
                "MADANG_DATABASE_URL",
                "MADANG_RATE_LIMITS",
            ],
        ),
    ] {
        let (fine, text) = run(arguments, folder.path());
        assert!(fine);
        for word in words {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
}

#[test]
fn a_wrong_setting_says_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, text) = run(&["serve", "--listen", "nowhere"], folder.path());
    assert!(!fine && text.contains("--listen"), "{text}");
    std::fs::write(folder.path().join("madang.toml"), "lisen = \"127.0.0.1:1\"\n").unwrap();
    let (fine, text) = run(&["serve"], folder.path());
    assert!(!fine && text.contains("unknown setting \"lisen\"") && text.contains("listen"), "{text}");
    std::fs::write(folder.path().join("madang.toml"), "listen = \"nonsense\"\n").unwrap();
    let (fine, text) = run(&["serve"], folder.path());
    assert!(!fine && text.contains("nonsense"), "the file counts: {text}");
}

#[test]
fn settings_of_a_cluster_stand_in_a_table_and_their_passwords_are_not_told() {
    let folder = tempfile::tempdir().unwrap();
    for (table, words) in [
        ("redis = \"http://:hunter2@10.0.0.1\"", "redis://host"),
        ("redis = \"redis://:hunter2@10.0.0.1\"", "PostgreSQL"),
        ("address = \"a b\"", "cluster_address"),
        ("rediss = \"\"", "unknown setting \"cluster_rediss\""),
    ] {
        std::fs::write(folder.path().join("madang.toml"), format!("[cluster]\n{table}\n")).unwrap();
        let (fine, text) = run(&["serve", "--listen", "127.0.0.1:0"], folder.path());
        assert!(!fine && text.contains(words) && !text.contains("hunter2"), "{words} is not in {text}");
    }
}

#[test]
fn sqlite_has_no_list_of_nodes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let (fine, text) = run(&["admin", "nodes"], folder.path());
    assert!(fine && text.contains("SQLite"), "{text}");
}

#[test]
fn migrate_status_lists_what_the_database_has() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let (fine, text) = run(&["admin", "migrate-status"], folder.path());
    assert!(fine && text.contains("0001") && text.contains("pending"), "{text}");
}

#[test]
fn nothing_is_old_in_a_new_installation() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for (arguments, words) in [
        (&["archive", "status"][..], "month"),
        (&["archive", "run", "--dry-run", "--older-than", "1y"], "month"),
        (&["archive", "run"], "Archived: 0 months whole, 0 messages"),
        (&["retention", "status"], "Nothing is too old"),
        (&["retention", "run"], "Nothing is too old"),
    ] {
        let (fine, text) = run(&[&["admin"], arguments].concat(), folder.path());
        assert!(fine && text.contains(words), "{arguments:?}: {text}");
    }
    let (fine, text) = run(&["admin", "archive", "run", "--older-than", "6"], folder.path());
    assert!(!fine && text.contains("6mo"), "{text}");
    std::fs::write(folder.path().join("madang.toml"), "archive_months = 0\n").unwrap();
    let (fine, text) = run(&["admin", "archive", "status"], folder.path());
    assert!(!fine && text.contains("--older-than"), "the file counts: {text}");
}

#[tokio::test]
async fn sigterm_tells_clients_to_come_back_and_ends_well() {
    // Alone, it waits for no load balancer.
    let mut server = Process::start_with(Backend::Sqlite, &[("MADANG_DRAIN_SECONDS", "600")]).await;
    let alice = server.user("alice").await;
    assert!(server.terminate().await.success());
    let reason = alice.wait_for("the connection to end", |state| match &state.connection {
        ConnectionStatus::Offline { reason, .. } => Some(format!("{reason:?}")),
        _ => None,
    });
    reason.await.unwrap();
    server.again().await;
    alice.reconnect().await.unwrap();
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let mut server = Process::start_with(Backend::Sqlite, &[("MADANG_SHUTDOWN_SECONDS", "600")]).await;
    // A request whose body never comes.
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let head =
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // It asks for the body, so it is at it.
    stream.read_exact(&mut [0; 12]).await.unwrap();
    server.signal();
    server.takes_nobody().await;
    server.signal();
    assert!(!server.ended().await.success());
    assert!(server.read_log().contains("second signal"));
}

#[tokio::test]
async fn whoever_asks_for_the_health_of_a_server_is_told_by_the_exit() {
    let mut server = Process::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let (arguments, listen) = (["admin", "health", "--listen"], server.address().to_owned());
    let asks = || run(&[&arguments[..], &[listen.as_str()]].concat(), folder.path());
    let (fine, text) = asks();
    assert!(fine && text.trim() == "ok", "{text}");
    server.kill();
    let (fine, text) = asks();
    assert!(!fine && text.contains("does not answer"), "{text}");
}
