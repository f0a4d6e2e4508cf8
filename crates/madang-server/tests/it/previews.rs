//! Previews: fetched after a message is sent, changed with it, gone with it, and only where the server may go.

use std::io::Cursor;

use madang_client::{
    Error,
    proto::{
        MessageId,
        channels::ChannelKind,
        error::ErrorCode::{self, Conflict, Forbidden, NotFound},
        messages::Message,
        previews::Preview,
    },
};
use madang_server::config::Switch;
use reqwest::header;

use crate::support::{
    Cast, Expected, TestServer, User, all_converge, on_both, refusals,
    site::{Answer, Site},
};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn png() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(1280, 640, image::Rgb([255, 0, 0]))
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

/// A site with pages about gardens.
async fn gardens() -> Site {
    let euc_kr = b"<meta charset=euc-kr><title>\xb8\xb6\xb4\xe7</title>";
    Site::with(move |path| match path {
        "/garden" => Answer::page(
            r#"<title>x</title><meta property="og:title" content="A &lt;garden&gt;"><meta property="og:image" content="red.png">
               <meta property="og:description" content="With a wall"><meta property="og:site_name" content="Gardens">"#,
        ),
        "/red.png" => Answer::of("image/png", &png()),
        "/madang" => Answer::of("text/html", euc_kr),
        "/private" => Answer::redirect("http://127.0.0.2/"),
        "/away" => Answer::redirect("/garden"),
        "/endless" => Answer::Endless("<title>Endless</title>"),
        "/silent" => Answer::Silence,
        _ => Answer::of("text/plain", b"nothing"),
    })
    .await
}

/// The server, where it may go to the site and to nothing else of this machine.
async fn open_to(s: TestServer, site: &Site) -> TestServer {
    s.restarted_with(|config| {
        config.link_previews = Switch::On;
        config.link_preview_networks = vec!["127.0.0.1/32".parse().unwrap()];
        config.link_preview_ports = vec![site.address.port(), 80];
    })
    .await
}

/// The next change of this message that is heard.
async fn changed(user: &mut User, id: MessageId) -> Message {
    loop {
        let message = user.next_message().await;
        if message.id == id {
            return message;
        }
    }
}

fn titles(message: &Message) -> Vec<&str> {
    message.previews.iter().map(|preview| preview.title.as_str()).collect()
}

/// Waits until the jobs of this moment are done.
async fn done(s: &TestServer) {
    s.advance(3_000);
    s.tried().await;
}

on_both! {
    async fn a_link_shows_what_is_behind_it_and_readers_ask_nobody_else(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let (alice, mut bob) = s.users().await;
        let url = site.url("/garden");
        let sent = alice.send(alice.general(), &format!("보세요 {url}를")).await;
        assert_eq!(changed(&mut bob, sent.id).await, sent, "it does not wait");
        let shown = changed(&mut bob, sent.id).await;
        let Preview { image, .. } = shown.previews[0].clone();
        let wanted = Preview {
            url,
            title: "A <garden>".to_owned(),
            description: Some("With a wall".to_owned()),
            site_name: Some("Gardens".to_owned()),
            image: image.clone(),
        };
        assert_eq!(shown.previews, [wanted]);
        assert_eq!((shown.version, shown.edited_at, &shown.content), (sent.version + 1, None, &sent.content));
        let page = bob.http.messages(bob.general(), Default::default()).await.unwrap();
        assert_eq!(page.items, [bob.http.message(sent.id).await.unwrap()]);
        assert_eq!(page.items[0].previews, shown.previews);
        let image = image.unwrap();
        assert_eq!((image.width, image.height), (640, 320));
        let bytes = bob.http.download(image.id).await.unwrap();
        assert_eq!(bytes.headers()[header::CONTENT_TYPE], "image/jpeg");
        assert!(image::load_from_memory(&bytes.bytes().await.unwrap()).is_ok());
        // Again, by someone else and elsewhere: it is known.
        let again = alice.channel("again", ChannelKind::Private).await.id;
        let sent = alice.send(again, &site.url("/garden#wall")).await;
        done(&s).await;
        let shown = alice.http.message(sent.id).await.unwrap();
        assert_eq!(titles(&shown), ["A <garden>"]);
        assert_ne!(shown.previews[0].image.as_ref().unwrap().id, image.id, "each message has its own");
        assert_eq!(site.paths(), ["/garden", "/red.png"]);
        assert_eq!(refused(s.user("carol").await.http.download(shown.previews[0].image.as_ref().unwrap().id).await.map(drop)), NotFound);
    }

    async fn a_page_in_an_old_korean_encoding_is_read(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let alice = s.user("alice").await;
        let text = format!("{} {} {}", site.url("/madang"), site.url("/nothing"), site.url("/away"));
        let sent = alice.send(alice.general(), &text).await;
        done(&s).await;
        assert_eq!(titles(&alice.http.message(sent.id).await.unwrap()), ["마당", "A <garden>"]);
    }

    async fn a_page_without_end_and_one_that_never_comes_keep_nothing_waiting(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let (alice, mut bob) = s.users().await;
        let silent = alice.send(alice.general(), &site.url("/silent")).await;
        let sent = alice.send(alice.general(), &site.url("/endless")).await;
        for id in [silent.id, sent.id] {
            assert!(changed(&mut bob, id).await.previews.is_empty());
        }
        assert_eq!(titles(&changed(&mut bob, sent.id).await), ["Endless"]);
    }

    async fn where_the_server_may_not_go_nothing_shows(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let alice = s.user("alice").await;
        let port = site.address.port();
        for text in [
            site.url("/private"),
            format!("http://127.0.0.2:{port}/garden http://[::1]:{port}/garden http://0:{port}/garden"),
            format!("http://localhost.:1/garden http://alice@127.0.0.1:{port}/garden"),
            format!("`{0}` <{0}>", site.url("/garden")),
        ] {
            let sent = alice.send(alice.general(), &text).await;
            done(&s).await;
            assert_eq!(alice.http.message(sent.id).await.unwrap(), sent, "{text}");
        }
        assert_eq!(site.paths(), ["/private"]);
    }

    async fn an_edit_keeps_what_still_stands_there(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let alice = s.user("alice").await;
        let (garden, madang) = (site.url("/garden"), site.url("/madang"));
        let sent = alice.send(alice.general(), &garden).await;
        done(&s).await;
        let image = alice.http.message(sent.id).await.unwrap().previews[0].image.clone().unwrap();
        let edited = alice.http.update_message(sent.id, &format!("{madang} {garden}")).await.unwrap();
        assert_eq!(titles(&edited), ["A <garden>"]);
        done(&s).await;
        let shown = alice.http.message(sent.id).await.unwrap();
        assert_eq!(titles(&shown), ["마당", "A <garden>"]);
        assert_eq!(shown.previews[1].image.as_ref(), Some(&image));
        let edited = alice.http.update_message(sent.id, &madang).await.unwrap();
        assert_eq!(titles(&edited), ["마당"]);
        assert_eq!(refused(alice.http.download(image.id).await.map(drop)), NotFound);
        assert!(alice.http.update_message(sent.id, "no more").await.unwrap().previews.is_empty());
        assert_eq!(site.paths(), ["/garden", "/red.png", "/madang"]);
    }

    async fn what_is_deleted_or_changed_meanwhile_gets_none(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), &site.url("/garden")).await;
        done(&s).await;
        let image = alice.http.message(sent.id).await.unwrap().previews[0].image.clone().unwrap();
        alice.http.delete_message(sent.id).await.unwrap();
        assert!(alice.http.message(sent.id).await.unwrap().previews.is_empty());
        assert_eq!(refused(alice.http.download(image.id).await.map(drop)), NotFound);
        // The first attempt fails, and the message is another one when it is tried again.
        s.faults.arm("work");
        let deleted = alice.send(alice.general(), &site.url("/garden")).await;
        alice.http.delete_message(deleted.id).await.unwrap();
        let edited = alice.send(alice.general(), &site.url("/garden")).await;
        alice.http.update_message(edited.id, "nothing").await.unwrap();
        done(&s).await;
        for id in [deleted.id, edited.id] {
            assert!(alice.http.message(id).await.unwrap().previews.is_empty());
        }
        assert_eq!(s.jobs().await["dead"], 0);
    }

    async fn its_author_takes_them_away_for_good(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), &site.url("/garden")).await;
        done(&s).await;
        let shown = alice.http.message(sent.id).await.unwrap();
        assert_eq!(refused(bob.http.remove_previews(sent.id).await), Forbidden);
        let bare = all_converge(&[&alice, &bob], alice.http.remove_previews(sent.id)).await.unwrap();
        assert_eq!((bare.previews.len(), bare.version), (0, shown.version + 1));
        assert_eq!(alice.http.remove_previews(sent.id).await.unwrap().version, bare.version);
        let image = shown.previews[0].image.as_ref().unwrap().id;
        assert_eq!(refused(alice.http.download(image).await.map(drop)), NotFound);
        alice.http.update_message(sent.id, &format!("{} {}", site.url("/garden"), site.url("/madang"))).await.unwrap();
        done(&s).await;
        assert!(alice.http.message(sent.id).await.unwrap().previews.is_empty());
        alice.http.delete_message(sent.id).await.unwrap();
        assert_eq!(refused(alice.http.remove_previews(sent.id).await), Conflict);
        // Before they are there.
        let sent = alice.send(alice.general(), &site.url("/nothing")).await;
        assert_eq!(alice.http.remove_previews(sent.id).await.unwrap().version, sent.version);
    }

    async fn everyone_comes_to_know_previews(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await;
        let (alice, bob) = s.users().await;
        let sent = all_converge(&[&alice, &bob], async {
            let sent = alice.send(alice.general(), &site.url("/garden")).await;
            done(&s).await;
            sent
        })
        .await;
        assert_eq!(titles(&bob.http.message(sent.id).await.unwrap()), ["A <garden>"]);
        let emptied = alice.http.update_message(sent.id, "nothing");
        assert!(all_converge(&[&alice, &bob], emptied).await.unwrap().previews.is_empty());
    }

    async fn who_may_take_previews_away(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_OPEN)] {
            let message = cast.owner.send(id, "https://example.org").await.id;
            let others = Expected { admin: Some(Forbidden), ..expected.admins() };
            refusals(&cast, others, |user| user.http.remove_previews(message)).await;
        }
        let none = MessageId::from(12_345);
        assert_eq!(refused(cast.owner.http.remove_previews(none).await), NotFound);
    }

    async fn switched_off_nothing_is_asked(s: TestServer) {
        let site = gardens().await;
        let s = open_to(s, &site).await.restarted_with(|config| config.link_previews = Switch::Off).await;
        let alice = s.user("alice").await;
        let sent = alice.send(alice.general(), &site.url("/garden")).await;
        done(&s).await;
        assert_eq!((alice.http.message(sent.id).await.unwrap(), site.asked().len()), (sent, 0));
    }
}
