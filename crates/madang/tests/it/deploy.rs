//! The files of `deploy/` say what is so: every setting, port, folder and file that they name is there, what waits for
//! the server waits long enough, and every image has a version.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser;
use madang_client::proto::limits;
use madang_server::Config;
use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Value, json};

use crate::process::{MADANG, run};

const COMPOSE: &str = "deploy/compose.yaml";
const DOCKERFILE: &str = "deploy/docker/Dockerfile";
const UNIT: &str = "deploy/systemd/madang.service";
const HAPROXY: &str = "deploy/haproxy/haproxy.cfg";
const NGINX: &str = "deploy/nginx/nginx.conf";
const NODES: [&str; 3] = ["madang-1", "madang-2", "madang-3"];

fn place(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// YAML as JSON, with what `<<` brings in.
fn yaml(path: &str) -> Value {
    fn of(node: &YamlOwned) -> Value {
        match node {
            YamlOwned::Value(ScalarOwned::Null) => Value::Null,
            YamlOwned::Value(ScalarOwned::Boolean(is)) => json!(is),
            YamlOwned::Value(ScalarOwned::Integer(number)) => json!(number),
            YamlOwned::Value(ScalarOwned::String(text)) => json!(text),
            YamlOwned::Sequence(items) => items.iter().map(of).collect(),
            YamlOwned::Mapping(pairs) => {
                let mut map = Map::new();
                for (key, value) in pairs {
                    match (key.as_str().unwrap(), of(value)) {
                        ("<<", Value::Object(more)) => map.extend(more),
                        (key, value) => drop(map.insert(key.to_owned(), value)),
                    }
                }
                Value::Object(map)
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    of(&YamlOwned::load_from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))[0])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(text).collect()
}

/// The names in a mapping, or in a list of names.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        other => texts(other),
    }
}

/// The lines that say something, without what is around them.
fn lines(path: &str) -> Vec<String> {
    let text = read(path);
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.map(str::to_owned).collect()
}

/// What stands after the only line that begins so.
fn after(path: &str, word: &str) -> String {
    let lines = lines(path);
    let all: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(word)).collect();
    assert_eq!(all.len(), 1, "{path}: lines that begin with {word:?}: {all:?}");
    all[0].trim().trim_end_matches(';').to_owned()
}

/// Seconds, as in `45s` or `45`.
fn seconds(text: &str) -> u64 {
    text.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("{text} is no number of seconds"))
}

fn defaults() -> Config {
    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }
    Cli::parse_from(["madang"]).config
}

/// Every variable that is a setting.
fn variables() -> Vec<String> {
    let example = read("madang.example.toml");
    example
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# Variable ")?.trim_end_matches('.').to_owned()))
        .collect()
}

fn is_a_setting(name: &str) {
    assert!(variables().iter().any(|known| known == name), "{name} is not a setting");
}

/// The text with a word for each `${NAME…}`, and the names.
fn filled(text: &str) -> (String, Vec<String>) {
    let (mut out, mut found, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, inner)) = rest.split_once("${") {
        let (inner, behind) = inner.split_once('}').expect("a brace that is not closed");
        let name = inner.split([':', '-']).next().unwrap();
        found.push(name.to_owned());
        out += before;
        out += "0123456789abcdef0123456789abcdef";
        rest = behind;
    }
    (out + rest, found)
}

/// The variables that the image sets.
fn of_image() -> BTreeMap<String, String> {
    let env = after(DOCKERFILE, "ENV ");
    env.split(' ')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn port_of_image() -> String {
    of_image()["MADANG_LISTEN"].rsplit(':').next().unwrap().to_owned()
}

/// An image has a version that will be the same tomorrow.
fn is_pinned(image: &str) {
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).unwrap_or_default();
    assert!(
        tag.matches('.').count() >= 1 && tag.contains(|c: char| c.is_ascii_digit()),
        "{image} has no version"
    );
}

#[test]
fn the_services_of_compose_fit_each_other_and_what_is_there() {
    let compose = yaml(COMPOSE);
    let services = compose["services"].as_object().unwrap();
    let folder = place("deploy");
    for (name, service) in services {
        let image = text(&service["image"]);
        is_pinned(&image.replace("${MADANG_VERSION:-", "").replace('}', ""));
        for (key, top) in [("depends_on", "services"), ("networks", "networks")] {
            for named in names(&service[key]) {
                assert!(compose[top].get(named).is_some(), "{name}: {named} is not in {top}");
            }
        }
        for volume in texts(&service["volumes"]) {
            let from = volume.split(':').next().unwrap();
            match from.strip_prefix("./") {
                Some(path) => assert!(folder.join(path).exists(), "{name}: {from} is not there"),
                None => assert!(compose["volumes"].get(from).is_some(), "{name}: {from} is not in volumes"),
            }
        }
        // The image of Madang looks after itself, and the bucket is made once.
        let watched = service["healthcheck"]["test"].is_array();
        assert!(watched || NODES.contains(&name.as_str()) || name == "bucket", "{name} has no healthcheck");
    }
    let (_, asked) = filled(&read(COMPOSE));
    let example = lines("deploy/.env.example");
    let offered: Vec<_> = example.iter().map(|line| line.split('=').next().unwrap()).collect();
    for name in &asked {
        assert!(offered.contains(&name.as_str()), "{name} is not in .env.example");
    }
    for name in offered {
        assert!(asked.iter().any(|asked| asked == name), "{name} of .env.example is not used");
    }
}

#[test]
fn the_nodes_of_compose_have_settings_that_the_server_takes_and_time_to_stop() {
    let compose = yaml(COMPOSE);
    let folder = tempfile::tempdir().unwrap();
    for name in NODES {
        let node = &compose["services"][name];
        let mut command = Command::new(MADANG);
        command.args(["admin", "health"]).current_dir(folder.path()).env_clear();
        command.envs(of_image());
        for (name, value) in node["environment"].as_object().unwrap() {
            is_a_setting(name);
            command.env(name, filled(text(value)).0);
        }
        // Nothing listens at a port that is taken from nobody.
        command.env("MADANG_LISTEN", "127.0.0.1:1");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("does not answer"), "{name}: {said}");
        assert_eq!(text(&node["environment"]["MADANG_CLUSTER_ADDRESS"]), name);
        assert!(seconds(text(&node["stop_grace_period"])) > defaults().stop_limit().as_secs() + 5);
        assert_eq!(node["read_only"], true);
        assert!(texts(&node["volumes"]).contains(&format!("{name}:{}", of_image()["MADANG_DATA"]).as_str()));
    }
}

#[test]
fn the_addresses_in_compose_lead_somewhere() {
    let compose = yaml(COMPOSE);
    let services = &compose["services"];
    let settings = &services[NODES[0]]["environment"];
    let haproxy = &services["haproxy"];
    let proxy = text(&haproxy["networks"]["front"]["ipv4_address"]);
    assert_eq!(text(&settings["MADANG_TRUSTED_PROXIES"]), format!("{proxy}/32"));
    for (number, node) in (1..).zip(NODES) {
        let expected = format!("{node}:{}", port_of_image());
        assert_eq!(text(&haproxy["environment"][format!("MADANG_NODE_{number}")]), expected);
    }
    let bind = after(HAPROXY, "bind ");
    let port = bind.trim_matches('"').trim_end_matches('}').rsplit(':').next().unwrap().to_owned();
    assert!(texts(&haproxy["ports"]).iter().all(|ports| ports.ends_with(&format!(":{port}"))));
    let metrics = text(&settings["MADANG_METRICS_LISTEN"]).rsplit(':').next().unwrap();
    let prometheus = yaml("deploy/prometheus/compose.yml");
    let targets = &prometheus["scrape_configs"][0]["static_configs"][0]["targets"];
    assert_eq!(texts(targets), NODES.map(|node| format!("{node}:{metrics}")));
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    assert_eq!(text(&source["datasources"][0]["url"]), "http://prometheus:9090");
    let s3 = texts(&services["s3"]["command"]).join(" ");
    let port = text(&settings["MADANG_S3_ENDPOINT"]).rsplit(':').next().unwrap();
    let bucket = text(&settings["MADANG_S3_BUCKET"]);
    let config = &services["s3"]["configs"][0];
    assert!(
        s3.contains(&format!("-s3.port={port}"))
            && s3.contains(&format!("-s3.config={}", text(&config["target"])))
    );
    assert!(texts(&services["bucket"]["entrypoint"]).join(" ").contains(&format!("-name {bucket} ")));
    let identities = filled(text(&compose["configs"][text(&config["source"])]["content"])).0;
    let identities: Value = serde_json::from_str(&identities).unwrap();
    let identity = &identities["identities"][0];
    assert_eq!(identity["credentials"][0]["accessKey"], settings["MADANG_S3_KEY"]);
    assert_eq!(texts(&identity["actions"]), ["Read", "Write", "List"].map(|may| format!("{may}:{bucket}")));
    // The dashboard lies where its provider looks.
    let provider = yaml("deploy/grafana/provisioning/dashboards/madang.yml");
    let path = text(&provider["providers"][0]["options"]["path"]);
    assert!(
        texts(&services["grafana"]["volumes"])
            .contains(&format!("./grafana/madang.json:{path}/madang.json:ro").as_str())
    );
}

/// Files that the code of crates takes in when it is compiled, from outside its folder.
fn taken_in() -> Vec<String> {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                look(&entry, found);
            } else if entry.extension().is_some_and(|kind| kind == "rs") {
                let code = fs::read_to_string(&entry).unwrap();
                let taken = code.split("include_str!(\"").skip(1).filter_map(|rest| rest.split_once('"'));
                found.extend(taken.map(|(path, _)| path.to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    for member in fs::read_dir(place("crates")).unwrap() {
        look(&member.unwrap().path().join("src"), &mut found);
    }
    let outside = found.into_iter().filter_map(|path| path.strip_prefix("../../../../").map(str::to_owned));
    outside.collect()
}

#[test]
fn the_image_is_made_of_versions_and_of_what_is_there_and_is_nobody() {
    let said = lines(DOCKERFILE);
    let arguments: BTreeMap<_, _> =
        said.iter().filter_map(|line| line.strip_prefix("ARG ")?.split_once('=')).collect();
    let mut stages = Vec::new();
    for line in said.iter().filter_map(|line| line.strip_prefix("FROM ")) {
        let image = line.split(' ').find(|word| !word.starts_with("--")).unwrap();
        let image = arguments
            .iter()
            .fold(image.to_owned(), |image, (name, value)| image.replace(&format!("${{{name}}}"), value));
        is_pinned(&image);
        stages.extend(line.split_once(" AS ").map(|(_, stage)| stage.to_owned()));
    }
    let manifest = read("Cargo.toml");
    let rust = format!("rust-version = \"{}\"", arguments["RUST"].rsplit_once('.').unwrap().0);
    assert!(manifest.contains(&rust), "another Rust than {rust}");
    for line in said.iter().filter_map(|line| line.strip_prefix("COPY ")) {
        let mut words: Vec<_> = line.split(' ').collect();
        words.pop();
        match words[0].strip_prefix("--from=") {
            Some(stage) => assert!(stages.iter().any(|known| known == stage), "no stage {stage}"),
            None => words.iter().for_each(|path| assert!(place(path).exists(), "{path} is not there")),
        }
    }
    let ignored = lines("deploy/docker/Dockerfile.dockerignore");
    let context: Vec<&str> = ignored.iter().filter_map(|line| line.strip_prefix('!')).collect();
    context.iter().for_each(|path| assert!(place(path).exists(), "{path} is not there"));
    for path in taken_in() {
        assert!(
            context.iter().any(|there| path.starts_with(there)),
            "{path} is not what the image is made of"
        );
    }
    of_image().keys().for_each(|name| is_a_setting(name));
    assert_eq!(after(DOCKERFILE, "EXPOSE "), port_of_image());
    assert_eq!(after(DOCKERFILE, "VOLUME "), of_image()["MADANG_DATA"]);
    let user = after(DOCKERFILE, "USER ");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user} may be root");
    let healthcheck = after(DOCKERFILE, "HEALTHCHECK ");
    let check: Vec<String> = serde_json::from_str(healthcheck.split_once("CMD ").unwrap().1).unwrap();
    let serve: Vec<String> = serde_json::from_str(&after(DOCKERFILE, "CMD ")).unwrap();
    assert_eq!((check[0].as_str(), after(DOCKERFILE, "ENTRYPOINT ").as_str()), ("madang", r#"["madang"]"#));
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&check[1..], &serve] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).chain(["--help"]).collect();
        assert!(run(&arguments, folder.path()).0, "{arguments:?}");
    }
}

#[test]
fn the_unit_starts_what_there_is_waits_long_enough_and_is_one() {
    let said = lines(UNIT);
    for line in said.iter().filter_map(|line| line.strip_prefix("Environment=")) {
        is_a_setting(line.split('=').next().unwrap());
    }
    let start = after(UNIT, "ExecStart=");
    let (program, arguments) = start.split_once(' ').unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&[arguments, "--help"], folder.path()).0, "{start}");
    assert!(seconds(&after(UNIT, "TimeoutStopSec=")) > defaults().stop_limit().as_secs() + 5);
    let data = format!("Environment=MADANG_DATA=/var/lib/{}", after(UNIT, "StateDirectory="));
    assert!(said.contains(&data), "no {data}");
    // Where there is systemd.
    let unit = folder.path().join("madang.service");
    fs::write(&unit, read(UNIT).replace(program, MADANG)).unwrap();
    if let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&unit).output() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains("madang.service:"), "{said}");
    }
}

#[test]
fn load_balancers_wait_longer_than_clients_are_silent_and_see_a_stop_before_its_lead_is_over() {
    let (silence, lead) = (u64::from(limits::SILENCE_MS) / 1_000, defaults().drain_seconds);
    assert!(seconds(&after(HAPROXY, "timeout tunnel")) > silence);
    assert!(seconds(&after(NGINX, "proxy_read_timeout")) > silence);
    let checks = after(HAPROXY, "default-server check");
    let number = |word: &str| {
        let mut words = checks.split(' ').skip_while(|known| *known != word);
        seconds(words.nth(1).unwrap())
    };
    assert!(number("inter") * number("fall") < lead);
    assert!(seconds(&after(NGINX, "keepalive_timeout")) < lead);
    let largest = after(NGINX, "client_max_body_size");
    assert!(largest.trim_end_matches('m').parse::<u64>().unwrap() > defaults().file_megabytes);
    let upload = u64::from(limits::UPLOAD_SILENCE_MS) / 1_000;
    assert!(seconds(&after(HAPROXY, "timeout client ")) > upload);
    assert!(seconds(&after(NGINX, "client_body_timeout")) > upload);
    assert!(seconds(&after(HAPROXY, "timeout server")) > limits::VIDEO_SECONDS);
}
