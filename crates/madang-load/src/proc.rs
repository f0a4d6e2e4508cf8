//! What the kernel says about processes: CPU time, memory, open files, and who listens on a port.
//!
//! Linux only; elsewhere there is nothing to read, and the figures are left out of the report.

use std::{fs, io, process::Command, time::Duration};

use crate::Error;

/// Kernel ticks a second in `/proc/*/stat`: 100 on every Linux that user space sees.
const TICKS: u64 = 100;

/// A process of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(pub u32);

impl Process {
    /// The process that listens on a TCP port, if we may see it.
    #[must_use]
    pub fn listening_on(port: u16) -> Option<Self> {
        let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .find_map(|path| listener(&fs::read_to_string(path).ok()?, port))?;
        let wanted = format!("socket:[{inode}]");
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let mut files = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
            files
                .any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()))
                .then_some(Self(pid))
        })
    }

    /// This process.
    #[must_use]
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// CPU time used by all its threads.
    #[must_use]
    pub fn cpu(self) -> Option<Duration> {
        cpu_of(&fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?)
    }

    /// Resident memory in bytes.
    #[must_use]
    pub fn memory(self) -> Option<u64> {
        memory_of(&fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?)
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn kill(self) -> Result<(), Error> {
        let doing = || Error::io(format!("killing process {}", self.0));
        let status =
            Command::new("kill").args(["-s", "KILL", &self.0.to_string()]).status().map_err(doing())?;
        if status.success() { Ok(()) } else { Err(doing()(io::ErrorKind::NotFound.into())) }
    }

    /// How many files it may open.
    #[must_use]
    pub fn files(self) -> Option<u64> {
        files_of(&fs::read_to_string(format!("/proc/{}/limits", self.0)).ok()?)
    }
}

/// CPU time of the calling thread, to the nanosecond.
#[must_use]
pub fn thread_cpu() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The inode of the socket that listens on `port`, in a table like `/proc/net/tcp`.
fn listener(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = u16::from_str_radix(fields.get(1)?.rsplit_once(':')?.1, 16).ok()?;
        (local == port && *fields.get(3)? == LISTEN).then(|| fields.get(9)?.parse().ok())?
    })
}

fn cpu_of(stat: &str) -> Option<Duration> {
    // The name in parentheses may have spaces in it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

fn memory_of(status: &str) -> Option<u64> {
    let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kb.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

fn files_of(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0 0 11 1 x\n\
             1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4711 1 x\n";
        assert_eq!((listener(table, 8080), listener(table, 8081)), (Some(4711), None));
        let stat = "42 (a (b) c) S 1 1 1 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 4 0 100 1000 10";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(3)));
        assert_eq!(memory_of("Name:\tx\nVmRSS:\t   2048 kB\n"), Some(2 << 20));
        assert_eq!(
            files_of("Limit Soft Hard\nMax open files            1024      4096      files\n"),
            Some(1024)
        );
        assert_eq!((cpu_of(""), memory_of(""), files_of("")), (None, None, None));
    }

    #[test]
    fn this_process_and_its_listener_are_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(Process::listening_on(port), Some(Process::own()));
        assert!(Process::own().memory().unwrap() > 0 && Process::own().files().unwrap() > 0);
        assert!(Process::own().cpu().is_some() && thread_cpu().is_some());
    }
}
