//! What the process takes of the machine, as Linux tells it; elsewhere nothing is known.

use std::{fs, path::Path};

/// What the process takes.
pub struct Process {
    /// Bytes of memory.
    pub resident_bytes: u64,
    /// Seconds of processors.
    pub cpu_seconds: f64,
    /// Open files, sockets among them.
    pub open_files: u64,
    /// How many may be open.
    pub most_files: u64,
}

impl Process {
    /// As it is now.
    pub fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        Some(Self {
            resident_bytes: kib * 1_024,
            cpu_seconds: cpu_seconds(&fs::read_to_string("/proc/self/stat").ok()?)?,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            // Without a limit there is no number.
            most_files: files.split_whitespace().next()?.parse().unwrap_or(u64::MAX),
        })
    }
}

/// The seconds in `/proc/self/stat`: its fields 14 and 15, in hundredths, which is what Linux tells programs on any
/// machine. The second field is the name, which may have spaces and brackets in it.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || after_name.next()?.parse::<u32>().ok();
    Some((f64::from(ticks()?) + f64::from(ticks()?)) / 100.0)
}

/// Bytes of the disk of a folder: how many are free for us, and how many there are.
#[cfg(unix)]
pub fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

/// Nothing is known.
#[cfg(not(unix))]
pub fn disk(_folder: &Path) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_processors_is_found_whatever_the_program_is_called() {
        let stat = "7 (a ) 1 2) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 33 1 2";
        assert_eq!(cpu_seconds(stat), Some(3.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_process_takes_is_told() {
        let Process { resident_bytes, open_files, most_files, .. } = Process::now().unwrap();
        assert!(resident_bytes > 1_000_000 && (3..=most_files).contains(&open_files));
        let (free, all) = disk(Path::new("/")).unwrap();
        assert!(free <= all && all > 0);
    }
}
