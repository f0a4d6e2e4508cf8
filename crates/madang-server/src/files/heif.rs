//! Takes what tells of place, time and device out of HEIC and AVIF images (ISO/IEC 23008-12), without reading the picture:
//! where EXIF and XMP stand, zeros stand afterwards, so that nothing moves. How the picture is turned is not in them.
//!
//! Invariants:
//! - Pure. An image whose boxes cannot be walked through, or that is a film as well, gives nothing.

use std::ops::Range;

/// Boxes within boxes, and items, of one image.
const MOST: usize = 10_000;

/// Numbers, one after the other.
struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next number of so many bytes, at most 8.
    fn next(&mut self, bytes: usize) -> Option<usize> {
        if bytes > 8 {
            return None;
        }
        let number = self.take(bytes)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).ok()
    }
}

/// The boxes in a part of an image: what they are, and where their content stands.
fn boxes(image: &[u8], within: Range<usize>) -> Option<Vec<([u8; 4], Range<usize>)>> {
    let (mut found, mut at) = (Vec::new(), within.start);
    while at < within.end {
        let mut head = Numbers(image.get(at..within.end)?);
        let mut length = head.next(4)?;
        let kind = *head.take(4)?.first_chunk()?;
        let mut before = 8;
        match length {
            0 => length = within.end - at,
            1 => (length, before) = (head.next(8)?, 16),
            _ => {}
        }
        let end = at.checked_add(length).filter(|end| length >= before && *end <= within.end)?;
        found.push((kind, at + before..end));
        if found.len() > MOST {
            return None;
        }
        at = end;
    }
    Some(found)
}

/// Without metadata. `None` when it is no such image.
pub fn strip(mut image: Vec<u8>) -> Option<Vec<u8>> {
    let top = boxes(&image, 0..image.len())?;
    let (mut telling, mut pictures) = (Vec::new(), 0);
    for (kind, content) in top {
        match &kind {
            b"meta" => {
                telling.extend(of_meta(&image, content)?);
                pictures += 1;
            }
            b"moov" | b"moof" => return None,
            b"uuid" | b"udta" | b"free" | b"skip" => telling.push(content),
            _ => {}
        }
    }
    for place in telling {
        image.get_mut(place)?.fill(0);
    }
    (pictures == 1).then_some(image)
}

/// The places of what tells more than the picture.
fn of_meta(image: &[u8], meta: Range<usize>) -> Option<Vec<Range<usize>>> {
    let inside = boxes(image, meta.start.checked_add(4)?..meta.end)?;
    let find =
        |wanted: &[u8; 4]| inside.iter().find(|(kind, _)| kind == wanted).map(|(_, content)| content.clone());
    let mut telling: Vec<_> = inside
        .iter()
        .filter(|(kind, _)| matches!(kind, b"xml " | b"bxml" | b"uuid" | b"udta"))
        .map(|(_, content)| content.clone())
        .collect();
    let Some(infos) = find(b"iinf") else { return Some(telling) };
    let items = items(image, infos)?;
    if items.is_empty() {
        return Some(telling);
    }
    let places = places(image.get(find(b"iloc")?)?)?;
    let data = find(b"idat");
    for (_, inside_data, place) in places.into_iter().filter(|(item, ..)| items.contains(item)) {
        let from = if inside_data { data.clone()?.start } else { 0 };
        let place = from.checked_add(place.start)?..from.checked_add(place.end)?;
        telling.push(place);
    }
    Some(telling)
}

/// The items that are EXIF, or text such as XMP.
fn items(image: &[u8], infos: Range<usize>) -> Option<Vec<usize>> {
    let version = *image.get(infos.start)?;
    let before = if version == 0 { 6 } else { 8 };
    let mut found = Vec::new();
    for (kind, content) in boxes(image, infos.start.checked_add(before)?..infos.end)? {
        let mut info = Numbers(image.get(content)?);
        let version = info.next(1)?;
        if &kind != b"infe" || version < 2 {
            continue;
        }
        info.take(3)?;
        let id = info.next(if version == 2 { 2 } else { 4 })?;
        info.take(2)?;
        if matches!(info.take(4)?, b"Exif" | b"mime" | b"uri ") {
            found.push(id);
        }
    }
    Some(found)
}

/// Where the bytes of items stand: the item, whether within `idat`, and the bytes.
fn places(content: &[u8]) -> Option<Vec<(usize, bool, Range<usize>)>> {
    let mut numbers = Numbers(content);
    let version = numbers.next(1)?;
    numbers.take(3)?;
    let sizes = [numbers.next(1)?, numbers.next(1)?];
    let [of_offset, of_length, of_base, of_index] =
        [sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15];
    let wide = if version < 2 { 2 } else { 4 };
    let count = numbers.next(wide)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let item = numbers.next(wide)?;
        let method = if version == 0 { 0 } else { numbers.next(2)? & 15 };
        numbers.take(2)?;
        let base = numbers.next(of_base)?;
        for _ in 0..numbers.next(2)? {
            if version > 0 {
                numbers.next(of_index)?;
            }
            let from = base.checked_add(numbers.next(of_offset)?)?;
            found.push((item, method == 1, from..from.checked_add(numbers.next(of_length)?)?));
            if found.len() > MOST || method > 1 {
                return None;
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&length[..], kind, content].concat()
    }

    /// An image of a picture and EXIF, and of XMP within its `meta`.
    fn image(exif_at: u32) -> Vec<u8> {
        let item =
            |id: u8, kind: &[u8; 4]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0][..], kind, b"\0"].concat());
        let infos =
            [&[0, 0, 0, 0, 0, 3][..], &item(1, b"hvc1"), &item(2, b"Exif"), &item(3, b"mime")].concat();
        let place = |id: u8, method: u8, at: u32, length: u8| {
            [&[0, id, 0, method, 0, 0, 0, 1][..], &at.to_be_bytes(), &[0, 0, 0, length]].concat()
        };
        let places = [
            &[1, 0, 0, 0, 0x44, 0, 0, 3][..],
            &place(1, 0, exif_at.wrapping_add(9), 7),
            &place(2, 0, exif_at, 9),
            &place(3, 1, 2, 9),
        ]
        .concat();
        let parts =
            [boxed(b"iinf", &infos), boxed(b"iloc", &places), boxed(b"idat", b"ab126.9780Ecd")].concat();
        let meta = boxed(b"meta", &[&[0; 4][..], &parts].concat());
        [boxed(b"ftyp", b"heic\0\0\0\0mif1"), meta, boxed(b"mdat", b"126.9780Epicture")].concat()
    }

    #[test]
    fn exif_and_xmp_become_zeros_and_the_picture_stays() {
        let length = u32::try_from(image(0).len()).unwrap();
        let given = image(length - 16);
        let kept = strip(given.clone()).unwrap();
        assert_eq!(kept.len(), given.len());
        assert!(!kept.windows(9).any(|window| window == b"126.9780E"));
        assert!(
            kept.ends_with(b"\0\0\0\0\0\0\0\0\0picture") && kept.windows(2).any(|window| window == b"cd")
        );
    }

    #[test]
    fn what_cannot_be_walked_through_gives_nothing() {
        let length = u32::try_from(image(0).len()).unwrap();
        let good = image(length - 16);
        assert!(strip(good[..good.len() - 1].to_vec()).is_none(), "cut");
        assert!(strip(image(length)).is_none(), "EXIF after the end");
        assert!(strip(image(u32::MAX)).is_none());
        assert!(strip([good, boxed(b"moov", b"")].concat()).is_none(), "a film");
        assert!(
            strip(Vec::new()).is_none() && strip(vec![0; 64]).is_none() && strip(vec![255; 64]).is_none()
        );
    }
}
