//! `search`: finding tasks and plans by their words.

use crate::{PlanId, ProjectId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Search.
    pub service Search / SearchClient = "search" {
        /// Tasks and plans in which all the words occur, the last one also as a beginning; the session that changed
        /// last first. Nothing in the text is an operator.
        unary find [View] (FindWords) -> Hits;
    }
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FindWords {
    /// The words.
    pub text: String,
    /// Only in this project.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<ProjectId>,
    /// The most hits, up to 200; 50 when absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Hits {
    /// The session that changed last first.
    pub hits: Vec<Hit>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// Its session.
    pub session: SessionId,
    /// The plan, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub plan: Option<PlanId>,
    /// The plan's title, or the task's first line.
    pub title: String,
    /// Words around the match, in pieces.
    pub snippet: Vec<SnippetPiece>,
    /// When the session changed last.
    pub updated_at: TimeMs,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    /// A task.
    Task,
    /// A plan.
    Plan,
}

/// A piece of a snippet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SnippetPiece {
    /// The text.
    pub text: String,
    /// Whether it is a match.
    pub matched: bool,
}
