//! Everyone who may try something, for the tables of refusals.
//!
//! The workspace is closed; `stranger` is on the server but not in it, `outsider` is in it but not in
//! its private channel `secret`.

use std::{fmt::Debug, future::Future};

use madang_client::{
    Error,
    proto::{
        WorkspaceId,
        channels::{Channel, ChannelKind},
        error::ErrorCode,
        permissions::Role,
        workspaces::CreateWorkspace,
    },
};

use super::{TestServer, User};

/// Everyone.
pub struct Cast {
    /// Keeps the workspace; in all channels.
    pub owner: User,
    /// An admin; in all channels.
    pub admin: User,
    /// A member; in all channels.
    pub member: User,
    /// A guest; in all channels.
    pub guest: User,
    /// A member who is in the default channel only.
    pub outsider: User,
    /// On the server, not in the workspace.
    pub stranger: User,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// A public channel; the owner made it.
    pub open: Channel,
    /// A private channel; the owner made it.
    pub secret: Channel,
}

impl Cast {
    /// Brings everyone in.
    pub async fn of(s: &TestServer) -> Self {
        let owner = s.user("owner").await;
        let admin = s.user("admin").await;
        let member = s.user("member").await;
        let outsider = s.user("outsider").await;
        let stranger = s.user("stranger").await;
        let guest = s.guest("Guest").await;
        let body = CreateWorkspace { name: "Closed".to_owned(), allow_guests: true };
        let workspace = owner.http.create_workspace(&body).await.unwrap().id;
        for user in [&admin, &member, &outsider, &guest] {
            owner.http.add_workspace_member(workspace, &user.name).await.unwrap();
        }
        owner.http.set_role(workspace, admin.id, Role::Admin).await.unwrap();
        let open = owner.channel_in(workspace, "open", ChannelKind::Public).await;
        let secret = owner.channel_in(workspace, "secret", ChannelKind::Private).await;
        for user in [&admin, &member, &guest] {
            owner.http.add_channel_member(open.id, user.id).await.unwrap();
            owner.http.add_channel_member(secret.id, user.id).await.unwrap();
        }
        Self { owner, admin, member, guest, outsider, stranger, workspace, open, secret }
    }
}

impl Cast {
    /// Everyone, the least first.
    pub fn everyone(&self) -> [&User; 6] {
        [&self.stranger, &self.outsider, &self.guest, &self.member, &self.admin, &self.owner]
    }

    /// All that is stored about the workspace, and what `user` has besides: whatever an operation
    /// changes shows in it, most of it by the channels' versions.
    async fn stored(&self, user: &User) -> serde_json::Value {
        let (all, own) = (&self.owner.http, &user.http);
        serde_json::json!({
            "workspace": all.workspace(self.workspace).await.unwrap(),
            "members": all.all_workspace_members(self.workspace).await.unwrap(),
            "channels": all.workspace_channels(self.workspace).await.unwrap(),
            "members of the secret one": all.all_channel_members(self.secret.id).await.ok(),
            "own workspaces": own.workspaces().await.unwrap(),
            "own channels": own.channels().await.unwrap(),
            "own presence": own.presence(user.id).await.unwrap(),
        })
    }
}

/// What each of the cast is answered: `None` is a success.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Not in the workspace.
    pub stranger: Option<ErrorCode>,
    /// In the workspace, not in the channel.
    pub outsider: Option<ErrorCode>,
    /// A guest in the channel.
    pub guest: Option<ErrorCode>,
    /// A member of the channel.
    pub member: Option<ErrorCode>,
    /// An admin in the channel.
    pub admin: Option<ErrorCode>,
    /// The owner.
    pub owner: Option<ErrorCode>,
}

impl Expected {
    /// Everyone may.
    pub const ALLOWED: Self =
        Self { stranger: None, outsider: None, guest: None, member: None, admin: None, owner: None };
    /// Everyone in the workspace may; to the others it is not there.
    pub const IN_WORKSPACE: Self = Self { stranger: Some(ErrorCode::NotFound), ..Self::ALLOWED };
    /// Everyone in the channel may; to the others it is not there.
    pub const IN_SECRET: Self = Self { outsider: Some(ErrorCode::NotFound), ..Self::IN_WORKSPACE };
    /// Everyone in the channel may; the others in the workspace see it but may not.
    pub const IN_OPEN: Self = Self { outsider: Some(ErrorCode::Forbidden), ..Self::IN_WORKSPACE };

    /// It is the member's; to the others it is not there.
    pub const MEMBERS_OWN: Self = {
        let unseen = Some(ErrorCode::NotFound);
        Self { stranger: unseen, outsider: unseen, guest: unseen, member: None, admin: unseen, owner: unseen }
    };

    /// The same, but only for admins and the owner.
    pub const fn admins(self) -> Self {
        Self { guest: Some(ErrorCode::Forbidden), member: Some(ErrorCode::Forbidden), ..self }
    }

    /// The same, but not for guests.
    pub const fn accounts(self) -> Self {
        Self { guest: Some(ErrorCode::Forbidden), ..self }
    }
}

/// Lets everyone try, the least first, and compares; a refused attempt must have changed nothing. Someone
/// must succeed, or the refusals would mean nothing.
pub async fn refusals<'a, T: Debug, F>(cast: &'a Cast, expected: Expected, attempt: impl Fn(&'a User) -> F)
where
    F: Future<Output = Result<T, Error>>,
{
    let codes = [
        expected.stranger,
        expected.outsider,
        expected.guest,
        expected.member,
        expected.admin,
        expected.owner,
    ];
    assert!(codes.contains(&None), "nobody may: {expected:?}");
    for (user, expected) in cast.everyone().into_iter().zip(codes) {
        let before = if expected.is_some() { Some(cast.stored(user).await) } else { None };
        let answer = attempt(user).await;
        let code = answer.as_ref().err().map(|e| e.code().unwrap_or_else(|| panic!("{}: {e}", user.name)));
        assert_eq!(code, expected, "{}: {answer:?}", user.name);
        if let Some(before) = before {
            assert_eq!(cast.stored(user).await, before, "{} was refused but changed something", user.name);
        }
    }
}
