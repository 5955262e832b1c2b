//! `plantocode discover`: the files a task concerns, with reasons. Needs no engine, no account and no network.

use crate::bar::Bar;
use crate::config::Config;
use crate::interrupt;
use crate::show::{self, QUIET, STRONG, styled};
use crate::task::Task;
use clap::Args;
use discovery::{Discovery, DiscoveryError, Options, Ranked, Skipped};
use engine::data_dir::DataDir;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Reasons that are told of a file, unless all are asked for.
const REASONS: usize = 2;
/// Files that are named for each reason to pass files over.
const SKIPPED_NAMED: usize = 3;

/// Rank the files of a project for a task, locally.
///
/// Into a pipe, or with --plain, prints ranked paths, one per line, and nothing else.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode discover \"Retry requests that time out\" --project ~/src/client
  git log -1 --format=%B | plantocode discover - --limit 5
  plantocode discover --task-file issue.md --json | jq .path
  plantocode discover \"The header is sent twice\" --explain --tests")]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    ranking: Ranking,
    /// Print one JSON object per file.
    #[arg(long)]
    json: bool,
    /// Print paths only, also to a terminal.
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// Print every reason for each file, and what was passed over and why.
    #[arg(long, conflicts_with_all = ["json", "plain"])]
    explain: bool,
}

/// How files are ranked: the same for every command that ranks.
#[derive(Args)]
pub struct Ranking {
    /// The most files in each list [default: discover.limit of the configuration, 20].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Take tests too, after the source files.
    #[arg(long, overrides_with = "no_tests")]
    tests: bool,
    /// Take no tests; the usual, unless discover.tests of the configuration says otherwise.
    #[arg(long, overrides_with = "tests")]
    no_tests: bool,
    /// Pass over larger files [default: discover.max_file_bytes of the configuration, 1048576].
    #[arg(long, value_name = "BYTES")]
    max_file_bytes: Option<u64>,
    /// Read everything anew, and keep no index.
    #[arg(long)]
    no_index: bool,
}

/// Where indexes are kept.
///
/// # Errors
/// When the system names no home folder.
pub fn cache() -> anyhow::Result<PathBuf> {
    let home = std::env::var("PLANTOCODE_HOME").ok();
    Ok(DataDir::resolve(home.as_deref())?.cache)
}

impl Ranking {
    /// What the options say, and the configuration where they say nothing.
    pub fn options(&self, config: &Config) -> Options {
        Options {
            limit: self.limit.unwrap_or(config.limit),
            include_tests: self.tests || (config.tests && !self.no_tests),
            max_file_bytes: self.max_file_bytes.unwrap_or(config.max_file_bytes),
            // Without a home folder a search works, and keeps nothing.
            cache: if self.no_index { None } else { cache().ok() },
            ..Options::default()
        }
    }
}

/// Finds the files that a task concerns, with a progress bar when that takes a while.
///
/// # Errors
/// With what to do about it, when the project cannot be read; an end with its own code, when it was interrupted.
pub fn find(project: &Path, task: &str, options: &Options) -> anyhow::Result<Discovery> {
    let bar = Bar::new(Instant::now());
    let task = discovery::Task::parse(task);
    let search = |stop: &AtomicBool| discovery::discover(project, &task, options, &|at| bar.show(at), stop);
    let found = interrupt::stoppable(search);
    bar.clear();
    found.map_err(|error| match error {
        DiscoveryError::Root { .. } | DiscoveryError::NotADirectory { .. } => {
            anyhow::anyhow!("{error}. Name the folder of a project with --project")
        }
        DiscoveryError::Stopped => interrupt::ended(),
        error => error.into(),
    })
}

/// One line of `--json`.
#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    score: f64,
    rank: usize,
    test: bool,
    reasons: Vec<JsonReason<'a>>,
}

#[derive(Serialize)]
struct JsonReason<'a> {
    kind: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::load()?;
    let text = arguments.task.read()?;
    let started = Instant::now();
    let terminal = std::io::stdout().is_terminal();
    let plain = arguments.plain || !(terminal || arguments.explain || arguments.json);
    let mut options = arguments.ranking.options(&config);
    if plain {
        // Reasons take as long as all the rest, and nobody would see them.
        options.explained = 0;
    }
    let found = find(&arguments.task.project, &text, &options)?;
    if let Some(why) = found.not_kept.as_ref().filter(|_| arguments.explain) {
        eprintln!("The index cannot be kept for the next search: {why}");
    }
    let mut out = anstream::stdout().lock();
    let written = if arguments.json {
        json(&mut out, &found)
    } else if plain {
        let mut files = found.sources.iter().chain(&found.tests);
        files.try_for_each(|file| writeln!(out, "{}", show::document(&file.path, terminal)))
    } else {
        pretty(&mut out, &found, arguments.explain, started.elapsed())
    };
    match written {
        // `| head` is a fine way to read.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn json(out: &mut impl Write, found: &Discovery) -> std::io::Result<()> {
    for file in found.sources.iter().chain(&found.tests) {
        let reasons = file.reasons.iter();
        let reasons = reasons.map(|r| JsonReason { kind: r.kind.name(), detail: &r.detail, line: r.line });
        let line = JsonFile {
            path: &file.path,
            score: file.score,
            rank: file.rank,
            test: file.test,
            reasons: reasons.collect(),
        };
        writeln!(out, "{}", escaped(&serde_json::to_string(&line)?))?;
    }
    Ok(())
}

/// The same JSON with everything that cannot be seen as `\\u` escapes, so that no file name steers a terminal.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if show::is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn pretty(out: &mut impl Write, found: &Discovery, explain: bool, took: Duration) -> std::io::Result<()> {
    if found.sources.is_empty() && found.tests.is_empty() {
        writeln!(
            out,
            "No file of this project matches the task. Name a function, a file or a message that belongs to it."
        )?;
    }
    let reasons = if explain { usize::MAX } else { REASONS };
    list(out, &found.sources, reasons)?;
    if !found.tests.is_empty() {
        writeln!(out, "\n{}", styled(QUIET, "Tests"))?;
        list(out, &found.tests, reasons)?;
    }
    if explain {
        passed_over(out, &found.skipped)?;
    }
    let summary = format!(
        "{} files read, {} passed over, {:.2} s",
        found.scanned,
        found.skipped.len(),
        took.as_secs_f64()
    );
    writeln!(out, "\n{}", styled(QUIET, summary))
}

/// How many files were passed over for each reason, and some of them.
fn passed_over(out: &mut impl Write, skipped: &[Skipped]) -> std::io::Result<()> {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in skipped {
        by_reason.entry(file.why.to_string()).or_default().push(&file.path);
    }
    if !by_reason.is_empty() {
        writeln!(out, "\n{}", styled(QUIET, "Passed over"))?;
    }
    for (why, paths) in by_reason {
        let named = paths.iter().take(SKIPPED_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if paths.len() > SKIPPED_NAMED { ", …" } else { "" };
        writeln!(
            out,
            "{:>5}  {}  {}",
            paths.len(),
            show::harmless(&why),
            styled(QUIET, format!("{named}{more}"))
        )?;
    }
    Ok(())
}

fn list(out: &mut impl Write, files: &[Ranked], reasons: usize) -> std::io::Result<()> {
    for file in files {
        let (folder, name) = file.path.rsplit_once('/').map_or(("", file.path.as_str()), |(f, n)| (f, n));
        let slash = if folder.is_empty() { "" } else { "/" };
        let folder = styled(QUIET, format!("{folder}{slash}"));
        writeln!(out, "{:>3}  {folder}{}", file.rank, styled(STRONG, name))?;
        for reason in file.reasons.iter().take(reasons) {
            let line = reason.line.map_or(String::new(), |line| format!(" · line {line}"));
            writeln!(out, "     {}", styled(QUIET, format!("{}{line}", reason.detail)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_hides_nothing_and_means_the_same() {
        let path = "a\u{202e}b\u{9b}c\u{e0041}\"\\";
        let json = serde_json::to_string(path).unwrap();
        let shown = escaped(&json);
        assert!(!shown.chars().any(show::is_invisible), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), path);
    }
}
