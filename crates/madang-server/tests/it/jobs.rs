//! Jobs: done at their time, again when they fail, and kept when they failed too often.

use madang_client::proto::{Timestamp, error::ErrorCode::Unavailable};
use madang_store::testing;
use serde_json::Value;

use crate::support::{Backend, TestServer, User, on_both};

fn within(s: &TestServer, ms: i64) -> Timestamp {
    s.clock.now().plus_millis(ms)
}

async fn is_due(user: &User, text: &str) {
    let due = user.client.wait_for("the reminder", |state| {
        state
            .later()?
            .reminders
            .values()
            .any(|one| one.due && one.text.as_deref() == Some(text))
            .then_some(())
    });
    due.await.unwrap();
}

async fn restarts(s: &TestServer) -> Value {
    let health = s.http().health().await.unwrap().1;
    let child = health["children"].as_array().unwrap().iter().find(|child| child["name"] == "jobs");
    child.unwrap()["restarts"].clone()
}

on_both! {
    async fn a_panic_is_one_attempt_and_a_runner_that_panics_comes_back(s: TestServer) {
        let alice = s.user("alice").await;
        alice.client.load_later().await.unwrap();
        s.faults.arm("work");
        alice.http.remind(None, Some("first"), within(&s, 1_000)).await.unwrap();
        s.advance(3_000);
        s.tried().await;
        assert!(alice.http.reminders().await.unwrap().iter().all(|one| !one.due));
        s.faults.arm("jobs");
        s.advance(2_000);
        is_due(&alice, "first").await;
        alice.http.remind(None, Some("second"), within(&s, 1_000)).await.unwrap();
        s.advance(1_000);
        is_due(&alice, "second").await;
        assert_eq!(restarts(&s).await, 1);
    }

    async fn what_fails_too_often_is_kept_and_its_author_told(s: TestServer) {
        const ATTEMPTS: usize = 16;
        let alice = s.user("alice").await;
        (0..ATTEMPTS).for_each(|_| s.faults.arm("work"));
        alice.http.schedule(alice.general(), "never", within(&s, 1_000)).await.unwrap();
        for attempt in 1..=ATTEMPTS {
            assert_eq!(s.jobs().await["dead"], 0, "before attempt {attempt}");
            s.advance(61 * 60 * 1_000);
            s.tried().await;
        }
        s.jobs_until(|jobs| jobs["dead"] == 1).await;
        let failed = alice.http.scheduled().await.unwrap()[0].failed.clone().unwrap();
        assert_eq!(failed.code, Unavailable);
        s.advance(61 * 60 * 1_000);
        s.tried().await;
        let page = alice.http.messages(alice.general(), Default::default()).await.unwrap();
        assert_eq!((page.items.len(), s.jobs().await["dead"].as_i64()), (0, Some(1)));
    }
}

async fn a_database_that_was_away_costs_nothing(s: TestServer) {
    let alice = s.user("alice").await;
    alice.client.load_later().await.unwrap();
    alice.http.remind(None, Some("tea"), within(&s, 1_000)).await.unwrap();
    let url = s.config.database();
    let lock = match url.rsplit_once('/') {
        Some((server, name)) if url.starts_with("postgres") => {
            let (server, name) = (format!("{server}/postgres"), name.split('?').next().unwrap().to_owned());
            testing::cut(&server, &name, true).await.unwrap();
            s.advance(6_000);
            assert_eq!(s.jobs().await["late_seconds"], 5);
            testing::cut(&server, &name, false).await.unwrap();
            None
        }
        _ => Some(testing::Lock::take(&url).await.unwrap()),
    };
    if let Some(lock) = lock {
        s.advance(6_000);
        assert_eq!(s.jobs().await["late_seconds"], 5);
        lock.release().await.unwrap();
    }
    is_due(&alice, "tea").await;
}

#[tokio::test]
async fn a_database_that_was_away_costs_nothing_on_sqlite() {
    let s = TestServer::start_with(Backend::Sqlite, |c| c.database_patience = 1).await.unwrap();
    a_database_that_was_away_costs_nothing(s).await;
}

#[tokio::test]
async fn a_database_that_was_away_costs_nothing_on_postgres() {
    if let Some(backend) = Backend::postgres().await {
        let s = TestServer::start_with(backend, |c| c.database_patience = 1).await.unwrap();
        a_database_that_was_away_costs_nothing(s).await;
    }
}
