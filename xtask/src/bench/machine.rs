//! The machine: what it is, and which of its cores are for the server and which for the load.
//!
//! How: `/proc` and the programs that know. Where `taskset` is missing or there is one core only, nothing is
//! pinned, and the document says so.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{child, tools};

/// What is known of it.
pub struct Machine {
    /// For the document: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Cores as `taskset` takes them, of the server and of the load.
    pub cores: Option<(String, String)>,
}

impl Machine {
    pub fn look() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let cores = field(&status, "Cpus_allowed_list:").map(|list| numbers(&list)).unwrap_or_default();
        let taskset = tools::on_path(&["taskset"]).is_some();
        let halves = halves(&cores).filter(|_| taskset);
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = field(&memory, "MemTotal:").and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
        let facts = vec![
            ("Date", said("date", &["-u", "+%Y-%m-%d"])),
            (
                "Processor",
                field(&info, "model name")
                    .map_or_else(unknown, |m| m.trim_matches([' ', ':', '\t']).to_owned()),
            ),
            ("Cores", cores.len().to_string()),
            ("Memory", memory.map_or_else(unknown, |kb| format!("{:.0} GB", kb as f64 / 1e6))),
            ("Kernel", said("uname", &["-sr"])),
            (
                "Pinning",
                halves.as_ref().map_or_else(
                    || "none: it takes `taskset` (util-linux) and two cores".to_owned(),
                    |(server, load)| format!("server on core {server}, load on core {load}"),
                ),
            ),
        ];
        Self { facts, cores: halves }
    }

    /// A command on the server's cores.
    pub fn for_server(&self, program: impl AsRef<Path>) -> Command {
        pinned(self.cores.as_ref().map(|(server, _)| server), program.as_ref())
    }

    /// A command on the cores of the load.
    pub fn for_load(&self, program: impl AsRef<Path>) -> Command {
        pinned(self.cores.as_ref().map(|(_, load)| load), program.as_ref())
    }
}

fn pinned(cores: Option<&String>, program: &Path) -> Command {
    let Some(cores) = cores else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).arg(program);
    command
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The first line of what a program prints.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = child::output(Command::new(program).args(arguments).current_dir(tools::root()));
    let text = String::from_utf8(output.unwrap_or_default()).unwrap_or_default();
    text.lines().next().filter(|l| !l.is_empty()).map_or_else(unknown, |l| l.trim().to_owned())
}

fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

/// `0-2,5` as numbers.
fn numbers(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.trim().parse::<u32>().ok()?..=to.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// One core each of two or three, else the two halves.
fn halves(cores: &[u32]) -> Option<(String, String)> {
    let half = cores.len() / 2;
    let list = |cores: &[u32]| cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    (half > 0).then(|| (list(&cores[..half]), list(&cores[half..half * 2])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_shared_out() {
        assert_eq!(numbers("0-2,5"), [0, 1, 2, 5]);
        let shared = |list: &str| halves(&numbers(list)).map(|(a, b)| format!("{a} {b}"));
        assert_eq!(shared("3"), None);
        assert_eq!(shared("0-1").unwrap(), "0 1");
        assert_eq!(shared("0-2").unwrap(), "0 1");
        assert_eq!(shared("0-3").unwrap(), "0,1 2,3");
    }

    #[test]
    fn this_machine_has_facts() {
        let machine = Machine::look();
        assert!(machine.facts.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
    }
}
