//! `discovery`: the files of a project that a session's task concerns.

use crate::SessionId;
use crate::jobs::Job;
use crate::sessions::GetSession;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Finding files.
    pub service Discovery / DiscoveryClient = "discovery" {
        /// Ranks the project's files for the session's task, locally, and stores the ranking.
        stream find [Files] (FindFiles) -> FindEvent;
        /// The stored ranking.
        unary files [View] (GetSession) -> Ranking;
        /// Ticks or unticks files for the plan.
        unary include [Edit] (IncludeFiles) -> Ranking;
        /// Lets a model judge and complete the ranking, stage by stage. Each stage first waits for an approval, and can
        /// be skipped.
        unary deepen [Run] (Deepen) -> Job;
    }
}

/// Starts a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FindFiles {
    /// The session whose task and project are meant.
    pub session: SessionId,
    /// The most files to return in each of the two lists.
    pub limit: u32,
}

/// What a search reports: progress, and in the end the ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FindEvent {
    /// Where the search is.
    Progress {
        /// What is being done.
        phase: FindPhase,
        /// How many files so far.
        done: u64,
        /// Of how many, when that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        total: Option<u64>,
    },
    /// The search is complete and stored.
    Found {
        /// The ranking.
        ranking: Ranking,
    },
}

/// The phases of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FindPhase {
    /// Listing files.
    Walking,
    /// Reading them.
    Reading,
    /// Ordering them.
    Ranking,
}

/// Files in order, source files and tests apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Ranking {
    /// Whether a search has been made for the task as it is now.
    pub current: bool,
    /// Source files, best first.
    pub sources: Vec<RankedFile>,
    /// Test files, best first.
    pub tests: Vec<RankedFile>,
    /// How many files were read.
    pub scanned: u64,
    /// How many were passed over (binary, generated, too large, unreadable).
    pub skipped: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// One file with the reasons why it is here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RankedFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Position in its list, from 1.
    pub rank: u32,
    /// Comparable within one ranking only.
    pub score: f64,
    /// Its size.
    pub bytes: u64,
    /// What it would add to a request, estimated from its size; the manifest counts exactly.
    pub tokens: u64,
    /// Whether it goes into the plan's request.
    pub included: bool,
    /// Why, the weightiest first.
    pub reasons: Vec<RankReason>,
}

/// A reason that a person understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RankReason {
    /// A stable word for the kind of reason.
    pub kind: String,
    /// The reason in words.
    pub detail: String,
    /// The best line to look at, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
}

/// Ticks or unticks files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IncludeFiles {
    /// The session.
    pub session: SessionId,
    /// Paths as the ranking gives them. A path that the ranking lacks is added to it, if it exists.
    pub paths: Vec<String>,
    /// Ticked or not.
    pub included: bool,
}

/// The stages in which a model helps to find files, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FindStage {
    /// Chooses the folders worth a look; sends names of folders only.
    Roots,
    /// Names patterns of paths; sends paths only.
    Patterns,
    /// Judges the best candidates by their content.
    Relevance,
    /// Looks for files that were missed, along imports and structure; sends paths and names of definitions.
    Extend,
}

/// Asks for a search with a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Deepen {
    /// The session.
    pub session: SessionId,
    /// The stages; those not named are passed over. When empty: relevance and extend.
    #[serde(default)]
    pub stages: Vec<FindStage>,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}
