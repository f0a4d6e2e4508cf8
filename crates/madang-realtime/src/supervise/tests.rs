//! Tests of the supervisor, on a clock that is moved by waiting.

use std::{
    future,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use super::{
    restart::{FIRST_PAUSE, HEALTHY, LONGEST_PAUSE, RESTARTS},
    *,
};

fn supervisor() -> Supervisor {
    Supervisor::new(Shutdown::new())
}

/// A child that runs `life` with the number of the attempt.
fn child<Fut>(
    supervisor: &Supervisor,
    name: &str,
    life: impl Fn(u32) -> Fut + Send + 'static,
) -> Arc<AtomicU32>
where
    Fut: Future<Output = Result<(), BoxError>> + Send,
{
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    supervisor.child(name, move || life(counted.fetch_add(1, SeqCst)));
    attempts
}

fn status(supervisor: &Supervisor, name: &str) -> ChildStatus {
    supervisor.status().into_iter().find(|child| child.name == name).expect("there is such a child")
}

#[tokio::test(start_paused = true)]
async fn a_panic_or_an_error_restarts_one_child_and_leaves_the_others() {
    let supervisor = supervisor();
    let broken = child(&supervisor, "broken", async |attempt| match attempt {
        0 => panic!("at the disco"),
        1 => Err("no luck".into()),
        _ => future::pending().await,
    });
    let sound = child(&supervisor, "sound", async |_| future::pending().await);
    sleep(FIRST_PAUSE / 2).await;
    let now = status(&supervisor, "broken");
    assert_eq!((now.state, now.last_error.as_deref()), (ChildState::Restarting, Some("panic: at the disco")));
    sleep(Duration::from_secs(1)).await;
    assert_eq!((broken.load(SeqCst), sound.load(SeqCst)), (3, 1));
    let now = status(&supervisor, "broken");
    assert_eq!((now.state, now.restarts, now.faults), (ChildState::Running, 2, 2));
    assert_eq!(now.last_error.as_deref(), Some("no luck"));
    assert_eq!(status(&supervisor, "sound").faults, 0);
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_panics_is_a_fault_of_its_child() {
    let supervisor = supervisor();
    let mut first = true;
    supervisor.child("child", move || {
        assert!(!std::mem::take(&mut first), "cannot even begin");
        future::pending()
    });
    sleep(Duration::from_secs(1)).await;
    let now = status(&supervisor, "child");
    assert_eq!((now.state, now.restarts), (ChildState::Running, 1));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_too_often_ends_the_run_with_the_reason() {
    let supervisor = supervisor();
    let attempts = child(&supervisor, "writer", async |attempt| Err(format!("disk {attempt}").into()));
    let gave_up = supervisor.run().await.unwrap_err();
    assert_eq!(attempts.load(SeqCst), 11, "one start and ten restarts");
    assert_eq!(gave_up.to_string(), "writer failed too often, last: disk 10");
    assert_eq!(status(&supervisor, "writer").state, ChildState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_now_and_then_is_restarted_for_ever() {
    let supervisor = supervisor();
    let attempts = child(&supervisor, "flaky", async |_| {
        sleep(HEALTHY / 5).await;
        Err("again".into())
    });
    let run = supervisor.run();
    assert!(timeout_at(Instant::now() + 20 * HEALTHY, run).await.is_err());
    assert!(attempts.load(SeqCst) > 50);
}

#[test]
fn pauses_double_up_to_the_longest_and_begin_anew_after_health() {
    let (mut restarts, mut now) = (Restarts::default(), Instant::now());
    let mut pauses = Vec::new();
    for _ in 0..RESTARTS {
        let pause = restarts.pause(now, now).unwrap();
        pauses.push(pause.as_millis());
        now += pause;
    }
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    assert_eq!(restarts.pause(now, now), None, "one more within the minute is too many");
    assert_eq!(LONGEST_PAUSE.as_millis(), 5_000);
    assert_eq!(restarts.pause(now, now + HEALTHY), Some(FIRST_PAUSE));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_done_is_not_restarted() {
    let supervisor = supervisor();
    let attempts = child(&supervisor, "once", async |_| Ok(()));
    sleep(HEALTHY).await;
    assert_eq!(attempts.load(SeqCst), 1);
    assert_eq!(status(&supervisor, "once").state, ChildState::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_children_and_aborts_those_that_do_not_end() {
    let supervisor = supervisor();
    let signal = supervisor.signal().clone();
    supervisor.child("polite", move || {
        let signal = signal.clone();
        async move {
            signal.wait().await;
            sleep(Duration::from_secs(1)).await;
            Ok(())
        }
    });
    child(&supervisor, "stuck", async |_| future::pending().await);
    let failing = child(&supervisor, "failing", async |_| Err("always".into()));
    sleep(FIRST_PAUSE / 2).await;
    let (begun, attempts) = (Instant::now(), failing.load(SeqCst));
    let run = tokio::join!(supervisor.run(), supervisor.shutdown(Duration::from_secs(5)));
    assert_eq!(run, (Ok(()), vec!["stuck".to_owned()]));
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert_eq!(failing.load(SeqCst), attempts, "nothing starts again while stopping");
    assert!(supervisor.status().iter().all(|child| child.state == ChildState::Stopped));
    assert!(supervisor.shutdown(Duration::ZERO).await.is_empty(), "a second time there is nothing to do");
}

#[tokio::test(start_paused = true)]
async fn an_isolated_panic_is_counted_and_harms_nobody() {
    let supervisor = supervisor();
    let (bad, good) = (
        supervisor.isolated("connections", async { panic!("bad frame") }),
        supervisor.isolated("connections", async {}),
    );
    bad.await.unwrap();
    good.await.unwrap();
    let now = status(&supervisor, "connections");
    assert_eq!((now.state, now.restarts, now.faults), (ChildState::Running, 0, 1));
    assert_eq!(now.last_error.as_deref(), Some("panic: bad frame"));
}

#[cfg(feature = "faults")]
#[test]
fn an_armed_point_panics_once_for_each_time_it_was_armed() {
    let faults = Faults::default();
    faults.point("writer");
    faults.clone().arm("writer");
    faults.point("listener");
    assert!(catch_unwind(AssertUnwindSafe(|| faults.point("writer"))).is_err());
    faults.point("writer");
}
