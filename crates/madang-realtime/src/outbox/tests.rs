//! What leaves an outbox, when, and what is dropped.

use std::{future::Future, pin::pin, task::Context};

use super::*;
use crate::testing::{frame, to_the_end, waiting};

fn durable(outbox: &Outbox, texts: &[&str]) {
    texts.iter().for_each(|text| outbox.push(frame(text), Class::Durable));
}

#[tokio::test]
async fn everything_that_waits_is_taken_at_once_in_order() {
    let outbox = Outbox::default();
    durable(&outbox, &["a", "b"]);
    outbox.push(frame("c"), Class::Ephemeral);
    outbox.push_reply(frame("d"));
    let mut frames = Vec::new();
    outbox.recv(&mut frames).await.unwrap();
    assert_eq!(frames, ["a", "b", "c", "d"].map(frame));
}

#[test]
fn what_is_ephemeral_goes_first_when_it_is_full() {
    let outbox = Outbox::bounded(10);
    outbox.push(frame("type"), Class::Ephemeral);
    durable(&outbox, &["1234"]);
    outbox.push(frame("more typing"), Class::Ephemeral);
    durable(&outbox, &["5678", "90"]);
    assert_eq!(waiting(&outbox), ["1234", "5678", "90"]);
    durable(&outbox, &["1234567890"]);
    assert_eq!(waiting(&outbox), ["1234567890"], "there is room again");
}

#[tokio::test]
async fn a_reader_who_is_too_slow_is_closed_and_gets_nothing_more() {
    let outbox = Outbox::bounded(10);
    durable(&outbox, &["12345", "67890"]);
    assert_eq!(outbox.close_code(), None);
    durable(&outbox, &["x", "y"]);
    outbox.push_reply(frame("z"));
    outbox.close(CloseCode::Restarting);
    assert_eq!(to_the_end(&outbox).await, (vec![], CloseCode::TooSlow));
}

#[test]
fn one_frame_larger_than_the_bound_passes_when_nothing_else_waits() {
    let outbox = Outbox::bounded(4);
    durable(&outbox, &["larger"]);
    assert_eq!(waiting(&outbox), ["larger"]);
}

#[tokio::test]
async fn replies_have_their_own_room() {
    let outbox = Outbox::bounded(4);
    durable(&outbox, &["1234"]);
    outbox.push_reply(frame("1234"));
    outbox.push_reply(frame("a large reply"));
    assert_eq!(waiting(&outbox), ["1234", "1234", "a large reply"]);

    outbox.push_reply(frame("a large reply"));
    durable(&outbox, &["1234"]);
    outbox.push_reply(frame("one too many"));
    assert_eq!(to_the_end(&outbox).await, (vec![], CloseCode::TooSlow));
}

#[tokio::test]
async fn what_waited_is_given_out_before_the_first_close_code() {
    let outbox = Outbox::default();
    durable(&outbox, &["a"]);
    outbox.close(CloseCode::SessionEnded);
    outbox.close(CloseCode::Restarting);
    durable(&outbox, &["late"]);
    assert_eq!(outbox.closed().await, CloseCode::SessionEnded);
    assert_eq!(to_the_end(&outbox).await, (vec!["a".to_owned()], CloseCode::SessionEnded));
}

#[tokio::test]
async fn a_cancelled_wait_loses_no_wake_up() {
    let outbox = Outbox::default();
    let mut frames = Vec::new();
    {
        let mut cancelled = pin!(outbox.recv(&mut frames));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(cancelled.as_mut().poll(&mut cx).is_pending());
        durable(&outbox, &["a"]);
    }
    outbox.recv(&mut frames).await.unwrap();
    durable(&outbox, &["b"]);
    outbox.recv(&mut frames).await.unwrap();
    assert_eq!(frames, ["a", "b"].map(frame));
}

/// A socket with room for so many bytes.
#[derive(Default)]
struct Room(Mutex<(usize, String)>);

impl Sink for Room {
    fn write_now(&self, bytes: &[u8]) -> usize {
        let (room, written) = &mut *self.0.lock();
        let taken = bytes.len().min(*room);
        *room -= taken;
        written.push_str(std::str::from_utf8(&bytes[..taken]).unwrap());
        taken
    }
}

/// An outbox whose session waits, and its socket.
fn lent(limit: usize, room: usize) -> (Outbox, Arc<Room>) {
    let (outbox, socket) = (Outbox::bounded(limit), Arc::new(Room(Mutex::new((room, String::new())))));
    outbox.lend(Arc::clone(&socket) as Arc<dyn Sink>);
    wait(&outbox);
    (outbox, socket)
}

/// A session that finds nothing.
fn wait(outbox: &Outbox) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(outbox.recv(&mut Vec::new())).as_mut().poll(&mut cx).is_pending());
}

#[test]
fn while_its_session_waits_a_frame_may_go_right_into_the_socket() {
    let (outbox, socket) = lent(100, 5);
    outbox.push_now(frame("abc"), Class::Durable);
    outbox.push_now(frame("defg"), Class::Ephemeral);
    outbox.push_reply(frame("h"));
    assert_eq!(socket.0.lock().1, "abcde");
    assert_eq!(waiting(&outbox), ["fg", "h"], "the rest is left to the session");
    socket.0.lock().0 = 100;
    outbox.push_now(frame("i"), Class::Durable);
    assert_eq!(waiting(&outbox), ["i"], "which is still at it");
    wait(&outbox);
    outbox.push_now(frame("j"), Class::Durable);
    outbox.close(CloseCode::Restarting);
    outbox.push_now(frame("k"), Class::Durable);
    assert_eq!(socket.0.lock().1, "abcdej");
}

#[tokio::test]
async fn the_rest_of_a_frame_is_given_out_whatever_happens() {
    let (outbox, _) = lent(4, 1);
    outbox.push_now(frame("typing"), Class::Ephemeral);
    outbox.push_now(frame("more"), Class::Ephemeral);
    durable(&outbox, &["1", "2"]);
    assert_eq!(to_the_end(&outbox).await, (vec!["yping".to_owned()], CloseCode::TooSlow));
}
