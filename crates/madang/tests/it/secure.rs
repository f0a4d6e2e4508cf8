//! A server that speaks HTTPS by itself, as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::process::MADANG;

/// A server with HTTPS, by an authority that nobody knows.
pub struct Secure {
    /// `https://localhost:…`
    pub url: String,
    folder: TempDir,
    child: Child,
}

impl Secure {
    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        file("root.pem", authority.pem());
        file("certificate.pem", server.signed_by(&key, &authority).unwrap().pem());
        file("key.pem", key.serialize_pem());
        let mut child = Command::new(MADANG)
            .args(["serve", "--rate-limits", "off", "--listen", "127.0.0.1:0"])
            .args(["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("https://localhost:"), "{line}");
        Self { url, folder, child }
    }

    /// What `SSL_CERT_FILE` has to be for a program that is to trust its authority.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
