//! Every sentence that the terminal client says, in English and in Korean.
//!
//! Invariants:
//! - Both languages say everything: the struct has no optional field.

use jiff::civil::{Date, Weekday};
use madang_client::proto::error::ErrorCode;

/// The sentences of one language.
#[derive(Debug)]
pub struct Texts {
    pub log_in: &'static str,
    pub register: &'static str,
    pub guest: &'static str,
    pub username: &'static str,
    pub password: &'static str,
    pub display_name: &'static str,
    pub login_keys: &'static str,
    pub signing_in: &'static str,
    pub channels: &'static str,
    pub people: &'static str,
    pub new_messages: &'static str,
    pub edited: &'static str,
    pub deleted: &'static str,
    pub loading: &'static str,
    pub beginning: &'static str,
    pub older: &'static str,
    pub more_below: &'static str,
    pub write_here: &'static str,
    pub editing: &'static str,
    pub editing_keys: &'static str,
    pub keys: &'static str,
    pub no_channel: &'static str,
    pub connecting: &'static str,
    pub online: &'static str,
    pub unreachable: &'static str,
    pub lost: &'static str,
    pub restarting: &'static str,
    pub too_busy: &'static str,
    pub signed_out: &'static str,
    pub ended: &'static str,
    pub not_sent: &'static str,
    pub refused_keys: &'static str,
    pub waiting: &'static str,
    pub switch_title: &'static str,
    pub browse_title: &'static str,
    pub browse_empty: &'static str,
    pub create_title: &'static str,
    pub create_keys: &'static str,
    pub public: &'static str,
    pub private: &'static str,
    pub name: &'static str,
    pub delete_question: &'static str,
    pub leave_question: &'static str,
    pub yes_no: &'static str,
    pub help_title: &'static str,
    pub help: &'static [(&'static str, &'static str)],
    pub too_small: &'static str,
    pub too_long: &'static str,
    pub offline_for_this: &'static str,
    korean: bool,
}

impl Texts {
    /// The language for a name such as `ko`, `ko_KR.UTF-8` or `en`; English when there is none.
    pub fn of(language: Option<&str>) -> &'static Self {
        if language.is_some_and(|name| name.to_lowercase().starts_with("ko")) { &KOREAN } else { &ENGLISH }
    }

    /// Who is typing.
    pub fn typing(&self, names: &[String]) -> String {
        match (self.korean, names) {
            (_, []) => String::new(),
            (false, [one]) => format!("{one} is typing…"),
            (false, [one, two]) => format!("{one} and {two} are typing…"),
            (false, _) => "several people are typing…".to_owned(),
            (true, [one]) => format!("{one} 님이 입력하고 있습니다…"),
            (true, [one, two]) => format!("{one}, {two} 님이 입력하고 있습니다…"),
            (true, _) => "여러 사람이 입력하고 있습니다…".to_owned(),
        }
    }

    /// The connection line while offline.
    pub fn offline(&self, reason: &str, seconds: Option<u64>) -> String {
        match (self.korean, seconds) {
            (false, Some(seconds)) => format!("offline: {reason}, next try in {seconds} s"),
            (false, None) => format!("offline: {reason}"),
            (true, Some(seconds)) => format!("오프라인: {reason}, {seconds}초 뒤에 다시 시도합니다"),
            (true, None) => format!("오프라인: {reason}"),
        }
    }

    /// A refusal in this language; nothing where the server's own words (in English) are better than none
    /// or more exact.
    pub const fn refusal(&self, code: ErrorCode) -> Option<&'static str> {
        if !self.korean {
            return None;
        }
        match code {
            ErrorCode::Unauthenticated => Some("사용자 이름 또는 비밀번호가 올바르지 않습니다"),
            ErrorCode::Forbidden => Some("권한이 없습니다"),
            ErrorCode::NotFound => Some("찾을 수 없습니다"),
            ErrorCode::RateLimited => Some("너무 자주 시도했습니다. 잠시 뒤에 다시 하세요"),
            ErrorCode::Unavailable => Some("서버가 지금은 처리할 수 없습니다. 잠시 뒤에 다시 하세요"),
            ErrorCode::Internal => Some("서버 오류"),
            ErrorCode::MethodNotAllowed
            | ErrorCode::Conflict
            | ErrorCode::PreconditionFailed
            | ErrorCode::TooLarge
            | ErrorCode::UnsupportedMediaType
            | ErrorCode::RangeNotSatisfiable
            | ErrorCode::Invalid
            | ErrorCode::UpgradeRequired
            | ErrorCode::StorageFull => None,
        }
    }

    /// How many messages wait to be sent.
    pub fn on_their_way(&self, count: usize) -> String {
        match (self.korean, count) {
            (false, 1) => "1 message waits to be sent".to_owned(),
            (false, count) => format!("{count} messages wait to be sent"),
            (true, count) => format!("보낼 메시지 {count}개"),
        }
    }

    /// How many members a channel has.
    pub fn members(&self, count: i64) -> String {
        match (self.korean, count) {
            (false, 1) => "1 member".to_owned(),
            (false, count) => format!("{count} members"),
            (true, count) => format!("멤버 {count}명"),
        }
    }

    /// How many of a workspace are there, where they are only counted.
    pub fn there(&self, count: u32) -> String {
        if self.korean { format!("{count}명 접속 중") } else { format!("{count} online") }
    }

    /// A day, as a separator between messages.
    pub fn day(&self, date: Date) -> String {
        const ENGLISH_DAYS: [&str; 7] =
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        const KOREAN_DAYS: [&str; 7] = ["월", "화", "수", "목", "금", "토", "일"];
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let weekday = match date.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        if self.korean {
            let (year, month, day) = (date.year(), date.month(), date.day());
            return format!("{year}년 {month}월 {day}일 {}요일", KOREAN_DAYS[weekday]);
        }
        let month = MONTHS[usize::try_from(date.month()).unwrap_or(1) - 1];
        format!("{}, {} {month} {}", ENGLISH_DAYS[weekday], date.day(), date.year())
    }
}

static ENGLISH: Texts = Texts {
    log_in: "Log in",
    register: "Sign up",
    guest: "Guest",
    username: "Username",
    password: "Password",
    display_name: "Display name (optional)",
    login_keys: "Tab next · Ctrl+T other way in · Enter go on · Ctrl+C quit",
    signing_in: "Signing in…",
    channels: "Channels",
    people: "People",
    new_messages: "new",
    edited: "(edited)",
    deleted: "message deleted",
    loading: "loading…",
    beginning: "This is the beginning.",
    older: "PgUp for older messages",
    more_below: "↓ newer messages below · End",
    write_here: "Write a message",
    editing: "Editing",
    editing_keys: "Enter save · Esc cancel · ↑ earlier one · Ctrl+D delete",
    keys: "F1 help · Ctrl+K switch · Ctrl+O join · Ctrl+N new channel · Ctrl+Q quit",
    no_channel: "You are in no channel. Ctrl+O shows those you can join.",
    connecting: "connecting…",
    online: "online",
    unreachable: "server not reachable",
    lost: "connection lost",
    restarting: "the server is restarting",
    too_busy: "the server asks to come back later",
    signed_out: "Your session is over. Sign in again.",
    ended: "The server closed the connection for good.",
    not_sent: "not sent",
    refused_keys: "Ctrl+R try again · Ctrl+D discard",
    waiting: "…",
    switch_title: "Go to channel",
    browse_title: "Join a channel",
    browse_empty: "Nothing to join.",
    create_title: "New channel",
    create_keys: "Tab public/private · Enter create · Esc cancel",
    public: "public",
    private: "private",
    name: "Name",
    delete_question: "Delete this message?",
    leave_question: "Leave this channel?",
    yes_no: "y yes · n no",
    help_title: "Keys",
    help: &[
        ("Enter", "send"),
        ("Alt+Enter, Ctrl+J", "new line"),
        ("↑ in an empty line", "edit your last message"),
        ("Ctrl+D while editing", "delete that message"),
        ("Alt+↑, Alt+↓", "previous, next channel"),
        ("Ctrl+K", "go to a channel by name"),
        ("Ctrl+O", "browse and join channels"),
        ("Ctrl+N", "new channel"),
        ("Ctrl+X", "leave this channel"),
        ("PgUp, PgDn, End", "older, newer, newest messages"),
        ("Ctrl+R, Ctrl+D", "retry, discard what was not sent"),
        ("Ctrl+L", "connect now, draw anew"),
        ("F1, Ctrl+G", "this help"),
        ("Ctrl+C, Ctrl+Q", "quit"),
    ],
    too_small: "terminal too small",
    too_long: "This is longer than a message can be.",
    offline_for_this: "That needs a connection.",
    korean: false,
};

static KOREAN: Texts = Texts {
    log_in: "로그인",
    register: "가입",
    guest: "손님",
    username: "사용자 이름",
    password: "비밀번호",
    display_name: "표시 이름 (선택)",
    login_keys: "Tab 다음 · Ctrl+T 다른 방법 · Enter 계속 · Ctrl+C 끝내기",
    signing_in: "로그인하는 중…",
    channels: "채널",
    people: "사람",
    new_messages: "새 메시지",
    edited: "(수정됨)",
    deleted: "삭제된 메시지",
    loading: "불러오는 중…",
    beginning: "여기가 처음입니다.",
    older: "PgUp으로 이전 메시지 보기",
    more_below: "↓ 아래에 새 메시지 · End",
    write_here: "메시지를 입력하세요",
    editing: "수정",
    editing_keys: "Enter 저장 · Esc 취소 · ↑ 이전 메시지 · Ctrl+D 삭제",
    keys: "F1 도움말 · Ctrl+K 이동 · Ctrl+O 참여 · Ctrl+N 새 채널 · Ctrl+Q 끝내기",
    no_channel: "참여한 채널이 없습니다. Ctrl+O로 참여할 채널을 찾아보세요.",
    connecting: "연결하는 중…",
    online: "온라인",
    unreachable: "서버에 연결할 수 없음",
    lost: "연결이 끊어짐",
    restarting: "서버가 다시 시작하는 중",
    too_busy: "서버가 나중에 다시 오라고 함",
    signed_out: "세션이 끝났습니다. 다시 로그인하세요.",
    ended: "서버가 연결을 완전히 닫았습니다.",
    not_sent: "보내지 못함",
    refused_keys: "Ctrl+R 다시 보내기 · Ctrl+D 버리기",
    waiting: "…",
    switch_title: "채널로 이동",
    browse_title: "채널 참여",
    browse_empty: "참여할 채널이 없습니다.",
    create_title: "새 채널",
    create_keys: "Tab 공개/비공개 · Enter 만들기 · Esc 취소",
    public: "공개",
    private: "비공개",
    name: "이름",
    delete_question: "이 메시지를 삭제할까요?",
    leave_question: "이 채널에서 나갈까요?",
    yes_no: "y 예 · n 아니요",
    help_title: "단축키",
    help: &[
        ("Enter", "보내기"),
        ("Alt+Enter, Ctrl+J", "줄 바꿈"),
        ("빈 줄에서 ↑", "내 마지막 메시지 수정"),
        ("수정 중 Ctrl+D", "그 메시지 삭제"),
        ("Alt+↑, Alt+↓", "이전, 다음 채널"),
        ("Ctrl+K", "이름으로 채널 이동"),
        ("Ctrl+O", "채널 찾아보고 참여하기"),
        ("Ctrl+N", "새 채널"),
        ("Ctrl+X", "이 채널에서 나가기"),
        ("PgUp, PgDn, End", "이전, 이후, 최신 메시지"),
        ("Ctrl+R, Ctrl+D", "보내지 못한 것 다시 보내기, 버리기"),
        ("Ctrl+L", "지금 연결, 화면 다시 그리기"),
        ("F1, Ctrl+G", "이 도움말"),
        ("Ctrl+C, Ctrl+Q", "끝내기"),
    ],
    too_small: "터미널이 너무 작습니다",
    too_long: "메시지가 너무 깁니다.",
    offline_for_this: "연결되어 있어야 합니다.",
    korean: true,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_locale() {
        assert_eq!(Texts::of(Some("ko_KR.UTF-8")).guest, "손님");
        assert_eq!(Texts::of(Some("en_US.UTF-8")).guest, "Guest");
        assert_eq!(Texts::of(Some("C")).guest, "Guest");
        assert_eq!(Texts::of(None).guest, "Guest");
    }

    #[test]
    fn a_day_is_written_as_people_write_it() {
        let date = Date::constant(2026, 11, 20);
        assert_eq!(Texts::of(None).day(date), "Friday, 20 November 2026");
        assert_eq!(Texts::of(Some("ko")).day(date), "2026년 11월 20일 금요일");
    }
}
