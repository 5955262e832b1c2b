//! Shows a plan while it is written.

use crate::show::{self, BAD, GOOD, QUIET, STRONG, WARN, styled};
use anyhow::Context;
use api::events::{EventsClient, WatchEvents};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{GetPlan, OperationKind, Plan, PlanEvent, PlanState, PlansClient, Severity, Step};
use futures_util::StreamExt;
use host::Host;

/// Follows the job's plan to its end; each step is told once it is complete.
pub async fn follow(host: &Host, job: &Job) -> anyhow::Result<Plan> {
    let id = job.plan.clone().context("the job makes no plan")?;
    let plans = PlansClient(host.client.clone());
    wait_for_plan(host, job).await?;
    let mut events = plans.watch(&GetPlan { plan: id.clone() }).await?;
    let mut told = 0;
    while let Some(event) = events.next().await {
        let (steps, ended) = match event? {
            PlanEvent::Plan { plan } => {
                let ended = plan.state != PlanState::Streaming;
                (plan.steps, ended)
            }
            PlanEvent::Step { step } => (vec![step], false),
            PlanEvent::Progress { .. } => continue,
        };
        for step in steps.iter().filter(|step| step.complete) {
            if step.number > told {
                told = step.number;
                tell(step);
            }
        }
        if ended {
            break;
        }
    }
    Ok(plans.get(&GetPlan { plan: id }).await?)
}

/// Waits until the plan has begun, or its job has ended without one.
async fn wait_for_plan(host: &Host, job: &Job) -> anyhow::Result<()> {
    let id = job.plan.clone().context("the job makes no plan")?;
    let plans = PlansClient(host.client.clone());
    let jobs = JobsClient(host.client.clone());
    let mut changes = EventsClient(host.client.clone()).watch(&WatchEvents::default()).await?;
    let mut said = String::new();
    loop {
        let now = jobs.get(&GetJob { job: job.id.clone() }).await?;
        let begun = plans.get(&GetPlan { plan: id.clone() }).await;
        match (now.state, begun) {
            (_, Err(e)) if e.reason != "no_plan" => return Err(e.into()),
            (JobState::Failed | JobState::Canceled, plan)
                if plan.as_ref().map_or(true, |p| p.step_count == 0) =>
            {
                return Err(super::why_ended(host, &now).await);
            }
            (_, Ok(_)) => return Ok(()),
            (JobState::WaitingNetwork | JobState::Paused, _) if said != now.note => {
                show::note(format!("{} Ctrl-C stops.", now.note));
                said = now.note;
            }
            _ => {}
        }
        if changes.next().await.transpose()?.is_none() {
            anyhow::bail!("the engine ended; the session is kept");
        }
    }
}

fn tell(step: &Step) {
    show::tell(format_args!("{:>3}. {}", step.number, styled(STRONG, &step.title)));
    for operation in &step.operations {
        let (style, word) = match operation.kind {
            OperationKind::Create => (GOOD, "create"),
            OperationKind::Modify => (WARN, "modify"),
            OperationKind::Delete => (BAD, "delete"),
            OperationKind::Move => (WARN, "move"),
        };
        let to = operation.to.as_ref().map_or(String::new(), |to| format!(" → {}", show::harmless(to)));
        let path = show::harmless(&operation.path);
        show::tell(format_args!("     {} {path}{to}", styled(style, word)));
    }
    for finding in &step.findings {
        let (style, word) = match finding.severity {
            Severity::Error => (BAD, "error"),
            Severity::Warning => (WARN, "warning"),
            Severity::Info => (QUIET, "note"),
        };
        show::tell(format_args!("     {} {}", styled(style, word), show::harmless(&finding.message)));
    }
}
