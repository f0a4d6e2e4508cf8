//! Fetching from sites that mean well and from those that do not.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use super::*;

#[path = "../../../tests/it/support/site.rs"]
mod site;

use site::{Answer, Site};

const PAGE: &str = "<title>A page</title>";

/// What looks at links, where 127.0.0.1 is open and the rest of this machine is not.
fn previews(site: &Site) -> Previews {
    Previews::new(guard(site), Duration::from_secs(10))
}

fn guard(site: &Site) -> Guard {
    Guard::new(vec!["127.0.0.1/32".parse().unwrap()], vec![80, site.address.port()])
}

async fn looked(previews: &Previews, url: &str) -> std::result::Result<Found, Nothing> {
    let url = url.parse().unwrap();
    let turn = previews.turn_at(&url).await?;
    previews.look(&Semaphore::new(1), url, turn).await
}

/// The title behind a link, or why there is none.
async fn title(previews: &Previews, url: &str) -> std::result::Result<String, String> {
    match looked(previews, url).await {
        Ok(found) => Ok(found.title),
        Err(Nothing::Busy) => Err("busy".to_owned()),
        Err(Nothing::Known(reason)) => Err(reason),
    }
}

#[tokio::test]
async fn redirects_are_few_and_each_is_looked_at() {
    let site = Site::with(|path| match path {
        "/page" => Answer::page(PAGE),
        "/3" => Answer::redirect("2"),
        "/2" => Answer::redirect("/1"),
        "/1" => Answer::redirect("/page"),
        "/4" => Answer::redirect("/3"),
        "/inside" => Answer::redirect("http://127.0.0.2/"),
        "/number" => Answer::redirect("http://2130706434/"),
        "/metadata" => Answer::redirect("http://169.254.169.254/latest/meta-data/"),
        "/v6" => Answer::redirect("//[::1]/"),
        "/named" => Answer::redirect("http://root@example.org/"),
        "/file" => Answer::redirect("file:///etc/passwd"),
        "/port" => Answer::redirect("http://127.0.0.1:22/"),
        "/round" => Answer::redirect("/round"),
        _ => Answer::Whole("404 Not Found", String::new(), PAGE.into()),
    })
    .await;
    let previews = previews(&site);
    assert_eq!(title(&previews, &site.url("/3")).await.as_deref(), Ok("A page"));
    for (path, reason) in [
        ("/4", "too many redirects"),
        ("/round", "too many redirects"),
        ("/inside", "not a public address"),
        ("/number", "not a public address"),
        ("/metadata", "not a public address"),
        ("/v6", "not a public address"),
        ("/named", "someone's name in the address"),
        ("/file", "not http or https"),
        ("/port", "not a port for previews"),
        ("/missing", "404 Not Found"),
    ] {
        assert_eq!(title(&previews, &site.url(path)).await, Err(reason.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_name_that_means_something_else_a_moment_later_is_not_followed() {
    let site =
        Site::with(|_| Answer::page("<title>A page</title><meta property=og:image content=/a.png>")).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let names = move |_: &str| -> Vec<IpAddr> {
        let ip = if count.fetch_add(1, Ordering::SeqCst) == 0 { "127.0.0.1" } else { "127.0.0.2" };
        vec![ip.parse().unwrap()]
    };
    let previews = Previews::new(guard(&site).naming(names), Duration::from_secs(10));
    let url = format!("http://rebinding.example:{}/", site.address.port());
    let found = looked(&previews, &url).await.ok().unwrap();
    assert_eq!((found.title.as_str(), found.image), ("A page", None));
    assert_eq!((asked.load(Ordering::SeqCst), site.paths().len()), (2, 1), "asked anew, and refused");
    let again = title(&previews, &url).await.unwrap_err();
    assert!(again.ends_with("not a public address"), "{again}");
    assert_eq!(site.paths().len(), 1);
}

#[tokio::test]
async fn what_is_endless_huge_packed_or_no_page_is_bounded() {
    let site = Site::with(|path| match path {
        "/endless" => Answer::Endless("<title>Endless</title>"),
        "/endless-title" => Answer::Endless("<title>"),
        "/huge" => Answer::page(&format!("<title>Huge</title>{}", "a".repeat(4 * PREVIEW_PAGE_BYTES))),
        "/late" => Answer::page(&format!("{}<title>Late</title>", "a".repeat(PREVIEW_PAGE_BYTES))),
        "/packed" => {
            let headers = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n".to_owned();
            Answer::Whole("200 OK", headers, vec![0x1f, 0x8b])
        }
        "/text" => Answer::of("text/plain", PAGE.as_bytes()),
        "/binary" => Answer::of("application/octet-stream", PAGE.as_bytes()),
        _ => Answer::of("", b""),
    })
    .await;
    let previews = previews(&site);
    for (path, answer) in [
        ("/endless", Ok("Endless")),
        ("/endless-title", Err("no title")),
        ("/huge", Ok("Huge")),
        ("/late", Err("no title")),
        ("/packed", Err("it came packed")),
        ("/text", Err("not a page")),
        ("/binary", Err("not a page")),
        ("/nothing", Err("not a page")),
    ] {
        let found = title(&previews, &site.url(path)).await;
        assert_eq!(found, answer.map(str::to_owned).map_err(str::to_owned), "{path}");
    }
}

#[tokio::test]
async fn a_site_that_does_not_answer_is_given_up_and_not_asked_again() {
    let site = Site::with(|_| Answer::Silence).await;
    let previews = Previews::new(guard(&site), Duration::from_millis(200));
    let (images, now, began) = (Semaphore::new(1), Timestamp::from(0), Instant::now());
    for fragment in ["", "#a", "#b"] {
        let found = previews.find(&images, &site.url(&format!("/{fragment}")), now).await.unwrap();
        assert_eq!(found, None);
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(site.paths().len(), 1);
}

#[tokio::test]
async fn who_finds_a_host_busy_comes_back_later() {
    let site = Site::with(|_| Answer::page(PAGE)).await;
    let previews = Previews::new(guard(&site), Duration::from_millis(300));
    let (images, now, link) = (Semaphore::new(1), Timestamp::from(0), site.url("/"));
    let others = previews.host(&link.parse().unwrap()).acquire_many(PER_HOST as u32).await.unwrap();
    assert!(matches!(previews.find(&images, &link, now).await, Err(Error::Unavailable(_))));
    assert!(site.paths().is_empty());
    drop(others);
    assert!(previews.find(&images, &link, now).await.unwrap().is_some());
    let turns: Vec<_> = (0..AT_ONCE).map(|_| previews.turn().unwrap()).collect();
    assert!(matches!(previews.turn(), Err(Error::Unavailable(_))), "{} at once", turns.len());
}

#[tokio::test]
async fn nothing_of_ours_goes_out() {
    let site = Site::with(|_| {
        Answer::Whole("200 OK", "Content-Type: text/html\r\nSet-Cookie: a=b\r\n".into(), PAGE.into())
    })
    .await;
    let previews = previews(&site);
    for _ in 0..2 {
        assert!(title(&previews, &site.url("/page?q=1#fragment")).await.is_ok());
    }
    for asked in site.asked() {
        let mut lines: Vec<_> = asked.trim_end().lines().map(str::to_ascii_lowercase).collect();
        lines.sort();
        let host = format!("host: {}", site.address);
        let agent = format!("user-agent: {}", USER_AGENT.to_ascii_lowercase());
        let wanted = [
            "accept-encoding: identity",
            "accept: text/html, application/xhtml+xml",
            "get /page?q=1 http/1.1",
            &host,
            &agent,
        ];
        assert_eq!(lines, wanted);
    }
}
