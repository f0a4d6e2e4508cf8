//! Notifications: who is told of what, once, on all their devices, until they read it.

use futures_util::future::join_all;
use madang_client::proto::{
    ChannelId, Event, Timestamp,
    channels::ChannelKind,
    direct::OpenDirect,
    error::ErrorCode::{self, Conflict, Invalid, NotFound},
    limits,
    notifications::{
        Notification,
        NotificationKind::{self, Direct, Invite, Keyword, Mention, Message as Any, Reply},
        NotificationLevel::{All, Mentions, Nothing},
        NotificationQuery, QuietHours, UpdateNotificationSettings, Weekday,
    },
    threads::CreateReply,
};

use crate::support::{Cast, Expected, PATIENCE, TestServer, User, all_converge, on_both, refusals, settled};

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn within(s: &TestServer, ms: i64) -> Timestamp {
    s.clock.now().plus_millis(ms)
}

/// Lets the jobs of what was sent be done.
async fn told(s: &TestServer) {
    s.advance(2_000);
    s.tried().await;
}

async fn listed(user: &User) -> Vec<Notification> {
    let query = NotificationQuery { limit: Some(100), ..NotificationQuery::default() };
    user.http.notifications(query).await.unwrap().items
}

/// What someone is told of, the newest first.
async fn heard(user: &User) -> Vec<(NotificationKind, String)> {
    listed(user).await.into_iter().map(|one| (one.kind, one.excerpt)).collect()
}

/// Lets time pass, and jobs be done that died once, until someone is told of so much.
async fn hears(s: &TestServer, user: &User, count: usize) {
    let told = async {
        while heard(user).await.len() < count {
            s.advance(10_000);
            s.tried().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

fn texts(expected: &[(NotificationKind, &str)]) -> Vec<(NotificationKind, String)> {
    expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
}

/// How many someone has not read, as a new connection, a list and their own devices know it.
async fn unread(user: &User) -> i64 {
    let listed = listed(user).await.into_iter().filter(|one| !one.read).count();
    let device = user.device().await;
    let ready = device.state().unread_notifications().unread;
    device.close().await;
    assert_eq!(usize::try_from(ready), Ok(listed), "{}", user.name);
    let known = user
        .client
        .wait_for("the count", |state| (state.unread_notifications().unread == ready).then_some(()));
    known.await.unwrap();
    ready
}

async fn direct(alice: &User, bob: &User) -> ChannelId {
    let body = OpenDirect { user_ids: vec![bob.id], workspace_id: None };
    alice.http.open_direct(&body).await.unwrap().id
}

async fn words(user: &User, keywords: &[&str]) {
    let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
    let new = UpdateNotificationSettings { keywords, ..UpdateNotificationSettings::default() };
    user.http.update_notification_settings(&new).await.unwrap();
}

fn reply(content: &str) -> CreateReply {
    CreateReply { content: content.to_owned(), nonce: None, also_to_channel: false, file_ids: Vec::new() }
}

/// All of someone's notifications, the newest first.
async fn all_listed(user: &User) -> Vec<Notification> {
    let (mut all, mut query) = (Vec::new(), NotificationQuery { limit: Some(100), ..Default::default() });
    loop {
        let page = user.http.notifications(query).await.unwrap();
        all.extend(page.items);
        let Some(cursor) = page.next_cursor else { return all };
        query.before = Some(cursor.parse().unwrap());
    }
}

on_both! {
    async fn one_is_told_of_what_is_meant_for_one(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let general = alice.general();
        let root = bob.send(general, "root").await;
        alice.send(general, "to nobody").await;
        let sent = alice.send(general, "@bob hi").await;
        alice.http.react(root.id, "👍").await.unwrap();
        told(&s).await;
        let new = bob.next("a notification", |event| match event {
            Event::Notification(new) => Some(new),
            _ => None,
        });
        let new = new.await;
        assert_eq!((new.notification.message_id, new.count.unread), (Some(sent.id), 1));
        assert_eq!((new.notification.author.id, new.notification.created_at), (alice.id, sent.created_at));
        assert_eq!((new.notification.silent, new.notification.channel_id), (false, general));
        assert_eq!(listed(&bob).await, [new.notification]);
        alice.send(direct(&alice, &bob).await, "direct").await;
        let replied = alice.http.reply(root.id, &reply("a reply")).await.unwrap();
        told(&s).await;
        let secret = alice.channel("secret", ChannelKind::Private).await;
        alice.http.add_channel_member(secret.id, bob.id).await.unwrap();
        let expected = [(Invite, "secret"), (Reply, "a reply"), (Direct, "direct"), (Mention, "@bob hi")];
        let mut found = heard(&bob).await;
        found[1..3].sort_by(|a, b| b.1.cmp(&a.1));
        found[1..3].reverse();
        assert_eq!(found, texts(&expected));
        let thread = listed(&bob).await.into_iter().find(|one| one.kind == Reply).unwrap();
        assert_eq!((thread.channel_id, thread.thread.unwrap().root_id), (replied.channel_id, root.id));
        assert_eq!((unread(&bob).await, unread(&alice).await), (4, 0));
    }

    async fn keywords_and_levels_and_mutes(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let general = alice.general();
        words(&bob, &["배포", "build failed"]).await;
        carol.http.set_workspace_notifications(carol.workspace(), Some(All)).await.unwrap();
        for text in ["내일 배포가 있어요", "the Build failed", "the rebuild failed", "배포"] {
            alice.send(general, text).await;
        }
        bob.send(general, "배포 by myself").await;
        told(&s).await;
        let expected = [(Keyword, "배포"), (Keyword, "the Build failed"), (Keyword, "내일 배포가 있어요")];
        assert_eq!(heard(&bob).await, texts(&expected));
        assert_eq!(heard(&carol).await.len(), 5);
        carol.http.set_channel_notifications(general, Some(Mentions), None).await.unwrap();
        bob.http.set_channel_notifications(general, None, Some(within(&s, 60_000))).await.unwrap();
        alice.send(general, "배포 @carol").await;
        told(&s).await;
        carol.http.set_channel_notifications(general, Some(Nothing), None).await.unwrap();
        alice.send(general, "@carol @bob").await;
        told(&s).await;
        assert_eq!((heard(&bob).await.len(), heard(&carol).await.len()), (3, 6));
        s.advance(60_000);
        alice.send(general, "@bob again").await;
        told(&s).await;
        assert_eq!(heard(&bob).await[0], (Mention, "@bob again".to_owned()));
        let dm = direct(&alice, &bob).await;
        bob.http.set_channel_notifications(dm, Some(Mentions), None).await.unwrap();
        bob.http.set_channel_notifications(general, Some(All), None).await.unwrap();
        alice.send(dm, "plain").await;
        alice.send(general, "plain").await;
        told(&s).await;
        assert_eq!(heard(&bob).await[..2], texts(&[(Any, "plain"), (Mention, "@bob again")]));
    }

    async fn who_is_not_to_be_disturbed_is_told_without_a_sound(s: TestServer) {
        let (alice, bob) = s.users().await;
        let dm = direct(&alice, &bob).await;
        // Tests begin on a Friday at 18:00 in Seoul.
        let hours = QuietHours {
            days: vec![Weekday::Friday],
            from: "17:00".parse().unwrap(),
            to: "19:00".parse().unwrap(),
            time_zone: "Asia/Seoul".to_owned(),
        };
        let quiet = UpdateNotificationSettings { quiet_hours: Some(hours), ..Default::default() };
        assert!(bob.http.update_notification_settings(&quiet).await.unwrap().quiet_hours.is_some());
        alice.send(dm, "quiet").await;
        told(&s).await;
        let snoozed_until = Some(within(&s, 2 * 60 * 60 * 1_000));
        let snoozed = UpdateNotificationSettings { snoozed_until, ..Default::default() };
        assert!(bob.http.update_notification_settings(&snoozed).await.unwrap().quiet_hours.is_none());
        alice.send(dm, "snoozed").await;
        told(&s).await;
        s.advance(2 * 60 * 60 * 1_000);
        alice.send(dm, "loud").await;
        told(&s).await;
        let silent: Vec<_> = listed(&bob).await.into_iter().map(|one| (one.excerpt, one.silent)).collect();
        assert_eq!(silent, [("loud".to_owned(), false), ("snoozed".to_owned(), true), ("quiet".to_owned(), true)]);
    }

    async fn an_edit_adds_one_and_what_is_gone_takes_its_own_away(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        let secret = alice.channel("secret", ChannelKind::Private).await.id;
        alice.http.add_channel_member(secret, bob.id).await.unwrap();
        let first = alice.send(secret, "plain").await;
        told(&s).await;
        for text in ["@bob", "@bob again", "plain", "@bob once more"] {
            alice.http.update_message(first.id, text).await.unwrap();
            told(&s).await;
        }
        assert_eq!(heard(&bob).await, texts(&[(Mention, "@bob once more"), (Invite, "secret")]));
        let second = alice.send(secret, "@bob second").await;
        alice.send(secret, "@bob third").await;
        alice.http.delete_message(second.id).await.unwrap();
        told(&s).await;
        assert_eq!((heard(&bob).await.len(), unread(&bob).await), (3, 3));
        alice.http.delete_message(first.id).await.unwrap();
        assert_eq!(heard(&bob).await.len(), 2, "at once");
        told(&s).await;
        assert_eq!(unread(&bob).await, 2);
        alice.send(secret, "@bob who leaves before it is told").await;
        bob.http.leave_channel(secret).await.unwrap();
        assert_eq!(heard(&bob).await.len(), 0, "at once");
        told(&s).await;
        assert_eq!((heard(&bob).await.len(), unread(&bob).await), (0, 0));
        let gone = carol.channel("gone", ChannelKind::Public).await.id;
        bob.http.join_channel(gone).await.unwrap();
        carol.send(gone, "@bob").await;
        told(&s).await;
        assert_eq!(unread(&bob).await, 1);
        carol.http.delete_channel(gone).await.unwrap();
        told(&s).await;
        assert_eq!(unread(&bob).await, 0);
        settled(&bob).await;
    }

    async fn reading_marks_them_read_everywhere(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (general, dm) = (alice.general(), direct(&alice, &bob).await);
        let mut sent = Vec::new();
        for n in 0..3 {
            sent.push(alice.send(general, &format!("@bob {n}")).await);
            alice.send(dm, "hi").await;
        }
        bob.http.mark_read(general, sent[0].id).await.unwrap();
        told(&s).await;
        assert_eq!(unread(&bob).await, 5, "one was read before it was told");
        bob.http.mark_read(general, sent[1].id).await.unwrap();
        assert_eq!(unread(&bob).await, 4);
        bob.send(dm, "an answer").await;
        told(&s).await;
        assert_eq!(unread(&bob).await, 1, "who writes has read");
        let query = NotificationQuery { unread: Some(true), ..Default::default() };
        let left = bob.http.notifications(query).await.unwrap().items;
        assert_eq!(left.iter().map(|one| one.message_id).collect::<Vec<_>>(), [Some(sent[2].id)]);
        assert_eq!(alice.http.read_notifications(&[left[0].id]).await.unwrap().unread, 1, "not alice's");
        assert_eq!(unread(&bob).await, 1);
        let one = left[0].id;
        assert_eq!(all_converge(&[&bob, &alice], bob.http.read_notifications(&[one])).await.unwrap().unread, 0);
        assert_eq!(unread(&bob).await, 0);
        alice.send(dm, "one").await;
        alice.send(dm, "two").await;
        told(&s).await;
        let newest = listed(&bob).await[0].id;
        assert_eq!(all_converge(&[&bob, &alice], bob.http.read_notifications_up_to(newest)).await.unwrap().unread, 0);
    }

    async fn ones_devices_know_the_same(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (general, dm) = (alice.general(), direct(&alice, &bob).await);
        let settings = UpdateNotificationSettings { keywords: vec!["배포".to_owned()], ..Default::default() };
        all_converge(&[&bob, &alice], bob.http.update_notification_settings(&settings)).await.unwrap();
        all_converge(&[&bob], bob.http.set_channel_notifications(general, Some(All), None)).await.unwrap();
        all_converge(&[&bob], bob.http.set_workspace_notifications(bob.workspace(), Some(Mentions))).await.unwrap();
        let sent = all_converge(&[&bob, &alice], async {
            let sent = alice.send(general, "plain").await;
            alice.send(dm, "hi").await;
            told(&s).await;
            sent
        })
        .await;
        all_converge(&[&bob, &alice], async {
            alice.http.delete_message(sent.id).await.unwrap();
            told(&s).await;
        }).await;
        let secret = alice.channel("secret", ChannelKind::Private).await.id;
        all_converge(&[&alice, &bob], alice.http.add_channel_member(secret, bob.id)).await.unwrap();
        all_converge(&[&bob, &alice], async {
            bob.http.leave_channel(secret).await.unwrap();
            told(&s).await;
        }).await;
        assert_eq!(unread(&bob).await, 1);
    }

    async fn none_is_lost_and_none_doubled(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        let dm = direct(&alice, &bob).await;
        alice.send(dm, "before the server stops").await;
        s.restart().await;
        told(&s).await;
        assert_eq!(heard(&bob).await.len(), 1);
        s.faults.arm("notifications");
        alice.send(dm, "stored, then the job dies").await;
        hears(&s, &bob, 2).await;
        s.faults.arm("work");
        alice.send(dm, "the job dies before").await;
        hears(&s, &bob, 3).await;
        told(&s).await;
        assert_eq!((heard(&bob).await.len(), unread(&bob).await), (3, 3));
    }

    async fn the_newest_are_kept(s: TestServer) {
        let (alice, bob) = s.users().await;
        let dm = direct(&alice, &bob).await;
        let count = usize::try_from(limits::NOTIFICATIONS_KEPT).unwrap() + 60;
        for _ in 0..4 {
            join_all((0..count / 4).map(|_| alice.client.send(dm, "hi"))).await;
        }
        told(&s).await;
        let last = alice.send(dm, "last").await;
        let most = usize::try_from(limits::NOTIFICATIONS_KEPT).unwrap();
        // The rest of a burst is another job, and another, and so is what goes.
        let kept = async {
            loop {
                told(&s).await;
                let all = all_listed(&bob).await;
                let known = usize::try_from(bob.client.state().unread_notifications().unread);
                let last_is_there = all.iter().any(|one| one.message_id == Some(last.id));
                if last_is_there && (most..=most + 50).contains(&all.len()) && known == Ok(all.len()) {
                    return all;
                }
            }
        };
        let all = tokio::time::timeout(PATIENCE, kept).await.unwrap();
        let mut messages: Vec<_> = all.iter().map(|one| one.message_id).collect();
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), all.len(), "each once");
    }

    async fn what_is_set_has_limits(s: TestServer) {
        let alice = s.user("alice").await;
        let hours = |days: &[Weekday], zone: &str| QuietHours {
            days: days.to_vec(),
            from: "22:00".parse().unwrap(),
            to: "08:00".parse().unwrap(),
            time_zone: zone.to_owned(),
        };
        let keywords = |words: Vec<String>| UpdateNotificationSettings { keywords: words, ..Default::default() };
        let quiet = |hours| UpdateNotificationSettings { quiet_hours: Some(hours), ..Default::default() };
        let far = within(&s, limits::AHEAD_SECONDS * 1_000 + 1);
        for wrong in [
            keywords(vec!["++".to_owned()]),
            keywords(vec![" ".to_owned()]),
            keywords(vec!["가".repeat(limits::KEYWORD_CHARS + 1)]),
            keywords((0..=limits::KEYWORDS_PER_USER).map(|n| format!("word{n}")).collect()),
            quiet(hours(&[], "Asia/Seoul")),
            quiet(hours(&[Weekday::Friday], "../etc/passwd")),
            UpdateNotificationSettings { snoozed_until: Some(far), ..Default::default() },
        ] {
            assert_eq!(refused(alice.http.update_notification_settings(&wrong).await), Invalid, "{wrong:?}");
        }
        let same = ["Deploy", "deploy", "\u{1112}\u{1161}\u{11ab}"].map(str::to_owned).to_vec();
        let settings = alice.http.update_notification_settings(&keywords(same)).await.unwrap();
        assert_eq!(settings.keywords, ["Deploy", "한"]);
        let past = UpdateNotificationSettings { snoozed_until: Some(within(&s, 0)), ..Default::default() };
        assert_eq!(alice.http.update_notification_settings(&past).await.unwrap().snoozed_until, None);
        assert_eq!(refused(alice.http.set_channel_notifications(alice.general(), None, Some(far)).await), Invalid);
        let root = alice.send(alice.general(), "root").await.id;
        let thread = alice.http.follow_thread(root).await.unwrap().id;
        assert_eq!(refused(alice.http.set_channel_notifications(thread, Some(All), None).await), Conflict);
    }

    async fn who_may_set_what(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            refusals(&cast, expected, |user| user.http.set_channel_notifications(id, Some(All), None)).await;
        }
        let expected = Expected::IN_WORKSPACE;
        refusals(&cast, expected, |user| user.http.set_workspace_notifications(cast.workspace, Some(All))).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.notification_settings()).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.notifications(NotificationQuery::default())).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.read_notifications(&[])).await;
        let keywords = UpdateNotificationSettings { keywords: vec!["배포".to_owned()], ..Default::default() };
        refusals(&cast, Expected::ALLOWED, |user| user.http.update_notification_settings(&keywords)).await;
        cast.owner.send(cast.secret.id, "a secret").await;
        told(&s).await;
        assert_eq!((listed(&cast.member).await.len(), listed(&cast.outsider).await.len()), (2, 0));
        let newest = listed(&cast.member).await[0].id;
        assert_eq!(cast.stranger.http.read_notifications(&[newest]).await.unwrap().unread, 0);
        assert_eq!(refused(cast.stranger.http.set_channel_notifications(cast.secret.id, None, None).await), NotFound);
    }
}
