//! Migrations exist for both databases under the same name, or one of the two falls behind unseen.
//!
//! Invariants: a number is used once. What is inside them is compared by the store's own tests.

use std::collections::BTreeSet;

use super::{Tree, Violation};

const FOLDER: &str = "crates/madang-store/migrations/";
const DIALECTS: [(&str, &str); 2] = [("sqlite", "postgres"), ("postgres", "sqlite")];

pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (dialect, other) in DIALECTS {
        let folder = format!("{FOLDER}{dialect}/");
        let mut numbers = BTreeSet::new();
        for path in tree.keys() {
            let Some(name) = path.strip_prefix(&folder) else { continue };
            let Some(number) = number(name) else {
                found.push(Violation::new(path, 1, "a migration is named NNNN_name.sql"));
                continue;
            };
            if !numbers.insert(number) {
                found.push(Violation::new(path, 1, format!("number {number} is taken: use the next one")));
            }
            let twin = format!("{FOLDER}{other}/{name}");
            if !tree.contains_key(&twin) {
                found.push(Violation::new(path, 1, format!("the same change is missing in {twin}")));
            }
        }
    }
    found
}

/// `0001` of `0001_name.sql`.
fn number(name: &str) -> Option<&str> {
    let (number, rest) = name.strip_suffix(".sql")?.split_once('_')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let good = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
    (good && !rest.is_empty() && rest.chars().all(plain)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn messages(names: &[&str]) -> Vec<String> {
        let paths: Vec<String> = names.iter().map(|n| format!("{FOLDER}{n}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|p| (p.as_str(), "")).collect();
        check(&tree(&files)).iter().map(|v| v.message.clone()).collect()
    }

    #[test]
    fn both_dialects_have_the_same_names() {
        assert!(messages(&["sqlite/0001_first.sql", "postgres/0001_first.sql"]).is_empty());
        let one = messages(&["sqlite/0001_first.sql", "postgres/0001_first.sql", "postgres/0002_more.sql"]);
        assert_eq!(one, [format!("the same change is missing in {FOLDER}sqlite/0002_more.sql")]);
        assert_eq!(messages(&["sqlite/0001_a.sql", "postgres/0001_b.sql"]).len(), 2);
    }

    #[test]
    fn names_and_numbers() {
        let both = |name: &str| [format!("sqlite/{name}"), format!("postgres/{name}")];
        for name in ["1_first.sql", "0001_First.sql", "0001.sql", "0001_first.txt"] {
            let [a, b] = both(name);
            assert_eq!(messages(&[&a, &b]), ["a migration is named NNNN_name.sql"; 2], "{name}");
        }
        let twice: Vec<String> = ["0001_a.sql", "0001_b.sql"].iter().flat_map(|n| both(n)).collect();
        let twice: Vec<&str> = twice.iter().map(String::as_str).collect();
        assert_eq!(messages(&twice), ["number 0001 is taken: use the next one"; 2]);
    }
}
