//! `events`: one stream that says what changed, so that a client re-reads just that.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Changes.
    pub service Events / EventsClient = "events" {
        /// Follows every change, beginning with one [`Change`] of kind `ready`. With a cursor, what was missed since
        /// comes next, or a `gap` where that is no longer known; without one, changes from now on.
        stream watch [View] (WatchEvents) -> Change;
    }
}

/// Asks for changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WatchEvents {
    /// The cursor of the last change that was seen, also before a restart of the engine or a lost link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since: Option<String>,
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
    /// A prompt of a project, or the trust in a file with one; the id is the project's. Files are not watched.
    Prompt,
    /// A template of a project, or the trust in a file with one; the id is the project's. Files are not watched.
    Template,
    /// Sign-in, providers or models.
    Account,
    /// A terminal was started, ended, resized or forgotten; never its output.
    Terminal,
    /// A paired device, or the link to the relay.
    Device,
    /// Changes were missed, because this client was too slow or away too long: re-read everything shown.
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
    /// Where this change stands: a client that comes back gives the last one it saw.
    #[serde(default)]
    pub cursor: String,
}
