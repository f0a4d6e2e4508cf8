//! Edit history: what was said before, and who may know.

use madang_client::proto::{
    ChannelId, MessageId,
    edits::EditsQuery,
    error::ErrorCode::{self, NotFound},
    limits,
    messages::CreateMessage,
    workspaces::{EditHistory, UpdateWorkspace},
};

use crate::support::{Cast, Expected, TestServer, User, all_converge, on_both, refusals};

const ALL: EditsQuery = EditsQuery { limit: Some(100), after: None };

fn refused<T>(answer: Result<T, madang_client::Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn texts(user: &User, id: MessageId) -> Vec<String> {
    user.http.edits(id, ALL).await.unwrap().items.into_iter().map(|edit| edit.content).collect()
}

fn showing_to(edit_history: EditHistory) -> UpdateWorkspace {
    UpdateWorkspace { edit_history: Some(edit_history), ..UpdateWorkspace::default() }
}

/// A message of the member, edited once.
async fn edited(cast: &Cast, channel: ChannelId) -> MessageId {
    let sent = cast.member.send(channel, "teh").await;
    cast.member.http.update_message(sent.id, "the").await.unwrap();
    sent.id
}

on_both! {
    async fn earlier_texts_are_told_oldest_first_with_their_times(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "one").await;
        assert_eq!(texts(&bob, sent.id).await, [""; 0]);
        for text in ["two", "two", "three"] {
            s.advance(1_000);
            alice.http.update_message(sent.id, text).await.unwrap();
        }
        let edits = bob.http.edits(sent.id, ALL).await.unwrap();
        let shown: Vec<_> = edits.items.iter().map(|edit| (edit.content.as_str(), edit.created_at)).collect();
        let later = |ms: i64| sent.created_at.plus_millis(ms);
        assert_eq!(shown, [("one", sent.created_at), ("two", later(2_000))]);
        alice.http.delete_message(sent.id).await.unwrap();
        assert_eq!(texts(&alice, sent.id).await, [""; 0], "with the message its history goes");
    }

    async fn they_come_in_pages_and_the_oldest_of_too_many_go(s: TestServer) {
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), "0").await;
        let most = usize::try_from(limits::EDITS_PER_MESSAGE).unwrap();
        for n in 1..=most + 5 {
            alice.http.update_message(sent.id, &n.to_string()).await.unwrap();
        }
        let (mut seen, mut query) = (Vec::new(), EditsQuery { limit: Some(30), after: None });
        loop {
            let page = alice.http.edits(sent.id, query).await.unwrap();
            seen.extend(page.items.into_iter().map(|edit| edit.content));
            let Some(next) = page.next_cursor else { break };
            query.after = Some(next.parse().unwrap());
        }
        assert_eq!(seen, (5..most + 5).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(refused(alice.http.edits(12_345.into(), ALL).await), NotFound);
    }

    async fn who_may_see_them_is_the_workspaces_choice(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, workspace, .. } = &cast;
        for (id, everyone) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            owner.http.update_workspace(*workspace, &showing_to(EditHistory::Everyone)).await.unwrap();
            let message = edited(&cast, id).await;
            refusals(&cast, everyone, |user| user.http.edits(message, ALL)).await;
            owner.http.update_workspace(*workspace, &showing_to(EditHistory::Admins)).await.unwrap();
            let outsider = everyone.outsider.or(Some(ErrorCode::Forbidden));
            let admins = Expected { outsider, member: None, ..everyone.admins() };
            refusals(&cast, admins, |user| user.http.edits(message, ALL)).await;
            owner.http.update_workspace(*workspace, &showing_to(EditHistory::Nobody)).await.unwrap();
            for user in [&cast.guest, &cast.member, &cast.admin, owner] {
                assert_eq!(refused(user.http.edits(message, ALL).await), ErrorCode::Forbidden, "{}", user.name);
            }
            assert_eq!(refused(cast.stranger.http.edits(message, ALL).await), NotFound);
        }
    }

    async fn the_choice_leaves_nobody_stale_and_is_the_admins(s: TestServer) {
        let cast = Cast::of(&s).await;
        let Cast { owner, member, workspace, .. } = &cast;
        let admins = showing_to(EditHistory::Admins);
        all_converge(&[owner, member], owner.http.update_workspace(*workspace, &admins)).await.unwrap();
        assert_eq!(member.http.workspace(*workspace).await.unwrap().edit_history, EditHistory::Admins);
        let rename = UpdateWorkspace { name: Some("Other".to_owned()), ..UpdateWorkspace::default() };
        let renamed = owner.http.update_workspace(*workspace, &rename).await.unwrap();
        assert_eq!(renamed.edit_history, EditHistory::Admins, "what is missing stays");
        let nobody = showing_to(EditHistory::Nobody);
        let outsider = Some(ErrorCode::Forbidden);
        let expected = Expected { outsider, ..Expected::IN_WORKSPACE.admins() };
        refusals(&cast, expected, |user| user.http.update_workspace(*workspace, &nobody)).await;
    }

    async fn an_edit_by_the_gateway_and_a_resend_change_no_history(s: TestServer) {
        let alice = s.user("alice").await;
        let body = CreateMessage { content: "one".to_owned(), nonce: Some("n".to_owned()), file_ids: Vec::new() };
        let sent = alice.http.create_message(alice.general(), &body).await.unwrap();
        alice.http.react(sent.id, "👍").await.unwrap();
        alice.client.edit(sent.id, "two").await.unwrap();
        alice.http.create_message(alice.general(), &body).await.unwrap();
        assert_eq!(texts(&alice, sent.id).await, ["one"]);
    }
}
