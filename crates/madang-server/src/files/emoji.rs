//! Pictures that become emoji: made small and made anew, so that nothing else that came with them is kept. What moves
//! as GIF goes on moving; of other pictures that move the first one is kept.

use std::io::Cursor;

use image::{
    AnimationDecoder, DynamicImage, Frame, ImageDecoder, ImageFormat,
    codecs::gif::{GifDecoder, GifEncoder, Repeat},
    metadata::Orientation,
};
use madang_proto::limits::{EMOJI_FRAME_PIXELS, EMOJI_FRAMES, EMOJI_PIXELS};

use super::images::{decoder, small};

/// Of quick and small: how well the colours of a picture that moves are chosen (1 to 30).
const GIF_SPEED: i32 = 10;

/// A picture that became an emoji.
#[derive(Debug)]
pub struct Made {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub media_type: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Makes an emoji of a picture. `None` when it cannot be read, or is too large to be worked on.
pub fn make(media_type: &str, bytes: &[u8]) -> Option<Made> {
    if media_type == "image/gif"
        && let Some(made) = moving(bytes)?
    {
        return Some(made);
    }
    let mut decoder = decoder(media_type, bytes)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > EMOJI_FRAME_PIXELS {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = small(DynamicImage::from_decoder(decoder).ok()?, EMOJI_PIXELS);
    picture.apply_orientation(orientation);
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(picture.to_rgba8()).write_to(&mut out, ImageFormat::Png).ok()?;
    let (width, height) = (picture.width(), picture.height());
    Some(Made { bytes: out.into_inner(), media_type: "image/png", width, height })
}

/// An emoji that moves; nothing where there is one picture only.
fn moving(bytes: &[u8]) -> Option<Option<Made>> {
    let decoder = GifDecoder::new(Cursor::new(bytes)).ok()?;
    let (width, height) = decoder.dimensions();
    let of_one = u64::from(width) * u64::from(height);
    let most = usize::try_from(EMOJI_FRAME_PIXELS / of_one.max(1)).unwrap_or(usize::MAX).min(EMOJI_FRAMES);
    if most == 0 {
        return None;
    }
    let mut frames = Vec::new();
    for frame in decoder.into_frames() {
        if frames.len() == most {
            return None;
        }
        let frame = frame.ok()?;
        let delay = frame.delay();
        let picture = small(DynamicImage::from(frame.into_buffer()), EMOJI_PIXELS);
        frames.push(Frame::from_parts(picture.to_rgba8(), 0, 0, delay));
    }
    let first = frames.first()?;
    let (width, height) = first.buffer().dimensions();
    if frames.len() == 1 {
        return Some(None);
    }
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, GIF_SPEED);
    encoder.set_repeat(Repeat::Infinite).ok()?;
    encoder.encode_frames(frames).ok()?;
    drop(encoder);
    Some(Some(Made { bytes: out, media_type: "image/gif", width, height }))
}
