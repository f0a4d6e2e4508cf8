//! Search against a scan of every text, on both databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use madang_proto::{ChannelId, MessageId, Timestamp};
use madang_store::{
    NewMessage, messages,
    prose::Prose,
    search::{self, Search, Terms},
    testing,
};
use unicode_normalization::UnicodeNormalization;
use world::{KINDS, World};

#[path = "../benches/store/world.rs"]
mod world;

const CHANNELS: i64 = 40;
const NONE: [i64; 0] = [];

async fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(World::new(kind, CHANNELS).await);
    }
    all
}

async fn say(world: &World, texts: impl IntoIterator<Item = String>) -> Vec<NewMessage> {
    let news: Vec<_> = texts.into_iter().map(|text| world.saying(text)).collect();
    for batch in news.chunks(512) {
        assert!(world.commit(batch.to_vec()).await.iter().all(Result::is_ok));
    }
    news
}

/// Indexes all that is there; gives how many transactions it took.
async fn index(world: &World) -> usize {
    for turn in 0.. {
        let (channels, changes) = search::behind(&world.db, None).await.unwrap();
        if channels.is_empty() {
            assert_eq!(changes, 0);
            return turn;
        }
        let batch = search::changed(&world.db, &channels).await.unwrap();
        assert!(search::store(&world.db, &batch).await.unwrap() > 0, "it goes on");
    }
    unreachable!()
}

fn terms(text: &str) -> Terms {
    let mut terms = Terms::default();
    assert!(terms.text(text, false), "{text:?}");
    terms
}

/// All that is found, page by page.
async fn found(world: &World, text: &str, limit: u32) -> Vec<i64> {
    let channels: Vec<ChannelId> = (1..=CHANNELS).map(ChannelId::from).collect();
    found_in(world, text, &channels, limit).await
}

async fn found_in(world: &World, text: &str, channels: &[ChannelId], limit: u32) -> Vec<i64> {
    let terms = terms(text);
    let mut ids = Vec::new();
    let mut before = i64::MAX;
    loop {
        let search = Search { terms: &terms, user: 1.into(), channels, between: (0, before), limit };
        let page = search::find(&mut world.db.read().await.unwrap(), &search).await.unwrap();
        assert!(page.messages.len() <= limit as usize);
        ids.extend(page.messages.iter().map(|(m, _)| m.id.get()));
        match page.more_before {
            Some(border) => before = border,
            None => return ids,
        }
    }
}

#[tokio::test]
async fn what_a_scan_finds_is_found_on_both_databases_alike() {
    const MESSAGES: usize = 5_000;
    const QUERIES: usize = 150;
    let mut of_each = Vec::new();
    for world in worlds().await {
        let mut prose = Prose::new(7);
        let texts: Vec<String> = (0..MESSAGES).map(|_| prose.message()).collect();
        say(&world, texts.clone()).await;
        index(&world).await;
        let mut answers = Vec::new();
        let mut some = 0;
        while answers.len() < QUERIES {
            let text = &texts[prose.below(MESSAGES)];
            let Some(part) = prose.part(text) else { continue };
            let scanned = testing::like(&world.db, &part).await.unwrap();
            let asked = match answers.len() % 4 {
                0 => part.nfd().collect(),
                1 => part.to_uppercase(),
                _ => part.clone(),
            };
            let found = found(&world, &asked, 100).await;
            assert!(found.is_sorted_by(|a, b| a > b), "the newest first, each once");
            let missing: Vec<_> = scanned.iter().filter(|id| !found.contains(id)).collect();
            assert!(missing.is_empty(), "{part:?} is in {missing:?}");
            assert!(!scanned.is_empty());
            some += usize::from(found.len() > 100);
            answers.push((asked, found));
        }
        assert!(some > 10, "frequent ones are among them: {some}");
        of_each.push(answers);
    }
    assert!(of_each.windows(2).all(|pair| pair[0] == pair[1]), "the same on both");
}

#[tokio::test]
async fn pages_of_any_size_give_each_message_once_in_few_channels_and_in_many() {
    for world in worlds().await {
        let mut prose = Prose::new(3);
        say(&world, (0..600).map(|_| prose.message())).await;
        index(&world).await;
        let all = found(&world, "버", 100).await;
        assert!(all.len() > 20);
        for limit in [1, 2, 7, 50] {
            assert_eq!(found(&world, "버", limit).await, all, "pages of {limit}");
        }
        let mut apart = Vec::new();
        for channel in 1..=CHANNELS {
            apart.extend(found_in(&world, "버", &[channel.into()], 3).await);
        }
        apart.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(apart, all, "channel by channel");
    }
}

#[tokio::test]
async fn only_the_channels_that_are_named_are_looked_at() {
    for world in worlds().await {
        index(&world).await;
        let said = say(&world, ["하나", "둘", "셋"].map(str::to_owned)).await;
        let channels: Vec<_> = said.iter().map(|new| new.channel_id).collect();
        let (all, changes) = search::behind(&world.db, None).await.unwrap();
        assert_eq!((all.len(), changes), (3, 3));
        let (named, changes) = search::behind(&world.db, Some(&channels[..2])).await.unwrap();
        assert!(named.iter().all(|behind| channels[..2].contains(&behind.channel())));
        assert_eq!((named.len(), changes), (2, 2));
        assert_eq!(search::behind(&world.db, Some(&[])).await.unwrap(), (vec![], 0));
    }
}

#[tokio::test]
async fn the_index_follows_changes_and_catches_up_from_anywhere() {
    for world in worlds().await {
        let news =
            say(&world, ["마당에서 만나요", "서버가 멈췄어요", "nothing of the kind"].map(str::to_owned))
                .await;
        index(&world).await;
        assert_eq!(index(&world).await, 0, "nothing is left to do");
        let (first, second) = (news[0].id, news[1].id);
        assert_eq!(found(&world, "마당", 50).await, [first.get()]);
        change(&world, first, "운동장에서 만나요", false).await;
        assert_eq!(found(&world, "마당", 50).await, NONE, "before it is indexed");
        change(&world, second, "", true).await;
        assert_eq!(found(&world, "서버", 50).await, NONE);
        index(&world).await;
        assert_eq!(found(&world, "운동장", 50).await, [first.get()]);
        assert_eq!((found(&world, "마당", 50).await, found(&world, "서버", 50).await), (vec![], vec![]));
        search::clear(&world.db).await.unwrap();
        assert_eq!(found(&world, "운동장", 50).await, NONE);
        index(&world).await;
        assert_eq!(found(&world, "운동장", 50).await, [first.get()]);
    }
}

async fn change(world: &World, id: MessageId, content: &str, delete: bool) {
    let mut tx = world.db.begin().await.unwrap();
    let mut message = messages::find(&mut tx, id).await.unwrap().unwrap();
    message.version = madang_store::channels::next_version(&mut tx, message.channel_id).await.unwrap();
    message.content = content.to_owned();
    let now = Some(Timestamp::from(1));
    (message.edited_at, message.deleted_at) = if delete { (None, now) } else { (now, None) };
    messages::update(&mut tx, &message).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn long_messages_are_found_to_their_end_and_share_transactions_by_their_length() {
    for world in worlds().await {
        let text = format!("{}나다 {} 끝말", "가".repeat(7_000), "x".repeat(900));
        index(&world).await;
        let ids: Vec<_> = say(&world, vec![text; 10]).await.iter().map(|new| new.id.get()).rev().collect();
        assert_eq!(index(&world).await, 2, "five of eight thousand characters are one transaction");
        for part in ["가나다", "가가나", &"가".repeat(100), &"x".repeat(100), "끝말", "말"] {
            assert_eq!(found(&world, part, 50).await, ids, "{part}");
        }
        assert_eq!(found(&world, "가다", 50).await, NONE);
    }
}

#[tokio::test]
async fn a_batch_is_as_many_statements_for_many_changes_as_for_one() {
    for world in worlds().await {
        let mut counts = Vec::new();
        let mut prose = Prose::new(1);
        index(&world).await;
        for count in [1, 200] {
            say(&world, (0..count).map(|_| prose.message())).await;
            let before = testing::statements();
            assert_eq!(index(&world).await, 1);
            counts.push(testing::statements() - before);
        }
        assert_eq!(counts[0], counts[1]);
    }
}
