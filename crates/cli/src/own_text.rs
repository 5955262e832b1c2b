//! Texts that a project may have of its own, prompts and templates: what their commands take.

use anyhow::Context;
use clap::Args;
use host::Host;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A project.
#[derive(Args)]
pub struct Place {
    /// The project.
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
}

impl Place {
    /// The project of the folder.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub async fn project(&self, host: &Host) -> anyhow::Result<api::ProjectId> {
        crate::task::project(host, &self.project).await
    }
}

/// A text of a project.
#[derive(Args)]
pub struct One {
    /// Its name, as `list` says it.
    #[arg(value_name = "NAME")]
    pub name: String,
    #[command(flatten)]
    pub place: Place,
}

/// A text of one's own.
#[derive(Args)]
pub struct Set {
    #[command(flatten)]
    pub one: One,
    /// The file with the text; `-` reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A text from a file, or from standard input for `-`.
///
/// # Errors
/// When it cannot be read as text.
pub fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read as text")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}
