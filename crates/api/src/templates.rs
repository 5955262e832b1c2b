//! `templates`: the texts in which a plan is handed to an agent.

use crate::{PlanId, ProjectId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Templates.
    pub service Templates / TemplatesClient = "templates" {
        /// The templates of a project, and the files of it that would be some if they were trusted, with their texts.
        unary list [Files] (ListTemplates) -> TemplateList;
        /// A plan, or a step of it, in a template. Takes what may be handed over, as `terminals.hand_over` does. The template may be
        /// a trusted file of the project, with its text.
        unary render [Files] (RenderTemplate) -> RenderedTemplate;
        /// Gives a project a text of its own for a template, or takes it back.
        unary save [Account] (SaveTemplate) -> TemplateList;
        /// Trusts a file of the project as it is now, or no more. A file that changes is not trusted any more.
        unary trust [Account] (TrustTemplate) -> TemplateList;
    }
}

/// Names a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListTemplates {
    /// The project.
    pub project: ProjectId,
}

/// Where a text that a project may have of its own comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TextOrigin {
    /// Built in.
    BuiltIn,
    /// Given by a person for this project.
    Own,
    /// A file of the project that a person trusts.
    File,
    /// A file of the project that nobody trusts. It is shown and never used.
    Untrusted,
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// What it is for; empty unless it is built in.
    pub about: String,
    /// Its text, with `{{IMPLEMENTATION_PLAN}}`, `{{TASK_DESCRIPTION}}` and `{{STEP_CONTENT}}`.
    pub text: String,
    /// Where it comes from.
    pub origin: TextOrigin,
    /// SHA-256 of the text, in hexadecimal: to be named when a file is trusted, and as the base of what is stored in its place.
    pub hash: String,
}

/// Templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TemplateList {
    /// By name; an untrusted file stands beside the template that is used.
    pub templates: Vec<Template>,
}

/// Asks for a text to hand over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RenderTemplate {
    /// The template.
    pub template: String,
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown. If the plan is in another one by now, the answer is `conflict`, reason `plan_changed`: a step
    /// may have another number. Absent, the plan is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<u32>,
    /// The step for `{{STEP_CONTENT}}`, by number; all that may be handed over when absent.
    #[serde(default)]
    #[ts(optional)]
    pub step: Option<u32>,
    /// Whether steps about which nothing was decided are taken too.
    #[serde(default)]
    pub all: bool,
}

/// A text to hand over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RenderedTemplate {
    /// The text.
    pub text: String,
}

/// A text for a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaveTemplate {
    /// The project.
    pub project: ProjectId,
    /// The template's name.
    pub name: String,
    /// Its text; what is built in, or the trusted file, counts again when absent.
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
pub struct TrustTemplate {
    /// The project.
    pub project: ProjectId,
    /// The template's name.
    pub name: String,
    /// The hash that was shown; absent to trust it no more.
    #[serde(default)]
    #[ts(optional)]
    pub hash: Option<String>,
}
