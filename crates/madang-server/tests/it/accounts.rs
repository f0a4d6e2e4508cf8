//! Accounts and sessions: signing up, in and out, refreshing, ending.

use futures_util::future::join_all;
use madang_client::{
    Error, Http, RawResponse,
    proto::{
        accounts::{GuestLogin, Login, Refresh, Register, Secret, SignedIn},
        close::CloseCode,
        error::ErrorCode::{self, Conflict, Forbidden, NotFound, Unauthenticated},
        permissions::Role,
        workspaces::UpdateWorkspace,
    },
};
use madang_server::config::Switch;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Backend, Cast, Expected, TestServer, User, all_converge, on_both,
    raw::{Raw, code},
    refusals,
    server::PASSWORD,
};

fn account(name: &str) -> Register {
    let password = Secret(PASSWORD.to_owned());
    Register { username: name.to_owned(), password, display_name: None, email: None }
}

fn login(name: &str, password: &str) -> Login {
    Login { username: name.to_owned(), password: Secret(password.to_owned()) }
}

async fn signed_in(s: &TestServer, name: &str) -> SignedIn {
    s.http().login(&login(name, PASSWORD)).await.unwrap()
}

async fn refreshed(s: &TestServer, old: &SignedIn) -> Result<SignedIn, Error> {
    s.http().refresh(&Refresh { refresh_token: old.refresh_token.clone() }).await
}

/// What the access token of a session is answered, with no refreshing.
async fn access(s: &TestServer, session: &SignedIn) -> u16 {
    let http = s.http().with_token(session.access_token.0.clone());
    http.request(Method::GET, "/api/v1/users/me", None).await.unwrap().status
}

async fn socket(s: &TestServer, session: &SignedIn) -> Raw {
    let mut raw = Raw::open(&s.url, Some(&session.access_token.0)).await;
    raw.text(r#"{"type":"HELLO"}"#).await;
    raw.heard().await;
    raw
}

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

async fn post(http: &Http, path: &str, body: &Value) -> RawResponse {
    http.request(Method::POST, &format!("/api/v1{path}"), Some(body)).await.unwrap()
}

on_both! {
    async fn who_comes_in_is_known_to_all_at_once(s: TestServer) {
        let (alice, bob) = s.users().await;
        all_converge(&[&alice, &bob], s.user("carol")).await;
        all_converge(&[&alice, &bob], s.guest("Dora")).await;
    }

    async fn the_first_owns_the_first_workspace_the_others_are_members(s: TestServer) {
        let (alice, bob) = s.users().await;
        let guest = s.guest("Gustav").await;
        for (user, role) in [(&alice, Role::Owner), (&bob, Role::Member), (&guest, Role::Guest)] {
            assert_eq!(user.http.workspaces().await.unwrap()[0].role, Some(role), "{}", user.name);
            let general = user.http.channel(user.general()).await.unwrap();
            assert!(general.is_default && general.joined == Some(true));
        }
    }

    async fn a_guest_shows_in_the_id_and_needs_no_name(s: TestServer) {
        let guest = s.http().guest(&GuestLogin { display_name: None }).await.unwrap().user;
        assert!(guest.guest && guest.summary.id.to_string().starts_with("guest_"));
        assert!(guest.summary.display_name.starts_with("Guest "), "{}", guest.summary.display_name);
        let named = s.guest("길동").await;
        assert_eq!(named.http.me().await.unwrap().summary.display_name, "길동");
    }

    async fn a_guest_is_let_in_only_where_guests_are_allowed(s: TestServer) {
        let alice = s.user("alice").await;
        let no_guests = UpdateWorkspace { allow_guests: Some(false), ..UpdateWorkspace::default() };
        alice.http.update_workspace(alice.workspace(), &no_guests).await.unwrap();
        assert_eq!(s.guest("Gustav").await.http.workspaces().await.unwrap(), []);
        let closed = UpdateWorkspace {
            open: Some(false),
            allow_guests: Some(true),
            ..UpdateWorkspace::default()
        };
        alice.http.update_workspace(alice.workspace(), &closed).await.unwrap();
        assert_eq!(s.user("bob").await.http.workspaces().await.unwrap(), [], "not open to newcomers");
    }

    async fn refreshing_gives_new_tokens_for_the_same_session(s: TestServer) {
        let first = s.http().register(&account("alice")).await.unwrap();
        let second = refreshed(&s, &first).await.unwrap();
        let third = refreshed(&s, &second).await.unwrap();
        assert_eq!((first.session_id, second.session_id), (second.session_id, third.session_id));
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_ne!(second.refresh_token, third.refresh_token);
        assert_eq!(access(&s, &third).await, 200);
    }

    async fn an_old_refresh_token_ends_the_session_and_only_that(s: TestServer) {
        let stolen = s.http().register(&account("alice")).await.unwrap();
        let other = signed_in(&s, "alice").await;
        let newest = refreshed(&s, &stolen).await.unwrap();
        let (mut live, mut bystander) = (socket(&s, &newest).await, socket(&s, &other).await);
        assert_eq!(refused(refreshed(&s, &stolen).await), Unauthenticated);
        assert_eq!(live.closed().await, code(CloseCode::SessionEnded));
        assert_eq!((access(&s, &newest).await, access(&s, &stolen).await), (401, 401));
        assert_eq!(refused(refreshed(&s, &newest).await), Unauthenticated);
        assert_eq!(access(&s, &other).await, 200);
        bystander.heard().await;
    }

    async fn of_many_refreshing_at_once_one_wins_and_the_session_ends(s: TestServer) {
        let alice = s.http().register(&account("alice")).await.unwrap();
        let answers = join_all((0..8).map(|_| refreshed(&s, &alice))).await;
        let won: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert_eq!(refused(refreshed(&s, &won[0]).await), Unauthenticated);
        assert_eq!(access(&s, &won[0]).await, 401);
    }

    async fn tokens_run_out(s: TestServer) {
        let alice = s.http().register(&account("alice")).await.unwrap();
        s.advance(15 * 60_000 - 1_000);
        assert_eq!(access(&s, &alice).await, 200);
        s.advance(1_000);
        assert_eq!(access(&s, &alice).await, 401);
        let alice = refreshed(&s, &alice).await.unwrap();
        assert_eq!(access(&s, &alice).await, 200);
        s.advance(7 * 24 * 3_600_000);
        assert_eq!(refused(refreshed(&s, &alice).await), Unauthenticated);
    }

    async fn logging_out_ends_tokens_and_sockets_of_this_session(s: TestServer) {
        let here = s.http().register(&account("alice")).await.unwrap();
        let there = signed_in(&s, "alice").await;
        let (mut mine, mut other) = (socket(&s, &here).await, socket(&s, &there).await);
        s.http().signed_in(&here).logout().await.unwrap();
        assert_eq!(mine.closed().await, code(CloseCode::SessionEnded));
        assert_eq!((access(&s, &here).await, access(&s, &there).await), (401, 200));
        assert_eq!(refused(refreshed(&s, &here).await), Unauthenticated);
        other.heard().await;
    }

    async fn sessions_are_listed_and_ended_by_their_owner_only(s: TestServer) {
        let (alice, bob) = s.users().await;
        let phone = signed_in(&s, "alice").await;
        let mut live = socket(&s, &phone).await;
        let list = alice.http.sessions().await.unwrap();
        assert_eq!(list.iter().filter(|session| session.current).count(), 1);
        assert!(list.len() == 2 && list.iter().all(|x| x.user_agent.starts_with("madang-client/")));
        assert_eq!(refused(bob.http.end_session(phone.session_id).await), NotFound);
        assert_eq!(access(&s, &phone).await, 200);
        alice.http.end_session(phone.session_id).await.unwrap();
        assert_eq!(live.closed().await, code(CloseCode::SessionEnded));
        assert_eq!(access(&s, &phone).await, 401);
        assert_eq!(alice.http.sessions().await.unwrap().len(), 1);
        assert_eq!(refused(alice.http.end_session(phone.session_id).await), NotFound);
    }

    async fn sessions_outlive_a_restart_and_so_do_their_ends(s: TestServer) {
        let mut s = s;
        let here = s.http().register(&account("alice")).await.unwrap();
        let there = signed_in(&s, "alice").await;
        s.http().signed_in(&there).logout().await.unwrap();
        s.restart().await;
        assert_eq!((access(&s, &here).await, access(&s, &there).await), (200, 401));
        assert_eq!(access(&s, &refreshed(&s, &here).await.unwrap()).await, 200);
    }

    async fn the_fifty_first_session_ends_the_oldest(s: TestServer) {
        let first = s.http().register(&account("alice")).await.unwrap();
        let mut live = socket(&s, &first).await;
        let mut newest = Vec::new();
        for _ in 0..50 {
            s.advance(1_000);
            newest.push(signed_in(&s, "alice").await);
        }
        assert_eq!(live.closed().await, code(CloseCode::SessionEnded));
        assert_eq!((access(&s, &first).await, access(&s, &newest[0]).await), (401, 200));
        assert_eq!(s.http().signed_in(&newest[49]).sessions().await.unwrap().len(), 50);
    }

    async fn a_name_is_taken_whatever_its_case_and_form(s: TestServer) {
        s.user("alice").await;
        s.user("지민").await;
        for taken in ["alice", "Alice", "ALICE", " alice ", "ａｌｉｃｅ", "지민", "\u{110c}\u{1175}\u{1106}\u{1175}\u{11ab}"] {
            assert_eq!(refused(s.http().register(&account(taken)).await), Conflict, "{taken:?}");
        }
        let owner = s.http().signed_in(&signed_in(&s, "alice").await);
        let workspace = owner.workspaces().await.unwrap()[0].id;
        assert_eq!(owner.all_workspace_members(workspace).await.unwrap().len(), 2, "nobody came in");
    }

    async fn hangul_signs_in_however_it_is_typed(s: TestServer) {
        let nfd = "\u{110c}\u{1175}\u{1106}\u{1175}\u{11ab}";
        let new = Register { password: Secret("비밀번호 지민 12".to_owned()), ..account(nfd) };
        let there = s.http().register(&new).await.unwrap().user;
        assert_eq!(there.summary.username, "지민", "stored in NFC");
        for (name, password) in [("지민", "비밀번호 지민 12"), (nfd, &*format!("비밀번호 {nfd} 12"))] {
            let user = s.http().login(&login(name, password)).await.unwrap().user;
            assert_eq!(user.summary.id, there.summary.id);
        }
    }

    async fn what_is_wrong_with_an_input_is_said_by_field(s: TestServer) {
        let new = |change: Value| {
            let mut body = json!({"username": "carol", "password": PASSWORD});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            body
        };
        for (field, body) in [
            ("username", new(json!({"username": "c"}))),
            ("username", new(json!({"username": "c c"}))),
            ("username", new(json!({"username": "guest_1"}))),
            ("username", new(json!({"username": "c".repeat(33)}))),
            ("username", new(json!({"username": "c\u{202e}d"}))),
            ("password", new(json!({"password": "seven77"}))),
            ("password", new(json!({"password": "p".repeat(257)}))),
            ("display_name", new(json!({"display_name": " "}))),
            ("display_name", new(json!({"display_name": "n".repeat(65)}))),
            ("email", new(json!({"email": "nobody"}))),
        ] {
            let answer = post(&s.http(), "/auth/register", &body).await;
            assert_eq!((answer.status, &answer.json["errors"][0]["field"]), (422, &json!(field)), "{body}");
        }
        for body in [json!({}), json!([]), json!(7), new(json!({"admin": true})), new(json!({"password": 12345678}))] {
            let answer = post(&s.http(), "/auth/register", &body).await;
            assert_eq!((answer.status, &answer.json["code"]), (422, &json!("invalid")), "{body}");
        }
        let guest = post(&s.http(), "/auth/guest", &json!({"display_name": "n".repeat(65)})).await;
        assert_eq!((guest.status, &guest.json["errors"][0]["field"]), (422, &json!("display_name")));
        assert_eq!(post(&s.http(), "/auth/register", &new(json!({}))).await.status, 201, "it was free all along");
    }

    async fn a_wrong_password_and_an_unknown_name_are_answered_alike(s: TestServer) {
        s.user("alice").await;
        let body = |name: &str, password: &str| json!({"username": name, "password": password});
        let wrong = post(&s.http(), "/auth/login", &body("alice", "wrong horse")).await;
        assert_eq!(wrong.status, 401);
        for body in [body("nobody", PASSWORD), body("alice", "x"), body("alice", ""), body("", PASSWORD)] {
            let answer = post(&s.http(), "/auth/login", &body).await;
            assert_eq!((answer.status, &answer.json), (401, &wrong.json), "{body}");
        }
        assert_eq!(post(&s.http(), "/auth/login", &body("alice", PASSWORD)).await.status, 200);
    }

    async fn a_guest_has_no_password_to_sign_in_with(s: TestServer) {
        let guest = s.guest("Gustav").await;
        assert_eq!(refused(s.http().login(&login(&guest.name, PASSWORD)).await), Unauthenticated);
        assert_eq!(refused(s.http().login(&login(&guest.name, "")).await), Unauthenticated);
    }

    async fn refresh_tokens_that_nobody_gave_are_refused(s: TestServer) {
        let alice = s.http().register(&account("alice")).await.unwrap();
        let session = alice.session_id;
        for bad in ["", "x", "mdr_", "mdr_1_x", "mdr_x_x", &alice.access_token.0] {
            assert_eq!(post(&s.http(), "/auth/refresh", &json!({"refresh_token": bad})).await.status, 401, "{bad}");
        }
        assert_eq!(access(&s, &refreshed(&s, &alice).await.unwrap()).await, 200, "none of them ended it");
        let guessed = json!({"refresh_token": format!("mdr_{session}_guess")});
        assert_eq!(post(&s.http(), "/auth/refresh", &guessed).await.status, 401);
    }

    async fn an_address_is_shown_to_its_owner_only(s: TestServer) {
        let new = Register { email: Some("alice@example.org".to_owned()), ..account("alice") };
        let alice = User::of(s.http(), s.http().register(&new).await.unwrap()).await;
        let bob = s.user("bob").await;
        assert_eq!(alice.http.me().await.unwrap().email.as_deref(), Some("alice@example.org"));
        assert_eq!(alice.http.user(alice.id).await.unwrap().email.as_deref(), Some("alice@example.org"));
        assert_eq!(bob.http.user(alice.id).await.unwrap().email, None);
    }

    async fn who_may_see_whom(s: TestServer) {
        let cast = Cast::of(&s).await;
        let member = cast.member.id;
        // They met in the first workspace: only who is in none of the other's sees nothing.
        let first = cast.owner.workspace();
        for user in [&cast.stranger, &cast.member] {
            let left = cast.owner.http.remove_workspace_member(first, user.id).await;
            left.unwrap();
        }
        refusals(&cast, Expected::IN_WORKSPACE, |user| user.http.user(member)).await;
    }

    async fn what_becomes_of_ones_sessions_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let both = [&alice, &bob];
        let there = all_converge(&both, signed_in(&s, "alice")).await;
        let there = all_converge(&both, refreshed(&s, &there)).await.unwrap();
        all_converge(&both, alice.http.end_session(there.session_id)).await.unwrap();
        let there = s.http().signed_in(&signed_in(&s, "alice").await);
        all_converge(&both, there.logout()).await.unwrap();
        assert_eq!(refused(there.me().await), Unauthenticated);
    }

    async fn who_may_end_which_session(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::MEMBERS_OWN, |user| {
            let s = &s;
            async move {
                let phone = signed_in(s, "member").await;
                let answer = user.http.end_session(phone.session_id).await;
                assert_eq!(access(s, &phone).await == 200, answer.is_err(), "{}", user.name);
                answer
            }
        })
        .await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.logout()).await;
    }

    async fn without_a_good_token_every_route_answers_401(s: TestServer) {
        let alice = s.http().register(&account("alice")).await.unwrap();
        let document = s.http().request(Method::GET, "/api/openapi.json", None).await.unwrap().json;
        let open = [
            "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/guest", "/api/v1/auth/refresh", "/health",
            // Whoever knows the address of a picture gets it, and whoever has a code may know what it opens.
            "/api/v1/avatars/{id}/{secret}", "/api/v1/invites/preview",
        ];
        let nobody = [
            s.http(),
            s.http().with_token("garbage"),
            s.http().with_token(alice.refresh_token.0.clone()),
            s.http().with_token(format!("{}x", alice.access_token.0)),
            s.http().with_token(alice.access_token.0.replacen('.', ".e30", 1)),
        ];
        let mut routes = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            if open.contains(&path.as_str()) {
                continue;
            }
            let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            for method in operations.as_object().unwrap().keys().filter(|key| key.len() < 7) {
                let method: Method = method.to_uppercase().parse().unwrap();
                routes += 1;
                for http in &nobody {
                    let answer = http.request(method.clone(), &path, None).await.unwrap();
                    // To HEAD there is no body.
                    let code = if method == Method::HEAD { json!(null) } else { json!("unauthenticated") };
                    assert_eq!((answer.status, &answer.json["code"]), (401, &code), "{method} {path}");
                    assert_eq!(answer.headers["www-authenticate"], "Bearer");
                }
                if path != "/api/v1/auth/logout" {
                    let known = s.http().signed_in(&alice).request(method.clone(), &path, None).await.unwrap();
                    assert_ne!(known.status, 401, "{method} {path}");
                }
            }
        }
        assert!(routes > 25, "the document names {routes} routes");
    }
}

#[tokio::test]
async fn a_server_may_take_nobody_new() {
    let closed = |config: &mut madang_server::Config| {
        (config.registration, config.guests) = (Switch::Off, Switch::Off);
    };
    let s = TestServer::start_with(Backend::Sqlite, closed).await.unwrap();
    assert_eq!(refused(s.http().register(&account("alice")).await), Forbidden);
    assert_eq!(refused(s.http().guest(&GuestLogin::default()).await), Forbidden);
}
