//! The key that our own access tokens are signed with: made on first start, kept with the data.
//!
//! Access tokens are JWTs (RFC 7519) with HS256.

use std::{fs, io::Write, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use madang_proto::{Timestamp, limits};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::verified::{Claim, Verified};
use crate::{
    app::Actor,
    error::{Error, Result},
};

const FILE: &str = "token.key";
const BYTES: usize = 32;
const ISSUER: &str = "madang";

/// Signs and checks our own tokens.
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    verified: Verified,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
}

/// Random bytes from the operating system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

impl Keys {
    /// Reads the key from the data folder, or makes it.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is not a key.
    pub fn load(data: &Path) -> std::io::Result<Self> {
        let path = data.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => match URL_SAFE_NO_PAD.decode(text.trim()) {
                Ok(bytes) if bytes.len() == BYTES => Ok(Self::of(&bytes)),
                _ => Err(std::io::Error::other(format!(
                    "{} is not a key; restore it from a backup, or remove it to make a new one (clients \
                     refresh their access tokens)",
                    path.display()
                ))),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let bytes = random::<BYTES>();
                write_secret(&path, &URL_SAFE_NO_PAD.encode(bytes))?;
                Ok(Self::of(&bytes))
            }
            Err(e) => Err(std::io::Error::other(format!("{}: {e}", path.display()))),
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let (encoding, decoding) = (EncodingKey::from_secret(bytes), DecodingKey::from_secret(bytes));
        Self { encoding, decoding, verified: Verified::default() }
    }

    /// An access token.
    ///
    /// # Errors
    /// When signing fails, which is a fault.
    pub fn sign(&self, actor: Actor, now: Timestamp) -> Result<String> {
        let iat = now.millis() / 1000;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: actor.user.to_string(),
            sid: actor.session.to_string(),
            iat,
            exp: iat + limits::ACCESS_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)
    }

    /// The actor whom one of our tokens names.
    ///
    /// # Errors
    /// `Unauthenticated` when it is not ours or expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Actor> {
        let fingerprint = Verified::fingerprint(token);
        let known = self.verified.get(&fingerprint);
        let claim = match known {
            Some(claim) => claim,
            None => self.decode(token)?,
        };
        if claim.expired(now) {
            return Err(Error::Unauthenticated("the access token is expired; refresh it"));
        }
        if known.is_none() {
            self.verified.insert(fingerprint, claim, now);
        }
        Ok(claim.actor)
    }

    fn decode(&self, token: &str) -> Result<Claim> {
        const BAD: Error = Error::Unauthenticated("the access token is not valid; sign in again");
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        // Expiry is compared with the clock of App, by the caller.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &rules).map_err(|_| BAD)?.claims;
        match (claims.sub.parse(), claims.sid.parse()) {
            (Ok(user), Ok(session)) => Ok(Claim { actor: Actor { user, session }, expires: claims.exp }),
            _ => Err(BAD),
        }
    }
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
