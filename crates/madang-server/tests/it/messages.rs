//! Messages: sent, heard, edited, deleted, paged.

use madang_client::proto::{
    error::ErrorCode::{Forbidden, NotFound},
    messages::CreateMessage,
};

use crate::support::{Cast, Expected, TestServer, converge, on_both, refusals};

on_both! {
    async fn what_alice_sends_bob_hears_once_and_in_order(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        for n in 1..=20 {
            alice.send(alice.general(), &format!("안녕 {n}")).await;
        }
        for n in 1..=20 {
            let message = bob.next_message().await;
            assert_eq!((message.content, message.seq), (format!("안녕 {n}"), n));
        }
    }

    async fn sending_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        converge(&bob, alice.send(alice.general(), "hi")).await;
        converge(&alice, alice.send(alice.general(), "to myself")).await;
    }

    async fn who_may_send(s: TestServer) {
        let cast = Cast::of(&s).await;
        let body = CreateMessage { content: "hi".to_owned(), nonce: None };
        let expected = Expected {
            stranger: Some(NotFound), outsider: Some(NotFound),
            guest: None, member: None, admin: None, owner: None,
        };
        refusals(&cast, expected, |user| user.http.create_message(cast.secret.id, &body)).await;
        let expected = Expected { outsider: Some(Forbidden), ..expected };
        refusals(&cast, expected, |user| user.http.create_message(cast.open.id, &body)).await;
    }
}
