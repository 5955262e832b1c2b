//! `plantocode`: the command line.
//!
//! It has no methods of its own: it calls the same API as the window and the phone. When no engine runs for this
//! user it is the engine while it runs; when one does, it is its client (the crate `host`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod account;
mod audit;
mod backup;
mod bar;
mod browser;
mod config;
mod context;
mod discover;
mod doctor;
mod exit;
mod index;
mod interrupt;
mod jobs;
mod models;
mod own_text;
mod pages;
mod pair;
mod permissions;
mod plan;
mod prompts;
mod refine;
mod research;
mod review;
mod search;
mod serve;
mod session;
mod show;
mod signals;
mod task;
mod templates;
mod terminal;
mod trace;
mod usage;

use ::terminal::host as terminal_host;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  plantocode discover \"Retry requests that time out\" --project ~/src/client
  plantocode context \"Retry requests that time out\" --budget 16000 > context.xml
  plantocode plan --task-file issue.md --model openai/gpt-5.1
  plantocode research \"What does tokio 1.50 change for timeouts?\"
  plantocode serve --open

Exit codes:
  0    done
  1    an error; the message says what was kept and what to do
  2    the command line is wrong
  3    secrets were found in what would be sent or written
  4    not approved: nothing was sent
  5    the plan was cut or could not be read, or a question has no whole answer; what arrived is kept
  6    the check of a plan found errors
  130  interrupted with Ctrl-C

Environment:
  PLANTOCODE_HOME                    keep everything below this folder
  PLANTOCODE_CONFIG                  the configuration file, in place of the usual one
  PLANTOCODE_LOG                     what to log to stderr, for example debug
  OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, XAI_API_KEY
                        your own keys, used directly and never stored
  NO_COLOR                           no colour";

/// Finds the files a change concerns, shows what would be sent to which model at what cost, and plans the change.
#[derive(Parser)]
#[command(name = "plantocode", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Local(Local),
    #[command(flatten)]
    WithEngine(WithEngine),
}

/// What needs no engine, no runtime and no data directory.
#[derive(Subcommand)]
enum Local {
    Discover(discover::Arguments),
    Context(context::Arguments),
    Index(index::Arguments),
    #[command(subcommand, display_order = 100)]
    Config(config::Command),
    #[command(display_order = 100)]
    Completions(pages::Completions),
    #[command(display_order = 100)]
    Man(pages::Man),
}

/// What is asked of an engine.
#[derive(Subcommand)]
enum WithEngine {
    Plan(Box<review::PlanCommand>),
    Refine(refine::Refine),
    Improve(refine::Improve),
    Research(research::ResearchCommand),
    Serve(serve::Arguments),
    Login(account::Login),
    /// Forget the sign-in to the server, here and there.
    #[command(after_help = "Examples:
  plantocode logout")]
    Logout,
    /// Say who is signed in, and where.
    #[command(after_help = "Examples:
  plantocode whoami")]
    Whoami,
    #[command(subcommand)]
    Models(models::Command),
    #[command(subcommand)]
    Prompts(prompts::Command),
    #[command(subcommand)]
    Templates(templates::Command),
    #[command(subcommand)]
    Terminal(terminal::Command),
    Pair(pair::Arguments),
    #[command(subcommand)]
    Devices(pair::Command),
    /// Check that the record of everything that left this machine is as it was written.
    #[command(after_help = "Examples:
  plantocode audit")]
    Audit,
    Search(search::Arguments),
    #[command(display_order = 90)]
    Trace(trace::Arguments),
    #[command(subcommand)]
    Session(session::Command),
    #[command(subcommand)]
    Jobs(jobs::Command),
    #[command(subcommand)]
    Permissions(permissions::Command),
    Usage(usage::Usage),
    Budget(usage::Budget),
    Settings(doctor::Settings),
    Sizes(doctor::Sizes),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(backup::Restore),
}

fn main() -> ExitCode {
    // The process that holds the terminals is this program under another name; it needs nothing of what follows.
    let words = std::env::args_os().skip(1);
    if let Some(ended) = terminal_host::main_from_args(words, ::terminal::Env::system()) {
        return ended;
    }
    let arguments = Arguments::parse();
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("PLANTOCODE_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = match arguments.command {
        Command::Local(command) => local(command),
        Command::WithEngine(command) => in_runtime(command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            show::error(&error);
            exit::code_of(&error)
        }
    }
}

fn local(command: Local) -> anyhow::Result<ExitCode> {
    match command {
        Local::Discover(arguments) => discover::run(&arguments),
        Local::Context(arguments) => context::run(&arguments),
        Local::Index(arguments) => index::run(&arguments),
        Local::Config(command) => config::run(&command),
        Local::Completions(arguments) => pages::completions(&arguments, Arguments::command()),
        Local::Man(arguments) => pages::man(&arguments, Arguments::command()),
    }
}

fn in_runtime(command: WithEngine) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(command));
    // A thread that reads from the terminal cannot be stopped; waiting for it would be waiting for a key.
    runtime.shutdown_background();
    outcome
}

async fn run(command: WithEngine) -> anyhow::Result<ExitCode> {
    match command {
        WithEngine::Plan(arguments) => review::run(*arguments).await,
        WithEngine::Refine(arguments) => refine::refine(arguments).await,
        WithEngine::Improve(arguments) => refine::improve(arguments).await,
        WithEngine::Research(arguments) => research::run(arguments).await,
        WithEngine::Serve(arguments) => serve::run(arguments).await,
        WithEngine::Login(arguments) => account::login(arguments).await,
        WithEngine::Logout => account::logout().await,
        WithEngine::Whoami => account::whoami().await,
        WithEngine::Models(command) => models::run(command).await,
        WithEngine::Templates(command) => templates::run(command).await,
        WithEngine::Prompts(command) => prompts::run(command).await,
        WithEngine::Terminal(command) => terminal::run(command).await,
        WithEngine::Pair(arguments) => pair::pair(arguments).await,
        WithEngine::Devices(command) => pair::run(command).await,
        WithEngine::Audit => audit::verify().await,
        WithEngine::Permissions(command) => permissions::run(command).await,
        WithEngine::Jobs(command) => jobs::run(command).await,
        WithEngine::Usage(arguments) => usage::usage(arguments).await,
        WithEngine::Budget(arguments) => usage::budget(arguments).await,
        WithEngine::Search(arguments) => search::run(arguments).await,
        WithEngine::Session(command) => session::run(command).await,
        WithEngine::Settings(arguments) => doctor::settings(arguments).await,
        WithEngine::Sizes(arguments) => doctor::sizes(arguments).await,
        WithEngine::Doctor(arguments) => doctor::doctor(arguments).await,
        WithEngine::Trace(arguments) => trace::run(arguments).await,
        WithEngine::Backup(arguments) => backup::backup(arguments).await,
        WithEngine::Restore(arguments) => backup::restore(arguments).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that do something by themselves, each with its words.
    fn leaves(command: &clap::Command, words: &str, out: &mut Vec<(String, clap::Command)>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let words = format!("{words} {}", sub.get_name());
            if sub.has_subcommands() {
                leaves(sub, &words, out);
            } else {
                out.push((words, sub.clone()));
            }
        }
    }

    /// The words of our command in a line of shell, as far as examples go: quotes, pipes, redirections.
    fn words(line: &str) -> Vec<String> {
        let (mut out, mut word, mut quote) = (Vec::new(), String::new(), None);
        for c in line.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, ' ') => out.push(std::mem::take(&mut word)),
                _ => word.push(c),
            }
        }
        out.push(word);
        let start = out.iter().position(|word| word == "plantocode").unwrap();
        let ends = |word: &String| ["|", ">"].contains(&word.as_str());
        let end = out.iter().skip(start).position(ends).map_or(out.len(), |at| start + at);
        out[start..end].to_vec()
    }

    #[test]
    fn every_command_has_examples_that_are_accepted_and_is_documented() {
        let program = Arguments::command();
        program.clone().debug_assert();
        let document = include_str!("../../../docs/cli.md");
        let mut commands = vec![(String::new(), program.clone())];
        leaves(&program, "", &mut commands);
        assert!(commands.len() > 20);
        for (name, command) in commands {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
            let examples: Vec<&str> = examples.take_while(|line| line.starts_with("  ")).collect();
            assert!(!examples.is_empty(), "plantocode{name} --help has no example");
            for example in examples {
                if let Err(error) = program.clone().try_get_matches_from(words(example)) {
                    panic!("{example}\n{error}");
                }
            }
            assert!(document.contains(&format!("`plantocode{name}")), "docs/cli.md: {name}");
        }
    }
}
