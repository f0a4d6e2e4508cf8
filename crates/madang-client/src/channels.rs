//! Channels and their members: create, edit, join, leave, invite; and what changed since a version.

use madang_proto::{
    ChannelId, UserId, WorkspaceId,
    channels::{AddChannelMember, Channel, ChannelChanges, ChannelsQuery, CreateChannel, UpdateChannel},
    page::{ChangesQuery, List, MemberPageQuery, Page},
    workspaces::Member,
};
use reqwest::Method;

use crate::{Client, Error, Http, driver::Request, workspaces::member_cursor};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /channels`: those that the user is a member of, without the archived ones.
    pub async fn channels(&self) -> Result<Vec<Channel>, Error> {
        Ok(self.get::<List<Channel>>("/channels").await?.items)
    }

    /// `GET /channels?archived=true`: the archived ones too.
    pub async fn all_channels(&self) -> Result<Vec<Channel>, Error> {
        Ok(self.get_with::<List<Channel>>("/channels", &ChannelsQuery { archived: true }).await?.items)
    }

    /// `GET /workspaces/:id/channels`: all that the user may see, without the archived ones; `joined` tells.
    pub async fn workspace_channels(&self, workspace: WorkspaceId) -> Result<Vec<Channel>, Error> {
        Ok(self.get::<List<Channel>>(&format!("/workspaces/{workspace}/channels")).await?.items)
    }

    /// `GET /workspaces/:id/channels?archived=true`: the archived ones too.
    pub async fn all_workspace_channels(&self, workspace: WorkspaceId) -> Result<Vec<Channel>, Error> {
        let path = format!("/workspaces/{workspace}/channels");
        Ok(self.get_with::<List<Channel>>(&path, &ChannelsQuery { archived: true }).await?.items)
    }

    /// `POST /channels`
    pub async fn create_channel(&self, body: &CreateChannel) -> Result<Channel, Error> {
        self.post("/channels", body).await
    }

    /// `POST /workspaces/:id/channels`
    pub async fn create_workspace_channel(
        &self,
        workspace: WorkspaceId,
        body: &CreateChannel,
    ) -> Result<Channel, Error> {
        self.post(&format!("/workspaces/{workspace}/channels"), body).await
    }

    /// `GET /channels/:id`
    pub async fn channel(&self, id: ChannelId) -> Result<Channel, Error> {
        self.get(&format!("/channels/{id}")).await
    }

    /// `PUT /channels/:id`
    pub async fn update_channel(&self, id: ChannelId, body: &UpdateChannel) -> Result<Channel, Error> {
        self.put(&format!("/channels/{id}"), body).await
    }

    /// `DELETE /channels/:id`
    pub async fn delete_channel(&self, id: ChannelId) -> Result<(), Error> {
        self.delete(&format!("/channels/{id}")).await
    }

    /// `POST /channels/:id/join`
    pub async fn join_channel(&self, id: ChannelId) -> Result<Channel, Error> {
        self.without_body(Method::POST, &format!("/channels/{id}/join")).await
    }

    /// `POST /channels/:id/leave`
    pub async fn leave_channel(&self, id: ChannelId) -> Result<(), Error> {
        self.call(Method::POST, &format!("/channels/{id}/leave"), None).await.map(drop)
    }

    /// `GET /channels/:id/members`: one page.
    pub async fn channel_members(
        &self,
        id: ChannelId,
        query: MemberPageQuery,
    ) -> Result<Page<Member>, Error> {
        self.get_with(&format!("/channels/{id}/members"), &query).await
    }

    /// All members of a channel, page by page.
    pub async fn all_channel_members(&self, id: ChannelId) -> Result<Vec<Member>, Error> {
        let mut members = Vec::new();
        let mut query = MemberPageQuery { limit: Some(100), after: None };
        loop {
            let page = self.channel_members(id, query).await?;
            members.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(members) };
            query.after = Some(member_cursor(&cursor)?);
        }
    }

    /// `POST /channels/:id/members`: invite.
    pub async fn add_channel_member(&self, id: ChannelId, user: UserId) -> Result<Member, Error> {
        self.post(&format!("/channels/{id}/members"), &AddChannelMember { user_id: user }).await
    }

    /// `DELETE /channels/:id/members/:user_id`
    pub async fn remove_channel_member(&self, id: ChannelId, user: UserId) -> Result<(), Error> {
        self.delete(&format!("/channels/{id}/members/{user}")).await
    }

    /// `GET /channels/:id/changes`: what changed after a version.
    pub async fn changes(&self, id: ChannelId, after: i64) -> Result<ChannelChanges, Error> {
        self.get_with(&format!("/channels/{id}/changes"), &ChangesQuery { after }).await
    }
}

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Client {
    /// Joins a public channel; afterwards it is in the state.
    pub async fn join(&self, id: ChannelId) -> Result<Channel, Error> {
        let channel = self.http().join_channel(id).await?;
        self.learn_channel(channel).await
    }

    /// Creates a channel; afterwards it is in the state.
    pub async fn create_channel(&self, body: &CreateChannel) -> Result<Channel, Error> {
        let channel = self.http().create_channel(body).await?;
        self.learn_channel(channel).await
    }

    /// Leaves a channel; afterwards it is no longer among one's own in the state.
    pub async fn leave(&self, id: ChannelId) -> Result<(), Error> {
        self.http().leave_channel(id).await?;
        self.ask(|reply| Request::Left { channel: id, reply }).await
    }

    /// Loads the members of a channel into the state, which keeps them true from then on.
    pub async fn load_members(&self, id: ChannelId) -> Result<(), Error> {
        self.ask(|reply| Request::LoadMembers { channel: id, reply: Some(reply) }).await?
    }

    /// Loads the members of a workspace into the state, which keeps them true from then on.
    pub async fn load_workspace_members(&self, id: WorkspaceId) -> Result<(), Error> {
        self.ask(|reply| Request::LoadWorkspaceMembers { workspace: id, reply: Some(reply) }).await?
    }

    /// Loads the channels of a workspace that one may see but is not in into the state, which keeps
    /// them true from then on.
    pub async fn load_directory(&self, id: WorkspaceId) -> Result<(), Error> {
        self.ask(|reply| Request::LoadDirectory { workspace: id, reply: Some(reply) }).await?
    }

    pub(crate) async fn learn_channel(&self, channel: Channel) -> Result<Channel, Error> {
        let learnt = channel.clone();
        self.ask(|reply| Request::LearnChannel { channel: Box::new(learnt), reply }).await?;
        Ok(channel)
    }
}
