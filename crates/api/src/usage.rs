//! `usage`: what was spent, and the record of what left.

use crate::{Empty, MicroUsd, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Spending.
    pub service UsageReport / UsageClient = "usage" {
        /// What was spent since a time, by model.
        unary since [View] (UsageSince) -> UsageSummary;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecordVerdict {
    /// How many records stand in order before the first that does not.
    pub records: u64,
    /// The position of the first record that is missing, was changed, or stands in another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub broken_at: Option<u64>,
}
