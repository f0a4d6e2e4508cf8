//! Profiles: how people show.

use madang_proto::{
    UserId,
    accounts::User,
    profiles::{UpdateUser, UserChanges},
};
use reqwest::{Body, Method, Response};

use crate::{
    Error, Http,
    http::{BASE, accept, decode, whole},
};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `PUT /users/:id`: one's own.
    pub async fn update_user(&self, user: UserId, body: &UpdateUser) -> Result<User, Error> {
        self.put(&format!("/users/{user}"), body).await
    }

    /// `PUT /users/:id/avatar`: one's own; the bytes of a picture, or a stream of them.
    pub async fn set_avatar(&self, user: UserId, picture: impl Into<Body>) -> Result<User, Error> {
        let path = format!("/users/{user}/avatar");
        let request = self.of_files(Method::PUT, &path).await?.body(picture);
        decode(&path, accept(whole(request.send().await?).await?)?)
    }

    /// `DELETE /users/:id/avatar`: one's own.
    pub async fn remove_avatar(&self, user: UserId) -> Result<(), Error> {
        self.delete(&format!("/users/{user}/avatar")).await
    }

    /// The picture at the `avatar_url` of a user: its bytes are the body of what comes back.
    pub async fn avatar(&self, url: &str) -> Result<Response, Error> {
        match url.strip_prefix(BASE) {
            Some(path) => self.bytes(path).await,
            None => Err(Error::Protocol(format!("{url} is not an address of this server"))),
        }
    }

    /// `GET /users/changes`
    pub async fn user_changes(&self, after: i64) -> Result<UserChanges, Error> {
        self.get(&format!("/users/changes?after={after}")).await
    }

    /// The same, all of it.
    pub async fn all_user_changes(&self, after: i64) -> Result<UserChanges, Error> {
        let mut all = self.user_changes(after).await?;
        while all.more {
            let next = self.user_changes(all.version).await?;
            all.users.extend(next.users);
            (all.version, all.more) = (next.version, next.more);
        }
        Ok(all)
    }
}
