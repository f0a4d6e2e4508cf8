//! Topics: what a connection hears and what an envelope is about.

use madang_proto::{ChannelId, UserId, WorkspaceId};

/// An address for envelopes. Whether someone may hear it is decided before they subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What happens in a channel, to those who may read it.
    Channel(ChannelId),
    /// What happens in a workspace beside its channels, to its members.
    Workspace(WorkspaceId),
    /// What of it also those hear who see no more of it than a channel.
    Lobby(WorkspaceId),
    /// What concerns one user alone, to all their connections.
    User(UserId),
    /// How one user is, to those who watch them.
    Presence(UserId),
}
