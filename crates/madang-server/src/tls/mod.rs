//! The certificate of HTTPS and WSS: two PEM files, read at the start and again when they changed.
//!
//! Files are compared by what is in them, so links that are moved and clocks that differ do not matter.
//!
//! Invariants:
//! - New files that cannot be served leave the old certificate in use; it is said once, in the log, and
//!   for as long as it lasts in `/health`.
//! - The private key, and any piece of it, is in no log and no error.

mod files;
mod validity;

use std::sync::Arc;

use madang_proto::Timestamp;
use parking_lot::Mutex;
use tokio_rustls::rustls::ServerConfig;

use self::files::{Digest, Files, Served};
use crate::config::Config;

const LOOK_EVERY_MS: i64 = 60_000;

/// HTTPS.
pub struct Tls {
    files: Files,
    state: Mutex<State>,
}

struct State {
    served: Served,
    looked_at: Timestamp,
    /// What is wrong with the files as they are now.
    trouble: Option<String>,
}

/// How the certificate is.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    /// Whether the files are those that are served, and the certificate is valid.
    pub well: bool,
    /// When the certificate that is served ends.
    pub expires_at: Timestamp,
}

impl Tls {
    /// HTTPS as the settings want it, or none.
    ///
    /// # Errors
    /// Says which setting is missing, or what is wrong with which file.
    pub async fn from_config(config: &Config, now: Timestamp) -> Result<Option<Self>, String> {
        let files = match (&config.tls_certificate, &config.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => Files { certificate: certificate.clone(), key: key.clone() },
            (Some(_), None) => return Err("with --tls-certificate set --tls-key, too".to_owned()),
            (None, Some(_)) => return Err("with --tls-key set --tls-certificate, too".to_owned()),
        };
        let served = files.read().await?.serve(&files, now)?;
        files.warn_of_readers().await;
        Ok(Some(Self { files, state: Mutex::new(State { served, looked_at: now, trouble: None }) }))
    }

    /// What a new connection is served with.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.state.lock().served.config)
    }

    /// How the certificate is.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Condition {
        let state = self.state.lock();
        let expires_at = state.served.expires_at;
        Condition { well: state.trouble.is_none() && now < expires_at, expires_at }
    }

    /// Reads the files again if the last look was a minute ago, and serves them from now on if they are
    /// new and well.
    pub async fn look(&self, now: Timestamp) {
        let known: Digest = {
            let mut state = self.state.lock();
            if (now.millis() - state.looked_at.millis()).abs() < LOOK_EVERY_MS {
                return;
            }
            state.looked_at = now;
            state.served.digest
        };
        let fresh = match self.files.read().await {
            Ok(pair) if pair.digest() == known => Ok(None),
            Ok(pair) => pair.serve(&self.files, now).map(Some),
            Err(trouble) => Err(trouble),
        };
        let mut state = self.state.lock();
        match fresh {
            Ok(fresh) => {
                if let Some(served) = fresh {
                    tracing::info!(expires_at = %served.expires_at, "a new TLS certificate is served");
                    state.served = served;
                }
                state.trouble = None;
            }
            Err(trouble) => {
                if state.trouble.as_ref() != Some(&trouble) {
                    tracing::warn!(
                        trouble,
                        "the TLS files cannot be served; the old certificate stays in use"
                    );
                    state.trouble = Some(trouble);
                }
            }
        }
    }
}
