//! Several frames in one message, for clients that take that: one message compresses badly, sixteen
//! together well.
//!
//! What is due for the connections of one room in one pass is the same list of frames for most of them, so
//! a thread remembers the last few lists, known by their addresses, and joins each once.
//!
//! Invariants:
//! - Frames stay in order, and whatever is not a message of ours passes as it is.
//! - A remembered list holds its frames, so that no address comes back as another frame's.

use std::{cell::RefCell, collections::VecDeque};

use madang_proto::{Encoding, limits};
use madang_realtime::Frame;
use madang_websocket::{self as websocket, Opcode, Written, deflate::deflate, extension};

/// Lists that a thread remembers.
const REMEMBERED: usize = 8;
/// A longer list is not shared by many.
const REMEMBERED_BYTES: usize = 64 * 1024;

/// How messages are put together for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joining {
    /// How the frames are written.
    pub encoding: Encoding,
    /// Compression, if it was agreed on.
    pub deflate: Option<extension::Agreed>,
    /// Whether several frames may be one message.
    pub batch: bool,
}

struct Joined {
    joining: Joining,
    list: Vec<Frame>,
    bytes: Frame,
}

impl Joined {
    fn is_of(&self, joining: Joining, list: &[Frame]) -> bool {
        let same = |(a, b): (&Frame, &Frame)| a.len() == b.len() && a.bytes().as_ptr() == b.bytes().as_ptr();
        self.joining == joining && self.list.len() == list.len() && self.list.iter().zip(list).all(same)
    }
}

thread_local! {
    static JOINED: RefCell<VecDeque<Joined>> = const { RefCell::new(VecDeque::new()) };
}

/// The frames as a connection gets them.
pub fn join(list: &[Frame], joining: Joining) -> Frame {
    JOINED.with_borrow_mut(|remembered| {
        let known = remembered.iter().position(|joined| joined.is_of(joining, list));
        let joined = known.and_then(|at| remembered.remove(at)).unwrap_or_else(|| Joined {
            joining,
            list: list.to_vec(),
            bytes: Frame::new(write(list, joining).into()),
        });
        let bytes = joined.bytes.clone();
        if list.iter().map(Frame::len).sum::<usize>() <= REMEMBERED_BYTES {
            remembered.truncate(REMEMBERED - 1);
            remembered.push_front(joined);
        }
        bytes
    })
}

fn write(list: &[Frame], joining: Joining) -> Vec<u8> {
    let mut writer = Writer { joining, message: Vec::new(), bytes: 0, out: Vec::new() };
    list.iter().flat_map(|frame| websocket::written(frame.bytes())).for_each(|frame| writer.add(frame));
    writer.finish_message();
    writer.out
}

struct Writer<'a> {
    joining: Joining,
    /// What goes into the next message.
    message: Vec<Written<'a>>,
    bytes: usize,
    out: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn add(&mut self, frame: Written<'a>) {
        let window = self.joining.deflate.and_then(extension::Agreed::longest);
        let most = window.unwrap_or(limits::BATCH_BYTES).min(limits::BATCH_BYTES);
        // Brackets, commas and the length of an array are less than two bytes a frame and four.
        let bytes = frame.payload.len() + 2;
        if !self.joining.batch || self.bytes + bytes + 4 > most {
            self.finish_message();
        }
        if frame.opcode.is_control() || frame.compressed {
            self.finish_message();
            self.out.extend_from_slice(frame.bytes);
            return;
        }
        self.bytes += bytes;
        self.message.push(frame);
    }

    fn finish_message(&mut self) {
        let array;
        let payload = match self.message.as_slice() {
            [] => return,
            [frame] => frame.payload,
            several => {
                array = self.array(several);
                &array
            }
        };
        let opcode = match self.joining.encoding {
            Encoding::Json => Opcode::Text,
            Encoding::MessagePack => Opcode::Binary,
        };
        self.out.extend(match self.packed(payload) {
            Some(packed) => websocket::compressed(opcode, &packed),
            None => websocket::frame(opcode, payload),
        });
        self.message.clear();
        self.bytes = 0;
    }

    fn array(&self, frames: &[Written<'_>]) -> Vec<u8> {
        let mut array = Vec::with_capacity(self.bytes + 4);
        match self.joining.encoding {
            Encoding::Json => {
                for (index, frame) in frames.iter().enumerate() {
                    array.push(if index == 0 { b'[' } else { b',' });
                    array.extend_from_slice(frame.payload);
                }
                array.push(b']');
            }
            Encoding::MessagePack => {
                match (u8::try_from(frames.len()), u16::try_from(frames.len())) {
                    (Ok(few @ ..16), _) => array.push(0x90 | few),
                    // A message of at most 64 KiB has no more frames than this.
                    (_, length) => {
                        array.push(0xdc);
                        array.extend(length.unwrap_or(u16::MAX).to_be_bytes());
                    }
                }
                frames.iter().for_each(|frame| array.extend_from_slice(frame.payload));
            }
        }
        array
    }

    fn packed(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let longest = self.joining.deflate?.longest().unwrap_or(usize::MAX);
        Some(payload).filter(|p| (limits::DEFLATE_BYTES..=longest).contains(&p.len())).and_then(deflate)
    }
}

#[cfg(test)]
mod tests;
