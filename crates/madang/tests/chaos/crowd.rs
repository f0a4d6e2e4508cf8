//! Who is there: people who send and listen over HAProxy, each in some of the channels.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use madang_client::{
    Client, ConnectionStatus, Error, Http, Options, State,
    backoff::Backoff,
    proto::{
        ChannelId, WorkspaceId,
        accounts::{GuestLogin, Register, Secret},
        channels::{Channel, ChannelKind, CreateChannel},
        messages::Message,
        page::MessagePageQuery,
    },
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::plan::Numbers;

const PEOPLE: usize = 300;
const CHANNELS: usize = 50;
/// In how many channels each of them is.
const EACH_IN: usize = 2;
/// How long they think before they say the next thing.
const THINKS_MS: (u64, u64) = (100, 3_900);
/// They come back quickly, so that it is the servers that are waited for.
const COMES_BACK: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
/// Requests at one time.
const AT_ONCE: usize = 8;

/// Someone.
#[derive(Clone)]
pub struct Person {
    pub number: usize,
    pub client: Client,
    pub channels: Vec<ChannelId>,
}

/// All of them, and who made the channels.
pub struct Crowd {
    pub keeper: Http,
    pub workspace: WorkspaceId,
    /// The channels as they were before anything was said.
    pub channels: Vec<Channel>,
    pub people: Vec<Person>,
}

/// What someone said.
#[derive(Default)]
pub struct Said {
    pub acknowledged: Vec<Message>,
    /// The longest time that an acknowledgement took, and when it was asked for.
    pub slowest: Option<(Duration, Instant)>,
}

/// What the server has of the channels.
pub type Heads = BTreeMap<ChannelId, Channel>;

impl Crowd {
    /// Lets them come in.
    pub async fn gather(url: &str) -> Self {
        let password = Secret("correct horse".to_owned());
        let body = Register { username: "keeper".to_owned(), password, display_name: None, email: None };
        let http = Http::new(url).unwrap();
        let keeper = http.signed_in(&http.register(&body).await.unwrap());
        let workspace = keeper.workspaces().await.unwrap()[0].id;
        let mut ids = Vec::new();
        for n in 0..CHANNELS {
            let (name, kind) = (format!("channel-{n}"), ChannelKind::Public);
            let new = CreateChannel { workspace_id: Some(workspace), name, kind, topic: None };
            ids.push(keeper.create_channel(&new).await.unwrap().id);
        }
        let people = at_once((0..PEOPLE).map(|number| {
            let channels =
                (0..EACH_IN).map(|n| ids[(number + n * (n + number / CHANNELS)) % CHANNELS]).collect();
            come(http.clone(), number, channels)
        }));
        let people = people.await;
        let mut crowd = Self { keeper, workspace, channels: Vec::new(), people };
        let heads = crowd.heads().await.unwrap();
        crowd.channels = ids.iter().map(|id| heads[id].clone()).collect();
        crowd
    }

    /// Has all of them send until then; gives what was said by each, or why it was refused.
    pub fn talk(&self, seed: u64, until: Instant) -> JoinSet<(usize, Result<Said, Error>)> {
        let talks = self.people.iter().cloned().map(|person| async move {
            (person.number, person.talk(Numbers(seed ^ person.number as u64), until).await)
        });
        talks.collect()
    }

    /// Where the channels stand.
    pub async fn heads(&self) -> Result<Heads, Error> {
        let all = self.keeper.workspace_channels(self.workspace).await?;
        Ok(all.into_iter().map(|channel| (channel.id, channel)).collect())
    }

    /// All messages of a channel, as they are stored.
    pub async fn stored(&self, channel: ChannelId) -> Result<Vec<Message>, Error> {
        let mut all: Vec<Message> = Vec::new();
        let mut query = MessagePageQuery { limit: Some(100), ..Default::default() };
        loop {
            let page = self.keeper.messages(channel, query).await?;
            all.splice(0..0, page.items);
            let Some(cursor) = page.next_cursor else { return Ok(all) };
            query.before = Some(cursor.parse().unwrap());
        }
    }
}

impl Person {
    async fn talk(&self, mut numbers: Numbers, until: Instant) -> Result<Said, Error> {
        let mut all = Said::default();
        loop {
            sleep(Duration::from_millis(numbers.between(THINKS_MS))).await;
            if Instant::now() > until {
                return Ok(all);
            }
            let at = usize::try_from(numbers.between((0, EACH_IN as u64 - 1))).unwrap();
            let (text, sent) = (format!("{}/{}", self.number, all.acknowledged.len()), Instant::now());
            // Answers only when it is stored, over as many connections as it takes.
            all.acknowledged.push(self.client.send(self.channels[at], &text).await?);
            all.slowest = all.slowest.max(Some((sent.elapsed(), sent)));
        }
    }

    /// What keeps them from knowing what the server has.
    pub fn lacks(&self, heads: &Heads) -> Option<String> {
        let state = self.client.state();
        let who = self.number;
        if !matches!(state.connection, ConnectionStatus::Online) {
            return Some(format!("client {who} is not online: {:?}", state.connection));
        }
        if let Some(pending) = state.outbox.iter().next() {
            return Some(format!("client {who} still waits for {} to be taken", pending.content));
        }
        self.channels.iter().find_map(|id| {
            let (known, there) = (known(&state, *id), (heads[id].version, heads[id].last_seq));
            (known != there).then(|| {
                format!("client {who}, channel {id}: knows version and seq {known:?}, there is {there:?}")
            })
        })
    }

    /// The messages of a channel that they have.
    pub fn view(&self, channel: ChannelId) -> Vec<Message> {
        let state = self.client.state();
        let known =
            state.channel(channel).map(|known| known.messages().map(|m| m.as_ref().clone()).collect());
        known.unwrap_or_default()
    }

    /// The same person on a device that begins anew.
    pub async fn afresh(&self) -> Result<Arc<State>, Error> {
        let fresh = Client::connect(self.client.http().clone(), options()).await?;
        open(&fresh, &self.channels).await?;
        let state = fresh.state();
        fresh.close().await;
        Ok(state)
    }
}

fn known(state: &State, channel: ChannelId) -> (i64, i64) {
    state.channel(channel).map_or((0, 0), |known| (known.version(), known.facts().last_seq))
}

async fn come(http: Http, number: usize, channels: Vec<ChannelId>) -> Person {
    let guest = http.guest(&GuestLogin { display_name: Some(format!("client {number}")) }).await.unwrap();
    let http = http.signed_in(&guest);
    for channel in &channels {
        http.join_channel(*channel).await.unwrap();
    }
    let client = Client::connect(http, options()).await.unwrap();
    open(&client, &channels).await.unwrap();
    Person { number, client, channels }
}

async fn open(client: &Client, channels: &[ChannelId]) -> Result<(), Error> {
    for channel in channels {
        client.load_all_messages(*channel).await?;
        client.load_members(*channel).await?;
    }
    Ok(())
}

fn options() -> Options {
    Options { backoff: COMES_BACK, ..Options::default() }
}

/// Does all of it, some at one time; what comes of it is in their order.
pub async fn at_once<T: Send + 'static>(
    works: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut all: JoinSet<(usize, T)> = works
        .enumerate()
        .map(|(n, work)| {
            let turns = Arc::clone(&turns);
            async move {
                let _turn = turns.acquire_owned().await.unwrap();
                (n, work.await)
            }
        })
        .collect();
    let mut done = Vec::new();
    while let Some(one) = all.join_next().await {
        done.push(one.unwrap());
    }
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, one)| one).collect()
}
