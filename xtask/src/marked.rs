//! Documents of which a part between two marks is written by a command, and the rest by hand.
//!
//! Invariants: what stands outside the marks is kept to the byte.

use std::fs;

use anyhow::{Context, Result};

use crate::tools;

/// Puts what `cargo xtask NAME` found into its place in a document.
pub fn write(document: &str, name: &str, section: &str) -> Result<()> {
    let path = tools::root().join(document);
    let old = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let new = replaced(&old, name, section).with_context(|| document.to_owned())?;
    fs::write(&path, new).with_context(|| format!("could not write {}", path.display()))
}

/// The document with another section in its place.
pub fn replaced(old: &str, name: &str, section: &str) -> Result<String> {
    let place = |end: &str| {
        let mark = format!("<!-- cargo xtask {name}: {end} -->");
        let at = old.find(&mark).with_context(|| format!("there is no line {mark}"))?;
        anyhow::Ok((at, at + mark.len()))
    };
    let ((_, begin), (end, _)) = (place("begin")?, place("end")?);
    let before = old.get(..begin).filter(|_| begin <= end).context("the end stands before the begin")?;
    Ok(format!("{before}\n{}\n{}", section.trim_end(), &old[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_hand_stays() {
        let (begin, end) = ("<!-- cargo xtask bench: begin -->", "<!-- cargo xtask bench: end -->");
        let old = format!("# Title\n\n{begin}\nold\n{end}\n\nBelow.\n");
        let new = replaced(&old, "bench", "\nnew\n").unwrap();
        assert_eq!(new, format!("# Title\n\n{begin}\n\nnew\n{end}\n\nBelow.\n"));
        assert_eq!(replaced(&new, "bench", "\nnew\n").unwrap(), new);
        assert!(replaced("# Title", "bench", "new").is_err());
        assert!(replaced(&format!("{end}{begin}"), "bench", "new").is_err());
    }

    #[test]
    fn the_documents_have_a_place_for_it() {
        for (document, name) in [("docs/benchmarks.md", "bench"), ("docs/operations.md", "sizing")] {
            let document = fs::read_to_string(tools::root().join(document)).unwrap();
            assert!(replaced(&document, name, "new").unwrap().contains("\nnew\n"));
        }
    }
}
