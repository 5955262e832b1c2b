//! `plantocode session`: tasks and what was made of them.

use crate::show::{self, QUIET, STRONG, styled};
use anyhow::Context;
use api::plans::{Plan, PlanState, PlansClient};
use api::sessions::{ExportSession, GetSession, ImportSession, ListSessions, Session, SessionsClient};
use api::tasks::{MoveTask, RestoreTask, TaskHistory, TaskOrigin, TasksClient};
use api::{ProjectId, SessionId};
use clap::{Args, Subcommand};
use host::Host;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many sessions are named where one was meant.
const NAMED: usize = 5;

/// List sessions, show one, move one to another machine.
#[derive(Subcommand)]
pub enum Command {
    List(List),
    /// Show a session: its task and its plans.
    #[command(after_help = "Examples:
  plantocode session show 0199c0de")]
    Show(One),
    /// Show in which steps the task became what it is.
    #[command(after_help = "Examples:
  plantocode session history 0199c0de")]
    History(One),
    Restore(Restore),
    /// Take the last change of the task back, whoever made it.
    #[command(after_help = "Examples:
  plantocode session undo 0199c0de")]
    Undo(One),
    /// Do again what the last undo took back.
    #[command(after_help = "Examples:
  plantocode session redo 0199c0de")]
    Redo(One),
    Export(Export),
    Import(Import),
    /// Delete a session with its plans and requests. What left the machine stays on record.
    #[command(after_help = "Examples:
  plantocode session delete 0199c0de")]
    Delete(One),
}

/// List sessions, the one changed last first.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode session list
  plantocode session list --project ~/src/client --limit 5")]
pub struct List {
    /// Only those of this folder.
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

/// A session.
#[derive(Args)]
pub struct One {
    /// Its id, or the beginning of it, as `plantocode session list` says it.
    #[arg(value_name = "SESSION")]
    id: String,
}

/// Make an older text of the task the task again. It is a new step: nothing is lost.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode session restore 0199c0de --step 3")]
pub struct Restore {
    #[command(flatten)]
    one: One,
    /// The step, as `plantocode session history` says it.
    #[arg(long, value_name = "N")]
    step: u32,
}

/// Write a session to a new folder: the task and the plans to be read, and a file from which `import` makes it again.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode session export 0199c0de
  plantocode session export 0199c0de --to ~/retry-session")]
pub struct Export {
    #[command(flatten)]
    one: One,
    /// The folder to make; named after the session when absent.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// Make a session from an exported one. Its plans are checked against the project here; nothing in them counts as decided.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode session import ~/retry-session
  plantocode session import ~/retry-session --project ~/src/client")]
pub struct Import {
    /// The folder that `export` wrote.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The project it is to work on.
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let told = tell(&host, command).await;
    host.close().await;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(host: &Host, command: Command) -> anyhow::Result<()> {
    let sessions = SessionsClient(host.client.clone());
    match command {
        Command::List(arguments) => list(host, &arguments).await,
        Command::Show(one) => show_one(host, &find(&sessions, &one.id).await?).await,
        Command::History(one) => history(host, &find(&sessions, &one.id).await?).await,
        Command::Restore(arguments) => {
            let session = find(&sessions, &arguments.one.id).await?;
            let restore = RestoreTask {
                session: session.id.clone(),
                version: session.task_version,
                step: arguments.step,
            };
            task(&TasksClient(host.client.clone()).restore(&restore).await?)
        }
        Command::Undo(one) => {
            let step = step(find(&sessions, &one.id).await?);
            task(&TasksClient(host.client.clone()).undo(&step).await?)
        }
        Command::Redo(one) => {
            let step = step(find(&sessions, &one.id).await?);
            task(&TasksClient(host.client.clone()).redo(&step).await?)
        }
        Command::Export(arguments) => {
            let session = find(&sessions, &arguments.one.id).await?;
            let folder = arguments.to.unwrap_or_else(|| format!("session-{}", short(&session.id)).into());
            let folder = whole(&folder)?;
            let made = sessions.export(&ExportSession { session: session.id, folder }).await?;
            show::line(styled(STRONG, &made.folder))?;
            Ok(made
                .files
                .iter()
                .try_for_each(|file| show::line(format_args!("  {}", show::harmless(file))))?)
        }
        Command::Import(arguments) => {
            let project = crate::task::project(host, &arguments.project).await?;
            let folder = whole(&arguments.folder)?;
            let session = sessions.import(&ImportSession { project, folder }).await?;
            head(&session)
        }
        Command::Delete(one) => {
            let session = find(&sessions, &one.id).await?;
            sessions.delete(&GetSession { session: session.id.clone() }).await?;
            show::note(format!("Deleted: {}", session.title));
            Ok(())
        }
    }
}

/// From the text that a session has now.
fn step(session: Session) -> MoveTask {
    MoveTask { session: session.id, version: session.task_version }
}

/// Writes the task that a session has now.
fn task(session: &Session) -> anyhow::Result<()> {
    Ok(show::line(show::harmless(&session.task))?)
}

fn whole(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))?;
    Ok(path.display().to_string())
}

/// Pages through all sessions, the one changed last first, until `wanted` has enough.
///
/// # Errors
/// What the engine says.
pub async fn pages(
    sessions: &SessionsClient,
    project: Option<ProjectId>,
    mut wanted: impl FnMut(Session) -> bool,
) -> anyhow::Result<()> {
    let mut ask = ListSessions { project, ..ListSessions::default() };
    loop {
        let page = sessions.list(&ask).await?;
        for session in page.sessions {
            if !wanted(session) {
                return Ok(());
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        ask.after = Some(next);
    }
}

/// The session with this id, or the only one whose id begins so.
///
/// # Errors
/// When there is none, or several; the message says which.
pub async fn find(sessions: &SessionsClient, id: &str) -> anyhow::Result<Session> {
    anyhow::ensure!(!id.is_empty(), "the id of the session is empty");
    match sessions.get(&GetSession { session: SessionId(id.to_owned()) }).await {
        Err(e) if e.reason == "no_session" => {}
        found => return Ok(found?),
    }
    let mut found = Vec::new();
    pages(sessions, None, |session| {
        if session.id.0.starts_with(id) {
            found.push(session.id);
        }
        true
    })
    .await?;
    match found.as_slice() {
        [one] => Ok(sessions.get(&GetSession { session: one.clone() }).await?),
        [] => anyhow::bail!(
            "there is no session whose id begins with {id}; `plantocode session list` shows them"
        ),
        several => {
            let ids: Vec<&str> = several.iter().take(NAMED).map(|id| id.0.as_str()).collect();
            let more = if several.len() > NAMED { ", and more" } else { "" };
            anyhow::bail!("{id} is the beginning of several sessions: {}{more}", ids.join(", "))
        }
    }
}

fn short(id: &SessionId) -> &str {
    id.0.get(..13).unwrap_or(&id.0)
}

fn head(session: &Session) -> anyhow::Result<()> {
    let title = if session.title.is_empty() { "(no task yet)" } else { &session.title };
    let changed = crate::backup::day(session.updated_at);
    Ok(show::line(format_args!("{}  {changed}  {}", styled(STRONG, &session.id.0), show::harmless(title)))?)
}

async fn list(host: &Host, arguments: &List) -> anyhow::Result<()> {
    let project = match &arguments.project {
        Some(folder) => Some(crate::task::project(host, folder).await?),
        None => None,
    };
    let mut found = Vec::new();
    let limit = arguments.limit.max(1);
    pages(&SessionsClient(host.client.clone()), project, |session| {
        found.push(session);
        found.len() <= limit
    })
    .await?;
    if found.is_empty() {
        show::note("There is no session yet. `plantocode plan` begins one.");
    }
    found.iter().take(limit).try_for_each(head)?;
    if found.len() > limit {
        show::note("There are older ones: `--limit N` shows more.");
    }
    Ok(())
}

async fn show_one(host: &Host, session: &Session) -> anyhow::Result<()> {
    head(session)?;
    show::line(format_args!("\n{}\n", show::harmless(session.task.trim_end())))?;
    let get = GetSession { session: session.id.clone() };
    let plans = PlansClient(host.client.clone()).list(&get).await?.plans;
    if plans.is_empty() {
        show::note("No plan was made yet.");
    }
    Ok(plans.iter().try_for_each(plan)?)
}

fn plan(plan: &Plan) -> std::io::Result<()> {
    let state = match plan.state {
        PlanState::Streaming => "arrives",
        PlanState::Complete => "complete",
        PlanState::Cut => "cut",
        PlanState::Unreadable => "unreadable",
    };
    show::line(format_args!(
        "{}  {state:<10} {} steps  {}",
        styled(STRONG, &plan.id.0),
        plan.step_count,
        show::harmless(&plan.title)
    ))
}

async fn history(host: &Host, session: &Session) -> anyhow::Result<()> {
    let tasks = TasksClient(host.client.clone());
    let mut ask = TaskHistory { session: session.id.clone(), before: None, limit: Some(200) };
    loop {
        let page = tasks.history(&ask).await?;
        for step in &page.steps {
            let how = match step.origin {
                TaskOrigin::Written => "written",
                TaskOrigin::Typed => "typed",
                TaskOrigin::Merged => "merged",
                TaskOrigin::Suggested => "suggested",
                TaskOrigin::Undone => "undone",
                TaskOrigin::Redone => "redone",
                TaskOrigin::Restored => "restored",
            };
            let by = if step.made_by.is_empty() { String::new() } else { format!(" by {}", step.made_by) };
            show::line(format_args!(
                "{:>5}  {}  {how}{}{}",
                step.number,
                crate::backup::day(step.saved_at),
                show::harmless(&by),
                if step.present { styled(QUIET, "  (now)") } else { String::new() }
            ))?;
        }
        let Some(last) = page.steps.last().filter(|step| step.number > 1) else { return Ok(()) };
        ask.before = Some(last.number);
    }
}
