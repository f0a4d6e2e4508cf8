//! Events and marks over two links, by what leaves.

use proptest::prelude::*;

use super::*;
use crate::{
    Audience, Class, Control,
    bus::{NodeId, redis::wire::Event},
    testing::channel,
};

fn message(number: u64, content: Content) -> Message {
    Message { node: NodeId(1), start: 9, number, content }
}

fn event(number: u64) -> Message {
    let (class, audience) = (Class::Durable, Audience::default());
    let event = Event { topic: channel(1), version: None, class, audience, payload: "".into() };
    message(number, Content::Event(event))
}

fn mark(number: u64) -> Message {
    let code = madang_proto::close::CloseCode::Restarting;
    message(number, Content::Control(Control::CloseAll { code }))
}

fn align(links: usize) -> Align {
    let mut align = Align::new();
    align.restart(links);
    align
}

fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.number).collect()
}

fn accept(align: &mut Align, link: usize, message: Message) -> Vec<u64> {
    numbers(&align.accept(link, message, Instant::now()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_mark_waits_until_every_link_brought_it() {
    let mut align = align(2);
    assert_eq!(accept(&mut align, 0, event(1)), [1]);
    assert_eq!(accept(&mut align, 0, mark(3)), [0; 0]);
    assert_eq!(accept(&mut align, 0, event(5)), [0; 0]);
    assert_eq!(accept(&mut align, 1, event(2)), [2]);
    assert_eq!(accept(&mut align, 1, mark(3)), [3, 5]);
    assert_eq!(align.deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_shows_a_later_mark_lost_the_earlier_one() {
    let mut align = align(2);
    assert_eq!(accept(&mut align, 0, mark(1)), [0; 0]);
    assert_eq!(accept(&mut align, 1, mark(2)), [1]);
    assert_eq!(accept(&mut align, 0, mark(2)), [2]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_link_holds_the_others_up_for_a_while_only() {
    let mut align = align(2);
    assert_eq!(accept(&mut align, 0, mark(1)), [0; 0]);
    assert_eq!(accept(&mut align, 0, event(2)), [0; 0]);
    let deadline = align.deadline().unwrap();
    assert_eq!(deadline, Instant::now() + PATIENCE);
    assert_eq!(numbers(&align.expire(deadline - Duration::from_millis(1))), [0; 0]);
    assert_eq!(numbers(&align.expire(deadline)), [1, 2]);
    // When it comes after all, it was done.
    assert_eq!(accept(&mut align, 1, mark(1)), [0; 0]);
    assert_eq!(accept(&mut align, 1, event(3)), [3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_repeated_is_refused_also_after_connecting_anew() {
    let mut align = align(1);
    assert_eq!(accept(&mut align, 0, event(4)), [4]);
    assert_eq!(align.accept(0, event(4), Instant::now()), Err(Repeated));
    assert_eq!(align.accept(0, mark(3), Instant::now()), Err(Repeated));
    align.restart(2);
    for link in 0..2 {
        assert_eq!(align.accept(link, event(4), Instant::now()), Err(Repeated));
    }
    assert_eq!(accept(&mut align, 1, event(5)), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_second_bus_waits_for_nothing_of_the_first() {
    let mut align = align(2);
    assert_eq!(accept(&mut align, 0, mark(1)), [0; 0]);
    assert_eq!(accept(&mut align, 0, Message { start: 8, ..event(1) }), [1]);
}

proptest! {
    /// However the links are interleaved, marks leave where they were sent, and nothing is lost or doubled.
    #[test]
    fn marks_keep_their_place(sent in prop::collection::vec(0..4_usize, 1..60), order in any::<Vec<bool>>()) {
        let mut streams = [VecDeque::new(), VecDeque::new()];
        for (number, kind) in (1..).zip(&sent) {
            match kind {
                link @ (0 | 1) => streams[*link].push_back(event(number)),
                _ => streams.iter_mut().for_each(|stream| stream.push_back(mark(number))),
            }
        }
        let (mut align, mut left) = (align(2), Vec::new());
        let mut order = order.into_iter().cycle().chain(std::iter::repeat(false));
        while streams.iter().any(|stream| !stream.is_empty()) {
            let first = usize::from(order.next().unwrap());
            let link = if streams[first].is_empty() { 1 - first } else { first };
            let message = streams[link].pop_front().unwrap();
            left.extend(align.accept(link, message, Instant::now()).unwrap());
        }
        let mut sorted = numbers(&left);
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (1..=sent.len() as u64).collect::<Vec<_>>());
        for (place, message) in left.iter().enumerate().filter(|(_, message)| is_mark(message)) {
            prop_assert!(left[..place].iter().all(|before| before.number < message.number));
            prop_assert!(left[place + 1..].iter().all(|after| after.number > message.number));
        }
    }
}
