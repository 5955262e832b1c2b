//! `sessions`: one task on its way from words to code.

use crate::{Empty, ProjectId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Sessions and their tasks.
    pub service Sessions / SessionsClient = "sessions" {
        /// The sessions of a project, or of all, the one changed last first, without their tasks; page by page.
        unary list [View] (ListSessions) -> SessionList;
        /// Begins a session.
        unary create [Edit] (CreateSession) -> Session;
        /// One session.
        unary get [View] (GetSession) -> Session;
        /// Stores the task's text. When `base_version` is not the current one: with a `base_text`, both edits are put
        /// together and the session that is returned has the result; without it, that is a `conflict`, and the stored
        /// text stays as it is.
        unary save_task [Edit] (SaveTask) -> Session;
        /// Removes a session with its files, plans and jobs. Audit records stay.
        unary delete [Edit] (GetSession) -> Empty;
        /// Writes a session to a new folder on the machine of the engine: the task and the plans to be read, and one file
        /// from which the session can be made again elsewhere. No request, no key.
        unary export [Account] (ExportSession) -> ExportedSession;
        /// Makes a session of a project from an exported one. Its plans are checked against this project, and what others
        /// decided about them does not count here.
        unary import [Account] (ImportSession) -> Session;
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The project it works on.
    pub project: ProjectId,
    /// The task's first line, shortened.
    pub title: String,
    /// The task in the person's words; empty in lists.
    pub task: String,
    /// Counts the saves of the task.
    pub task_version: u32,
    /// When it began.
    pub created_at: TimeMs,
    /// When anything in it changed last.
    pub updated_at: TimeMs,
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListSessions {
    /// Only those of this project.
    #[serde(default)]
    #[ts(optional)]
    pub project: Option<ProjectId>,
    /// Only those after a page, by its `next`.
    #[serde(default)]
    #[ts(optional)]
    pub after: Option<String>,
    /// How many, up to 500; 500 when absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionList {
    /// The one changed last first.
    pub sessions: Vec<Session>,
    /// What to ask for to get those after these; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// Begins a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CreateSession {
    /// The project to work on.
    pub project: ProjectId,
    /// The task; may be empty at first.
    pub task: String,
}

/// Names a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetSession {
    /// The session.
    pub session: SessionId,
}

/// A new text for the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaveTask {
    /// The session.
    pub session: SessionId,
    /// The whole text.
    pub text: String,
    /// The version this text was made from.
    pub base_version: u32,
    /// The text of that version. When it is given and the task was changed meanwhile, both changes are kept: the words
    /// of this text and those of the stored one are put together.
    #[serde(default)]
    #[ts(optional)]
    pub base_text: Option<String>,
}

/// Exports a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportSession {
    /// The session.
    pub session: SessionId,
    /// The folder to make, absolute. An existing one is never written into.
    pub folder: String,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportedSession {
    /// The folder.
    pub folder: String,
    /// The files in it, relative to it.
    pub files: Vec<String>,
}

/// Imports a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportSession {
    /// The project it is to work on.
    pub project: ProjectId,
    /// The folder that `export` wrote, absolute.
    pub folder: String,
}
