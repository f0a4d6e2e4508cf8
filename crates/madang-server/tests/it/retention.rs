//! Retention: messages that are too old go, with all that belongs to them, and nobody is left stale.

use madang_client::{
    Error,
    proto::{
        Event, MessageId,
        audit::{AuditAction, AuditQuery},
        channels::{ChannelAction, ChannelKind},
        command::{Hello, Resume},
        direct::OpenDirect,
        error::ErrorCode::{self, Forbidden, Invalid, NotFound},
        limits,
        messages::{CreateMessage, Message},
        page::MessagePageQuery,
        retention::Retention,
        search::SearchQuery,
        threads::{CreateReply, ThreadPageQuery},
    },
};
use serde_json::json;

use crate::{
    paging,
    support::{Cast, Expected, TestServer, User, all_converge, on_both, raw::Raw, refusals},
};

fn days(days: u32) -> Retention {
    Retention { days: Some(days) }
}

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// What stands in the first channel, oldest first.
async fn texts(user: &User) -> Vec<String> {
    let page = user.http.messages(user.general(), MessagePageQuery::default()).await.unwrap();
    page.items.into_iter().map(|message| message.content).collect()
}

async fn write(user: &User, count: usize) -> Vec<Message> {
    let mut sent = Vec::new();
    for n in 0..count {
        sent.push(user.send(user.general(), &n.to_string()).await);
    }
    sent
}

async fn found(user: &User, q: &str) -> usize {
    let query = SearchQuery { q: Some(q.to_owned()), ..SearchQuery::default() };
    user.http.search(&query).await.unwrap().items.len()
}

async fn gone(user: &User, id: MessageId) -> bool {
    user.http.message(id).await.is_err_and(|e| e.code() == Some(NotFound))
}

async fn reply(user: &User, root: MessageId, content: &str) -> Message {
    let body = CreateReply {
        content: content.to_owned(),
        nonce: None,
        also_to_channel: false,
        file_ids: Vec::new(),
    };
    user.http.reply(root, &body).await.unwrap()
}

on_both! {
    async fn who_was_there_and_who_was_away_know_what_is_gone(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        alice.http.set_workspace_retention(alice.workspace(), days(2)).await.unwrap();
        let old = write(&alice, 3).await;
        bob.http.save(old[1].id).await.unwrap();
        alice.send(alice.general(), "@bob 안녕").await;
        s.days_later(1, "retention").await;
        assert_eq!(texts(&bob).await.len(), 4, "not yet");
        alice.send(alice.general(), "young").await;
        let both = [&bob, &alice];
        all_converge(&both, s.days_later(1, "retention")).await;
        all_converge(&both, async { s.days_later(0, "retention").await; s.clock.advance(1); s.days_later(1, "retention").await }).await;
        let general = bob.http.channel(bob.general()).await.unwrap();
        assert_eq!((general.first_seq, general.last_seq, general.unread_count, general.mention_count), (6, 5, Some(0), Some(0)));
        assert_eq!(texts(&alice).await, [""; 0]);
        let told = bob.next("that the channel begins later", |event| match event {
            Event::Channel(change) if change.action == ChannelAction::Updated => Some(change.channel.first_seq),
            _ => None,
        });
        assert!(told.await > 1);
        alice.send(alice.general(), "next").await;
        let next = bob.client.wait_for("the next one", |state| {
            let general = state.channel_named("general")?;
            let all: Vec<_> = general.messages().map(|m| m.seq).collect();
            (all == [6] && !general.has_older() && general.unread() == 1).then_some(())
        });
        next.await.unwrap();
    }

    async fn only_what_is_too_old_goes_and_unread_counts_what_is_there(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.http.set_workspace_retention(alice.workspace(), days(2)).await.unwrap();
        write(&alice, 3).await;
        s.advance(24 * 60 * 60 * 1_000);
        let young = write(&alice, 2).await;
        all_converge(&[&bob, &alice], async { s.clock.advance(1); s.days_later(1, "retention").await }).await;
        assert_eq!(texts(&bob).await, ["0", "1"]);
        let general = bob.http.channel(bob.general()).await.unwrap();
        assert_eq!((general.first_seq, general.unread_count), (4, Some(2)));
        bob.http.mark_read(bob.general(), young[0].id).await.unwrap();
        assert_eq!(bob.http.channel(bob.general()).await.unwrap().unread_count, Some(1));
    }

    async fn all_that_belongs_to_a_message_goes_with_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let file = alice.http.upload("회의록.txt", "hi").await.unwrap();
        let body = CreateMessage { content: "마당 회의록".to_owned(), nonce: Some("n".to_owned()), file_ids: vec![file.id] };
        let old = alice.http.create_message(alice.general(), &body).await.unwrap();
        bob.http.react(old.id, "👍").await.unwrap();
        alice.http.pin(old.id).await.unwrap();
        bob.http.save(old.id).await.unwrap();
        alice.http.update_message(old.id, "마당 회의록 2").await.unwrap();
        let reply = reply(&bob, old.id, "봤어요").await;
        s.indexed().await;
        assert_eq!(found(&bob, "회의록").await, 1);
        alice.http.set_channel_retention(alice.general(), days(3)).await.unwrap();
        s.clock.advance(1);
        s.days_later(3, "retention").await;
        assert!(gone(&alice, old.id).await && gone(&bob, reply.id).await, "and the thread with its root");
        assert_eq!(refused(bob.http.channel(reply.channel_id).await), NotFound);
        assert_eq!(refused(alice.http.download(file.id).await.map(drop)), NotFound);
        assert_eq!(found(&bob, "회의록").await, 0);
        assert_eq!(bob.http.all_saved().await.unwrap().len(), 0);
        assert_eq!(bob.http.pins(bob.general()).await.unwrap().len(), 0);
        let again = CreateMessage { file_ids: Vec::new(), ..body };
        assert_eq!(refused(alice.http.create_message(alice.general(), &again).await), NotFound, "its nonce is remembered");
    }

    async fn a_thread_goes_with_its_root(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "root").await;
        let old = reply(&bob, root.id, "old").await;
        assert_eq!(refused(alice.http.set_channel_retention(old.channel_id, days(1)).await), Forbidden);
        alice.http.set_workspace_retention(alice.workspace(), days(2)).await.unwrap();
        s.days_later(1, "retention").await;
        let young = reply(&alice, root.id, "young").await;
        all_converge(&[&bob, &alice], async { s.clock.advance(1); s.days_later(1, "retention").await }).await;
        assert!(gone(&alice, root.id).await && gone(&alice, young.id).await);
        assert_eq!(refused(bob.http.replies(root.id, MessagePageQuery::default()).await), NotFound);
        assert_eq!(bob.http.threads(&ThreadPageQuery::default()).await.unwrap().items.len(), 0);
    }

    async fn a_channel_overrides_its_workspace_and_a_rule_works_from_the_next_run_on(s: TestServer) {
        let (alice, bob) = s.users().await;
        let kept = alice.channel("kept", ChannelKind::Public).await.id;
        let direct = alice.http.open_direct(&OpenDirect { user_ids: vec![bob.id], workspace_id: None }).await.unwrap().id;
        let (in_kept, in_direct) = (alice.send(kept, "kept").await, alice.send(direct, "direct").await);
        let in_general = alice.send(alice.general(), "general").await;
        let forever = Retention::default();
        assert_eq!(alice.http.set_channel_retention(kept, forever).await.unwrap().retention, Some(forever));
        assert_eq!(alice.http.set_workspace_retention(alice.workspace(), days(2)).await.unwrap().retention, days(2));
        s.days_later(1, "retention").await;
        alice.http.set_workspace_retention(alice.workspace(), days(1)).await.unwrap();
        s.clock.advance(1);
        assert!(!gone(&alice, in_general.id).await, "not before the next run");
        s.days_later(1, "retention").await;
        assert!(gone(&alice, in_general.id).await && gone(&bob, in_direct.id).await);
        assert_eq!(alice.http.message(in_kept.id).await.unwrap().content, "kept");
        alice.http.follow_workspace_retention(kept).await.unwrap();
        assert_eq!(alice.http.channel(kept).await.unwrap().retention, None);
        s.days_later(1, "retention").await;
        assert!(gone(&alice, in_kept.id).await);
    }

    async fn a_rule_leaves_nobody_stale_and_is_noted(s: TestServer) {
        let (alice, bob) = s.users().await;
        let other = alice.channel("other", ChannelKind::Public).await.id;
        let both = [&bob, &alice];
        all_converge(&both, alice.http.set_workspace_retention(alice.workspace(), days(30))).await.unwrap();
        all_converge(&both, alice.http.set_channel_retention(alice.general(), days(7))).await.unwrap();
        all_converge(&both, alice.http.set_channel_retention(other, days(7))).await.unwrap();
        all_converge(&both, alice.http.follow_workspace_retention(other)).await.unwrap();
        let query = AuditQuery { action: Some(AuditAction::RetentionChanged), ..AuditQuery::default() };
        let noted = alice.http.audit(alice.workspace(), &query).await.unwrap().items;
        let noted: Vec<_> = noted.into_iter().map(|one| (one.channel_id, one.from.unwrap(), one.to.unwrap())).collect();
        let rule = |rule: serde_json::Value| json!({"retention": rule});
        assert_eq!(noted, [
            (Some(other), rule(json!({"days": 7})), rule(json!(null))),
            (Some(other), rule(json!(null)), rule(json!({"days": 7}))),
            (Some(alice.general()), rule(json!(null)), rule(json!({"days": 7}))),
            (None, rule(json!({})), rule(json!({"days": 30}))),
        ]);
        for wrong in [0, limits::RETENTION_DAYS + 1] {
            assert_eq!(refused(alice.http.set_workspace_retention(alice.workspace(), days(wrong)).await), Invalid);
            assert_eq!(refused(alice.http.set_channel_retention(other, days(wrong)).await), Invalid);
        }
    }

    async fn only_admins_say_how_long_messages_are_kept(s: TestServer) {
        let cast = Cast::of(&s).await;
        let workspace = cast.workspace;
        refusals(&cast, Expected { outsider: Some(Forbidden), ..Expected::IN_WORKSPACE.admins() }, |user| user.http.set_workspace_retention(workspace, days(30))).await;
        let secret = cast.secret.id;
        refusals(&cast, Expected::IN_SECRET.admins(), |user| user.http.set_channel_retention(secret, days(30))).await;
        refusals(&cast, Expected::IN_SECRET.admins(), |user| user.http.follow_workspace_retention(secret)).await;
        let own = cast.member.channel_in(workspace, "own", ChannelKind::Public).await.id;
        assert_eq!(refused(cast.member.http.set_channel_retention(own, days(1)).await), Forbidden, "who made it");
        let body = OpenDirect { user_ids: vec![cast.member.id], workspace_id: Some(workspace) };
        let direct = cast.owner.http.open_direct(&body).await.unwrap().id;
        assert_eq!(refused(cast.owner.http.set_channel_retention(direct, days(1)).await), Forbidden);
    }

    async fn what_a_crash_left_is_deleted_later_and_seen_by_nobody(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.http.set_workspace_retention(alice.workspace(), days(1)).await.unwrap();
        let mut old = paging::write(&alice, alice.general(), 520).await;
        old.sort_unstable_by_key(|message| message.seq);
        s.faults.arm("retention-purged");
        all_converge(&[&bob, &alice], async { s.clock.advance(1); s.days_later(1, "retention").await }).await;
        assert_eq!(texts(&bob).await, [""; 0]);
        assert!(gone(&bob, old[0].id).await && gone(&bob, old[519].id).await);
    }

    async fn who_slept_through_it_resumes(s: TestServer) {
        let (alice, bob) = s.users().await;
        alice.http.set_workspace_retention(alice.workspace(), days(1)).await.unwrap();
        let (_, ready) = Raw::with(&bob, Hello::default()).await;
        let known = ready.channels.iter().map(|channel| (channel.id, channel.version)).collect();
        write(&alice, 3).await;
        s.clock.advance(1);
        s.days_later(1, "retention").await;
        let bob = s.again_as(&bob.name).await;
        let (_, ready) = Raw::with(&bob, Hello { resume: Some(Resume { channels: known }), ..Hello::default() }).await;
        let changes = &ready.changes.iter().find(|changes| changes.channel.id == bob.general()).unwrap();
        assert_eq!((changes.messages.len(), changes.channel.first_seq, changes.channel.unread_count), (0, 4, Some(0)));
    }
}

#[test]
fn a_rule_says_forever_by_saying_nothing() {
    assert_eq!(serde_json::to_value(Retention::default()).unwrap(), json!({}));
    assert!(serde_json::from_value::<Retention>(json!({"day": 1})).is_err());
}
