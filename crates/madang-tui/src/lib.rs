//! The terminal client: a person's chat in a terminal, built on `madang-client` alone.
//!
//! It is made of a model (`model`), a pure function that changes it (`update`), a function that draws it
//! (`view`), and a loop that ties them to a terminal and a client (`run`). What is shown of others goes
//! through `text` first.
//!
//! Invariants:
//! - Nothing is written to disk: a session lives as long as the process.
//! - What others wrote never reaches the terminal raw.

mod channels;
mod commands;
mod composer;
mod dialogs;
mod editing;
mod login;
mod messages;
mod model;
mod run;
mod text;
mod texts;
mod theme;
mod update;
mod view;
mod watching;

#[cfg(test)]
mod tests;

pub use run::run;

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server's address, such as `http://localhost:8080`.
    pub server: String,
    /// Who logs in, if known already.
    pub username: Option<String>,
    /// Whether to come in as a guest at once.
    pub guest: bool,
    /// The language of the texts, as a tag or a locale (`ko`, `ko_KR.UTF-8`); English when missing.
    pub lang: Option<String>,
}
