//! `plantocode context`: a task and its files as one text for a model. Needs no engine, no account and no network.

mod report;

use crate::config::Config;
use crate::discover;
use crate::exit::{self, Ended};
use crate::show;
use crate::task::Task;
use ::context::secrets::{self, Outgoing};
use ::context::{Format, Pack, Patterns, Request, Root, Source, Tokenizer, pack};
use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use discovery::{Options, Ranked};
use guard::Guard;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Globs that name more files than this were not meant.
const MAX_INCLUDED: usize = 1_000;

/// Put a task and its files into one text that fits a budget of tokens.
///
/// The files are found as by `plantocode discover`. Those for which there is room go in whole, of others the
/// definitions that matter; what was cut is said in the text and on standard error. The text is never over the
/// budget. If it would hold a secret, nothing is printed and the exit code is 3.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode context \"Retry requests that time out\" --budget 16000 > context.xml
  plantocode context --task-file issue.md --tokenizer claude --tree --output context.xml
  plantocode context \"Log in twice\" --include README.md --include 'src/auth/' --exclude '*.css'
  git log -1 --format=%B | plantocode context - --format json | jq '.files[].path'
  plantocode context \"Log in with a passkey\" --format markdown --redact | wl-copy

Files, forms and estimates are described in docs/cli.md.")]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    /// The most tokens of the text [default: context.budget of the configuration, 32000].
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    /// The form of the text [default: context.format of the configuration, xml].
    #[arg(long, value_name = "FORM", value_parser = formats())]
    format: Option<Format>,
    /// How tokens are counted [default: context.tokenizer of the configuration, o200k].
    #[arg(long, value_name = "NAME", value_parser = tokenizers())]
    tokenizer: Option<Tokenizer>,
    /// Write the text to this file instead of to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put these files first, whether they were found or not. A glob as in .gitignore; can be given several times.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    include: Vec<String>,
    /// Leave these files out. A glob as in .gitignore; can be given several times.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    exclude: Vec<String>,
    /// List the project's files too, in at most a quarter of the budget.
    #[arg(long)]
    tree: bool,
    #[command(flatten)]
    ranking: discover::Ranking,
    /// Replace secrets that are found, instead of stopping.
    #[arg(long, conflicts_with = "allow_secrets")]
    redact: bool,
    /// Print the text although there are secrets in it; they are still told on standard error.
    #[arg(long)]
    allow_secrets: bool,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let value = |format: Format| {
        PossibleValue::new(format.name()).help(match format {
            Format::Xml => "tags around contents that are left as they are, for models",
            Format::Markdown => "headings and fences",
            Format::Json => "one object, for programs",
        })
    };
    PossibleValuesParser::new(Format::ALL.map(value)).map(|name| name.parse().unwrap_or_default())
}

fn tokenizers() -> impl TypedValueParser<Value = Tokenizer> {
    let value = |tokenizer: Tokenizer| {
        PossibleValue::new(tokenizer.name()).help(match tokenizer {
            Tokenizer::O200k => "OpenAI's models since GPT-4o; exact",
            Tokenizer::Cl100k => "OpenAI's GPT-4 and GPT-3.5; exact",
            Tokenizer::Claude => "Anthropic's models; an estimate, o200k and half as much again",
            Tokenizer::Gemini => "Google's models; an estimate, o200k and a fifth more",
        })
    };
    PossibleValuesParser::new(Tokenizer::ALL.map(value)).map(|name| name.parse().unwrap_or_default())
}

fn glob(text: &str) -> Result<String, ::context::PatternError> {
    Patterns::new(&[text]).map(|_| text.to_owned())
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let config = Config::load()?;
    let text = arguments.task.read()?;
    let mut outgoing = gather(arguments, &config, text)?;
    let guard = Guard::builtin()?;
    let mut found = secrets::scan(&guard, &outgoing);
    if arguments.redact {
        secrets::redact(&guard, &mut outgoing);
    }
    let request = Request {
        task: &outgoing.task,
        files: &outgoing.files,
        tree: outgoing.tree.as_deref(),
        format: arguments.format.unwrap_or(config.format),
        tokenizer: arguments.tokenizer.unwrap_or(config.tokenizer),
        budget: arguments.budget.unwrap_or(config.budget),
    };
    let pack = pack(&request)
        .map_err(|error| anyhow::anyhow!("{error}. Give a larger --budget, or a shorter task"))?;
    found.retain(|secret| secret.is_shown(&pack.manifest));
    report::secrets(&found, arguments.redact);
    let open = found.iter().filter(|secret| !secret.allowed).count();
    if open > 0 && !arguments.redact && !arguments.allow_secrets {
        let them = if open == 1 { "a secret was found" } else { "secrets were found" };
        return Err(Ended::error(
            exit::SECRETS,
            format!(
                "{them} in what would be written, so nothing was. Use --redact to replace, --exclude to leave files out, or --allow-secrets to write it all the same"
            ),
        ));
    }
    write(&pack, arguments.output.as_deref())?;
    report::pack(&pack, &request, started.elapsed());
    if let Some(output) = &arguments.output {
        show::note(format!("Written to {}.", output.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that may be written: the task, the files in their order, and the list of files.
fn gather(arguments: &Arguments, config: &Config, task: String) -> anyhow::Result<Outgoing> {
    let project = &arguments.task.project;
    let (include, exclude) = (Patterns::new(&arguments.include)?, Patterns::new(&arguments.exclude)?);
    let options = arguments.ranking.options(config);
    let found = discover::find(project, &task, &options)?;
    let ranked: Vec<&Ranked> = found.sources.iter().chain(&found.tests).collect();
    let mut paths = Vec::new();
    if arguments.tree || !include.is_empty() {
        let files = discovery::tree(project, &AtomicBool::new(false))?;
        paths.extend(files.into_iter().map(|file| file.path).filter(|path| !exclude.matches(path)));
    }
    if let Some(glob) = include.idle(paths.iter().map(String::as_str)).first() {
        anyhow::bail!(
            "--include {glob} names no file of the project. Ignored and hidden files are not looked at, nor what --exclude names"
        );
    }
    let order = order(&ranked, &paths, &include, &exclude);
    if order.len() > ranked.len() + MAX_INCLUDED {
        anyhow::bail!(
            "--include names {} files; at most {MAX_INCLUDED} are taken. Name fewer",
            order.len() - ranked.len()
        );
    }
    let root = Root::open(project).with_context(|| format!("cannot open {}", project.display()))?;
    let files = sources(&root, &order, &ranked, &options);
    Ok(Outgoing { task, files, tree: arguments.tree.then_some(paths) })
}

/// The paths to take: those that were included, then those that were found, each by rank and then by name.
fn order<'p>(
    ranked: &[&'p Ranked],
    paths: &'p [String],
    include: &Patterns,
    exclude: &Patterns,
) -> Vec<&'p str> {
    let found = ranked.iter().map(|file| file.path.as_str()).filter(|path| !exclude.matches(path));
    let found: Vec<&str> = found.collect();
    let is_found: std::collections::HashSet<&str> = found.iter().copied().collect();
    let (first, rest): (Vec<&str>, Vec<&str>) = found.iter().partition(|path| include.matches(path));
    let more =
        paths.iter().map(String::as_str).filter(|path| include.matches(path) && !is_found.contains(path));
    first.into_iter().chain(more).chain(rest).collect()
}

/// Reads the files, with the lines that the ranking points to.
fn sources(root: &Root, order: &[&str], ranked: &[&Ranked], options: &Options) -> Vec<Source> {
    let by_path: HashMap<&str, &Ranked> = ranked.iter().map(|file| (file.path.as_str(), *file)).collect();
    let lines = |path: &str| {
        let reasons = by_path.get(path).map_or(&[][..], |file| &file.reasons);
        reasons.iter().filter_map(|reason| reason.line).collect()
    };
    let read = |path: &&str| Source {
        path: (*path).to_owned(),
        content: root.read(path, options.max_file_bytes),
        lines: lines(path),
    };
    order.iter().map(read).collect()
}

fn write(pack: &Pack, output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(output) => std::fs::write(output, &pack.text).map_err(|error| {
            let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
            match folder.filter(|folder| !folder.exists()) {
                Some(folder) => anyhow::anyhow!(
                    "cannot write {}: there is no folder {}. Make it first, or name another file",
                    output.display(),
                    folder.display()
                ),
                None => anyhow::anyhow!("cannot write {}: {error}", output.display()),
            }
        }),
        None => {
            let terminal = std::io::stdout().is_terminal();
            let text = show::document(&pack.text, terminal);
            show::write_out(&mut std::io::stdout(), text.as_bytes())
                .context("cannot write to standard output")
        }
    }
}
