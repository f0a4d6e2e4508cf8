//! What is told when people come and go, with the clock in hand.

use super::*;

const HOME: i64 = 1;

fn board() -> Board {
    Board::new(Limit { people: 3, again: 2 })
}

fn comes_to(board: &Board, user: i64, home: i64) {
    board.connected(user.into(), UserStatus::default(), [home.into()], 0);
}

fn come(board: &Board, users: impl IntoIterator<Item = i64>) {
    users.into_iter().for_each(|user| comes_to(board, user, HOME));
}

/// Goes and comes to be gone.
fn go(board: &Board, users: impl IntoIterator<Item = i64>) -> News {
    users.into_iter().for_each(|user| board.disconnected(user.into(), 0));
    board.tick(5_000, true)
}

/// Who is named to everyone, as numbers.
fn named(news: &News) -> Vec<i64> {
    let named = news.people.iter().filter(|told| !told.named.is_empty());
    named.map(|told| told.presence.user_id.get()).collect()
}

fn counts(online: u32, named: bool) -> Online {
    Online { workspace_id: HOME.into(), online, named }
}

fn seen(board: &Board, user: i64, watched: &[UserId]) -> (Vec<i64>, bool) {
    board.picture(user.into(), &[HOME.into()], watched, |seen| {
        (seen.presence.iter().map(|p| p.user_id.get()).collect(), seen.online[0].named)
    })
}

#[test]
fn few_are_named_and_many_that_come_at_once_are_counted_only() {
    let few = board();
    come(&few, 1..=3);
    assert_eq!(named(&few.tick(0, false)), [1, 2, 3]);
    let many = board();
    come(&many, 1..=100);
    let news = many.tick(0, false);
    assert_eq!((named(&news), news.turned, news.counts), (vec![], vec![counts(100, false)], vec![]));
}

#[test]
fn a_workspace_turns_above_the_limit_and_back_well_below_it() {
    let board = board();
    come(&board, 1..=3);
    board.tick(0, true);
    come(&board, [4]);
    assert_eq!(board.tick(0, false).turned, [counts(4, false)]);
    assert_eq!(go(&board, [4]).counts, [counts(3, false)], "three are still counted");
    let news = go(&board, [3]);
    assert_eq!((news.turned.clone(), named(&news)), (vec![counts(2, true)], vec![]), "all ask for all");
    come(&board, [3]);
    assert_eq!(board.tick(5_000, true), News { people: board_told(3), ..News::default() });
}

fn board_told(user: i64) -> Vec<Told> {
    let presence = Presence::of(user.into(), Status::Online, None);
    vec![Told { presence, named: vec![HOME.into()], counted: vec![], known: vec![] }]
}

#[test]
fn when_a_crowd_goes_at_once_nobody_hears_who_went() {
    let board = board();
    come(&board, 1..=100);
    board.tick(0, true);
    let news = go(&board, 2..=100);
    assert_eq!((named(&news), news.turned), (vec![], vec![counts(1, true)]));
}

#[test]
fn there_and_back_between_two_ticks_is_told_too_for_the_sake_of_who_looked_meanwhile() {
    let board = board();
    come(&board, 1..=3);
    board.tick(0, true);
    come(&board, [4]);
    assert_eq!(seen(&board, 1, &[]), (vec![1], false), "only oneself");
    board.moved_out(4.into(), HOME.into());
    board.moved_out(3.into(), HOME.into());
    assert_eq!(board.tick(0, false).turned, [counts(2, true)]);
}

#[test]
fn a_number_is_told_when_it_moved_by_a_hundredth_or_waited() {
    let board = board();
    come(&board, 1..=1_000);
    board.tick(0, false);
    come(&board, 1_001..=1_009);
    let seconds: Vec<_> = (0..QUIET_SECONDS + 2).map(|_| board.tick(0, true).counts.len()).collect();
    assert_eq!(seconds, [0, 0, 0, 0, 1, 0, 0]);
    come(&board, 1_010..=1_020);
    assert_eq!(board.tick(0, false).counts, [], "once a second");
    assert_eq!(board.tick(0, true).counts, [counts(1_020, false)]);
}

#[test]
fn who_looked_at_a_number_in_between_hears_the_one_that_was_told_before() {
    let board = board();
    come(&board, 1..=1_000);
    board.tick(0, true);
    come(&board, [1_001]);
    seen(&board, 1, &[]);
    board.moved_out(1_001.into(), HOME.into());
    let told: Vec<_> = (0..2 * QUIET_SECONDS).flat_map(|_| board.tick(0, true).counts).collect();
    assert_eq!(told, [counts(1_000, false)]);
}

#[test]
fn of_those_who_are_counted_one_sees_oneself_and_whom_one_watches() {
    let board = board();
    come(&board, 1..=9);
    comes_to(&board, 77, 2);
    assert_eq!(seen(&board, 1, &[5.into(), 77.into()]), (vec![1, 5, 77], false));
    let watched = board.picture(1.into(), &[HOME.into()], &[5.into(), 77.into()], |seen| seen.presence);
    assert_eq!(watched[1].status, Status::Online);
    assert_eq!(watched[2].status, Status::Offline, "a stranger is never there");
}

#[test]
fn who_moves_is_told_of_where_they_move() {
    let board = board();
    come(&board, [1, 2]);
    comes_to(&board, 2, 2);
    board.tick(0, false);
    board.moved_out(2.into(), HOME.into());
    let told = board.tick(0, false).people.remove(0);
    assert_eq!(
        (told.presence.status, told.named, told.known),
        (Status::Offline, vec![HOME.into()], vec![2.into()])
    );
    board.moved_in(2.into(), HOME.into());
    let told = board.tick(0, false).people.remove(0);
    assert_eq!(
        (told.presence.status, told.named, told.known),
        (Status::Online, vec![HOME.into()], vec![2.into()])
    );
}

#[test]
fn nothing_is_left_of_those_who_went() {
    let board = board();
    come(&board, 1..=9);
    board.tick(0, true);
    go(&board, 1..=9);
    let inner = board.inner.lock();
    assert!(inner.homes.is_empty() && inner.crowds.is_empty() && inner.moved.is_empty());
}
