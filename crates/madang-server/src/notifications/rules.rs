//! Who is notified of a message, why, and whether with a sound: pure, but for the clock in hand.

use madang_proto::{
    Timestamp,
    channels::ChannelKind,
    mentions::{self, MentionKind},
    messages::Message,
    notifications::{NotificationKind, NotificationLevel},
};
use madang_store::{
    notification_settings::Candidate,
    search::{Keyword, tokens::Token},
    unread::Everyone,
};

use super::quiet;

/// Where messages stand.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The kind of the channel in which one has to be to see them.
    pub home: ChannelKind,
    /// Whether they are replies in a thread.
    pub thread: bool,
}

/// A message and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The message.
    pub message: &'a Message,
    /// The words of its text.
    pub tokens: &'a [Token],
    /// The messages of the channel that mention everyone, or those who were there.
    pub everyone: &'a [Everyone],
}

/// What someone wants of a channel.
fn level(who: &Candidate, kind: ChannelKind) -> NotificationLevel {
    let of_workspace = match (who.of_workspace, kind.is_direct()) {
        (Some(NotificationLevel::Nothing), _) => NotificationLevel::Nothing,
        (_, true) => NotificationLevel::All,
        (Some(level), false) => level,
        (None, false) => NotificationLevel::Mentions,
    };
    who.of_channel.unwrap_or(of_workspace)
}

/// Whether someone wants to hear anything of a channel now.
pub fn hears(who: &Candidate, kind: ChannelKind, now: Timestamp) -> bool {
    level(who, kind) != NotificationLevel::Nothing && who.muted_until.is_none_or(|until| until <= now)
}

fn is_mentioned(who: &Candidate, said: Said<'_>) -> bool {
    let all = &said.message.mentions;
    if mentions::people(all).contains(&who.user) {
        return true;
    }
    // Everyone are those who are in the channel, or follow the thread.
    let whole = mentions::has(all, MentionKind::Channel);
    let there = || {
        let told = said.everyone.iter().find(|told| told.seq == said.message.seq);
        mentions::has(all, MentionKind::Here) && told.is_some_and(|told| told.is_for(who.user))
    };
    who.read.is_some() && (whole || there())
}

/// Why someone is notified of a message, if they are; `keywords` are theirs.
pub fn reason(
    who: &Candidate,
    keywords: &[Keyword],
    place: Place,
    said: Said<'_>,
    now: Timestamp,
) -> Option<NotificationKind> {
    let message = said.message;
    if message.author.id == who.user || message.deleted_at.is_some() || !hears(who, place.home, now) {
        return None;
    }
    let all = level(who, place.home) == NotificationLevel::All && !place.thread;
    if is_mentioned(who, said) {
        Some(NotificationKind::Mention)
    } else if place.thread && who.read.is_some() {
        Some(NotificationKind::Reply)
    } else if all && place.home.is_direct() {
        Some(NotificationKind::Direct)
    } else if keywords.iter().any(|keyword| keyword.is_in(said.tokens)) {
        Some(NotificationKind::Keyword)
    } else {
        all.then_some(NotificationKind::Message)
    }
}

/// Whether someone is not to be disturbed now.
pub fn is_quiet(who: &Candidate, now: Timestamp) -> bool {
    who.dnd.is_dnd(now)
        || who.snoozed_until.is_some_and(|until| now < until)
        || who.quiet_hours.as_ref().is_some_and(|hours| quiet::holds(hours, now))
}

#[cfg(test)]
mod tests {
    use madang_proto::{UserId, accounts::UserSummary, mentions::Mention, presence::UserStatus};
    use madang_store::search::tokens::tokens;

    use super::{
        NotificationKind::{Direct, Keyword as Word, Mention as Mentioned, Message as Any, Reply},
        NotificationLevel::{All, Mentions, Nothing},
        *,
    };

    const NOW: i64 = 1_000;

    fn who() -> Candidate {
        Candidate {
            user: 2.into(),
            read: Some(0),
            of_channel: None,
            of_workspace: None,
            muted_until: None,
            keywords: Vec::new(),
            quiet_hours: None,
            snoozed_until: None,
            dnd: UserStatus::default(),
        }
    }

    fn message(content: &str, mentions: Vec<Mention>) -> Message {
        let author =
            UserSummary { id: 1.into(), username: "a".into(), display_name: "a".into(), avatar_url: None };
        Message {
            id: 9.into(),
            channel_id: 1.into(),
            seq: 7,
            version: 7,
            user: author.clone().into(),
            author: author.into(),
            content: content.to_owned(),
            nonce: None,
            edited_at: None,
            deleted_at: None,
            reactions: Vec::new(),
            mentions,
            pinned: false,
            files: Vec::new(),
            previews: Vec::new(),
            thread: None,
            created_at: 0.into(),
        }
    }

    fn why(who: &Candidate, home: ChannelKind, thread: bool, content: &str) -> Option<NotificationKind> {
        let message = message(content, Vec::new());
        let tokens = tokens(content);
        let said = Said { message: &message, tokens: &tokens, everyone: &[] };
        let keywords: Vec<_> = who.keywords.iter().filter_map(|word| Keyword::new(word)).collect();
        reason(who, &keywords, Place { home, thread }, said, NOW.into())
    }

    #[test]
    fn the_channel_wins_over_the_workspace_and_direct_messages_are_for_one() {
        let plain = |of_channel, of_workspace, home| {
            why(&Candidate { of_channel, of_workspace, ..who() }, home, false, "hi")
        };
        let (public, dm) = (ChannelKind::Public, ChannelKind::Dm);
        for (of_channel, of_workspace, home, expected) in [
            (None, None, public, None),
            (None, Some(All), public, Some(Any)),
            (Some(Mentions), Some(All), public, None),
            (Some(All), Some(Nothing), public, Some(Any)),
            (None, None, dm, Some(Direct)),
            (None, Some(Mentions), dm, Some(Direct)),
            (Some(Mentions), None, dm, None),
            (None, Some(Nothing), dm, None),
            (None, None, ChannelKind::Group, Some(Direct)),
        ] {
            assert_eq!(plain(of_channel, of_workspace, home), expected, "{of_channel:?} {of_workspace:?}");
        }
    }

    #[test]
    fn a_mute_a_deletion_and_ones_own_message_are_silent() {
        let muted = |until: i64| Candidate { muted_until: Some(until.into()), ..who() };
        assert_eq!(why(&muted(NOW + 1), ChannelKind::Dm, false, "hi"), None);
        assert_eq!(why(&muted(NOW), ChannelKind::Dm, false, "hi"), Some(Direct));
        assert_eq!(why(&Candidate { user: 1.into(), ..who() }, ChannelKind::Dm, false, "hi"), None);
    }

    #[test]
    fn a_thread_tells_those_who_follow_it_and_whoever_is_meant() {
        let stranger = Candidate { read: None, of_channel: Some(All), ..who() };
        assert_eq!(why(&who(), ChannelKind::Public, true, "hi"), Some(Reply));
        assert_eq!(why(&stranger, ChannelKind::Public, true, "hi"), None);
        let worded = Candidate { keywords: vec!["hi".to_owned()], ..stranger };
        assert_eq!(why(&worded, ChannelKind::Public, true, "hi"), Some(Word));
    }

    #[test]
    fn everyone_are_those_who_were_meant() {
        let here = Mention { kind: MentionKind::Here, name: "here".to_owned(), user_id: None };
        let message = message("@here", vec![here]);
        let told = |people: &[i64]| {
            let people = people.iter().map(|id| UserId::from(*id)).collect();
            [Everyone { seq: 7, people: Some(people) }]
        };
        for (everyone, expected) in [(told(&[2, 3]), Some(Mentioned)), (told(&[3]), None)] {
            let said = Said { message: &message, tokens: &[], everyone: &everyone };
            let place = Place { home: ChannelKind::Public, thread: false };
            assert_eq!(reason(&who(), &[], place, said, NOW.into()), expected);
        }
    }

    #[test]
    fn a_keyword_is_a_word_where_words_are_apart_and_any_part_of_a_run_elsewhere() {
        for (keyword, content, found) in [
            ("배포", "내일 배포가 있어요", true),
            ("배포", "재배포합니다", true),
            ("배포", "배 포", false),
            ("deploy", "Deploy now!", true),
            ("deploy", "redeployed", false),
            ("DEPLOY", "deployment", false),
            ("build failed", "the BUILD  failed.", true),
            ("build failed", "build not failed", false),
            ("ΣΑΣ", "σας", true),
            ("\u{1112}\u{1161}\u{11ab}", "한글", true),
        ] {
            let who = Candidate { keywords: vec![keyword.to_owned()], ..who() };
            let expected = found.then_some(Word);
            assert_eq!(why(&who, ChannelKind::Public, false, content), expected, "{keyword} in {content}");
        }
    }
}
