//! `tasks`: the history of a task's words, and help with them. A suggestion is one change that one undo takes back; where the text was
//! changed meanwhile it is kept and not applied.

use crate::jobs::{GetJob, Job};
use crate::sessions::Session;
use crate::{JobId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Help with a task.
    pub service Tasks / TasksClient = "tasks" {
        /// Asks a model to put the whole task precisely, with the ticked files before it. The job first waits for an
        /// approval.
        unary refine [Run] (RefineTask) -> Job;
        /// Asks a model for better words for a passage.
        unary improve [Run] (ImproveText) -> Job;
        /// What a job of these suggested, and whether it was applied.
        unary suggestion [View] (GetJob) -> Suggestion;
        /// The steps in which the task became what it is, the newest first. What one device types without a long pause
        /// is one step.
        unary history [View] (TaskHistory) -> TaskSteps;
        /// The text of a step.
        unary step [View] (GetTaskStep) -> TaskStepText;
        /// Takes the last step back, whoever made it, also after a restart.
        unary undo [Edit] (MoveTask) -> Session;
        /// Does again what the last undo took back.
        unary redo [Edit] (MoveTask) -> Session;
        /// Makes the text of an older step the task again, as a new step.
        unary restore [Edit] (RestoreTask) -> Session;
    }
}

/// Asks for a task to be put precisely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RefineTask {
    /// The session.
    pub session: SessionId,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}

/// Asks for better words for a passage of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImproveText {
    /// The session.
    pub session: SessionId,
    /// The version of the task in which the passage stands.
    pub version: u32,
    /// Where the passage begins, in UTF-16 code units.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// How it is to be improved; as the model thinks when absent.
    #[serde(default)]
    #[ts(optional)]
    pub wish: Option<String>,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}

/// What became of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionState {
    /// The job has not ended.
    Pending,
    /// It stands in the task.
    Applied,
    /// The text was changed meanwhile: it is kept here and was not applied.
    Dropped,
    /// There is none: the job failed or was stopped.
    None,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Suggestion {
    /// The job that made it.
    pub job: JobId,
    /// What became of it.
    pub state: SuggestionState,
    /// The words that were to be put better: the whole task, or the passage. Empty where the job is of a version that
    /// did not keep them.
    #[serde(default)]
    pub before: String,
    /// The suggested text; empty while there is none.
    pub text: String,
    /// What a person has to know: what the server says it sent is not what was approved, or the words have characters in
    /// them that cannot be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub alarm: Option<String>,
}

/// Which steps of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskHistory {
    /// The session.
    pub session: SessionId,
    /// Only those before this one.
    #[serde(default)]
    #[ts(optional)]
    pub before: Option<u32>,
    /// How many, up to 200; 50 when absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Steps of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskSteps {
    /// The newest first.
    pub steps: Vec<TaskStep>,
    /// Whether something can be taken back.
    pub can_undo: bool,
    /// Whether something can be done again.
    pub can_redo: bool,
}

/// A step of a task's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskStep {
    /// Counts the steps of the session.
    pub number: u32,
    /// Where it comes from.
    pub origin: TaskOrigin,
    /// Who made it; empty for the first.
    pub made_by: String,
    /// When it was begun.
    pub begun_at: TimeMs,
    /// When it was saved last.
    pub saved_at: TimeMs,
    /// Whether the task is this step now.
    pub present: bool,
}

/// Where a step of a task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TaskOrigin {
    /// The first text.
    Written,
    /// A person's typing.
    Typed,
    /// Edits of two devices in one text.
    Merged,
    /// A model's words.
    Suggested,
    /// A step back.
    Undone,
    /// A step forward again.
    Redone,
    /// An older step chosen from the history.
    Restored,
}

/// Names a step of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetTaskStep {
    /// The session.
    pub session: SessionId,
    /// The step.
    pub step: u32,
}

/// The text of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TaskStepText {
    /// The step.
    pub step: u32,
    /// Its text.
    pub text: String,
}

/// Moves a task along its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MoveTask {
    /// The session.
    pub session: SessionId,
    /// The version of the task that the person sees; another one is a `conflict`.
    pub version: u32,
}

/// Goes back to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RestoreTask {
    /// The session.
    pub session: SessionId,
    /// The version of the task that the person sees; another one is a `conflict`.
    pub version: u32,
    /// The step.
    pub step: u32,
}
