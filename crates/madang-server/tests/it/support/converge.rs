//! The test that nobody is left stale: what someone knows after the events of an operation is what
//! they would fetch anew.

use std::future::Future;

use madang_client::{Client, Options};

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
        let devices = [
            ("at hand", Some(&user.client)),
            ("that was away", Some(&away[index])),
            ("beside it", (index == 0).then_some(&second)),
        ];
        for (which, device) in devices.into_iter().filter_map(|(which, device)| Some((which, device?))) {
            client_settled(device, &format!("{}'s device {which}", user.name)).await;
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
    let fresh = Client::connect(client.http().clone(), Options::default()).await.unwrap();
    fresh.load_everything().await.unwrap();
    let wanted = fresh.state().comparable();
    let equal = client.wait_for("the state to converge", |state| {
        let known = state.comparable();
        (known == wanted.clone().like(&known) && known.channels.len() == wanted.channels.len()).then_some(())
    });
    if equal.await.is_err() {
        let known = client.state().comparable();
        let wanted = wanted.like(&known);
        panic!("{whose} is stale:\n{}", differences(&format!("{known:#?}"), &format!("{wanted:#?}")));
    }
    fresh.close().await;
}

/// The first lines that differ, and the last line before them.
fn differences(known: &str, wanted: &str) -> String {
    let pairs =
        known.lines().zip(wanted.lines()).skip_while(|(k, w)| k == w).filter(|(k, w)| k != w).take(12);
    let lines: Vec<_> = pairs.map(|(k, w)| format!("  known {}, there is {}", k.trim(), w.trim())).collect();
    format!("{}\n  of {} and {} lines", lines.join("\n"), known.lines().count(), wanted.lines().count())
}
