//! `events`: one stream that says what changed, so that a client re-reads just that.

use crate::Empty;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Changes.
    pub service Events / EventsClient = "events" {
        /// Follows every change from now on, beginning with one [`Change`] of kind `ready`.
        stream watch [View] (Empty) -> Change;
    }
}

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The stream is open: whatever is read from now on is followed.
    Ready,
    /// A project was granted or withdrawn.
    Project,
    /// A session, its task, or its files.
    Session,
    /// An approval was asked for or answered.
    Approval,
    /// A plan or one of its steps.
    Plan,
    /// A job's state.
    Job,
    /// Settings.
    Settings,
    /// Sign-in, providers or models.
    Account,
    /// A terminal was started, ended, resized or forgotten; never its output.
    Terminal,
    /// A paired device, or the link to the relay.
    Device,
    /// Changes were missed because this client was too slow: re-read everything shown.
    Gap,
}

/// Something changed. Idempotent: it names the thing, the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Change {
    /// The kind of thing.
    pub topic: Topic,
    /// Its id; empty where the topic has only one.
    pub id: String,
    /// The session it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<String>,
}
