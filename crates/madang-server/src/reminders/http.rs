//! Routes of reminders.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ReminderId,
    page::List,
    reminders::{CreateReminder, Reminder},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// One's reminders, the next first.
#[utoipa::path(get, path = "/reminders", tag = "reminders",
    responses((status = 200, body = List<Reminder>, description = "Reminders")))]
pub async fn index(State(app): State<App>, actor: Actor) -> Result<Json<List<Reminder>>> {
    Ok(Json(super::index(&app, actor).await?))
}

/// Set a reminder.
#[utoipa::path(post, path = "/reminders", tag = "reminders", request_body = CreateReminder,
    responses((status = 201, body = Reminder, description = "Set")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<CreateReminder>,
) -> Result<(StatusCode, Json<Reminder>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, body).await?)))
}

/// Delete a reminder: take it back, or dismiss it.
#[utoipa::path(delete, path = "/reminders/{id}", tag = "reminders", params(("id" = ReminderId, Path)),
    responses((status = 204, description = "Deleted")))]
pub async fn destroy(State(app): State<App>, actor: Actor, Path(id): Path<ReminderId>) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
