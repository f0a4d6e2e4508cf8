//! A full disk: 503 with nothing lost, and all is well when there is room again, without a restart.

use std::process::Command;

use madang_client::proto::{error::ErrorCode, messages::CreateMessage};

use crate::process::{Backend, Process};

#[tokio::test]
async fn a_full_disk_is_503_until_there_is_room() {
    let server = Process::start_within(Backend::Sqlite, Some(4096)).await;
    let alice = server.user("alice").await;
    let general = alice.state().channel_named("general").unwrap().id();
    let mut stored = 0;
    let body = |n: usize| CreateMessage {
        content: "가".repeat(8_000),
        nonce: Some(n.to_string()),
        file_ids: Vec::new(),
    };
    let refused = loop {
        match alice.http().create_message(general, &body(stored)).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1_000, "the limit was never reached");
    };
    assert_eq!(refused.code(), Some(ErrorCode::Unavailable), "{refused}");
    let page = alice.http().messages(general, Default::default()).await.unwrap();
    assert_eq!(page.items.last().unwrap().seq, i64::try_from(stored).unwrap(), "reading goes on");

    let room =
        Command::new("prlimit").args(["--pid", &server.id().to_string(), "--fsize=unlimited"]).status();
    assert!(room.unwrap().success());
    let message = alice.http().create_message(general, &body(stored)).await;
    let message = message.unwrap_or_else(|e| panic!("{e}: {}", server.read_log()));
    assert_eq!(message.seq, i64::try_from(stored).unwrap() + 1, "no hole");
}
