//! What a model is asked about plans that are made: to change one step, to complete a plan that was cut, to make one of several.

use super::seen::Seen;
use super::{decide, print};
use crate::plan::approve::Asking;
use crate::plan::{self, Terms};
use crate::show;
use api::PlanId;
use api::jobs::{Job, JobState};
use api::plans::{GetPlan, Plan, PlansClient};
use api::review::{AskStep, CompletePlan, MergeByModel, Origin};
use clap::Args;
use host::Host;
use std::process::ExitCode;

/// What is so after Ctrl-C.
const KEPT: &str = "the plans are as they were, and what had arrived is kept";

/// Have a model change one step; the others stay as they are. What would be sent is shown and asked for.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan ask --step 2 --wish \"use the clock of the tests\"
  plantocode plan ask 0197 --step 3 --wish \"split it\" --yes-up-to 0.10")]
pub struct Ask {
    #[command(flatten)]
    seen: Seen,
    /// The step, by number.
    #[arg(long, value_name = "N")]
    step: u32,
    /// What is to change in it.
    #[arg(long, value_name = "WISH", allow_hyphen_values = true)]
    wish: String,
    #[command(flatten)]
    asking: Asking,
}

/// Have a model write the rest of a plan that was cut. It becomes a plan of its own, after an approval.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan continue
  plantocode plan continue 0197 --model openai/gpt-5.1")]
pub struct Continue {
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    asking: Asking,
}

impl Ask {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plans = PlansClient(host.client.clone());
        let before = self.seen.plan(host).await?;
        let get = GetPlan { plan: before.id.clone() };
        let step = decide::step(&before, self.step)?.id.clone();
        let ask = AskStep {
            plan: before.id.clone(),
            version: before.version,
            step: step.clone(),
            wish: self.wish.clone(),
            model: self.asking.model.clone(),
        };
        let job = plans.ask_step(&ask).await?;
        let job = plan::interruptible(host, &job, KEPT, answered(host, &self.asking.terms(), &job)).await?;
        if job.state != JobState::Completed {
            return Err(plan::why_ended(host, &job).await);
        }
        let after = plans.get(&get).await?;
        let of = |plan: &Plan| plan.steps.iter().find(|known| known.id == step).map(decide::content);
        if let Some(changed) = after.steps.iter().find(|known| known.id == step) {
            print::step(changed)?;
        }
        if of(&after) == of(&before) {
            show::note("The model left the step as it was.");
            return Ok(ExitCode::SUCCESS);
        }
        // It says, too, if the server sent something else than what was approved.
        let versions = plans.versions(&get).await?.versions;
        if let Some(version) = versions.iter().rev().find(|version| version.origin == Origin::StepChange) {
            show::note(&version.note);
        }
        print::undecided(&before, &after);
        print::version(&after);
        Ok(ExitCode::SUCCESS)
    }
}

impl Continue {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = self.seen.plan(host).await?.id;
        let complete = CompletePlan { plan, model: self.asking.model.clone() };
        let job = PlansClient(host.client.clone()).complete(&complete).await?;
        made(host, &self.asking, &job).await
    }
}

/// Has a model make one plan of several.
pub async fn merge(
    host: &Host,
    plans: Vec<PlanId>,
    wish: Option<String>,
    asking: &Asking,
) -> anyhow::Result<ExitCode> {
    let merge = MergeByModel { plans, wish, model: asking.model.clone() };
    let job = PlansClient(host.client.clone()).merge_by_model(&merge).await?;
    made(host, asking, &job).await
}

/// Shows the plan that a job makes, while it arrives and at its end.
async fn made(host: &Host, asking: &Asking, job: &Job) -> anyhow::Result<ExitCode> {
    let arriving = async {
        let approved = approved(host, &asking.terms(), job).await?;
        plan::stream::follow(host, &approved).await
    };
    let plan: Plan = plan::interruptible(host, job, KEPT, arriving).await?;
    print::plan(&plan)?;
    plan::whole(plan)
}

/// The job once it may send, here or elsewhere, with the approval that it was given.
async fn approved(host: &Host, terms: &Terms, job: &Job) -> anyhow::Result<Job> {
    let mut job = plan::settled(host, &job.id, None).await?;
    match job.state {
        JobState::WaitingApproval => {
            let asked = plan::approve::ask(host, terms, &job).await;
            job.approval = Some(plan::or_cancel(&host.client, &job.id, asked).await?.id);
        }
        JobState::Completed => {}
        _ => return Err(plan::why_ended(host, &job).await),
    }
    Ok(job)
}

/// The job once it has ended.
async fn answered(host: &Host, terms: &Terms, job: &Job) -> anyhow::Result<Job> {
    let job = approved(host, terms, job).await?;
    plan::settled(host, &job.id, job.approval.as_ref()).await
}
