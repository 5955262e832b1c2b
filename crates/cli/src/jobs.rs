//! `plantocode jobs`: what runs, what waits, and what ended how.

use crate::show::{self, QUIET, STRONG, styled};
use api::jobs::{GetJob, Job, JobState, JobsClient, RetryJob, StepState};
use api::{Empty, JobId};
use clap::{Args, Subcommand};
use host::Host;
use rpc::ApiError;
use std::process::ExitCode;

/// List jobs, or pause, resume and repeat them.
#[derive(Subcommand)]
pub enum Command {
    /// List the newest jobs.
    #[command(after_help = "Examples:
  plantocode jobs list")]
    List,
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
    Retry(Retry),
    /// Stop a job; a request that is under way is aborted.
    #[command(after_help = "Examples:
  plantocode jobs cancel 0199c0de-0000-7000-8000-000000000000")]
    Cancel(One),
}

/// A job.
#[derive(Args)]
pub struct One {
    /// Its id, as `plantocode jobs list` says it.
    #[arg(value_name = "JOB")]
    id: String,
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
    let told = tell(&JobsClient(host.client.clone()), command).await;
    host.close().await;
    told
}

async fn tell(jobs: &JobsClient, command: Command) -> anyhow::Result<ExitCode> {
    let get = |one: One| GetJob { job: JobId(one.id) };
    let changed: Result<Job, ApiError> = match command {
        Command::List => {
            let list = jobs.list(&Empty {}).await?.jobs;
            if list.is_empty() {
                show::note("There is no job yet. `plantocode plan` starts one.");
            }
            for job in &list {
                line(job)?;
            }
            return Ok(ExitCode::SUCCESS);
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
    let (workflow, note) = (show::harmless(&job.workflow), styled(QUIET, &job.note));
    show::line(format_args!("{}  {workflow:<8} {state:<22} {note}", styled(STRONG, &job.id.0)))
}
