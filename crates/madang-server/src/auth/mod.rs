//! Who is asking: passwords, our own tokens, tokens of an outside issuer.

mod issuer;
mod keys;
mod passwords;
mod revoked;
mod tokens;
mod verified;

use madang_proto::UserId;

pub use issuer::{Issuer, OutsideClaims};
pub use keys::{Keys, random};
pub use passwords::Passwords;
pub use revoked::Revoked;
pub use tokens::{InviteCode, RefreshToken, unguessable};

use crate::{
    accounts,
    app::{Actor, App},
    error::{Error, Result},
};

/// The actor whom an access token names.
///
/// # Errors
/// `Unauthenticated` when it is not ours, expired, or of a session that was ended.
pub async fn actor(app: &App, token: &str) -> Result<Actor> {
    if let Some(issuer) = &app.issuer
        && issuer.issued(token)
    {
        let claims = issuer.verify(token, app.now()).await?;
        let user = accounts::of_issuer(app, &claims).await?;
        // An outside issuer knows no sessions of ours: its tokens of one user share one.
        return Ok(Actor { user, session: UserId::get(user).into() });
    }
    let actor = app.keys.verify(token, app.now())?;
    if app.revoked.contains(actor.session) {
        return Err(Error::Unauthenticated("the session was ended; sign in again"));
    }
    Ok(actor)
}
