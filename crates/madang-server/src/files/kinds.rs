//! What the bytes of a file are, read from the bytes: what a client says of them is not believed.

/// Bytes of a file's beginning that are looked at.
pub const HEAD: usize = 8 * 1024;
/// What nobody knows.
pub const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";

/// What a browser shows in a page without running anything of it. Never SVG or HTML, which have scripts.
const INLINE: [&str; 14] = [
    "application/pdf",
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "video/webm",
];

/// The media type of what begins with `head`.
pub fn sniff(head: &[u8]) -> &'static str {
    match infer::get(head).map(|kind| kind.mime_type()) {
        Some("audio/m4a") => "audio/mp4",
        Some("audio/x-flac") => "audio/flac",
        Some("audio/x-wav") => "audio/wav",
        Some("video/x-m4v") => "video/mp4",
        Some(known) => known,
        None if is_text(head) => TEXT,
        None => UNKNOWN,
    }
}

/// UTF-8 without control characters but line breaks and tabs; its last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && head.len() >= HEAD => head
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// Whether a browser may show it in a page.
pub fn is_inline(media_type: &str) -> bool {
    INLINE.contains(&media_type)
}

/// Whether it is an image that is cleaned and gets a thumbnail.
pub fn is_image(media_type: &str) -> bool {
    matches!(media_type, "image/jpeg" | "image/png" | "image/gif" | "image/webp")
}

/// Whether it is an image that is cleaned, though not read.
pub fn is_heif(media_type: &str) -> bool {
    matches!(media_type, "image/heif" | "image/avif")
}

/// Whether the setting lets it in: a media type, or one with `*` after the slash. An empty setting lets in all.
pub fn is_allowed(media_type: &str, allowed: &[String]) -> bool {
    let fits = |rule: &String| match rule.strip_suffix('*') {
        Some(kind) => media_type.starts_with(kind),
        None => rule.eq_ignore_ascii_case(media_type),
    };
    allowed.is_empty() || allowed.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_say_what_it_is() {
        for (head, kind) in [
            (&b"\x89PNG\r\n\x1a\n0000"[..], "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"%PDF-1.7", "application/pdf"),
            ("안녕하세요\n".as_bytes(), TEXT),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>", TEXT),
            (b"", UNKNOWN),
            (b"\x00\x01\x02\x03", UNKNOWN),
            (b"\xea\xb0", UNKNOWN),
        ] {
            assert_eq!(sniff(head), kind, "{head:?}");
        }
        for script in [&b"<!DOCTYPE html><script>"[..], b"<html>", b"<?xml version=\"1.0\"?><svg/>"] {
            assert!(!is_inline(sniff(script)), "{}", sniff(script));
        }
        let long = [vec![b'a'; HEAD - 1], "가".as_bytes()[..1].to_vec()].concat();
        assert_eq!(sniff(&long), TEXT, "a character that is cut");
    }

    #[test]
    fn a_setting_names_types_or_kinds_of_them() {
        let rules = ["image/*".to_owned(), "application/PDF".to_owned()];
        assert!(is_allowed("image/png", &rules) && is_allowed("application/pdf", &rules));
        assert!(!is_allowed("text/plain", &rules) && is_allowed("text/plain", &[]));
    }
}
