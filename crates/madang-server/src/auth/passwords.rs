//! Password hashes: Argon2id with 19 MiB and two passes (OWASP Password Storage Cheat Sheet), off the
//! async threads and a few at a time, so that logins cannot fill the memory.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Hashes at one time; each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Hashes that may wait.
const WAITING: usize = 64;

/// Hashes and checks passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    running: Semaphore,
    waiting: Semaphore,
}

impl Passwords {
    /// With the usual cost, or one pass over this many KiB.
    #[must_use]
    pub fn new(kib: Option<u32>) -> Self {
        let params = kib.and_then(|kib| Params::new(kib, 1, 1, None).ok()).unwrap_or_default();
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            running: Semaphore::new(AT_ONCE),
            waiting: Semaphore::new(AT_ONCE + WAITING),
        }
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self
            .waiting
            .try_acquire()
            .map_err(|_| Error::Unavailable("too many logins at once".to_owned()))?;
        let _turn = self.running.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// `Unavailable` when too many are waiting.
    pub async fn hash(&self, password: String) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.off_thread(move || argon2.hash_password(password.as_bytes()).map(|h| h.to_string()))
            .await?
            .map_err(|e| Error::internal(e.to_string()))
    }

    /// Whether a password has this hash. Without a hash it takes as long and is false, so that the time
    /// does not tell which names exist.
    ///
    /// # Errors
    /// `Unavailable` when too many are waiting.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let argon2 = self.argon2.clone();
        self.off_thread(move || match hash.as_deref().map(PasswordHash::new) {
            Some(Ok(hash)) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
            _ => argon2.hash_password(password.as_bytes()).is_err(),
        })
        .await
    }
}
