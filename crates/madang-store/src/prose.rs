//! Made-up talk in Korean and English, for tests and measurements of search. Only with the feature `testing`.
//!
//! Sentences of nouns with their particles, verbs with their endings, names, numbers and English words, as
//! people mix them at work. A tenth of the nouns are made of syllables at random, as names and foreign words
//! are, so that rare words are there too. The same seed gives the same talk.

use std::{fmt::Write, sync::LazyLock};

/// Lists of words, taken apart once.
macro_rules! words {
    ($($name:ident = $text:expr;)*) => {$(
        static $name: LazyLock<Vec<&'static str>> = LazyLock::new(|| $text.split_whitespace().collect());
    )*};
}

words! {
    NOUNS = "마당 서버 회의 점심 저녁 일정 자료 문서 배포 장애 고객 주문 결제 화면 버튼 기능 오류 검색 색인 메시지 \
    채널 알림 사용자 비밀번호 데이터 백업 복구 네트워크 보안 인증 권한 설정 디자인 기획 개발 시험 성능 속도 용량 \
    회사 사람 친구 선생님 학교 도서관 커피 날씨 주말 휴가 여행 영화 음악 운동 건강 병원 약속 전화 사진 동영상 \
    보고서 발표 질문 대답 의견 결정 계획 목표 결과 문제 해결 방법 이유 시간 내일 오늘 어제 아침 오후 월요일 금요일 \
    프로젝트 저장소 이슈 리뷰 코드 테스트 릴리스 업데이트 프로그램 컴퓨터 인터넷 휴대폰 한국어 번역 글꼴 입력기";
    PARTICLES = "에 에서 의 도 만 까지 부터 에게 보다 처럼 마다 밖에 조차 하고";
    STEMS = "하 되 가 오 보 쓰 만들 고치 바꾸 올리 내리 보내 기다리 찾 읽 먹 자 놀 배우 가르치 끝내 시작하 확인하 \
    정리하 준비하 부탁하 공유하 검토하 수정하 삭제하";
    ENDINGS = "지만 거나 면서 려고 는데 기로 네요 지요 자고 더라 던데 길래 시죠 나요 겠습니다 겠어요 세요";
    ADVERBS = "지금 아까 이따가 빨리 천천히 다시 함께 조금 많이 아마 벌써 아직 자주 가끔 혹시 역시 그래서 그리고 하지만";
    PEOPLE = "지민 서연 민준 하윤 도윤 수빈 예은 현우 Alice Bob Jimin Minjun Carol Dmitri";
    ENGLISH = "server client deploy release branch merge commit review index search Docker Madang PostgreSQL SQLite \
    Rust TypeScript README API token session socket channel message thread emoji cache queue backup restore latency \
    throughput meeting lunch schedule report the and with for about from please thanks okay tomorrow today";
}

const JOSA: [(&str, &str); 6] =
    [("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로"), ("이랑", "랑")];
const SIGNS: [&str; 8] = [".", "!", "?", "…", "~", " ㅋㅋㅋ", " ㅎㅎ", " 👍"];

/// A source of talk.
#[derive(Debug, Clone)]
pub struct Prose(u64);

impl Prose {
    /// The talk of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end` (`SplitMix64`).
    pub const fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let bits = (z ^ (z >> 31)) as usize;
        bits % if end == 0 { 1 } else { end }
    }

    fn one(&mut self, words: &[&'static str]) -> &'static str {
        let n = self.below(words.len());
        words.get(n).copied().unwrap_or_default()
    }

    fn syllable(&mut self) -> char {
        // Any beginning and vowel, and mostly none or a usual end.
        let (first, vowel) = (self.below(19), self.below(21));
        let last = [0, 0, 0, 0, 1, 4, 8, 16, 17, 21].get(self.below(10)).copied().unwrap_or(0);
        let code = 0xAC00 + (first * 21 + vowel) * 28 + last;
        u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('가')
    }

    fn noun(&mut self) -> String {
        match self.below(10) {
            0 => (0..2 + self.below(2)).map(|_| self.syllable()).collect(),
            1 => format!("{}{}", self.one(&NOUNS), self.one(&NOUNS)),
            2 => self.one(&PEOPLE).to_owned(),
            3 => format!("{}{}", self.one(&ENGLISH), self.one(&NOUNS)),
            4 => self.one(&ENGLISH).to_owned(),
            _ => self.one(&NOUNS).to_owned(),
        }
    }

    fn with_particle(&mut self) -> String {
        let noun = self.noun();
        let closed = noun
            .chars()
            .last()
            .is_some_and(|c| matches!(c, '가'..='힣') && (u32::from(c) - 0xAC00) % 28 != 0);
        match self.below(3) {
            0 => noun + self.one(&PARTICLES),
            _ => {
                let (after_closed, after_open) =
                    JOSA.get(self.below(JOSA.len())).copied().unwrap_or_default();
                noun + if closed { after_closed } else { after_open }
            }
        }
    }

    /// A message of a few words to a few sentences.
    pub fn message(&mut self) -> String {
        let mut text = String::new();
        if self.below(12) == 0 {
            for _ in 0..3 + self.below(9) {
                text.push_str(self.one(&ENGLISH));
                text.push(' ');
            }
        }
        for _ in 0..=self.below(3) {
            for _ in 0..1 + self.below(3) {
                if self.below(4) == 0 {
                    text.push_str(self.one(&ADVERBS));
                    text.push(' ');
                }
                text.push_str(&self.with_particle());
                text.push(' ');
            }
            text.push_str(self.one(&STEMS));
            text.push_str(self.one(&ENDINGS));
            text.push_str(SIGNS.get(self.below(SIGNS.len())).copied().unwrap_or_default());
            text.push(' ');
        }
        if self.below(40) == 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "https://example.org/{}/{}", self.one(&ENGLISH), self.below(10_000));
        }
        text.trim_end().to_owned()
    }

    /// A part of a text of 1 to 6 syllables; English words in it are whole, and it has no spaces. `None`
    /// where the text has no such part at the place that came up.
    pub fn part(&mut self, text: &str) -> Option<String> {
        let words: Vec<&str> = text.split_whitespace().filter(|w| !w.contains("://")).collect();
        let word = words.get(self.below(words.len()))?;
        let mut units: Vec<String> = Vec::new();
        let mut in_word = false;
        for c in word.chars() {
            match units.last_mut() {
                Some(unit) if in_word && c.is_ascii_alphanumeric() => unit.push(c),
                _ => units.push(c.to_string()),
            }
            in_word = c.is_ascii_alphanumeric();
        }
        let from = self.below(units.len());
        let length = 1 + self.below(6);
        let part = units.get(from..units.len().min(from + length))?.concat();
        part.chars().any(char::is_alphanumeric).then_some(part)
    }
}
