//! Takes what tells of place, time, device and person out of images, without touching the picture: only the
//! pieces that a picture is made of are kept, with its colours and, where it is turned, its orientation.
//!
//! What stands after the end of an image goes too: phones put a video there, with a place of its own.
//!
//! Invariants:
//! - Pure. An image that cannot be walked through to its end gives nothing.

/// Without metadata, and turned as `orientation` says (EXIF: 1 is upright). `None` when it is no such image.
pub fn strip(media_type: &str, image: &[u8], orientation: u8) -> Option<Vec<u8>> {
    match media_type {
        "image/jpeg" => jpeg(image, orientation),
        "image/png" => png(image, orientation),
        "image/webp" => webp(image, orientation),
        "image/gif" => gif(image),
        _ => None,
    }
}

/// The least EXIF there is (a TIFF with one field): how the image is turned; nothing for upright ones.
fn exif(orientation: u8) -> Option<Vec<u8>> {
    let field = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    let tiff = [&b"II*\0\x08\0\0\0\x01\0"[..], &field, &[0; 4]].concat();
    (2..=8).contains(&orientation).then_some(tiff)
}

fn split(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(at)
}

/// Segments (ITU T.81, annex B): a marker, and with most of them a length and so many bytes.
fn jpeg(image: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const EOI: u8 = 0xd9;
    const SOS: u8 = 0xda;
    let mut rest = image.strip_prefix(b"\xff\xd8")?;
    let mut kept = b"\xff\xd8".to_vec();
    if let Some(tiff) = exif(orientation) {
        let content = [&b"Exif\0\0"[..], &tiff].concat();
        kept.extend([0xff, 0xe1]);
        kept.extend(u16::try_from(content.len() + 2).ok()?.to_be_bytes());
        kept.extend(content);
    }
    let mut seen = false;
    loop {
        if rest.is_empty() && seen {
            // The end of the picture is cut off, which viewers forgive.
            kept.extend([0xff, EOI]);
            return Some(kept);
        }
        // Any number of 0xff may stand before a marker.
        let marker = *rest.iter().find(|byte| **byte != 0xff)?;
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        if fill == 0 {
            return None;
        }
        (_, rest) = split(rest, fill + 1)?;
        if marker == EOI {
            kept.extend([0xff, EOI]);
            return Some(kept);
        }
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            kept.extend([0xff, marker]);
            continue;
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let (segment, after) = split(rest, length)?;
        let content = segment.get(2..)?;
        rest = after;
        let of_the_picture = match marker {
            0xe0 => content.starts_with(b"JFIF\0"),
            0xe2 => content.starts_with(b"ICC_PROFILE\0"),
            0xee => content.starts_with(b"Adobe"),
            0xe1..=0xef | 0xfe => false,
            _ => true,
        };
        if of_the_picture {
            kept.extend([0xff, marker]);
            kept.extend(segment);
        }
        if marker == SOS {
            // The picture itself, up to the next marker: 0xff, and neither 0 nor a restart after it.
            let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7);
            let end = rest.windows(2).position(ends).unwrap_or(rest.len());
            let (scan, after) = split(rest, end)?;
            kept.extend(scan);
            (rest, seen) = (after, true);
        }
    }
}

/// Chunks (PNG, third edition, 5.3): length, type, content, checksum.
fn png(image: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const PICTURE: [&[u8; 4]; 19] = [
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP",
        b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    ];
    let signature = b"\x89PNG\r\n\x1a\n";
    let mut rest = image.strip_prefix(signature)?;
    let mut kept = signature.to_vec();
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let kind: &[u8; 4] = rest.get(4..)?.first_chunk()?;
        let (chunk, after) = split(rest, length.checked_add(12)?)?;
        rest = after;
        if PICTURE.contains(&kind) {
            kept.extend(chunk);
        }
        match kind {
            b"IHDR" => {
                if let Some(tiff) = exif(orientation) {
                    let content = [&b"eXIf"[..], &tiff].concat();
                    kept.extend(u32::try_from(tiff.len()).ok()?.to_be_bytes());
                    kept.extend(&content);
                    kept.extend(crc32(&content).to_be_bytes());
                }
            }
            b"IEND" => return Some(kept),
            _ => {}
        }
    }
}

/// The checksum of PNG chunks (annex D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// Blocks (GIF89a, 12 to 27): without comments, texts, and what applications say but how often it is shown. What is cut
/// off after the first picture ends there, which viewers forgive.
fn gif(image: &[u8]) -> Option<Vec<u8>> {
    const TRAILER: u8 = 0x3b;
    /// The bytes of a colour table that a byte of flags tells of.
    fn table(flags: u8) -> usize {
        if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
    }
    /// The length of sub-blocks: each a length and so many bytes, up to one of none.
    fn blocks(rest: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let length = usize::from(*rest.get(at)?);
            at += 1 + length;
            if length == 0 {
                return Some(at);
            }
        }
    }
    /// The next block: its length, and whether it is of the picture.
    fn block(rest: &[u8]) -> Option<(usize, bool)> {
        match rest.first()? {
            0x2c => {
                let before = 10 + table(*rest.get(9)?) + 1;
                Some((before + blocks(rest.get(before..)?)?, true))
            }
            0x21 => {
                let length = 2 + blocks(rest.get(2..)?)?;
                let looping = [&b"\x0bNETSCAPE2.0"[..], b"\x0bANIMEXTS1.0"];
                let of_the_picture = match rest.get(1)? {
                    0xf9 => true,
                    0xff => looping.iter().any(|name| rest.get(2..14) == Some(name)),
                    _ => false,
                };
                Some((length, of_the_picture))
            }
            _ => None,
        }
    }
    if !image.starts_with(b"GIF87a") && !image.starts_with(b"GIF89a") {
        return None;
    }
    let (head, mut rest) = split(image, 13 + table(*image.get(10)?))?;
    let (mut kept, mut pictures) = (head.to_vec(), 0);
    while let Some((length, of_the_picture)) = block(rest) {
        let Some((block, after)) = split(rest, length) else { break };
        if of_the_picture {
            kept.extend(block);
            pictures += usize::from(block.first() == Some(&0x2c));
        }
        rest = after;
    }
    kept.push(TRAILER);
    (pictures > 0).then_some(kept)
}

/// Chunks (RFC 9649): type, length, content, filled up to an even length.
fn webp(image: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const PICTURE: [&[u8; 4]; 7] = [b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"];
    /// Flags of `VP8X` that say that there is EXIF, and XMP.
    const EXIF: u8 = 0b1000;
    const XMP: u8 = 0b0100;
    let (riff, body) = split(image, 12)?;
    let size = usize::try_from(u32::from_le_bytes(*riff.get(4..)?.first_chunk()?)).ok()?;
    if !riff.starts_with(b"RIFF") || !riff.ends_with(b"WEBP") {
        return None;
    }
    let (mut rest, _) = split(body, size.checked_sub(4)?)?;
    let mut kept = b"WEBP".to_vec();
    let turned = exif(orientation);
    while !rest.is_empty() {
        let kind: &[u8; 4] = rest.first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*rest.get(4..)?.first_chunk()?)).ok()?;
        let (chunk, after) = split(rest, length.checked_add(8 + length % 2)?)?;
        rest = after;
        if PICTURE.contains(&kind) {
            let at = kept.len();
            kept.extend(chunk);
            if kind == b"VP8X" {
                let flags = kept.get_mut(at + 8)?;
                *flags = *flags & !(EXIF | XMP) | if turned.is_some() { EXIF } else { 0 };
            }
        }
    }
    // Only the extended form, which begins with VP8X, has room for EXIF; another is never turned.
    if let Some(tiff) = turned.filter(|_| kept.get(4..8) == Some(b"VP8X")) {
        kept.extend(b"EXIF");
        kept.extend(u32::try_from(tiff.len()).ok()?.to_le_bytes());
        kept.extend(tiff);
    }
    Some([&b"RIFF"[..], &u32::try_from(kept.len()).ok()?.to_le_bytes(), &kept].concat())
}
