//! What a person does with the steps of a plan: decide, say something, repair, take back.

use super::print;
use super::seen::{Seen, WhichFinding};
use crate::show::{self, WARN, styled};
use anyhow::Context;
use api::plans::{Finding, Plan, PlansClient, Step};
use api::review::{CommentStep, DecideSteps, Decision, RepairStep, RevertPlan, StepContent};
use clap::Args;
use host::Host;
use std::process::ExitCode;

/// Repairs in one go at most: each may bring a finding of another step forth.
const MOST_REPAIRS: usize = 500;

/// Accept steps of a plan: only these are handed over.
///
/// A step in which the check has found an error is accepted and yet not handed over, unless --despite-errors says so.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan accept --all
  plantocode plan accept 0197 --step 1,3 --despite-errors")]
pub struct Accept {
    #[command(flatten)]
    steps: Steps,
    /// Hand them over although the check has found errors in them.
    #[arg(long)]
    despite_errors: bool,
}

/// Reject steps of a plan: they are never handed over.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan reject --step 2")]
pub struct Reject {
    #[command(flatten)]
    steps: Steps,
}

/// Take a decision about steps back.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan reopen --step 2
  plantocode plan reopen 0197 --all")]
pub struct Reopen {
    #[command(flatten)]
    steps: Steps,
}

/// Steps of a plan.
#[derive(Args)]
struct Steps {
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    these: These,
}

/// Which steps.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct These {
    /// These steps, by number.
    #[arg(long = "step", value_name = "N", value_delimiter = ',')]
    steps: Vec<u32>,
    /// All steps.
    #[arg(long)]
    all: bool,
}

/// Say something about a step. It stands beside the step and is no part of it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan comment --step 2 --text \"ask Grace first\"")]
pub struct Comment {
    #[command(flatten)]
    seen: Seen,
    /// The step, by number.
    #[arg(long, value_name = "N")]
    step: u32,
    /// What to say.
    #[arg(long, allow_hyphen_values = true)]
    text: String,
}

/// Carry out the repairs that the check of a plan offers, or list them.
///
/// A step that was changed has to be decided about again. --all leaves rejected steps alone.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan repair
  plantocode plan repair --step 2 --finding path_missing
  plantocode plan repair --step 2 --finding path_missing:3 --seen 4
  plantocode plan repair --all")]
pub struct Repair {
    #[command(flatten)]
    seen: Seen,
    /// The step, by number.
    #[arg(long, value_name = "N", requires = "finding")]
    step: Option<u32>,
    /// The finding of that step, as the list names it.
    #[arg(long, value_name = "FINDING", requires = "step")]
    finding: Option<WhichFinding>,
    /// All of them.
    #[arg(long, conflicts_with = "step")]
    all: bool,
}

/// Take up an earlier version of a plan again, as a new one.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan show --versions
  plantocode plan revert --to 1")]
pub struct Revert {
    #[command(flatten)]
    seen: Seen,
    /// The version.
    #[arg(long, value_name = "N")]
    to: u32,
}

pub(super) fn plans(host: &Host) -> PlansClient {
    PlansClient(host.client.clone())
}

/// The step of a number.
pub(super) fn step(plan: &Plan, number: u32) -> anyhow::Result<&Step> {
    let found = plan.steps.iter().find(|step| step.number == number);
    found.with_context(|| {
        format!("the plan has {} steps, and none with the number {number}", plan.steps.len())
    })
}

impl Accept {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Accepted, self.despite_errors).await
    }
}

impl Reject {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Rejected, false).await
    }
}

impl Reopen {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Open, false).await
    }
}

impl Steps {
    async fn decide(
        &self,
        host: &Host,
        decision: Decision,
        override_errors: bool,
    ) -> anyhow::Result<ExitCode> {
        let plan = self.seen.plan(host).await?;
        let ids = self.these.steps.iter().map(|number| Ok(step(&plan, *number)?.id.clone()));
        let steps = ids.collect::<anyhow::Result<Vec<_>>>()?;
        let decide = DecideSteps { plan: plan.id, version: plan.version, steps, decision, override_errors };
        let decided = plans(host).decide(&decide).await?;
        print::decisions(&decided)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Comment {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = self.seen.plan(host).await?;
        let said = step(&plan, self.step)?.id.clone();
        let comment = CommentStep { plan: plan.id.clone(), step: said, text: self.text.clone() };
        print::step(step(&plans(host).comment(&comment).await?, self.step)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Repair {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let mut plan = self.seen.verified(host).await?;
        if let (Some(number), Some(finding)) = (self.step, &self.finding) {
            let of = step(&plan, number)?;
            let after = repaired(host, &plan, (of, finding.of(of)?)).await?;
            print::undecided(&plan, &after);
            print::version(&after);
            print::repairs(&after)?;
            return Ok(ExitCode::SUCCESS);
        }
        let before = plan.clone();
        for _ in 0..MOST_REPAIRS {
            // A repaired step is not the one that was decided about: who rejected it is not asked again by the way.
            let wanted = offered(&plan).find(|(step, _)| step.decision != Decision::Rejected);
            let Some(next) = wanted.filter(|_| self.all) else { break };
            plan = repaired(host, &plan, next).await?;
        }
        if plan.version != before.version {
            show::note(format!("{} repairs were carried out.", plan.version - before.version));
            print::undecided(&before, &plan);
            print::version(&plan);
        }
        print::repairs(&plan)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The findings for which there is a repair, each with its step and its place there.
pub(super) fn offered(plan: &Plan) -> impl Iterator<Item = (&Step, usize)> {
    let of =
        |step: &Step| (0..step.findings.len()).filter(|at| step.findings[*at].repair.is_some()).collect();
    plan.steps.iter().flat_map(move |step| {
        let places: Vec<usize> = of(step);
        places.into_iter().map(move |at| (step, at))
    })
}

async fn repaired(host: &Host, plan: &Plan, (step, index): (&Step, usize)) -> anyhow::Result<Plan> {
    let Finding { code, operation, .. } = &step.findings[index];
    let repair = RepairStep {
        plan: plan.id.clone(),
        version: plan.version,
        step: step.id.clone(),
        finding: u32::try_from(index)?,
        code: Some(code.clone()),
        operation: *operation,
    };
    Ok(plans(host).repair(&repair).await?)
}

impl Revert {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = self.seen.plan(host).await?;
        let revert = RevertPlan { plan: plan.id, version: plan.version, to: self.to };
        let reverted = plans(host).revert(&revert).await?;
        print::plan(&reverted)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What a person may change of a step.
pub(super) fn content(step: &Step) -> StepContent {
    StepContent {
        title: step.title.clone(),
        why: step.why.clone(),
        confidence: step.confidence.clone(),
        depends: step.depends.clone(),
        operations: step.operations.clone(),
        commands: step.commands.clone(),
        checks: step.checks.clone(),
    }
}

/// Says which accepted steps are kept back all the same.
pub(super) fn kept_back(plan: &Plan) {
    let kept = plan.steps.iter().filter(|step| step.decision == Decision::Accepted && !step.overridden);
    let kept = kept.filter(|step| step.findings.iter().any(|f| f.severity == api::plans::Severity::Error));
    let numbers: Vec<String> = kept.map(|step| step.number.to_string()).collect();
    if !numbers.is_empty() {
        show::tell(styled(
            WARN,
            format!(
                "The check finds errors in what was accepted (step {}), so it is not handed over. Repair it (`plantocode plan \
                 repair`) and accept it again, or accept it with --despite-errors.",
                numbers.join(", ")
            ),
        ));
    }
}
