//! Supervision: a panic costs at most the connection it happened in; what is supervised comes back.

use madang_client::{
    proto::{
        Event,
        command::{Command, Empty},
    },
    socket::{Incoming, RawSocket},
};
use serde_json::Value;

use crate::support::{TestServer, User, on_both};

async fn child(s: &TestServer, name: &str) -> Value {
    let (_, health) = s.http().health().await.unwrap();
    let children = health["children"].as_array().unwrap().clone();
    children.into_iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("{name} is not in {health}"))
}

/// Waits until a child was started again and runs.
async fn back(s: &TestServer, name: &str) {
    let wait = async {
        loop {
            let child = child(s, name).await;
            if child["restarts"] == 1 && child["state"] == "running" {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("{name} is not back"));
}

/// Bob hears what Alice sends, over the connection that he had all along.
async fn bob_never_noticed(alice: &User, bob: &mut User, content: &str) {
    alice.send(alice.general(), content).await;
    let heard = bob.next("the message, with no new READY before it", |event| match event {
        Event::Message(message) => Some(message),
        Event::Ready(_) => panic!("bob's connection was lost"),
        _ => None,
    });
    assert_eq!(heard.await.content, content);
}

on_both! {
    async fn a_panic_in_a_connection_costs_only_that_connection(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let token = alice.http.current_token().unwrap().0;
        let mut socket = RawSocket::connect(&s.url, Some(&token)).await.unwrap();
        socket.hello(Default::default()).await.unwrap();
        s.faults.arm("connection");
        socket.send(Command::Ping(Empty {}), None).await.unwrap();
        while let Incoming::Frame(_) = socket.next_frame().await {}
        assert_eq!(child(&s, "connections").await["faults"], 1);
        bob_never_noticed(&alice, &mut bob, "still here").await;
    }

    async fn the_writer_comes_back_and_the_message_goes_out_once(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        s.faults.arm("writer");
        bob_never_noticed(&alice, &mut bob, "through a panic").await;
        back(&s, "writer").await;
        let page = alice.http.messages(alice.general(), Default::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
    }

    async fn every_shard_comes_back_and_nobody_misses_anything(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let shards = std::thread::available_parallelism().unwrap().get();
        for shard in 0..shards {
            s.faults.arm(&format!("shard-{shard}"));
        }
        // Enough people that every shard has someone.
        let mut crowd = Vec::new();
        for _ in 0..4 * shards {
            crowd.push(alice.device().await);
        }
        bob_never_noticed(&alice, &mut bob, "through a panic").await;
        for device in &crowd {
            let heard = device.wait_for("the message", |state| {
                state.channel_named("general")?.messages().any(|m| m.content == "through a panic").then_some(())
            });
            heard.await.unwrap();
        }
        for shard in 0..shards {
            back(&s, &format!("shard-{shard}")).await;
        }
    }

    async fn what_runs_beside_comes_back_unnoticed(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        for name in ["presence", "sweep", "listener"] {
            s.faults.arm(name);
            // Each new connection wakes the listener.
            s.http().health().await.unwrap();
            back(&s, name).await;
            bob_never_noticed(&alice, &mut bob, name).await;
        }
    }
}
