//! `plantocode completions` and `plantocode man`: what a shell and `man` want to know about this program.

use crate::show;
use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print what completes this program's commands and options in a shell.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode completions bash > ~/.local/share/bash-completion/completions/plantocode
  plantocode completions zsh > \"${fpath[1]}/_plantocode\"
  plantocode completions fish > ~/.config/fish/completions/plantocode.fish")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print this program's manual page, or write the pages of all commands to a folder.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode man | man -l -
  plantocode man --dir ~/.local/share/man/man1")]
pub struct Man {
    /// Write a page for every command into this folder, which is made if it is missing.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn completions(arguments: &Completions, mut command: Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "plantocode", &mut script);
    show::write_out(&mut std::io::stdout(), &script)?;
    Ok(ExitCode::SUCCESS)
}

pub fn man(arguments: &Man, command: Command) -> anyhow::Result<ExitCode> {
    let Some(dir) = &arguments.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        show::write_out(&mut std::io::stdout(), &page)?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    clap_mangen::generate_to(command, dir)
        .with_context(|| format!("cannot write manual pages to {}", dir.display()))?;
    show::note(format!("The manual pages are in {}.", dir.display()));
    Ok(ExitCode::SUCCESS)
}
