//! `plantocode templates`: the texts in which a plan is handed to an agent.

use crate::own_text::{One, Place, Set, Show, Trust, how_to_trust, read};
use crate::show::{self, QUIET, STRONG, WARN, styled};
use anyhow::Context;
use api::templates::{ListTemplates, SaveTemplate, Template, TemplatesClient, TextOrigin, TrustTemplate};
use clap::Subcommand;
use host::Host;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Show the texts in which a plan is handed to an agent, or give a project one of its own.
#[derive(Subcommand)]
pub enum Command {
    /// List the templates: which text is used, and which files of the project wait for somebody's trust.
    #[command(after_help = "Examples:
  plantocode templates list
  plantocode templates list --project ~/src/client")]
    List(Place),
    /// Print the text of a template.
    #[command(after_help = "Examples:
  plantocode templates show plan > plan.md
  plantocode templates show review --untrusted")]
    Show(Show),
    /// Give a project a text of its own. `{{IMPLEMENTATION_PLAN}}`, `{{TASK_DESCRIPTION}}` and `{{STEP_CONTENT}}` are replaced in it.
    #[command(after_help = "Examples:
  plantocode templates set plan plan.md
  cat review.md | plantocode templates set review -")]
    Set(Set),
    /// Take back the text of one's own, and the trust in a file.
    #[command(after_help = "Examples:
  plantocode templates reset plan")]
    Reset(One),
    /// Trust the project's file `.plantocode/templates/NAME.md` as you have seen it.
    #[command(after_help = "Examples:
  plantocode templates trust review
  plantocode templates trust review --hash $SHA256")]
    Trust(Trust),
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let told = tell(&host, command).await;
    host.close().await;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(host: &Host, command: Command) -> anyhow::Result<()> {
    let templates = TemplatesClient(host.client.clone());
    match command {
        Command::List(place) => {
            let project = place.project(host).await?;
            let all = templates.list(&ListTemplates { project }).await?.templates;
            Ok(all.iter().try_for_each(line)?)
        }
        Command::Show(Show { one, untrusted }) => {
            let template = find(&templates, host, &one, untrusted).await?;
            let text = show::document(&template.text, std::io::stdout().is_terminal()).into_owned();
            show::write_out(&mut std::io::stdout(), text.as_bytes())?;
            if untrusted {
                how_to_trust("templates", &one, &template.text, &template.hash);
            }
            Ok(())
        }
        Command::Set(Set { one, file }) => {
            let text = Some(read(&file)?);
            let project = one.place.project(host).await?;
            templates.save(&SaveTemplate { project, name: one.name, text, base: None }).await?;
            show::note("Stored. `plantocode plan handoff --template NAME` uses it.");
            Ok(())
        }
        Command::Reset(one) => {
            let project = one.place.project(host).await?;
            let save =
                SaveTemplate { project: project.clone(), name: one.name.clone(), text: None, base: None };
            templates.save(&save).await?;
            templates.trust(&TrustTemplate { project, name: one.name, hash: None }).await?;
            show::note("What is built in is used again.");
            Ok(())
        }
        Command::Trust(trust) => {
            let file = find(&templates, host, &trust.one, true).await?;
            trust.agreed(&file.text, &file.hash).await?;
            let project = trust.one.place.project(host).await?;
            templates.trust(&TrustTemplate { project, name: trust.one.name, hash: Some(file.hash) }).await?;
            show::note("Trusted. When the file changes, it counts no more until you look at it again.");
            Ok(())
        }
    }
}

/// The template that is used, or the file of that name that nobody trusts yet.
async fn find(
    templates: &TemplatesClient,
    host: &Host,
    one: &One,
    untrusted: bool,
) -> anyhow::Result<Template> {
    let project = one.place.project(host).await?;
    let all = templates.list(&ListTemplates { project }).await?.templates;
    let wanted = |t: &Template| t.name == one.name && untrusted == (t.origin == TextOrigin::Untrusted);
    all.into_iter().find(wanted).with_context(|| match untrusted {
        true => {
            format!("the project has no file .plantocode/templates/{}.md that is not trusted yet", one.name)
        }
        false => format!("there is no template {}; `plantocode templates list` shows them", one.name),
    })
}

fn line(template: &Template) -> std::io::Result<()> {
    let origin = match template.origin {
        TextOrigin::BuiltIn => styled(QUIET, "built in"),
        TextOrigin::Own => "own".to_owned(),
        TextOrigin::File => "file".to_owned(),
        TextOrigin::Untrusted => styled(WARN, "file, not trusted and not used"),
    };
    let name = styled(STRONG, format!("{:<20}", template.name));
    show::line(format_args!("{name} {origin}  {}", styled(QUIET, &template.about)))
}
