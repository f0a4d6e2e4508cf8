//! `READY`: the first one is where a client starts, each later one where it goes on.
//!
//! Invariants:
//! - After it and the questions that it answers with, the state is as a fresh client's would be with the
//!   same things loaded.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use madang_proto::{ChannelId, WorkspaceId, channels::Channel, event::Ready};

use super::{ChannelState, Effect, Reloaded, State};

impl State {
    pub(super) fn apply_ready(&mut self, mut ready: Ready, now: Instant) -> Vec<Effect> {
        let profiles = self.begin_profiles(ready.users_version);
        self.meet(&mut ready.user.summary);
        for sanction in &mut ready.sanctions {
            self.meet(&mut sanction.user);
            sanction.by.iter_mut().for_each(|by| self.meet(by));
        }
        ready.channels.iter_mut().for_each(|channel| self.meet_all(&mut channel.people));
        self.me = Some(Arc::new(ready.user));
        self.server_time = Some((ready.server_time, now));
        self.workspaces = ready.workspaces.into_iter().map(|workspace| (workspace.id, workspace)).collect();
        self.sanctions = ready.sanctions;
        self.settings = ready.settings;
        let mut effects = self.begin_presence(ready.presence, ready.online);
        effects.extend(self.distrust_unversioned());
        effects.extend(self.distrust_saved());
        effects.extend(self.distrust_later());
        effects.extend(profiles);
        effects.extend(self.stale_emoji());
        effects.extend(self.begin_notices(ready.notifications));

        let listed: BTreeSet<ChannelId> = ready.channels.iter().map(|channel| channel.id).collect();
        self.channels.retain(|id, _| listed.contains(id));
        let resumed: BTreeMap<_, _> =
            ready.changes.into_iter().map(|changes| (changes.channel.id, changes)).collect();
        let resync: BTreeSet<_> = ready.resync.into_iter().collect();
        for channel in ready.channels {
            let id = channel.id;
            let Some(after) = self.resume_channel(channel, resync.contains(&id), &mut effects) else {
                continue;
            };
            match resumed.get(&id) {
                Some(changes) => effects.extend(self.put_changes(after, changes.clone())),
                None => effects.extend(self.ask_if_behind(id)),
            }
        }
        effects
    }

    /// Lists whose changes carry no version: what happened while away was missed for good.
    fn distrust_unversioned(&mut self) -> Vec<Effect> {
        self.workspace_members.retain(|id, _| self.workspaces.contains_key(id));
        self.directories.retain(|id, _| self.workspaces.contains_key(id));
        let mut effects = Vec::new();
        for (id, members) in &mut self.workspace_members {
            let members = Arc::make_mut(members);
            members.distrust();
            if members.list().is_some() {
                effects.push(Effect::WorkspaceMembers(*id));
            }
        }
        let directories: Vec<_> = self.directories.keys().copied().collect();
        effects.extend(directories.into_iter().filter_map(|id| self.distrust_directory(id)));
        effects
    }

    /// The list of a workspace's other channels is loaded anew, where it was loaded.
    pub(super) fn distrust_directory(&mut self, id: WorkspaceId) -> Option<Effect> {
        let directory = self.directories.get_mut(&id).map(Arc::make_mut)?;
        directory.epoch += 1;
        directory.fetching = 0;
        directory.heard.clear();
        directory.loaded.then_some(Effect::Directory(id))
    }

    /// Takes the facts of a channel. Answers with the version that it is to go on from, or nothing when
    /// it needs no more.
    fn resume_channel(&mut self, channel: Channel, resync: bool, effects: &mut Vec<Effect>) -> Option<i64> {
        let id = channel.id;
        let me = self.my_id();
        let Some(known) = self.channel_mut(id) else {
            self.channels.insert(id, Arc::new(ChannelState::new(channel)));
            return None;
        };
        known.forget_buffer();
        known.trust_facts();
        // An older version than the known one: the server's data was put back.
        if resync || known.reopen || channel.version < known.version() {
            let (messages, members) = known.stop();
            if messages || members {
                effects.push(Effect::Reload { channel: id, messages, members });
            } else {
                known.restart(Reloaded { channel, messages: None, members: None }, me);
            }
            return None;
        }
        let after = known.version();
        known.put_facts(&channel);
        Some(after)
    }

    fn ask_if_behind(&mut self, id: ChannelId) -> Vec<Effect> {
        // The facts are as new as the snapshot; the version tells up to where the rest is.
        let behind = self.channel(id).is_some_and(ChannelState::is_behind);
        if behind { self.ask_changes(id) } else { Vec::new() }
    }
}
