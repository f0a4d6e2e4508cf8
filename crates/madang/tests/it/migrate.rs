//! `kill -9` while an installation moves to PostgreSQL, again and again: in the end each row is there once.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use madang_client::Client;
use madang_store::testing;
use tokio::task::JoinSet;

use crate::{
    crash::all_messages,
    process::{Backend, MADANG, Process},
};

const CLIENTS: usize = 10;
/// Several batches.
const EACH: usize = 500;

async fn target() -> Option<String> {
    match Backend::postgres().await? {
        Backend::Postgres(url) => Some(url),
        Backend::Sqlite => None,
    }
}

fn migrate(server: &Process, to: &str, more: &[&str]) -> Command {
    let mut command = Command::new(MADANG);
    command
        .args(["admin", "migrate"])
        .args(more)
        .current_dir(server.folder())
        .env("MADANG_DATA", server.data())
        .env("MADANG_MIGRATE_TO", to)
        .env_remove("MADANG_DATABASE_URL");
    command
}

/// Runs it to its end; gives what it printed, and whether it succeeded.
fn whole(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Begins it and kills it once it is further than it was; gives where it is then. None when all rows are there.
async fn killed_further_on(server: &Process, to: &str) -> Option<(String, String)> {
    let before = testing::moved(to).await.unwrap().1;
    let mut child = migrate(server, to, &[]).stdout(Stdio::null()).spawn().unwrap();
    loop {
        let now = testing::moved(to).await.unwrap().1;
        if now != before {
            kill(child);
            return testing::moved(to).await.unwrap().1;
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success());
            return None;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_has_each_row_once_in_the_end() {
    let Some(to) = target().await else { return };
    let mut server = Process::start(Backend::Sqlite).await;
    let mut sending = JoinSet::new();
    let mut clients: Vec<Client> = Vec::new();
    for n in 0..CLIENTS {
        let client = server.user(&format!("client{n}")).await;
        let general = client.state().channel_named("general").unwrap().id();
        clients.push(client.clone());
        sending.spawn(async move {
            for m in 0..EACH {
                client.send(general, &format!("{n}/{m}")).await.unwrap();
            }
        });
    }
    sending.join_all().await;
    let stored = all_messages(&clients[0]).await;
    assert_eq!(stored.len(), CLIENTS * EACH);
    let (fine, text) = whole(&mut migrate(&server, &to, &[]));
    assert!(!fine && text.contains("another madang uses the data folder"), "{text}");
    assert!(server.terminate().await.success());
    let (fine, text) = whole(&mut migrate(&server, &to, &["--dry-run"]));
    assert!(fine && text.contains(&format!("{}  messages\n", stored.len())), "{text}");

    let mut midway = 0;
    while let Some((table, _)) = killed_further_on(&server, &to).await {
        midway += usize::from(table == "messages");
        let (fine, text) =
            whole(Command::new(MADANG).args(["admin", "archive", "status"]).env("MADANG_DATABASE_URL", &to));
        assert!(!fine && text.contains("an installation is moving into this database"), "{text}");
        if ["profiles", "notification_users"].contains(&table.as_str()) {
            break;
        }
    }
    assert!(midway >= 2, "killed in the middle of the messages");
    // All rows are there; now after them.
    let mut child = migrate(&server, &to, &[]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("exports …")));
    kill(child);
    let (fine, text) = whole(&mut migrate(&server, &to, &[]));
    assert!(fine && text.contains("All is there, and was compared"), "{text}");
    assert!(text.contains(&format!("{}  messages\n", stored.len())) && !text.contains("madang@"), "{text}");
    let (fine, text) = whole(&mut migrate(&server, &to, &[]));
    assert!(!fine && text.contains("an installation moved here at"), "{text}");

    server.moved_to(&to);
    server.again().await;
    clients[0].reconnect().await.unwrap();
    assert_eq!(all_messages(&clients[0]).await, stored);
    let general = clients[0].state().channel_named("general").unwrap().id();
    let sent = clients[1].send(general, "on PostgreSQL").await.unwrap();
    assert_eq!(sent.seq, stored.last().unwrap().seq + 1);
    for client in &clients {
        let view = client.wait_for("what is sent there", |state| {
            (state.channel(general)?.messages().last()?.id == sent.id).then_some(())
        });
        view.await.unwrap();
    }
}
