//! `plantocode plan handoff`: a plan, or one of its steps, as a text for an agent.

use super::seen::Seen;
use crate::show;
use api::plans::{Plan, PlansClient};
use api::review::SavePlan;
use api::templates::{RenderTemplate, TemplatesClient};
use api::terminals::{HandOver, HandedOver, TerminalsClient};
use clap::Args;
use host::Host;
use std::process::ExitCode;

/// Hand a plan to an agent: as a text in a template, into a terminal, or as a file of the project.
///
/// Only steps that were accepted and have no error are handed over, unless --all takes those that nobody decided about.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan handoff --all | less
  plantocode plan handoff 0197 --template task-and-plan
  plantocode plan handoff 0197 --template parallel-agents --step 2 --terminal 0198
  plantocode plan handoff --save")]
pub struct Handoff {
    #[command(flatten)]
    seen: Seen,
    /// The template: plan, task, task-and-plan, parallel-agents, investigate-results, or one of the project's own.
    #[arg(long, default_value = "plan")]
    template: String,
    /// Only this step, by number.
    #[arg(long, value_name = "N")]
    step: Option<u32>,
    /// Take steps too about which nothing was decided.
    #[arg(long)]
    all: bool,
    /// Put it before the program in this terminal; nothing is submitted.
    #[arg(long, value_name = "TERMINAL")]
    terminal: Option<String>,
    /// Write the whole plan, with all its steps, into the project's .plantocode/plans instead.
    #[arg(long, conflicts_with_all = ["terminal", "step", "all", "template"])]
    save: bool,
}

impl Handoff {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let Plan { id: plan, version, .. } = self.seen.plan(host).await?;
        if self.save {
            let saved = PlansClient(host.client.clone()).save(&SavePlan { plan, name: None }).await?;
            show::line(show::harmless(&saved.path))?;
            return Ok(ExitCode::SUCCESS);
        }
        // As it was just read: a step number means the same step there.
        let (template, version, step, all) = (self.template.clone(), Some(version), self.step, self.all);
        let Some(terminal) = &self.terminal else {
            let render = RenderTemplate { template, plan, version, step, all };
            super::document(&TemplatesClient(host.client.clone()).render(&render).await?.text)?;
            return Ok(ExitCode::SUCCESS);
        };
        let key = format!("cli-{}-{}", std::process::id(), plan.0);
        let template = Some(template);
        let over = HandOver { terminal: terminal.as_str().into(), key, plan, version, step, all, template };
        match TerminalsClient(host.client.clone()).hand_over(&over).await? {
            HandedOver::Pasted { characters, .. } => {
                show::note(format!(
                    "{characters} characters were pasted. Nothing was submitted; look at them and press Enter there."
                ));
            }
            HandedOver::File { path, .. } => show::note(format!(
                "The program takes no paste now. The text is in {path} of the project, and that path was typed. Nothing was \
                 submitted."
            )),
        }
        Ok(ExitCode::SUCCESS)
    }
}
