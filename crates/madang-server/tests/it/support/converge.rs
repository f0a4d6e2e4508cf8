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

/// Waits until what `who` knows is what a fresh client of theirs fetches.
pub async fn settled(who: &User) {
    let fresh = Client::connect(who.http.clone(), Options::default()).await.unwrap();
    fresh.load_everything().await.unwrap();
    let wanted = fresh.state().comparable();
    let equal = who.client.wait_for("the state to converge", |state| {
        let known = state.comparable();
        (known == wanted.clone().like(&known) && known.channels.len() == wanted.channels.len()).then_some(())
    });
    if equal.await.is_err() {
        let known = who.client.state().comparable();
        assert_eq!(known, wanted.like(&known), "{} is stale", who.name);
        panic!("{} knows other channels than there are", who.name);
    }
    fresh.close().await;
}
