//! Help with the words of a task: put it precisely, or a passage of it in better words.
//!
//! The suggestion becomes one change of the task, and only if nobody changed the words meanwhile; otherwise it is kept
//! with the job.

pub(crate) mod merge;
mod steps;

use crate::error::database;
use crate::questions::{self, workflow};
use crate::wire::{Ending, ImproveInput, RefineInput, Sent, Suggested};
use crate::workflow::{answer, failed, json, sent};
use crate::{Engine, Inner, sessions};
use ::jobs::{Outcome, StepContext, StepError};
use api::JobId;
use api::events::Topic;
use api::jobs::{GetJob, Job};
use api::sessions::Session;
use api::tasks::{
    GetTaskStep, ImproveText, MoveTask, RefineTask, RestoreTask, Suggestion, SuggestionState, TaskHistory,
    TaskStepText, TaskSteps, Tasks,
};
use rpc::{ApiError, Caller, ErrorCode};
use store::jobs::{JobRow, JobState};
use store::task_steps::{NewText, Origin, Way};

/// The longest wish, in bytes.
const MAX_WISH: usize = 4 << 10;

/// The name of the step whose output is the suggestion.
const APPLY: &str = "apply";

/// The text between `<text>` and `</text>`. Without the tags the whole answer counts, if there is any; fences around it
/// are taken off.
fn suggested(answer: &str) -> Option<String> {
    let inner = match (answer.find("<text>"), answer.rfind("</text>")) {
        (Some(from), Some(to)) if from < to => &answer[from + "<text>".len()..to],
        // The end has not come, so what is there is not the whole.
        (Some(_), _) => return None,
        _ => answer,
    };
    let inner = inner.trim();
    let unfenced = inner
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
        .and_then(|rest| rest.split_once('\n'))
        .map_or(inner, |(_, rest)| rest.trim());
    (!unfenced.is_empty()).then(|| unfenced.to_owned())
}

/// Uses the answer of a job.
pub(crate) async fn apply(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    let job = &context.job;
    let sent = sent(context, "")?;
    let answer = answer(inner, job).await?;
    if sent.ending != Ending::Finished {
        let why = sent.trouble.clone().unwrap_or_else(|| "The answer ended too early.".to_owned());
        let message = format!("{why} The task is as it was; what had arrived is kept.");
        return Err(StepError::Failed(with_alarm(&sent, message)));
    }
    let Some(text) = suggested(&answer) else {
        let message =
            "The model's answer is not a text that could be used. The task is as it was; the answer is kept.";
        return Err(StepError::Failed(with_alarm(&sent, message.to_owned())));
    };
    let (text, before) = (sessions::plain_lines(text), before(job).map_err(failed)?);
    let alarm =
        sent.alarm.clone().into_iter().chain(unseen(&before, &text)).reduce(|told, more| told + " " + &more);
    let change: Change = match job.workflow.as_str() {
        workflow::REFINE => {
            let input: RefineInput = questions::input(job).map_err(failed)?;
            let new = text.clone();
            Box::new(move |_, version| (version == input.version).then_some(new))
        }
        _ => {
            let input: ImproveInput = questions::input(job).map_err(failed)?;
            let new = text.clone();
            Box::new(move |task, _| replaced(task, &input, &new))
        }
    };
    let applied = inner.change_task(&job.session_id, change).await?;
    json(&Suggested { applied, text, alarm }).map(Outcome::Done)
}

/// What is said of words in which a model has put characters that nobody sees, and that were not there before: they may hide
/// something from the person that the next model reads.
fn unseen(before: &str, text: &str) -> Option<String> {
    let new = text.chars().filter(|c| plan::path::is_invisible(*c) && !before.contains(*c)).count();
    (new > 0).then(|| {
        format!("The model's words have characters in them that cannot be seen ({new}). Look at them before you go on.")
    })
}

/// What is said of an answer that cannot be used, after what a person has to know of how it was asked for.
fn with_alarm(sent: &Sent, message: String) -> String {
    sent.alarm.as_ref().map_or_else(|| message.clone(), |alarm| format!("{alarm} {message}"))
}

/// Makes the new task of the present one and its version; `None` where it no longer fits.
type Change = Box<dyn FnOnce(&str, u32) -> Option<String> + Send>;

/// The task with the passage replaced, if it still stands where it stood.
fn replaced(task: &str, input: &ImproveInput, new: &str) -> Option<String> {
    let end = input.start + input.passage.len();
    let before = task.get(..input.start)?;
    (task.get(input.start..end)? == input.passage).then(|| format!("{before}{new}{}", &task[end..]))
}

impl Inner {
    /// Changes a session's task; whether the change still fitted.
    async fn change_task(&self, session: &str, change: Change) -> store::Result<bool> {
        let (id, now) = (session.to_owned(), self.now());
        let changed = self
            .store
            .write(move |db| {
                let Some(row) = store::sessions::get(db, &id)? else { return Ok(false) };
                let Some(text) = change(&row.task, row.task_version) else { return Ok(false) };
                let (session, made_by) = (id.as_str(), "model");
                let new = NewText { session, text: &text, origin: Origin::Suggested, made_by, now };
                store::task_steps::save(db, &new)
            })
            .await?;
        if changed {
            self.bus.tell(Topic::Session, session, Some(session));
        }
        Ok(changed)
    }
}

/// The words that a job was to put better.
fn before(job: &JobRow) -> Result<String, ApiError> {
    match job.workflow.as_str() {
        workflow::REFINE => questions::input(job).map(|input: RefineInput| input.text),
        workflow::IMPROVE => questions::input(job).map(|input: ImproveInput| input.passage),
        _ => Err(ApiError::invalid("no_suggestion", "This job makes no suggestion for a task.")),
    }
}

fn view(job: JobId, state: JobState, before: String, made: Option<Suggested>) -> Suggestion {
    let state = match (&made, state) {
        (Some(made), _) if made.applied => SuggestionState::Applied,
        (Some(_), _) => SuggestionState::Dropped,
        (None, JobState::Failed | JobState::Canceled | JobState::Completed) => SuggestionState::None,
        (None, _) => SuggestionState::Pending,
    };
    let (text, alarm) = made.map(|made| (made.text, made.alarm)).unwrap_or_default();
    Suggestion { job, state, before, text, alarm }
}

/// The bytes of `text` between two positions in UTF-16 code units; `None` when they are not on characters.
fn range(text: &str, start: u32, end: u32) -> Option<(usize, usize)> {
    let at = |wanted: u32| {
        let mut units = 0;
        for (byte, c) in text.char_indices() {
            if units == wanted {
                return Some(byte);
            }
            units += u32::try_from(c.len_utf16()).ok()?;
        }
        (units == wanted).then_some(text.len())
    };
    let (start, end) = (at(start)?, at(end)?);
    (start < end).then_some((start, end))
}

impl Engine {
    async fn task_job(
        &self,
        session: String,
        workflow: &str,
        input: Result<String, serde_json::Error>,
    ) -> Result<Job, ApiError> {
        let input = input.map_err(|e| ApiError::internal(e.to_string()))?;
        let row = JobRow {
            note: "Prepares what would be sent.".to_owned(),
            ..JobRow::queued(self.inner.new_id(), session, workflow, input, self.inner.now())
        };
        self.inner.enqueue(row).await
    }
}

impl Tasks for Engine {
    async fn refine(&self, _: &Caller, request: RefineTask) -> Result<Job, ApiError> {
        let session = self.inner.session(&request.session).await?;
        if session.task.trim().is_empty() {
            return Err(ApiError::invalid("task_empty", "The task is empty. Write a few words first."));
        }
        let model = self.inner.model_for_job(request.model).await?;
        let input = RefineInput { model, version: session.task_version, text: session.task };
        self.task_job(session.id, workflow::REFINE, serde_json::to_string(&input)).await
    }

    async fn improve(&self, _: &Caller, request: ImproveText) -> Result<Job, ApiError> {
        let session = self.inner.session(&request.session).await?;
        if request.version != session.task_version {
            let message =
                "The task was changed meanwhile. Select the passage again; nothing was changed or sent.";
            let conflict = ApiError::new(ErrorCode::Conflict, "task_changed", message);
            return Err(conflict.with("version", session.task_version));
        }
        if request.wish.as_ref().is_some_and(|wish| wish.len() > MAX_WISH) {
            let message =
                format!("The wish is longer than {MAX_WISH} bytes. Say it shorter; nothing was sent.");
            return Err(ApiError::invalid("wish_too_long", message));
        }
        let Some((start, end)) = range(&session.task, request.start, request.end) else {
            let message = "The passage is empty or lies outside of the text. Nothing was sent.";
            return Err(ApiError::invalid("passage", message));
        };
        let model = self.inner.model_for_job(request.model).await?;
        let input = ImproveInput {
            model,
            passage: session.task[start..end].to_owned(),
            text: session.task.clone(),
            start,
            wish: request.wish.filter(|wish| !wish.trim().is_empty()),
        };
        self.task_job(session.id, workflow::IMPROVE, serde_json::to_string(&input)).await
    }

    async fn suggestion(&self, _: &Caller, request: GetJob) -> Result<Suggestion, ApiError> {
        let job = self.inner.job(&request.job).await?;
        let before = before(&job)?;
        let id = job.id.clone();
        let steps = self.inner.store.read(move |db| store::jobs::steps(db, &id)).await.map_err(database)?;
        let output = steps.into_iter().find(|step| step.name == APPLY).and_then(|step| step.output);
        let made: Option<Suggested> = output.and_then(|output| serde_json::from_str(&output).ok());
        Ok(view(request.job, job.state, before, made))
    }

    async fn history(&self, _: &Caller, request: TaskHistory) -> Result<TaskSteps, ApiError> {
        steps::history(&self.inner, request).await
    }

    async fn step(&self, _: &Caller, request: GetTaskStep) -> Result<TaskStepText, ApiError> {
        steps::text(&self.inner, request).await
    }

    async fn undo(&self, caller: &Caller, request: MoveTask) -> Result<Session, ApiError> {
        steps::walk(&self.inner, caller, request, Way::Undo).await
    }

    async fn redo(&self, caller: &Caller, request: MoveTask) -> Result<Session, ApiError> {
        steps::walk(&self.inner, caller, request, Way::Redo).await
    }

    async fn restore(&self, caller: &Caller, request: RestoreTask) -> Result<Session, ApiError> {
        let RestoreTask { session, version, step } = request;
        steps::walk(&self.inner, caller, MoveTask { session, version }, Way::To(step)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_is_found_in_every_form() {
        for answer in [
            "<text>\nNew words.\n</text>",
            "Sure:\n<text>New words.</text>\nDone",
            "New words.",
            "```\nNew words.\n```",
        ] {
            assert_eq!(suggested(answer).as_deref(), Some("New words."), "{answer:?}");
        }
        for answer in ["", "<text>", "<text>New wor", "<text> </text>"] {
            assert_eq!(suggested(answer), None, "{answer:?}");
        }
        // What is meant by the tags in a text about tags.
        assert_eq!(
            suggested("<text>Use <text>x</text> here</text>").as_deref(),
            Some("Use <text>x</text> here")
        );
    }

    #[test]
    fn what_a_server_sent_otherwise_is_told_with_the_suggestion() {
        let alarm = "The server says that it changed the request before it sent it: model.";
        let made = Suggested { applied: true, text: "New words.".into(), alarm: Some(alarm.into()) };
        let stored = serde_json::to_string(&made).unwrap();
        let seen = view(
            "j".to_owned().into(),
            JobState::Completed,
            String::new(),
            serde_json::from_str(&stored).ok(),
        );
        assert_eq!((seen.state, seen.alarm.as_deref()), (SuggestionState::Applied, Some(alarm)));
        // As an older version has stored it.
        let older = r#"{"applied":false,"text":"New words."}"#;
        let seen =
            view("j".to_owned().into(), JobState::Completed, String::new(), serde_json::from_str(older).ok());
        assert_eq!(
            (seen.state, seen.text.as_str(), seen.alarm),
            (SuggestionState::Dropped, "New words.", None)
        );
    }

    #[test]
    fn characters_that_cannot_be_seen_are_told_where_they_are_new() {
        assert_eq!(unseen("a", "plain\ttext\n"), None);
        let told = unseen("a", "pay\u{202e}load\u{200b}").unwrap();
        assert!(told.contains("(2)"), "{told}");
        assert_eq!(unseen("\u{200d} stood there", "and \u{200d} stays"), None);
    }

    #[test]
    fn positions_count_as_in_the_editor() {
        assert_eq!(range("aü😀b", 1, 4), Some((1, 7)));
        assert_eq!(range("aü😀b", 4, 5), Some((7, 8)));
        for (start, end) in [(3, 4), (0, 9), (2, 2), (4, 1)] {
            assert_eq!(range("aü😀b", start, end), None, "{start} {end}");
        }
    }

    #[test]
    fn a_passage_is_replaced_only_where_it_stands() {
        let input = ImproveInput { start: 4, passage: "old".into(), ..ImproveInput::default() };
        assert_eq!(replaced("The old one", &input, "new").as_deref(), Some("The new one"));
        assert_eq!(replaced("The older one", &input, "new").as_deref(), Some("The newer one"));
        for task in ["An old one", "The", "Thé old"] {
            assert_eq!(replaced(task, &input, "new"), None, "{task}");
        }
    }
}
