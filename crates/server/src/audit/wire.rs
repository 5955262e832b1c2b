//! What an audit record says.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::telemetry::Traced;

/// A record as it is stored: its JSON is hashed byte for byte and never written again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record<'r, E> {
    /// Version of this form.
    pub v: u8,
    pub node: Cow<'r, str>,
    pub seq: i64,
    /// Hash of the record before, hex; zeros for the first.
    pub previous: Cow<'r, str>,
    pub at_ms: i64,
    pub request_id: Cow<'r, str>,
    /// Pseudonym of the address it came from. The first version of this form had the address itself, in `address`.
    #[serde(default)]
    pub from: Cow<'r, str>,
    #[serde(flatten)]
    pub entry: E,
}

/// What a record is about.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Entry {
    pub event: Event,
    pub org: String,
    pub user: String,
    pub device: String,
    /// Id of the token for programs it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What the token is tagged with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Never written: the record has a pseudonym instead.
    #[serde(skip)]
    pub address: String,
    pub method: String,
    pub path: String,
    /// What an administrator changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The trace that it belongs to (W3C), hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What is needed to make spans of it.
    #[serde(skip)]
    pub traced: Option<Box<Traced>>,
    /// SHA-256 of the body that was received, hex.
    pub body_hash: String,
    pub body_bytes: usize,
    pub model_asked: String,
    /// Fingerprint of the approval that was shown and matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// What the token asks of requests: `required`, `scope` or `none`. Known here, never the client's word.
    pub policy: String,
    /// What the person approved who made a token with the policy `scope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Value>,
    /// Where the content may go, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<String>,
    /// Files the client says are in the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Located>,
    /// Changes made before any route was chosen, such as redactions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<llm::Usage>,
    /// Length of a recording, where the provider says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_microusd: Option<u64>,
    /// Code of the error that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i64>,
}

/// What has to be read back of an intent to end it for a server that cannot. Older records have less.
#[derive(Debug, Deserialize)]
pub(super) struct Open {
    pub event: Event,
    pub org: String,
    pub user: String,
    pub device: String,
    #[serde(default)]
    pub token: Option<String>,
    #[serde(default)]
    pub tag: Option<String>,
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub job: Option<String>,
    pub body_hash: String,
    pub body_bytes: usize,
    pub model_asked: String,
    #[serde(default)]
    pub approval: Option<String>,
    #[serde(default)]
    pub policy: String,
    #[serde(default)]
    pub scope: Option<Value>,
    #[serde(default)]
    pub destinations: Vec<String>,
    #[serde(default)]
    pub files: Vec<String>,
}

/// What an administrator changes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    /// What is done, such as `user.disable`.
    pub what: &'static str,
    /// To whom or what, by id.
    pub target: String,
    /// What it becomes, where that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Which moment of a request a record describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// About to leave; written before the first byte does.
    #[default]
    Intent,
    /// Answered to the end.
    Served,
    /// Never left: not allowed, not approved, filtered, limited or malformed.
    Refused,
    /// Left, but there was no answer.
    Failed,
    /// The answer broke off.
    Cut,
    /// The client went away or asked to stop.
    Canceled,
    /// Its server was killed, so that nobody knows; its usage is an estimate.
    Lost,
    /// Not a request to a model: somebody administers. Written before the change is made.
    Changed,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Intent => "intent",
            Event::Served => "served",
            Event::Refused => "refused",
            Event::Failed => "failed",
            Event::Cut => "cut",
            Event::Canceled => "canceled",
            Event::Lost => "lost",
            Event::Changed => "changed",
        }
    }
}

/// A finding and where in the request it was made. Says nothing about the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Located {
    /// Path in the JSON body, such as `messages[1].content`.
    pub place: String,
    pub line: usize,
    pub rule: String,
    pub class: String,
    /// Lowered by a comment on its line: shown, not blocked.
    pub allowed: bool,
}

/// One attempt at one route.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sent {
    pub provider: String,
    pub model: String,
    /// Id of the key it was sent with.
    pub key: String,
    /// SHA-256 of the exact body the provider got, hex.
    pub upstream_hash: String,
    pub transformations: Vec<String>,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl From<gateway::Try> for Sent {
    fn from(attempt: gateway::Try) -> Self {
        Self {
            provider: attempt.provider,
            model: attempt.model,
            key: attempt.key_id,
            upstream_hash: attempt.upstream_hash,
            transformations: attempt.transformations,
            outcome: attempt.outcome.as_str(),
            status: attempt.status,
        }
    }
}

/// How far the chains of the audit had come: what a checkpoint signs, as its JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Statement {
    pub v: u8,
    pub number: i64,
    pub at_ms: i64,
    /// Hash of the statement before; zeros for the first.
    pub previous: String,
    /// The ends of the chains that have grown since.
    pub heads: Vec<Head>,
}

/// The end of a chain.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub node: String,
    pub seq: i64,
    pub hash: String,
}
