//! What is agreed on in the handshake about compression (RFC 7692, 7.1).
//!
//! Invariants:
//! - An offer with anything that is not known, said twice or not a value that fits is declined; the next
//!   offer is looked at.
//! - Neither side keeps its window from one message to the next, whatever was offered.

/// The largest window of deflate, as a power of two.
const WINDOW_BITS: u8 = 15;

/// permessage-deflate as it was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The window that the client unpacks with, where it asked for a smaller one.
    window_bits: Option<u8>,
}

impl Agreed {
    /// The most bytes that a compressed message may have before compression: what fits into the client's
    /// window cannot refer to what does not. No bound without a smaller window.
    #[must_use]
    pub const fn longest(self) -> Option<usize> {
        match self.window_bits {
            Some(bits) if bits < WINDOW_BITS => Some(1 << bits),
            _ => None,
        }
    }

    /// The value of `Sec-WebSocket-Extensions` in the answer.
    #[must_use]
    pub fn header(self) -> String {
        let mut header =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
        if let Some(bits) = self.window_bits {
            header.push_str(&format!("; server_max_window_bits={bits}"));
        }
        header
    }
}

/// The first offer that can be accepted, of all values of `Sec-WebSocket-Extensions`.
pub fn agree<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Agreed> {
    headers.into_iter().flat_map(|header| split(header, ',')).find_map(accept)
}

fn accept(offer: &str) -> Option<Agreed> {
    let mut words = split(offer, ';');
    if words.next()? != "permessage-deflate" {
        return None;
    }
    let mut agreed = Agreed { window_bits: None };
    let mut seen = Vec::new();
    for word in words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start())?)),
            None => (word, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            (
                "server_no_context_takeover" | "client_no_context_takeover" | "client_max_window_bits",
                None,
            ) => {}
            // The client may use any window: unpacking always has the largest.
            ("client_max_window_bits", Some(bits)) => drop(window(bits)?),
            ("server_max_window_bits", Some(bits)) => agreed.window_bits = Some(window(bits)?),
            _ => return None,
        }
    }
    Some(agreed)
}

fn window(bits: &str) -> Option<u8> {
    let plain = bits.bytes().all(|b| b.is_ascii_digit()) && !bits.starts_with('0');
    bits.parse().ok().filter(|bits| plain && (8..=WINDOW_BITS).contains(bits))
}

/// The text without quotes. None of the values has a character that would have to be escaped.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

/// The trimmed parts between separators that stand outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn offers_are_answered() {
        let windowed = |bits: u8| format!("{PLAIN}; server_max_window_bits={bits}");
        let cases: [(&[&str], Option<String>); 31] = [
            (&[], None),
            (&[""], None),
            (&["permessage-deflate"], Some(PLAIN.into())),
            (&["permessage-deflate; client_max_window_bits"], Some(PLAIN.into())),
            (&["permessage-deflate;client_max_window_bits=10"], Some(PLAIN.into())),
            (&["permessage-deflate; server_no_context_takeover"], Some(PLAIN.into())),
            (
                &["permessage-deflate; client_no_context_takeover; server_no_context_takeover"],
                Some(PLAIN.into()),
            ),
            (&["permessage-deflate; server_max_window_bits=8"], Some(windowed(8))),
            (&["permessage-deflate ; server_max_window_bits = \"12\" "], Some(windowed(12))),
            (&["permessage-deflate; server_max_window_bits=15; client_max_window_bits"], Some(windowed(15))),
            (&["x-webkit-deflate-frame, permessage-deflate"], Some(PLAIN.into())),
            (&["foo; bar=\"a, permessage-deflate\"", "permessage-deflate"], Some(PLAIN.into())),
            (&["foo; bar=\"a, permessage-deflate\""], None),
            (&["foo; bar=\"\\\", permessage-deflate\", permessage-deflate"], Some(PLAIN.into())),
            // The first that can be accepted, of several.
            (
                &["permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9"],
                Some(windowed(9)),
            ),
            (&["permessage-deflate; server_max_window_bits=9, permessage-deflate"], Some(windowed(9))),
            // Declined.
            (&["permessage-deflate; unknown"], None),
            (&["permessage-deflate; unknown=1"], None),
            (&["permessage-deflate; server_no_context_takeover=1"], None),
            (&["permessage-deflate; client_no_context_takeover=\"\""], None),
            (&["permessage-deflate; server_no_context_takeover; server_no_context_takeover"], None),
            (&["permessage-deflate; server_max_window_bits"], None),
            (&["permessage-deflate; server_max_window_bits=7"], None),
            (&["permessage-deflate; server_max_window_bits=16"], None),
            (&["permessage-deflate; server_max_window_bits=08"], None),
            (&["permessage-deflate; server_max_window_bits=+9"], None),
            (&["permessage-deflate; server_max_window_bits=\"9"], None),
            (&["permessage-deflate; client_max_window_bits=300"], None),
            (&["permessage-deflate; client_max_window_bits="], None),
            (&["permessage-deflate;"], None),
            (&["permessage-deflat"], None),
        ];
        for (offers, answer) in cases {
            assert_eq!(agree(offers.iter().copied()).map(Agreed::header), answer, "{offers:?}");
        }
    }

    #[test]
    fn a_smaller_window_bounds_what_is_compressed() {
        let longest = |offer| agree([offer]).unwrap().longest();
        assert_eq!(longest("permessage-deflate"), None);
        assert_eq!(longest("permessage-deflate; server_max_window_bits=15"), None);
        assert_eq!(longest("permessage-deflate; server_max_window_bits=8"), Some(256));
    }
}
