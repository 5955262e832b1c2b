//! The task, by words, file or standard input: the same for every command that takes one.

use anyhow::Context;
use clap::Args;
use std::io::Read;
use std::path::PathBuf;

/// Where the task comes from, and the project it is about.
#[derive(Args)]
pub struct Task {
    /// The task in words; `-` reads it from standard input.
    #[arg(value_name = "TASK")]
    task: Vec<String>,
    /// Read the task from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    task_file: Option<PathBuf>,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
}

impl Task {
    /// The task's text. Bytes that are not UTF-8 are replaced: a task is for reading.
    pub fn read(&self) -> anyhow::Result<String> {
        let bytes = match (&self.task_file, self.task.as_slice()) {
            (Some(file), _) => std::fs::read(file)
                .with_context(|| format!("cannot read the task from {}", file.display()))?,
            (None, [dash]) if dash == "-" => {
                let mut bytes = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .context("cannot read the task from standard input")?;
                bytes
            }
            (None, words) => words.join(" ").into_bytes(),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.trim().is_empty() {
            anyhow::bail!(
                "there is no task. Say in words what should change, for example: plantocode discover \"Retry requests that time out\""
            );
        }
        Ok(text)
    }
}

/// The project of a folder, granted if it was not yet.
///
/// # Errors
/// When the folder cannot be opened, or the engine refuses.
pub async fn project(host: &host::Host, folder: &std::path::Path) -> anyhow::Result<api::ProjectId> {
    let folder =
        folder.canonicalize().with_context(|| format!("cannot open the project {}", folder.display()))?;
    let path = folder.to_str().context("the project's path is not valid Unicode")?.to_owned();
    let grant = api::projects::GrantProject { path };
    Ok(api::projects::ProjectsClient(host.client.clone()).grant(&grant).await?.id)
}
