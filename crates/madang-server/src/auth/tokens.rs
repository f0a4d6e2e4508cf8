//! Refresh tokens: `mdr_<session>_<random>`, each good once; and the codes of invites. Only hashes are stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use madang_proto::{SessionId, accounts::Secret};
use sha2::{Digest, Sha256};

use super::keys::random;

const PREFIX: &str = "mdr_";

/// A refresh token and the session it belongs to.
pub struct RefreshToken {
    /// The session.
    pub session: SessionId,
    /// What the client keeps.
    pub text: String,
}

impl RefreshToken {
    /// A new token for a session.
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self { session, text: format!("{PREFIX}{session}_{}", URL_SAFE_NO_PAD.encode(random::<32>())) }
    }

    /// Reads a token that a client sent.
    #[must_use]
    pub fn parse(secret: Secret) -> Option<Self> {
        let session = secret.0.strip_prefix(PREFIX)?.split_once('_')?.0.parse().ok()?;
        Some(Self { session, text: secret.0 })
    }

    /// What is stored of it. The token has 256 random bits, so a fast hash is enough.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.text)
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text of 144 random bits, of letters that need no care in an address.
pub fn unguessable() -> String {
    URL_SAFE_NO_PAD.encode(random::<18>())
}

/// The code of an invite, as its holder has it.
pub struct InviteCode(pub Secret);

impl InviteCode {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self(Secret(unguessable()))
    }

    /// What is stored of it. It has 144 random bits, so a fast hash is enough.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.0.0)
    }
}
