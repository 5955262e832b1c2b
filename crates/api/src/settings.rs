//! `settings`: what the engine keeps to, whatever client asks.

use crate::{Empty, MicroUsd};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Settings of the engine.
    pub service SettingsService / SettingsClient = "settings" {
        /// The settings as they are.
        unary get [View] (Empty) -> Settings;
        /// Replaces all of them.
        unary set [Account] (Settings) -> Settings;
    }
}

/// The settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Settings {
    /// The most that may be spent in any 24 hours. A request that could exceed it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub day_budget: Option<MicroUsd>,
    /// The most that may be spent in one session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session_budget: Option<MicroUsd>,
    /// For how many days after its job has ended the text of a request and of its answer is kept; 0 for ever, 90 days when
    /// absent. Tasks, plans, manifests and the record are kept until a person deletes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub keep_requests_days: Option<u32>,
}
