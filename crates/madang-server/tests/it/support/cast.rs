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

/// Lets everyone try, the least first, and compares; and nobody without a session may.
pub async fn refusals<'a, T: Debug, F>(cast: &'a Cast, expected: Expected, attempt: impl Fn(&'a User) -> F)
where
    F: Future<Output = Result<T, Error>>,
{
    let table = [
        (&cast.stranger, expected.stranger),
        (&cast.outsider, expected.outsider),
        (&cast.guest, expected.guest),
        (&cast.member, expected.member),
        (&cast.admin, expected.admin),
        (&cast.owner, expected.owner),
    ];
    for (user, expected) in table {
        let answer = attempt(user).await;
        let code = answer.as_ref().err().map(|e| e.code().unwrap_or_else(|| panic!("{}: {e}", user.name)));
        assert_eq!(code, expected, "{}: {answer:?}", user.name);
    }
}
