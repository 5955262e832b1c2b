//! `tasks`: help with the words of a task. A suggestion is one change that one undo takes back; where the text was
//! changed meanwhile it is kept and not applied.

use crate::jobs::{GetJob, Job};
use crate::{JobId, SessionId};
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
    /// The suggested text; empty while there is none.
    pub text: String,
}
