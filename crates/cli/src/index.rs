//! `plantocode index`: what is kept of a project between two searches.

use crate::discover::{cache, find};
use crate::show;
use clap::Args;
use discovery::{IndexStatus, Options};
use std::path::PathBuf;
use std::process::ExitCode;

/// Index a project now, say what is kept of it, or remove that.
///
/// Every search keeps an index and reads only what has changed since; this command is for doing so beforehand. The index
/// lies in your own cache folder, never in the project.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode index --project ~/src/client
  plantocode index --status
  plantocode index --clear")]
pub struct Arguments {
    /// The folder of the project.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Only say what is kept and how large it is.
    #[arg(long, conflicts_with = "clear")]
    status: bool,
    /// Remove what is kept of this project.
    #[arg(long)]
    clear: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let cache = cache()?;
    let project = &arguments.project;
    if arguments.clear {
        let freed = discovery::clear_index(&cache, project).map_err(|error| {
            anyhow::anyhow!("The index of {} cannot be removed: {error}", project.display())
        })?;
        show::line(if freed == 0 {
            "Nothing was kept.".into()
        } else {
            format!("Removed {}.", size(freed))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.status {
        let options = Options { cache: Some(cache.clone()), ..Options::default() };
        let found = find(project, "", &options)?;
        if let Some(why) = found.not_kept {
            anyhow::bail!("The index cannot be kept: {why}. Searches work, and read everything each time.");
        }
        let history = match found.no_history {
            Some(why) => format!("no history ({why})"),
            None => format!("{} commits", found.commits),
        };
        let (files, read) = (found.scanned, found.read);
        show::line(format!("{files} files indexed, {read} of all read now, {history}"))?;
    }
    match discovery::index_status(&cache, project) {
        Some(status) => show::line(told(&status))?,
        None => show::line("Nothing is kept of this project.".to_owned())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn told(status: &IndexStatus) -> String {
    format!(
        "{} files and {} commits known, {} in {}",
        status.files,
        status.commits,
        size(status.bytes),
        show::harmless(&status.folder.display().to_string())
    )
}

fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
