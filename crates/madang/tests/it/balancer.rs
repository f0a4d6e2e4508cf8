//! HAProxy and nginx with the files of `deploy/`, in front of three nodes, on free ports of 127.0.0.1.
//!
//! A small shell stands between, which ends the program when the test ends, in whatever way: then the pipe that it reads is
//! closed.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use madang_client::Http;
use tempfile::TempDir;

use crate::process::{Process, free_port};

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balancer {
    HaProxy,
    Nginx,
}

/// Starts what it is given, and kills it when nobody listens any more.
const KEEPER: &str = r#"
"$@" </dev/null >"$LOG" 2>&1 &
cat >/dev/null
kill -s TERM $!
wait
"#;

/// A running one.
pub struct Running {
    /// `http://…`
    pub url: String,
    folder: TempDir,
    keeper: Child,
}

impl Balancer {
    /// Where the program is; Debian keeps it away from the PATH of people.
    fn program(self) -> Option<PathBuf> {
        let name = if self == Self::HaProxy { "haproxy" } else { "nginx" };
        let path = std::env::var_os("PATH")?;
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        folders.map(|folder| folder.join(name)).find(|program| program.is_file())
    }

    /// Starts it in front of these and waits until it answers; nothing where it is not installed, which `cargo xtask
    /// test` says.
    pub async fn start(self, nodes: &[Process]) -> Option<Running> {
        let program = self.program()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(program).env("LOG", folder.path().join("log"));
        match self {
            Self::HaProxy => {
                let file = shipped("haproxy/haproxy.cfg");
                command.args(["-db", "-f"]).arg(file).env("MADANG_BIND", format!("127.0.0.1:{port}"));
                for (number, node) in (1..).zip(nodes) {
                    command.env(format!("MADANG_NODE_{number}"), node.address());
                }
            }
            Self::Nginx => {
                let file = folder.path().join("nginx.conf");
                fs::write(&file, nginx(folder.path(), port, nodes)).unwrap();
                command.arg("-p").arg(folder.path()).arg("-c").arg(file).args(["-g", "daemon off;"]);
            }
        }
        let keeper = command.stdin(Stdio::piped()).spawn().unwrap();
        let running = Running { url: format!("http://127.0.0.1:{port}"), folder, keeper };
        let http = Http::new(&running.url).unwrap();
        let ready = async {
            while !matches!(http.health().await, Ok((200, _))) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ready = tokio::time::timeout(Duration::from_secs(60), ready).await;
        ready.unwrap_or_else(|_| panic!("{self:?} does not answer: {}", running.log()));
        Some(running)
    }
}

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

/// The shipped file, with the addresses, ports and folders of the test.
fn nginx(folder: &Path, port: u16, nodes: &[Process]) -> String {
    let here = folder.display();
    // Only root may use the folders that are built in, and only then it would change its user.
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("    {name}_temp_path {here}/{name};\n")).concat();
    let user = if fs::metadata(folder).unwrap().uid() == 0 { "user root;\n" } else { "" };
    let mut places = vec![
        ("listen 8080;".to_owned(), format!("listen 127.0.0.1:{port};")),
        ("/run/nginx.pid".to_owned(), format!("{here}/pid")),
        ("/var/log/nginx".to_owned(), here.to_string()),
        ("http {\n".to_owned(), format!("http {{\n{folders}")),
        ("worker_processes auto;\n".to_owned(), format!("{user}worker_processes 2;\n")),
        ("worker_rlimit_nofile 65536;\n".to_owned(), String::new()),
        ("worker_connections 30000;".to_owned(), "worker_connections 200;".to_owned()),
    ];
    let node = |(number, node): (u16, &Process)| (format!("127.0.0.1:{number}"), node.address().to_owned());
    places.extend((8081..).zip(nodes).map(node));
    places.iter().fold(fs::read_to_string(shipped("nginx/nginx.conf")).unwrap(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in nginx.conf");
        text.replace(from, to)
    })
}

impl Running {
    /// What it said.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        ["log", "error.log", "access.log"].map(read).concat()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}
