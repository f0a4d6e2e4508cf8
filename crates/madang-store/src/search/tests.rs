//! The tokenizer and what is looked for, by themselves.

use std::sync::Arc;

use madang_proto::{Timestamp, accounts::UserSummary, messages::Message};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::{
    terms::{Fact, Terms, words},
    tokens::{WORD_CHARS, tokens},
};

fn texts(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.text).collect()
}

fn saying(content: &str) -> Message {
    let author = Arc::new(UserSummary {
        id: 7.into(),
        username: "jimin".to_owned(),
        display_name: "지민".to_owned(),
        avatar_url: None,
    });
    Message {
        id: 1.into(),
        channel_id: 5.into(),
        seq: 1,
        version: 1,
        user: Arc::clone(&author),
        author,
        content: content.to_owned(),
        nonce: None,
        edited_at: None,
        deleted_at: None,
        reactions: Vec::new(),
        mentions: Vec::new(),
        pinned: false,
        files: Vec::new(),
        previews: Vec::new(),
        thread: None,
        created_at: Timestamp::from(0),
    }
}

fn places(asked: &str, content: &str) -> Option<Vec<(usize, usize)>> {
    let mut terms = Terms::default();
    if !terms.text(asked, false) {
        return None;
    }
    let places = terms.found_in(&saying(content))?;
    Some(places.into_iter().map(|place| (place.start, place.end)).collect())
}

fn finds(asked: &str, content: &str) -> bool {
    places(asked, content).is_some()
}

#[test]
fn words_stand_alone_and_syllables_with_their_neighbour() {
    assert_eq!(texts("Madang서버"), ["madang", "서버", "버"]);
    assert_eq!(texts("마당에서 v2.0"), ["마당", "당에", "에서", "서", "v2", "0"]);
    assert_eq!(texts("東京 タワー 😀!"), ["東京", "京", "タワ", "ワー", "ー", "😀"]);
    assert_eq!(texts("Straße ΟΔΟΣ οδος"), ["strasse", "οδοσ", "οδοσ"]);
    assert_eq!(texts(" .,-_/\u{200b}\n"), Vec::<String>::new());
    assert_eq!(
        texts(&"x".repeat(130)).iter().map(String::len).collect::<Vec<_>>(),
        [WORD_CHARS, WORD_CHARS, 2]
    );
    let marks = texts(&format!("e{}f", "\u{316}".repeat(3_000)));
    assert!(marks.iter().all(|token| token.len() < 2_046), "PostgreSQL takes no longer ones");
    assert_eq!(texts("👩\u{200d}💻"), ["👩💻", "💻"]);
}

#[test]
fn what_people_look_for_is_found_where_they_see_it() {
    assert_eq!(places("마당", "우리 마당에서 봐요"), Some(vec![(3, 5)]));
    assert_eq!(places("당", "우리 마당에서, 당장"), Some(vec![(4, 5), (9, 10)]));
    assert_eq!(places("madang서버", "새 Madang서버가"), Some(vec![(2, 10)]));
    assert_eq!(places("dep", "Deployed"), Some(vec![(0, 8)]), "words are found from their beginning");
    assert!(!finds("go", "google") && finds("go", "Go!"), "short words are whole");
    assert!(!finds("당마", "마당") && !finds("마에", "마당에"));
    assert!(finds("서 버", "우리 서 버섯"));
    let mut exact = Terms::default();
    assert!(exact.text("the plan", true));
    assert!(exact.found_in(&saying("so: the plan!")).is_some());
    assert!(exact.found_in(&saying("the planet, the other plan")).is_none());
}

#[test]
fn facts_hold_or_not() {
    let link = saying("look: https://example.org");
    let facts = |facts: &[Fact], message: &Message| {
        let mut terms = Terms::default();
        facts.iter().for_each(|fact| terms.fact(*fact));
        terms.found_in(message).is_some()
    };
    assert!(facts(&[Fact::Link, Fact::Author(7.into())], &link));
    assert!(!facts(&[Fact::Link], &saying("https:// is a scheme")));
    assert!(!facts(&[Fact::Author(8.into())], &link) && !facts(&[Fact::Edited], &link));
    let edited = Message { edited_at: Some(Timestamp::from(1)), ..link.clone() };
    assert!(facts(&[Fact::Edited], &edited));
    let deleted = Message { deleted_at: Some(Timestamp::from(1)), ..link };
    assert!(!facts(&[Fact::Link], &deleted));
}

/// Text of scripts whose characters make tokens in pairs, with spaces and signs between.
fn dense() -> impl Strategy<Value = String> {
    "[가-힣ㄱ-ㅎ一-龥ぁ-んァ-ヶ .,!]{1,40}"
}

fn mixed() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[가-힣]{1,4}|[a-zA-Zé]{1,9}|[0-9]{1,4}| |, ", 1..12)
}

proptest! {
    #[test]
    fn every_part_of_such_a_text_is_found(text in dense(), from in 0_usize..40, length in 1_usize..12) {
        let part: String = text.chars().skip(from).take(length).collect();
        prop_assume!(!tokens(&part).is_empty());
        prop_assert!(finds(&part, &text));
    }

    #[test]
    fn every_sequence_of_whole_words_and_syllables_is_found(units in mixed(), from in 0_usize..12, count in 1_usize..6) {
        let of_letters = |unit: &str| unit.chars().all(|c| c.is_ascii_alphanumeric() || c == 'é');
        // Two units of letters next to each other are one word.
        let units: Vec<_> = units.iter().scan(false, |letters, unit| {
            let glue = *letters && of_letters(unit);
            *letters = of_letters(unit);
            Some(if glue { format!(" {unit}") } else { unit.clone() })
        }).collect();
        let text = units.concat();
        let part = units.iter().skip(from).take(count).cloned().collect::<String>();
        prop_assume!(!tokens(&part).is_empty());
        prop_assert!(finds(&part, &text));
        prop_assert!(finds(&part.nfd().collect::<String>(), &text.to_uppercase()));
    }

    #[test]
    fn form_and_case_make_no_difference(text in "[가-힣a-zA-ZäöüßéñÀ-ÿΑ-ωа-я ]{0,40}") {
        let small = texts(&text);
        prop_assert_eq!(&texts(&text.nfd().collect::<String>()), &small);
        prop_assert_eq!(&texts(&text.nfc().collect::<String>()), &small);
        prop_assert_eq!(&texts(&text.to_uppercase()), &small);
        prop_assert_eq!(&texts(&text.to_lowercase()), &small);
    }

    #[test]
    fn any_text_gives_tokens_within_it(text in any::<String>(), asked in any::<String>()) {
        let length = text.nfc().count();
        let tokens = tokens(&text);
        for token in &tokens {
            prop_assert!(token.text.len() < 2_046);
            prop_assert!(token.from < token.to && token.to <= length);
            let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric();
            prop_assert!(!token.text.is_empty() && token.text.chars().all(plain));
        }
        let content: String = text.nfc().collect();
        let message = saying(&content);
        let joined: String = tokens.iter().map(|t| format!("{} ", t.text)).collect();
        prop_assert!(words(&message).ends_with(&joined));
        let mut terms = Terms::default();
        if terms.text(&asked, false) {
            // What the database compares is what is compared here.
            let pattern = &terms.patterns()[0];
            let inner = pattern.trim_matches('%');
            prop_assert_eq!(words(&message).contains(inner), terms.found_in(&message).is_some());
        }
        if terms.text(&text, false) {
            prop_assert!(finds(&text, &content));
        }
    }
}
