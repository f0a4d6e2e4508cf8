//! Who may depend on whom. The walls between crates are the design; this table is where they stand.
//!
//! How: the manifests are read line by line, which their plain form allows; what is unknown is a violation,
//! so a new crate has to state its place here.

use super::{Tree, Violation};

/// A crate's place: the crates of this workspace that it may use, and those that its tests may use besides.
struct Place {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const PLACES: &[Place] = &[
    Place { name: "madang-proto", uses: &[], tests_use: &[] },
    Place { name: "madang-store", uses: &["madang-proto"], tests_use: &[] },
    Place { name: "madang-realtime", uses: &["madang-proto"], tests_use: &[] },
    Place { name: "madang-websocket", uses: &[], tests_use: &[] },
    Place {
        name: "madang-server",
        uses: &["madang-proto", "madang-store", "madang-realtime", "madang-websocket"],
        tests_use: &["madang-client"],
    },
    Place { name: "madang-client", uses: &["madang-proto"], tests_use: &[] },
    // The store for the floor only: what the database itself can do.
    Place {
        name: "madang-load",
        uses: &["madang-client", "madang-proto", "madang-store", "madang-websocket"],
        tests_use: &[],
    },
    Place { name: "madang-tui", uses: &["madang-client", "madang-proto"], tests_use: &[] },
    Place {
        name: "madang",
        uses: &["madang-server", "madang-tui", "madang-load", "madang-client", "madang-proto"],
        tests_use: &["madang-store", "madang-realtime"],
    },
    Place { name: "xtask", uses: &[], tests_use: &[] },
];

/// Packages that only the named crates may use, in tests too, and why.
const KEPT_IN: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["madang-store"], "all SQL is in the store"),
    ("axum", &["madang-server"], "HTTP is served in the server only"),
    ("redis", &["madang-realtime"], "the bus is part of the fan-out"),
];

/// Packages that the named crate may not use, and why.
const BARRED: &[(&str, &[&str], &str)] =
    &[("madang-proto", &["tokio", "reqwest", "hyper"], "the wire types do no IO and know no runtime")];

pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree {
        let folder = path.strip_suffix("/Cargo.toml").unwrap_or_default();
        let Some(name) = folder.strip_prefix("crates/").or(Some(folder).filter(|f| *f == "xtask")) else {
            continue;
        };
        let Some(place) = PLACES.iter().find(|p| p.name == name) else {
            let message = format!("{name} has no place yet: say in xtask/src/tidy/edges.rs whom it may use");
            found.push(Violation::new(path, 1, message));
            continue;
        };
        for edge in dependencies(text) {
            found.extend(judge(place, &edge).map(|message| Violation::new(path, edge.line, message)));
        }
    }
    found
}

/// What is wrong with `place` using the dependency.
fn judge(place: &Place, edge: &Edge) -> Option<String> {
    let Edge { package, for_tests, .. } = edge;
    let Place { name, uses, tests_use } = place;
    if package.starts_with("madang") || package == "xtask" {
        let allowed =
            uses.contains(&package.as_str()) || (*for_tests && tests_use.contains(&package.as_str()));
        let may = if uses.is_empty() { "none of our crates".to_owned() } else { uses.join(", ") };
        return (!allowed)
            .then(|| format!("{name} may not use {package}; it may use {may} (ARCHITECTURE.md)"));
    }
    for (kept, keepers, why) in KEPT_IN {
        if package == kept && !keepers.contains(name) {
            return Some(format!("{package} belongs to {} only: {why}", keepers.join(", ")));
        }
    }
    for (barred_from, packages, why) in BARRED {
        if name == barred_from && packages.contains(&package.as_str()) {
            return Some(format!("{name} may not use {package}: {why}"));
        }
    }
    None
}

/// One dependency in a manifest.
#[derive(Debug, PartialEq, Eq)]
struct Edge {
    package: String,
    for_tests: bool,
    line: usize,
}

/// The dependencies of a manifest: of all kinds and targets, as `key = …`, `key.workspace = …` and `[….key]`.
fn dependencies(manifest: &str) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let mut section: Option<bool> = None; // inside a list of dependencies: for tests?
    for (number, line) in (1..).zip(manifest.lines()) {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            let (list, key) = match header.rsplit_once("dependencies") {
                Some((kind, "")) => (Some(kind), None),
                Some((kind, rest)) => (Some(kind), rest.strip_prefix('.')),
                None => (None, None),
            };
            let for_tests = list.map(|kind| kind.ends_with("dev-"));
            section = for_tests.filter(|_| key.is_none());
            if let (Some(key), Some(for_tests)) = (key, for_tests) {
                edges.push(Edge { package: key.trim_matches('"').to_owned(), for_tests, line: number });
            }
        } else if let (Some(for_tests), Some((key, value))) = (section, line.split_once('=')) {
            let key = key.split('.').next().unwrap_or(key).trim().trim_matches('"');
            if key.is_empty() || key.starts_with('#') {
                continue;
            }
            let renamed = value.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
            let package = renamed.unwrap_or(key).to_owned();
            edges.push(Edge { package, for_tests, line: number });
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, tree};
    use super::*;

    fn messages(name: &str, manifest: &str) -> Vec<String> {
        check(&tree(&[(&format!("crates/{name}/Cargo.toml"), manifest)]))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\na = \"1\"\nb.workspace = true\n# c = \"1\"\n\
            d = { package = \"e\", version = \"1\" }\n[dev-dependencies]\nf = \"1\"\n\
            [target.'cfg(unix)'.dependencies]\ng = \"1\"\n[dependencies.h]\nversion = \"1\"\n[features]\ni = []";
        let found: Vec<_> =
            dependencies(manifest).into_iter().map(|e| (e.package, e.for_tests, e.line)).collect();
        let expected = [("a", false, 5), ("b", false, 6), ("e", false, 8), ("f", true, 10), ("g", false, 12)];
        let mut expected: Vec<_> = expected.map(|(p, t, l)| (p.to_owned(), t, l)).into();
        expected.push(("h".to_owned(), false, 13));
        assert_eq!(found, expected);
    }

    #[test]
    fn our_own_crates() {
        assert!(messages("madang-server", "[dependencies]\nmadang-store.workspace = true").is_empty());
        assert!(messages("madang-server", "[dev-dependencies]\nmadang-client.workspace = true").is_empty());
        let wrong = messages("madang-server", "[dependencies]\nmadang-client.workspace = true");
        assert!(
            wrong[0]
                .starts_with("crates/madang-server/Cargo.toml:2: madang-server may not use madang-client")
        );
        assert_eq!(messages("madang-store", "[dev-dependencies]\nmadang-realtime.workspace = true").len(), 1);
        assert_eq!(messages("madang-proto", "[build-dependencies]\nmadang-store.workspace = true").len(), 1);
    }

    #[test]
    fn packages_with_one_home() {
        assert!(messages("madang-store", "[dependencies]\nsqlx.workspace = true").is_empty());
        assert_eq!(messages("madang-server", "[dev-dependencies]\nsqlx.workspace = true").len(), 1);
        assert_eq!(messages("madang-tui", "[dependencies]\nweb = { package = \"axum\" }").len(), 1);
        assert_eq!(messages("madang-proto", "[dependencies]\ntokio.workspace = true").len(), 1);
        assert!(messages("madang-realtime", "[dependencies]\ntokio.workspace = true").is_empty());
    }

    #[test]
    fn an_unknown_crate_has_to_state_its_place() {
        let files =
            tree(&[("crates/madang-new/Cargo.toml", ""), ("Cargo.toml", ""), ("xtask/Cargo.toml", "")]);
        assert_eq!(places(&check(&files)), ["crates/madang-new/Cargo.toml:1"]);
    }
}
