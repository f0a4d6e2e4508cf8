//! A workspace's own emoji: small pictures with a name, written as `:name:` in texts and reactions.
//!
//! Invariants:
//! - The picture of an id never changes; another picture under the same name has another id.
//! - The server and the clients come from one list to the next by [`EmojiChange::apply_to`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileId, Timestamp, UserId, WorkspaceId};

/// An emoji of a workspace's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomEmoji {
    /// The id, by which its picture is read: `GET /emoji/:id`.
    pub id: FileId,
    /// Its name, without the colons.
    pub name: String,
    /// What the picture is: `image/gif` for one that moves, else `image/png`.
    pub media_type: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Who added it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// All of a workspace's own emoji, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmojiList {
    /// The emoji.
    pub items: Vec<CustomEmoji>,
    /// The workspace's `emoji_version` as of this list.
    pub version: i64,
}

/// What happened to an emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmojiAction {
    /// Added.
    Created,
    /// Deleted.
    Deleted,
}

/// The payload of `EMOJI`: a workspace has an emoji more, or less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmojiChange {
    /// What happened.
    pub action: EmojiAction,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The emoji.
    pub emoji: CustomEmoji,
    /// The workspace's `emoji_version` that this change made.
    pub version: i64,
}

impl EmojiChange {
    /// Brings a list from before this change to that after it. False when the list misses another change, and is
    /// to be read anew.
    pub fn apply_to(&self, list: &mut EmojiList) -> bool {
        if self.version <= list.version {
            return true;
        }
        if self.version > list.version + 1 {
            return false;
        }
        list.version = self.version;
        list.items.retain(|known| known.name != self.emoji.name);
        if self.action == EmojiAction::Created {
            let place = list.items.partition_point(|known| known.name < self.emoji.name);
            list.items.insert(place, self.emoji.clone());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: EmojiAction, name: &str, version: i64) -> EmojiChange {
        let emoji = CustomEmoji {
            id: version.into(),
            name: name.to_owned(),
            media_type: "image/png".to_owned(),
            width: 1,
            height: 1,
            created_by: 2.into(),
            created_at: 3.into(),
        };
        EmojiChange { action, workspace_id: 1.into(), emoji, version }
    }

    #[test]
    fn a_list_follows_changes_and_sees_what_it_missed() {
        use EmojiAction::{Created, Deleted};
        let mut list = EmojiList::default();
        for (action, name, version, fits) in [
            (Created, "b", 1, true),
            (Created, "a", 2, true),
            (Created, "b", 1, true),
            (Deleted, "a", 4, false),
            (Deleted, "b", 3, true),
        ] {
            assert_eq!(change(action, name, version).apply_to(&mut list), fits, "{name} {version}");
        }
        let names: Vec<_> = list.items.iter().map(|emoji| emoji.name.as_str()).collect();
        assert_eq!((names, list.version), (vec!["a"], 3));
    }
}
