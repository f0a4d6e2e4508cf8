//! PostgreSQL that is away without saying so: behind a proxy that has no server, and at the end of connections over which
//! nothing arrives any more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use madang_store::{
    Db, Error, Options, channels, messages,
    messages::{Place, Window},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use world::World;

#[path = "../benches/store/world.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod world;

const NEWEST: Window = Window { place: Place::Newest, older: 10, newer: 0, ends: (1, 1) };

/// Falls silent when it is told to: over the connections that are there then nothing arrives any more.
async fn way(server: SocketAddr) -> (SocketAddr, watch::Sender<()>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (silence, watched) = watch::channel(());
    let mut listens = JoinSet::new();
    listens.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let mut silenced = watched.clone();
            silenced.mark_unchanged();
            connections.spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = silenced.changed() => std::future::pending().await,
                }
            });
        }
    });
    (address, silence, listens)
}

#[tokio::test]
async fn a_proxy_whose_server_is_away_is_a_database_that_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://madang@{}/madang", listener.local_addr().unwrap());
    let mut proxy = JoinSet::new();
    proxy.spawn(async move { while listener.accept().await.is_ok() {} });
    let away = Db::connect(&Options::new(url)).await;
    assert!(matches!(away, Err(Error::Unavailable(_))), "{away:?}");
}

/// Someone who has half a second of patience, on PostgreSQL behind a way that can fall silent.
async fn behind_a_way() -> Option<(World, watch::Sender<()>, JoinSet<()>)> {
    let folder = tempfile::tempdir().unwrap();
    let url = world::url("postgres", folder.path()).await?;
    let (before, rest) = url.split_once('@').unwrap();
    let (server, rest) = rest.split_once('/').unwrap();
    let (address, silence, listens) = way(server.parse().unwrap()).await;
    let patience = Duration::from_millis(500);
    let db = Db::connect(&Options { patience, ..Options::new(format!("{before}@{address}/{rest}")) }).await;
    let world = World::on(db.unwrap(), folder, 1).await;
    world.commit(vec![world.saying("first")]).await.remove(0).unwrap();
    Some((world, silence, listens))
}

#[tokio::test]
async fn what_waits_for_a_silent_connection_is_given_up_and_so_are_its_locks() {
    let Some((world, silence, _listens)) = behind_a_way().await else { return };
    let message = world.saying("안녕");
    let mut tx = world.db.begin().await.unwrap();
    channels::lock(&mut tx, 1.into(), 0.into()).await.unwrap().unwrap();
    silence.send(()).unwrap();
    let stored = timeout(Duration::from_secs(60), async {
        loop {
            match world.commit(vec![message.clone()]).await.remove(0) {
                Ok(sent) => return sent,
                Err(Error::Unavailable(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    assert_eq!(stored.await.unwrap().message.seq, 2);
    drop(tx);
}

#[tokio::test]
async fn nobody_reads_from_a_silent_connection_for_long() {
    let Some((world, silence, _listens)) = behind_a_way().await else { return };
    let user = 0.into();
    let page = || messages::page(&world.db, 1.into(), user, NEWEST);
    let mut tx = world.db.read().await.unwrap();
    let read = messages::changed_since(&mut tx, 1.into(), user, 0, 10).await.unwrap();
    // As many connections for single statements as there may be.
    assert!(join_all((0..20).map(|_| page())).await.iter().all(|page| page.as_ref().unwrap() == &read));
    silence.send(()).unwrap();
    let over = timeout(Duration::from_secs(20), async {
        let late = messages::changed_since(&mut tx, 1.into(), user, 0, 10).await;
        assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
        assert_eq!(page().await.unwrap(), read, "asked again over a new connection");
    });
    over.await.expect("it waits for a connection over which nothing comes");
}

#[tokio::test]
async fn without_a_pulse_whatever_begins_is_refused_until_there_is_one_again() {
    let Some((world, silence, _listens)) = behind_a_way().await else { return };
    let db = &world.db;
    assert!(db.beat().await && db.is_there());
    silence.send(()).unwrap();
    assert!(!db.beat().await && !db.is_there());
    assert!(matches!(db.begin().await, Err(Error::Unavailable(_))));
    assert!(matches!(db.read().await, Err(Error::Unavailable(_))));
    let page = messages::page(db, 1.into(), 0.into(), NEWEST).await;
    assert!(matches!(page, Err(Error::Unavailable(_))), "{page:?}");
    assert!(db.beat().await && db.is_there(), "over a new connection");
    // Those that lay about are not waited for.
    assert_eq!(messages::page(db, 1.into(), 0.into(), NEWEST).await.unwrap().len(), 1);
    db.begin().await.unwrap().commit().await.unwrap();
}
