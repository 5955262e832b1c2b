//! The configuration file, and `plantocode config`.
//!
//! `config/default.toml` is the documentation, the built-in values and what `config show` prints, so they cannot
//! disagree. The file lies where the system keeps a user's settings; nothing is ever read from a project.

mod read;

use crate::show;
use ::context::{Format, Tokenizer};
use anyhow::Context;
use clap::Subcommand;
use engine::data_dir::DataDir;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Names the file in place of the usual one.
const VARIABLE: &str = "PLANTOCODE_CONFIG";

const DEFAULT: &str = include_str!("config/default.toml");

/// What may be configured. `config/default.toml` says what each value means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub limit: usize,
    pub tests: bool,
    pub max_file_bytes: u64,
    pub budget: u64,
    pub format: Format,
    pub tokenizer: Tokenizer,
}

/// Say where the configuration file is, or what takes effect.
#[derive(Subcommand)]
pub enum Command {
    /// Print where the configuration file is looked for, whether it exists or not.
    #[command(after_help = "Examples:
  plantocode config path
  plantocode config show > \"$(plantocode config path)\"")]
    Path,
    /// Print the configuration that takes effect, with what each key means. It can be kept as the file.
    #[command(after_help = "Examples:
  plantocode config show
  PLANTOCODE_CONFIG=other.toml plantocode config show")]
    Show,
}

pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Path => {
            let path = place()?.0;
            show::line(show::harmless(&path.display().to_string()))?;
        }
        Command::Show => {
            let (config, source) = load()?;
            show::write_out(&mut std::io::stdout(), shown(&config, source.as_deref()).as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Config {
    /// What takes effect where no option says otherwise.
    ///
    /// # Errors
    /// When there is a file and it cannot be used.
    pub fn load() -> anyhow::Result<Config> {
        Ok(load()?.0)
    }
}

/// The configuration, and the file it was read from, if there is one.
fn load() -> anyhow::Result<(Config, Option<PathBuf>)> {
    let builtin = read::apply(DEFAULT, &Config::default()).map_err(anyhow::Error::msg)?;
    let Ok((path, chosen)) = place() else { return Ok((builtin, None)) };
    let text = match std::fs::read(&path) {
        // Only a file that somebody named must exist.
        Err(error) if error.kind() == ErrorKind::NotFound && !chosen => return Ok((builtin, None)),
        Err(error) => {
            let name = path.display();
            let named = if chosen { format!(", which {VARIABLE} names") } else { String::new() };
            return Err(error).with_context(|| format!("cannot read the configuration {name}{named}"));
        }
        Ok(bytes) => String::from_utf8(bytes)
            .ok()
            .with_context(|| format!("the configuration {} is not valid UTF-8", path.display()))?,
    };
    let config = read::apply(&text, &builtin).map_err(|problem| {
        anyhow::anyhow!("{}:{problem}\n`plantocode config show` lists all keys", path.display())
    })?;
    Ok((config, Some(path)))
}

/// Where the file is, and whether the user named it.
fn place() -> anyhow::Result<(PathBuf, bool)> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok((path.into(), true));
    }
    let home = std::env::var("PLANTOCODE_HOME").ok();
    Ok((DataDir::resolve(home.as_deref())?.config.join("config.toml"), false))
}

/// The default file with the values that take effect.
fn shown(config: &Config, source: Option<&Path>) -> String {
    let mut section = "";
    let mut out = match source {
        // A comment is one line, whatever the folder is called.
        Some(path) => {
            let path = show::harmless(&path.display().to_string()).replace('\n', "\u{fffd}");
            format!("# With what {path} says.\n")
        }
        None => String::new(),
    };
    for line in DEFAULT.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        match line.split_once(" = ").and_then(|(key, _)| Some((key, read::value(config, section, key)?))) {
            Some((key, value)) => out.push_str(&format!("{key} = {value}\n")),
            None => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_takes_effect() {
        let builtin = read::apply(DEFAULT, &Config::default()).unwrap();
        assert_eq!(shown(&builtin, None), DEFAULT);
        let config = Config {
            limit: 7,
            tests: true,
            max_file_bytes: 5,
            budget: 9,
            format: Format::Json,
            tokenizer: Tokenizer::Claude,
        };
        let text = shown(&config, Some(Path::new("a\nb.toml")));
        assert_eq!(read::apply(&text, &builtin).unwrap(), config);
        assert!(text.contains("\ntokenizer = \"claude\"\n") && text.contains("at least 1. Option: --limit"));
    }
}
