//! The test that nobody is left stale: what someone knows after the events of an operation is what
//! they would fetch anew.

use std::future::Future;

use madang_client::{Client, Options, state::Comparable};

use super::User;

/// Runs `operation` while `who` listens; then what they know must become equal to what a fresh client
/// of theirs fetches. Gives what the operation gave.
pub async fn converge<T>(who: &User, operation: impl Future<Output = T>) -> T {
    who.client.load_everything().await.unwrap();
    let result = operation.await;
    settled(who).await;
    result
}

/// Runs `operation` while everyone in `all` looks on: the first, who acts, on two devices, the others on
/// one; and each of them on a device that is offline meanwhile and comes back. Afterwards all these
/// devices must know what a fresh one fetches.
pub async fn all_converge<T>(all: &[&User], operation: impl Future<Output = T>) -> T {
    let mut away = Vec::new();
    for user in all {
        user.client.load_everything().await.unwrap();
        away.push(user.device().await);
    }
    let second = all[0].device().await;
    second.load_everything().await.unwrap();
    for device in &away {
        device.load_everything().await.unwrap();
        device.disconnect().await.unwrap();
    }
    let result = operation.await;
    for (index, user) in all.iter().enumerate() {
        away[index].reconnect().await.unwrap();
        let there = fresh(&user.client).await;
        equal(&user.client, &there, &format!("{}'s device", user.name)).await;
        equal(&away[index], &there, &format!("{}'s device that was away", user.name)).await;
        if index == 0 {
            equal(&second, &there, &format!("{}'s second device", user.name)).await;
        }
        away[index].close().await;
    }
    second.close().await;
    result
}

/// Waits until what `who` knows is what a fresh client of theirs fetches.
pub async fn settled(who: &User) {
    client_settled(&who.client, &who.name).await;
}

/// Waits until what a client knows is what a fresh one with the same session fetches.
pub async fn client_settled(client: &Client, whose: &str) {
    equal(client, &fresh(client).await, whose).await;
}

/// What a fresh client with the same session fetches.
async fn fresh(client: &Client) -> Comparable {
    let fresh = Client::connect(client.http().clone(), Options::default()).await.unwrap();
    fresh.load_everything().await.unwrap();
    let there = fresh.state().comparable();
    fresh.close().await;
    there
}

async fn equal(client: &Client, there: &Comparable, whose: &str) {
    let equal = client.wait_for("the state to converge", |state| {
        let known = state.comparable();
        (known == there.clone().like(&known) && known.channels.len() == there.channels.len()).then_some(())
    });
    if equal.await.is_err() {
        let known = client.state().comparable();
        let there = there.clone().like(&known);
        panic!("{whose} is stale:\n{}", differences(&format!("{known:#?}"), &format!("{there:#?}")));
    }
}

/// The first lines that differ, and the last line before them.
fn differences(known: &str, wanted: &str) -> String {
    let pairs =
        known.lines().zip(wanted.lines()).skip_while(|(k, w)| k == w).filter(|(k, w)| k != w).take(12);
    let lines: Vec<_> = pairs.map(|(k, w)| format!("  known {}, there is {}", k.trim(), w.trim())).collect();
    format!("{}\n  of {} and {} lines", lines.join("\n"), known.lines().count(), wanted.lines().count())
}
