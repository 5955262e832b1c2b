//! What is stored of a project when a plan is made. Members are only ever added.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A project at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// The commit that was checked out.
    pub head: Option<String>,
    /// SHA-256 of files as they were on disk.
    pub files: BTreeMap<String, String>,
    /// Whether that is every file.
    pub whole: bool,
}
