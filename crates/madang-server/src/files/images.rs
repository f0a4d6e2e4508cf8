//! Images: cleaned of what they tell besides the picture, measured, and made small.
//!
//! Within limits: a small file can unfold to a giant picture.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};
use madang_proto::limits::{AVATAR_PIXELS, IMAGE_PIXELS, THUMBNAIL_PIXELS};

use super::{kinds, prepare::Prepared, strip::strip};

/// Images that are worked on at once.
pub const AT_ONCE: usize = 2;
/// Bytes that an unfolded picture may take.
const UNFOLDED: u64 = 4 * IMAGE_PIXELS + 64 * 1024 * 1024;
const JPEG_QUALITY: u8 = 80;

/// What reads an image, within limits.
pub fn decoder<'a>(media_type: &str, bytes: &'a [u8]) -> Option<impl ImageDecoder + use<'a>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(UNFOLDED);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::from_mime_type(media_type)?);
    reader.limits(limits);
    reader.into_decoder().ok()
}

/// A picture of at most so many pixels across and down.
pub fn small(picture: DynamicImage, most: u32) -> DynamicImage {
    let fits = picture.width().max(picture.height()) <= most;
    if fits { picture } else { picture.thumbnail(most, most) }
}

/// Reads an image; gives it cleaned too. `None` when it cannot be read as what it seems to be.
pub fn prepare(media_type: &str, bytes: &[u8]) -> Option<(Prepared, Vec<u8>)> {
    let mut decoder = decoder(media_type, bytes)?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let cleaned = strip(media_type, bytes, orientation.to_exif())?;
    let small_enough = u64::from(width) * u64::from(height) <= IMAGE_PIXELS;
    let picture = if small_enough { Some(DynamicImage::from_decoder(decoder).ok()?) } else { None };
    let thumbnail = picture.and_then(|picture| thumbnail(picture, orientation));
    let on_its_side = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = if on_its_side { (height, width) } else { (width, height) };
    let (width, height) = (Some(width), Some(height));
    Some((Prepared { width, height, duration_ms: None, thumbnail }, cleaned))
}

/// An image of any kind that is read here, made small: its bytes, what they are, and its pixels across and down.
pub fn thumbnail_of(bytes: &[u8]) -> Option<(Vec<u8>, &'static str, (u32, u32))> {
    let media_type = Some(kinds::sniff(bytes)).filter(|kind| kinds::is_image(kind))?;
    let small = prepare(media_type, bytes)?.0.thumbnail?;
    let size = ImageReader::new(Cursor::new(&small)).with_guessed_format().ok()?.into_dimensions().ok()?;
    let media_type = type_of_thumbnail(&small);
    Some((small, media_type, size))
}

/// The middle of a picture as a small square, which tells nothing but what is seen. `None` when it cannot be read, or
/// is too large.
pub fn square(media_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = decoder(media_type, bytes)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > IMAGE_PIXELS {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let side = width.min(height);
    let whole = DynamicImage::from_decoder(decoder).ok()?;
    let middle = whole.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let fits = side <= AVATAR_PIXELS;
    let mut small = if fits { middle } else { middle.thumbnail_exact(AVATAR_PIXELS, AVATAR_PIXELS) };
    small.apply_orientation(orientation);
    encoded(&small)
}

fn thumbnail(picture: DynamicImage, orientation: Orientation) -> Option<Vec<u8>> {
    let mut small = small(picture, THUMBNAIL_PIXELS);
    small.apply_orientation(orientation);
    encoded(&small)
}

/// As JPEG, or as PNG where one can look through it.
fn encoded(small: &DynamicImage) -> Option<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    if small.color().has_alpha() {
        DynamicImage::from(small.to_rgba8()).write_to(&mut out, ImageFormat::Png).ok()?;
    } else {
        small.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)).ok()?;
    }
    Some(out.into_inner())
}

/// The media type of a thumbnail.
pub fn type_of_thumbnail(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }
}
