//! The people and channels of a run, made through the public API.
//!
//! Registered people make the channels, since guests cannot, each as many as one person may be in;
//! everyone else is a guest, and may be there with several devices at once.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use madang_client::Http;
use madang_proto::{
    ChannelId, WorkspaceId,
    accounts::{GuestLogin, Register, Secret},
    channels::{ChannelKind, CreateChannel},
};

use crate::{Error, bus, progress::Progress, scan, worker::Channel};

/// Requests at one time.
const AT_ONCE: usize = 16;
/// Channels that one person makes; they are in them, and in the workspace's default channel.
const KEPT: usize = 900;
/// How long the server may take to index what was sent, s.
const INDEXED_WITHIN: u32 = 180;

/// Everyone and everything of a run.
pub struct Stage {
    place: Place,
    /// Access tokens by user.
    pub tokens: Vec<String>,
    /// By channel.
    pub channels: Vec<Channel>,
}

/// Where it was made.
enum Place {
    /// Through the public API in this workspace, by these people, each [`KEPT`] of the channels.
    Server { keepers: Vec<Http>, workspace: WorkspaceId },
    /// A peer has one room, and its HTTP door tells how many messages were said in it.
    Peer(SocketAddr),
}

/// A channel to be made.
#[derive(Debug, Clone)]
pub struct Room {
    /// Users by index.
    pub members: Vec<u32>,
    /// Whether it belongs to the second group.
    pub beside: bool,
}

/// Makes `users` guests and the rooms with their members.
///
/// # Errors
/// When the server refuses.
pub async fn stage(url: &str, users: usize, rooms: &[Room], progress: &Progress) -> Result<Stage, Error> {
    let http = Http::new(url).map_err(Error::server("looking at the address"))?;
    let run = format!("load-{:08x}", rand::random::<u32>());
    let names = (0..rooms.len().div_ceil(KEPT).max(1)).map(|n| format!("{run}-keeper-{n}"));
    let keepers: Vec<Http> = stream::iter(names).then(|name| keeper(&http, name)).try_collect().await?;
    let first = keepers.first().ok_or_else(|| Error::Protocol("nobody made the channels".to_owned()))?;
    let workspaces = first.workspaces().await.map_err(Error::server("listing workspaces"))?;
    let workspace = workspaces.first().map(|w| w.id);
    let workspace = workspace.ok_or_else(|| Error::Protocol("nobody's workspace is open".to_owned()))?;

    let guests: Vec<(String, Http)> = stream::iter(0..users)
        .map(|n| guest(&http, n, progress, users))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let ids: Vec<ChannelId> = stream::iter(0..rooms.len())
        .map(|n| make(&keepers[n / KEPT], workspace, format!("{run}-{n}")))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let seats: Vec<(u32, ChannelId)> =
        rooms.iter().zip(&ids).flat_map(|(room, id)| room.members.iter().map(|m| (*m, *id))).collect();
    let all = seats.len();
    let guests_ref = &guests;
    stream::iter(seats.into_iter().enumerate())
        .map(|(n, (user, channel))| async move {
            progress.line(|| format!("members {n}/{all}"));
            let (_, http) = &guests_ref[user as usize];
            http.join_channel(channel).await.map(drop).map_err(Error::server("joining a channel"))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;

    let mut stage = Stage {
        place: Place::Server { keepers, workspace },
        tokens: guests.into_iter().map(|(token, _)| token).collect(),
        channels: Vec::new(),
    };
    let standing = stage.standing(&ids).await?;
    stage.channels = ids
        .iter()
        .zip(rooms)
        .zip(standing)
        .map(|((id, room), (base_seq, base_version))| Channel {
            id: number(id.get()),
            base_seq,
            base_version,
            beside: room.beside,
        })
        .collect();
    Ok(stage)
}

/// The one room of a peer, which asks nobody who they are.
///
/// # Errors
/// When it does not answer.
pub async fn at_peer(peer: SocketAddr, users: usize) -> Result<Stage, Error> {
    let base_seq = said(peer).await?;
    let channel = Channel { id: 1, base_seq, base_version: 0, beside: false };
    Ok(Stage { place: Place::Peer(peer), tokens: vec![String::new(); users], channels: vec![channel] })
}

/// How many messages were said at a peer.
async fn said(peer: SocketAddr) -> Result<u64, Error> {
    let answer = bus::get(peer, "/").await?;
    let seq = answer.rsplit_once("\"seq\":").and_then(|(_, rest)| scan::number(rest.as_bytes()));
    seq.map(|(seq, _)| seq).ok_or_else(|| Error::Protocol(format!("the peer's answer: {answer}")))
}

async fn guest(http: &Http, n: usize, progress: &Progress, all: usize) -> Result<(String, Http), Error> {
    progress.line(|| format!("guests {n}/{all}"));
    let login = GuestLogin { display_name: Some(format!("load {n}")) };
    let signed_in =
        http.guest(&login).await.map_err(Error::server("letting guests in (guests have to be on)"))?;
    Ok((signed_in.access_token.0.clone(), http.signed_in(&signed_in)))
}

async fn keeper(http: &Http, username: String) -> Result<Http, Error> {
    let register = Register {
        username,
        password: Secret(format!("{:032x}", rand::random::<u128>())),
        display_name: None,
        email: None,
    };
    let signed_in = http
        .register(&register)
        .await
        .map_err(Error::server("registering the people who make the channels (registration has to be on)"))?;
    Ok(http.signed_in(&signed_in))
}

async fn make(keeper: &Http, workspace: WorkspaceId, name: String) -> Result<ChannelId, Error> {
    let new = CreateChannel { workspace_id: Some(workspace), name, kind: ChannelKind::Public, topic: None };
    let channel = keeper.create_channel(&new).await.map_err(Error::server("making a channel"))?;
    Ok(channel.id)
}

fn number(id: i64) -> u64 {
    u64::try_from(id).unwrap_or_default()
}

impl Stage {
    /// The newest message of each channel, as the server has it.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn stored(&self) -> Result<Vec<u64>, Error> {
        let ids: Vec<ChannelId> =
            self.channels.iter().map(|c| ChannelId::from(i64::try_from(c.id).unwrap_or_default())).collect();
        Ok(self.standing(&ids).await?.into_iter().map(|(seq, _)| seq).collect())
    }

    /// The newest message and change of each channel.
    async fn standing(&self, ids: &[ChannelId]) -> Result<Vec<(u64, u64)>, Error> {
        let (keepers, workspace) = match &self.place {
            Place::Server { keepers, workspace } => (keepers, *workspace),
            Place::Peer(peer) => return Ok(vec![(said(*peer).await?, 0)]),
        };
        let all =
            keepers[0].workspace_channels(workspace).await.map_err(Error::server("listing channels"))?;
        let by_id: std::collections::HashMap<_, _> = all.iter().map(|c| (c.id, c)).collect();
        ids.iter()
            .map(|id| by_id.get(id).map(|c| (number(c.last_seq), number(c.version))))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::Protocol("a channel of the run is gone".to_owned()))
    }

    /// Waits until the server has indexed what was sent, which is not to be measured with what comes next.
    ///
    /// # Errors
    /// When the server does not say, or is not done in time.
    pub async fn indexed(&self) -> Result<(), Error> {
        let Place::Server { keepers, .. } = &self.place else { return Ok(()) };
        for _ in 0..INDEXED_WITHIN {
            let (_, health) = keepers[0].health().await.map_err(Error::server("asking for its health"))?;
            if health["search"]["behind"].as_i64().is_none_or(|behind| behind == 0) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(Error::Protocol("the server did not index what was sent in time".to_owned()))
    }

    /// Removes the channels.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn clear(&self) -> Result<(), Error> {
        let Place::Server { keepers, .. } = &self.place else { return Ok(()) };
        stream::iter(self.channels.iter().enumerate())
            .map(|(n, channel)| {
                let id = ChannelId::from(i64::try_from(channel.id).unwrap_or_default());
                keepers[n / KEPT].delete_channel(id)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(Error::server("removing the channels of the run"))
    }
}
