//! `plantocode plan`: task, files, approval, plan.

mod approve;
mod stream;

use crate::discover::read_task;
use crate::exit::{self, Ended};
use crate::host::Host;
use crate::show::{self, QUIET, STRONG, styled};
use anyhow::Context;
use api::discovery::{DiscoveryClient, FindEvent, FindFiles, IncludeFiles, Ranking};
use api::events::EventsClient;
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{ExportPlan, Plan, PlanFormat, PlanState, PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::sessions::{CreateSession, Session, SessionsClient};
use api::{Empty, JobId};
use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many files are ranked; of these the best are ticked.
const RANKED: u32 = 50;

/// Plan a change: find its files, show what would be sent, and on approval make a plan of checked steps.
///
/// Without a model, a key or a server, `plantocode discover` still finds the files.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan \"Retry requests that time out\" --project ~/src/client
  plantocode plan --task-file issue.md --model openai/gpt-5.1 --format json --output plan.json
  plantocode plan \"Rename the cache\" --yes-up-to 0.25 > plan.md")]
pub struct Arguments {
    /// The task in words; `-` reads it from standard input.
    #[arg(value_name = "TASK")]
    task: Vec<String>,
    /// Read the task from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    task_file: Option<PathBuf>,
    /// The project's folder. Naming it here grants it.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The model, as `plantocode models list` names it; the first of them if left out.
    #[arg(long)]
    model: Option<String>,
    /// Send this file too, whether it was found or not.
    #[arg(long, value_name = "PATH")]
    include: Vec<String>,
    /// Do not send this file.
    #[arg(long, value_name = "PATH")]
    exclude: Vec<String>,
    /// Replace secrets that are found, instead of stopping.
    #[arg(long)]
    redact: bool,
    /// Approve without asking if it cannot cost more than this many dollars.
    #[arg(long, value_name = "USD")]
    yes_up_to: Option<f64>,
    /// The form of the finished plan.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// Write the finished plan here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Md,
    Xml,
    Json,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let task = read_task(&arguments.task, arguments.task_file.as_ref())?;
    let host = Host::open().await?;
    let outcome = plan(&host, &arguments, task).await;
    host.close().await;
    outcome
}

async fn plan(host: &Host, arguments: &Arguments, task: String) -> anyhow::Result<ExitCode> {
    let session = begin(host, arguments, task).await?;
    choose_files(host, arguments, &session).await?;
    let start = StartPlan { session: session.id.clone(), model: arguments.model.clone() };
    let plans = PlansClient(host.client.clone());
    let job = plans.start(&start).await?;
    let stopped = async {
        // Without a signal handler the wait is simply not interrupted.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let plan = tokio::select! {
        plan = follow(host, arguments, &job.id) => plan?,
        () = stopped => {
            JobsClient(host.client.clone()).cancel(&GetJob { job: job.id.clone() }).await?;
            return Err(Ended::error(130, "stopped; what had arrived is kept in the session"));
        }
    };
    finish(host, arguments, plan).await
}

async fn begin(host: &Host, arguments: &Arguments, task: String) -> anyhow::Result<Session> {
    let folder = arguments.project.canonicalize();
    let folder =
        folder.with_context(|| format!("cannot open the project {}", arguments.project.display()))?;
    let path = folder.to_str().context("the project's path is not valid Unicode")?.to_owned();
    let project = ProjectsClient(host.client.clone()).grant(&GrantProject { path }).await?;
    Ok(SessionsClient(host.client.clone()).create(&CreateSession { project: project.id, task }).await?)
}

async fn choose_files(host: &Host, arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let discovery = DiscoveryClient(host.client.clone());
    let mut events = discovery.find(&FindFiles { session: session.id.clone(), limit: RANKED }).await?;
    let mut ranking = None;
    while let Some(event) = events.next().await {
        if let FindEvent::Found { ranking: found } = event? {
            ranking = Some(found);
        }
    }
    for (paths, included) in [(&arguments.include, true), (&arguments.exclude, false)] {
        if !paths.is_empty() {
            let change = IncludeFiles { session: session.id.clone(), paths: paths.clone(), included };
            ranking = Some(discovery.include(&change).await?);
        }
    }
    let ranking: Ranking = ranking.context("the search ended without a result")?;
    let ticked = ranking.sources.iter().chain(&ranking.tests).filter(|file| file.included).count();
    show::note(format!(
        "{ticked} of {} ranked files chosen · {} files read in {:.1} s",
        ranking.sources.len() + ranking.tests.len(),
        ranking.scanned,
        ranking.elapsed_ms as f64 / 1e3
    ));
    if ticked == 0 {
        show::note(
            "No file was chosen; the model gets the task and the list of paths only. Use --include PATH.",
        );
    }
    Ok(())
}

/// Follows the job through its approval to its plan.
async fn follow(host: &Host, arguments: &Arguments, id: &JobId) -> anyhow::Result<Plan> {
    let jobs = JobsClient(host.client.clone());
    let mut changes = EventsClient(host.client.clone()).watch(&Empty {}).await?;
    loop {
        let job = jobs.get(&GetJob { job: id.clone() }).await?;
        match job.state {
            JobState::WaitingApproval => {
                approve::ask(host, arguments, &job).await?;
                return stream::follow(host, &job).await;
            }
            JobState::Failed | JobState::Canceled => anyhow::bail!("{}", job.note),
            _ => {}
        }
        if changes.next().await.transpose()?.is_none() {
            anyhow::bail!("the engine ended; the session and its plan are kept");
        }
    }
}

async fn finish(host: &Host, arguments: &Arguments, plan: Plan) -> anyhow::Result<ExitCode> {
    let format = match arguments.format {
        Format::Md => PlanFormat::Markdown,
        Format::Xml => PlanFormat::Xml,
        Format::Json => PlanFormat::Json,
    };
    let export = ExportPlan { plan: plan.id.clone(), format };
    let text = PlansClient(host.client.clone()).export(&export).await?.text;
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, &text).with_context(|| {
                format!("cannot write {}; the plan is kept in the session", path.display())
            })?;
            show::note(format!("Written to {}.", path.display()));
        }
        None => print!("{}", show::harmless(&text)),
    }
    summary(&plan);
    match plan.state {
        PlanState::Complete => Ok(ExitCode::SUCCESS),
        _ => {
            let trouble = plan.trouble.unwrap_or_else(|| "The answer ended too early.".to_owned());
            Err(Ended::error(
                exit::CUT,
                format!("the plan is not complete, and what arrived is kept: {trouble}"),
            ))
        }
    }
}

fn summary(plan: &Plan) {
    let findings = match (plan.errors, plan.warnings) {
        (0, 0) => "no findings".to_owned(),
        (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    let mut text = format!("{}, {findings}", plural(plan.step_count, "step"));
    if let Some(usage) = &plan.usage {
        let about = if usage.estimated { " (estimated)" } else { "" };
        let tokens = format!(
            "{} tokens in, {} out",
            show::count(usage.input_tokens),
            show::count(usage.output_tokens)
        );
        text.push_str(&format!(" · {tokens} · {}{about}", show::money(usage.cost)));
    }
    if let Some(served) = &plan.served {
        text.push_str(&format!(" · {}/{}", served.provider, served.model));
    }
    let title = if plan.title.is_empty() { "Plan without a title" } else { &plan.title };
    anstream::eprintln!("\n{}\n{}", styled(STRONG, show::harmless(title)), styled(QUIET, text));
}

fn plural(n: u32, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// The job's approval, which a job that waits always has.
fn approval_of(job: &Job) -> anyhow::Result<api::ApprovalId> {
    job.approval.clone().context("the job waits without saying for what")
}
