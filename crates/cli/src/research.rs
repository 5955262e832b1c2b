//! `plantocode research`: questions that a model answers with what it finds on the web.

mod print;

use crate::exit::{self, Ended};
use crate::plan::{self, Terms};
use crate::show;
use anyhow::Context;
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::projects::ProjectsClient;
use api::research::{
    AttachWebFinding, GetWebFinding, ResearchClient, StartResearch, WebFinding, WebFindingState,
};
use api::sessions::{CreateSession, GetSession, ListSessions, Session, SessionsClient};
use api::{Empty, SessionId};
use clap::{Args, Subcommand, ValueEnum};
use host::Host;
use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Look questions up on the web, or look at what was found.
///
/// Each question is asked by itself, with nothing of the project, and only after its approval. Without questions a model
/// proposes them for the task. What was found is kept with its sources; `plantocode research attach` lets the next plan of
/// the session use it.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  plantocode research \"What does tokio 1.50 change for timeouts?\" \"Is it safe to retry a POST?\" --yes-up-to 1
  plantocode research --task \"Retry requests that time out\" --project ~/src/client --attach
  plantocode research \"What is new in Python 3.15?\" --model anthropic/claude-sonnet-4-5 --domain docs.python.org --format json
  plantocode research list"
)]
pub struct ResearchCommand {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    new: New,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Show(One),
    Attach(Several),
    Detach(Several),
}

/// What is asked.
#[derive(Args)]
struct New {
    /// A question; several are asked side by side, twelve at most.
    #[arg(value_name = "QUESTION")]
    questions: Vec<String>,
    /// The task for which a model proposes the questions, if there are none; a new session is made for it.
    #[arg(long, value_name = "TASK", conflicts_with = "session")]
    task: Option<String>,
    /// Ask in this session, instead of a new one. The beginning of its id is enough.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The model; the first that can search the web if left out.
    #[arg(long)]
    model: Option<String>,
    /// The most searches for one question.
    #[arg(long, value_name = "N")]
    searches: Option<u32>,
    /// Search this host only; may be given up to five times.
    #[arg(long = "domain", value_name = "HOST")]
    domains: Vec<String>,
    /// Approve without asking what cannot cost more than this many dollars in all.
    #[arg(long, value_name = "USD", value_parser = plan::approve::dollars)]
    yes_up_to: Option<f64>,
    /// Attach what was found, for the next plan of the session.
    #[arg(long)]
    attach: bool,
    /// The form of the findings.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Md,
    Json,
}

/// List what was asked and found.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode research list --project ~/src/client")]
struct List {
    /// Only this session.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
}

/// Show one finding with its sources.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode research show 0199c0de-0000-7000-8000-000000000000")]
struct One {
    /// Its id, or the beginning of it.
    #[arg(value_name = "FINDING")]
    id: String,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
}

/// Attach findings, or take them off: the next plan of their session is made with those that are attached.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode research attach 0199c0de-0000-7000-8000-000000000000
  plantocode research detach 0199c0de-0000-7000-8000-000000000000")]
struct Several {
    /// Their ids, or the beginnings of them.
    #[arg(value_name = "FINDING", required = true)]
    ids: Vec<String>,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
}

pub async fn run(arguments: ResearchCommand) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let outcome = match &arguments.command {
        None => research(&host, &arguments.new).await,
        Some(Command::List(list)) => listed(&host, list).await,
        Some(Command::Show(one)) => shown(&host, one).await,
        Some(Command::Attach(several)) => attached(&host, several, true).await,
        Some(Command::Detach(several)) => attached(&host, several, false).await,
    };
    crate::signals::close(host).await;
    outcome
}

fn client(host: &Host) -> ResearchClient {
    ResearchClient(host.client.clone())
}

async fn research(host: &Host, new: &New) -> anyhow::Result<ExitCode> {
    let session = session(host, new).await?;
    let known: HashSet<String> = findings(host, &session.id).await?.into_iter().map(|f| f.id.0).collect();
    let stopped = async {
        // Without a signal handler the wait is simply not interrupted.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let agreed = tokio::select! {
        answered = answers(host, new, &session.id, &known) => answered?,
        () = stopped => {
            stop(host, &session.id, &known).await?;
            return Err(Ended::error(exit::INTERRUPTED, "stopped; what had arrived is kept in the session"));
        }
    };
    let mut found = of_this(host, &session.id, &known).await?;
    if new.attach {
        for finding in found.iter_mut().filter(|f| is_answer(f)) {
            let attach = AttachWebFinding { finding: finding.id.clone(), attached: true };
            *finding = client(host).attach(&attach).await?;
        }
    }
    print::findings(&found, new.format)?;
    print::summary(&session.id, &found, new.attach);
    let missing = found.iter().filter(|finding| finding.state != WebFindingState::Answered).count();
    match agreed {
        Agreed::No(error) => Err(error),
        Agreed::Yes if missing == 0 => Ok(ExitCode::SUCCESS),
        Agreed::Yes => {
            let message =
                format!("{missing} of {} questions have no whole answer; the findings say why", found.len());
            Err(Ended::error(exit::CUT, message))
        }
    }
}

fn is_answer(finding: &WebFinding) -> bool {
    matches!(finding.state, WebFindingState::Answered | WebFindingState::Cut)
}

/// The session that is asked in.
async fn session(host: &Host, new: &New) -> anyhow::Result<Session> {
    let sessions = SessionsClient(host.client.clone());
    if let Some(id) = &new.session {
        return crate::session::find(&sessions, id).await;
    }
    let task = match (&new.task, new.questions.as_slice()) {
        (Some(task), _) => task.clone(),
        (None, []) => anyhow::bail!(
            "there is nothing to look up. Give a question, or --task \"…\" to have questions proposed, or --session ID"
        ),
        (None, questions) => questions.join("\n"),
    };
    let project = crate::task::project(host, &new.project).await?;
    Ok(sessions.create(&CreateSession { project, task }).await?)
}

async fn findings(host: &Host, session: &SessionId) -> anyhow::Result<Vec<WebFinding>> {
    Ok(client(host).list(&GetSession { session: session.clone() }).await?.findings)
}

/// Those that were asked now.
async fn of_this(
    host: &Host,
    session: &SessionId,
    known: &HashSet<String>,
) -> anyhow::Result<Vec<WebFinding>> {
    let mut all = findings(host, session).await?;
    all.retain(|finding| !known.contains(&finding.id.0));
    Ok(all)
}

/// Whether everything was approved that had to be.
enum Agreed {
    Yes,
    /// Something was not; why, with its code.
    No(anyhow::Error),
}

/// Asks, has everything approved, and waits for the answers.
async fn answers(
    host: &Host,
    new: &New,
    session: &SessionId,
    known: &HashSet<String>,
) -> anyhow::Result<Agreed> {
    let mut terms = Terms { redact: false, yes_up_to: new.yes_up_to, web: true, leave: false };
    let start = StartResearch {
        session: session.clone(),
        questions: new.questions.clone(),
        model: new.model.clone(),
        searches: new.searches,
        domains: new.domains.clone(),
    };
    let started = client(host).start(&start).await?;
    if let Some(proposal) = &started.proposal {
        let job = plan::settled(host, &proposal.id, None).await?;
        let job = match job.state {
            JobState::WaitingApproval => {
                let asked = plan::or_cancel(&host.client, &job.id, ask(host, &mut terms, &job).await).await?;
                plan::settled(host, &job.id, Some(&asked)).await?
            }
            _ => job,
        };
        if job.state != JobState::Completed {
            return Err(plan::why_ended(host, &job).await);
        }
    }
    let asked = of_this(host, session, known).await?;
    if asked.is_empty() {
        show::note("The model sees nothing that would have to be looked up.");
    }
    let mut agreed = Agreed::Yes;
    let mut sent = Vec::new();
    for finding in &asked {
        let job = plan::settled(host, &finding.job, None).await?;
        if job.state != JobState::WaitingApproval {
            continue;
        }
        match ask(host, &mut terms, &job).await {
            Ok(approval) => sent.push((job, approval)),
            Err(error) => {
                let goes_on = error.downcast_ref::<Ended>().is_some_and(|e| e.code == exit::NOT_APPROVED)
                    && new.yes_up_to.is_none()
                    && std::io::stdin().is_terminal();
                agreed = Agreed::No(error);
                if !goes_on {
                    // Nobody would answer the rest either; what was approved before goes on.
                    let open =
                        asked.iter().filter(|f| sent.iter().all(|(job, _): &(Job, _)| job.id != f.job));
                    for finding in open {
                        JobsClient(host.client.clone()).cancel(&GetJob { job: finding.job.clone() }).await?;
                    }
                    break;
                }
            }
        }
    }
    if !sent.is_empty() {
        show::note(format!("{} questions are looked up. Ctrl-C stops.", sent.len()));
    }
    for (job, approval) in &sent {
        plan::settled(host, &job.id, Some(approval)).await?;
    }
    Ok(agreed)
}

/// Has a request approved, and takes what it may cost off what may be spent without asking.
async fn ask(host: &Host, terms: &mut Terms, job: &Job) -> anyhow::Result<api::ApprovalId> {
    let manifest = plan::approve::ask(host, terms, job).await?;
    if let Some(left) = &mut terms.yes_up_to {
        *left -= manifest.cost_ceiling as f64 / 1e6;
    }
    Ok(manifest.id)
}

/// Stops what is under way.
async fn stop(host: &Host, session: &SessionId, known: &HashSet<String>) -> anyhow::Result<()> {
    let jobs = JobsClient(host.client.clone());
    for finding in of_this(host, session, known).await? {
        if finding.state == WebFindingState::Asked {
            jobs.cancel(&GetJob { job: finding.job }).await?;
        }
    }
    Ok(())
}

/// The findings of a project, those of the newest session first.
async fn of_project(host: &Host, folder: &Path) -> anyhow::Result<Vec<WebFinding>> {
    let path =
        folder.canonicalize().with_context(|| format!("cannot open the project {}", folder.display()))?;
    let projects = ProjectsClient(host.client.clone()).list(&Empty {}).await?.projects;
    // To look is not to grant.
    let Some(project) = projects.into_iter().find(|p| Path::new(&p.path) == path) else {
        return Ok(Vec::new());
    };
    let sessions = SessionsClient(host.client.clone());
    let mut page = ListSessions { project: Some(project.id), ..ListSessions::default() };
    let mut all = Vec::new();
    loop {
        let list = sessions.list(&page).await?;
        for session in list.sessions {
            all.extend(findings(host, &session.id).await?);
        }
        match list.next {
            Some(next) => page.after = Some(next),
            None => return Ok(all),
        }
    }
}

async fn listed(host: &Host, list: &List) -> anyhow::Result<ExitCode> {
    let found = match &list.session {
        Some(session) => findings(host, &SessionId(session.clone())).await?,
        None => of_project(host, &list.project).await?,
    };
    if found.is_empty() {
        show::note("Nothing was looked up here yet. `plantocode research \"QUESTION\"` does.");
    }
    match list.format {
        Format::Json => print::findings(&found, Format::Json)?,
        Format::Md => found.iter().try_for_each(print::line)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The finding with this id, or the only one whose id begins so.
async fn finding(host: &Host, folder: &Path, id: &str) -> anyhow::Result<WebFinding> {
    if let Ok(finding) = client(host).get(&GetWebFinding { finding: id.into() }).await {
        return Ok(finding);
    }
    let all = of_project(host, folder).await?;
    let mut fitting = all.into_iter().filter(|finding| finding.id.0.starts_with(id));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => anyhow::bail!("nothing that was found here has an id that begins with {id}"),
        (Some(_), Some(_)) => {
            anyhow::bail!("several findings have an id that begins with {id}; say more of it")
        }
    }
}

async fn shown(host: &Host, one: &One) -> anyhow::Result<ExitCode> {
    let found = finding(host, &one.project, &one.id).await?;
    print::findings(&[found], one.format)?;
    Ok(ExitCode::SUCCESS)
}

async fn attached(host: &Host, several: &Several, attached: bool) -> anyhow::Result<ExitCode> {
    for id in &several.ids {
        let found = finding(host, &several.project, id).await?;
        let changed = client(host).attach(&AttachWebFinding { finding: found.id, attached }).await?;
        print::line(&changed)?;
    }
    Ok(ExitCode::SUCCESS)
}
