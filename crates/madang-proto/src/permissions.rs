//! Who may do what: one pure function for the server and the clients.
//!
//! Invariants:
//! - Who is not in the workspace, or not in a channel that is not public, cannot tell it from a missing
//!   one; a visitor sees no channel that they are not in.
//! - A larger role may all that a smaller one may; among the people of a direct message or group no role
//!   counts.
//! - Nothing that a channel says of itself ([`crate::overrides`]) takes anything from admins and owners.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    UserId,
    channels::{Channel, ChannelKind},
    overrides::Overridden,
    workspaces::EditHistory,
};

/// A role in a workspace, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Let into a channel for a time, by a guest link; sees no more of the workspace.
    Visitor,
    /// Let in without an account.
    Guest,
    /// One of the team.
    Member,
    /// Keeps order among guests and members.
    Moderator,
    /// Keeps the channels and the people.
    Admin,
    /// Keeps the workspace.
    Owner,
}

impl Role {
    /// All of them, smallest first.
    pub const ALL: [Self; 6] =
        [Self::Visitor, Self::Guest, Self::Member, Self::Moderator, Self::Admin, Self::Owner];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// How someone stands to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InChannel {
    /// The channel's kind.
    pub kind: ChannelKind,
    /// Whether they are a member of it.
    pub member: bool,
    /// Whether they made it.
    pub creator: bool,
    /// Whether it is only kept to be read.
    pub archived: bool,
    /// Whether they have to be silent, in it or in all of the workspace.
    pub muted: bool,
    /// What it says of them besides.
    pub overridden: Overridden,
}

impl InChannel {
    /// In a channel that says nothing besides.
    #[must_use]
    pub const fn new(kind: ChannelKind, member: bool, creator: bool) -> Self {
        let overridden = Overridden { allow: 0, deny: 0 };
        Self { kind, member, creator, archived: false, muted: false, overridden }
    }

    /// As someone with this role in the workspace stands to a channel that has their own fields.
    #[must_use]
    pub fn of(channel: &Channel, role: Option<Role>, user: UserId) -> Self {
        Self {
            archived: channel.archived_at.is_some(),
            overridden: Overridden::of(&channel.overrides, role, user),
            ..Self::new(channel.kind, channel.joined == Some(true), channel.created_by == Some(user))
        }
    }
}

/// What may be done in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspacePermission {
    /// See it, and the channels that one may see.
    View,
    /// See who is in it.
    People,
    /// Change its name and settings.
    Edit,
    /// Make a channel.
    CreateChannel,
    /// Open a direct message or group.
    OpenDirect,
    /// Bring people in, put them out, change roles below one's own.
    ManageMembers,
    /// Add an emoji of its own; delete those that one added.
    AddEmoji,
    /// Mute and ban those who are smaller, decide on reports, delete emoji that others added.
    Moderate,
    /// Read the audit log.
    Audit,
    /// Take along what one sees of it, as a file.
    Export,
}

/// What may be done in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelPermission {
    /// See it, its members and its messages.
    View,
    /// Become a member.
    Join,
    /// Mark as read, follow threads, delete one's own messages, leave: what members do.
    Take,
    /// Send messages, edit one's own, type.
    Write,
    /// The same in the threads of its messages.
    Reply,
    /// Put emoji on messages.
    React,
    /// Pin messages and unpin them.
    Pin,
    /// Bring someone in.
    Invite,
    /// Put someone out.
    Remove,
    /// Change or delete the channel.
    Manage,
    /// Delete other people's messages, keep order, wait for nothing.
    Moderate,
}

impl ChannelPermission {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::View,
        Self::Join,
        Self::Take,
        Self::Write,
        Self::Reply,
        Self::React,
        Self::Pin,
        Self::Invite,
        Self::Remove,
        Self::Manage,
        Self::Moderate,
    ];
    /// Those that a channel's overrides change.
    pub const OVERRIDABLE: [Self; 7] =
        [Self::Write, Self::Reply, Self::React, Self::Pin, Self::Invite, Self::Remove, Self::Moderate];

    /// A bit of its own.
    pub(crate) fn bit(self) -> u16 {
        Self::ALL.iter().position(|known| *known == self).map_or(0, |place| 1 << place)
    }

    /// What the muted may not.
    const fn speaks(self) -> bool {
        matches!(self, Self::Write | Self::Reply | Self::React | Self::Pin | Self::Invite)
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// Seen, but not allowed: 403.
    Forbidden,
    /// As if it were not there: 404.
    Unseen,
}

const fn when(allowed: bool) -> Verdict {
    if allowed { Verdict::Allowed } else { Verdict::Forbidden }
}

/// Whether someone with `role` in a workspace (`None`: not in it) may do this there.
#[must_use]
pub fn in_workspace(role: Option<Role>, permission: WorkspacePermission) -> Verdict {
    let Some(role) = role else { return Verdict::Unseen };
    when(match permission {
        WorkspacePermission::View => true,
        WorkspacePermission::People => role >= Role::Guest,
        WorkspacePermission::CreateChannel
        | WorkspacePermission::OpenDirect
        | WorkspacePermission::AddEmoji => role >= Role::Member,
        WorkspacePermission::Moderate => role >= Role::Moderator,
        WorkspacePermission::Edit | WorkspacePermission::ManageMembers | WorkspacePermission::Audit => {
            role >= Role::Admin
        }
        WorkspacePermission::Export => role >= Role::Owner,
    })
}

/// Whether someone with `role` in the workspace (`None`: not in it) who stands `at` a channel may do
/// this there.
#[must_use]
pub fn in_channel(role: Option<Role>, at: InChannel, permission: ChannelPermission) -> Verdict {
    let Some(role) = role else { return Verdict::Unseen };
    if !at.member && (at.kind != ChannelKind::Public || role == Role::Visitor) {
        return Verdict::Unseen;
    }
    let speaks = permission.speaks();
    if (at.muted && speaks) || (at.archived && (speaks || permission == ChannelPermission::Join)) {
        return Verdict::Forbidden;
    }
    if at.kind.is_direct() {
        return when(matches!(
            permission,
            ChannelPermission::View
                | ChannelPermission::Join
                | ChannelPermission::Take
                | ChannelPermission::Write
                | ChannelPermission::Reply
                | ChannelPermission::React
                | ChannelPermission::Pin
        ));
    }
    // Who was let in lets nobody in, whatever the channel says.
    if role == Role::Visitor && permission == ChannelPermission::Invite {
        return Verdict::Forbidden;
    }
    let keeps = at.creator && at.member && role >= Role::Member;
    let by_role = match permission {
        ChannelPermission::View | ChannelPermission::Join => true,
        ChannelPermission::Take
        | ChannelPermission::Write
        | ChannelPermission::Reply
        | ChannelPermission::React => at.member,
        ChannelPermission::Pin => at.member && role >= Role::Member,
        ChannelPermission::Invite => (at.member && role >= Role::Member) || role >= Role::Admin,
        ChannelPermission::Remove => keeps || role >= Role::Moderator,
        ChannelPermission::Manage => keeps || role >= Role::Admin,
        ChannelPermission::Moderate => role >= Role::Moderator,
    };
    when(match at.overridden.rule(permission) {
        Some(true) => by_role || at.member,
        Some(false) => by_role && role >= Role::Admin,
        None => by_role,
    })
}

/// Whether someone with `role` in the workspace may see what a message that they see, and perhaps wrote, said
/// before.
#[must_use]
pub fn may_see_edits(setting: EditHistory, role: Role, author: bool) -> bool {
    match setting {
        EditHistory::Everyone => true,
        EditHistory::Admins => author || role >= Role::Admin,
        EditHistory::Nobody => false,
    }
}

/// The same for a thread, where `parent` is how they stand to the channel of its root: who takes part there
/// takes part here, and following is all that there is of membership.
#[must_use]
pub fn in_thread(role: Option<Role>, parent: InChannel, permission: ChannelPermission) -> Verdict {
    match permission {
        ChannelPermission::View
        | ChannelPermission::Take
        | ChannelPermission::Reply
        | ChannelPermission::React
        | ChannelPermission::Pin
        | ChannelPermission::Moderate => in_channel(role, parent, permission),
        ChannelPermission::Write => in_channel(role, parent, ChannelPermission::Reply),
        ChannelPermission::Join => in_channel(role, parent, ChannelPermission::Take),
        ChannelPermission::Invite | ChannelPermission::Remove | ChannelPermission::Manage => {
            match in_channel(role, parent, ChannelPermission::View) {
                Verdict::Allowed => Verdict::Forbidden,
                refused => refused,
            }
        }
    }
}

/// Whether someone with `actor` role may give or take the role `target` (the larger of the old and
/// the new one). Only owners touch admins and owners.
#[must_use]
pub fn may_assign(actor: Role, target: Role) -> bool {
    actor == Role::Owner || (actor == Role::Admin && target < Role::Admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: [ChannelPermission; 11] = ChannelPermission::ALL;

    fn standings() -> impl Iterator<Item = InChannel> {
        [ChannelKind::Public, ChannelKind::Private, ChannelKind::Dm, ChannelKind::Group].into_iter().flat_map(
            |kind| {
                [(false, false), (true, false), (true, true)]
                    .map(|(member, creator)| InChannel::new(kind, member, creator))
            },
        )
    }

    #[test]
    fn a_larger_role_may_all_that_a_smaller_one_may() {
        for (at, permission) in standings().flat_map(|at| CHANNEL.map(|p| (at, p))) {
            for pair in Role::ALL.windows(2) {
                if in_channel(Some(pair[0]), at, permission) == Verdict::Allowed {
                    assert_eq!(
                        in_channel(Some(pair[1]), at, permission),
                        Verdict::Allowed,
                        "{at:?} {permission:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn who_is_outside_sees_nothing() {
        for (at, permission) in standings().flat_map(|at| CHANNEL.map(|p| (at, p))) {
            assert_eq!(in_channel(None, at, permission), Verdict::Unseen);
            if at.kind != ChannelKind::Public && !at.member {
                assert_eq!(in_channel(Some(Role::Owner), at, permission), Verdict::Unseen);
            }
        }
        assert_eq!(in_workspace(None, WorkspacePermission::View), Verdict::Unseen);
    }

    #[test]
    fn nobody_has_more_rights_among_the_people_of_a_direct_message() {
        let standings = standings().filter(|at| at.kind.is_direct());
        for (at, permission) in standings.flat_map(|at| CHANNEL.map(|p| (at, p))) {
            let guest = in_channel(Some(Role::Guest), InChannel { creator: false, ..at }, permission);
            assert_eq!(in_channel(Some(Role::Owner), at, permission), guest, "{at:?} {permission:?}");
        }
    }

    #[test]
    fn a_thread_is_as_open_as_its_channel_and_nobody_keeps_it() {
        use ChannelPermission as C;
        for (at, role) in standings().flat_map(|at| Role::ALL.map(|role| (at, Some(role)))) {
            for permission in [C::View, C::Take, C::Reply, C::React, C::Pin, C::Moderate] {
                assert_eq!(in_thread(role, at, permission), in_channel(role, at, permission));
            }
            assert_eq!(in_thread(role, at, C::Join), in_channel(role, at, C::Take));
            assert_eq!(in_thread(role, at, C::Write), in_channel(role, at, C::Reply));
            for permission in [C::Invite, C::Remove, C::Manage] {
                assert!(in_thread(role, at, permission) != Verdict::Allowed);
            }
        }
        assert!(CHANNEL.iter().all(|p| in_thread(None, standings().next().unwrap(), *p) == Verdict::Unseen));
    }

    #[test]
    fn what_is_archived_is_read_and_who_is_muted_reads() {
        use ChannelPermission as C;
        for (at, role) in standings().flat_map(|at| Role::ALL.map(|role| (at, Some(role)))) {
            for permission in CHANNEL {
                let plain = in_channel(role, at, permission);
                let archived = in_channel(role, InChannel { archived: true, ..at }, permission);
                let muted = in_channel(role, InChannel { muted: true, ..at }, permission);
                let kept = [C::View, C::Take, C::Remove, C::Manage, C::Moderate].contains(&permission);
                assert_eq!(
                    archived,
                    if kept || plain != Verdict::Allowed { plain } else { Verdict::Forbidden }
                );
                assert_eq!(muted, if permission == C::Join { plain } else { archived });
            }
        }
    }

    #[test]
    fn only_owners_touch_admins_and_owners() {
        assert!(may_assign(Role::Owner, Role::Owner) && may_assign(Role::Admin, Role::Member));
        assert!(!may_assign(Role::Admin, Role::Admin) && !may_assign(Role::Member, Role::Guest));
    }
}
