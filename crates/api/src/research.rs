//! `research`: questions that a model answers with what it finds on the web.

use crate::jobs::Job;
use crate::sessions::GetSession;
use crate::{JobId, MicroUsd, SessionId, TimeMs, WebFindingId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Research on the web, by the search of a model's provider.
    pub service Research / ResearchClient = "research" {
        /// Asks questions, at most twelve, each in a job of its own that first waits for its approval. Without questions a
        /// model proposes them for the task, after an approval of that, and they are asked then.
        unary start [Run] (StartResearch) -> StartedResearch;
        /// What was asked in a session, and what was found, the oldest first.
        unary list [View] (GetSession) -> WebFindingList;
        /// One of them.
        unary get [View] (GetWebFinding) -> WebFinding;
        /// Attaches a finding to its session, so that the next question for a plan contains it, or takes it off.
        unary attach [Edit] (AttachWebFinding) -> WebFinding;
    }
}

/// Asks for research.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartResearch {
    /// The session.
    pub session: SessionId,
    /// The questions, at most twelve; a model proposes them when empty.
    #[serde(default)]
    pub questions: Vec<String>,
    /// `provider/model`; the first that can search the web when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
    /// The most searches for one question, from 1 to 10; 3 when absent.
    #[serde(default)]
    #[ts(optional)]
    pub searches: Option<u32>,
    /// The only hosts that are searched, at most five; every one when empty.
    #[serde(default)]
    pub domains: Vec<String>,
}

/// Research that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartedResearch {
    /// The job that proposes questions, if none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub proposal: Option<Job>,
    /// The questions that were given.
    pub findings: Vec<WebFinding>,
}

/// How far a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WebFindingState {
    /// Its job has not ended: it waits for an approval, or the model looks.
    Asked,
    /// It has an answer.
    Answered,
    /// Its answer ended too early. What arrived is here.
    Cut,
    /// There is no answer, and `trouble` says why.
    Failed,
    /// A person refused or stopped it.
    Canceled,
}

/// A question for the web and what was found.
///
/// Answer, titles, addresses and quotations are words of strangers: they are shown and sent as data, never followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WebFinding {
    /// Its id.
    pub id: WebFindingId,
    /// Its session.
    pub session: SessionId,
    /// The job that answers it.
    pub job: JobId,
    /// The question.
    pub question: String,
    /// Why it was asked; empty where nobody said.
    pub why: String,
    /// How far it is.
    pub state: WebFindingState,
    /// What is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trouble: Option<String>,
    /// The answer, in Markdown; empty while there is none.
    pub answer: String,
    /// What it rests on, each address once.
    pub sources: Vec<WebSource>,
    /// What was searched for, as far as the provider tells.
    pub searches: Vec<String>,
    /// Who answered: `provider/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub served: Option<String>,
    /// What it cost, if it was sent and the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cost: Option<MicroUsd>,
    /// Whether the next question for a plan contains it.
    pub attached: bool,
    /// When it was asked.
    pub created_at: TimeMs,
    /// When it was answered: the day on which the sources were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answered_at: Option<TimeMs>,
}

/// A place on the web.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WebSource {
    /// Its address, which begins with `https://` or `http://`.
    pub url: String,
    /// What it is called; may be empty.
    pub title: String,
    /// How old it is, in the provider's words, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub date: Option<String>,
    /// The words of it that were used, where the provider gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<String>,
}

/// Findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WebFindingList {
    /// The oldest first.
    pub findings: Vec<WebFinding>,
}

/// Names a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetWebFinding {
    /// The finding.
    pub finding: WebFindingId,
}

/// Attaches a finding or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttachWebFinding {
    /// The finding.
    pub finding: WebFindingId,
    /// Whether the next question for a plan is to contain it. Only one with an answer can be attached.
    pub attached: bool,
}
