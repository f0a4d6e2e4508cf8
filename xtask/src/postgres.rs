//! A PostgreSQL server for the tests: its own data, its own port, gone afterwards.
//!
//! How: one child runs `initdb` in a temporary folder and becomes `postgres` on a free port of 127.0.0.1, so
//! that both end with us and the folder goes too (`child.rs`). PostgreSQL refuses to run as root; root hands
//! the child to the user `postgres`, or to `nobody` where that does not exist.
//!
//! Invariants:
//! - Nothing outside the temporary folder is read or written; a server that runs already is not touched.
//! - The tests get a superuser and make their own databases.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child::{self, Running};
use crate::tools;

/// How long a server may take to accept connections.
const START_LIMIT: Duration = Duration::from_secs(60);

/// `$1` is the folder of the programs, `$2` of the data, `$3` of the socket, `$4` the port.
const MAKE_AND_SERVE: &str = r#"
"$1/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync -D "$2" &&
exec "$1/postgres" -D "$2" -k "$3" -p "$4" \
    -c listen_addresses=127.0.0.1 -c max_connections=300 -c shared_buffers=64MB
"#;

/// The running server. Dropping it stops it and removes its data.
pub struct Postgres {
    url: String,
    #[cfg(test)]
    folder: PathBuf,
    _server: Running,
}

/// An account that a program is handed to.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// The folder with `initdb` and `postgres`: from PATH, or where Debian, Red Hat and Homebrew put them.
pub fn programs() -> Option<PathBuf> {
    let from_path = tools::on_path(&["initdb"]).and_then(|p| p.canonicalize().ok());
    let mut folders: Vec<PathBuf> = from_path.iter().filter_map(|p| p.parent()).map(Path::to_owned).collect();
    folders.extend(tools::children(Path::new("/usr/lib/postgresql"), "").map(|f| f.join("bin")));
    for (folder, prefix) in
        [("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql"), ("/usr/local/opt", "postgresql")]
    {
        folders.extend(tools::children(Path::new(folder), prefix).map(|f| f.join("bin")));
    }
    folders.into_iter().find(|f| ["initdb", "postgres"].iter().all(|p| tools::is_program(&f.join(p))))
}

impl Postgres {
    /// Makes and starts a server; returns when it accepts connections.
    pub fn start() -> Result<Self> {
        let programs = programs().context("PostgreSQL is not installed")?;
        let account = if tools::is_root() { Some(unprivileged()?) } else { None };
        let folder = temporary_folder(account)?;
        let result = Self::start_in(&programs, account, &folder);
        if result.is_err() {
            fs::remove_dir_all(&folder).ok();
        }
        result
    }

    /// Where the superuser connects.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn start_in(programs: &Path, account: Option<Account>, folder: &Path) -> Result<Self> {
        let (data, log) = (folder.join("data"), folder.join("log"));
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut shell = Command::new("sh");
        shell.args(["-c", MAKE_AND_SERVE, "sh"]).arg(programs).arg(&data).arg(folder).arg(port.to_string());
        shell.stdout(fs::File::create(&log)?).stderr(fs::OpenOptions::new().append(true).open(&log)?);
        if let Some(Account { uid, gid }) = account {
            shell.uid(uid).gid(gid);
        }
        let mut server = Running::start(shell.current_dir(folder), Some(folder))?;

        let start = Instant::now();
        while !is_ready(&data) {
            let ended = server.ended()?;
            if ended.is_some() || start.elapsed() > START_LIMIT {
                let log = fs::read_to_string(&log).unwrap_or_default();
                bail!("PostgreSQL did not start ({}):\n{log}", programs.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            #[cfg(test)]
            folder: folder.to_owned(),
            _server: server,
        })
    }
}

/// The eighth line of `postmaster.pid` is the server's state.
fn is_ready(data: &Path) -> bool {
    let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

fn unprivileged() -> Result<Account> {
    let number = |flag: &str, name: &str| -> Option<u32> {
        let id = child::output(Command::new("id").args([flag, name])).ok()?;
        String::from_utf8(id).ok()?.trim().parse().ok()
    };
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some(Account { uid: number("-u", name)?, gid: number("-g", name)? }))
        .context("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
}

/// A folder that only the account can enter. Root's own TMPDIR may be closed to others, so root uses `/tmp`.
fn temporary_folder(account: Option<Account>) -> Result<PathBuf> {
    let parent = if account.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    for attempt in 0..100 {
        let folder = parent.join(format!("madang-pg-{}-{attempt}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                if let Some(Account { uid, gid }) = account {
                    chown(&folder, Some(uid), Some(gid))?;
                }
                return Ok(folder);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("could not make {}", folder.display())),
        }
    }
    bail!("no free name for a folder in {}", parent.display());
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    /// Where PostgreSQL is not installed, `cargo xtask test` says so itself.
    #[test]
    fn a_server_answers_until_it_is_dropped_and_leaves_nothing() {
        if programs().is_none() {
            return;
        }
        let server = Postgres::start().unwrap();
        let address = server.url().split(['@', '/']).nth(3).unwrap().to_owned();
        let folder = server.folder.clone();
        assert!(TcpStream::connect(&address).is_ok(), "{address}");
        assert!(folder.join("data/PG_VERSION").exists());
        drop(server);
        assert!(TcpStream::connect(&address).is_err());
        assert!(!folder.exists());
    }
}
