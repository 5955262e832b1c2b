//! The house's own tasks: `cargo xtask TASK`.
//!
//! Knows nothing of the product's crates but their names and files, so that it builds in seconds and still runs when
//! they do not.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod bench;
mod check;
mod codegen;
mod dist;
mod parts;
mod run;
mod setup;
mod test;
mod tidy;
mod ui;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Sets up, builds, checks, tests and measures PlanToCode")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and testing need (apt, npm). Running it again changes nothing.
    Setup,
    /// Install what is needed, build everything, run every test.
    Test,
    /// Formatting, lints, licences of the house, generated files.
    Check,
    /// Check arrows, owners, sizes and words.
    Tidy,
    /// Write the TypeScript of the contract.
    Codegen {
        /// Only say whether it is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Build the user interface into crates/webui/dist.
    Ui,
    /// Measure; figures are ratios against a baseline of the same run.
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
    /// Build the binaries and the desktop app's package for release, and say how large they and their parts are.
    Dist,
}

fn main() -> ExitCode {
    match run_task(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_task(task: Task) -> anyhow::Result<()> {
    let root = root();
    match task {
        Task::Setup => setup::setup(&root),
        Task::Test => test::test(&root),
        Task::Check => check::check(&root),
        Task::Tidy => tidy::tidy(&root),
        Task::Codegen { check } => codegen::codegen(&root, check),
        Task::Ui => ui::build(&root),
        Task::Bench { what } => bench::bench(&root, &what),
        Task::Dist => dist::dist(&root),
    }
}

/// The root of the workspace: the parent of this crate.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}
