//! Starting other programs, none of which outlives xtask.
//!
//! How: each program leads a process group of its own. Beside it waits a small shell that holds the reading
//! end of a pipe. When the program is done, or xtask ends in any way (return, panic, Ctrl-C, `kill -9`), the
//! pipe closes, and the shell interrupts what is left of the group, kills what ignores that, and removes the
//! temporary folder that belonged to it.
//!
//! Invariants:
//! - Programs read nothing from the terminal: they are in the background, and would be stopped for it.
//! - The shell holds neither our output nor our process group, so it can neither block a pipe nor get Ctrl-C.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// `$1` is the process group, `$2` a folder to remove (or empty). Asks with INT, which PostgreSQL takes as
/// "now", after a second with TERM, since shells let their background jobs ignore INT, after five with KILL.
const CLEAN_UP: &str = r#"
cat >/dev/null
kill -s INT -- "-$1" 2>/dev/null
tries=0
while [ "$tries" -lt 60 ] && kill -s 0 -- "-$1" 2>/dev/null; do
    tries=$((tries + 1))
    case $tries in
        10) kill -s TERM -- "-$1" 2>/dev/null ;;
        50) kill -s KILL -- "-$1" 2>/dev/null ;;
    esac
    sleep 0.1
done
if [ -n "$2" ]; then rm -rf -- "$2"; fi
"#;

/// A started program and the shell that cleans up after it. Dropping it ends both.
pub struct Running {
    process: Child,
    cleaner: Child,
}

impl Running {
    /// Starts `command`; `folder` is removed after it has ended.
    pub fn start(command: &mut Command, folder: Option<&Path>) -> Result<Self> {
        let name = name(command);
        let mut process = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {name}: is it installed and on PATH?"))?;
        let cleaner = Command::new("sh")
            .args(["-c", CLEAN_UP, "xtask-cleaner", &process.id().to_string()])
            .arg(folder.map_or(OsStr::new(""), Path::as_os_str))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match cleaner {
            Ok(cleaner) => Ok(Self { process, cleaner }),
            Err(error) => {
                process.kill().ok();
                process.wait().ok();
                Err(error).context("could not start sh")
            }
        }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the program has ended already.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.cleaner.stdin.take());
        self.process.wait().ok();
        self.cleaner.wait().ok();
    }
}

/// Runs `command` to its end, with its output going where ours goes; an error when it did not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let mut running = Running::start(command, None)?;
    check(command, running.process.wait()?)
}

/// Runs `command` to its end and gives each line of its standard output, without line end, as it comes.
/// Says whether it succeeded; errors mean that it could not be run.
pub fn run_by_line(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut running = Running::start(command.stdout(Stdio::piped()), None)?;
    let output = running.process.stdout.take().context("no pipe")?;
    for bytes in BufReader::new(output).split(b'\n') {
        line(String::from_utf8_lossy(&bytes?).trim_end_matches('\r'));
    }
    Ok(running.process.wait()?.success())
}

/// Runs `command` quietly and returns its standard output; the error carries what it said otherwise.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {}: is it installed and on PATH?", name(command)))?;
    check(command, output.status)
        .with_context(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    Ok(output.stdout)
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    bail!("`{} {}` failed ({status})", name(command), arguments.join(" "));
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: &str) -> bool {
        Command::new("sh").args(["-c", "kill -s 0 \"$1\" 2>/dev/null", "sh", pid]).status().unwrap().success()
    }

    #[test]
    fn what_a_program_leaves_behind_is_ended_and_its_folder_removed() {
        let folder = std::env::temp_dir().join(format!("xtask-child-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let pid_file = folder.join("pid");
        let mut sleeper = Command::new("sh");
        sleeper.args(["-c", "sleep 600 & echo $! >\"$1\"; wait", "sh"]).arg(&pid_file);
        let running = Running::start(&mut sleeper, Some(&folder)).unwrap();
        let pid = loop {
            match std::fs::read_to_string(&pid_file) {
                Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
                _ => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        };
        assert!(alive(&pid));
        drop(running);
        assert!(!alive(&pid));
        assert!(!folder.exists());
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
        let error = output(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.contains("no-such-program") && error.contains("PATH"), "{error}");
    }

    #[test]
    fn lines_come_whole() {
        let mut lines = Vec::new();
        let good = run_by_line(Command::new("printf").arg("a\nb c\r\nd"), |l| lines.push(l.to_owned()));
        assert!(good.unwrap());
        assert_eq!(lines, ["a", "b c", "d"]);
    }
}
