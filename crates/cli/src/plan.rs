//! `plantocode plan`: task, files, approval, plan.

pub mod approve;
pub mod stream;

use crate::exit::{self, Ended};
use crate::show::{self, QUIET, STRONG, styled};
use crate::signals::Signals;
use crate::task::Task;
use anyhow::Context;
use api::approvals::{ApprovalState, ApprovalsClient, GetApproval};
use api::discovery::{Deepen, DiscoveryClient, FindEvent, FindFiles, IncludeFiles, Ranking};
use api::events::{EventsClient, WatchEvents};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{ExportPlan, Plan, PlanFormat, PlanState, PlansClient, StartPlan, Usage};
use api::projects::{GrantProject, ProjectsClient};
use api::review::DraftPlan;
use api::sessions::{CreateSession, GetSession, Session, SessionsClient};
use api::{ApprovalId, JobId, SessionId};
pub use approve::Terms;
use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use host::Host;
use rpc::Client;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many files are ranked; of these the best are ticked.
const RANKED: u32 = 50;

/// Plan a change: find its files, show what would be sent, and on approval make a plan of checked steps.
///
/// The folder named by --project is granted. Without a model, a key or a server the files are found all the same, and what
/// comes out is a draft that says that no model wrote it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan \"Retry requests that time out\" --project ~/src/client
  plantocode plan --task-file issue.md --model openai/gpt-5.1 --format json --output plan.json
  plantocode plan \"Rename the cache\" --yes-up-to 0.25 > plan.md
  plantocode plan \"Sign the exports\" --deepen --yes-up-to 0.50
  plantocode plan --session 0199c0de-0000-7000-8000-000000000000")]
pub struct Arguments {
    #[command(flatten)]
    task: Task,
    /// The model, as `plantocode models list` names it; the first of them if left out.
    #[arg(long)]
    model: Option<String>,
    /// Plan the task of this session, with the findings that are attached to it, instead of making a new one. The
    /// beginning of its id is enough.
    #[arg(long, value_name = "ID", conflicts_with_all = ["task", "task_file"])]
    session: Option<String>,
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
    #[arg(long, value_name = "USD", value_parser = approve::dollars)]
    yes_up_to: Option<f64>,
    /// Let a model judge the files first, and look for ones that were missed. Each request is approved by itself.
    #[arg(long)]
    deepen: bool,
    /// The form of the finished plan.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// Write the finished plan here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Arguments {
    fn terms(&self) -> Terms {
        Terms { redact: self.redact, yes_up_to: self.yes_up_to, web: false, leave: false }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Md,
    Xml,
    Json,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let task = if arguments.session.is_some() { String::new() } else { arguments.task.read()? };
    let host = Host::open("cli").await?;
    let outcome = plan(&host, &arguments, task).await;
    crate::signals::close(host).await;
    outcome
}

async fn plan(host: &Host, arguments: &Arguments, task: String) -> anyhow::Result<ExitCode> {
    let session = begin(host, arguments, task).await?;
    choose_files(host, &session.id, &arguments.include, &arguments.exclude).await?;
    let job = match start(host, arguments, &session).await {
        Err(error) if arguments.model.is_none() && is_no_model(&error) => {
            show::note(format!("{error}\nWhat follows is a draft that no model wrote. Nothing was sent."));
            let draft = DraftPlan { session: session.id.clone() };
            let plan = PlansClient(host.client.clone()).draft(&draft).await?;
            return finish(host, arguments, plan, true).await;
        }
        started => started?,
    };
    let followed = async {
        let agreed = or_cancel(&host.client, &job.id, until_approved(host, arguments, &job.id).await).await?;
        let plan = stream::follow(host, &agreed.job).await?;
        anyhow::Ok((plan, agreed.priced))
    };
    let (plan, priced) =
        interruptible(host, &job, "what had arrived is kept in the session", followed).await?;
    finish(host, arguments, plan, priced).await
}

/// Waits for something of a job. A signal to end cancels the job; `kept` says what is so then.
pub async fn interruptible<T>(
    host: &Host,
    job: &Job,
    kept: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut signals = Signals::listen();
    tokio::select! {
        done = work => return done,
        () = signals.next() => {}
    }
    let canceled = tokio::select! {
        canceled = cancel(&host.client, &job.id) => canceled,
        // Whoever asks twice does not want to wait for an answer.
        () = signals.next() => {
            let message = "stopped here; `plantocode jobs list` shows whether the job itself has ended";
            return Err(Ended::error(exit::INTERRUPTED, message));
        }
    };
    let message = match canceled {
        // What has ended stays as it is.
        Ok(job) if job.state == JobState::Completed => {
            "stopped, after it was done: the session has what came of it".into()
        }
        Ok(_) => format!("stopped; {kept}"),
        Err(error) => format!("stopped here; the job itself could not be canceled: {error}"),
    };
    Err(Ended::error(exit::INTERRUPTED, message))
}

async fn cancel(client: &Client, id: &JobId) -> Result<Job, rpc::ApiError> {
    JobsClient(client.clone()).cancel(&GetJob { job: id.clone() }).await
}

/// Why a job has ended without what it was for. One that was refused, be it elsewhere, has not failed.
pub async fn why_ended(host: &Host, job: &Job) -> anyhow::Error {
    match is_refused(host, job).await {
        Ok(true) => Ended::error(exit::NOT_APPROVED, "it was refused elsewhere, so it was not sent"),
        // What the job says of its end is more than that its request cannot be read.
        Ok(false) | Err(_) => anyhow::anyhow!("{}", job.note),
    }
}

/// Whether a job has ended because somebody refused what it asked.
async fn is_refused(host: &Host, job: &Job) -> anyhow::Result<bool> {
    let asked = job.approval.clone().filter(|_| job.state == JobState::Canceled);
    let Some(approval) = asked else { return Ok(false) };
    let manifest = ApprovalsClient(host.client.clone()).get(&GetApproval { approval }).await?;
    Ok(manifest.state == ApprovalState::Refused)
}

/// Lets a model judge the files if that is wanted, and starts the plan.
async fn start(host: &Host, arguments: &Arguments, session: &Session) -> anyhow::Result<Job> {
    if arguments.deepen {
        deepen(host, arguments, session).await?;
    }
    let start = StartPlan { session: session.id.clone(), model: arguments.model.clone() };
    Ok(PlansClient(host.client.clone()).start(&start).await?)
}

/// Whether there is no model at all that could be asked.
fn is_no_model(error: &anyhow::Error) -> bool {
    error.downcast_ref::<rpc::ApiError>().is_some_and(|e| e.reason == "no_model")
}

async fn begin(host: &Host, arguments: &Arguments, task: String) -> anyhow::Result<Session> {
    if let Some(id) = &arguments.session {
        return crate::session::find(&SessionsClient(host.client.clone()), id).await;
    }
    let folder = arguments.task.project.canonicalize();
    let folder =
        folder.with_context(|| format!("cannot open the project {}", arguments.task.project.display()))?;
    let path = folder.to_str().context("the project's path is not valid Unicode")?.to_owned();
    let project = ProjectsClient(host.client.clone()).grant(&GrantProject { path }).await?;
    Ok(SessionsClient(host.client.clone()).create(&CreateSession { project: project.id, task }).await?)
}

/// Finds the files of a session's task, with the named ones ticked or not whatever is found, and says how many there are.
pub async fn choose_files(
    host: &Host,
    session: &SessionId,
    include: &[String],
    exclude: &[String],
) -> anyhow::Result<()> {
    let discovery = DiscoveryClient(host.client.clone());
    let mut events = discovery.find(&FindFiles { session: session.clone(), limit: RANKED }).await?;
    let mut ranking = None;
    while let Some(event) = events.next().await {
        if let FindEvent::Found { ranking: found } = event? {
            ranking = Some(found);
        }
    }
    for (paths, included) in [(include, true), (exclude, false)] {
        if !paths.is_empty() {
            let change = IncludeFiles { session: session.clone(), paths: paths.to_vec(), included };
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
        show::note("No file was chosen; the model gets the content of none. Use --include PATH.");
    }
    Ok(())
}

/// A job that may send.
struct Agreed {
    job: Job,
    /// Whether the manifest knew the model's price.
    priced: bool,
}

/// Passes on how the way to the approval ended. When it broke, nobody would ever answer: the job is canceled.
pub async fn or_cancel<T>(client: &Client, id: &JobId, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    let Err(error) = outcome else { return outcome };
    // One that was refused, or has failed, has ended already and stays as it is.
    if let Err(e) = cancel(client, id).await {
        show::note(format!(
            "The job could not be canceled and may still wait for an approval: {e} `plantocode serve` shows it."
        ));
    }
    Err(error)
}

/// Lets a model judge and complete the ranking, stage by stage. A stage that fails leaves the ranking as it is, and the plan
/// goes on with it; one that is refused ends the command.
async fn deepen(host: &Host, arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let request = Deepen { session: session.id.clone(), stages: Vec::new(), model: arguments.model.clone() };
    let discovery = DiscoveryClient(host.client.clone());
    let job = discovery.deepen(&request).await?;
    let stages = async {
        let mut last = None;
        loop {
            let job = settled(host, &job.id, last.as_ref()).await?;
            if job.state != JobState::WaitingApproval {
                return anyhow::Ok(job);
            }
            or_cancel(&host.client, &job.id, approve::ask(host, &arguments.terms(), &job).await).await?;
            last = JobsClient(host.client.clone()).get(&GetJob { job: job.id.clone() }).await?.approval;
        }
    };
    let ended = interruptible(host, &job, "what a stage had changed of the files stays", stages).await?;
    if is_refused(host, &ended).await.unwrap_or(false) {
        return Err(why_ended(host, &ended).await);
    }
    if ended.state != JobState::Completed {
        show::note(format!("No more was changed of the files: {}", ended.note));
        return Ok(());
    }
    let ranking = discovery.files(&GetSession { session: session.id.clone() }).await?;
    let chosen = ranking.sources.iter().chain(&ranking.tests).filter(|file| file.included).count();
    show::note(format!("{chosen} files chosen after the model has judged them"));
    Ok(())
}

/// Waits until the job asks something other than `answered`, or has ended. What else it waits for is said once.
pub async fn settled(host: &Host, id: &JobId, answered: Option<&ApprovalId>) -> anyhow::Result<Job> {
    let jobs = JobsClient(host.client.clone());
    let mut changes = EventsClient(host.client.clone()).watch(&WatchEvents::default()).await?;
    let mut said = String::new();
    loop {
        let job = jobs.get(&GetJob { job: id.clone() }).await?;
        match job.state {
            JobState::WaitingApproval if job.approval.as_ref() != answered => return Ok(job),
            JobState::Completed | JobState::Failed | JobState::Canceled => return Ok(job),
            JobState::WaitingNetwork | JobState::Paused if said != job.note => {
                show::note(format!("{} Ctrl-C stops.", job.note));
                said = job.note;
            }
            _ => {}
        }
        if changes.next().await.transpose()?.is_none() {
            anyhow::bail!("the engine ended; the session and what was made in it are kept");
        }
    }
}

/// Follows the job until it is approved, here or elsewhere.
async fn until_approved(host: &Host, arguments: &Arguments, id: &JobId) -> anyhow::Result<Agreed> {
    let job = settled(host, id, None).await?;
    match job.state {
        JobState::WaitingApproval => {
            let approved = approve::ask(host, &arguments.terms(), &job).await?;
            Ok(Agreed { job, priced: approved.cost_estimate.is_some() })
        }
        // Somebody else was faster, for instance in the browser.
        JobState::Completed => {
            let manifest = GetApproval { approval: approval_of(&job)? };
            let approved = ApprovalsClient(host.client.clone()).get(&manifest).await?;
            Ok(Agreed { job, priced: approved.cost_estimate.is_some() })
        }
        _ => Err(why_ended(host, &job).await),
    }
}

async fn finish(host: &Host, arguments: &Arguments, plan: Plan, priced: bool) -> anyhow::Result<ExitCode> {
    let format = match arguments.format {
        Format::Md => PlanFormat::Markdown,
        Format::Xml => PlanFormat::Xml,
        Format::Json => PlanFormat::Json,
    };
    let export = ExportPlan::whole(plan.id.clone(), format);
    let text = PlansClient(host.client.clone()).export(&export).await?.text;
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, &text).with_context(|| {
                format!("cannot write {}; the plan is kept in the session", path.display())
            })?;
            show::note(format!("Written to {}.", path.display()));
        }
        None => {
            let mut out = std::io::stdout();
            let text = show::document(&text, out.is_terminal());
            show::write_out(&mut out, text.as_bytes())
                .context("cannot write the plan to standard output; it is kept in the session")?;
        }
    }
    summary(&plan, priced);
    whole(plan)
}

/// The end of a command that made a plan: a plan that is not whole is no success.
pub fn whole(plan: Plan) -> anyhow::Result<ExitCode> {
    if plan.state == PlanState::Complete {
        return Ok(ExitCode::SUCCESS);
    }
    let trouble = plan.trouble.unwrap_or_else(|| "The answer ended too early.".to_owned());
    let message = format!("the plan is not complete, and what arrived is kept: {trouble}");
    Err(Ended::error(exit::CUT, message))
}

fn summary(plan: &Plan, priced: bool) {
    let findings = match (plan.errors, plan.warnings) {
        (0, 0) => "no findings".to_owned(),
        (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    let mut text = format!("{}, {findings}", plural(plan.step_count, "step"));
    if let Some(usage) = &plan.usage {
        let tokens = format!(
            "{} tokens in, {} out",
            show::count(usage.input_tokens),
            show::count(usage.output_tokens)
        );
        text.push_str(&format!(" · {tokens} · {}", cost(usage, priced)));
    }
    if let Some(served) = &plan.served {
        text.push_str(&format!(" · {}/{}", served.provider, served.model));
    }
    let title = if plan.title.is_empty() { "Plan without a title" } else { &plan.title };
    show::tell(format_args!("\n{}\n{}", styled(STRONG, title), styled(QUIET, text)));
}

/// What it cost, in words. Without a known price a cost of 0 only means that nobody counted.
fn cost(usage: &Usage, priced: bool) -> String {
    let about = if usage.estimated { " (estimated)" } else { "" };
    if usage.cost == 0 && !priced {
        "cost unknown".to_owned()
    } else {
        format!("{}{about}", show::money(usage.cost))
    }
}

fn plural(n: u32, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// The job's approval, which a job that waits always has.
fn approval_of(job: &Job) -> anyhow::Result<api::ApprovalId> {
    job.approval.clone().context("the job waits without saying for what")
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::jobs::{JobList, JobSteps, Jobs, ListJobs, Prioritise, RetryJob};
    use rpc::{ApiError, Caller, Link, Router};
    use std::sync::{Arc, Mutex};

    /// Notes which jobs were canceled.
    #[derive(Default)]
    struct Canceled(Mutex<Vec<JobId>>);

    /// Methods that nobody calls here.
    macro_rules! uncalled {
        ($($name:ident($request:ty) -> $result:ty),* $(,)?) => { $(
            async fn $name(&self, _: &Caller, _: $request) -> Result<$result, ApiError> {
                Err(ApiError::canceled())
            }
        )* };
    }

    impl Jobs for Canceled {
        uncalled! {
            list(ListJobs) -> JobList,
            get(GetJob) -> Job,
            pause(GetJob) -> Job,
            resume(GetJob) -> Job,
            skip(GetJob) -> Job,
            retry(RetryJob) -> Job,
            prioritise(Prioritise) -> Job,
            steps(GetJob) -> JobSteps,
        }
        async fn cancel(&self, _: &Caller, job: GetJob) -> Result<Job, ApiError> {
            self.0.lock().unwrap().push(job.job);
            Err(ApiError::canceled())
        }
    }

    #[tokio::test]
    async fn a_job_whose_approval_broke_does_not_wait_for_ever() {
        let jobs = Arc::new(Canceled::default());
        let mut router = Router::new();
        JobsClient::mount(&mut router, Arc::clone(&jobs));
        let (here, there) = Link::pair();
        tokio::spawn(rpc::serve(Arc::new(router), Caller::owner("test"), there));
        let (client, read) = rpc::connect(here);
        tokio::spawn(read);
        let id = JobId::from("j1".to_owned());
        assert_eq!(or_cancel(&client, &id, Ok(7)).await.unwrap(), 7);
        assert!(jobs.0.lock().unwrap().is_empty());
        let conflict = ApiError::new(rpc::ErrorCode::Conflict, "approval_mismatch", "It has changed.");
        let error = or_cancel::<()>(&client, &id, Err(conflict.into())).await.unwrap_err();
        assert_eq!(error.to_string(), "It has changed.");
        assert_eq!(*jobs.0.lock().unwrap(), [id]);
    }

    #[test]
    fn a_price_that_nobody_knows_is_not_nothing() {
        let free = Usage::default();
        let paid = Usage { cost: 70_000, estimated: true, ..free };
        assert_eq!(cost(&free, false), "cost unknown");
        assert_eq!(cost(&free, true), "$0");
        assert_eq!(cost(&paid, false), "$0.07 (estimated)");
    }
}
