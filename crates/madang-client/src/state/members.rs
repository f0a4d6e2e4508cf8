//! The members of a channel or of a workspace, once they were loaded.
//!
//! A list takes several requests, and members come and go meanwhile: what is heard while it is fetched
//! is applied to it afterwards. That is harmless where the list had it already.
//!
//! Invariants:
//! - A loaded list is true as of the newest change that was heard.

use std::collections::BTreeMap;

use madang_proto::{
    UserId,
    accounts::UserSummary,
    workspaces::{Member, MemberAction},
};

/// The members of a channel or a workspace: loaded, or not; and what was heard while they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    list: Option<BTreeMap<UserId, Member>>,
    fetching: u32,
    epoch: u64,
    heard: Vec<(MemberAction, Member)>,
}

impl Members {
    /// Not loaded; `version` of the channel tells this stay in it from others.
    pub(super) fn since(version: i64) -> Self {
        Self { epoch: version.unsigned_abs() << 16, ..Self::default() }
    }

    pub(super) const fn list(&self) -> Option<&BTreeMap<UserId, Member>> {
        self.list.as_ref()
    }

    pub(super) fn change(&mut self, action: MemberAction, member: &Member) {
        if self.fetching > 0 {
            self.heard.push((action, member.clone()));
        }
        let Some(list) = &mut self.list else { return };
        match action {
            MemberAction::Joined => _ = list.insert(member.user.id, member.clone()),
            MemberAction::Updated => {
                if let Some(known) = list.get_mut(&member.user.id) {
                    *known = member.clone();
                }
            }
            MemberAction::Left => _ = list.remove(&member.user.id),
        }
    }

    /// A new role in the workspace shows in the channels too.
    pub(super) fn set_role(&mut self, member: &Member) {
        if self.fetching > 0 {
            self.heard.push((MemberAction::Updated, member.clone()));
        }
        if let Some(known) = self.list.as_mut().and_then(|list| list.get_mut(&member.user.id)) {
            known.role = member.role;
            known.user = member.user.clone();
        }
    }

    /// Someone shows otherwise from now on.
    pub(super) fn rename(&mut self, user: &UserSummary) {
        if let Some(known) = self.list.as_mut().and_then(|list| list.get_mut(&user.id)) {
            known.user.clone_from(user);
        }
        for (_, member) in self.heard.iter_mut().filter(|(_, member)| member.user.id == user.id) {
            member.user.clone_from(user);
        }
    }

    /// The list is being fetched; [`Members::put`] follows with the epoch that this answers.
    pub(super) const fn expect(&mut self) -> u64 {
        self.fetching += 1;
        self.epoch
    }

    /// Something may have been missed: a list asked for before this is not good enough.
    pub(super) fn distrust(&mut self) {
        self.epoch += 1;
        self.fetching = 0;
        self.heard.clear();
    }

    /// The fetched list, or that none came. `false` when it is not good enough.
    pub(super) fn put(&mut self, epoch: u64, fetched: Option<Vec<Member>>) -> bool {
        if epoch != self.epoch {
            return false;
        }
        self.fetching = self.fetching.saturating_sub(1);
        let heard = std::mem::take(&mut self.heard);
        if let Some(members) = fetched {
            self.list = Some(members.into_iter().map(|member| (member.user.id, member)).collect());
            for (action, member) in &heard {
                match (action, self.list.as_mut().and_then(|list| list.get_mut(&member.user.id))) {
                    // A new role keeps the day of joining, which differs between the lists.
                    (MemberAction::Updated, Some(known)) => known.role = member.role,
                    _ => self.change(*action, member),
                }
            }
        }
        if self.fetching > 0 {
            self.heard = heard;
        }
        true
    }
}
