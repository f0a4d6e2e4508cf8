//! Schemas of the texts that requests carry: how long they are and what they are made of, as the OpenAPI document
//! says it.
//!
//! How: a field names the schema it has, as `#[schema(value_type = Username)]`, in a query
//! `#[param(value_type = Option<Username>)]`, so that a new request inherits it. Ids and times bring their own.
//!
//! Invariants:
//! - What fits a schema is what [`crate::input`] takes, but for what no pattern can say: that a name is free, that a
//!   text which is a caption has files, that an emoji or a time zone is listed, that a keyword has a letter or digit.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};

use crate::{MessageId, channels::ChannelKind, limits};

/// Nothing but the control characters that a text of several lines may not have.
macro_rules! prose {
    () => {
        r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*"
    };
}

/// A character of a name: neither a control character, nor one that deceives or breaks the line; in a class.
macro_rules! unfit {
    () => {
        r"\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2064\u2066-\u2069\uFEFF"
    };
}

/// A character of a line; in a class.
macro_rules! control {
    () => {
        r"\u0000-\u001F\u007F-\u009F\u2028\u2029"
    };
}

fn text(description: &str, length: (usize, usize), pattern: Option<&str>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description.trim()))
        .min_length((length.0 > 0).then_some(length.0))
        .max_length(Some(length.1))
        .pattern(pattern)
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident = $length:expr, $pattern:expr $(, $format:literal)?;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let schema = text(concat!($($doc),*), $length, $pattern);
                    $(let schema = schema.format(Some(SchemaFormat::Custom($format.to_owned())));)?
                    schema.into()
                }
            }

            impl ToSchema for $name {}
        )*

        /// Each by its name. The document has them all: those that only queries use come into it by no other way.
        #[must_use]
        pub fn all() -> Vec<(String, RefOr<Schema>)> {
            let texts = vec![$((stringify!($name).to_owned(), $name::schema())),*];
            texts.into_iter().chain([("MomentText".to_owned(), MomentText::schema())]).collect()
        }
    };
}

texts! {
    /// A username: letters, digits, `.`, `_` and `-` of any script, the first a letter or digit.
    Username = limits::USERNAME_CHARS, Some(r"^[\p{L}\p{N}][\p{L}\p{N}._-]*$");
    /// A password.
    Password = limits::PASSWORD_CHARS, None;
    /// An e-mail address.
    Email = (3, limits::EMAIL_CHARS), Some(concat!(r"^[^\s@", unfit!(), "]+@[^\\s@", unfit!(), "]+$"));
    /// A name to show.
    DisplayName = (1, limits::DISPLAY_NAME_CHARS), Some(concat!(r"^[^\s", unfit!(), "][^", unfit!(), "]*$"));
    /// A workspace's name.
    WorkspaceName = (1, limits::WORKSPACE_NAME_CHARS), Some(concat!(r"^[^\s", unfit!(), "][^", unfit!(), "]*$"));
    /// A channel's name, without `#` in front.
    ChannelName = (1, limits::CHANNEL_NAME_CHARS), Some(concat!(r"^[^#\s", unfit!(), "][^", unfit!(), "]*$"));
    /// A channel's topic; may be empty.
    Topic = (0, limits::TOPIC_CHARS), Some(concat!("^[^", control!(), "]*$"));
    /// What someone writes about themself; may be empty.
    About = (0, limits::ABOUT_CHARS), Some(concat!("^", prose!(), "$"));
    /// A time zone as IANA names it, such as `Asia/Seoul`.
    TimeZoneName = (1, 64), Some("^[A-Za-z0-9/_+-]+$"), "time-zone";
    /// A time zone as IANA names it, such as `Asia/Seoul`; may be empty.
    OwnTimeZone = (0, 64), Some("^[A-Za-z0-9/_+-]*$"), "time-zone";
    /// A word or phrase that someone wants to be told of; it has a letter or a digit.
    KeywordText = (1, limits::KEYWORD_CHARS), Some(concat!(r"^[^\s", unfit!(), "][^", unfit!(), "]*$"));
    /// The name of a workspace's own emoji, without the colons: small letters, digits, `_`, `+`, `-` and Hangul.
    EmojiName = limits::EMOJI_NAME_CHARS, Some("^[a-z0-9_+가-힣-]+$");
    /// A custom status; may be empty.
    CustomStatus = (0, limits::CUSTOM_STATUS_CHARS), Some(concat!("^[^", control!(), "]*$"));
    /// Why something was done to someone.
    ReasonText = (1, limits::REASON_CHARS), Some(concat!(r"^[^\s", control!(), "][^", control!(), "]*$"));
    /// A message's text: not blank, no control characters but line breaks and tabs.
    Content = (1, limits::CONTENT_CHARS), Some(concat!(r"^[ \n\r\t]*[^\s\u0000-\u001F\u007F-\u009F]", prose!(), "$"));
    /// A message's text, which may be blank beside files.
    Caption = (0, limits::CONTENT_CHARS), Some(concat!("^", prose!(), "$"));
    /// A reminder's text.
    ReminderText = (1, limits::REMINDER_CHARS),
        Some(concat!(r"^[ \n\r\t]*[^\s\u0000-\u001F\u007F-\u009F]", prose!(), "$"));
    /// Makes sending idempotent.
    Nonce = (1, limits::NONCE_CHARS), Some(r"^[^\u0000-\u001F\u007F-\u009F]+$");
    /// One emoji, such as Unicode lists.
    EmojiText = (1, 64), None, "emoji";
    /// One emoji, such as Unicode lists, or `:name:` of a workspace's own.
    ReactionText = (1, 64), None, "reaction";
    /// What is searched for: words that must all be there, "phrases", and filters.
    SearchText = (0, limits::SEARCH_CHARS), None;
    /// What messages can have.
    HasText = (3, 8), Some("^(file|image|video|link|reaction|pin)$");
    /// Where a page of threads goes on: the `next_cursor` of the page before.
    ThreadCursor = (5, 59), Some("^[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}$");
    /// Where a page goes on: the `next_cursor` of the page before.
    Cursor = (1, 19), Some("^(0|[1-9][0-9]{0,17}|[1-8][0-9]{18})$");
}

/// The kind of a channel that one makes: the others come by themselves.
#[derive(Debug)]
pub enum NewChannelKind {}

impl PartialSchema for NewChannelKind {
    fn schema() -> RefOr<Schema> {
        let description = "The kind of a channel that one makes.";
        let made = [ChannelKind::Public, ChannelKind::Private].map(ChannelKind::as_str);
        let schema = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        schema.enum_values(Some(made)).into()
    }
}

impl ToSchema for NewChannelKind {}

/// A place in time among messages: the id of one, a day (UTC), or a time.
#[derive(Debug)]
pub enum MomentText {}

impl PartialSchema for MomentText {
    fn schema() -> RefOr<Schema> {
        let string = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        AnyOfBuilder::new()
            .item(MessageId::schema())
            .item(string(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .item(string(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for MomentText {}
