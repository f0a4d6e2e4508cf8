//! Carries out what the model wants done: each command is a request of the client, whose outcome comes
//! back as a message.

use madang_client::{
    Client, Error, Http, Options,
    proto::{
        ChannelId,
        accounts::{GuestLogin, Login, Register, Secret},
        channels::CreateChannel,
        error::ErrorCode,
        page::MessagePageQuery,
    },
};

use tokio::sync::mpsc;

use crate::{
    model::{Cmd, Msg, SignIn},
    run::Finished,
    text,
    texts::Texts,
};

/// Signs in and connects.
pub async fn sign_in(http: Http, how: SignIn, texts: &'static Texts) -> Finished {
    let signed_in = match how {
        SignIn::LogIn { username, password } => {
            http.login(&Login { username, password: Secret(password) }).await
        }
        SignIn::Register { username, password, display_name } => {
            let password = Secret(password);
            http.register(&Register { username, password, display_name, email: None }).await
        }
        SignIn::Guest { display_name } => http.guest(&GuestLogin { display_name }).await,
    };
    let client = match signed_in {
        Ok(signed_in) => Client::connect(http.signed_in(&signed_in), Options::default()).await,
        Err(error) => Err(error),
    };
    match client {
        Ok(client) => Finished::SignedIn(client),
        Err(error) => Finished::Msg(Msg::NotSignedIn(explain(&error, texts))),
    }
}

/// Puts messages into the client's outbox one after the other.
pub async fn hand_over(client: Client, mut inbox: mpsc::Receiver<(ChannelId, String)>) -> Finished {
    while let Some((channel, content)) = inbox.recv().await {
        if client.enqueue(channel, &content).await.is_err() {
            break;
        }
    }
    Finished::Nothing
}

/// Does anything else.
pub async fn run(client: Client, cmd: Cmd, texts: &'static Texts) -> Finished {
    let outcome = match cmd {
        Cmd::Edit { message, content } => client.edit(message, &content).await.map(drop),
        Cmd::Delete(message) => client.delete(message).await,
        Cmd::Retry(nonce) => client.retry(&nonce).await,
        Cmd::Discard(nonce) => client.discard(&nonce).await,
        Cmd::LoadNewest(channel) => {
            let page = client.load_messages(channel, MessagePageQuery::default()).await;
            return loaded(page.is_ok(), channel);
        }
        Cmd::LoadOlder(channel) => return loaded(client.load_older(channel).await.is_ok(), channel),
        Cmd::LoadMembers(channel) => client.load_members(channel).await,
        Cmd::LoadDirectory(workspace) => client.load_directory(workspace).await,
        Cmd::Join(channel) => match client.join(channel).await {
            Ok(channel) => return Finished::Msg(Msg::Entered(channel.id)),
            Err(error) => Err(error),
        },
        Cmd::Leave(channel) => client.leave(channel).await,
        Cmd::Create { workspace, name, kind } => {
            let body = CreateChannel { workspace_id: Some(workspace), name, kind, topic: None };
            match client.create_channel(&body).await {
                Ok(channel) => return Finished::Msg(Msg::Entered(channel.id)),
                Err(error) => Err(error),
            }
        }
        // These two are said again soon enough.
        Cmd::MarkRead { channel, message } => {
            _ = client.mark_read(channel, message).await;
            Ok(())
        }
        Cmd::Typing { channel, typing } => {
            _ = client.typing(channel, typing).await;
            Ok(())
        }
        Cmd::Watch(people) => client.watch_people(people).await,
        Cmd::Reconnect => client.reconnect_soon().await,
        Cmd::SignIn(_) | Cmd::SignOut | Cmd::Send { .. } | Cmd::Redraw => Ok(()),
    };
    match outcome {
        Ok(()) => Finished::Nothing,
        Err(error) => Finished::Msg(Msg::Failed(explain(&error, texts))),
    }
}

fn loaded(well: bool, channel: ChannelId) -> Finished {
    Finished::Msg(if well { Msg::Loaded(channel) } else { Msg::NotLoaded(channel) })
}

/// An error in words for people.
fn explain(error: &Error, texts: &Texts) -> String {
    if let Some(words) = error.code().and_then(|code| texts.refusal(code)) {
        return words.to_owned();
    }
    let words = match error {
        Error::Problem(problem) if problem.code == ErrorCode::Invalid && !problem.errors.is_empty() => {
            let fields: Vec<String> =
                problem.errors.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.reason)).collect();
            fields.join(" · ")
        }
        Error::Problem(problem) if !problem.detail.is_empty() => problem.detail.clone(),
        Error::Problem(problem) => problem.title.clone(),
        Error::Network(why) => format!("{} ({why})", texts.unreachable),
        Error::Protocol(_) | Error::TimedOut(_) | Error::Closed(_) => error.to_string(),
    };
    text::shown_line(&words)
}
