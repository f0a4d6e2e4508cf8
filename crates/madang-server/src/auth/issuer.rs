//! Tokens of an outside issuer: a product's own server signs its people in, and Madang takes its word.
//!
//! With a shared secret the algorithms are HS256 to HS512, with a JWKS (RFC 7517) the public-key ones;
//! never both, so that a public key cannot be passed off as a secret. The document is read from a file
//! or URL, kept for ten minutes, and read again at once, though not more than every thirty seconds,
//! when a token names a key that it does not have.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, JwkSet},
};
use madang_proto::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    config::Config,
    error::{Error, Result},
};

const KEEP_MS: i64 = 600_000;
const RETRY_MS: i64 = 30_000;
const DOCUMENT_BYTES: usize = 1 << 20;
const SHARED: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
const PUBLIC: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// An outside issuer.
pub struct Issuer {
    name: String,
    audience: Option<String>,
    keys: Source,
}

enum Source {
    Secret(DecodingKey),
    Jwks { place: String, http: reqwest::Client, kept: Mutex<Kept> },
}

#[derive(Default)]
struct Kept {
    keys: Arc<Vec<Jwk>>,
    read_at: Option<Timestamp>,
}

/// What a token says of its bearer.
#[derive(Debug, Clone, Deserialize)]
pub struct OutsideClaims {
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    /// The name they like to sign in with.
    pub preferred_username: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
}

impl OutsideClaims {
    /// The name under which we know them for good.
    #[must_use]
    pub fn external_id(&self) -> String {
        format!("{}|{}", self.iss, self.sub)
    }
}

const BAD: Error = Error::Unauthenticated("the issuer's token is not valid");

impl Issuer {
    /// The issuer of the settings.
    ///
    /// # Errors
    /// Says which setting is missing or too much.
    pub fn from_config(config: &Config) -> std::result::Result<Option<Self>, String> {
        let Some(name) = config.issuer.clone() else {
            let stray = config.issuer_secret.is_some() || config.issuer_jwks.is_some();
            return if stray { Err("set --issuer to the issuer's `iss` claim".to_owned()) } else { Ok(None) };
        };
        let keys = match (&config.issuer_secret, &config.issuer_jwks) {
            (Some(secret), None) if secret.len() >= 32 => {
                Source::Secret(DecodingKey::from_secret(secret.as_bytes()))
            }
            (Some(_), None) => return Err("--issuer-secret must have at least 32 bytes".to_owned()),
            (None, Some(place)) => {
                let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build();
                let http = client.map_err(|e| format!("HTTP client for --issuer-jwks: {e}"))?;
                Source::Jwks { place: place.clone(), http, kept: Mutex::default() }
            }
            _ => return Err("with --issuer set either --issuer-secret or --issuer-jwks".to_owned()),
        };
        Ok(Some(Self { name, audience: config.issuer_audience.clone(), keys }))
    }

    /// Whether a token says that it is of this issuer. What it says is not checked yet.
    #[must_use]
    pub fn issued(&self, token: &str) -> bool {
        #[derive(Deserialize)]
        struct Unchecked {
            iss: Option<String>,
        }
        jsonwebtoken::dangerous::insecure_decode::<Unchecked>(token)
            .is_ok_and(|data| data.claims.iss.as_deref() == Some(&self.name))
    }

    /// What a token says, if the issuer signed it and it is valid now.
    ///
    /// # Errors
    /// `Unauthenticated` when not; `Unavailable` when the issuer's keys cannot be read.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<OutsideClaims> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| BAD)?;
        let allowed: &[Algorithm] = if matches!(self.keys, Source::Secret(_)) { &SHARED } else { &PUBLIC };
        if !allowed.contains(&header.alg) {
            return Err(BAD);
        }
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[&self.name]);
        rules.validate_exp = false;
        match &self.audience {
            Some(audience) => {
                rules.set_audience(&[audience]);
                rules.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
            }
            None => {
                rules.validate_aud = false;
                rules.set_required_spec_claims(&["exp", "iss", "sub"]);
            }
        }
        let claims = match &self.keys {
            Source::Secret(key) => jsonwebtoken::decode::<OutsideClaims>(token, key, &rules),
            Source::Jwks { .. } => {
                let key = self.key(header.kid.as_deref(), now).await?;
                let key = DecodingKey::from_jwk(&key).map_err(|_| BAD)?;
                jsonwebtoken::decode::<OutsideClaims>(token, &key, &rules)
            }
        };
        let claims = claims.map_err(|_| BAD)?.claims;
        let seconds = now.millis() / 1000;
        if claims.exp <= seconds || claims.nbf.is_some_and(|nbf| nbf > seconds + 60) {
            return Err(Error::Unauthenticated("the issuer's token is expired or not valid yet"));
        }
        if claims.sub.is_empty() || claims.sub.len() > 255 { Err(BAD) } else { Ok(claims) }
    }

    async fn key(&self, kid: Option<&str>, now: Timestamp) -> Result<Jwk> {
        let Source::Jwks { place, http, kept } = &self.keys else { return Err(BAD) };
        let find =
            |keys: &[Jwk]| keys.iter().find(|k| kid.is_none() || k.common.key_id.as_deref() == kid).cloned();
        let mut kept = kept.lock().await;
        let age = kept.read_at.map_or(i64::MAX, |at| now.millis() - at.millis());
        let known = find(&kept.keys);
        if age < RETRY_MS || (age < KEEP_MS && known.is_some()) {
            return known.ok_or(BAD);
        }
        match read(place, http).await {
            Ok(set) => *kept = Kept { keys: Arc::new(set.keys), read_at: Some(now) },
            Err(reason) => {
                tracing::warn!(reason, "the issuer's keys cannot be read");
                // Old keys are better than nobody coming in.
                return known.ok_or(Error::Unavailable("the issuer's keys cannot be read".to_owned()));
            }
        }
        find(&kept.keys).ok_or(BAD)
    }
}

async fn read(place: &str, http: &reqwest::Client) -> std::result::Result<JwkSet, String> {
    let bytes = if place.starts_with("http://") || place.starts_with("https://") {
        let mut response = http.get(place).send().await.map_err(|e| e.without_url().to_string())?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| e.without_url().to_string())? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > DOCUMENT_BYTES {
                return Err("the document is larger than 1 MiB".to_owned());
            }
        }
        bytes
    } else {
        tokio::fs::read(place).await.map_err(|e| format!("{place}: {e}"))?
    };
    serde_json::from_slice(&bytes).map_err(|e| e.to_string())
}
