//! Videos, by a real ffmpeg: cleaned, measured, with a thumbnail; what is none is refused, and without ffmpeg all is
//! kept as it came.

use std::{path::Path, process::Command};

use madang_client::{
    Error,
    proto::{
        error::ErrorCode::{Invalid, NotFound},
        messages::CreateMessage,
    },
};

use crate::{
    support::{Backend, TestServer, server::PASSWORD},
    transfer::{export, fresh, import},
};

/// Whether there is an ffmpeg; `cargo xtask test` sees to it.
fn is_there() -> bool {
    let there = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: there is no ffmpeg; `cargo xtask test` installs it where it may");
    }
    there
}

/// A video of two seconds, which tells a place, a name, a chapter's title and a subtitle.
fn filmed(folder: &Path, name: &str, more: &[&str]) -> Vec<u8> {
    let (texts, chapters, video) = (folder.join("a.srt"), folder.join("a.txt"), folder.join(name));
    std::fs::write(&texts, "1\n00:00:00,000 --> 00:00:01,000\nGPS(37.5665,126.9780E,19)\n").unwrap();
    let chapter = "[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=at 126.9780E\n";
    std::fs::write(&chapters, format!(";FFMETADATA1\ncomment=at 126.9780E\n{chapter}")).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10:duration=2"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]);
    command.arg("-i").arg(&texts).arg("-i").arg(&chapters);
    command.args(["-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3"]);
    command.args(["-metadata", "location=+37.5665+126.9780E/", "-metadata:s:v", "title=at 126.9780E"]);
    command.args(["-metadata:s:v", "handler_name=126.9780E"]).args(more).arg(&video);
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::read(video).unwrap()
}

fn tells_of_the_place(bytes: &[u8]) -> bool {
    bytes.windows(8).any(|window| window == b"126.9780" || window == b"126,9780")
}

const WEBM: [&str; 8] = ["-c:v", "libvpx", "-b:v", "200k", "-c:a", "libopus", "-c:s", "webvtt"];
const MP4: [&str; 6] = ["-c:v", "mpeg4", "-c:a", "aac", "-c:s", "mov_text"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_tells_no_place_and_gets_a_thumbnail() {
    if !is_there() {
        return;
    }
    let s = TestServer::start(Backend::Sqlite).await;
    let (alice, folder) = (s.user("alice").await, tempfile::tempdir().unwrap());
    for (name, media_type, more) in [
        ("a.mp4", "video/mp4", &MP4[..]),
        ("a.mov", "video/quicktime", &MP4),
        ("a.webm", "video/webm", &WEBM),
        ("a.mkv", "video/x-matroska", &["-c:v", "mpeg4", "-c:a", "aac", "-c:s", "srt"]),
    ] {
        let video = filmed(folder.path(), name, more);
        assert!(tells_of_the_place(&video), "{name}");
        let file = alice.http.upload(name, video).await.unwrap();
        assert_eq!((file.media_type.as_str(), file.width, file.height), (media_type, Some(320), Some(180)));
        assert!(file.duration_ms.is_some_and(|ms| (1_900..2_200).contains(&ms)), "{:?}", file.duration_ms);
        let kept = alice.http.download(file.id).await.unwrap().bytes().await.unwrap();
        assert_eq!(
            (i64::try_from(kept.len()).unwrap(), tells_of_the_place(&kept)),
            (file.size, false),
            "{name}"
        );
        std::fs::write(folder.path().join("kept"), &kept).unwrap();
        let asked = ["-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_type"];
        let seen = Command::new("ffprobe").args(asked).arg(folder.path().join("kept")).output().unwrap();
        assert_eq!(String::from_utf8(seen.stdout).unwrap(), "video\naudio\n", "{name}");
        assert!(file.thumbnail, "{name}");
        let small = alice.http.thumbnail(file.id).await.unwrap().bytes().await.unwrap();
        let small = image::load_from_memory_with_format(&small, image::ImageFormat::Jpeg).unwrap();
        assert_eq!((small.width(), small.height()), (320, 180));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_on_its_side_is_shown_upright_and_a_large_one_small() {
    if !is_there() {
        return;
    }
    let s = TestServer::start(Backend::Sqlite).await;
    let (alice, folder) = (s.user("alice").await, tempfile::tempdir().unwrap());
    let large = [&MP4[..], &["-vf", "scale=1280:720"]].concat();
    filmed(folder.path(), "large.mp4", &large);
    let (large, turned) = (folder.path().join("large.mp4"), folder.path().join("turned.mp4"));
    let turn = ["-metadata:s:v:0", "rotate=90", "-c", "copy"];
    let made = Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(large).args(turn).arg(&turned).status();
    assert!(made.unwrap().success());
    let file = alice.http.upload("a.mp4", std::fs::read(turned).unwrap()).await.unwrap();
    assert_eq!((file.width, file.height), (Some(720), Some(1_280)));
    let small = alice.http.thumbnail(file.id).await.unwrap().bytes().await.unwrap();
    let small = image::load_from_memory(&small).unwrap();
    assert_eq!((small.width(), small.height()), (360, 640));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_seems_to_be_a_video_reads_no_other_file() {
    if !is_there() {
        return;
    }
    let s = TestServer::start(Backend::Sqlite).await;
    let (alice, folder) = (s.user("alice").await, tempfile::tempdir().unwrap());
    let refused = |answer: Result<_, Error>| answer.err().and_then(|e| e.code());
    let cut = filmed(folder.path(), "a.mp4", &MP4)[..2_000].to_vec();
    let secret = folder.path().join("secret.mp4");
    filmed(folder.path(), "secret.mp4", &MP4);
    let list = format!("#EXTM3U\n#EXTINF:2,\nfile:{}\n#EXT-X-ENDLIST\n", secret.display());
    let begun = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    let webm = filmed(folder.path(), "a.webm", &WEBM)[..300].to_vec();
    for bad in [cut, webm, [&begun[..], list.as_bytes()].concat()] {
        assert_eq!(refused(alice.http.upload("a.mp4", bad).await), Some(Invalid));
    }
    let file = alice.http.upload("a.m3u8", list).await.unwrap();
    assert_eq!((file.media_type.as_str(), file.thumbnail), ("text/plain", false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_that_is_imported_gets_a_thumbnail_where_there_is_ffmpeg() {
    if !is_there() {
        return;
    }
    let s = TestServer::start(Backend::Sqlite).await;
    let (alice, folder) = (s.user("alice").await, tempfile::tempdir().unwrap());
    let file = alice.http.upload("a.webm", filmed(folder.path(), "a.webm", &WEBM)).await.unwrap();
    let body = CreateMessage { content: String::new(), nonce: None, file_ids: vec![file.id] };
    alice.http.create_message(alice.general(), &body).await.unwrap();
    let small = alice.http.thumbnail(file.id).await.unwrap().bytes().await.unwrap();
    let transfer = export(&s.config, alice.workspace(), folder.path().join("out.tar.gz")).await;
    for (ffmpeg, expected) in [(None, Ok(small)), (Some("off".to_owned()), Err(Some(NotFound)))] {
        let (mut config, _there) = fresh(Backend::Sqlite).await;
        config.ffmpeg = ffmpeg;
        import(&config, &s, &transfer).await.unwrap();
        madang_server::transfer::set_password(&config, "alice", PASSWORD.to_owned().into()).await.unwrap();
        let there = TestServer::again(config, s.clock.clone()).await.unwrap();
        let alice = there.again_as("alice").await;
        let given = match alice.http.thumbnail(file.id).await {
            Ok(answer) => Ok(answer.bytes().await.unwrap()),
            Err(error) => Err(error.code()),
        };
        assert_eq!(given, expected);
    }
}

#[tokio::test]
async fn without_ffmpeg_a_video_is_kept_as_it_came() {
    let s = TestServer::start_with(Backend::Sqlite, |config| config.ffmpeg = Some("off".to_owned())).await;
    let s = s.unwrap();
    let alice = s.user("alice").await;
    let video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom at 126.9780E".to_vec();
    let file = alice.http.upload("a.mp4", video.clone()).await.unwrap();
    assert_eq!((file.media_type.as_str(), file.thumbnail, file.duration_ms), ("video/mp4", false, None));
    assert_eq!(alice.http.download(file.id).await.unwrap().bytes().await.unwrap(), video);
    let missing = |config: &mut madang_server::Config| config.ffmpeg = Some("/nowhere/ffmpeg".to_owned());
    assert!(TestServer::start_with(Backend::Sqlite, missing).await.is_err());
}
