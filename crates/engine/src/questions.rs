//! What each stage of each workflow asks.

use crate::error::{damaged, database};
use crate::question::{FilePart, Part, Question, Tree};
use crate::wire::{ImproveInput, PlanBase, PlanInput, RefineInput};
use crate::{Inner, find, prompts, research};
use api::PlanId;
use api::discovery::RankReason;
use rpc::ApiError;
use std::collections::BTreeMap;
use store::files::FileRow;
use store::jobs::JobRow;
use store::sessions::SessionRow;

/// The most tokens an answer with a plan may have: about 200 steps.
const PLAN_OUTPUT: u64 = 16_000;

/// What a plan's answer usually has: a fixed part, and a part for each file. From plans of ten to twenty files.
const PLAN_USUAL: (u64, u64) = (1_500, 250);

/// The most tokens an answer with a list may have.
const LIST_OUTPUT: u64 = 4_000;

/// The most tokens an answer with a text may have.
const TEXT_OUTPUT: u64 = 4_000;

/// The outputs of the steps that have ended, by name.
pub(crate) type Outputs = BTreeMap<String, String>;

/// The workflows that ask a model.
pub(crate) mod workflow {
    /// A plan of a change.
    pub(crate) const PLAN: &str = "plan";
    /// A change of one step of a plan.
    pub(crate) const STEP: &str = "step";
    /// A search for files with a model.
    pub(crate) const FIND: &str = "find";
    /// A task put precisely.
    pub(crate) const REFINE: &str = "refine";
    /// A passage of a task in better words.
    pub(crate) const IMPROVE: &str = "improve";
    /// Questions for the web.
    pub(crate) const RESEARCH: &str = "research";
    /// An answer from the web to one of them.
    pub(crate) const LOOK_UP: &str = "look_up";
}

/// The input of a job, as its workflow stores it.
pub(crate) fn input<T: serde::de::DeserializeOwned>(job: &JobRow) -> Result<T, ApiError> {
    serde_json::from_str(&job.input).map_err(|_| damaged("job"))
}

/// The plans that a job was asked about.
pub(crate) fn about(job: &JobRow) -> Result<Vec<PlanId>, ApiError> {
    if !matches!(job.workflow.as_str(), workflow::PLAN | workflow::STEP) {
        return Ok(Vec::new());
    }
    let base = input::<PlanInput>(job)?.base;
    Ok(base.map(PlanBase::plans).unwrap_or_default().into_iter().map(Into::into).collect())
}

/// The model that a job was started with.
pub(crate) fn model(job: &JobRow) -> Result<Option<String>, ApiError> {
    // Every input has it under the same name.
    input::<PlanInput>(job).map(|input| input.model)
}

impl Inner {
    /// What a job asks at a stage.
    pub(crate) async fn question(
        &self,
        job: &JobRow,
        stage: &str,
        outputs: &Outputs,
    ) -> Result<Question, ApiError> {
        let session = self.session(&job.session_id.as_str().into()).await?;
        if job.workflow == workflow::LOOK_UP {
            // It goes without the task and without anything of the project.
            return Ok(research::look_up(input(job)?));
        }
        if session.task.trim().is_empty() {
            return Err(ApiError::invalid(
                "task_empty",
                "The task is empty. Describe the change first; nothing was sent.",
            ));
        }
        let key = session.id.clone();
        let ranked = self.store.read(move |db| store::files::list(db, &key)).await.map_err(database)?;
        match (job.workflow.as_str(), stage) {
            (workflow::PLAN | workflow::STEP, _) => {
                let input: PlanInput = input(job)?;
                let findings = self.findings_for_plan(&session.id).await?;
                let plain = research::with_findings(plan(&session, &ranked), findings);
                match &input.base {
                    None => Ok(plain),
                    Some(base) => self.question_about(base, plain).await,
                }
            }
            (workflow::RESEARCH, _) => Ok(research::propose(&session)),
            (workflow::REFINE, _) => Ok(refine(&input(job)?, &session, &ranked)),
            (workflow::IMPROVE, _) => Ok(improve(&input(job)?)),
            (workflow::FIND, stage) => find::question(self, &session, &ranked, stage, outputs).await,
            (other, _) => {
                Err(ApiError::internal(format!("This version knows no question of the workflow “{other}”.")))
            }
        }
    }
}

fn ticked(ranked: &[FileRow]) -> Vec<FilePart> {
    ranked.iter().filter(|file| file.included).map(|file| FilePart::whole(&file.path)).collect()
}

fn plan(session: &SessionRow, ranked: &[FileRow]) -> Question {
    let files = ticked(ranked);
    Question {
        purpose: "a plan of the change".to_owned(),
        prompts: vec![prompts::PLAN],
        parts: vec![Part::new("task", &session.task)],
        max_output: PLAN_OUTPUT,
        usual_output: PLAN_USUAL.0 + PLAN_USUAL.1 * files.len() as u64,
        files,
        takes_files: true,
        tree: Some(Tree::NearFiles),
        web: None,
    }
}

fn refine(input: &RefineInput, session: &SessionRow, ranked: &[FileRow]) -> Question {
    // What would be put in the place of another text could not be used.
    let task = if input.text.is_empty() { &session.task } else { &input.text };
    Question {
        purpose: "the task put precisely".to_owned(),
        prompts: vec![prompts::REFINE],
        parts: vec![Part::new("task", task)],
        files: ticked(ranked),
        takes_files: true,
        tree: None,
        max_output: TEXT_OUTPUT,
        usual_output: 300 + task.len() as u64 / 2,
        web: None,
    }
}

fn improve(input: &ImproveInput) -> Question {
    let mut parts = vec![Part::new("text", &input.text), Part::new("passage", &input.passage)];
    parts.extend(input.wish.as_ref().map(|wish| Part::new("wish", wish)));
    Question {
        purpose: "a passage in better words".to_owned(),
        prompts: vec![prompts::IMPROVE],
        parts,
        files: Vec::new(),
        takes_files: false,
        tree: None,
        max_output: TEXT_OUTPUT,
        usual_output: 100 + input.passage.len() as u64 / 3,
        web: None,
    }
}

/// A question whose answer is a list.
pub(crate) fn list(
    purpose: &str,
    prompt: prompts::Default,
    parts: Vec<Part>,
    files: Vec<FilePart>,
    tree: Option<Tree>,
) -> Question {
    Question {
        purpose: purpose.to_owned(),
        prompts: vec![prompt],
        parts,
        usual_output: 200 + 40 * files.len() as u64,
        takes_files: !files.is_empty(),
        files,
        tree,
        max_output: LIST_OUTPUT,
        web: None,
    }
}

/// The reasons of a ranked file.
pub(crate) fn reasons(row: &FileRow) -> Vec<RankReason> {
    serde_json::from_str(&row.reasons).unwrap_or_default()
}
