//! `plantocode discover`: the files a task concerns, with reasons. Needs no engine, no account and no network.

use crate::show::{self, QUIET, STRONG, styled};
use crate::task::Task;
use clap::Args;
use discovery::{Discovery, Options, Progress, Ranked};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Work that takes longer than this shows a bar.
const BAR_AFTER: Duration = Duration::from_millis(700);

/// Rank the files of a project for a task, locally.
///
/// Into a pipe, or with --plain, prints ranked paths, one per line, and nothing else.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode discover \"Retry requests that time out\" --project ~/src/client
  git log -1 --format=%B | plantocode discover - --limit 5
  plantocode discover --task-file issue.md --json | jq .path")]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    /// The most files to print in each list.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one JSON object per file.
    #[arg(long)]
    json: bool,
    /// Print paths only, also to a terminal.
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// List tests too, after the source files.
    #[arg(long)]
    tests: bool,
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
    let text = arguments.task.read()?;
    let options = Options { limit: arguments.limit, include_tests: arguments.tests, ..Options::default() };
    let started = Instant::now();
    let bar = Bar::new(started);
    let found = discovery::discover(
        &arguments.task.project,
        &discovery::Task::parse(&text),
        &options,
        &|at| bar.show(at),
        &AtomicBool::new(false),
    )?;
    bar.clear();
    let mut out = anstream::stdout().lock();
    let terminal = std::io::stdout().is_terminal();
    let written = if arguments.json {
        json(&mut out, &found)
    } else if arguments.plain || !terminal {
        let mut files = found.sources.iter().chain(&found.tests);
        files.try_for_each(|file| writeln!(out, "{}", show::document(&file.path, terminal)))
    } else {
        pretty(&mut out, &found, started.elapsed())
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

fn pretty(out: &mut impl Write, found: &Discovery, took: Duration) -> std::io::Result<()> {
    if found.sources.is_empty() && found.tests.is_empty() {
        writeln!(
            out,
            "No file of this project matches the task. Name a function, a file or a message that belongs to it."
        )?;
    }
    list(out, &found.sources)?;
    if !found.tests.is_empty() {
        writeln!(out, "\n{}", styled(QUIET, "Tests"))?;
        list(out, &found.tests)?;
    }
    let summary = format!(
        "{} files read, {} passed over, {:.2} s",
        found.scanned,
        found.skipped.len(),
        took.as_secs_f64()
    );
    writeln!(out, "\n{}", styled(QUIET, summary))
}

fn list(out: &mut impl Write, files: &[Ranked]) -> std::io::Result<()> {
    for file in files {
        let (folder, name) = file.path.rsplit_once('/').map_or(("", file.path.as_str()), |(f, n)| (f, n));
        let slash = if folder.is_empty() { "" } else { "/" };
        let folder = styled(QUIET, format!("{folder}{slash}"));
        writeln!(out, "{:>3}  {folder}{}", file.rank, styled(STRONG, name))?;
        for reason in file.reasons.iter().take(2) {
            let line = reason.line.map_or(String::new(), |line| format!(" · line {line}"));
            writeln!(out, "     {}", styled(QUIET, format!("{}{line}", reason.detail)))?;
        }
    }
    Ok(())
}

/// A progress bar that appears only when the work takes a while.
struct Bar {
    bar: ProgressBar,
    started: Instant,
}

impl Bar {
    fn new(started: Instant) -> Bar {
        let bar = ProgressBar::hidden();
        if let Ok(style) = ProgressStyle::with_template("{msg:12} {bar:32} {pos}/{len}") {
            bar.set_style(style);
        }
        Bar { bar, started }
    }

    fn show(&self, at: Progress) {
        if self.bar.is_hidden() && self.started.elapsed() > BAR_AFTER && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        match at {
            Progress::Walking { files } => {
                self.bar.set_message("listing");
                self.bar.set_position(files as u64);
            }
            Progress::Reading { done, total } => {
                self.bar.set_message("reading");
                self.bar.set_length(total as u64);
                self.bar.set_position(done as u64);
            }
            Progress::Ranking => self.bar.set_message("ranking"),
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
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
