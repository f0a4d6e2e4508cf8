//! Finding the programs that the work needs, and installing them where that is allowed.
//!
//! How: a `Need` knows how it is found and which Debian package has it. What is missing is installed with one
//! `apt-get` on Debian and Ubuntu, as root or through `sudo` without a password; elsewhere, and where that
//! fails, the answer is the command for a person to run.
//!
//! Invariants: nothing is installed that is there already; nothing asks for a password.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::{child, postgres, report, web};

/// The folder of the repository.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where cargo puts what it builds: the folder two above this program.
pub fn target_dir() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).context("xtask is not in a target folder")?.to_owned())
}

/// Cargo in the repository's folder, as a person would start it: without what `cargo run` told xtask about
/// itself, which would make build scripts run again.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.current_dir(root());
    command
}

/// Whether this is an unattended run, where nothing may be skipped.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|v| v == "true" || v == "1")
}

/// The first of `names` that is an executable file on PATH.
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| env::split_paths(&path).map(|p| p.join(name)).find(|p| is_program(p)))
}

pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The user we run as is root.
pub fn is_root() -> bool {
    child::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0")
}

/// Something the tests use that is neither Rust nor Node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Postgres,
    Redis,
    Chromium,
    KoreanFont,
    Tmux,
    Ffmpeg,
    Python,
    Promtool,
    HaProxy,
    Nginx,
}

/// A need that could not be met: what is missing and which command installs it.
pub struct Missing {
    pub need: Need,
    pub why: String,
    pub help: String,
}

impl Need {
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Chromium => "Chromium",
            Self::KoreanFont => "Korean font",
            Self::Tmux => "tmux",
            Self::Ffmpeg => "ffmpeg",
            Self::Python => "Python with venv",
            Self::Promtool => "promtool",
            Self::HaProxy => "HAProxy",
            Self::Nginx => "nginx",
        }
    }

    fn found(self) -> bool {
        match self {
            Self::Postgres => postgres::programs().is_some(),
            Self::Redis => on_path(&["redis-server"]).is_some() && on_path(&["redis-cli"]).is_some(),
            Self::Chromium => chromium().is_some(),
            Self::KoreanFont => has_korean_font(),
            Self::Tmux => on_path(&["tmux"]).is_some(),
            Self::Ffmpeg => on_path(&["ffmpeg"]).is_some() && on_path(&["ffprobe"]).is_some(),
            Self::Promtool => on_path(&["promtool"]).is_some(),
            // Debian keeps them away from the PATH of people.
            Self::HaProxy => on_path(&["haproxy"]).is_some() || is_program(Path::new("/usr/sbin/haproxy")),
            Self::Nginx => on_path(&["nginx"]).is_some() || is_program(Path::new("/usr/sbin/nginx")),
            // Debian's Python comes without what makes folders of its own.
            Self::Python => {
                child::output(Command::new("python3").args(["-m", "ensurepip", "--version"])).is_ok()
            }
        }
    }

    fn debian_package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Redis => "redis-server",
            Self::Chromium => "chromium",
            Self::KoreanFont => "fonts-noto-cjk",
            Self::Tmux => "tmux",
            Self::Ffmpeg => "ffmpeg",
            Self::Python => "python3-venv",
            Self::Promtool => "prometheus",
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The command for a person.
    fn help(self) -> String {
        if self == Self::Chromium && system() == "ubuntu" {
            return format!("cd web && npx {}", PLAYWRIGHT_INSTALL.join(" "));
        }
        if on_path(&["apt-get"]).is_some() {
            return format!("sudo apt-get install {}", self.debian_package());
        }
        let name = match (self, cfg!(target_os = "macos")) {
            (Self::Postgres, true) => "brew install postgresql@17",
            (Self::Redis, true) => "brew install redis",
            (Self::Chromium, true) => "brew install --cask google-chrome",
            (Self::KoreanFont, true) => "brew install --cask font-noto-sans-cjk",
            (Self::Tmux, true) => "brew install tmux",
            (Self::Ffmpeg, true) => "brew install ffmpeg",
            (Self::Python, true) => "brew install python",
            (Self::Promtool, true) => "brew install prometheus",
            (Self::HaProxy, true) => "brew install haproxy",
            (Self::Nginx, true) => "brew install nginx",
            (need, false) => return format!("install {} with the system's package manager", need.name()),
        };
        name.to_owned()
    }
}

/// Installs what is missing of `needs`, if it may, and returns what is missing still.
pub fn provide(needs: &[Need]) -> Vec<Missing> {
    let missing = |needs: &[Need]| needs.iter().copied().filter(|n| !n.found()).collect::<Vec<_>>();
    let absent = missing(needs);
    if absent.is_empty() {
        return Vec::new();
    }
    let tried = report::step("install what the tests need", || install(&absent));
    let why = match &tried {
        Ok(()) => "installed, but still not found".to_owned(),
        Err(error) => format!("not found; {error:#}"),
    };
    missing(&absent).into_iter().map(|need| Missing { need, why: why.clone(), help: need.help() }).collect()
}

const PLAYWRIGHT_INSTALL: [&str; 4] = ["playwright-core", "install", "--with-deps", "chromium"];

/// Installing Debian's servers would also make and start a database, and start the others: asked not to, for the time of
/// this installation only, and these not to start with the machine either.
const APT_INSTALL: &str = "\
set -e
conf= policy=
trap 'rm -f $conf $policy' EXIT
trap 'exit 130' INT TERM
case \" $* \" in *' postgresql '*)
    conf=/etc/postgresql-common/createcluster.d/madang-tests.conf
    mkdir -p \"${conf%/*}\"
    echo 'create_main_cluster = false' >\"$conf\" ;;
esac
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\\nexit 101\\n' >\"$policy\"
    chmod 755 \"$policy\"
fi
apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \"$@\"
for server in redis-server prometheus haproxy nginx; do
    case \" $* \" in *\" $server \"*)
        systemctl disable \"$server\" >/dev/null 2>&1 || true ;;
    esac
done";

fn install(needs: &[Need]) -> Result<()> {
    if on_path(&["apt-get"]).is_none() {
        bail!("installing by itself is for Debian and Ubuntu only");
    }
    let mut shell = if is_root() {
        Command::new("sh")
    } else if child::output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    } else {
        bail!("installing by itself needs root, or sudo without a password");
    };
    // Ubuntu's chromium package is a pointer to a snap, which does not run in containers.
    let ubuntu = system() == "ubuntu";
    let from_apt: Vec<&str> =
        needs.iter().filter(|n| !(ubuntu && **n == Need::Chromium)).map(|n| n.debian_package()).collect();
    if !from_apt.is_empty() {
        let apt = child::run(shell.args(["-c", APT_INSTALL, "sh"]).args(&from_apt));
        apt.map_err(|_| anyhow!("apt-get could not install {} (see above)", from_apt.join(", ")))?;
    }
    if from_apt.len() < needs.len() {
        web::install()?;
        child::run(
            Command::new("npx").arg("--no-install").args(PLAYWRIGHT_INSTALL).current_dir(web::folder()),
        )?;
    }
    Ok(())
}

/// `ID` of os-release: `debian`, `ubuntu`, … or nothing.
fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let id = release.lines().find_map(|l| l.strip_prefix("ID="));
    id.unwrap_or_default().trim_matches('"').to_owned()
}

/// A Chromium that runs: from CHROMIUM, PATH, the usual place on macOS, or playwright-core's downloads.
pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let mut places: Vec<PathBuf> = env::var_os("CHROMIUM").map(PathBuf::from).into_iter().collect();
    places.extend(names.iter().filter_map(|n| on_path(&[n])));
    places.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome".into());
    places.push("/Applications/Chromium.app/Contents/MacOS/Chromium".into());
    for folder in children(&home.join(".cache/ms-playwright"), "chromium-") {
        places.extend(children(&folder, "chrome-linux").map(|f| f.join("chrome")));
    }
    let runs = |p: &PathBuf| is_program(p) && child::output(Command::new(p).arg("--version")).is_ok();
    places.into_iter().find(runs)
}

/// The entries of `folder` whose names begin with `prefix`, the last name first.
pub fn children(folder: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let matches = |name: &OsStr| name.to_string_lossy().starts_with(prefix);
    let mut found: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.flatten().filter(|e| matches(&e.file_name())).map(|e| e.path()).collect())
        .unwrap_or_default();
    found.sort();
    found.into_iter().rev()
}

/// Without one, Korean shows as boxes in the browser tests' screenshots.
fn has_korean_font() -> bool {
    cfg!(target_os = "macos")
        || Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").exists()
        || child::output(Command::new("fc-list").arg(":lang=ko")).is_ok_and(|list| !list.is_empty())
}

/// Some crates build C; without a compiler they fail late and with an unclear message.
pub fn require_c_compiler() -> Result<()> {
    if env::var_os("CC").is_some() || on_path(&["cc", "gcc", "clang"]).is_some() {
        return Ok(());
    }
    let help = if cfg!(target_os = "macos") {
        "xcode-select --install"
    } else if on_path(&["apt-get"]).is_some() {
        "sudo apt-get install build-essential"
    } else {
        "install gcc or clang with the system's package manager"
    };
    bail!("a C compiler is needed (SQLite and the TLS library are built from C). To get one: {help}");
}
