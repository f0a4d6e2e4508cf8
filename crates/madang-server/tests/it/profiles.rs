//! Profiles: how people show, and that nobody is left with how they showed before.

use std::io::Cursor;

use madang_client::{
    Error,
    proto::{
        Event, UserId,
        direct::OpenDirect,
        error::ErrorCode::{self, Forbidden, Invalid, NotFound, TooLarge},
        limits,
        messages::Message,
        profiles::{UpdateUser, UserChange},
        workspaces::CreateWorkspace,
    },
};
use reqwest::{Response, header};

use crate::support::{
    Cast, Expected, TestServer, User, all_converge, converge, on_both, raw::Raw, refusals, settled,
};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn called(name: &str) -> UpdateUser {
    UpdateUser { display_name: Some(name.to_owned()), ..UpdateUser::default() }
}

async fn renamed(user: &User, name: &str) {
    user.http.update_user(user.id, &called(name)).await.unwrap();
}

async fn next_change(user: &mut User) -> UserChange {
    user.next("a profile", |event| if let Event::User(change) = event { Some(change) } else { None }).await
}

async fn direct(user: &User, other: &User) -> Message {
    let body = OpenDirect { user_ids: vec![other.id], workspace_id: None };
    let channel = user.http.open_direct(&body).await.unwrap().id;
    user.send(channel, "between us").await
}

/// A PNG.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([255, 0, 0]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// What anyone gets who knows the address of a picture.
async fn seen(s: &TestServer, url: &str) -> Response {
    reqwest::get(format!("{}{url}", s.url)).await.unwrap()
}

fn text(response: &Response, name: header::HeaderName) -> &str {
    response.headers()[name].to_str().unwrap()
}

/// Waits until nothing is kept in the folder of files.
async fn nothing_is_kept(s: &TestServer) {
    let kept = || {
        let folders = std::fs::read_dir(s.config.data.join("files")).unwrap().flatten();
        folders
            .filter(|f| f.path().is_dir())
            .any(|f| std::fs::read_dir(f.path()).unwrap().flatten().count() > 0)
    };
    let empty = async {
        while kept() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, empty).await.unwrap();
}

on_both! {
    async fn a_new_name_reaches_all_who_show_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        bob.send(bob.general(), "hi").await;
        direct(&bob, &alice).await;
        bob.http.react(alice.send(alice.general(), "@bob").await.id, "👍").await.unwrap();
        all_converge(&[&bob, &alice], renamed(&bob, " 밥 ")).await;
        assert_eq!(alice.client.state().user(bob.id).unwrap().display_name, "밥");
        bob.send(bob.general(), "after").await;
        settled(&alice).await;
        let page = alice.http.messages(alice.general(), Default::default()).await.unwrap().items;
        let names: Vec<_> = page.iter().map(|m| m.author.display_name.as_str()).collect();
        assert_eq!(names, ["밥", "alice", "밥"]);
        all_converge(&[&bob, &alice], renamed(&bob, "Bob")).await;
        assert_eq!(bob.client.state().me().unwrap().summary.display_name, "Bob");
    }

    async fn each_hears_it_once_wherever_they_meet(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let body = CreateWorkspace { name: "Second".to_owned(), allow_guests: false };
        let second = alice.http.create_workspace(&body).await.unwrap().id;
        alice.http.add_workspace_member(second, "bob").await.unwrap();
        direct(&alice, &bob).await;
        let stranger = s.user("stranger").await;
        alice.http.remove_workspace_member(alice.workspace(), stranger.id).await.unwrap();
        let (mut of_bob, mut of_stranger) = (Raw::of(&bob).await, Raw::of(&stranger).await);
        renamed(&alice, "Alice").await;
        let told = next_change(&mut bob).await;
        assert_eq!((told.user.summary.display_name.as_str(), told.user.email, told.version), ("Alice", None, 1));
        renamed(&alice, "Alice").await;
        renamed(&alice, "알리스").await;
        assert_eq!(next_change(&mut bob).await.version, 2, "nothing new is not told");
        let count = |frames: Vec<madang_client::proto::event::ServerFrame>| {
            frames.into_iter().filter(|frame| matches!(frame.event, Event::User(_))).count()
        };
        assert_eq!((count(of_bob.heard().await), count(of_stranger.heard().await)), (2, 0));
    }

    async fn who_was_away_is_told_only_of_those_whom_they_see(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.http.remove_workspace_member(cast.owner.workspace(), cast.stranger.id).await.unwrap();
        for user in [&cast.stranger, &cast.member, &cast.guest] {
            renamed(user, &format!("{} {}", user.name.len(), user.id)).await;
        }
        let of = async |user: &User, after| {
            let changes = user.http.user_changes(after).await.unwrap();
            (changes.users.iter().map(|user| user.summary.id).collect::<Vec<UserId>>(), changes.version, changes.more)
        };
        renamed(&cast.member, "the last").await;
        assert_eq!(of(&cast.outsider, 0).await, (vec![cast.guest.id, cast.member.id], 4, false));
        assert_eq!(of(&cast.outsider, 3).await, (vec![cast.member.id], 4, false));
        assert_eq!(of(&cast.stranger, 0).await, (vec![cast.stranger.id], 4, false));
        assert_eq!(of(&cast.member, 4).await, (vec![], 4, false));
        let (_, ready) = Raw::with(&cast.outsider, Default::default()).await;
        assert_eq!(ready.users_version, 4);
    }

    async fn it_is_known_after_a_restart_what_was_missed(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        bob.send(bob.general(), "hi").await;
        alice.client.load_everything().await.unwrap();
        alice.client.disconnect().await.unwrap();
        renamed(&bob, "밥").await;
        s.restart().await;
        alice.client.reconnect().await.unwrap();
        settled(&alice).await;
        assert_eq!(alice.client.state().user(bob.id).unwrap().display_name, "밥");
    }

    async fn a_partner_who_left_the_workspace_is_still_seen_by_the_one_who_kept_the_messages(s: TestServer) {
        let (alice, bob) = s.users().await;
        let carol = s.user("carol").await;
        direct(&bob, &alice).await;
        alice.http.remove_workspace_member(alice.workspace(), bob.id).await.unwrap();
        converge(&alice, renamed(&bob, "Gone Bob")).await;
        assert_eq!(alice.http.user(bob.id).await.unwrap().summary.display_name, "Gone Bob");
        assert_eq!(refused(carol.http.user(bob.id).await), NotFound);
        assert_eq!(refused(bob.http.user(alice.id).await), NotFound, "whoever was put out sees nobody");
    }

    async fn whoever_comes_back_is_shown_as_they_are_now_and_sees_the_others_so(s: TestServer) {
        let (alice, bob) = s.users().await;
        bob.send(bob.general(), "before").await;
        renamed(&alice, "Alice 1").await;
        renamed(&bob, "Bob 1").await;
        settled(&alice).await;
        alice.client.load_everything().await.unwrap();
        alice.http.remove_workspace_member(alice.workspace(), bob.id).await.unwrap();
        renamed(&alice, "Alice 2").await;
        renamed(&bob, "Bob 2").await;
        converge(&alice, alice.http.add_workspace_member(alice.workspace(), "bob")).await.unwrap();
        assert_eq!(alice.client.state().user(bob.id).unwrap().display_name, "Bob 2");
        bob.client.load_everything().await.unwrap();
        settled(&bob).await;
        assert_eq!(bob.client.state().user(alice.id).unwrap().display_name, "Alice 2");
    }

    async fn a_profile_is_changed_in_part_and_checked(s: TestServer) {
        let (alice, bob) = s.users().await;
        let change = |field: &str, text: &str| {
            let body = serde_json::from_value(serde_json::json!({field: text})).unwrap();
            let http = alice.http.clone();
            async move { http.update_user(alice.id, &body).await }
        };
        for (field, bad) in [
            ("display_name", " "),
            ("display_name", "a\u{202E}b"),
            ("display_name", "a\nb"),
            ("display_name", &"n".repeat(65)),
            ("about", &"가".repeat(501)),
            ("about", "a\u{0}b"),
            ("time_zone", "Asia/Atlantis"),
        ] {
            let error = change(field, bad).await.unwrap_err();
            assert_eq!(error.problem().unwrap().errors[0].field, field, "{bad:?}");
        }
        let decomposed = "\u{1106}\u{1161}\u{1103}\u{1161}\u{11BC}";
        change("display_name", decomposed).await.unwrap();
        change("about", "첫 줄\n둘째 줄").await.unwrap();
        let whole = change("time_zone", "asia/seoul").await.unwrap();
        assert_eq!(whole.summary.display_name, "마당");
        assert_eq!((whole.about.as_deref(), whole.time_zone.as_deref()), (Some("첫 줄\n둘째 줄"), Some("Asia/Seoul")));
        assert_eq!(alice.http.me().await.unwrap(), whole);
        assert_eq!(bob.http.user(alice.id).await.unwrap(), whole, "without what is private, of which there is none");
        let cleared = (change("about", "").await.unwrap(), change("time_zone", "").await.unwrap()).1;
        assert_eq!((cleared.about, cleared.time_zone), (None, None));
        let (path, username) = (format!("/api/v1/users/{}", alice.id), serde_json::json!({"username": "eve"}));
        let unknown = alice.http.request(reqwest::Method::PUT, &path, Some(&username)).await.unwrap();
        assert_eq!(unknown.status, 422, "a name of an account stays");
    }

    async fn who_may_change_a_profile_and_who_sees_it(s: TestServer) {
        let cast = Cast::of(&s).await;
        cast.owner.http.remove_workspace_member(cast.owner.workspace(), cast.stranger.id).await.unwrap();
        let of = cast.guest.id;
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.user(of)).await;
        let own = Some(Forbidden);
        let mut only_oneself = Expected { outsider: own, member: own, admin: own, owner: own, ..Expected::IN_WORKSPACE };
        only_oneself.guest = None;
        let body = called("손님");
        refusals(&cast, only_oneself, |user| user.http.update_user(of, &body)).await;
        refusals(&cast, only_oneself, |user| user.http.set_avatar(of, picture(8, 8))).await;
        refusals(&cast, only_oneself, |user| user.http.remove_avatar(of)).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.user_changes(0)).await;
    }

    async fn a_picture_becomes_a_small_square_and_its_address_is_all_one_needs(s: TestServer) {
        let (alice, bob) = s.users().await;
        bob.send(bob.general(), "hi").await;
        let set = all_converge(&[&bob, &alice], bob.http.set_avatar(bob.id, picture(600, 400))).await.unwrap();
        let url = set.summary.avatar_url.unwrap();
        assert_eq!(alice.client.state().user(bob.id).unwrap().avatar_url.as_ref(), Some(&url));
        let answer = seen(&s, &url).await;
        assert_eq!(text(&answer, header::CONTENT_TYPE), "image/jpeg");
        assert_eq!(text(&answer, header::CACHE_CONTROL), "private, max-age=31536000, immutable");
        assert_eq!(text(&answer, header::CONTENT_SECURITY_POLICY), "default-src 'none'; sandbox");
        let small = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (limits::AVATAR_PIXELS, limits::AVATAR_PIXELS));
        let (place, _) = url.rsplit_once('/').unwrap();
        for wrong in [format!("{place}/guessed"), format!("{place}/avatar"), place.to_owned(), format!("{place}/%27")] {
            assert_eq!(seen(&s, &wrong).await.status(), 404, "{wrong}");
        }
        let id = place.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(refused(bob.http.download(id).await), NotFound, "it is no file to be sent");
        s.advance(u32::try_from(2 * limits::FILE_HOURS * 3_600_000).unwrap());
        bob.http.renew(&bob.http.current_token().unwrap()).await.unwrap();
        let next = bob.http.set_avatar(bob.id, picture(20, 30)).await.unwrap().summary.avatar_url.unwrap();
        assert_eq!(seen(&s, &url).await.status(), 404, "the one before");
        let small = image::load_from_memory(&bob.http.avatar(&next).await.unwrap().bytes().await.unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (20, 20));
        all_converge(&[&bob], bob.http.remove_avatar(bob.id)).await.unwrap();
        bob.http.remove_avatar(bob.id).await.unwrap();
        assert_eq!(bob.http.me().await.unwrap().summary.avatar_url, None);
        assert_eq!(seen(&s, &next).await.status(), 404);
        nothing_is_kept(&s).await;
    }

    async fn what_is_no_picture_is_no_avatar_and_is_not_kept(s: TestServer) {
        let s = s.restarted_with(|config| config.file_megabytes = 1).await;
        let alice = s.user("alice").await;
        let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".to_vec();
        let broken = picture(300, 300)[..60].to_vec();
        for bad in [script, broken, Vec::new(), b"%PDF-1.7".to_vec()] {
            assert_eq!(refused(alice.http.set_avatar(alice.id, bad).await), Invalid);
        }
        let large = vec![0; (1 << 20) + 1];
        assert_eq!(refused(alice.http.set_avatar(alice.id, large).await), TooLarge);
        assert_eq!(alice.http.me().await.unwrap().summary.avatar_url, None);
        nothing_is_kept(&s).await;
    }
}
