//! `madang chat`.

use anyhow::Result;

/// What `chat` takes.
#[derive(Debug, clap::Args)]
pub struct Chat {
    /// Address of the server.
    #[arg(long, env = "MADANG_SERVER", default_value = "http://localhost:8080")]
    server: String,

    /// Sign in with this name; the password is asked for.
    #[arg(long)]
    username: Option<String>,

    /// Come in as a guest at once.
    #[arg(long, conflicts_with = "username")]
    guest: bool,

    /// Language of the texts: en or ko; as the system says when not set.
    #[arg(long)]
    lang: Option<String>,
}

/// Chats until the user has enough.
pub async fn run(chat: Chat) -> Result<()> {
    let lang = chat.lang.or_else(system_language);
    let options =
        madang_tui::Options { server: chat.server, username: chat.username, guest: chat.guest, lang };
    madang_tui::run(options).await
}

#[expect(clippy::disallowed_methods, reason = "the system says its language in variables only")]
fn system_language() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
}
