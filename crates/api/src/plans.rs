//! `plans`: ordered steps that name exact files and operations, each checked against the repository.

use crate::approvals::Destination;
use crate::jobs::Job;
use crate::review::{
    AskStep, Comment, CommentStep, ComparePlans, Comparison, CompletePlan, DecideSteps, Decision, DiffPlan,
    DraftPlan, EditStep, GetPlanStatus, MergeByModel, MergePlans, PlanDiff, PlanStatus, PlanVersions,
    RepairStep, RevertPlan, SavePlan, SavedPlan, StepSource,
};
use crate::sessions::GetSession;
use crate::{JobId, MicroUsd, PlanId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Plans.
    pub service Plans / PlansClient = "plans" {
        /// Starts a plan for the session's task and ticked files. The job first waits for an approval.
        unary start [Run] (StartPlan) -> Job;
        /// The plans of a session, the newest first, without their steps.
        unary list [View] (GetSession) -> PlanList;
        /// One plan with its steps and findings.
        unary get [View] (GetPlan) -> Plan;
        /// Follows a plan while it is written, from its present state to its end.
        stream watch [View] (GetPlan) -> PlanEvent;
        /// Checks the plan again against the repository as it is now.
        unary verify [Files] (GetPlan) -> Plan;
        /// The plan as a document.
        unary export [View] (ExportPlan) -> ExportedPlan;
        /// Changes, adds, moves or removes one step, as a new version. It is checked again.
        unary edit_step [Edit] (EditStep) -> Plan;
        /// Carries out the repair of a finding, as a new version. It is checked again.
        unary repair [Edit] (RepairStep) -> Plan;
        /// Accepts or rejects steps, or takes that back.
        unary decide [Edit] (DecideSteps) -> Plan;
        /// Says something about a step.
        unary comment [Edit] (CommentStep) -> Plan;
        /// The versions of a plan.
        unary versions [View] (GetPlan) -> PlanVersions;
        /// What differs between two versions.
        unary diff [View] (DiffPlan) -> PlanDiff;
        /// Takes up an earlier version again, as a new one.
        unary revert [Edit] (RevertPlan) -> Plan;
        /// Two to five plans side by side, with what they contradict each other in.
        unary compare [View] (ComparePlans) -> Comparison;
        /// A new plan of chosen steps of others, each with where it came from.
        unary merge [Edit] (MergePlans) -> Plan;
        /// Asks a model for the rest of a plan that was cut. What comes of it is a new plan; the cut one stays.
        unary complete [Run] (CompletePlan) -> Job;
        /// Asks a model for one plan made of two to five, with where each step comes from.
        unary merge_by_model [Run] (MergeByModel) -> Job;
        /// Asks a model to change one step. What comes of it is a new version, unless the step was changed meanwhile.
        unary ask_step [Run] (AskStep) -> Job;
        /// A draft without a model: the task, the ranked files and what they define, and open questions.
        unary draft [Edit] (DraftPlan) -> Plan;
        /// What of a plan has been carried out, by the files as they are now.
        unary status [Files] (GetPlanStatus) -> PlanStatus;
        /// Writes a plan into the project's `.plantocode/plans`, never over another file.
        unary save [Edit] (SavePlan) -> SavedPlan;
    }
}

/// Starts a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartPlan {
    /// The session.
    pub session: SessionId,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}

/// Names a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetPlan {
    /// The plan.
    pub plan: PlanId,
}

/// The plans of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PlanList {
    /// The newest first.
    pub plans: Vec<Plan>,
}

/// How far a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Being written.
    Streaming,
    /// Complete.
    Complete,
    /// The answer ended before the plan did. What arrived is kept.
    Cut,
    /// No plan could be read from the answer. The answer is kept.
    Unreadable,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// The session.
    pub session: SessionId,
    /// The job that made it.
    pub job: JobId,
    /// Its title.
    pub title: String,
    /// How far it is.
    pub state: PlanState,
    /// Why it is cut or unreadable, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trouble: Option<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Which version this is, from 1. Requests that change the plan carry it.
    #[serde(default)]
    pub version: u32,
    /// What the answer says outside of its steps.
    #[serde(default)]
    pub outside: Vec<String>,
    /// How many steps it has, also where `steps` is left out.
    pub step_count: u32,
    /// How many findings of severity `error`.
    pub errors: u32,
    /// How many findings of severity `warning`.
    pub warnings: u32,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub served: Option<Destination>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub usage: Option<Usage>,
    /// When it was begun.
    pub created_at: TimeMs,
}

/// What a request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of these, tokens read from a cache.
    pub cached_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// The cost; 0 when the price is not known.
    pub cost: MicroUsd,
    /// Whether the price is not known.
    pub unpriced: bool,
    /// Whether the provider gave no figures and these are estimated.
    pub estimated: bool,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Step {
    /// Position, from 1.
    pub number: u32,
    /// The same in every version.
    #[serde(default)]
    pub id: String,
    /// What was decided about it.
    #[serde(default)]
    pub decision: Decision,
    /// Whether errors that the check found do not keep it from being handed over.
    #[serde(default)]
    pub overridden: bool,
    /// What was said about it.
    #[serde(default)]
    pub comments: Vec<Comment>,
    /// The step of another plan that it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source: Option<StepSource>,
    /// What it does.
    pub title: String,
    /// Why it is needed.
    pub why: String,
    /// `high`, `medium`, `low`, or empty when the model did not say.
    pub confidence: String,
    /// Numbers of the steps that must come before.
    pub depends: Vec<u32>,
    /// What happens to which file.
    pub operations: Vec<Operation>,
    /// Commands that a person may run. They are never run by the engine.
    pub commands: Vec<String>,
    /// How to see that it worked.
    pub checks: Vec<String>,
    /// Whether all of the step has arrived.
    pub complete: bool,
    /// What the check against the repository found.
    pub findings: Vec<Finding>,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A new file.
    Create,
    /// A changed file.
    Modify,
    /// A removed file.
    Delete,
    /// A renamed file.
    Move,
}

/// One operation on one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Operation {
    /// What happens.
    pub kind: OperationKind,
    /// To which file.
    pub path: String,
    /// Where it moves to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<String>,
    /// The function, type or section meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub symbol: Option<String>,
    /// First and last line meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lines: Option<(u32, u32)>,
    /// The change, as text or code.
    pub change: String,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// May be wrong.
    Warning,
    /// Is wrong: the step cannot be carried out as written.
    Error,
}

/// What the check against the repository found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable word for it, such as `path_missing`.
    pub code: String,
    /// In words.
    pub message: String,
    /// The operation it concerns, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub operation: Option<u32>,
    /// What to use instead, where that is known: the nearest path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggestion: Option<String>,
    /// What `plans.repair` would do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub repair: Option<Repair>,
}

/// One change of a step that answers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Repair {
    /// The operation means this path.
    UsePath {
        /// The path.
        path: String,
    },
    /// The operation means this symbol.
    UseSymbol {
        /// The symbol.
        symbol: String,
    },
    /// The symbol is not named.
    DropSymbol,
    /// The operation means these lines.
    UseLines {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// The lines are not named.
    DropLines,
    /// The operation is of this kind.
    UseKind {
        /// The kind.
        operation: OperationKind,
    },
    /// The step does not depend on that one.
    DropDependency {
        /// Its number.
        step: u32,
    },
    /// The operation goes: an earlier one does the same.
    DropOperation,
    /// The file that the operation removes is not made before: all operations on it go, up to this one.
    DropFile,
    /// The step comes directly after that one.
    MoveAfter {
        /// Its number.
        step: u32,
    },
}

/// A plan's progress. Idempotent: each event carries the whole of what it names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanEvent {
    /// The plan as it is when the watch begins, and again when it ends.
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// A step is new or has grown.
    Step {
        /// The step.
        step: Step,
    },
    /// The answer goes on.
    Progress {
        /// Characters received so far.
        characters: u64,
    },
}

/// Which document to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PlanFormat {
    /// For people.
    Markdown,
    /// The wire form.
    Xml,
    /// For programs.
    Json,
    /// The model's answer as it came.
    Raw,
}

/// Asks for a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportPlan {
    /// The plan.
    pub plan: PlanId,
    /// The form.
    pub format: PlanFormat,
    /// One step, by number; the whole plan when absent.
    #[serde(default)]
    #[ts(optional)]
    pub step: Option<u32>,
    /// Only steps that were accepted, and have no error or one that was openly overridden. Drafts are exported too
    /// when this is false.
    #[serde(default)]
    pub accepted_only: bool,
    /// Whether characters that cannot be seen are kept. They are taken out otherwise, except from `raw`.
    #[serde(default)]
    pub keep_invisible: bool,
}

impl ExportPlan {
    /// The whole plan as it is.
    pub fn whole(plan: PlanId, format: PlanFormat) -> ExportPlan {
        ExportPlan { plan, format, step: None, accepted_only: false, keep_invisible: false }
    }
}

/// A plan as a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportedPlan {
    /// The text.
    pub text: String,
}
