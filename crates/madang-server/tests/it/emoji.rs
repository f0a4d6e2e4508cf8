//! A workspace's own emoji: added from pictures, used in reactions, deleted; nothing else of the picture is kept.

use std::io::Cursor;

use image::{AnimationDecoder, Delay, Frame, Rgba, RgbaImage, codecs::gif};
use madang_client::{
    Error,
    proto::{
        audit::{AuditAction, AuditQuery},
        direct::OpenDirect,
        emoji::CustomEmoji,
        error::ErrorCode::{self, Conflict, Forbidden, Invalid, NotFound, TooLarge},
        limits,
        permissions::Role,
        reactions::ReactorsQuery,
        sanctions::{CreateSanction, SanctionKind},
        workspaces::CreateWorkspace,
    },
};
use reqwest::header;
use serde_json::json;

use crate::support::{Cast, Expected, TestServer, User, all_converge, converge, on_both, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

/// A picture of one colour.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let picture = RgbaImage::from_pixel(width, height, Rgba([200, 30, 60, 128]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// A GIF of so many pictures, with a comment that tells a place.
fn gif(width: u32, height: u32, pictures: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = gif::GifEncoder::new(&mut out);
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for n in 0..pictures {
        let picture = RgbaImage::from_pixel(width, height, Rgba([n.wrapping_mul(80), 30, 60, 255]));
        encoder.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1))).unwrap();
    }
    drop(encoder);
    let end = out.pop().unwrap();
    out.extend(b"\x21\xfe\x09126.9780E\0");
    out.push(end);
    out
}

async fn add(user: &User, name: &str) -> Result<CustomEmoji, Error> {
    user.http.create_emoji(user.workspace(), name, png(20, 20)).await
}

async fn picture(user: &User, emoji: &CustomEmoji) -> Vec<u8> {
    user.http.emoji_picture(emoji.id).await.unwrap().bytes().await.unwrap().to_vec()
}

fn names(list: &[CustomEmoji]) -> Vec<&str> {
    list.iter().map(|emoji| emoji.name.as_str()).collect()
}

on_both! {
    async fn what_one_adds_all_have(s: TestServer) {
        let (alice, bob) = s.users().await;
        let nfd = "\u{1106}\u{1161}\u{1103}\u{1161}\u{11bc}_cat";
        let cat = all_converge(&[&alice, &bob], alice.http.create_emoji(alice.workspace(), nfd, png(300, 200))).await;
        let cat = cat.unwrap();
        assert_eq!((cat.name.as_str(), cat.media_type.as_str()), ("마당_cat", "image/png"));
        assert_eq!((cat.width, cat.height, cat.created_by), (128, 85, alice.id));
        all_converge(&[&bob, &alice], add(&bob, "+1")).await.unwrap();
        let list = bob.http.emoji(bob.workspace()).await.unwrap();
        assert_eq!((names(&list.items), list.version), (vec!["+1", "마당_cat"], 2));
        assert_eq!(bob.http.workspaces().await.unwrap()[0].emoji_version, 2);
        let known = image::load_from_memory(&picture(&bob, &cat).await).unwrap();
        assert_eq!((known.width(), known.height(), known.to_rgba8().get_pixel(5, 5).0), (128, 85, [200, 30, 60, 128]));
        all_converge(&[&alice, &bob], alice.http.delete_emoji(alice.workspace(), "마당_cat")).await.unwrap();
        assert_eq!(refused(bob.http.emoji_picture(cat.id).await), NotFound);
        assert_eq!(refused(alice.http.delete_emoji(alice.workspace(), "마당_cat").await), NotFound);
        // Another under the same name is another.
        let again = add(&alice, "마당_cat").await.unwrap();
        assert!(again.id != cat.id && !picture(&bob, &again).await.is_empty());
        s.advance(3_600_000 * 49);
        assert!(!picture(&bob, &again).await.is_empty(), "no message carries it, and yet it stays");
    }

    async fn what_is_missed_is_read_anew(s: TestServer) {
        let (alice, bob) = s.users().await;
        bob.client.load_emoji(bob.workspace()).await.unwrap();
        bob.client.disconnect().await.unwrap();
        add(&alice, "cat").await.unwrap();
        alice.http.delete_emoji(alice.workspace(), "cat").await.unwrap();
        add(&alice, "dog").await.unwrap();
        bob.client.reconnect().await.unwrap();
        converge(&bob, add(&alice, "cow")).await.unwrap();
        assert_eq!(names(&bob.client.state().emoji(bob.workspace()).unwrap().items), ["cow", "dog"]);
    }

    async fn a_message_takes_those_of_its_workspace(s: TestServer) {
        let (alice, bob) = s.users().await;
        let other = CreateWorkspace { name: "Other".to_owned(), allow_guests: false };
        let other = alice.http.create_workspace(&other).await.unwrap();
        alice.http.create_emoji(other.id, "theirs", png(20, 20)).await.unwrap();
        add(&alice, "cat").await.unwrap();
        let sent = alice.send(alice.general(), "hi :cat:").await.id;
        all_converge(&[&bob, &alice], bob.http.react(sent, ":cat:")).await.unwrap();
        bob.http.react(sent, ":cat:").await.unwrap();
        alice.http.react(sent, ":cat:").await.unwrap();
        alice.http.react(sent, "👍").await.unwrap();
        let shown = async || {
            let reactions = alice.http.message(sent).await.unwrap().reactions;
            reactions.into_iter().map(|r| (r.emoji, r.count)).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, [(":cat:".to_owned(), 2), ("👍".to_owned(), 1)]);
        for unknown in [":theirs:", ":dog:", ":Cat:", "cat", ":c:", "::"] {
            assert_eq!(refused(alice.http.react(sent, unknown).await), Invalid, "{unknown}");
        }
        // What is deleted stays where it was used, and can be taken away.
        alice.http.delete_emoji(alice.workspace(), "cat").await.unwrap();
        all_converge(&[&alice, &bob], alice.http.unreact(sent, ":cat:")).await.unwrap();
        assert_eq!(shown().await, [(":cat:".to_owned(), 1), ("👍".to_owned(), 1)]);
        assert_eq!(refused(alice.http.react(sent, ":cat:").await), Invalid);
        let query = ReactorsQuery { emoji: ":cat:".to_owned(), ..ReactorsQuery::default() };
        let who = bob.http.reactors(sent, &query).await.unwrap().items;
        assert_eq!(who.iter().map(|user| user.id).collect::<Vec<_>>(), [bob.id]);
    }

    async fn a_direct_message_takes_those_of_the_workspace_that_it_belongs_to(s: TestServer) {
        let (alice, bob) = s.users().await;
        add(&alice, "cat").await.unwrap();
        let direct = OpenDirect { workspace_id: Some(alice.workspace()), user_ids: vec![bob.id] };
        let direct = alice.http.open_direct(&direct).await.unwrap().id;
        let sent = alice.send(direct, "hi").await.id;
        assert_eq!(bob.http.react(sent, ":cat:").await.unwrap().reactions[0].emoji, ":cat:");
    }

    async fn who_may_add_see_and_delete(s: TestServer) {
        let cast = Cast::of(&s).await;
        let workspace = cast.workspace;
        let cat = cast.owner.http.create_emoji(workspace, "cat", png(20, 20)).await.unwrap();
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.emoji(workspace)).await;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.emoji_picture(cat.id)).await;
        refusals(&cast, Expected::IN_WORKSPACE.accounts(), async |user: &User| {
            user.http.create_emoji(workspace, &format!("of_{}", user.name), png(20, 20)).await
        }).await;
        let forbidden = Some(Forbidden);
        let keepers = Expected { outsider: forbidden, guest: forbidden, member: forbidden, ..Expected::IN_WORKSPACE };
        for user in cast.everyone().into_iter().rev() {
            drop(cast.owner.http.create_emoji(workspace, &format!("from_{}", user.name), png(20, 20)).await.unwrap());
        }
        refusals(&cast, keepers, async |user: &User| {
            user.http.delete_emoji(workspace, &format!("from_{}", user.name)).await
        }).await;
        cast.member.http.delete_emoji(workspace, "of_member").await.unwrap();
        cast.owner.http.set_role(workspace, cast.outsider.id, Role::Moderator).await.unwrap();
        cast.outsider.http.delete_emoji(workspace, "cat").await.unwrap();
        let query = AuditQuery { action: Some(AuditAction::EmojiDeleted), ..AuditQuery::default() };
        let noted = cast.owner.http.audit(workspace, &query).await.unwrap().items;
        assert_eq!(noted.len(), 2, "not what the member and the owner did with their own");
        let entry = &noted[0];
        assert_eq!((entry.actor.id, &entry.user.as_ref().unwrap().id), (cast.outsider.id, &cast.owner.id));
        assert_eq!(entry.from, Some(json!({"name": "cat"})));
        let mute = CreateSanction {
            user_id: cast.member.id,
            kind: SanctionKind::Mute,
            channel_id: None,
            reason: "noise".to_owned(),
            expires_at: None,
        };
        cast.owner.http.create_sanction(workspace, &mute).await.unwrap();
        assert_eq!(refused(cast.member.http.create_emoji(workspace, "loud", png(20, 20)).await), Forbidden);
    }

    async fn what_makes_no_emoji_says_why(s: TestServer) {
        let alice = s.user("alice").await;
        let workspace = alice.workspace();
        for (name, picture, code) in [
            ("A cat", png(20, 20), Invalid),
            ("c", png(20, 20), Invalid),
            ("../cat", png(20, 20), Invalid),
            ("cat", b"<svg/>".to_vec(), Invalid),
            ("cat", png(20, 20)[..40].to_vec(), Invalid),
            ("cat", Vec::new(), Invalid),
            ("cat", png(5_000, 5_000), Invalid),
            ("cat", gif(20, 20, 151), Invalid),
            ("cat", [png(20, 20), vec![0; limits::EMOJI_BYTES]].concat(), TooLarge),
        ] {
            let length = picture.len();
            assert_eq!(refused(alice.http.create_emoji(workspace, name, picture).await), code, "{name} {length}");
        }
        add(&alice, "cat").await.unwrap();
        assert_eq!(refused(add(&alice, "cat").await), Conflict);
        let list = alice.http.emoji(workspace).await.unwrap();
        assert_eq!((list.items.len(), list.version), (1, 1));
        assert_eq!(s.http().health().await.unwrap().1["status"], "ok");
    }

    async fn of_many_at_once_one_gets_the_name(s: TestServer) {
        let (alice, bob) = s.users().await;
        let all = (0..8).map(|n| add(if n % 2 == 0 { &alice } else { &bob }, "cat"));
        let (good, bad): (Vec<_>, Vec<_>) =
            futures_util::future::join_all(all).await.into_iter().partition(Result::is_ok);
        assert_eq!(good.len(), 1);
        assert!(bad.into_iter().all(|answer| refused(answer) == Conflict));
        assert_eq!(alice.http.emoji(alice.workspace()).await.unwrap().version, 1);
    }
}

#[tokio::test]
async fn what_moves_goes_on_moving_and_tells_nothing_else() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let alice = s.user("alice").await;
    for (side, small) in [(40, 40), (256, 128)] {
        let name = format!("gif_{side}");
        let made = alice.http.create_emoji(alice.workspace(), &name, gif(side, side, 3)).await.unwrap();
        assert_eq!((made.media_type.as_str(), made.width), ("image/gif", small));
        let kept = picture(&alice, &made).await;
        assert!(!kept.windows(9).any(|window| window == b"126.9780E"));
        let frames =
            gif::GifDecoder::new(Cursor::new(&kept)).unwrap().into_frames().collect_frames().unwrap();
        let delays: Vec<_> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(delays, [100; 3]);
        assert!(frames.iter().all(|frame| frame.buffer().dimensions() == (small, small)));
    }
    let still = alice.http.create_emoji(alice.workspace(), "still", gif(40, 40, 1)).await.unwrap();
    assert_eq!(still.media_type, "image/png");
    let answer = alice.http.emoji_picture(still.id).await.unwrap();
    for (name, value) in [
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CONTENT_TYPE, "image/png"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
}
