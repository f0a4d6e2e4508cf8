//! Files: uploaded, carried by a message, seen by those who see it, gone with it.

use std::io::Cursor;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use madang_client::{
    Error,
    proto::{
        FileId,
        channels::ChannelKind,
        error::ErrorCode::{self, Conflict, Invalid, NotFound, StorageFull, TooLarge, Unavailable},
        files::File,
        limits,
        messages::{CreateMessage, Message},
        threads::CreateReply,
    },
};
use reqwest::{Response, header};
use sha2::{Digest, Sha256};

use crate::support::{Backend, Cast, Expected, TestServer, User, all_converge, on_both, refusals};

fn refused<T>(answer: Result<T, Error>) -> ErrorCode {
    answer.err().and_then(|e| e.code()).unwrap()
}

fn carrying(content: &str, files: &[&File]) -> CreateMessage {
    let file_ids = files.iter().map(|file| file.id).collect();
    CreateMessage { content: content.to_owned(), nonce: None, file_ids }
}

async fn sent(user: &User, content: &str, files: &[&File]) -> Message {
    user.http.create_message(user.general(), &carrying(content, files)).await.unwrap()
}

async fn bytes_of(user: &User, id: FileId) -> Vec<u8> {
    user.http.download(id).await.unwrap().bytes().await.unwrap().to_vec()
}

/// A request for the bytes with headers.
async fn asked(user: &User, path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
    let token = user.http.current_token().unwrap().0;
    let url = format!("{}/api/v1/files/{path}", user.http.server());
    let request = reqwest::Client::new().get(url).bearer_auth(token);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    request.send().await.unwrap()
}

fn text(response: &Response, name: header::HeaderName) -> &str {
    response.headers()[name].to_str().unwrap()
}

/// A picture of two colours, so that it shows how it is turned: red on the left.
fn picture(width: u32, height: u32) -> image::RgbImage {
    let red = |x, _| if x < width / 2 { image::Rgb([255, 0, 0]) } else { image::Rgb([0, 0, 255]) };
    image::RgbImage::from_fn(width, height, red)
}

fn encoded(picture: &image::RgbImage, format: image::ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A JPEG as a phone makes it: turned by its EXIF, which names a place too, with a comment, and with a video after
/// its end.
fn of_a_phone(picture: &image::RgbImage) -> Vec<u8> {
    let jpeg = encoded(picture, image::ImageFormat::Jpeg);
    let tiff = [
        &b"MM\0*\0\0\0\x08\0\x02"[..],
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"\x01\x0e\0\x02\0\0\0\x12\0\0\0\x26\0\0\0\0",
        b"37.5665N 126.9780E",
    ]
    .concat();
    let segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, content].concat()
    };
    [
        &jpeg[..2],
        &segment(0xe1, &[&b"Exif\0\0"[..], &tiff].concat()),
        &segment(0xfe, b"at 126.9780E"),
        &jpeg[2..],
        b"....ftypmp42 126.9780E",
    ]
    .concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

on_both! {
    async fn a_file_is_sent_and_comes_back_as_it_was(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let content = "가나다".repeat(10_000).into_bytes();
        let file = alice.http.upload("회의록.txt", content.clone()).await.unwrap();
        assert_eq!((file.name.as_str(), file.media_type.as_str()), ("회의록.txt", "text/plain"));
        assert_eq!((file.size, file.thumbnail, file.width), (90_000, false, None));
        let message = sent(&alice, "", &[&file]).await;
        assert_eq!((message.content.as_str(), &message.files), ("", &vec![file.clone()]));
        assert_eq!(bob.next_message().await.files, std::slice::from_ref(&file));
        assert_eq!(bob.http.message(message.id).await.unwrap().files, std::slice::from_ref(&file));
        let page = bob.http.messages(bob.general(), Default::default()).await.unwrap();
        assert_eq!(page.items[0].files, std::slice::from_ref(&file));
        let answer = bob.http.download(file.id).await.unwrap();
        assert_eq!(text(&answer, header::CONTENT_TYPE), "text/plain; charset=utf-8");
        assert!(text(&answer, header::CONTENT_DISPOSITION).starts_with("attachment; "));
        assert_eq!(answer.bytes().await.unwrap(), content);
    }

    async fn a_file_of_many_parts_is_kept_whole(s: TestServer) {
        let alice = s.user("alice").await;
        let content: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
        let file = alice.http.upload("big.bin", content.clone()).await.unwrap();
        assert_eq!(file.size, 20_000_000);
        assert!(bytes_of(&alice, file.id).await == content);
    }

    async fn until_it_is_sent_a_file_is_its_uploaders_alone(s: TestServer) {
        let (alice, bob) = s.users().await;
        let file = alice.http.upload("a.txt", "hi").await.unwrap();
        assert_eq!(bytes_of(&alice, file.id).await, b"hi");
        assert_eq!(refused(bob.http.download(file.id).await), NotFound);
        let stolen = bob.http.create_message(bob.general(), &carrying("mine", &[&file])).await;
        assert_eq!(refused(stolen), Invalid);
        assert_eq!(refused(alice.http.download(FileId::from(12_345)).await), NotFound);
    }

    async fn one_message_carries_it_and_sending_again_with_the_nonce_gives_it(s: TestServer) {
        let (alice, bob) = s.users().await;
        let file = alice.http.upload("a.txt", "hi").await.unwrap();
        let body = CreateMessage { nonce: Some("n".to_owned()), ..carrying("one", &[&file]) };
        let first = alice.http.create_message(alice.general(), &body).await.unwrap();
        assert_eq!(alice.http.create_message(alice.general(), &body).await.unwrap(), first);
        let second = alice.http.create_message(alice.general(), &carrying("two", &[&file])).await;
        assert_eq!(refused(second), Conflict);
        let twice = alice.http.upload("b.txt", "hi").await.unwrap();
        let second = alice.http.create_message(alice.general(), &carrying("two", &[&twice, &twice])).await;
        assert_eq!(refused(second), Invalid);
        let page = bob.http.messages(bob.general(), Default::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
    }

    async fn of_many_at_once_one_gets_the_file_and_the_others_leave_no_hole(s: TestServer) {
        let (alice, bob) = s.users().await;
        let file = alice.http.upload("a.txt", "hi").await.unwrap();
        let bodies: Vec<_> = (0..20).map(|n| carrying(&n.to_string(), &[&file])).collect();
        let (general, http) = (alice.general(), &alice.http);
        let other = carrying("hi", &[]);
        let (answers, others) = tokio::join!(
            join_all(bodies.iter().map(|body| http.create_message(general, body))),
            join_all((0..20).map(|_| bob.http.create_message(general, &other))),
        );
        assert!(others.iter().all(Result::is_ok));
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (1, 19));
        assert!(bad.into_iter().all(|answer| refused(answer) == Conflict));
        let page = bob.http.messages(general, Default::default()).await.unwrap();
        assert_eq!(page.items.iter().map(|m| m.seq).collect::<Vec<_>>(), (1..=21).collect::<Vec<_>>());
    }

    async fn it_goes_with_its_message(s: TestServer) {
        let (alice, bob) = s.users().await;
        let file = alice.http.upload("a.txt", "hi").await.unwrap();
        let message = all_converge(&[&alice, &bob], sent(&alice, "", &[&file])).await;
        assert_eq!(bytes_of(&bob, file.id).await, b"hi");
        all_converge(&[&alice, &bob], alice.http.update_message(message.id, "with words")).await.unwrap();
        all_converge(&[&alice, &bob], alice.http.update_message(message.id, "")).await.unwrap();
        all_converge(&[&alice, &bob], alice.http.delete_message(message.id)).await.unwrap();
        assert_eq!(alice.http.message(message.id).await.unwrap().files, []);
        for user in [&alice, &bob] {
            assert_eq!(refused(user.http.download(file.id).await), NotFound);
        }
        nothing_is_kept(&s).await;
    }

    async fn a_reply_carries_files_and_what_stands_in_the_channel_does_not(s: TestServer) {
        let (alice, bob) = s.users().await;
        let root = alice.send(alice.general(), "look").await;
        let file = bob.http.upload("a.txt", "hi").await.unwrap();
        let file_ids = vec![file.id];
        let silent = CreateReply { content: String::new(), nonce: None, also_to_channel: true, file_ids };
        assert_eq!(refused(bob.http.reply(root.id, &silent).await), Invalid);
        let reply = CreateReply { content: "this".to_owned(), ..silent };
        assert_eq!(bob.http.reply(root.id, &reply).await.unwrap().files, std::slice::from_ref(&file));
        assert_eq!(bytes_of(&alice, file.id).await, b"hi");
        let page = alice.http.messages(alice.general(), Default::default()).await.unwrap();
        assert_eq!(page.items.iter().map(|m| m.files.len()).collect::<Vec<_>>(), [0, 0]);
    }

    async fn what_is_uploaded_leaves_nobody_stale(s: TestServer) {
        let (alice, bob) = s.users().await;
        let both = [&alice, &bob];
        all_converge(&both, alice.http.upload("a.txt", "a")).await.unwrap();
        let id = all_converge(&both, alice.http.create_upload("b.txt", 2)).await.unwrap();
        all_converge(&both, alice.http.add_to_upload(id, 0, "b")).await.unwrap();
        all_converge(&both, alice.http.delete_upload(id)).await.unwrap();
    }

    async fn who_may_upload_and_add_to_what(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.upload("a.txt", "a")).await;
        refusals(&cast, Expected::ALLOWED, |user| user.http.create_upload("a.txt", 2)).await;
        let id = cast.member.http.create_upload("b.txt", 3).await.unwrap();
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.upload_offset(id)).await;
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.add_to_upload(id, 0, "b")).await;
        assert_eq!(cast.member.http.upload_offset(id).await.unwrap(), 1);
        refusals(&cast, Expected::MEMBERS_OWN, |user| user.http.delete_upload(id)).await;
    }

    async fn who_may_see_a_file(s: TestServer) {
        let cast = Cast::of(&s).await;
        for (id, expected) in [(cast.secret.id, Expected::IN_SECRET), (cast.open.id, Expected::IN_WORKSPACE)] {
            let picture = encoded(&picture(20, 10), image::ImageFormat::Png);
            let file = cast.owner.http.upload("a.png", picture).await.unwrap();
            cast.owner.http.create_message(id, &carrying("", &[&file])).await.unwrap();
            refusals(&cast, expected, |user| user.http.download(file.id)).await;
            refusals(&cast, expected, |user| user.http.thumbnail(file.id)).await;
        }
    }

    async fn who_leaves_sees_its_files_no_more(s: TestServer) {
        let (alice, bob) = s.users().await;
        let secret = alice.channel("secret", ChannelKind::Private).await.id;
        alice.http.add_channel_member(secret, bob.id).await.unwrap();
        let file = bob.http.upload("a.txt", "hi").await.unwrap();
        bob.http.create_message(secret, &carrying("", &[&file])).await.unwrap();
        bob.http.leave_channel(secret).await.unwrap();
        assert_eq!(refused(bob.http.download(file.id).await), NotFound, "though it was theirs");
        assert_eq!(bytes_of(&alice, file.id).await, b"hi");
    }

    async fn an_upload_in_pieces_goes_on_where_it_stands(s: TestServer) {
        let (alice, bob) = s.users().await;
        let content: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let http = &alice.http;
        let id = http.create_upload("크다.bin", 10_000).await.unwrap();
        assert_eq!(http.upload_offset(id).await.unwrap(), 0);
        assert_eq!(http.add_to_upload(id, 0, content[..4_000].to_vec()).await.unwrap(), 4_000);
        assert_eq!(refused(http.add_to_upload(id, 0, "again").await), Conflict);
        assert_eq!(refused(http.add_to_upload(id, 4_000, vec![0; 6_001]).await), TooLarge);
        assert_eq!(refused(http.download(id).await), NotFound, "it has not come");
        for refusal in [
            refused(bob.http.upload_offset(id).await),
            refused(bob.http.add_to_upload(id, 4_000, "mine").await),
            refused(bob.http.delete_upload(id).await),
        ] {
            assert_eq!(refusal, NotFound);
        }
        let there = http.upload_offset(id).await.unwrap();
        let rest = content[usize::try_from(there).unwrap()..].to_vec();
        assert_eq!(http.add_to_upload(id, there, rest).await.unwrap(), 10_000);
        assert_eq!(http.upload_offset(id).await.unwrap(), 10_000, "also afterwards");
        assert_eq!(bytes_of(&alice, id).await, content);
        let body = CreateMessage { content: String::new(), nonce: None, file_ids: vec![id] };
        let message = http.create_message(alice.general(), &body).await.unwrap();
        assert_eq!((message.files[0].name.as_str(), message.files[0].size), ("크다.bin", 10_000));
        http.delete_message(message.id).await.unwrap();
        let given_up = http.create_upload("", 10).await.unwrap();
        http.add_to_upload(given_up, 0, "12345").await.unwrap();
        http.delete_upload(given_up).await.unwrap();
        assert_eq!(refused(http.upload_offset(given_up).await), NotFound);
        let nothing = http.create_upload("nothing", 0).await.unwrap();
        assert_eq!(bytes_of(&alice, nothing).await, b"");
        s.advance(3_600_000 * 25);
        gone(&alice, nothing).await;
        nothing_is_kept(&s).await;
    }

    async fn a_piece_with_a_checksum_is_added_whole_or_not(s: TestServer) {
        let alice = s.user("alice").await;
        let id = alice.http.create_upload("a.txt", 10).await.unwrap();
        let sum = |bytes: &[u8]| format!("sha256 {}", BASE64_STANDARD.encode(Sha256::digest(bytes)));
        let patch = async |offset: u64, checksum: &str, bytes: &'static [u8]| {
            let token = alice.http.current_token().unwrap().0;
            let request = reqwest::Client::new().patch(format!("{}/api/v1/files/uploads/{id}", s.url));
            let request = request.bearer_auth(token).header("tus-resumable", "1.0.0").header("upload-offset", offset);
            let request = request.header("upload-checksum", checksum).header(header::CONTENT_TYPE, "application/offset+octet-stream");
            request.body(bytes).send().await.unwrap().status().as_u16()
        };
        assert_eq!(patch(0, &sum(b"12345"), b"12344").await, 460);
        for unknown in ["md5 aaaa", "sha256", "sha256 !", "sha256 aaaa"] {
            assert_eq!(patch(0, unknown, b"12345").await, 400, "{unknown}");
        }
        assert_eq!(alice.http.upload_offset(id).await.unwrap(), 0);
        assert_eq!(patch(0, &sum(b"12345"), b"12345").await, 204);
        assert_eq!(patch(0, &sum(b"12345"), b"12345").await, 409);
        assert_eq!(patch(5, &sum(b"67890"), b"6789").await, 460);
        assert_eq!(patch(5, &sum(b"678901"), b"678901").await, 413);
        assert_eq!(alice.http.upload_offset(id).await.unwrap(), 5);
        assert_eq!(patch(5, &sum(b"67890"), b"67890").await, 204);
        assert_eq!(bytes_of(&alice, id).await, b"1234567890");
        let message = alice.client.send_files(alice.general(), "", vec![id]).await.unwrap();
        assert_eq!(message.files.iter().map(|file| file.id).collect::<Vec<_>>(), [id]);
        alice.http.delete_message(message.id).await.unwrap();
        nothing_is_kept(&s).await;
    }

    async fn an_upload_is_not_lost_with_the_server(s: TestServer) {
        let mut s = s;
        let alice = s.user("alice").await;
        let id = alice.http.create_upload("a.txt", 10).await.unwrap();
        alice.http.add_to_upload(id, 0, "12345").await.unwrap();
        s.restart().await;
        assert_eq!(alice.http.upload_offset(id).await.unwrap(), 5);
        alice.http.add_to_upload(id, 5, "67890").await.unwrap();
        assert_eq!(bytes_of(&alice, id).await, b"1234567890");
    }

    async fn what_nobody_sends_is_gone_after_a_day(s: TestServer) {
        let alice = s.user("alice").await;
        let kept = alice.http.upload("kept.txt", "hi").await.unwrap();
        sent(&alice, "", &[&kept]).await;
        let lost = alice.http.upload("lost.txt", "hi").await.unwrap();
        s.advance(3_600_000 * 25);
        gone(&alice, lost.id).await;
        assert_eq!(bytes_of(&alice, kept.id).await, b"hi");
    }
}

/// Waits until a file is not there any more.
async fn gone(user: &User, id: FileId) {
    let gone = async { while user.http.download(id).await.is_ok() {} };
    tokio::time::timeout(crate::support::PATIENCE, gone).await.unwrap();
}

/// Waits until the data folder has no bytes of files.
async fn nothing_is_kept(s: &TestServer) {
    fn files(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
    }
    let data = s.config.data.clone();
    let empty = async {
        while files(&data.join("files")) + files(&data.join("uploads")) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, empty).await.unwrap();
}

#[tokio::test]
async fn ranges_tags_and_headers_that_keep_a_browser_from_running_it() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let script = "<!DOCTYPE html><script>alert(1)</script>";
    let file = alice.http.upload("a.html", script).await.unwrap();
    let id = file.id.to_string();
    let whole = asked(&alice, &id, &[]).await;
    let tag = text(&whole, header::ETAG).to_owned();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CONTENT_LENGTH, "40"),
    ] {
        assert_eq!(text(&whole, name), value);
    }
    assert!(text(&whole, header::CONTENT_DISPOSITION).starts_with("attachment; "));
    let part = asked(&alice, &id, &[(header::RANGE, "bytes=2-8"), (header::IF_RANGE, &tag)]).await;
    assert_eq!((part.status().as_u16(), text(&part, header::CONTENT_RANGE)), (206, "bytes 2-8/40"));
    assert_eq!(part.text().await.unwrap(), "DOCTYPE");
    let changed = asked(&alice, &id, &[(header::RANGE, "bytes=2-8"), (header::IF_RANGE, "\"x\"")]).await;
    assert_eq!((changed.status().as_u16(), changed.text().await.unwrap().len()), (200, 40));
    let outside = asked(&alice, &id, &[(header::RANGE, "bytes=40-")]).await;
    assert_eq!((outside.status().as_u16(), text(&outside, header::CONTENT_RANGE)), (416, "bytes */40"));
    let known = asked(&alice, &id, &[(header::IF_NONE_MATCH, &tag)]).await;
    assert_eq!((known.status().as_u16(), known.bytes().await.unwrap().len()), (304, 0));
    let nothing = alice.http.upload("", "").await.unwrap();
    assert_eq!((nothing.size, nothing.name.as_str()), (0, "file"));
    assert_eq!(bytes_of(&alice, nothing.id).await, b"");
}

#[tokio::test]
async fn a_photo_tells_no_place_stays_upright_and_gets_a_thumbnail() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let photo = of_a_phone(&picture(1_000, 600));
    assert!(holds(&photo, b"126.9780E"));
    let file = alice.http.upload("photo.jpg", photo).await.unwrap();
    assert_eq!((file.media_type.as_str(), file.width, file.height), ("image/jpeg", Some(600), Some(1_000)));
    let kept = bytes_of(&alice, file.id).await;
    assert!(!holds(&kept, b"126.9780E") && kept.ends_with(b"\xff\xd9"));
    assert_eq!(i64::try_from(kept.len()).unwrap(), file.size);
    let answer = alice.http.download(file.id).await.unwrap();
    assert!(text(&answer, header::CONTENT_DISPOSITION).starts_with("inline; "));

    // Turned by a quarter: what was left is above, both in what is kept and in the thumbnail.
    let mut decoder =
        image::ImageReader::new(Cursor::new(&kept)).with_guessed_format().unwrap().into_decoder().unwrap();
    let orientation = image::ImageDecoder::orientation(&mut decoder).unwrap();
    assert_eq!(orientation, image::metadata::Orientation::Rotate90);
    let thumbnail = alice.http.thumbnail(file.id).await.unwrap();
    assert_eq!(text(&thumbnail, header::CONTENT_TYPE), "image/jpeg");
    let small = image::load_from_memory(&thumbnail.bytes().await.unwrap()).unwrap().to_rgb8();
    assert_eq!(small.dimensions(), (384, 640));
    let (above, below) = (small.get_pixel(190, 100), small.get_pixel(190, 540));
    assert!(above[0] > 200 && above[2] < 60 && below[2] > 200 && below[0] < 60, "{above:?} {below:?}");
}

#[tokio::test]
async fn pictures_of_every_kind_stay_as_they_look() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    use image::ImageFormat::{Gif, Png, WebP};
    for (format, media_type) in [(Png, "image/png"), (WebP, "image/webp"), (Gif, "image/gif")] {
        let bytes = encoded(&picture(64, 32), format);
        let file = alice.http.upload("a", bytes.clone()).await.unwrap();
        assert_eq!((file.media_type.as_str(), file.width, file.thumbnail), (media_type, Some(64), true));
        let kept = bytes_of(&alice, file.id).await;
        assert_eq!(image::load_from_memory(&kept).unwrap(), image::load_from_memory(&bytes).unwrap());
    }
    // A text of the camera in a PNG, before its end.
    let png = encoded(&picture(64, 32), Png);
    let text = b"\0\0\0\x10tEXtPlace\x00126.9780E\0....";
    let (before, end) = png.split_at(png.len() - 12);
    let file = alice.http.upload("a.png", [before, text, end, b"126.9780E"].concat()).await.unwrap();
    assert_eq!(bytes_of(&alice, file.id).await, png);
    // A comment in a GIF, what a program says in it, and what stands after its end.
    let gif = encoded(&picture(64, 32), Gif);
    let (pictures, end) = gif.split_at(gif.len() - 1);
    let comment = b"\x21\xfe\x09126.9780E\0";
    let program = b"\x21\xff\x0bXMP DataXMP\x09126.9780E\0";
    let telling = [pictures, comment, program, end, b"126.9780E"].concat();
    let file = alice.http.upload("a.gif", telling).await.unwrap();
    assert_eq!(bytes_of(&alice, file.id).await, gif);
    let file = alice.http.upload("a.gif", pictures.to_vec()).await.unwrap();
    assert_eq!(bytes_of(&alice, file.id).await, gif, "its end is made good");
}

#[tokio::test]
async fn what_only_seems_to_be_a_picture_is_refused_and_a_giant_one_gets_no_thumbnail() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let png = encoded(&picture(64, 32), image::ImageFormat::Png);
    let jpeg = encoded(&picture(64, 32), image::ImageFormat::Jpeg);
    for bad in
        [&png[..40], b"\xff\xd8\xff\xe0\0\x04ab", &jpeg[..30], b"GIF89a", b"RIFF\xff\xff\xff\xffWEBPVP8 "]
    {
        assert_eq!(refused(alice.http.upload("a.png", bad.to_vec()).await), Invalid, "{bad:?}");
    }
    // A PNG that says it is 100,000 pixels wide and high: 40 GB, if one believed it.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    match alice.http.upload("bomb.png", bomb).await {
        Ok(file) => assert!(!file.thumbnail),
        Err(error) => assert_eq!(error.code(), Some(Invalid)),
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[tokio::test]
async fn size_type_and_room_are_limited() {
    let with = |config: &mut madang_server::Config| {
        (config.file_megabytes, config.user_megabytes) = (1, 2);
        config.file_types = vec!["text/*".to_owned(), "application/octet-stream".to_owned()];
    };
    let s = TestServer::start_with(Backend::Sqlite, with).await.unwrap();
    let (alice, bob) = s.users().await;
    let mib = || vec![0_u8; 1 << 20];
    assert_eq!(refused(alice.http.upload("a", vec![0; (1 << 20) + 1]).await), TooLarge);
    let png = encoded(&picture(20, 20), image::ImageFormat::Png);
    assert_eq!(refused(alice.http.upload("a.txt", png).await), Invalid, "whatever its name says");
    alice.http.upload("a", mib()).await.unwrap();
    let second = alice.http.upload("b", mib()).await.unwrap();
    assert_eq!(refused(alice.http.upload("c", mib()).await), StorageFull);
    bob.http.upload("c", mib()).await.unwrap();
    let message = sent(&alice, "", &[&second]).await;
    alice.http.delete_message(message.id).await.unwrap();
    alice.http.upload("c", mib()).await.unwrap();
    let many: Vec<_> = (0..=limits::FILES_PER_MESSAGE).map(|n| format!("{n}")).collect();
    let many = join_all(many.iter().map(|name| bob.http.upload(name, "x"))).await;
    let many: Vec<_> = many.into_iter().map(Result::unwrap).collect();
    let all = bob.http.create_message(bob.general(), &carrying("", &many.iter().collect::<Vec<_>>())).await;
    assert_eq!(refused(all), Invalid);
    assert_eq!(refused(bob.http.create_message(bob.general(), &carrying(" ", &[])).await), Invalid);
}

#[tokio::test]
async fn text_goes_on_while_the_storage_is_away_and_files_come_back_by_themselves() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let file = alice.http.upload("a.txt", "hi").await.unwrap();
    let health = async || s.http().health().await.unwrap().1["files"]["up"].as_bool().unwrap();
    assert!(health().await);
    let (folder, aside) = (s.config.data.join("files"), s.config.data.join("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "not a folder").unwrap();
    assert_eq!(refused(alice.http.upload("b.txt", "hi").await), Unavailable);
    assert_eq!(refused(alice.http.download(file.id).await), Unavailable);
    assert!(!health().await);
    alice.send(alice.general(), "hi").await;
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    let back = async { while !health().await {} };
    tokio::time::timeout(crate::support::PATIENCE, back).await.unwrap();
    alice.http.upload("b.txt", "hi").await.unwrap();
    assert_eq!(bytes_of(&alice, file.id).await, b"hi");
}
