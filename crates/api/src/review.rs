//! What `plans` says about versions, decisions, several plans, and plans beside what has happened.

use crate::plans::{Operation, Plan};
use crate::{PlanId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person decided about a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing yet.
    #[default]
    Open,
    /// It may be carried out.
    Accepted,
    /// It may not.
    Rejected,
}

/// A remark about a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Comment {
    /// What was said.
    pub text: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: TimeMs,
}

/// A step of another plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepSource {
    /// The plan.
    pub plan: PlanId,
    /// The step's number in it.
    pub step: u32,
}

/// The content of a step, as a person writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepContent {
    /// What it does.
    pub title: String,
    /// Why it is needed.
    pub why: String,
    /// `high`, `medium`, `low`, or empty.
    #[serde(default)]
    pub confidence: String,
    /// Numbers of the steps that must come before.
    #[serde(default)]
    pub depends: Vec<u32>,
    /// What happens to which file.
    pub operations: Vec<Operation>,
    /// Commands that a person may run.
    #[serde(default)]
    pub commands: Vec<String>,
    /// How to see that it worked.
    #[serde(default)]
    pub checks: Vec<String>,
}

/// Changes, adds, moves or removes one step. A `version` that is not the current one is a `conflict`, and nothing is
/// changed; so it is for every request here that carries one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EditStep {
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown.
    pub version: u32,
    /// The step's id; a new step when absent.
    #[serde(default)]
    #[ts(optional)]
    pub step: Option<String>,
    /// Its new content. Absent with a `step`: the content stays, or the step goes if there is no `position` either.
    #[serde(default)]
    #[ts(optional)]
    pub content: Option<StepContent>,
    /// The number that it is to have; a new step comes last when absent.
    #[serde(default)]
    #[ts(optional)]
    pub position: Option<u32>,
}

/// Carries out the repair of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RepairStep {
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown.
    pub version: u32,
    /// The step's id.
    pub step: String,
    /// The finding among those of the step, from 0.
    pub finding: u32,
    /// The code of the finding that was shown there. Findings may change without a new version, because the project does;
    /// where another one stands there now, the answer is `conflict`, reason `finding_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<String>,
    /// The operation of the finding that was shown there, from 0; compared when `code` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub operation: Option<u32>,
}

/// Decides about steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DecideSteps {
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown.
    pub version: u32,
    /// The ids of the steps; all of them when empty.
    #[serde(default)]
    pub steps: Vec<String>,
    /// The decision.
    pub decision: Decision,
    /// Whether errors that the check found do not keep the step from being handed over.
    #[serde(default)]
    pub override_errors: bool,
}

/// Says something about a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommentStep {
    /// The plan.
    pub plan: PlanId,
    /// The step's id.
    pub step: String,
    /// What to say.
    pub text: String,
}

/// How a version came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A model's answer.
    Model,
    /// Made from several plans.
    Merge,
    /// Made without a model.
    Draft,
    /// A step was changed, added, moved or removed by hand.
    Edit,
    /// A finding was repaired.
    Repair,
    /// A model changed one step.
    StepChange,
    /// An earlier version was taken up again.
    Revert,
}

/// A version of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanVersion {
    /// Its number, from 1.
    pub number: u32,
    /// How it came about.
    pub origin: Origin,
    /// What was done, in words.
    pub note: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: TimeMs,
}

/// The versions of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanVersions {
    /// The oldest first.
    pub versions: Vec<PlanVersion>,
}

/// Names two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffPlan {
    /// The plan.
    pub plan: PlanId,
    /// The first.
    pub from: u32,
    /// The second.
    pub to: u32,
}

/// In which version a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DiffSide {
    /// The first only.
    Removed,
    /// The second only.
    Added,
    /// Both.
    Both,
}

/// A line of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffLine {
    /// Where it stands.
    pub side: DiffSide,
    /// The line.
    pub text: String,
}

/// A step that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepDiff {
    /// Its id.
    pub step: String,
    /// Its number in the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<u32>,
    /// Its number in the second version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub after: Option<u32>,
    /// Its title.
    pub title: String,
    /// Its lines; none where only its number differs.
    pub lines: Vec<DiffLine>,
}

/// What differs between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanDiff {
    /// The steps that differ.
    pub steps: Vec<StepDiff>,
}

/// Takes up an earlier version again, as a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RevertPlan {
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown.
    pub version: u32,
    /// The version to take up.
    pub to: u32,
}

/// Names two to five plans of one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ComparePlans {
    /// The plans.
    pub plans: Vec<PlanId>,
}

/// Steps of different plans that do the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ComparedRow {
    /// At most one step of each plan.
    pub steps: Vec<StepSource>,
    /// The files that they touch.
    pub files: Vec<String>,
}

/// Where plans contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Disagreement {
    /// A stable word: `kinds`, `targets` or `changes`.
    pub code: String,
    /// The file.
    pub path: String,
    /// In words.
    pub message: String,
    /// The steps.
    pub steps: Vec<StepSource>,
}

/// Plans side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Comparison {
    /// The plans, with their steps.
    pub plans: Vec<Plan>,
    /// Steps beside each other.
    pub rows: Vec<ComparedRow>,
    /// Where they contradict each other.
    pub disagreements: Vec<Disagreement>,
}

/// Makes a plan of chosen steps of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MergePlans {
    /// Its title; that of the first plan when absent.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
    /// The steps, in the order that they are to have.
    pub steps: Vec<StepSource>,
    /// The versions in which the plans were shown. If one is in another by now, the answer is `conflict`, reason `plan_changed`: a
    /// step may have another number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<ShownPlan>>", optional)]
    pub shown: Vec<ShownPlan>,
}

/// A plan as it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShownPlan {
    /// The plan.
    pub plan: PlanId,
    /// Its version.
    pub version: u32,
}

/// Asks how far a plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetPlanStatus {
    /// The plan.
    pub plan: PlanId,
    /// The commit to compare with, its full id; what was noted when the plan was made when absent.
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
}

/// How far a step or an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// All of it has happened.
    Done,
    /// Some of it has.
    Partly,
    /// Nothing of it has.
    Untouched,
    /// It names no file, so nothing can be seen.
    Unseen,
}

/// An operation beside what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OperationStatus {
    /// The file.
    pub path: String,
    /// How far it is.
    pub progress: Progress,
    /// Why, in words.
    pub why: String,
}

/// A step beside what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepStatus {
    /// Its number.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// How far it is.
    pub progress: Progress,
    /// Its operations.
    pub operations: Vec<OperationStatus>,
}

/// A plan beside what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanStatus {
    /// The commit that was compared with; absent where only noted hashes were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub base: Option<String>,
    /// Whether files that no step names could be told, too.
    pub whole: bool,
    /// The steps.
    pub steps: Vec<StepStatus>,
    /// Changed files that no step names.
    pub unplanned: Vec<String>,
}

/// Writes a plan into the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavePlan {
    /// The plan.
    pub plan: PlanId,
    /// The file's name below `.plantocode/plans`, without an ending; made from the title when absent.
    #[serde(default)]
    #[ts(optional)]
    pub name: Option<String>,
}

/// Where a plan was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedPlan {
    /// The file, relative to the project. Another one of that name stays; then this one has a number.
    pub path: String,
}

/// Makes a draft without a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DraftPlan {
    /// For the task and the ranked files of this session.
    pub session: SessionId,
}

/// Asks for the rest of a plan that was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CompletePlan {
    /// The plan.
    pub plan: PlanId,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}

/// Asks for one plan made of several by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MergeByModel {
    /// Two to five plans of one session.
    pub plans: Vec<PlanId>,
    /// What the person wants of the merge.
    #[serde(default)]
    #[ts(optional)]
    pub wish: Option<String>,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}

/// Asks for a change of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AskStep {
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown.
    pub version: u32,
    /// The step's id.
    pub step: String,
    /// What is to change in it.
    pub wish: String,
    /// `provider/model`; the default one when absent.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
}
