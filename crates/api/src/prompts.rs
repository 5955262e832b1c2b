//! `prompts`: what models are told to do. Each has a default with a version; a project can have a text of its own, kept here
//! or, if a person trusts it, in a file of the project.

use crate::ProjectId;
use crate::templates::TextOrigin;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Prompts.
    pub service Prompts / PromptsClient = "prompts" {
        /// The prompts of a project: what is used, and files of the project that would be if they were trusted, with their
        /// texts.
        unary list [Files] (ListPrompts) -> PromptList;
        /// How a project's text differs from the default.
        unary diff [Files] (DiffPrompt) -> PromptDiff;
        /// Gives a project a text of its own for a prompt, or takes it back.
        unary save [Account] (SavePrompt) -> PromptList;
        /// Trusts a file of the project as it is now, or no more. A file that changes is not trusted any more.
        unary trust [Account] (TrustPrompt) -> PromptList;
    }
}

/// Names a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListPrompts {
    /// The project.
    pub project: ProjectId,
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Its text. `BOUNDARY` stands for the end of every tag, which is drawn anew for each request.
    pub text: String,
    /// Where the text comes from.
    pub origin: TextOrigin,
    /// The version of the default as it is now.
    pub version: u32,
    /// The version of the default from which a text of one's own was made. When it is not `version`, the default has
    /// changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub made_from: Option<u32>,
    /// SHA-256 of the text, in hexadecimal: to be named when a file is trusted, and as the base of what is stored in its place.
    pub hash: String,
}

/// Prompts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PromptList {
    /// By name; an untrusted file stands beside the prompt that is used.
    pub prompts: Vec<Prompt>,
}

/// Asks how a text differs from the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffPrompt {
    /// The project.
    pub project: ProjectId,
    /// The prompt.
    pub name: String,
    /// Whether the untrusted file is compared, and not the text that is used.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub untrusted: bool,
}

/// How a text differs from the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PromptDiff {
    /// In unified form; empty when they are the same.
    pub text: String,
}

/// A text for a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavePrompt {
    /// The project.
    pub project: ProjectId,
    /// The prompt's name.
    pub name: String,
    /// Its text; the trusted file, or the default, counts again when absent.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<String>,
    /// The hash of the text in whose place it is stored, as whoever wrote it saw it; empty when there was none. If another
    /// text is used by now, nothing is stored. Absent, it is stored in any case.
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

/// Trusts a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TrustPrompt {
    /// The project.
    pub project: ProjectId,
    /// The prompt's name.
    pub name: String,
    /// The hash that was shown; absent to trust it no more.
    #[serde(default)]
    #[ts(optional)]
    pub hash: Option<String>,
}
