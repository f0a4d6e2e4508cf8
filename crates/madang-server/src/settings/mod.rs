//! Settings: what users have chosen for themselves.

pub mod http;

use madang_proto::{
    Event,
    settings::{Settings, UpdateSettings},
};
use madang_realtime::Topic;
use madang_store::settings as store;

use crate::{
    app::{Actor, App},
    error::Result,
};

/// The actor's settings.
pub async fn show(app: &App, actor: Actor) -> Result<Settings> {
    Ok(store::of_user(&mut app.db.read().await?, actor.user).await?)
}

/// Changes them; what is missing stays.
pub async fn update(app: &App, actor: Actor, asked: UpdateSettings) -> Result<Settings> {
    let mut change = app.change().await?;
    let known = store::of_user(change.tx(), actor.user).await?;
    let settings = Settings { share_read_marks: asked.share_read_marks.unwrap_or(known.share_read_marks) };
    if settings != known {
        store::update(change.tx(), actor.user, settings).await?;
        if !settings.share_read_marks {
            change.after(move |app| app.conflation.withhold(actor.user));
        }
        change.emit(Topic::User(actor.user), Event::Settings(settings));
        change.commit().await?;
    }
    Ok(settings)
}
