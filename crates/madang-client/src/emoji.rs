//! A workspace's own emoji.

use madang_proto::{
    FileId, WorkspaceId,
    emoji::{CustomEmoji, EmojiList},
};
use reqwest::{
    Method, Response,
    multipart::{Form, Part},
};

use crate::{
    Client, Error, Http,
    driver::Request,
    http::{accept, decode, whole},
};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `GET /workspaces/:id/emoji`
    pub async fn emoji(&self, workspace: WorkspaceId) -> Result<EmojiList, Error> {
        self.get(&format!("/workspaces/{workspace}/emoji")).await
    }

    /// `POST /workspaces/:id/emoji`: from the bytes of a picture.
    pub async fn create_emoji(
        &self,
        workspace: WorkspaceId,
        name: &str,
        picture: Vec<u8>,
    ) -> Result<CustomEmoji, Error> {
        let path = format!("/workspaces/{workspace}/emoji");
        let file = Part::bytes(picture).file_name("picture");
        let form = Form::new().text("name", name.to_owned()).part("file", file);
        let request = self.of_files(Method::POST, &path).await?.multipart(form);
        decode(&path, accept(whole(request.send().await?).await?)?)
    }

    /// `DELETE /workspaces/:id/emoji/:name`
    pub async fn delete_emoji(&self, workspace: WorkspaceId, name: &str) -> Result<(), Error> {
        self.delete(&format!("/workspaces/{workspace}/emoji/{name}")).await
    }

    /// `GET /emoji/:id`: its picture is the body of what comes back.
    pub async fn emoji_picture(&self, id: FileId) -> Result<Response, Error> {
        self.bytes(&format!("/emoji/{id}")).await
    }
}

impl Client {
    /// Loads the emoji of a workspace into the state, which keeps them true from then on.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn load_emoji(&self, workspace: WorkspaceId) -> Result<(), Error> {
        self.ask(|reply| Request::LoadEmoji { workspace, reply: Some(reply) }).await?
    }
}
