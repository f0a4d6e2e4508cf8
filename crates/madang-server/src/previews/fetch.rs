//! How a page is fetched for a preview: by a client that goes nowhere but where the [`Guard`] lets it, in bounded
//! time and memory.
//!
//! Invariants:
//! - Nothing of ours goes out: no cookie, no credentials, no proxy of the environment, no address of the message.
//! - Each redirect is checked like the first address.
//! - So many pages at once ([`AT_ONCE`]), and so many requests to one host ([`PER_HOST`]), not more.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use madang_proto::{
    Timestamp,
    limits::{PREVIEW_IMAGE_BYTES, PREVIEW_PAGE_BYTES},
};
use parking_lot::Mutex;
use reqwest::{Client, Response, Url, header, redirect::Policy};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    cache::Cache,
    guard::Guard,
    page::{self, Page},
};
use crate::{
    config::{Config, Switch},
    error::{Error, Result},
    files,
};

/// Messages whose links are looked at at once; fewer than there are jobs at once, so that slow sites do not keep
/// other jobs waiting.
const AT_ONCE: usize = 8;
/// Requests to one host at once.
const PER_HOST: usize = 3;
/// Hosts are told apart by this many places; those of one place share it.
const PLACES: usize = 64;
const REDIRECTS: usize = 3;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a page with its picture may take; a third of it is how long a link waits for its turn at a host.
const WITHIN: Duration = Duration::from_secs(15);
const PAGES: &str = "text/html, application/xhtml+xml";
const PICTURES: &str = "image/png, image/jpeg, image/webp, image/gif";
const USER_AGENT: &str = concat!("Madang/", env!("CARGO_PKG_VERSION"), " (link previews)");

/// What was found behind a link.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// What the page is called.
    pub title: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// What its site is called.
    pub site_name: Option<String>,
    /// Its picture, made small.
    pub image: Option<Picture>,
}

/// A picture, made small.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// PNG or JPEG.
    pub bytes: Bytes,
    /// Which.
    pub media_type: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why there is nothing to show.
enum Nothing {
    /// Others are at the host; later there may be.
    Busy,
    /// That is how it is, for a while.
    Known(String),
}

impl Nothing {
    fn of(reason: &dyn ToString) -> Self {
        Self::Known(reason.to_string())
    }

    /// A request failed; the reason is all of its causes, without the address.
    fn failed(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Self::Known(causes.fold(error.to_string(), |chain, cause| format!("{chain}: {cause}")))
    }
}

/// A turn at a host, or to look at the links of a message.
type Turn<'a> = SemaphorePermit<'a>;

/// An answer, where it came from, and the turn at its host.
struct Opened<'a> {
    response: Response,
    from: Url,
    turn: Turn<'a>,
}

/// What looks at links.
#[derive(Debug)]
pub struct Previews {
    /// Made for the first link: it reads all certificates that the system trusts. Nothing when that failed.
    http: OnceLock<Option<Client>>,
    guard: Guard,
    within: Duration,
    known: Mutex<Cache>,
    slots: Semaphore,
    hosts: [Semaphore; PLACES],
}

impl Previews {
    /// What the settings ask for; nothing when previews are off.
    pub fn from_config(config: &Config) -> Option<Self> {
        if config.link_previews == Switch::Off {
            return None;
        }
        let ports = config.link_preview_ports.clone();
        Some(Self::new(Guard::new(config.link_preview_networks.clone(), ports), WITHIN))
    }

    fn new(guard: Guard, within: Duration) -> Self {
        let hosts = std::array::from_fn(|_| Semaphore::new(PER_HOST));
        let (http, known) = (OnceLock::new(), Mutex::default());
        Self { http, guard, within, known, slots: Semaphore::new(AT_ONCE), hosts }
    }

    fn http(&self) -> std::result::Result<&Client, Nothing> {
        let build = || {
            let client = Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .dns_resolver(Arc::new(self.guard.clone()))
                .connect_timeout(CONNECT_WITHIN)
                .timeout(self.within)
                .pool_max_idle_per_host(0)
                .user_agent(USER_AGENT)
                .build();
            client.map_err(|error| tracing::warn!(%error, "no HTTP client for link previews")).ok()
        };
        self.http.get_or_init(build).as_ref().ok_or_else(|| Nothing::of(&"there is no HTTP client"))
    }

    /// A turn to look at the links of a message.
    pub fn turn(&self) -> Result<Turn<'_>> {
        self.slots.try_acquire().map_err(|_| Error::Unavailable("many links are being looked at".to_owned()))
    }

    /// What is behind a link, as it was found now or some time ago.
    pub async fn find(&self, images: &Semaphore, link: &str, now: Timestamp) -> Result<Option<Arc<Found>>> {
        let Ok(url) = Url::parse(link) else { return Ok(None) };
        let key = url.as_str().split('#').next().unwrap_or_default().to_owned();
        if let Some(known) = self.known.lock().get(&key, now) {
            return Ok(known);
        }
        let looked = match self.turn_at(&url).await {
            Ok(turn) => timeout(self.within, self.look(images, url, turn)).await,
            Err(busy) => Ok(Err(busy)),
        };
        let found = match looked.unwrap_or_else(|_| Err(Nothing::of(&"it took too long"))) {
            Ok(found) => Some(Arc::new(found)),
            Err(Nothing::Busy) => {
                return Err(Error::Unavailable("others are at the host of the link".to_owned()));
            }
            Err(Nothing::Known(reason)) => {
                tracing::debug!(reason, "no preview of a link");
                None
            }
        };
        self.known.lock().put(&key, found.clone(), now);
        Ok(found)
    }

    async fn look(
        &self,
        images: &Semaphore,
        url: Url,
        turn: Turn<'_>,
    ) -> std::result::Result<Found, Nothing> {
        let Opened { response, from, turn } = self.open(url, PAGES, turn).await?;
        let content_type = text(&response, header::CONTENT_TYPE).to_ascii_lowercase();
        let mut parts = content_type.split(';').map(str::trim);
        if !matches!(parts.next(), Some("text/html" | "application/xhtml+xml")) {
            return Err(Nothing::of(&"not a page"));
        }
        let charset =
            parts.find_map(|part| part.strip_prefix("charset=")).map(|c| c.trim_matches('"').to_owned());
        // Of a long page the beginning says what is needed.
        let (bytes, _) = body(response, PREVIEW_PAGE_BYTES).await?;
        drop(turn);
        let page = spawn_blocking(move || page::read(&bytes, charset.as_deref())).await;
        let Page { title, description, site_name, image } =
            page.ok().flatten().ok_or_else(|| Nothing::of(&"no title"))?;
        let image = match image.and_then(|image| from.join(&image).ok()) {
            Some(url) => self.picture(images, url).await,
            None => None,
        };
        Ok(Found { title, description, site_name, image })
    }

    /// The picture of a page. A page is shown without one too.
    async fn picture(&self, images: &Semaphore, url: Url) -> Option<Picture> {
        let turn = self.turn_at(&url).await.ok()?;
        let Opened { response, turn, .. } = self.open(url, PICTURES, turn).await.ok()?;
        let (bytes, whole) = body(response, PREVIEW_IMAGE_BYTES).await.ok()?;
        drop(turn);
        let _turn = images.acquire().await.ok()?;
        let small = spawn_blocking(move || files::thumbnail_of(&bytes)).await.ok().flatten();
        let (bytes, media_type, (width, height)) = small.filter(|_| whole)?;
        Some(Picture { bytes: bytes.into(), media_type, width, height })
    }

    /// The answer at the end of few redirects, each of which the guard lets pass.
    async fn open<'a>(
        &'a self,
        mut url: Url,
        accept: &str,
        mut turn: Turn<'a>,
    ) -> std::result::Result<Opened<'a>, Nothing> {
        for _ in 0..=REDIRECTS {
            self.guard.check(&url).map_err(|e| Nothing::of(&e))?;
            // What comes packed could unfold to anything.
            let request = self.http()?.get(url.clone()).header(header::ACCEPT, accept);
            let request = request.header(header::ACCEPT_ENCODING, "identity");
            let response = request.send().await.map_err(Nothing::failed)?;
            if response.status().is_redirection() {
                let place = text(&response, header::LOCATION);
                url = url.join(place).map_err(|e| Nothing::of(&e))?;
                drop(turn);
                turn = self.turn_at(&url).await?;
                continue;
            }
            if !response.status().is_success() {
                return Err(Nothing::of(&response.status()));
            }
            if !matches!(text(&response, header::CONTENT_ENCODING), "" | "identity") {
                return Err(Nothing::of(&"it came packed"));
            }
            return Ok(Opened { response, from: url, turn });
        }
        Err(Nothing::of(&"too many redirects"))
    }

    async fn turn_at(&self, url: &Url) -> std::result::Result<Turn<'_>, Nothing> {
        let turn = timeout(self.within / 3, self.host(url).acquire()).await;
        turn.ok().and_then(std::result::Result::ok).ok_or(Nothing::Busy)
    }

    fn host(&self, url: &Url) -> &Semaphore {
        let mut hasher = DefaultHasher::new();
        url.host_str().hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or(0);
        &self.hosts[place]
    }
}

fn text(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The bytes of an answer, at most so many, and whether these are all.
async fn body(mut response: Response, most: usize) -> std::result::Result<(Vec<u8>, bool), Nothing> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(Nothing::failed)? {
        let room = most - bytes.len();
        bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if piece.len() > room {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

#[cfg(test)]
mod tests;
