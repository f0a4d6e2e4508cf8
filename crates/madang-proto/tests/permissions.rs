//! Permissions of anybody, anywhere: what holds whatever the role, the channel and its overrides.

use madang_proto::{
    UserId,
    channels::ChannelKind,
    overrides::{Overridden, Override},
    permissions::{
        ChannelPermission, InChannel, Role, Verdict, in_channel, in_thread, may_assign, may_see_edits,
    },
    workspaces::EditHistory,
};
use proptest::{prelude::*, sample::subsequence};

/// The person whose permissions are looked at.
const ME: i64 = 1 << 20;

fn permissions() -> impl Strategy<Value = Vec<ChannelPermission>> {
    subsequence(ChannelPermission::ALL.to_vec(), 0..=ChannelPermission::ALL.len())
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

fn entry() -> impl Strategy<Value = Override> {
    let subject = prop_oneof![
        role().prop_map(Override::of_role),
        Just(Override::of_user(ME.into())),
        Just(Override::of_user(2.into())),
    ];
    (subject, permissions(), permissions()).prop_map(|(entry, allow, deny)| entry.allow(&allow).deny(&deny))
}

/// How someone stands to a channel, before its overrides, and these.
fn anywhere() -> impl Strategy<Value = (InChannel, Vec<Override>)> {
    let kinds = vec![ChannelKind::Public, ChannelKind::Private, ChannelKind::Dm, ChannelKind::Group];
    let facts = (prop::sample::select(kinds), any::<[bool; 4]>());
    (facts, prop::collection::vec(entry(), 0..6)).prop_map(
        |((kind, [member, creator, archived, muted]), overrides)| {
            (InChannel { archived, muted, ..InChannel::new(kind, member, creator) }, overrides)
        },
    )
}

fn with(at: InChannel, overrides: &[Override], role: Role) -> InChannel {
    InChannel { overridden: Overridden::of(overrides, Some(role), UserId::from(ME)), ..at }
}

fn allowed(role: Role, at: InChannel, overrides: &[Override]) -> Vec<ChannelPermission> {
    let at = with(at, overrides, role);
    let may = |permission: &ChannelPermission| in_channel(Some(role), at, *permission) == Verdict::Allowed;
    ChannelPermission::ALL.into_iter().filter(may).collect()
}

fn is_within(few: &[ChannelPermission], many: &[ChannelPermission]) -> bool {
    few.iter().all(|permission| many.contains(permission))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn owners_and_admins_lose_nothing_by_overrides((at, overrides) in anywhere()) {
        for role in [Role::Owner, Role::Admin] {
            prop_assert!(is_within(&allowed(role, at, &[]), &allowed(role, at, &overrides)));
        }
    }

    #[test]
    fn overrides_give_only_what_they_may_and_only_to_members_who_may_speak((at, overrides) in anywhere(), role in role()) {
        let before = allowed(role, at, &[]);
        let gained: Vec<_> =
            allowed(role, at, &overrides).into_iter().filter(|permission| !before.contains(permission)).collect();
        prop_assert!(is_within(&gained, &ChannelPermission::OVERRIDABLE));
        prop_assert!(gained.is_empty() || (at.member && !at.kind.is_direct()));
        let allows = |permission| overrides.iter().any(|entry| entry.allow.contains(permission));
        prop_assert!(gained.iter().all(allows), "what nobody allowed: {gained:?}");
    }

    #[test]
    fn a_deny_more_never_gives_and_an_allow_more_never_takes(
        (at, overrides) in anywhere(), role in role(), more in entry(), place in any::<prop::sample::Index>()
    ) {
        let before = allowed(role, at, &overrides);
        let put = |entry: Override| {
            let mut overrides = overrides.clone();
            overrides.insert(place.index(overrides.len() + 1), entry);
            allowed(role, at, &overrides)
        };
        let denied = put(Override { allow: Vec::new(), ..more.clone() });
        prop_assert!(is_within(&denied, &before), "{denied:?} after a deny, {before:?} before");
        let given = put(Override { deny: Vec::new(), ..more });
        prop_assert!(is_within(&before, &given), "{given:?} after an allow, {before:?} before");
    }

    #[test]
    fn archiving_and_muting_only_take((at, overrides) in anywhere(), role in role()) {
        let free = allowed(role, InChannel { archived: false, muted: false, ..at }, &overrides);
        let archived = allowed(role, InChannel { archived: true, muted: false, ..at }, &overrides);
        let muted = allowed(role, InChannel { archived: false, muted: true, ..at }, &overrides);
        let both = allowed(role, InChannel { archived: true, muted: true, ..at }, &overrides);
        prop_assert!(is_within(&archived, &free) && is_within(&muted, &free));
        prop_assert!(is_within(&both, &archived) && is_within(&both, &muted));
        for silent in [&archived, &muted] {
            prop_assert!(!silent.contains(&ChannelPermission::Write) && !silent.contains(&ChannelPermission::Reply));
        }
    }

    #[test]
    fn who_is_larger_may_all_that_who_is_smaller_may_where_no_person_is_named((at, overrides) in anywhere()) {
        let of_roles: Vec<_> = overrides.into_iter().filter(|entry| entry.role.is_some()).collect();
        for pair in Role::ALL.windows(2) {
            let (smaller, larger) = (allowed(pair[0], at, &of_roles), allowed(pair[1], at, &of_roles));
            prop_assert!(is_within(&smaller, &larger), "{smaller:?} of {:?}, {larger:?}", pair[0]);
        }
    }

    #[test]
    fn what_is_not_seen_is_not_seen_whatever_is_said_of_it((at, overrides) in anywhere(), role in role()) {
        let at = with(at, &overrides, role);
        let unseen = !at.member && (at.kind != ChannelKind::Public || role == Role::Visitor);
        for permission in ChannelPermission::ALL {
            prop_assert_eq!(in_channel(Some(role), at, permission) == Verdict::Unseen, unseen);
            prop_assert_eq!(in_channel(None, at, permission), Verdict::Unseen, "who is not in the workspace");
            prop_assert_eq!(in_thread(Some(role), at, permission) == Verdict::Unseen, unseen);
        }
    }

    #[test]
    fn among_the_people_of_a_direct_message_nothing_but_silence_counts((at, overrides) in anywhere(), role in role(), of_two: bool) {
        let at = InChannel { kind: if of_two { ChannelKind::Dm } else { ChannelKind::Group }, ..at };
        let plain = InChannel { archived: at.archived, muted: at.muted, ..InChannel::new(at.kind, at.member, false) };
        prop_assert_eq!(allowed(role, at, &overrides), allowed(Role::Guest, plain, &[]));
    }

    #[test]
    fn nobody_keeps_a_thread_and_nobody_may_more_in_it((at, overrides) in anywhere(), role in role()) {
        let (channel, at) = (allowed(role, at, &overrides), with(at, &overrides, role));
        let may = |permission| in_thread(Some(role), at, permission) == Verdict::Allowed;
        use ChannelPermission as C;
        for (there, here) in [(C::Write, C::Reply), (C::Reply, C::Reply), (C::Join, C::Take), (C::React, C::React)] {
            prop_assert_eq!(may(there), channel.contains(&here));
        }
        prop_assert!(![C::Invite, C::Remove, C::Manage].into_iter().any(may));
    }

    #[test]
    fn roles_are_given_only_by_those_who_are_larger(actor in role(), target in role(), author: bool) {
        prop_assert!(!may_assign(actor, target) || actor == Role::Owner || actor > target);
        prop_assert!(!may_assign(actor, target) || actor >= Role::Admin);
        for setting in [EditHistory::Everyone, EditHistory::Admins, EditHistory::Nobody] {
            let sees = may_see_edits(setting, actor, author);
            prop_assert!(!sees || may_see_edits(setting, Role::Owner, author));
            prop_assert!(!sees || may_see_edits(setting, actor, true));
        }
    }
}
