//! `projects`: the folders that may be read. Nothing outside a granted root is ever opened.

use crate::{Empty, ProjectId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Granted project roots.
    pub service Projects / ProjectsClient = "projects" {
        /// Every granted root, the one used last first.
        unary list [View] (Empty) -> ProjectList;
        /// Grants a folder. Granting one twice returns the same project.
        unary grant [Grant] (GrantProject) -> Project;
        /// Withdraws a grant at once. Sessions and plans are kept; the folder can no longer be read.
        unary withdraw [Grant] (WithdrawProject) -> Empty;
    }
}

/// A granted root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The folder's own name.
    pub name: String,
    /// The folder, absolute and without symbolic links.
    pub path: String,
    /// Whether the folder exists now.
    pub present: bool,
    /// When it was granted.
    pub granted_at: TimeMs,
}

/// The granted roots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProjectList {
    /// The one used last first.
    pub projects: Vec<Project>,
}

/// Asks to grant a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GrantProject {
    /// An absolute path.
    pub path: String,
}

/// Names a project whose grant ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WithdrawProject {
    /// The project.
    pub project: ProjectId,
}
