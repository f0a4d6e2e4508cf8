//! Nothing unfinished and no test switched off: what is merged is done, and what is not is an issue.
//!
//! Invariants: the words looked for are put together from pieces, so that this file passes its own rule.

use super::{Tree, Violation, has_extension, is_generated, is_test};

/// What is looked for, and in which files.
struct Marker {
    text: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In code and documents, as a word of its own.
    Unfinished,
    /// The same, whatever its case.
    UnfinishedPhrase,
    /// In Rust.
    RustTestOff,
    /// In TypeScript tests; elsewhere it may be an ordinary method.
    WebTestOff,
}

const MARKERS: &[Marker] = &[
    Marker { text: concat!("to", "do!("), kind: Kind::Unfinished },
    Marker { text: concat!("unimpl", "emented!("), kind: Kind::Unfinished },
    Marker { text: concat!("TO", "DO"), kind: Kind::Unfinished },
    Marker { text: concat!("FIX", "ME"), kind: Kind::Unfinished },
    Marker { text: concat!("XX", "X:"), kind: Kind::Unfinished },
    Marker { text: concat!("for", " now"), kind: Kind::UnfinishedPhrase },
    Marker { text: concat!("#[ign", "ore"), kind: Kind::RustTestOff },
    Marker { text: concat!(".sk", "ip("), kind: Kind::WebTestOff },
    Marker { text: concat!(".on", "ly("), kind: Kind::WebTestOff },
];

pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !is_generated(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            for marker in MARKERS.iter().filter(|m| m.kind.applies_to(path) && m.is_in(line)) {
                let advice = match marker.kind {
                    Kind::Unfinished | Kind::UnfinishedPhrase => {
                        "finish it, or open an issue and say what is"
                    }
                    Kind::RustTestOff | Kind::WebTestOff => "assert what happens today, or repair it",
                };
                found.push(Violation::new(path, number, format!("`{}`: {advice}", marker.text)));
            }
        }
    }
    found
}

impl Kind {
    fn applies_to(self, path: &str) -> bool {
        let code = ["rs", "ts", "tsx", "js", "mjs", "css", "html", "sql", "sh", "toml", "yml", "md"];
        match self {
            Self::Unfinished | Self::UnfinishedPhrase => has_extension(path, &code),
            Self::RustTestOff => has_extension(path, &["rs"]),
            Self::WebTestOff => has_extension(path, &["ts", "tsx"]) && is_test(path),
        }
    }
}

impl Marker {
    fn is_in(&self, line: &str) -> bool {
        match self.kind {
            Kind::Unfinished => has_word(line, self.text),
            Kind::UnfinishedPhrase => has_word(&line.to_lowercase(), self.text),
            Kind::RustTestOff | Kind::WebTestOff => line.contains(self.text),
        }
    }
}

/// Whether `line` has `word` with no letter, digit or underscore before it, nor after it when it ends in one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_end = word.ends_with(part_of_word);
        let continues = open_end && after.is_some_and(part_of_word);
        !continues && !before.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, tree};
    use super::*;

    #[test]
    fn every_marker_is_found() {
        for marker in MARKERS {
            let line = format!("good\n    {} it", marker.text);
            let path = match marker.kind {
                Kind::WebTestOff => "web/src/a.test.ts",
                _ => "crates/a/src/a.rs",
            };
            assert_eq!(places(&check(&tree(&[(path, &line)]))), [format!("{path}:2")], "{}", marker.text);
        }
    }

    #[test]
    fn lookalikes_are_left_alone() {
        let skip = concat!("values.iter().sk", "ip(1)");
        let other = concat!("let method = AUTODOX; // suffix before nowhere, for nowhere; my_to", "do!(x)");
        let files = tree(&[("a/src/a.rs", skip), ("web/src/list.ts", skip), ("a/src/b.rs", other)]);
        assert_eq!(places(&check(&files)), Vec::<String>::new());
    }

    #[test]
    fn generated_files_and_case() {
        let phrase = concat!("For", " Now it stays");
        let files = tree(&[("web/src/a.gen.ts", phrase), ("docs/a.md", phrase), ("data.bin", phrase)]);
        assert_eq!(places(&check(&files)), ["docs/a.md:1"]);
    }
}
