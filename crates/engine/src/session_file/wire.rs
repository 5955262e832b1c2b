//! The form of an exported session. Members are only ever added; a reader passes over what it does not know.

use crate::review::wire::StoredStep;
use crate::wire::WebNotes;
use serde::{Deserialize, Serialize};

/// The version of the form.
pub(crate) const FORM: u32 = 1;

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SessionFile {
    /// [`FORM`].
    pub plantocode_session: u32,
    /// When it was exported, in milliseconds since 1970.
    pub exported_at: i64,
    /// When the session began.
    pub created_at: i64,
    /// The task.
    pub task: String,
    /// The ranked files.
    #[serde(default)]
    pub files: Vec<RankedFile>,
    /// The plans, the oldest first.
    #[serde(default)]
    pub plans: Vec<PlanFile>,
    /// What was found on the web, in the order in which it was asked for.
    #[serde(default)]
    pub web_findings: Vec<WebFindingFile>,
}

/// A question for the web and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WebFindingFile {
    /// The question.
    pub question: String,
    /// Why it was asked.
    #[serde(default)]
    pub why: String,
    /// `answered` or `cut`.
    pub state: String,
    /// What is wrong with the answer.
    #[serde(default)]
    pub trouble: Option<String>,
    /// The answer.
    pub answer: String,
    /// Where it stands, and what was searched for.
    #[serde(default)]
    pub web: WebNotes,
    /// Who answered.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether it went with questions for plans.
    #[serde(default)]
    pub attached: bool,
    /// When it was asked.
    pub created_at: i64,
    /// When it was answered.
    #[serde(default)]
    pub answered_at: Option<i64>,
}

/// A ranked file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RankedFile {
    /// Relative to the project.
    pub path: String,
    /// Whether it is a test.
    #[serde(default)]
    pub test: bool,
    /// Its place, from 1.
    #[serde(default)]
    pub rank: u32,
    /// Comparable within one ranking.
    #[serde(default)]
    pub score: f64,
    /// Its size when it was ranked.
    #[serde(default)]
    pub bytes: u64,
    /// Whether it was ticked.
    #[serde(default)]
    pub included: bool,
    /// Whether a person set the tick.
    #[serde(default)]
    pub by_hand: bool,
    /// The reasons, as JSON text.
    #[serde(default)]
    pub reasons: String,
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    /// Its id where it was made: sources of steps name it.
    pub id: String,
    /// `complete`, `cut` or `unreadable`.
    pub state: String,
    /// Why it is cut or unreadable.
    #[serde(default)]
    pub trouble: Option<String>,
    /// Who answered.
    #[serde(default)]
    pub provider: Option<String>,
    /// Which model.
    #[serde(default)]
    pub model: Option<String>,
    /// How the answer ended, as JSON text.
    #[serde(default)]
    pub ending: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// The answer.
    pub answer: String,
    /// Its later versions.
    #[serde(default)]
    pub versions: Vec<VersionFile>,
    /// What was said about its steps.
    #[serde(default)]
    pub comments: Vec<CommentFile>,
}

/// A version of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionFile {
    /// Its number.
    pub number: u32,
    /// How it came about.
    pub origin: String,
    /// In words.
    #[serde(default)]
    pub note: String,
    /// The document.
    pub document: String,
    /// Ids and sources of its steps.
    pub steps: Vec<StoredStep>,
    /// Who made it.
    #[serde(default)]
    pub made_by: String,
    /// When.
    pub created_at: i64,
}

/// A remark about a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommentFile {
    /// The step's id.
    pub step: String,
    /// What was said.
    pub text: String,
    /// Who said it.
    #[serde(default)]
    pub by: String,
    /// When.
    pub at: i64,
}
