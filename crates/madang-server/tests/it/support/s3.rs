//! A storage that speaks S3, of a real server (`s3s-fs`), over a folder.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use madang_server::Config;
use tokio::{net::TcpStream, time::timeout};

use super::PATIENCE;

/// The name of its bucket.
pub const BUCKET: &str = "files";

/// The storage.
pub struct S3 {
    program: String,
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Option<Child>,
}

impl S3 {
    /// Starts one, where there is the program for tests.
    pub async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("MADANG_TEST_S3") else {
            eprintln!("SKIPPED: MADANG_TEST_S3 is not set; `cargo xtask test` sets it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut s3 = Self { program: program.into_string().unwrap(), folder, address, server: None };
        s3.come().await;
        Some(s3)
    }

    /// It is there again.
    pub async fn come(&mut self) {
        let server = Command::new(&self.program)
            .args(["--host", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--access-key", "madang", "--secret-key", "well kept"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.server = Some(server.unwrap());
        let there = async { while TcpStream::connect(self.address).await.is_err() {} };
        timeout(PATIENCE, there).await.unwrap();
    }

    /// It goes away.
    pub fn go(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Sets how it is reached, but not the bucket.
    pub fn set(&self, config: &mut Config, secret: &str) {
        config.s3_endpoint = Some(format!("http://{}", self.address));
        config.s3_key = Some("madang".to_owned());
        config.s3_secret = Some(secret.to_owned().into());
    }

    /// Where the bucket is.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Waits until there are this many objects in the bucket.
    pub async fn keeps(&self, wanted: usize) {
        let reached = async {
            while self.objects() != wanted {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(PATIENCE, reached).await.is_ok(), "{} objects, not {wanted}", self.objects());
    }

    /// Objects in the bucket.
    pub fn objects(&self) -> usize {
        fn files(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
        }
        files(&self.bucket())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.go();
    }
}
