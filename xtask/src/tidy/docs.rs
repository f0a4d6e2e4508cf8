//! Documents: their links lead somewhere, and the two READMEs tell the same story.
//!
//! Invariants: a link is judged by what git tracks, since that is what a reader gets; the network is not asked.

use super::{Tree, Violation};

const README: &str = "README.md";
const README_KO: &str = "README.ko.md";

pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if !exists(tree, path, target) {
                let message = format!("dead link to {target}: correct it, or add what it promises");
                found.push(Violation::new(path, line, message));
            }
        }
    }
    found.extend(readmes(tree));
    found
}

fn readmes(tree: &Tree) -> Option<Violation> {
    let headings = |text: &str| prose(text).filter(|(_, line)| line.starts_with("## ")).count();
    let (english, korean) = (headings(tree.get(README)?), headings(tree.get(README_KO)?));
    let message = format!("{korean} sections here, {english} in {README}: keep the two in step");
    (english != korean).then(|| Violation::new(README_KO, 1, message))
}

/// The lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The relative targets of `[text](target)` and `[name]: target`, without `#section`, and their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Every second piece between backticks is code.
        for piece in line.split('`').step_by(2) {
            for (_, rest) in piece.match_indices("](").map(|(at, _)| piece.split_at(at + 2)) {
                found.push((number, rest.split([')', ' ']).next().unwrap_or_default()));
            }
        }
        let definition = line.strip_prefix('[').and_then(|l| l.split_once("]: "));
        if let Some((_, target)) = definition {
            found.push((number, target.split(' ').next().unwrap_or_default()));
        }
    }
    let relative = |target: &str| !target.contains("://") && !target.starts_with("mailto:");
    let mut found: Vec<_> = found.into_iter().filter(|(_, target)| relative(target)).collect();
    for (_, target) in &mut found {
        *target = target.split('#').next().unwrap_or_default().trim_matches(['<', '>']);
    }
    found.retain(|(_, target)| !target.is_empty());
    found
}

/// Whether `target`, written in the document `from`, is a tracked file or a folder with one.
fn exists(tree: &Tree, from: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { from.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let folder = format!("{path}/");
    path.is_empty() || tree.contains_key(&path) || tree.keys().any(|p| p.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, tree};
    use super::*;

    #[test]
    fn dead_links() {
        let text = "\
[good](other.md) and [section](other.md#x), [own](#here), [folder](../web/)
[web](https://example.org/x.md) [mail](mailto:a@example.org) `[code](nowhere.md)`
```
[fenced](nowhere.md)
```
[bad](nowhere.md) [from the root](/README.md)
![picture](picture.png) [good](other.md \"title\")
[outside](../../x.md)
[name]: gone.md
";
        let files =
            tree(&[("docs/a.md", text), ("docs/other.md", ""), ("web/package.json", ""), ("README.md", "")]);
        let found = check(&files);
        assert_eq!(places(&found), ["docs/a.md:6", "docs/a.md:7", "docs/a.md:8", "docs/a.md:9"]);
        assert!(found[0].message.contains("nowhere.md"));
    }

    #[test]
    fn readmes_in_step() {
        let english = "# A\n## One\n```\n## not a heading\n```\n## Two\n### Part\n";
        let same = tree(&[(README, english), (README_KO, "# A\n## 하나\n## 둘\n")]);
        assert!(check(&same).is_empty());
        let behind = tree(&[(README, english), (README_KO, "# A\n## 하나\n")]);
        assert_eq!(places(&check(&behind)), ["README.ko.md:1"]);
    }
}
