//! The emoji of workspaces, once they were loaded.
//!
//! Invariants:
//! - What is loaded is as new as the workspace's `emoji_version`, or is being read anew.

use madang_proto::{
    WorkspaceId,
    emoji::{EmojiChange, EmojiList},
};

use super::{Effect, State};

impl State {
    /// The emoji of a workspace by name, if they were loaded.
    #[must_use]
    pub fn emoji(&self, workspace: WorkspaceId) -> Option<&EmojiList> {
        self.emoji.get(&workspace)
    }

    /// A workspace has an emoji more, or less.
    pub(super) fn change_emoji(&mut self, change: &EmojiChange) -> Option<Effect> {
        let id = change.workspace_id;
        let workspace = self.workspaces.get_mut(&id)?;
        workspace.emoji_version = workspace.emoji_version.max(change.version);
        let fits = change.apply_to(self.emoji.get_mut(&id)?);
        (!fits).then_some(Effect::Emoji(id))
    }

    /// Those of workspaces that changed while nobody listened.
    pub(super) fn stale_emoji(&mut self) -> Vec<Effect> {
        self.emoji.retain(|id, _| self.workspaces.contains_key(id));
        let stale = self.emoji.iter().filter(|(id, list)| self.newest_emoji(**id) > list.version);
        stale.map(|(id, _)| Effect::Emoji(*id)).collect()
    }

    /// What was fetched. `false` when it is to be fetched again, because something newer was heard of.
    pub fn put_emoji(&mut self, workspace: WorkspaceId, fetched: EmojiList) -> bool {
        if fetched.version < self.newest_emoji(workspace) {
            return false;
        }
        if let Some(known) = self.workspaces.get_mut(&workspace) {
            known.emoji_version = fetched.version;
            self.emoji.insert(workspace, fetched);
        }
        true
    }

    fn newest_emoji(&self, workspace: WorkspaceId) -> i64 {
        self.workspaces.get(&workspace).map_or(0, |known| known.emoji_version)
    }
}
