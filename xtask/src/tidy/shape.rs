//! The shape of a file: short, and opening with a comment that says what it is.
//!
//! Invariants: generated files are exempt; tests may be longer, since they are read one at a time.

use super::{Tree, Violation, has_extension, is_generated, is_test};

const LIMIT: usize = 400;
const TEST_LIMIT: usize = 600;
/// The map has to be read in one sitting.
const ARCHITECTURE_LIMIT: usize = 250;

pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !is_generated(path)) {
        found.extend(too_long(path, text));
        found.extend(without_comment(path, text));
    }
    found
}

fn too_long(path: &str, text: &str) -> Option<Violation> {
    let limit = if path == "ARCHITECTURE.md" {
        ARCHITECTURE_LIMIT
    } else if !has_extension(path, &["rs", "ts", "tsx", "js", "mjs", "css", "html", "sql", "sh"]) {
        return None;
    } else if is_test(path) {
        TEST_LIMIT
    } else {
        LIMIT
    };
    let lines = text.lines().count();
    let message =
        format!("{lines} lines; the limit is {limit}. Split it where a reader would look for a part");
    (lines > limit).then(|| Violation::new(path, limit + 1, message))
}

fn without_comment(path: &str, text: &str) -> Option<Violation> {
    if has_extension(path, &["rs"]) {
        let (line, first) = first_line_of_rust(text);
        let message = "a Rust file opens with `//!`: what it is, how it works, its invariants";
        return (!first.starts_with("//!")).then(|| Violation::new(path, line, message));
    }
    if has_extension(path, &["ts", "tsx"]) {
        let first = text.trim_start();
        let message = "a TypeScript file opens with a comment, `//` or `/**`: what it is";
        return (!first.starts_with("//") && !first.starts_with("/*"))
            .then(|| Violation::new(path, 1, message));
    }
    None
}

/// The first line, and its number, that is neither empty nor part of an inner attribute `#![…]`.
fn first_line_of_rust(text: &str) -> (usize, &str) {
    let mut depth = 0_i32;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if depth == 0 && !line.is_empty() && !line.starts_with("#![") {
            return (number, line);
        }
        depth += line.chars().map(|c| i32::from(c == '[') - i32::from(c == ']')).sum::<i32>();
    }
    (1, "")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, tree};
    use super::*;

    #[test]
    fn length() {
        let of = |lines: usize| "//! x\n".repeat(lines);
        let files = tree(&[
            ("a/src/fits.rs", &of(400)),
            ("a/src/long.rs", &of(401)),
            ("a/tests/fits.rs", &of(600)),
            ("a/tests/long.rs", &of(601)),
            ("web/src/schema.gen.ts", &of(900)),
            ("ARCHITECTURE.md", &of(251)),
            ("docs/protocol.md", &of(900)),
        ]);
        assert_eq!(
            places(&check(&files)),
            ["ARCHITECTURE.md:251", "a/src/long.rs:401", "a/tests/long.rs:601"]
        );
    }

    #[test]
    fn opening_comment() {
        let files = tree(&[
            ("bad.rs", "use x;\n//! late"),
            ("bad_attribute.rs", "#![expect(\n    dead_code,\n    reason = \"[x]\"\n)]\n\nfn main() {}"),
            ("empty.rs", ""),
            ("good.rs", "\n//! What it is."),
            ("good_attribute.rs", "#![expect(\n    dead_code\n)]\n//! What it is."),
            ("bad.ts", "import x from 'y';"),
            ("good.ts", "// What it is."),
            ("good.tsx", "/** What it is. */"),
        ]);
        assert_eq!(places(&check(&files)), ["bad.rs:1", "bad.ts:1", "bad_attribute.rs:6", "empty.rs:1"]);
    }
}
