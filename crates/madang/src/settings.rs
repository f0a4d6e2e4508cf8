//! The file of settings: read as defaults of the command line, so that one definition serves all.
//!
//! Command line over environment over file over default. The file is TOML; its keys are the names of
//! the flags of `serve` with `_` for `-`; those of a kind may stand in a table, as `cluster_redis` as `redis` in `[cluster]`.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use clap::{Arg, Command};

/// The variable that names the file.
pub const FILE_VARIABLE: &str = "MADANG_CONFIG";
const FILE: &str = "madang.toml";
const FILE_FLAG: &str = "config";

/// The command with the values of the file as its defaults.
pub fn with_file(command: Command) -> Result<Command> {
    let Some(path) = named_file().or_else(|| std::fs::exists(FILE).ok()?.then(|| FILE.to_owned())) else {
        return Ok(command);
    };
    let text = std::fs::read_to_string(&path).with_context(|| format!("settings file {path}"))?;
    let values: toml::Table = text.parse().with_context(|| format!("settings file {path}"))?;
    let mut defaults: Vec<(String, Vec<String>)> = Vec::new();
    let known = command.find_subcommand("serve").into_iter().flat_map(Command::get_arguments);
    let known: Vec<String> = known.map(|a| a.get_id().to_string()).filter(|id| id != FILE_FLAG).collect();
    for (key, value) in flat(values) {
        if !known.contains(&key) {
            bail!("settings file {path}: unknown setting {key:?}; known: {}", known.join(", "));
        }
        defaults.push((key, words(&value)));
    }
    let set = |command: Command| {
        defaults.iter().fold(command, |command, (key, words)| {
            let (key, words) = (key.clone(), words.clone());
            command.mut_arg(key, |arg: Arg| arg.default_values(words))
        })
    };
    let command = command.mut_subcommand("serve", set);
    // Those under `admin` that know the same settings.
    Ok(command.mut_subcommand("admin", |admin| {
        let known =
            ["migrate-status", "health", "nodes", "reindex", "export", "import", "migrate", "set-password"];
        let admin = known.into_iter().fold(admin, |admin, name| admin.mut_subcommand(name, set));
        let both = |command: Command| command.mut_subcommand("status", set).mut_subcommand("run", set);
        admin.mut_subcommand("archive", both).mut_subcommand("retention", both)
    }))
}

/// What stands in tables, under its whole name.
fn flat(values: toml::Table) -> Vec<(String, toml::Value)> {
    let one = |(key, value)| match value {
        toml::Value::Table(inner) => {
            inner.into_iter().map(|(name, value)| (format!("{key}_{name}"), value)).collect()
        }
        value => vec![(key, value)],
    };
    values.into_iter().flat_map(one).collect()
}

fn words(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Array(list) => list.iter().flat_map(words).collect(),
        toml::Value::Boolean(on) => vec![if *on { "on" } else { "off" }.to_owned()],
        other => vec![other.to_string()],
    }
}

/// The file that the command line or the environment names. The rest of the command line is read
/// later, with what the file says.
#[expect(clippy::disallowed_methods, reason = "this is where the settings come in")]
fn named_file() -> Option<String> {
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--config") {
            Some("") => return arguments.next(),
            Some(rest) => {
                if let Some(path) = rest.strip_prefix('=') {
                    return Some(path.to_owned());
                }
            }
            None => {}
        }
    }
    std::env::var(FILE_VARIABLE).ok().filter(|path| !path.is_empty())
}

/// The example file: every setting with its description, variable and default.
pub fn example(command: &Command) -> String {
    let mut text = String::from(
        "# Settings of `madang serve`. Copy to madang.toml and change what you need; every line that begins with\n\
         # `#` shows a default. Flags win over environment variables, those over this file.\n\
         # Made from the program's own definitions by `cargo xtask codegen`; do not edit.\n",
    );
    let arguments = command.find_subcommand("serve").into_iter().flat_map(Command::get_arguments);
    for argument in arguments.filter(|a| a.get_env().is_some() && a.get_id() != FILE_FLAG) {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = argument.get_env().unwrap_or_default().to_string_lossy().into_owned();
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|v| v.to_string_lossy().into_owned())
            .map(|v| if v.parse::<u64>().is_ok() { v } else { format!("{v:?}") })
            .collect();
        let value = match (defaults.as_slice(), argument.get_action()) {
            ([], clap::ArgAction::Append) => "[]".to_owned(),
            ([], _) => "\"\"".to_owned(),
            ([one], _) => one.clone(),
            (many, _) => format!("[{}]", many.join(", ")),
        };
        let choices = argument.get_possible_values();
        let choices: Vec<&str> = choices.iter().map(clap::builder::PossibleValue::get_name).collect();
        let choices =
            if choices.is_empty() { String::new() } else { format!(" One of: {}.", choices.join(", ")) };
        // Writing to a string cannot fail.
        let _ =
            write!(text, "\n# {help}.{choices}\n# Variable {variable}.\n#{} = {value}\n", argument.get_id());
    }
    text
}
