//! A person in a test: their REST door and their live client.

use madang_client::{
    Client, Http, Options,
    proto::{
        ChannelId, Event, UserId, WorkspaceId,
        accounts::SignedIn,
        channels::{Channel, ChannelKind, CreateChannel},
        messages::Message,
    },
};
use tokio::sync::broadcast::Receiver;

/// A person who is online.
pub struct User {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// REST with their session.
    pub http: Http,
    /// Their live client.
    pub client: Client,
    events: Receiver<Event>,
}

impl User {
    /// Someone who just signed in, brought online.
    pub async fn of(http: Http, signed_in: SignedIn) -> Self {
        let http = http.signed_in(&signed_in);
        let client = Client::connect(http.clone(), Options::default()).await.unwrap();
        let summary = signed_in.user.summary;
        let events = client.events();
        Self { id: summary.id, name: summary.username, http, client, events }
    }

    /// Another device with the same session.
    pub async fn device(&self) -> Client {
        Client::connect(self.http.clone(), Options::default()).await.unwrap()
    }

    /// The default channel of the first workspace.
    pub fn general(&self) -> ChannelId {
        self.client.state().channel_named("general").unwrap().id()
    }

    /// The first workspace.
    pub fn workspace(&self) -> WorkspaceId {
        self.client.state().workspaces().next().unwrap().id
    }

    /// Makes a channel in the first workspace.
    pub async fn channel(&self, name: &str, kind: ChannelKind) -> Channel {
        self.channel_in(self.workspace(), name, kind).await
    }

    /// Makes a channel.
    pub async fn channel_in(&self, workspace: WorkspaceId, name: &str, kind: ChannelKind) -> Channel {
        let body = CreateChannel { workspace_id: Some(workspace), name: name.to_owned(), kind, topic: None };
        self.http.create_channel(&body).await.unwrap()
    }

    /// Sends and waits until it is stored.
    pub async fn send(&self, channel: ChannelId, content: &str) -> Message {
        self.client.send(channel, content).await.unwrap()
    }

    /// The next event that `pick` takes; the others are passed over.
    pub async fn next<T>(&mut self, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = pick(self.events.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(super::PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("{} waited for {what}", self.name))
    }

    /// The next message that is heard.
    pub async fn next_message(&mut self) -> Message {
        self.next("a message", |event| if let Event::Message(m) = event { Some(m) } else { None }).await
    }
}
