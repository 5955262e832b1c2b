//! What is stored of a version's steps. Members are only ever added.

use api::review::StepSource;
use serde::{Deserialize, Serialize};

/// A step of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredStep {
    /// The same in every version.
    pub id: String,
    /// The step of another plan that it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<StepSource>,
    /// Whether the answer ended inside of this step: the stored text does not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}
