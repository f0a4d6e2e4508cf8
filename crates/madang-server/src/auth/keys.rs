//! The key that our own access tokens are signed with: made on first start and kept with the data, or made of a secret that
//! several nodes share.
//!
//! Access tokens are JWTs (RFC 7519) with HS256.

use std::{fs, io::Write, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use madang_proto::{Timestamp, accounts::Secret, limits};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::verified::{Claim, Verified};
use crate::{
    Config,
    app::Actor,
    error::{Error, Result},
};

const FILE: &str = "token.key";
const BYTES: usize = 32;
const ISSUER: &str = "madang";
/// Characters of a secret, at least.
const SECRET_CHARS: usize = 32;

/// Signs and checks our own tokens.
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    verified: Verified,
    fingerprint: String,
    of_bus: String,
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
    /// Makes the key of the secret in the settings, or has that of the data folder.
    ///
    /// # Errors
    /// When the secret is too short, or a file cannot be read or written, or is not a key.
    pub fn of(config: &Config) -> std::io::Result<Self> {
        let secret = match (&config.secret, &config.secret_file) {
            (Some(Secret(secret)), _) => secret.clone(),
            (None, Some(path)) => fs::read_to_string(path)
                .map_err(|e| std::io::Error::other(format!("secret_file {}: {e}", path.display())))?,
            (None, None) => return Self::load(&config.data),
        };
        let secret = secret.trim();
        if secret.chars().count() < SECRET_CHARS {
            return Err(std::io::Error::other(format!(
                "the secret has to have at least {SECRET_CHARS} characters; `openssl rand -base64 48` makes one"
            )));
        }
        Self::new(derived(secret.as_bytes(), "access tokens")?.as_bytes())
    }

    /// Reads the key from the data folder, or makes it.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is not a key.
    fn load(data: &Path) -> std::io::Result<Self> {
        let path = data.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => match URL_SAFE_NO_PAD.decode(text.trim()) {
                Ok(bytes) if bytes.len() == BYTES => Self::new(&bytes),
                _ => Err(std::io::Error::other(format!(
                    "{} is not a key; restore it from a backup, or remove it to make a new one (clients \
                     refresh their access tokens)",
                    path.display()
                ))),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let bytes = random::<BYTES>();
                write_secret(&path, &URL_SAFE_NO_PAD.encode(bytes))?;
                Self::new(&bytes)
            }
            Err(e) => Err(std::io::Error::other(format!("{}: {e}", path.display()))),
        }
    }

    fn new(bytes: &[u8]) -> std::io::Result<Self> {
        let (encoding, decoding) = (EncodingKey::from_secret(bytes), DecodingKey::from_secret(bytes));
        Ok(Self {
            encoding,
            decoding,
            verified: Verified::default(),
            fingerprint: derived(bytes, "fingerprint")?,
            of_bus: derived(bytes, "bus")?,
        })
    }

    /// What the nodes of a cluster know each other's messages by.
    #[must_use]
    pub fn of_bus(&self) -> &str {
        &self.of_bus
    }

    /// What tells this key from others, and does not tell the key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
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

/// What is made of a secret for some use (HMAC-SHA256, RFC 2104): it does not tell the secret, nor what is made for another.
fn derived(secret: &[u8], of: &str) -> std::io::Result<String> {
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::crypto::sign(format!("madang {of}").as_bytes(), &key, Algorithm::HS256)
        .map_err(std::io::Error::other)
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
