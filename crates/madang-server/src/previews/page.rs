//! What a page says of itself: Open Graph, the cards of Twitter, its title and description.
//!
//! Invariants:
//! - Pure. What comes out is plain text: one line each, of bounded length, without what deceives.

use encoding_rs::{Encoding, UTF_8};
use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};
use madang_proto::{
    input::excerpt,
    limits::{PREVIEW_DESCRIPTION_CHARS, PREVIEW_SITE_CHARS, PREVIEW_TITLE_CHARS},
};

/// Bytes from the beginning in which a page says how it is written.
const PRESCAN: usize = 4 * 1024;

/// What a page says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// What its site is called.
    pub site_name: Option<String>,
    /// Where its picture is, as the page says it.
    pub image: Option<String>,
}

/// The names under which a page says something, the best first.
const TITLE: [&str; 2] = ["og:title", "twitter:title"];
const DESCRIPTION: [&str; 3] = ["og:description", "twitter:description", "description"];
const SITE: [&str; 2] = ["og:site_name", "application-name"];
const IMAGE: [&str; 5] =
    ["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"];

/// Reads a page, or as much of it as came. `charset` is what the answer said. `None` when it has no title.
pub fn read(bytes: &[u8], charset: Option<&str>) -> Option<Page> {
    let (text, _, _) = encoding(bytes, charset).decode(bytes);
    let (mut said, mut title, mut in_title) = (Vec::new(), String::new(), false);
    let mut emitter = DefaultEmitter::default();
    // What stands in scripts and titles is text.
    emitter.naively_switch_states(true);
    for Ok(token) in Tokenizer::new_with_emitter(&*text, emitter) {
        match token {
            Token::StartTag(tag) if *tag.name == b"meta" => {
                let value = |name: &str| tag.attributes.get(name.as_bytes()).map(|v| lossy(&v.value));
                let name = value("property").or_else(|| value("name"));
                if let (Some(name), Some(content)) = (name, value("content")) {
                    said.push((name.trim().to_ascii_lowercase(), content));
                }
            }
            Token::StartTag(tag) => in_title = *tag.name == b"title" && title.is_empty(),
            Token::EndTag(_) => in_title = false,
            Token::String(text) if in_title => title.push_str(&lossy(&text)),
            _ => {}
        }
    }
    let find = |names: &[&str]| {
        let known = said.iter().filter(|(_, content)| !content.trim().is_empty());
        let rank = |name: &str| names.iter().position(|known| *known == name);
        let ranked = known.filter_map(|(name, content)| Some((rank(name)?, content.as_str())));
        // Of equals the first one is taken.
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, content)| content)
    };
    let line = |names: &[&str], most| find(names).and_then(|content| excerpt(content, most));
    Some(Page {
        title: line(&TITLE, PREVIEW_TITLE_CHARS).or_else(|| excerpt(&title, PREVIEW_TITLE_CHARS))?,
        description: line(&DESCRIPTION, PREVIEW_DESCRIPTION_CHARS),
        site_name: line(&SITE, PREVIEW_SITE_CHARS),
        image: find(&IMAGE).map(|content| content.trim().to_owned()),
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How a page is written: what the answer says, or the page itself.
fn encoding(bytes: &[u8], charset: Option<&str>) -> &'static Encoding {
    let stated = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let stated = stated.or_else(|| stated_within(bytes).map(Encoding::output_encoding));
    // A mark at the beginning wins over both when the text is decoded.
    stated.unwrap_or(UTF_8)
}

/// `<meta charset="…">`, or the same in a `<meta http-equiv>`.
fn stated_within(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..PRESCAN).unwrap_or(bytes)).to_ascii_lowercase();
    let mut labels = head.split("<meta").skip(1).filter_map(|meta| {
        let (_, rest) = meta.split('>').next()?.split_once("charset")?;
        let rest = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
        rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '/'))
            .next()
            .map(str::to_owned)
    });
    labels.find_map(|label| Encoding::for_label(label.as_bytes()))
}

#[cfg(test)]
mod tests {
    use encoding_rs::EUC_KR;
    use madang_proto::limits;

    use super::*;

    fn title(html: &str) -> Option<String> {
        read(html.as_bytes(), None).map(|page| page.title)
    }

    #[test]
    fn what_a_page_says_of_itself_in_the_best_words_it_has() {
        let html = r#"<!DOCTYPE html><html><head><title>Plain</title>
            <META NAME="Description" CONTENT="plain &amp; long">
            <meta property="og:title" content="마당 &#8212; 안뜰"><meta property="og:site_name" content="Madang">
            <meta name="twitter:title" content="other"><meta property="og:image" content=" /a.png ">
            <meta property="og:description" content=" "></head><body><svg><title>no</title></svg></body>"#;
        let page = read(html.as_bytes(), None).unwrap();
        let wanted = Page {
            title: "마당 — 안뜰".to_owned(),
            description: Some("plain & long".to_owned()),
            site_name: Some("Madang".to_owned()),
            image: Some("/a.png".to_owned()),
        };
        assert_eq!(page, wanted);
    }

    #[test]
    fn a_title_is_text_and_scripts_say_nothing() {
        for (html, wanted) in [
            ("<title> a\n  b &lt;b&gt; </title>", Some("a b <b>")),
            ("<title>a <b>c</b></title>", Some("a <b>c</b>")),
            ("<title>cut off", Some("cut off")),
            ("<script>'<title>no</title>'</script><title>yes</title>", Some("yes")),
            ("<!-- <title>no</title> --><title>yes</title><title>no</title>", Some("yes")),
            ("<title>a\u{202E}b\u{0}c</title>", Some("abc")),
            ("<title> </title>", None),
            ("<p>title</p>", None),
            ("", None),
        ] {
            let found = title(html);
            assert_eq!(found.as_deref().map(|t| t.replace('\u{FFFD}', "")).as_deref(), wanted, "{html}");
        }
        let long = title(&format!("<title>{}</title>", "가".repeat(10_000))).unwrap();
        assert_eq!(long.chars().count(), limits::PREVIEW_TITLE_CHARS);
    }

    #[test]
    fn korean_pages_are_read_however_they_are_written() {
        let of = |head: &str| format!("<html><head>{head}<title>한글 제목</title>");
        let written = |head: &str| EUC_KR.encode(&of(head)).0.into_owned();
        for (bytes, charset) in [
            (written(""), Some("euc-kr")),
            (written("<meta charset=euc-kr>"), None),
            (written("<meta charset='EUC-KR' />"), None),
            (written("<meta http-equiv=Content-Type content=\"text/html; charset=ks_c_5601-1987\">"), None),
            (of("<meta charset=\"utf-8\">").into_bytes(), None),
            (of("").into_bytes(), None),
            (of("").into_bytes(), Some("no-such-thing")),
            ([b"\xef\xbb\xbf", of("<meta charset=euc-kr>").as_bytes()].concat(), Some("euc-kr")),
        ] {
            let page = read(&bytes, charset).unwrap();
            assert_eq!(page.title, "한글 제목", "{charset:?} {}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn no_page_breaks_it() {
        for piece in ["<meta ", "<title>", "<meta charset", "<a b='", "&#x", "<!--", "<script>", "\u{0}"] {
            read(piece.repeat(40_000).as_bytes(), None);
        }
        read(&[0xff; 100_000], Some("utf-16le"));
    }
}
