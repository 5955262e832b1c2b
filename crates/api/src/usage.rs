//! `usage`: what was spent, and the record of what left.

use crate::{Empty, MicroUsd, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Spending.
    pub service UsageReport / UsageClient = "usage" {
        /// What was spent since a time, by model.
        unary since [View] (UsageSince) -> UsageSummary;
        /// What was spent since a time, by day, session, model or job.
        unary by [View] (UsageBy) -> UsageTable;
        /// Walks the engine's own record of everything that left, and says whether it is as it was written.
        unary verify_record [View] (Empty) -> RecordVerdict;
    }
}

/// Since when to add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsageSince {
    /// The begin; a client gives its own midnight for “today”.
    pub since: TimeMs,
}

/// Asks for sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsageBy {
    /// The begin.
    pub since: TimeMs,
    /// By what to add up.
    pub group: UsageGroup,
}

/// By what to add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UsageGroup {
    /// By day (UTC), in order.
    Day,
    /// By session, the dearest first.
    Session,
    /// By model, the dearest first.
    Model,
    /// By job, the dearest first.
    Job,
}

/// Sums by group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsageTable {
    /// One for each group.
    pub rows: Vec<UsageRow>,
}

/// The sums of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsageRow {
    /// The day, or the id of the session or job, or the model; empty where that was not noted.
    pub key: String,
    /// The session's title, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// Requests.
    pub requests: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of these, from a cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost of those whose price is known.
    pub cost: MicroUsd,
    /// How many have no known price.
    pub unpriced: u64,
}

/// What was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsageSummary {
    /// The sum of those whose price is known.
    pub cost: MicroUsd,
    /// How many requests have no known price: the sum is at least this.
    pub unpriced: u64,
    /// By model, the dearest first.
    pub models: Vec<ModelUsage>,
}

/// What one model cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelUsage {
    /// `provider/model`.
    pub model: String,
    /// Requests that were sent.
    pub requests: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost.
    pub cost: MicroUsd,
}

/// Whether the record is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecordVerdict {
    /// How many records stand in order before the first that does not.
    pub records: u64,
    /// The position of the first record that is missing, was changed, or stands in another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub broken_at: Option<u64>,
    /// Requests through a server whose own word of what it sent is what was approved.
    #[serde(default)]
    #[ts(as = "Option<u64>", optional)]
    pub compared: u64,
    /// Requests of which the server says something else, or nothing.
    #[serde(default)]
    #[ts(as = "Option<u64>", optional)]
    pub alarms: u64,
}
