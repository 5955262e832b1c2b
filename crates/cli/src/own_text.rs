//! Texts that a project may have of its own, prompts and templates: what their commands take.

use crate::exit::{self, Ended};
use crate::show::{self, STRONG, styled};
use anyhow::Context;
use clap::Args;
use host::Host;
use std::io::{BufRead, IsTerminal, Read, Write};
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

/// Which text to print.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    pub one: One,
    /// The file of the project that nobody trusts yet.
    #[arg(long)]
    pub untrusted: bool,
}

/// A file of a project that is to be trusted.
#[derive(Args)]
pub struct Trust {
    #[command(flatten)]
    pub one: One,
    /// The text that is meant, by its SHA-256 as `show --untrusted` says it. Without it the text is shown, and you are asked.
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
}

impl Trust {
    /// Returns when this text is the one that is meant: by its hash, or because whoever sits here has read it and says so.
    ///
    /// # Errors
    /// When it is another text, when the answer is not yes, or when nobody can be asked.
    pub async fn agreed(&self, text: &str, hash: &str) -> anyhow::Result<()> {
        if let Some(meant) = &self.hash {
            // All of it: whoever writes the files can make two of them that share the beginning of a hash.
            if !hash.eq_ignore_ascii_case(meant) {
                let message =
                    "the file is not the text with this hash, so nothing is trusted; look at it again";
                return Err(Ended::error(exit::NOT_APPROVED, message));
            }
            return Ok(());
        }
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            let message = "nobody can be asked here, so nothing is trusted. Use --hash HASH, as `show --untrusted` says it";
            return Err(Ended::error(exit::NOT_APPROVED, message));
        }
        show::tell(show::harmless(text));
        // Reading a line blocks; the engine in this process goes on meanwhile.
        if tokio::task::spawn_blocking(yes).await?? {
            return Ok(());
        }
        Err(Ended::error(exit::NOT_APPROVED, "nothing is trusted"))
    }
}

/// Says how to trust exactly the text that was just printed, and what of it cannot be seen where it was printed as it is.
pub fn how_to_trust(command: &str, one: &One, text: &str, hash: &str) {
    let unseen = text.chars().filter(|c| show::is_invisible(*c)).count();
    if unseen > 0 {
        show::note(format!(
            "{unseen} of its characters cannot be seen, or change how the text around them looks."
        ));
    }
    let project = match one.place.project.as_os_str() == "." {
        true => String::new(),
        false => format!(" --project {}", one.place.project.display()),
    };
    show::note(format!(
        "Nobody trusts this file yet. `plantocode {command} trust {}{project} --hash {hash}` trusts exactly this text.",
        one.name
    ));
}

fn yes() -> std::io::Result<bool> {
    let mut err = anstream::stderr();
    write!(err, "{} ", styled(STRONG, "Trust this text? [y]es, [n]o:"))?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "yes"))
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
