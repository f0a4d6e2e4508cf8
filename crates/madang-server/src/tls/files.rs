//! From two PEM files to what rustls serves, with errors that say what to do.
//!
//! Invariants:
//! - TLS 1.2 and 1.3 with aws-lc-rs, HTTP/1.1 only: the gateway's upgrade is one of HTTP/1.1.
//! - Errors of the parser of a key are not passed on: they may quote the file.

use std::{path::PathBuf, sync::Arc};

use madang_proto::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::{
    Error, InconsistentKeys, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};

use super::validity::Validity;

/// What tells the contents of the files apart.
pub type Digest = [u8; 32];

/// Where the files are.
pub struct Files {
    /// The certificate, then those between it and the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is in the files.
pub struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate in use.
pub struct Served {
    /// For rustls.
    pub config: Arc<ServerConfig>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Of the files that it is from.
    pub digest: Digest,
}

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// Which file cannot be read, and why.
    pub async fn read(&self) -> Result<Pair, String> {
        let read = async |path: &PathBuf| {
            tokio::fs::read(path).await.map_err(|e| format!("{} cannot be read: {e}", path.display()))
        };
        Ok(Pair { certificate: read(&self.certificate).await?, key: read(&self.key).await? })
    }

    /// Warns when everyone on this machine may read the key.
    pub async fn warn_of_readers(&self) {
        #[cfg(unix)]
        if let Ok(metadata) = tokio::fs::metadata(&self.key).await
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o004 != 0
        {
            tracing::warn!(key = %self.key.display(), "everyone on this machine may read the TLS key; `chmod o-r` it");
        }
    }
}

impl Pair {
    /// What tells it from others.
    pub fn digest(&self) -> Digest {
        let length = self.certificate.len().to_le_bytes();
        Sha256::new()
            .chain_update(length)
            .chain_update(&self.certificate)
            .chain_update(&self.key)
            .finalize()
            .into()
    }

    /// Makes it ready to be served.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn serve(&self, files: &Files, now: Timestamp) -> Result<Served, String> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let none = || {
            format!(
                "{certificate} holds no certificate in PEM; it has to begin with the server's own, then those between it and the root"
            )
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|_| none())?;
        let first = chain.first().ok_or_else(none)?;
        let validity =
            Validity::of(first).ok_or_else(|| format!("{certificate} is damaged: it has no dates"))?;
        if now >= validity.until {
            return Err(format!("the certificate in {certificate} expired at {}; renew it", validity.until));
        }
        if now < validity.from {
            return Err(format!(
                "the certificate in {certificate} is not valid before {}; is this machine's clock right?",
                validity.from
            ));
        }
        let key_der = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| {
            format!("{key} holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, without a password)")
        })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|e| format!("TLS: {e}"))?
            .with_no_client_auth()
            .with_single_cert(chain, key_der)
            .map_err(|e| match e {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    format!("the key in {key} is not that of the certificate in {certificate}")
                }
                Error::InvalidCertificate(e) => format!("{certificate} is damaged: {e:?}"),
                _ => format!(
                    "the key in {key} is of a kind that is not known: use ECDSA (P-256), Ed25519 or RSA"
                ),
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Whoever comes back shows a ticket and is spared the signature; nothing is kept for them here.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|e| format!("TLS tickets: {e}"))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Served { config: Arc::new(config), expires_at: validity.until, digest: self.digest() })
    }
}
