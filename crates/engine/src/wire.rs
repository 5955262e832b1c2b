//! Documents that the engine stores as JSON: manifests, credentials, audit records. Their forms are read again by
//! later versions, so members are only ever added.

use api::approvals::Manifest;
use api::models::{Door, ProviderDialect};
use serde::{Deserialize, Serialize};

/// Where a request goes, as it was decided when the manifest was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// The door.
    pub door: Door,
    /// The server's or provider's base URL.
    pub base_url: String,
    /// How it is spoken to; `None` for our own server.
    pub dialect: Option<ProviderDialect>,
    /// The provider's name.
    pub provider: String,
    /// The model's name in the request.
    pub model: String,
    /// Where the bytes may go, in order.
    pub destinations: Vec<(String, String)>,
    /// Prices per million tokens, if they are known.
    pub prices: Option<Prices>,
    /// Whether the request lets the provider search the web, for which some are spoken to in another dialect.
    #[serde(default)]
    pub web: bool,
}

/// Prices in millionths of a dollar per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prices {
    pub input: u64,
    pub output: u64,
    #[serde(default)]
    pub cache_read: Option<u64>,
    #[serde(default)]
    pub cache_write: Option<u64>,
    #[serde(default)]
    pub long: Option<llm::LongPrices>,
    /// One search of the web.
    #[serde(default)]
    pub web_search: Option<u64>,
    /// A request that searched, however often.
    #[serde(default)]
    pub web_search_request: Option<u64>,
}

impl From<llm::Prices> for Prices {
    fn from(prices: llm::Prices) -> Self {
        let llm::Prices { input, output, cache_read, cache_write, long, web_search, web_search_request } =
            prices;
        Self { input, output, cache_read, cache_write, long, web_search, web_search_request }
    }
}

impl From<Prices> for llm::Prices {
    fn from(prices: Prices) -> Self {
        let Prices { input, output, cache_read, cache_write, long, web_search, web_search_request } = prices;
        Self { input, output, cache_read, cache_write, long, web_search, web_search_request }
    }
}

/// A manifest as stored with its approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredManifest {
    /// What the person is shown.
    pub manifest: Manifest,
    /// Where it goes.
    pub target: Target,
    /// The boundary of the request's parts.
    pub boundary: String,
    /// SHA-256 of each file as it was on disk, by path: to tell later whether it has changed since.
    pub read: Vec<(String, String)>,
}

/// A sign-in that was stored in a file.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedCredentials {
    pub server: String,
    pub user: String,
    /// Absent when it is in the keyring of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Written before the first byte leaves.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuditIntent<'a> {
    pub v: u32,
    pub at: i64,
    pub job: &'a str,
    pub approval: &'a str,
    pub fingerprint: &'a str,
    pub body_hash: &'a str,
    pub body_bytes: u64,
    pub files: Vec<&'a str>,
    pub destinations: Vec<String>,
    pub ceiling_microusd: u64,
    pub door: Door,
    pub via: &'a str,
    pub by: &'a str,
}

/// Written when the request has ended, however it ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuditOutcome {
    pub v: u32,
    pub at: i64,
    pub job: String,
    pub outcome: String,
    pub tries: Vec<AuditTry>,
    pub served: Option<String>,
    pub usage: api::plans::Usage,
    /// Searches of the web that were charged.
    #[serde(default)]
    pub searches: u64,
    /// The server's own record of the same request: node, sequence, hash.
    pub server_audit: Option<String>,
    /// Whether what the server says it sent is what was approved, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    pub error: Option<String>,
}

/// One attempt at one destination.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuditTry {
    pub destination: String,
    pub upstream_hash: String,
    pub transformations: Vec<String>,
    pub outcome: String,
    pub status: Option<u16>,
}

/// The output of the step that sends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// How the answer ended.
    pub ending: Ending,
    /// Why, in words, if it did not end by itself.
    pub trouble: Option<String>,
    /// What is wrong with what was sent, although it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// The model had finished.
    Finished,
    /// The answer reached its limit of tokens.
    Length,
    /// The connection broke, or the provider failed.
    Broken,
    /// The person stopped it.
    Canceled,
}

impl Ending {
    /// The same for the plan parser.
    pub(crate) fn for_plan(self) -> plan::Ending {
        match self {
            Ending::Finished => plan::Ending::Finished,
            Ending::Length => plan::Ending::Length,
            Ending::Broken => plan::Ending::Broken,
            Ending::Canceled => plan::Ending::Canceled,
        }
    }
}

/// The input of a job that makes a plan, changes one, or searches with a model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PlanInput {
    /// The model that was asked for; the default one when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The plans that it is about, if it is not a new one.
    #[serde(default)]
    pub base: Option<PlanBase>,
}

/// What a job does with plans that exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PlanBase {
    /// Completes one that was cut.
    Complete {
        plan: String,
        /// The version whose steps it follows.
        version: u32,
    },
    /// Makes one of several.
    Merge { plans: Vec<String>, wish: Option<String> },
    /// Changes one step, which read `was` when it was asked for.
    Step { plan: String, step: String, was: String, wish: String },
}

impl PlanBase {
    /// The plans, by id.
    pub(crate) fn plans(self) -> Vec<String> {
        match self {
            PlanBase::Complete { plan, .. } | PlanBase::Step { plan, .. } => vec![plan],
            PlanBase::Merge { plans, .. } => plans,
        }
    }
}

/// The input of a job that puts a task precisely.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RefineInput {
    /// The model that was asked for; the default one when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The version of the task that is meant.
    pub version: u32,
    /// The task, as it was.
    #[serde(default)]
    pub text: String,
}

/// The input of a job that improves a passage.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ImproveInput {
    /// The model that was asked for; the default one when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The whole text, as it was.
    pub text: String,
    /// Where the passage begins in it, in bytes.
    pub start: usize,
    /// The passage.
    pub passage: String,
    /// How it is to be improved.
    #[serde(default)]
    pub wish: Option<String>,
}

/// The input of a job that has questions for the web proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResearchInput {
    /// The model that was asked for; the default one when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// How each question is looked up.
    pub web: llm::WebSearch,
}

/// The input of a job that looks one question up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LookUpInput {
    /// The model that was asked for; the default one when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// Where the answer goes.
    pub finding: String,
    /// The question.
    pub question: String,
    /// How it is looked up.
    pub web: llm::WebSearch,
}

/// What an answer rests on, as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebNotes {
    #[serde(default)]
    pub sources: Vec<api::research::WebSource>,
    /// What was searched for.
    #[serde(default)]
    pub searches: Vec<String>,
}

/// What became of a suggestion: the output of the step that applies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Suggested {
    /// Whether it stands in the task.
    pub applied: bool,
    /// The text.
    pub text: String,
    /// What is wrong with what was sent, although it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// What may be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Budgets {
    /// In any 24 hours.
    #[serde(default)]
    pub day: Option<u64>,
    /// In one session.
    #[serde(default)]
    pub session: Option<u64>,
}

/// What the engine writes on a terminal, for itself. The terminal host does not read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TerminalLabel {
    /// The project in whose folder it was started.
    pub project: api::ProjectId,
    /// The session it is for.
    #[serde(default)]
    pub session: Option<api::SessionId>,
}

impl Default for TerminalLabel {
    fn default() -> TerminalLabel {
        TerminalLabel { project: String::new().into(), session: None }
    }
}
