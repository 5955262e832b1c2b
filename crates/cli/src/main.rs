//! `plantocode`: the command line.
//!
//! It has no methods of its own: it calls the same API as the window and the phone. When no engine runs for this
//! user it is the engine while it runs; when one does, it is its client (the crate `host`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod account;
mod audit;
mod discover;
mod exit;
mod models;
mod pair;
mod plan;
mod serve;
mod show;
mod task;
mod terminal;

use ::terminal::host as terminal_host;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  an error; the message says what was kept and what to do
  2  the command line is wrong
  3  secrets were found in what would be sent
  4  not approved: nothing was sent
  5  the plan was cut or could not be read; what arrived is kept

Environment:
  PLANTOCODE_HOME                    keep everything below this folder
  PLANTOCODE_LOG                     what to log to stderr, for example debug
  OPENAI_API_KEY, ANTHROPIC_API_KEY  your own keys, used directly and never stored
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
    Discover(discover::Arguments),
    Plan(plan::Arguments),
    Serve(serve::Arguments),
    Login(account::Login),
    /// Forget the sign-in to the server, here and there.
    Logout,
    /// Say who is signed in, and where.
    Whoami,
    #[command(subcommand)]
    Models(models::Command),
    #[command(subcommand)]
    Terminal(terminal::Command),
    Pair(pair::Arguments),
    #[command(subcommand)]
    Devices(pair::Command),
    /// Check that the record of everything that left this machine is as it was written.
    Audit,
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
        // Needs no engine, no runtime and no data directory.
        Command::Discover(arguments) => discover::run(&arguments),
        command => in_runtime(command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            show::error(&error);
            exit::code_of(&error)
        }
    }
}

fn in_runtime(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(command));
    // A thread that reads from the terminal cannot be stopped; waiting for it would be waiting for a key.
    runtime.shutdown_background();
    outcome
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Discover(arguments) => discover::run(&arguments),
        Command::Plan(arguments) => plan::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Login(arguments) => account::login(arguments).await,
        Command::Logout => account::logout().await,
        Command::Whoami => account::whoami().await,
        Command::Models(command) => models::run(command).await,
        Command::Terminal(command) => terminal::run(command).await,
        Command::Pair(arguments) => pair::pair(arguments).await,
        Command::Devices(command) => pair::run(command).await,
        Command::Audit => audit::verify().await,
    }
}
