//! The channels of a workspace that one may see but is not in, once they were loaded.

use std::{collections::BTreeMap, sync::Arc};

use madang_proto::{
    ChannelId, WorkspaceId,
    channels::{Channel, ChannelKind},
};

use super::State;

/// The channels of a workspace that one may see but is not in.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    pub(super) loaded: bool,
    pub(super) epoch: u64,
    pub(super) fetching: u32,
    /// What was heard while the list is fetched; `None` for gone.
    pub(super) heard: Vec<(ChannelId, Option<Channel>)>,
    pub(super) channels: BTreeMap<ChannelId, Channel>,
}

impl State {
    /// The channels of a workspace that one may see but is not in, if they were loaded.
    #[must_use]
    pub fn directory(&self, id: WorkspaceId) -> Option<&BTreeMap<ChannelId, Channel>> {
        self.directories.get(&id).filter(|directory| directory.loaded).map(|directory| &directory.channels)
    }

    /// The channels of a workspace are being fetched; [`State::put_directory`] follows with the number.
    pub fn expect_directory(&mut self, id: WorkspaceId) -> u64 {
        let directory = Arc::make_mut(self.directories.entry(id).or_default());
        directory.fetching += 1;
        directory.epoch
    }

    /// All channels of a workspace that one may see, or that they did not come. `false` when they are
    /// to be fetched again.
    pub fn put_directory(&mut self, id: WorkspaceId, number: u64, channels: Option<Vec<Channel>>) -> bool {
        let Some(directory) = self.directories.get_mut(&id).map(Arc::make_mut) else { return true };
        if number != directory.epoch {
            return false;
        }
        directory.fetching = directory.fetching.saturating_sub(1);
        if let Some(channels) = channels {
            directory.loaded = true;
            let others = channels.into_iter().filter(|channel| channel.joined != Some(true));
            directory.channels = others.map(|channel| (channel.id, channel)).collect();
            for (id, heard) in directory.heard.clone() {
                match heard {
                    Some(channel) => put_other(&mut directory.channels, channel),
                    None => _ = directory.channels.remove(&id),
                }
            }
            directory.channels.retain(|id, _| !self.channels.contains_key(id));
        }
        if directory.fetching == 0 {
            directory.heard.clear();
        }
        true
    }
}

/// A channel that one is not in, unless a newer state of it is there.
pub(super) fn put_other(channels: &mut BTreeMap<ChannelId, Channel>, channel: Channel) {
    if channel.kind != ChannelKind::Public || channel.archived_at.is_some() {
        channels.remove(&channel.id);
    } else if channels.get(&channel.id).is_none_or(|known| known.version <= channel.version) {
        let joined = Some(false);
        channels.insert(channel.id, Channel { joined, ..channel.for_everyone() });
    }
}
