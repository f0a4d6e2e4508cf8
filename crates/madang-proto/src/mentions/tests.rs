//! What is a mention and what is not, and that no text whatever breaks it.

use proptest::prelude::*;

use super::*;

const PEOPLE: [&str; 7] = ["alice", "지민", "지민님", "지민석", "b.ob", "kim_", "가"];

/// The names that a text mentions, where these people are there.
fn mentioned(text: &str) -> Vec<String> {
    let find = |name: &str| {
        let place = PEOPLE.iter().position(|known| *known == input::name_key(name))?;
        Some(UserId::from(i64::try_from(place).unwrap()))
    };
    resolve(&written(text), find).into_iter().map(|mention| mention.name).collect()
}

#[test]
fn a_name_ends_before_its_particle_and_the_longest_wins() {
    for (text, name) in [
        ("@alice", "alice"),
        ("@alice에게 물어봐", "alice"),
        ("@Alice, 안녕", "Alice"),
        ("@alice.", "alice"),
        ("@alice... 음", "alice"),
        ("@alice-", "alice"),
        ("_@alice_ **@alice**", "alice"),
        ("(@alice)", "alice"),
        ("담당:@alice", "alice"),
        ("@지민이", "지민"),
        ("@지민에게", "지민"),
        ("@지민님이", "지민님"),
        ("@지민석이가", "지민석"),
        ("@지민선배는", "지민"),
        ("@b.ob", "b.ob"),
        ("@b.ob.", "b.ob"),
        ("@kim_", "kim_"),
        ("@here에", "here"),
        ("@channel은", "channel"),
        ("@HERE!", "HERE"),
    ] {
        assert_eq!(mentioned(text), [name], "{text:?}");
    }
    assert_eq!(mentioned("@alice @지민 @ALICE @alice @here"), ["alice", "지민", "ALICE", "here"]);
}

#[test]
fn addresses_and_other_names_are_no_mentions() {
    for text in [
        "kim@alice.example",
        "kim@alice",
        "메일은 지@지민",
        "https://example.org/@alice",
        "?who=@alice",
        "@@alice",
        "@ alice",
        "@",
        "@alicex",
        "@alice2님",
        "@alice.example.org",
        "@.alice",
        "\\@alice",
        "@channels",
        "@지민2",
    ] {
        assert_eq!(mentioned(text), [""; 0], "{text:?}");
    }
}

#[test]
fn code_has_no_mentions() {
    for text in [
        "`@alice`",
        "``a ` @alice``",
        "`a\n@alice`",
        "```\n@alice\n```",
        "```rust\n@alice",
        "안녕\n~~~\n@alice\n```\n@alice\n~~~",
        "````\n```\n@alice\n````",
        "> ```\n> @alice",
        "- ```\n  @alice\n  ```",
        "\\\\`@alice`",
    ] {
        assert_eq!(mentioned(text), [""; 0], "{text:?}");
    }
    for text in [
        "`a` @alice `b`",
        "`a @alice",
        "`a\n\n@alice`",
        "``a` @alice",
        "\\`@alice`",
        "```\ncode\n```\n@alice",
        "> ```\n> code\n\n@alice",
        "```code``` @alice",
    ] {
        assert_eq!(mentioned(text), ["alice"], "{text:?}");
    }
}

#[test]
fn many_are_cut_and_take_no_longer_than_they_are() {
    let many: String = (0..500).map(|n| format!("@n{n} ")).collect();
    assert_eq!(written(&many).len(), limits::MENTIONS_PER_MESSAGE);
    let long = format!("@{}", "가".repeat(8_000));
    assert_eq!(names(&long[1..]).count(), limits::DISPLAY_NAME_CHARS);
    assert_eq!(mentioned(&long), ["가"]);
    // Each run of backticks looks for its end among those of its length: not at all of the text.
    let ticks: String = (1..1_500).map(|n| format!("{} ", "`".repeat(n))).collect();
    assert_eq!(mentioned(&format!("{ticks}@alice")), ["alice"]);
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in r"[@`~\\ \n>a-c가-나._\-]{0,200}|\PC{0,200}") {
        let has = |name: &str| text.contains(&format!("@{name}"));
        for run in written(&text) {
            prop_assert!(has(run));
            prop_assert!(names(run).all(|name| run.starts_with(name) && !name.is_empty()));
        }
        prop_assert!(mentioned(&text).iter().all(|name| has(name)));
    }

    #[test]
    fn nothing_inside_code_is_found(before in r"[a-c가-나 ,.]{0,20}", inside in r"[@a-c가-나 ._\-]{0,40}", ticks in 1_usize..4) {
        let mark = "`".repeat(ticks);
        let span = format!("{before} {mark}{inside}@alice {inside}{mark} {before}");
        let block = format!("{before}\n\n```\n{inside}@alice\n{inside}\n```\n{before}");
        prop_assert_eq!((mentioned(&span), mentioned(&block)), (vec![], vec![]));
    }

    #[test]
    fn whatever_particle_stands_behind_the_longest_name_is_found(particle in "[가-힣]{0,10}", behind in r"[ ,!?)\n]") {
        let wanted = ["지민석", "지민님"].into_iter().find(|name| format!("지민{particle}").starts_with(name));
        let said = |name: &str| mentioned(&format!("안녕 @{name}{particle}{behind}"));
        prop_assert_eq!(said("지민"), [wanted.unwrap_or("지민")]);
        prop_assert_eq!(said("alice"), ["alice"]);
    }
}
