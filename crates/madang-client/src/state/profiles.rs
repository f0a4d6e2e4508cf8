//! How people show: what `USER` told, which is newer than what comes along with messages and lists.
//!
//! A message or a list may have been read by the server before a change that was heard first, so whoever was told of
//! shows as told, wherever they come along later.
//!
//! Invariants:
//! - Someone who was told of shows the same everywhere.

use std::{collections::BTreeMap, sync::Arc};

use madang_proto::{
    Event, UserId,
    accounts::{User, UserSummary},
    messages::Message,
    profiles::{UserChange, UserChanges},
    workspaces::Member,
};

use super::{ChannelState, Effect, State};

/// Who was told of, and up to which version all was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Profiles {
    told: Arc<BTreeMap<UserId, (UserSummary, i64)>>,
    version: Option<i64>,
}

impl Profiles {
    /// Shows someone as was told, if that was.
    fn correct(&self, user: &mut UserSummary) {
        if let Some((told, _)) = self.told.get(&user.id)
            && told != user
        {
            user.clone_from(told);
        }
    }
}

impl ChannelState {
    fn rename(&mut self, user: &UserSummary) {
        self.facts.rename(user);
        self.timeline.rename(user);
        self.members.rename(user);
        for event in self.buffer.values_mut() {
            if let Event::Message(message) = event {
                message.rename(user);
            }
        }
    }
}

impl State {
    /// Someone came along with something.
    pub(super) fn meet(&mut self, user: &mut UserSummary) {
        self.profiles.correct(user);
        if self.users.get(&user.id) != Some(user) {
            Arc::make_mut(&mut self.users).insert(user.id, user.clone());
        }
    }

    pub(super) fn meet_author(&mut self, message: &mut Message) {
        self.meet(Arc::make_mut(&mut message.author));
        message.user = Arc::clone(&message.author);
    }

    pub(super) fn meet_members(&mut self, members: Option<&mut Vec<Member>>) {
        members.into_iter().flatten().for_each(|member| self.meet(&mut member.user));
    }

    pub(super) fn meet_all(&mut self, people: &mut [UserSummary]) {
        people.iter_mut().for_each(|user| self.meet(user));
    }

    /// Someone shows otherwise from now on.
    pub(super) fn change_user(&mut self, change: UserChange) {
        self.profiles.version = self.profiles.version.map(|known| known.max(change.version));
        self.show(change.user, change.version);
    }

    /// One is out of a workspace: what is told there from now on is not heard.
    pub(super) fn distrust_profiles(&mut self) {
        self.profiles.told = Arc::default();
    }

    /// What changed while nobody listened: the answer to [`Effect::Users`].
    pub fn put_user_changes(&mut self, changes: UserChanges) {
        for user in changes.users {
            self.show(user, changes.version);
        }
        self.profiles.version = self.profiles.version.max(Some(changes.version));
    }

    /// What `READY` says of how new profiles are. The first one is where it begins.
    pub(super) fn begin_profiles(&mut self, newest: i64) -> Vec<Effect> {
        match self.profiles.version {
            Some(known) if known < newest => vec![Effect::Users { after: known }],
            Some(known) if known == newest => Vec::new(),
            // The first, or the server's data was put back.
            _ => {
                self.profiles = Profiles { version: Some(newest), ..Profiles::default() };
                Vec::new()
            }
        }
    }

    /// Shows someone as they were at a version or later, unless they were told of at a newer one.
    fn show(&mut self, user: User, version: i64) {
        let summary = &user.summary;
        if self.profiles.told.get(&summary.id).is_some_and(|(_, known)| *known > version) {
            return;
        }
        Arc::make_mut(&mut self.profiles.told).insert(summary.id, (summary.clone(), version));
        Arc::make_mut(&mut self.users).insert(summary.id, summary.clone());
        for channel in self.channels.values_mut() {
            Arc::make_mut(channel).rename(summary);
        }
        for members in self.workspace_members.values_mut() {
            Arc::make_mut(members).rename(summary);
        }
        for sanction in &mut self.sanctions {
            let by = sanction.by.iter_mut();
            by.chain([&mut sanction.user]).filter(|known| known.id == summary.id).for_each(|known| {
                known.clone_from(summary);
            });
        }
        if let Some(me) = self.me.as_mut().filter(|me| me.summary.id == summary.id) {
            let email = me.email.clone();
            *me = Arc::new(User { email, ..user });
        }
    }
}
