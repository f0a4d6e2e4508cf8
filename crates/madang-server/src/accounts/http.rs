//! Routes of accounts and sessions.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    SessionId, UserId,
    accounts::{GuestLogin, Login, Refresh, Register, Session, SignedIn, User},
    input,
    page::List,
};

use super::Device;
use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path, extract::Address},
    ratelimit::{Key, Limit},
};

/// Make an account and sign in.
#[utoipa::path(post, path = "/auth/register", tag = "accounts", request_body = Register,
    responses((status = 201, body = SignedIn, description = "Signed in")))]
pub async fn register(
    State(app): State<App>,
    Address(address): Address,
    device: Device,
    Json(body): Json<Register>,
) -> Result<(StatusCode, Json<SignedIn>)> {
    app.limits.check(Limit::NewAccountByAddress, address)?;
    Ok((StatusCode::CREATED, Json(super::register(&app, body, &device).await?)))
}

/// Sign in with name and password.
#[utoipa::path(post, path = "/auth/login", tag = "accounts", request_body = Login,
    responses((status = 200, body = SignedIn, description = "Signed in")))]
pub async fn login(
    State(app): State<App>,
    Address(address): Address,
    device: Device,
    Json(body): Json<Login>,
) -> Result<Json<SignedIn>> {
    app.limits.check(Limit::LoginByAddress, address)?;
    let name: String = body.username.chars().take(64).collect();
    app.limits.check(Limit::LoginByName, Key::Name(input::name_key(name.trim())))?;
    Ok(Json(super::login(&app, body, &device).await?))
}

/// Come in as a guest.
#[utoipa::path(post, path = "/auth/guest", tag = "accounts", request_body = GuestLogin,
    responses((status = 201, body = SignedIn, description = "Signed in")))]
pub async fn guest(
    State(app): State<App>,
    Address(address): Address,
    device: Device,
    Json(body): Json<GuestLogin>,
) -> Result<(StatusCode, Json<SignedIn>)> {
    app.limits.check(Limit::NewAccountByAddress, address)?;
    Ok((StatusCode::CREATED, Json(super::guest(&app, &body, &device).await?)))
}

/// New tokens for a refresh token, which is dead from then on.
#[utoipa::path(post, path = "/auth/refresh", tag = "accounts", request_body = Refresh,
    responses((status = 200, body = SignedIn, description = "New tokens")))]
pub async fn refresh(
    State(app): State<App>,
    Address(address): Address,
    Json(body): Json<Refresh>,
) -> Result<Json<SignedIn>> {
    app.limits.check(Limit::RefreshByAddress, address)?;
    Ok(Json(super::refresh(&app, body.refresh_token).await?))
}

/// End this session.
#[utoipa::path(post, path = "/auth/logout", tag = "accounts", responses((status = 204, description = "Ended")))]
pub async fn logout(State(app): State<App>, actor: Actor) -> Result<StatusCode> {
    super::end_session(&app, actor, actor.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Own sessions, the last used first.
#[utoipa::path(get, path = "/auth/sessions", tag = "accounts",
    responses((status = 200, body = List<Session>, description = "Sessions")))]
pub async fn sessions(State(app): State<App>, actor: Actor) -> Result<Json<List<Session>>> {
    Ok(Json(List { items: super::sessions_of(&app, actor).await? }))
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "accounts", params(("id" = SessionId, Path)),
    responses((status = 204, description = "Ended")))]
pub async fn end_session(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SessionId>,
) -> Result<StatusCode> {
    super::end_session(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Oneself.
#[utoipa::path(get, path = "/users/me", tag = "accounts", responses((status = 200, body = User, description = "The user")))]
pub async fn me(State(app): State<App>, actor: Actor) -> Result<Json<User>> {
    Ok(Json(super::user(&app, actor, actor.user).await?))
}

/// A user.
#[utoipa::path(get, path = "/users/{id}", tag = "accounts", params(("id" = UserId, Path)),
    responses((status = 200, body = User, description = "The user")))]
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<UserId>) -> Result<Json<User>> {
    Ok(Json(super::user(&app, actor, id).await?))
}
