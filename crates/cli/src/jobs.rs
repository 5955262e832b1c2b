//! `plantocode jobs`: what runs, what waits, and what ended how.

use crate::plan::{self, Terms};
use crate::show::{self, QUIET, STRONG, styled};
use api::JobId;
use api::jobs::{GetJob, Job, JobState, JobsClient, ListJobs, Prioritise, RetryJob, StepState};
use api::plans::{GetPlan, PlansClient};
use clap::{Args, Subcommand};
use host::Host;
use rpc::ApiError;
use std::process::ExitCode;

/// List jobs, or pause, resume and repeat them.
#[derive(Subcommand)]
pub enum Command {
    List(List),
    /// Show a job and its steps.
    #[command(after_help = "Examples:
  plantocode jobs show 0199c0de-0000-7000-8000-000000000000")]
    Show(One),
    /// Put a job aside: at once when it rests, after its present step when it runs.
    #[command(after_help = "Examples:
  plantocode jobs pause 0199c0de-0000-7000-8000-000000000000")]
    Pause(One),
    /// Take a paused job up again, or one that waits for the network before its time.
    #[command(after_help = "Examples:
  plantocode jobs resume 0199c0de-0000-7000-8000-000000000000")]
    Resume(One),
    /// Pass over the stage at which a job rests.
    #[command(after_help = "Examples:
  plantocode jobs skip 0199c0de-0000-7000-8000-000000000000")]
    Skip(One),
    Approve(Approve),
    Prioritise(Priority),
    Retry(Retry),
    /// Stop a job; a request that is under way is aborted.
    #[command(after_help = "Examples:
  plantocode jobs cancel 0199c0de-0000-7000-8000-000000000000")]
    Cancel(One),
}

/// List jobs, the newest first.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode jobs list
  plantocode jobs list --open
  plantocode jobs list --limit 1000")]
pub struct List {
    /// Only those that have not ended.
    #[arg(long)]
    open: bool,
    /// Only those of this session.
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 200, value_name = "N")]
    limit: usize,
}

/// A job.
#[derive(Args)]
pub struct One {
    /// Its id, as `plantocode jobs list` says it.
    #[arg(value_name = "JOB")]
    id: String,
}

/// Show what a job waits to send, ask, and follow it to its next question or its end.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode jobs approve 0199c0de-0000-7000-8000-000000000000
  plantocode jobs approve 0199c0de-0000-7000-8000-000000000000 --yes-up-to 0.10")]
pub struct Approve {
    #[command(flatten)]
    one: One,
    /// Replace secrets that are found, instead of stopping.
    #[arg(long)]
    redact: bool,
    /// Approve without asking if it cannot cost more than this many dollars.
    #[arg(long, value_name = "USD", value_parser = plan::approve::dollars)]
    yes_up_to: Option<f64>,
}

/// Change how soon a job's turn comes.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode jobs prioritise 0199c0de-0000-7000-8000-000000000000 10
  plantocode jobs prioritise 0199c0de-0000-7000-8000-000000000000 -5")]
pub struct Priority {
    #[command(flatten)]
    one: One,
    /// From -100 to 100; 0 is usual, and higher comes first.
    #[arg(value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-100..=100))]
    priority: i32,
}

/// Do a job that has ended once more. What it asked is asked again.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode jobs retry 0199c0de-0000-7000-8000-000000000000
  plantocode jobs retry 0199c0de-0000-7000-8000-000000000000 --from send")]
pub struct Retry {
    /// Its id, as `plantocode jobs list` says it.
    #[arg(value_name = "JOB")]
    id: String,
    /// The step from whose stage on; the first that did not end when absent.
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let told = tell(&host, command).await;
    crate::signals::close(host).await;
    told
}

/// Has the request of a job approved, and follows the job to its next question or its end.
async fn approved(host: &Host, approve: &Approve) -> anyhow::Result<ExitCode> {
    let id = JobId(approve.one.id.clone());
    let mut job = JobsClient(host.client.clone()).get(&GetJob { job: id.clone() }).await?;
    if [JobState::Queued, JobState::Running].contains(&job.state) {
        // It may just be preparing what it will ask.
        job = plan::settled(host, &id, None).await?;
    }
    if job.state != JobState::WaitingApproval {
        line(&job)?;
        anyhow::bail!("the job does not wait for an approval");
    }
    let terms = Terms { redact: approve.redact, yes_up_to: approve.yes_up_to, web: false, leave: true };
    let manifest = plan::approve::ask(host, &terms, &job).await?;
    let rest = plan::settled(host, &id, Some(&manifest.id));
    let next = plan::interruptible(host, &job, "what had arrived is kept", rest).await?;
    line(&next)?;
    match (next.state, next.plan.clone()) {
        (JobState::Failed | JobState::Canceled, _) => Err(plan::why_ended(host, &next).await),
        (JobState::Completed, Some(plan)) => {
            plan::whole(PlansClient(host.client.clone()).get(&GetPlan { plan }).await?)
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn tell(host: &Host, command: Command) -> anyhow::Result<ExitCode> {
    let jobs = &JobsClient(host.client.clone());
    let get = |one: One| GetJob { job: JobId(one.id) };
    let changed: Result<Job, ApiError> = match command {
        Command::List(list) => return listed(jobs, list).await,
        Command::Approve(approve) => return approved(host, &approve).await,
        Command::Prioritise(Priority { one, priority }) => {
            jobs.prioritise(&Prioritise { job: JobId(one.id), priority }).await
        }
        Command::Show(one) => {
            let get = get(one);
            line(&jobs.get(&get).await?)?;
            for step in jobs.steps(&get).await?.steps {
                let state = match step.state {
                    StepState::Ahead => "ahead",
                    StepState::Begun => "begun",
                    StepState::Done => "done",
                    StepState::Skipped => "skipped",
                };
                show::line(format_args!("  {state:<8} {}", show::harmless(&step.name)))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Pause(one) => jobs.pause(&get(one)).await,
        Command::Resume(one) => jobs.resume(&get(one)).await,
        Command::Skip(one) => jobs.skip(&get(one)).await,
        Command::Cancel(one) => jobs.cancel(&get(one)).await,
        Command::Retry(Retry { id, from }) => jobs.retry(&RetryJob { job: JobId(id), from }).await,
    };
    line(&changed?)?;
    Ok(ExitCode::SUCCESS)
}

async fn listed(jobs: &JobsClient, list: List) -> anyhow::Result<ExitCode> {
    let mut left = list.limit.max(1);
    let mut ask = ListJobs { session: list.session.map(Into::into), open: list.open, ..ListJobs::default() };
    let mut last = None;
    loop {
        let page = jobs.list(&ask).await?;
        for job in page.jobs.iter().take(left) {
            line(job)?;
        }
        left = left.saturating_sub(page.jobs.len());
        last = page.jobs.last().map(|job| job.id.clone()).or(last);
        if !page.more || left == 0 {
            if last.is_none() {
                show::note("There is no such job yet. `plantocode plan` starts one.");
            } else if page.more {
                show::note("There are older ones: `--limit N` shows more.");
            }
            return Ok(ExitCode::SUCCESS);
        }
        ask.before.clone_from(&last);
    }
}

fn line(job: &Job) -> std::io::Result<()> {
    let state = match job.state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::WaitingApproval => "waits for approval",
        JobState::WaitingNetwork => "waits for the network",
        JobState::Paused => "paused",
        JobState::Completed => "completed",
        JobState::Failed => "failed",
        JobState::Canceled => "canceled",
    };
    // Only one that is not usual is worth a word.
    let priority = match job.priority {
        0 => String::new(),
        priority => format!("priority {priority}  "),
    };
    let (workflow, note) = (show::harmless(&job.workflow), styled(QUIET, &job.note));
    show::line(format_args!("{}  {workflow:<8} {state:<22} {priority}{note}", styled(STRONG, &job.id.0)))
}
