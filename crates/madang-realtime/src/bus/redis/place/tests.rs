//! Places as they are written in a configuration.

use super::*;

fn shown(url: &str) -> String {
    RedisServers::parse(url).unwrap().to_string()
}

#[test]
fn every_kind_of_place_is_read_and_shown_without_its_password() {
    assert_eq!(shown("redis://redis"), "redis:6379");
    assert_eq!(shown("rediss://user:s3cret@redis:1/2"), "redis:1");
    assert_eq!(shown("redis+cluster://user:s3cret@a:1,b:2/"), "Cluster of a:1, b:2");
    assert_eq!(shown("redis+sentinel://user:s3cret@a:1,b:2/main"), "main of Sentinels a:1, b:2");
    assert!(!format!("{:?}", RedisServers::parse("redis://user:s3cret@redis").unwrap()).contains("s3cret"));
}

#[test]
fn sentinels_and_their_server_have_logins_of_their_own() {
    let logins = |url| {
        let Place::Sentinel(sentinels, _, server) = RedisServers::parse(url).unwrap().0 else {
            panic!("{url}")
        };
        let password = |info: &ConnectionInfo| info.redis_settings().password().map(str::to_owned);
        (sentinels.iter().map(password).collect::<Vec<_>>(), password(&server))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(logins("redis+sentinel://a:1,b:2/main"), (vec![None, None], None));
    assert_eq!(logins("redis+sentinel://u:p@a:1,b:2/main"), (vec![None, None], some("p")));
    assert_eq!(
        logins("redis+sentinel://u:p@a:1,b:2/main?sentinel=v:q"),
        (vec![some("q"), some("q")], some("p"))
    );
}

#[test]
fn what_is_no_place_is_refused() {
    for url in [
        "",
        "redis",
        "http://redis",
        "redis+moon://redis",
        "redis://",
        "redis+cluster://",
        "redis+cluster://a:1,",
    ] {
        assert_eq!(RedisServers::parse(url).unwrap_err(), BadSettings::Url, "{url}");
    }
    for url in ["redis+sentinel://a:1", "redis+sentinel://a:1/"] {
        assert_eq!(RedisServers::parse(url).unwrap_err(), BadSettings::NoName, "{url}");
    }
}
