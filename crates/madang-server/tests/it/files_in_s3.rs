//! Files in a bucket, of a real server that speaks S3 (`s3s-fs`): kept, given, forgotten; and while it is away.

use madang_client::proto::{
    error::ErrorCode::{Conflict, NotFound, Unavailable},
    messages::CreateMessage,
};
use madang_server::config::Switch;
use tokio::time::timeout;

use crate::support::{
    Backend, PATIENCE, TestServer,
    nodes::{Nodes, unheard},
    s3::{BUCKET, S3},
};

async fn server(s3: &S3, secret: &str) -> TestServer {
    let with = |config: &mut madang_server::Config| {
        s3.set(config, secret);
        config.s3_bucket = Some(BUCKET.to_owned());
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    };
    TestServer::start_with(Backend::Sqlite, with).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_kept_in_a_bucket_and_go_with_their_message() {
    let Some(s3) = S3::start().await else { return };
    let s = server(&s3, "well kept").await;
    let alice = s.user("alice").await;
    for size in [5_usize, 20_000_000] {
        let content: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        let file = alice.http.upload("../a.bin", content.clone()).await.unwrap();
        let kept = alice.http.download(file.id).await.unwrap();
        assert!(kept.bytes().await.unwrap() == content);
        let body = CreateMessage { content: String::new(), nonce: None, file_ids: vec![file.id] };
        let message = alice.http.create_message(alice.general(), &body).await.unwrap();
        assert_eq!(s3.objects(), 1);
        alice.http.delete_message(message.id).await.unwrap();
        assert_eq!(alice.http.download(file.id).await.unwrap_err().code(), Some(NotFound));
        s3.keeps(0).await;
    }
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(2, 2).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let emoji = alice.http.create_emoji(alice.workspace(), "cat", png.into_inner()).await.unwrap();
    assert!(alice.http.emoji_picture(emoji.id).await.is_ok() && s3.objects() == 1);
    alice.http.delete_emoji(alice.workspace(), "cat").await.unwrap();
    s3.keeps(0).await;
    assert!(!s.config.data.join("files").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_avatar_is_kept_in_the_bucket_until_another_takes_its_place() {
    let Some(s3) = S3::start().await else { return };
    let s = server(&s3, "well kept").await;
    let alice = s.user("alice").await;
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(9, 9).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let set = alice.http.set_avatar(alice.id, picture.get_ref().clone()).await.unwrap();
        addresses.extend(set.summary.avatar_url);
    }
    assert!(alice.http.avatar(&addresses[1]).await.is_ok());
    assert_eq!(alice.http.avatar(&addresses[0]).await.unwrap_err().code(), Some(NotFound));
    s3.keeps(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_goes_on_while_the_bucket_is_away_and_files_come_back_by_themselves() {
    let Some(mut s3) = S3::start().await else { return };
    let s = server(&s3, "well kept").await;
    let alice = s.user("alice").await;
    let file = alice.http.upload("a.txt", "hi").await.unwrap();
    let health = async || s.http().health().await.unwrap().1["files"].clone();
    let metrics =
        async || reqwest::get(format!("{}/metrics", s.metrics_url())).await.unwrap().text().await.unwrap();
    assert_eq!(health().await, serde_json::json!({"kind": "s3", "up": true}));
    assert!(metrics().await.contains("\nchat_files_up 1\n"));
    let pieces = alice.http.create_upload("c.txt", 8).await.unwrap();
    assert_eq!(alice.http.add_to_upload(pieces, 0, "1234").await.unwrap(), 4);
    s3.go();
    assert_eq!(alice.http.upload("b.txt", "hi").await.unwrap_err().code(), Some(Unavailable));
    let why = alice.http.download(file.id).await.unwrap_err();
    assert_eq!(why.code(), Some(Unavailable));
    assert!(why.problem().unwrap().detail.contains("files cannot be stored or read now"), "{why}");
    assert_eq!(health().await["up"], false);
    assert!(metrics().await.contains("\nchat_files_up 0\n"));
    assert_eq!(alice.http.create_upload("d.txt", 4).await.unwrap_err().code(), Some(Unavailable));
    assert_eq!(alice.http.add_to_upload(pieces, 4, "5678").await.unwrap_err().code(), Some(Unavailable));
    alice.send(alice.general(), "hi").await;
    s3.come().await;
    let back = async { while health().await["up"] != true {} };
    timeout(PATIENCE, back).await.unwrap();
    assert_eq!(alice.http.download(file.id).await.unwrap().text().await.unwrap(), "hi");
    assert_eq!(alice.http.upload_offset(pieces).await.unwrap(), 4);
    assert_eq!(alice.http.add_to_upload(pieces, 4, "5678").await.unwrap(), 8);
    assert_eq!(alice.http.download(pieces).await.unwrap().text().await.unwrap(), "12345678");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_at_whichever_node_is_asked() {
    let (Some(s3), Some(nodes)) = (S3::start().await, Nodes::new().await) else { return };
    let start = async || {
        let with = |config: &mut madang_server::Config| {
            s3.set(config, "well kept");
            config.s3_bucket = Some(BUCKET.to_owned());
            config.shared_files = Switch::Off;
        };
        nodes.start_with(unheard(), with).await.unwrap()
    };
    let (first, second) = (start().await, start().await);
    let alice = first.user("alice").await;
    let there = second.again_as("alice").await;
    let content: Vec<u8> = (0..60_000_u32).map(|n| (n % 251) as u8).collect();
    let part = |from: usize, to: usize| content[from..to].to_vec();
    let id = alice.http.create_upload("a.bin", 60_000).await.unwrap();
    assert_eq!(alice.http.add_to_upload(id, 0, part(0, 20_000)).await.unwrap(), 20_000);
    assert_eq!(there.http.upload_offset(id).await.unwrap(), 20_000);
    assert_eq!(there.http.add_to_upload(id, 20_000, part(20_000, 50_000)).await.unwrap(), 50_000);
    let behind = alice.http.add_to_upload(id, 20_000, part(20_000, 50_000)).await;
    assert_eq!(behind.unwrap_err().code(), Some(Conflict));
    assert_eq!(alice.http.add_to_upload(id, 50_000, part(50_000, 60_000)).await.unwrap(), 60_000);
    assert_eq!(there.http.upload_offset(id).await.unwrap(), 60_000);
    assert!(there.http.download(id).await.unwrap().bytes().await.unwrap() == content);
    s3.keeps(1).await;

    let given_up = alice.http.create_upload("b.bin", 10).await.unwrap();
    alice.http.add_to_upload(given_up, 0, "12345").await.unwrap();
    there.http.delete_upload(given_up).await.unwrap();
    assert_eq!(alice.http.upload_offset(given_up).await.unwrap_err().code(), Some(NotFound));
    s3.keeps(1).await;

    let left = alice.http.create_upload("c.bin", 10).await.unwrap();
    alice.http.add_to_upload(left, 0, "12345").await.unwrap();
    first.kill();
    assert_eq!(there.http.add_to_upload(left, 5, "67890").await.unwrap(), 10);
    assert_eq!(there.http.download(left).await.unwrap().text().await.unwrap(), "1234567890");

    let late = there.http.create_upload("d.bin", 10).await.unwrap();
    there.http.add_to_upload(late, 0, "12345").await.unwrap();
    nodes.clock.advance(25 * 3_600_000);
    s3.keeps(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_keeps_nothing_and_is_told_to_nobody() {
    let Some(s3) = S3::start().await else { return };
    let s = server(&s3, "ill kept").await;
    let alice = s.user("alice").await;
    let error = alice.http.upload("a.txt", "hi").await.unwrap_err();
    assert_eq!(error.code(), Some(Unavailable));
    assert!(
        !format!("{error:?} {error}").contains("kept") && !format!("{:?}", s.config).contains("ill kept")
    );
    assert_eq!(s3.objects(), 0);
}
