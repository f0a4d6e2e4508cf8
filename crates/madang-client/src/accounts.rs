//! Accounts and sessions: sign up, sign in, renew, sign out.

use madang_proto::{
    SessionId, UserId,
    accounts::{GuestLogin, Login, Refresh, Register, Session, SignedIn, User},
    page::List,
};
use reqwest::Method;
use serde_json::Value;

use crate::{Error, Http};

/// Every method fails with [`Error`]: the server's refusal, or no answer.
#[expect(clippy::missing_errors_doc, reason = "one sentence for all stands above")]
impl Http {
    /// `POST /auth/register`
    pub async fn register(&self, body: &Register) -> Result<SignedIn, Error> {
        self.signed_out().post("/auth/register", body).await
    }

    /// `POST /auth/login`
    pub async fn login(&self, body: &Login) -> Result<SignedIn, Error> {
        self.signed_out().post("/auth/login", body).await
    }

    /// `POST /auth/guest`
    pub async fn guest(&self, body: &GuestLogin) -> Result<SignedIn, Error> {
        self.signed_out().post("/auth/guest", body).await
    }

    /// `POST /auth/refresh`, just as given: this [`Http`] keeps its own tokens. To renew those, call
    /// [`Http::renew`].
    pub async fn refresh(&self, body: &Refresh) -> Result<SignedIn, Error> {
        self.signed_out().post("/auth/refresh", body).await
    }

    /// `POST /auth/logout`
    pub async fn logout(&self) -> Result<(), Error> {
        self.call(Method::POST, "/auth/logout", None).await.map(drop)
    }

    /// `GET /auth/sessions`
    pub async fn sessions(&self) -> Result<Vec<Session>, Error> {
        Ok(self.get::<List<Session>>("/auth/sessions").await?.items)
    }

    /// `DELETE /auth/sessions/:id`
    pub async fn end_session(&self, id: SessionId) -> Result<(), Error> {
        self.delete(&format!("/auth/sessions/{id}")).await
    }

    /// `GET /users/me`
    pub async fn me(&self) -> Result<User, Error> {
        self.get("/users/me").await
    }

    /// `GET /users/:id`
    pub async fn user(&self, id: UserId) -> Result<User, Error> {
        self.get(&format!("/users/{id}")).await
    }

    /// `GET /health`: the answer as it is, whatever its status.
    pub async fn health(&self) -> Result<(u16, Value), Error> {
        let answer = self.request(Method::GET, "/health", None).await?;
        Ok((answer.status, answer.json))
    }
}
