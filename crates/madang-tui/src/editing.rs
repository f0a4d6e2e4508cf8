//! Editing one's own messages: Up in an empty composer takes the last one, again the one before.

use madang_client::{
    proto::{MessageId, messages::Message},
    state::ChannelState,
};

use crate::{
    composer::Input,
    model::{Chat, Editing},
};

/// One's own messages that can be edited, oldest first.
fn own(chat: &Chat) -> Vec<&Message> {
    let me = chat.state.my_id();
    let messages = chat.channel().into_iter().flat_map(ChannelState::messages);
    messages
        .map(AsRef::as_ref)
        .filter(|message| Some(message.author.id) == me && message.deleted_at.is_none())
        .collect()
}

/// Whether Up and Down step through one's messages: nothing is written that would be lost.
pub fn steps(chat: &Chat) -> bool {
    match &chat.editing {
        Some(editing) => editing.original == chat.composer.text(),
        None => chat.composer.is_empty(),
    }
}

fn take(chat: &mut Chat, message: MessageId, content: &str) {
    chat.composer = Input::new(content);
    chat.editing = Some(Editing { message, original: chat.composer.text().to_owned() });
}

fn step(chat: &mut Chat, pick: impl Fn(&[&Message], Option<usize>) -> Option<usize>) -> bool {
    let own = own(chat);
    let edited = chat.editing.as_ref().map(|editing| editing.message);
    let place = own.iter().position(|message| Some(message.id) == edited);
    let Some(message) = pick(&own, place).and_then(|place| own.get(place)) else { return false };
    let (id, content) = (message.id, message.content.clone());
    take(chat, id, &content);
    true
}

/// The last message, or the one before that which is being edited.
pub fn earlier(chat: &mut Chat) {
    step(chat, |own, place| place.unwrap_or(own.len()).checked_sub(1));
}

/// The message after that which is being edited; after the last one editing ends.
pub fn later(chat: &mut Chat) {
    if !step(chat, |_, place| place.map(|place| place + 1)) {
        cancel(chat);
    }
}

/// Ends editing; the composer is empty again.
pub fn cancel(chat: &mut Chat) {
    if chat.editing.take().is_some() {
        chat.composer = Input::default();
    }
}

/// Ends editing when the message is gone.
pub fn check(chat: &mut Chat) {
    let Some(editing) = &chat.editing else { return };
    let message = chat.channel().and_then(|channel| channel.message(editing.message));
    if message.is_none_or(|message| message.deleted_at.is_some()) {
        cancel(chat);
    }
}
