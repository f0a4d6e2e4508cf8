//! What of a text is code: the bytes between backticks and in fences, where nothing means anything.
//!
//! Invariants:
//! - Pure, and linear in the length of the text.

use std::collections::HashMap;

/// A code block that is open.
struct Fence {
    mark: char,
    length: usize,
    quoted: bool,
}

/// Visits the places of a text that stand outside code and are not escaped, in their order.
pub(crate) fn outside(text: &str, visit: &mut impl FnMut(usize)) {
    let (mut fence, mut paragraph, mut at): (Option<Fence>, usize, usize) = (None, 0, 0);
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let inner = line.trim_start_matches([' ', '\t', '>']).trim_end();
        let inner = if fence.is_none() { without_bullets(inner) } else { inner };
        let quoted = line.trim_start().starts_with('>');
        if fence.as_ref().is_some_and(|open| open.quoted && !quoted) {
            (fence, paragraph) = (None, begin);
        }
        let mark = inner.chars().next().filter(|c| matches!(c, '`' | '~'));
        let length = mark.map_or(0, |mark| inner.chars().take_while(|c| *c == mark).count());
        if let Some(open) = &fence {
            if mark == Some(open.mark) && length >= open.length && length == inner.len() {
                (fence, paragraph) = (None, at);
            }
        } else if let Some(mark) =
            mark.filter(|mark| length >= 3 && !(*mark == '`' && inner[length..].contains('`')))
        {
            of_paragraph(text, paragraph..begin, visit);
            fence = Some(Fence { mark, length, quoted });
        } else if inner.is_empty() {
            of_paragraph(text, paragraph..begin, visit);
            paragraph = at;
        }
    }
    if fence.is_none() {
        of_paragraph(text, paragraph..text.len(), visit);
    }
}

/// A line without the bullets and numbers of the lists that begin in it.
fn without_bullets(mut line: &str) -> &str {
    loop {
        let bullet = line.strip_prefix(['-', '*', '+']);
        let rest =
            bullet.or_else(|| line.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(['.', ')']));
        match rest.filter(|rest| rest.starts_with(' ')) {
            Some(rest) => line = rest.trim_start(),
            None => return line,
        }
    }
}

/// The same in a paragraph: a code span ends with as many backticks as it began with.
fn of_paragraph(text: &str, place: std::ops::Range<usize>, visit: &mut impl FnMut(usize)) {
    let bytes = text.as_bytes().get(..place.end).unwrap_or_default();
    let length = |from: usize| bytes[from..].iter().take_while(|b| **b == b'`').count();
    let mut spans: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut at = place.start;
    while at < place.end {
        let backticks = length(at);
        if backticks > 0 {
            spans.entry(backticks).or_default().push(at);
        }
        at += backticks.max(1);
    }
    at = place.start;
    while at < place.end {
        at += match bytes[at] {
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation) => 2,
            b'`' => {
                let backticks = length(at);
                let ends = spans.get(&backticks).map_or(&[][..], Vec::as_slice);
                let end = ends.get(ends.partition_point(|end| *end < at + backticks));
                end.map_or(backticks, |end| end + backticks - at)
            }
            _ => {
                visit(at);
                1
            }
        };
    }
}
