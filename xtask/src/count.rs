//! Counting tests by reading the summaries that test runners print.
//!
//! Invariants: a line counts once; whoever prints no summary known here counts nothing, and `report.rs` then
//! counts the part itself.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl Counts {
    /// Adds what `line` says, if it is a summary of cargo test, Vitest, Playwright or `node --test`.
    pub fn read(&mut self, line: &str) {
        let plain = without_colour(line);
        let line = plain.trim();
        let rest = if let Some(rest) = line.strip_prefix("test result:") {
            rest // cargo: test result: ok. 12 passed; 0 failed; 0 ignored; …
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            rest // Vitest: Tests  1 failed | 11 passed (12)
        } else if let Some(rest) = line.strip_prefix("ℹ ").or(line.strip_prefix("# ")) {
            return self.read_node(rest); // node: ℹ pass 3
        } else if is_playwright(line) {
            line // Playwright: 3 passed (2.1s)
        } else {
            return;
        };
        let words: Vec<&str> = rest.split([' ', ';', '.', '|']).filter(|w| !w.is_empty()).collect();
        for pair in words.windows(2) {
            if let Ok(number) = pair[0].parse::<usize>() {
                match pair[1] {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    _ => {}
                }
            }
        }
    }

    fn read_node(&mut self, rest: &str) {
        if let Some((word, Ok(number))) = rest.split_once(' ').map(|(w, n)| (w, n.trim().parse::<usize>())) {
            match word {
                "pass" => self.passed += number,
                "fail" | "cancelled" => self.failed += number,
                _ => {}
            }
        }
    }
}

/// `3 passed (2.1s)` or `1 failed`, and nothing else on the line.
fn is_playwright(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let number = words.next().is_some_and(|w| w.parse::<usize>().is_ok());
    let verdict = words.next();
    let time = words.next();
    let known = match verdict {
        Some("passed") => time.is_some_and(|t| t.starts_with('(') && t.ends_with(')')),
        Some("failed") => time.is_none(),
        _ => false,
    };
    number && known && words.next().is_none()
}

/// The line without terminal colour sequences (`ESC [ … letter`).
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> (usize, usize) {
        let mut counts = Counts::default();
        lines.lines().for_each(|l| counts.read(l));
        (counts.passed, counts.failed)
    }

    #[test]
    fn cargo_is_summed_over_binaries() {
        let two = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
            test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored; 0 measured; finished in 0.1s";
        assert_eq!(read(two), (15, 2));
    }

    #[test]
    fn vitest_files_are_not_tests() {
        assert_eq!(read(" Test Files  2 passed (2)\n      Tests  1 failed | 11 passed (12)"), (11, 1));
    }

    #[test]
    fn playwright_and_node() {
        assert_eq!(read("  1 failed\n    [chromium] › chat.spec.ts\n  3 passed (2.1s)"), (3, 1));
        assert_eq!(read("ℹ tests 5\nℹ pass 4\nℹ fail 1\nℹ skipped 0"), (4, 1));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(read("2 passed the door\ntest a ... ok\n# pass the salt\nfailures: 3 failed"), (0, 0));
    }
}
