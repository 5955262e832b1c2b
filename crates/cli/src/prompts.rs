//! `plantocode prompts`: what models are told to do.

use crate::own_text::{One, Place, Set, Show, Trust, how_to_trust, read};
use crate::show::{self, QUIET, STRONG, WARN, styled};
use anyhow::Context;
use api::prompts::{DiffPrompt, ListPrompts, Prompt, PromptsClient, SavePrompt, TrustPrompt};
use api::templates::TextOrigin;
use clap::{Args, Subcommand};
use host::Host;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Show what models are told to do, or give a project a text of its own.
#[derive(Subcommand)]
pub enum Command {
    /// List the prompts: which text is used, and whether a default has changed since yours was made from it.
    #[command(after_help = "Examples:
  plantocode prompts list
  plantocode prompts list --project ~/src/client")]
    List(Place),
    /// Print the text of a prompt.
    #[command(after_help = "Examples:
  plantocode prompts show plan > plan.md
  plantocode prompts show plan --untrusted")]
    Show(Show),
    /// Show how the text of a project differs from the default.
    #[command(after_help = "Examples:
  plantocode prompts diff plan
  plantocode prompts diff plan --untrusted")]
    Diff(Diff),
    /// Give a project a text of its own.
    #[command(after_help = "Examples:
  plantocode prompts set plan plan.md
  cat refine.md | plantocode prompts set refine -")]
    Set(Set),
    /// Take back the text of one's own, and the trust in a file.
    #[command(after_help = "Examples:
  plantocode prompts reset plan")]
    Reset(One),
    /// Trust the project's file `.plantocode/prompts/NAME.md` as you have seen it.
    #[command(after_help = "Examples:
  plantocode prompts trust plan
  plantocode prompts trust plan --hash $SHA256")]
    Trust(Trust),
}

/// What to compare.
#[derive(Args)]
pub struct Diff {
    #[command(flatten)]
    one: One,
    /// Compare the file of the project that nobody trusts yet.
    #[arg(long)]
    untrusted: bool,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let told = tell(&host, command).await;
    host.close().await;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(host: &Host, command: Command) -> anyhow::Result<()> {
    let prompts = PromptsClient(host.client.clone());
    match command {
        Command::List(place) => {
            let project = place.project(host).await?;
            Ok(prompts.list(&ListPrompts { project }).await?.prompts.iter().try_for_each(line)?)
        }
        Command::Show(Show { one, untrusted }) => {
            let prompt = find(&prompts, host, &one, untrusted).await?;
            let text = show::document(&prompt.text, std::io::stdout().is_terminal()).into_owned();
            show::write_out(&mut std::io::stdout(), text.as_bytes())?;
            if untrusted {
                how_to_trust("prompts", &one, &prompt.text, &prompt.hash);
            }
            Ok(())
        }
        Command::Diff(arguments) => {
            let project = arguments.one.place.project(host).await?;
            let diff = DiffPrompt { project, name: arguments.one.name, untrusted: arguments.untrusted };
            let text = prompts.diff(&diff).await?.text;
            if text.is_empty() {
                show::note("It is the default.");
            }
            let text = show::document(&text, std::io::stdout().is_terminal()).into_owned();
            Ok(show::write_out(&mut std::io::stdout(), text.as_bytes())?)
        }
        Command::Set(arguments) => {
            let text = read(&arguments.file)?;
            let project = arguments.one.place.project(host).await?;
            let save = SavePrompt { project, name: arguments.one.name, text: Some(text), base: None };
            prompts.save(&save).await?;
            show::note("Stored. `plantocode prompts diff` shows how it differs from the default.");
            Ok(())
        }
        Command::Reset(one) => {
            let project = one.place.project(host).await?;
            prompts
                .save(&SavePrompt {
                    project: project.clone(),
                    name: one.name.clone(),
                    text: None,
                    base: None,
                })
                .await?;
            prompts.trust(&TrustPrompt { project, name: one.name, hash: None }).await?;
            show::note("The default is used again.");
            Ok(())
        }
        Command::Trust(trust) => {
            let file = find(&prompts, host, &trust.one, true).await?;
            trust.agreed(&file.text, &file.hash).await?;
            let project = trust.one.place.project(host).await?;
            prompts.trust(&TrustPrompt { project, name: trust.one.name, hash: Some(file.hash) }).await?;
            show::note("Trusted. When the file changes, it counts no more until you look at it again.");
            Ok(())
        }
    }
}

/// The prompt that is used, or the file of that name that nobody trusts yet.
async fn find(prompts: &PromptsClient, host: &Host, one: &One, untrusted: bool) -> anyhow::Result<Prompt> {
    let project = one.place.project(host).await?;
    let all = prompts.list(&ListPrompts { project }).await?.prompts;
    let wanted = |p: &Prompt| p.name == one.name && untrusted == (p.origin == TextOrigin::Untrusted);
    all.into_iter().find(wanted).with_context(|| match untrusted {
        true => {
            format!("the project has no file .plantocode/prompts/{}.md that is not trusted yet", one.name)
        }
        false => format!("there is no prompt {}; `plantocode prompts list` shows them", one.name),
    })
}

fn line(prompt: &Prompt) -> std::io::Result<()> {
    let origin = match prompt.origin {
        TextOrigin::BuiltIn => styled(QUIET, "default"),
        TextOrigin::Own => "own".to_owned(),
        TextOrigin::File => "file".to_owned(),
        TextOrigin::Untrusted => styled(WARN, "file, not trusted and not used"),
    };
    let changed = match prompt.made_from {
        Some(from) if from != prompt.version => styled(WARN, "  the default has changed since"),
        _ => String::new(),
    };
    let name = styled(STRONG, format!("{:<16}", prompt.name));
    show::line(format_args!(
        "{name} v{}  {origin}{changed}  {}",
        prompt.version,
        styled(QUIET, &prompt.about)
    ))
}
