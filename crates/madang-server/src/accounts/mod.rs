//! Accounts and sessions: register, sign in, refresh, sign out.

pub mod http;

use madang_proto::{
    SessionId, Timestamp, UserId, WorkspaceId,
    accounts::{GuestLogin, Login, Register, Secret, Session, SignedIn, User, UserSummary},
    input, limits,
    permissions::Role,
};
use madang_realtime::Control;
use madang_store::{accounts, sessions, workspaces as store_workspaces};

use crate::{
    access,
    app::{Actor, App},
    auth::{OutsideClaims, RefreshToken},
    change::Change,
    config::Switch,
    error::{Error, Field, Result},
    workspaces,
};

/// Where a request to sign in comes from.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the client calls itself, up to 200 characters.
    pub user_agent: String,
    /// Its address.
    pub address: String,
}

const BAD_REFRESH: Error = Error::Unauthenticated("the refresh token is not valid; sign in again");

/// Makes an account and signs in.
pub async fn register(app: &App, new: Register, device: &Device) -> Result<SignedIn> {
    if app.config.registration == Switch::Off {
        return Err(Error::Forbidden("signing up is turned off on this server; ask its operator"));
    }
    let username = input::username(&new.username).field("username")?;
    let display_name =
        new.display_name.as_deref().map(input::display_name).transpose().field("display_name")?;
    let email = new.email.as_deref().map(input::email).transpose().field("email")?;
    let password = input::password(&new.password.0).field("password")?;
    let password_hash = Some(app.passwords.hash(password).await?);
    let user = User {
        summary: UserSummary {
            id: app.id(),
            display_name: display_name.unwrap_or_else(|| username.clone()),
            username,
            avatar_url: None,
        },
        guest: false,
        email,
        about: None,
        time_zone: None,
        created_at: app.now(),
    };
    let mut change = app.change().await?;
    insert(app, &mut change, &user, password_hash, None).await?;
    let signed_in = start_session(app, &mut change, user, device).await?;
    change.commit().await?;
    Ok(signed_in)
}

/// A name for a guest who says none. All of the id has a part in the number: of guests who come in the same
/// moment, the higher digits are the same.
fn guest_name(id: UserId) -> String {
    let spread = id.get().cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    format!("Guest {:04}", spread % 10_000)
}

/// Lets someone in without an account.
pub async fn guest(app: &App, new: &GuestLogin, device: &Device) -> Result<SignedIn> {
    if app.config.guests == Switch::Off {
        return Err(Error::Forbidden("guests are turned off on this server; sign up instead"));
    }
    let display_name =
        new.display_name.as_deref().map(input::display_name).transpose().field("display_name")?;
    let id = app.id::<UserId>().with_guest(true);
    let user = User {
        summary: UserSummary {
            id,
            username: id.to_string(),
            display_name: display_name.unwrap_or_else(|| guest_name(id)),
            avatar_url: None,
        },
        guest: true,
        email: None,
        about: None,
        time_zone: None,
        created_at: app.now(),
    };
    let mut change = app.change().await?;
    insert(app, &mut change, &user, None, None).await?;
    let signed_in = start_session(app, &mut change, user, device).await?;
    change.commit().await?;
    Ok(signed_in)
}

async fn insert(
    app: &App,
    change: &mut Change,
    user: &User,
    password_hash: Option<String>,
    external_id: Option<String>,
) -> Result<()> {
    let new = accounts::NewUser {
        user: user.clone(),
        username_key: input::name_key(&user.summary.username),
        password_hash,
        external_id,
    };
    accounts::insert(change.tx(), &new).await.map_err(|e| match e {
        madang_store::Error::Conflict(_) => {
            Error::Conflict("this username is taken; choose another".to_owned())
        }
        other => other.into(),
    })?;
    for open in store_workspaces::for_newcomer(change.tx(), user.guest).await? {
        let first = !user.guest && is_first(change, open.id, user.summary.id).await?;
        let role = match (user.guest, first) {
            (true, _) => Role::Guest,
            (false, true) => Role::Owner,
            (false, false) => Role::Member,
        };
        workspaces::enter(app, change, &open, user.summary.id, role).await?;
    }
    Ok(())
}

/// Whether nobody owns the workspace yet. Then others who come in at the same moment wait, so that one
/// of them is the first.
async fn is_first(change: &mut Change, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    if store_workspaces::has_other_owner(change.tx(), workspace, user).await? {
        return Ok(false);
    }
    store_workspaces::lock_all(change.tx()).await?;
    Ok(!store_workspaces::has_other_owner(change.tx(), workspace, user).await?)
}

/// Signs in with name and password.
pub async fn login(app: &App, login: Login, device: &Device) -> Result<SignedIn> {
    let key = input::name_key(login.username.trim());
    let mut tx = app.db.read().await?;
    let user = accounts::by_username_key(&mut tx, &key).await?;
    let hash = match &user {
        Some(user) => accounts::password_hash(&mut tx, user.summary.id).await?,
        None => None,
    };
    drop(tx);
    let password = input::password(&login.password.0).unwrap_or_default();
    let right = app.passwords.verify(password, hash).await?;
    let Some(user) = user.filter(|_| right) else {
        return Err(Error::Unauthenticated("username or password is wrong"));
    };
    let mut change = app.change().await?;
    let signed_in = start_session(app, &mut change, user, device).await?;
    change.commit().await?;
    Ok(signed_in)
}

async fn start_session(app: &App, change: &mut Change, user: User, device: &Device) -> Result<SignedIn> {
    let (now, id) = (app.now(), app.id());
    let token = RefreshToken::new(id);
    let live = sessions::live(change.tx(), user.summary.id, now).await?;
    let keep = usize::try_from(limits::SESSIONS_PER_USER - 1).unwrap_or(usize::MAX);
    for old in live.iter().skip(keep) {
        end_in(app, change, user.summary.id, old.id).await?;
    }
    let new = sessions::NewSession {
        id,
        user_id: user.summary.id,
        refresh_hash: token.hash(),
        user_agent: device.user_agent.clone(),
        address: device.address.clone(),
        created_at: now,
        expires_at: now.plus_millis(limits::REFRESH_SECONDS * 1000),
    };
    sessions::insert(change.tx(), &new).await?;
    signed_in(app, user, &token)
}

fn signed_in(app: &App, user: User, token: &RefreshToken) -> Result<SignedIn> {
    let actor = Actor { user: user.summary.id, session: token.session };
    Ok(SignedIn {
        user,
        session_id: token.session,
        access_token: Secret(app.keys.sign(actor, app.now())?),
        refresh_token: Secret(token.text.clone()),
        expires_in: limits::ACCESS_SECONDS,
    })
}

/// Gives new tokens for a refresh token. One that was used before ends the session: either the client
/// or a thief has an old copy.
pub async fn refresh(app: &App, token: Secret) -> Result<SignedIn> {
    let old = RefreshToken::parse(token).ok_or(BAD_REFRESH)?;
    let now = app.now();
    let mut change = app.change().await?;
    let stored = sessions::find(change.tx(), old.session).await?.ok_or(BAD_REFRESH)?;
    if stored.ended_at.is_some() || stored.expires_at <= now {
        return Err(BAD_REFRESH);
    }
    let new = RefreshToken::new(old.session);
    let expires_at = now.plus_millis(limits::REFRESH_SECONDS * 1000);
    if !sessions::rotate(change.tx(), old.session, &old.hash(), &new.hash(), now, expires_at).await? {
        end_in(app, &mut change, stored.user_id, old.session).await?;
        change.commit().await?;
        return Err(Error::Unauthenticated(
            "the refresh token was used before; the session is ended, sign in again",
        ));
    }
    let user = accounts::by_id(change.tx(), stored.user_id).await?.ok_or(BAD_REFRESH)?;
    let signed_in = signed_in(app, user, &new)?;
    change.commit().await?;
    Ok(signed_in)
}

/// Ends one of the actor's sessions: its tokens are worth nothing from now on, its connections are
/// closed.
pub async fn end_session(app: &App, actor: Actor, id: SessionId) -> Result<()> {
    let mut change = app.change().await?;
    if !end_in(app, &mut change, actor.user, id).await? {
        return Err(Error::NotFound("session"));
    }
    change.commit().await
}

async fn end_in(app: &App, change: &mut Change, user: UserId, id: SessionId) -> Result<bool> {
    let now = app.now();
    let ended = sessions::end(change.tx(), user, id, now).await?;
    if ended {
        change.after(move |app| app.revoked.insert(id, now));
        change.control(Control::CloseSession {
            session: id,
            code: madang_proto::close::CloseCode::SessionEnded,
        });
    }
    Ok(ended)
}

/// The actor's sessions, the last used first.
pub async fn sessions_of(app: &App, actor: Actor) -> Result<Vec<Session>> {
    let mut tx = app.db.read().await?;
    let mut live = sessions::live(&mut tx, actor.user, app.now()).await?;
    for session in &mut live {
        session.current = session.id == actor.session;
    }
    Ok(live)
}

/// A user: oneself in full, others without what is private, if one shares a workspace or a direct message with them.
pub async fn user(app: &App, actor: Actor, id: UserId) -> Result<User> {
    let user = access::user(&mut app.db.read().await?, actor, id).await?;
    Ok(if id == actor.user { user } else { User { email: None, ..user } })
}

/// The user whom an outside issuer names; made at first sight.
pub async fn of_issuer(app: &App, claims: &OutsideClaims) -> Result<UserId> {
    let external_id = claims.external_id();
    let mut tx = app.db.read().await?;
    if let Some(user) = accounts::by_external_id(&mut tx, &external_id).await? {
        return Ok(user.summary.id);
    }
    drop(tx);
    let id = app.id::<UserId>();
    let wanted = claims.preferred_username.as_deref().and_then(|name| input::username(name).ok());
    let display_name = claims.name.as_deref().and_then(|name| input::display_name(name).ok());
    // The wished name first; if someone has it, one that nobody can have.
    for username in wanted.into_iter().chain([format!("user-{}", id.get())]) {
        let user = User {
            summary: UserSummary {
                id,
                display_name: display_name.clone().unwrap_or_else(|| username.clone()),
                username,
                avatar_url: None,
            },
            guest: false,
            email: claims.email.as_deref().and_then(|email| input::email(email).ok()),
            about: None,
            time_zone: None,
            created_at: app.now(),
        };
        let mut change = app.change().await?;
        // Another request may have brought the same person in meanwhile.
        if let Some(user) = accounts::by_external_id(change.tx(), &external_id).await? {
            return Ok(user.summary.id);
        }
        match insert(app, &mut change, &user, None, Some(external_id.clone())).await {
            Ok(()) => {
                change.commit().await?;
                return Ok(id);
            }
            Err(Error::Conflict(_)) => {}
            Err(other) => return Err(other),
        }
    }
    let mut tx = app.db.read().await?;
    let there = accounts::by_external_id(&mut tx, &external_id).await?;
    there.map(|user| user.summary.id).ok_or(Error::Unavailable("the account could not be made".to_owned()))
}

/// What the start of the server has to know: sessions that ended lately.
pub async fn load_revoked(app: &App) -> Result<()> {
    let mut tx = app.db.read().await?;
    for (id, at) in sessions::ended_since(&mut tx, crate::auth::Revoked::since(app.now())).await? {
        app.revoked.insert(id, at);
    }
    Ok(())
}

/// Forgets sessions that ended or expired a month ago.
pub async fn sweep(app: &App, now: Timestamp) -> Result<()> {
    const MONTH_MS: i64 = 30 * 86_400_000;
    let mut change = app.change().await?;
    sessions::sweep(change.tx(), now.plus_millis(-MONTH_MS)).await?;
    change.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_of_one_moment_have_different_names() {
        let moment = 124_729_373_491_200_000_i64;
        let names: std::collections::HashSet<_> =
            (0..50).map(|n| guest_name(UserId::from(moment + n))).collect();
        assert_eq!(names.len(), 50);
    }
}
