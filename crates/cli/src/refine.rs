//! `plantocode refine|improve`: a task, or a passage of it, in a model's words.

mod print;

use crate::plan::approve::Asking;
use crate::plan::{self, Terms};
use crate::session;
use anyhow::Context;
use api::SessionId;
use api::jobs::{GetJob, Job, JobState};
use api::sessions::{CreateSession, GetSession, Session, SessionsClient};
use api::tasks::{ImproveText, RefineTask, Suggestion, SuggestionState, TasksClient};
use clap::{Args, ValueEnum};
use host::Host;
use serde::Serialize;
use std::process::ExitCode;

/// Have a model put a task precisely, with the files it concerns before it.
///
/// What would be sent is shown and asked for. The answer becomes the task of the session, as one change that `plantocode
/// session undo` takes back; where the task was changed meanwhile nothing is applied and the answer is only printed.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode refine \"Retry requests that time out\" --project ~/src/client
  plantocode refine --task-file issue.md --yes-up-to 0.10 > task.md
  plantocode refine --session 0199c0de --exclude src/generated.rs")]
pub struct Refine {
    #[command(flatten)]
    task: crate::task::Task,
    /// Refine the task of this session, instead of making a new one. The beginning of its id is enough.
    #[arg(long, value_name = "ID", conflicts_with_all = ["task", "task_file"])]
    session: Option<String>,
    /// Send this file too, whether it was found or not.
    #[arg(long, value_name = "PATH")]
    include: Vec<String>,
    /// Do not send this file.
    #[arg(long, value_name = "PATH")]
    exclude: Vec<String>,
    #[command(flatten)]
    asking: Asking,
    /// The form of the answer: the task as it is now, or an object with what it was made from.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Have a model put a passage of a task in better words.
///
/// What would be sent is the task and the passage, and no file; it is shown and asked for. The answer takes the place of the
/// passage, as one change that `plantocode session undo` takes back; where the passage was changed meanwhile nothing is applied and the
/// answer is only printed.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode improve 0199c0de \"make it gooder\"
  plantocode improve 0199c0de \"the cache\" --occurrence 2 --wish \"say which cache\"
  cat passage.txt | plantocode improve 0199c0de - --yes-up-to 0.05")]
pub struct Improve {
    /// The session, or the beginning of its id, as `plantocode session list` says it.
    #[arg(value_name = "SESSION")]
    session: String,
    /// The passage, as it stands in the task; `-` reads it from standard input.
    #[arg(value_name = "PASSAGE", allow_hyphen_values = true)]
    passage: String,
    /// Which one is meant where the passage stands more than once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    occurrence: Option<u32>,
    /// How it is to be improved.
    #[arg(long, value_name = "WISH", allow_hyphen_values = true)]
    wish: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// The form of the answer: the task as it is now, or an object with what it was made from.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What came of it, as `--format json` prints it.
#[derive(Serialize)]
struct Told {
    session: SessionId,
    /// The task as it is now.
    task: String,
    suggestion: Suggestion,
}

/// Runs `plantocode refine`.
pub async fn refine(arguments: Refine) -> anyhow::Result<ExitCode> {
    let task = if arguments.session.is_some() { String::new() } else { arguments.task.read()? };
    let host = Host::open("cli").await?;
    let outcome = async {
        let session = begin(&host, &arguments, task).await?;
        plan::choose_files(&host, &session.id, &arguments.include, &arguments.exclude).await?;
        let refine = RefineTask { session: session.id, model: arguments.asking.model.clone() };
        let job = TasksClient(host.client.clone()).refine(&refine).await?;
        follow(&host, &arguments.asking.terms(), &job, arguments.format).await
    };
    let outcome = outcome.await;
    crate::signals::close(host).await;
    outcome
}

/// Runs `plantocode improve`.
pub async fn improve(arguments: Improve) -> anyhow::Result<ExitCode> {
    let passage = match arguments.passage.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).context("standard input cannot be read as text")?,
        passage => passage.to_owned(),
    };
    // As the lines of a task end.
    let passage = passage.replace("\r\n", "\n");
    let host = Host::open("cli").await?;
    let outcome = async {
        let session = session::find(&SessionsClient(host.client.clone()), &arguments.session).await?;
        let (start, end) = place(&session.task, passage.trim(), arguments.occurrence)?;
        let improve = ImproveText {
            session: session.id,
            version: session.task_version,
            start,
            end,
            wish: arguments.wish.clone(),
            model: arguments.asking.model.clone(),
        };
        let job = TasksClient(host.client.clone()).improve(&improve).await?;
        follow(&host, &arguments.asking.terms(), &job, arguments.format).await
    };
    let outcome = outcome.await;
    crate::signals::close(host).await;
    outcome
}

async fn begin(host: &Host, arguments: &Refine, task: String) -> anyhow::Result<Session> {
    let sessions = SessionsClient(host.client.clone());
    if let Some(id) = &arguments.session {
        return session::find(&sessions, id).await;
    }
    let project = crate::task::project(host, &arguments.task.project).await?;
    Ok(sessions.create(&CreateSession { project, task }).await?)
}

/// Where a passage stands, in UTF-16 code units as the API counts.
fn place(task: &str, passage: &str, occurrence: Option<u32>) -> anyhow::Result<(u32, u32)> {
    anyhow::ensure!(!passage.is_empty(), "the passage is empty; give the words of the task that are meant");
    // Also those that overlap.
    let starts = task.char_indices().map(|(at, _)| at);
    let found: Vec<usize> = starts.filter(|at| task[*at..].starts_with(passage)).collect();
    let at = match (found.as_slice(), occurrence) {
        ([], _) => anyhow::bail!(
            "the task does not have this passage; `plantocode session show` prints it. Nothing was sent"
        ),
        ([at], None) => *at,
        (several, None) => anyhow::bail!(
            "the task has this passage {} times; give more of it, or say which with --occurrence. Nothing was sent",
            several.len()
        ),
        (found, Some(n)) => *found.get(n as usize - 1).with_context(|| {
            format!(
                "the task has this passage {} times, so there is no number {n}. Nothing was sent",
                found.len()
            )
        })?,
    };
    let start = units(&task[..at])?;
    Ok((start, start + units(passage)?))
}

/// The length in UTF-16 code units.
fn units(text: &str) -> anyhow::Result<u32> {
    u32::try_from(text.encode_utf16().count()).context("the task is too long")
}

/// Has the request of a job approved, and tells what the model suggests.
async fn follow(host: &Host, terms: &Terms, job: &Job, format: Format) -> anyhow::Result<ExitCode> {
    let job = plan::interruptible(host, job, "the task is as it was", answered(host, terms, job)).await?;
    let get = GetJob { job: job.id.clone() };
    let suggestion = TasksClient(host.client.clone()).suggestion(&get).await?;
    let get = GetSession { session: job.session.clone() };
    let session = SessionsClient(host.client.clone()).get(&get).await?;
    print::change(&suggestion);
    print::summary(host, &job, &suggestion).await;
    let dropped = suggestion.state == SuggestionState::Dropped;
    let told = Told { session: session.id, task: session.task, suggestion };
    print::result(&told, format)?;
    if dropped {
        anyhow::bail!(
            "the words were changed meanwhile, so they are as somebody left them; what the model suggests is told above and kept with the job {}",
            job.id
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The job once its answer is used.
async fn answered(host: &Host, terms: &Terms, job: &Job) -> anyhow::Result<Job> {
    let mut job = plan::settled(host, &job.id, None).await?;
    if job.state == JobState::WaitingApproval {
        let asked = plan::approve::ask(host, terms, &job).await;
        let approved = plan::or_cancel(&host.client, &job.id, asked).await?;
        job = plan::settled(host, &job.id, Some(&approved.id)).await?;
    }
    match job.state {
        JobState::Completed => Ok(job),
        _ => Err(plan::why_ended(host, &job).await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_found_where_the_editor_counts_it() {
        let task = "Größe 😀: the cache, and the cache of files, aaa";
        assert_eq!(place(task, "Größe", None).unwrap(), (0, 5));
        assert_eq!(place(task, "😀", None).unwrap(), (6, 8));
        assert_eq!(place(task, "the cache", Some(2)).unwrap(), (25, 34));
        for (passage, occurrence, why) in [
            ("", None, "empty"),
            ("the disk", None, "does not have"),
            ("the cache", None, "2 times"),
            ("the cache", Some(3), "no number 3"),
            ("aa", None, "2 times"),
        ] {
            let error = place(task, passage, occurrence).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
