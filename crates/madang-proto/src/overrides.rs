//! Overrides: what a channel allows and denies to roles and persons, other than the roles do by themselves.
//!
//! An allow for a role holds for it and the larger ones, a deny for it and the smaller ones. What is said of a
//! person wins over what is said of roles; among what is said of the same, a deny wins over an allow.
//!
//! Invariants:
//! - A larger role still may all that a smaller one may, where nothing is said of persons.
//! - Whether a channel is seen, and who keeps it, no override changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    UserId,
    permissions::{ChannelPermission, Role},
};

/// What a channel allows and denies to a role, or to a person: one of the two is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// `visitor`, `guest`, `member` or `moderator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A person of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// What they may do here, if they are in the channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<ChannelPermission>,
    /// What they may not do here. Admins and owners are not bound by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<ChannelPermission>,
}

impl Override {
    /// For a role.
    #[must_use]
    pub fn of_role(role: Role) -> Self {
        Self { role: Some(role), ..Self::default() }
    }

    /// For a person.
    #[must_use]
    pub fn of_user(user: UserId) -> Self {
        Self { user_id: Some(user), ..Self::default() }
    }

    /// The same, with these allowed.
    #[must_use]
    pub fn allow(self, allow: &[ChannelPermission]) -> Self {
        Self { allow: allow.to_vec(), ..self }
    }

    /// The same, with these denied.
    #[must_use]
    pub fn deny(self, deny: &[ChannelPermission]) -> Self {
        Self { deny: deny.to_vec(), ..self }
    }
}

/// What a channel's overrides come to for one person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overridden {
    pub(crate) allow: u16,
    pub(crate) deny: u16,
}

fn bits(permissions: &[ChannelPermission]) -> u16 {
    permissions.iter().map(|permission| permission.bit()).fold(0, |all, bit| all | bit)
}

impl Overridden {
    /// For a person with this role in the workspace.
    #[must_use]
    pub fn of(overrides: &[Override], role: Option<Role>, user: UserId) -> Self {
        let (mut roles, mut person) = (Self::default(), Self::default());
        for entry in overrides {
            if entry.role.is_some() && entry.role <= role {
                roles.allow |= bits(&entry.allow);
            }
            if entry.role.is_some() && entry.role >= role {
                roles.deny |= bits(&entry.deny);
            }
            if entry.user_id == Some(user) {
                person.allow |= bits(&entry.allow);
                person.deny |= bits(&entry.deny);
            }
        }
        let deny = person.deny | (roles.deny & !person.allow);
        Self { allow: (person.allow | roles.allow) & !deny, deny }
    }

    /// Whether this is allowed or denied; `None` where the roles decide.
    #[must_use]
    pub fn rule(self, permission: ChannelPermission) -> Option<bool> {
        let bit = permission.bit();
        if !ChannelPermission::OVERRIDABLE.contains(&permission) {
            return None;
        }
        if self.deny & bit != 0 { Some(false) } else { (self.allow & bit != 0).then_some(true) }
    }
}

#[cfg(test)]
mod tests {
    use ChannelPermission::{Pin, View, Write};

    use super::*;
    use crate::{
        channels::ChannelKind,
        permissions::{InChannel, Verdict, in_channel},
    };

    fn person() -> UserId {
        UserId::from(1 << 20)
    }

    /// Many lists of overrides, each different, and the same in every run.
    fn worlds() -> impl Iterator<Item = Vec<Override>> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        (0..2_000).map(move |_| {
            let some = |next: &mut dyn FnMut(u64) -> u64| {
                ChannelPermission::ALL.into_iter().filter(|_| next(3) == 0).collect::<Vec<_>>()
            };
            (0..next(5))
                .map(|_| {
                    let subject = match next(8) {
                        0 => Override::of_user(person()),
                        1 => Override::of_user(2.into()),
                        n => Override::of_role(Role::ALL[usize::try_from(n - 2).unwrap()]),
                    };
                    subject.allow(&some(&mut next)).deny(&some(&mut next))
                })
                .collect()
        })
    }

    fn at(overrides: &[Override], role: Role, kind: ChannelKind, member: bool) -> InChannel {
        let overridden = Overridden::of(overrides, Some(role), person());
        InChannel { overridden, ..InChannel::new(kind, member, false) }
    }

    fn may(overrides: &[Override], role: Role, member: bool, permission: ChannelPermission) -> bool {
        let at = at(overrides, role, ChannelKind::Public, member);
        in_channel(Some(role), at, permission) == Verdict::Allowed
    }

    #[test]
    fn who_is_larger_may_all_that_who_is_smaller_may_unless_persons_are_named() {
        for mut overrides in worlds() {
            overrides.retain(|entry| entry.user_id != Some(person()));
            for permission in ChannelPermission::ALL {
                for pair in Role::ALL.windows(2) {
                    let smaller = may(&overrides, pair[0], true, permission);
                    assert!(
                        !smaller || may(&overrides, pair[1], true, permission),
                        "{overrides:?} {permission:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_takes_from_admins_and_owners_or_changes_what_is_not_to_be_overridden() {
        for overrides in worlds() {
            for (permission, member) in
                ChannelPermission::ALL.into_iter().flat_map(|p| [(p, true), (p, false)])
            {
                for role in Role::ALL {
                    let (with, without) =
                        (may(&overrides, role, member, permission), may(&[], role, member, permission));
                    if role >= Role::Admin {
                        assert!(with || !without, "{overrides:?} {permission:?}");
                    }
                    if !ChannelPermission::OVERRIDABLE.contains(&permission) {
                        assert_eq!(with, without, "{overrides:?} {permission:?}");
                    }
                    assert!(member || !with || without, "who is not in it gains nothing: {overrides:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_said_of_the_person_decides_and_a_deny_before_an_allow() {
        for mut overrides in worlds() {
            for permission in ChannelPermission::OVERRIDABLE {
                overrides.retain(|entry| entry.user_id.is_none());
                let of_person = Override::of_user(person());
                overrides.push(of_person.clone().allow(&[permission]));
                assert!(may(&overrides, Role::Guest, true, permission));
                overrides.insert(0, of_person.deny(&[permission]));
                assert!(!may(&overrides, Role::Moderator, true, permission));
            }
        }
    }

    #[test]
    fn the_order_in_which_they_stand_does_not_count() {
        for overrides in worlds() {
            let mut turned = overrides.clone();
            turned.reverse();
            for role in Role::ALL {
                let of = |list: &[Override]| Overridden::of(list, Some(role), person());
                assert_eq!(of(&overrides), of(&turned));
            }
        }
    }

    #[test]
    fn a_channel_for_announcements() {
        let closed = [Override::of_role(Role::Member).deny(&[Write])];
        let who = Role::ALL.map(|role| may(&closed, role, true, Write));
        assert_eq!(who, [false, false, false, true, true, true]);
        let open = [Override::of_role(Role::Guest).allow(&[Pin])];
        assert!(may(&open, Role::Guest, true, Pin) && !may(&open, Role::Guest, false, Pin));
        assert!(may(&[Override::of_role(Role::Member).deny(&[View])], Role::Guest, true, View));
    }
}
