//! What a model is asked about plans that exist: to complete one that was cut, to make one of several, to change one step.
//!
//! The first two make a new plan, so that nothing is lost by them; the third makes a new version of the same plan, and
//! only if the step was not changed meanwhile.

use crate::error::database;
use crate::question::{Part, Question};
use crate::questions::{self, workflow};
use crate::wire::{Ending, PlanBase, PlanInput};
use crate::workflow::{answer, failed, sent};
use crate::{Inner, plan_view, prompts};
use ::jobs::{Outcome, StepContext, StepError};
use api::PlanId;
use api::jobs::Job;
use api::plans::PlanState;
use api::review::{AskStep, CompletePlan, MergeByModel};
use plan::{Document, Parser};
use rpc::{ApiError, Caller, ErrorCode};
use store::jobs::JobRow;

/// The longest wish, in bytes.
const MAX_WISH: usize = 16 << 10;

/// The steps that have arrived whole, and what there is of one that has not.
fn halves(document: Document) -> (Document, Option<plan::Step>) {
    let (whole, broken): (Vec<_>, Vec<_>) = document.steps.into_iter().partition(|step| step.complete);
    (Document { title: document.title, steps: whole, ..Document::default() }, broken.into_iter().next())
}

/// A document in the wire form without its end, so that a further answer can follow.
fn open_end(document: &Document) -> String {
    let text = plan::export::xml(document);
    text.trim_end().strip_suffix("</plan>").unwrap_or(&text).to_owned()
}

fn too_long(wish: Option<&str>) -> Result<(), ApiError> {
    if wish.is_some_and(|wish| wish.len() > MAX_WISH) {
        let message = format!("The wish is longer than {MAX_WISH} bytes. Say it shorter; nothing was sent.");
        return Err(ApiError::invalid("wish_too_long", message));
    }
    Ok(())
}

impl Inner {
    /// The question of a plan job about plans that exist: the plain question for a plan, with more to it.
    pub(crate) async fn question_about(
        &self,
        base: &PlanBase,
        plain: Question,
    ) -> Result<Question, ApiError> {
        let mut question = plain;
        let mut part = |name: &str, text: String| question.parts.push(Part::new(name, text));
        let (purpose, more) = match base {
            PlanBase::Complete { plan, version } => {
                let row = self.plan_row(&plan.as_str().into()).await?;
                let (whole, broken) = halves(self.version(&row, Some(*version)).await?.document);
                part("begun", plan::export::xml(&whole));
                if let Some(step) = broken {
                    part("broken", plan::export::xml(&Document { steps: vec![step], ..Document::default() }));
                }
                ("the rest of a plan that was cut", prompts::COMPLETE)
            }
            PlanBase::Merge { plans, wish } => {
                let ids: Vec<PlanId> = plans.iter().map(|id| id.as_str().into()).collect();
                let (_, found) = self.several(&ids).await?;
                let documents: Vec<&Document> = found.iter().map(|(_, current)| &current.document).collect();
                for (at, document) in documents.iter().enumerate() {
                    part(&format!("plan-{}", at + 1), plan::export::xml(document));
                }
                let alignment = tokio::task::block_in_place(|| plan::align(&documents));
                let lines = alignment.disagreements.iter().map(|d| format!("{}: {}\n", d.path, d.message));
                part("disagreements", lines.collect());
                if let Some(wish) = wish {
                    part("wish", wish.clone());
                }
                ("one plan made of several", prompts::MERGE)
            }
            PlanBase::Step { plan, step, wish, .. } => {
                let row = self.plan_row(&plan.as_str().into()).await?;
                let current = self.version(&row, None).await?;
                let one = current.step(step)?;
                part("plan", plan::export::xml(&current.document));
                part("step", plan::export::xml(&Document { steps: vec![one], ..Document::default() }));
                part("wish", wish.clone());
                ("a change of one step of a plan", prompts::STEP)
            }
        };
        question.purpose = purpose.to_owned();
        question.prompts.push(more);
        Ok(question)
    }

    /// What stands before a plan's answer: the steps of the plan that it completes.
    pub(crate) async fn answer_before(&self, job: &JobRow) -> Result<Option<String>, ApiError> {
        let input: PlanInput = questions::input(job)?;
        let Some(PlanBase::Complete { plan, version }) = input.base else { return Ok(None) };
        let row = self.plan_row(&plan.as_str().into()).await?;
        let (whole, _) = halves(self.version(&row, Some(version)).await?.document);
        Ok(Some(open_end(&whole)))
    }

    async fn ask_about(
        &self,
        session: String,
        base: PlanBase,
        model: Option<String>,
    ) -> Result<Job, ApiError> {
        let model = self.model_for_job(model).await?;
        let (name, plan) = match base {
            PlanBase::Step { .. } => (workflow::STEP, None),
            _ => (workflow::PLAN, Some(self.new_id())),
        };
        let input = serde_json::to_string(&PlanInput { model, base: Some(base) })
            .map_err(|e| ApiError::internal(e.to_string()))?;
        let row = JobRow {
            note: "Prepares what would be sent.".to_owned(),
            plan_id: plan,
            ..JobRow::queued(self.new_id(), session, name, input, self.now())
        };
        self.enqueue(row).await
    }

    pub(crate) async fn complete_plan(&self, request: CompletePlan) -> Result<Job, ApiError> {
        let plan = self.plan(&request.plan).await?;
        if plan.state != PlanState::Cut {
            let message = "Only a plan that was cut can be completed. Nothing was sent.";
            return Err(ApiError::new(ErrorCode::Conflict, "plan_not_cut", message));
        }
        let base = PlanBase::Complete { plan: request.plan.0, version: plan.version };
        self.ask_about(plan.session.0, base, request.model).await
    }

    pub(crate) async fn merge_by_model(&self, request: MergeByModel) -> Result<Job, ApiError> {
        too_long(request.wish.as_deref())?;
        let (session, _) = self.several(&request.plans).await?;
        let plans = request.plans.into_iter().map(|id| id.0).collect();
        let wish = request.wish.filter(|wish| !wish.trim().is_empty());
        self.ask_about(session, PlanBase::Merge { plans, wish }, request.model).await
    }

    pub(crate) async fn ask_step(&self, request: AskStep) -> Result<Job, ApiError> {
        too_long(Some(&request.wish))?;
        if request.wish.trim().is_empty() {
            let message = "Say what is to change in the step. Nothing was sent.";
            return Err(ApiError::invalid("wish_empty", message));
        }
        let row = self.finished_row(&request.plan).await?;
        let current = self.version(&row, None).await?;
        if current.number != request.version {
            return Err(crate::review::conflict(current.number));
        }
        let before = current.step(&request.step)?;
        let base = PlanBase::Step {
            plan: request.plan.0,
            step: request.step,
            was: plan::export::xml(&Document { steps: vec![before], ..Document::default() }),
            wish: request.wish,
        };
        self.ask_about(row.session_id, base, request.model).await
    }

    /// Whether a step of the present version is this one.
    async fn step_is(&self, plan: &PlanId, step: &str, wanted: &plan::Step) -> Result<bool, ApiError> {
        let row = self.finished_row(plan).await?;
        let present = self.version(&row, None).await?.step(step)?;
        let text = |step: &plan::Step| {
            plan::export::xml(&Document { steps: vec![step.clone()], ..Document::default() })
        };
        Ok(text(&present) == text(wanted))
    }

    /// Notes from which step of which plan each step of a merged plan comes: the one that it is most like.
    pub(crate) async fn note_sources(&self, job: &JobRow, plan: &str) -> Result<(), ApiError> {
        let input: PlanInput = questions::input(job)?;
        let Some(PlanBase::Merge { plans, .. }) = input.base else { return Ok(()) };
        let row = self.plan_row(&plan.into()).await?;
        let merged = self.version(&row, None).await?;
        let ids: Vec<PlanId> = plans.iter().map(|id| id.as_str().into()).collect();
        let (_, found) = self.several(&ids).await?;
        let mut documents = vec![&merged.document];
        documents.extend(found.iter().map(|(_, current)| &current.document));
        let alignment = tokio::task::block_in_place(|| plan::align(&documents));
        let source = |at: usize| {
            let row =
                alignment.rows.iter().find(|row| row.steps.iter().any(|s| s.plan == 0 && s.step == at))?;
            let from = row.steps.iter().find(|s| s.plan > 0)?;
            Some(api::review::StepSource {
                plan: ids.get(from.plan - 1)?.clone(),
                step: plan_view::count(from.step + 1),
            })
        };
        let note = format!("Made by a model from {} plans.", ids.len());
        self.store_first_version(&row, &merged.document, source, &note).await
    }
}

/// Puts the changed step into its plan.
pub(crate) async fn apply_step(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    let job = &context.job;
    let input: PlanInput = questions::input(job).map_err(failed)?;
    let Some(PlanBase::Step { plan, step, was, wish }) = input.base else {
        return Err(StepError::Failed("The stored job cannot be read.".to_owned()));
    };
    let sent = sent(context, "")?;
    let answer = answer(inner, job).await?;
    let mut parser = Parser::new();
    parser.push(&answer);
    let (document, _) = parser.finish(sent.ending.for_plan());
    let mut steps = document.steps.into_iter();
    let (Some(changed), None) = (steps.next().filter(|step| step.complete), steps.next()) else {
        let why: String = sent.alarm.iter().chain(&sent.trouble).map(|why| format!(" {why}")).collect();
        return Err(StepError::Failed(format!(
            "The model's answer is not one whole step.{why} The plan is as it was, and the answer is kept."
        )));
    };
    if sent.ending == Ending::Canceled {
        return Err(StepError::Canceled);
    }
    let by = Caller::owner(format!("model {}", input.model.unwrap_or_default()));
    let alarm = sent.alarm.map(|alarm| format!(" {alarm}")).unwrap_or_default();
    let note = format!("A model changed a step: {}{alarm}", wish.lines().next().unwrap_or_default());
    let plan = PlanId(plan);
    if inner.step_is(&plan, &step, &changed).await.map_err(failed)? {
        // Done in a run that ended before it could say so.
        return Ok(Outcome::Done("unchanged".to_owned()));
    }
    match inner.replace_step(&by, &plan, &step, &was, changed, note).await {
        Ok(version) => Ok(Outcome::Done(format!("version {version}"))),
        Err(e) => Err(failed(e)),
    }
}

/// What is stored of a plan's answer before the model is asked: the steps that it follows, or nothing.
pub(crate) async fn begun_text(inner: &Inner, plan: &str) -> Result<String, ApiError> {
    let row = inner.plan_row(&plan.into()).await?;
    inner.store.read(move |db| store::plans::answer(db, &row)).await.map_err(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_open_end_is_read_with_it() {
        let step =
            |title: &str, complete| plan::Step { title: title.into(), complete, ..plan::Step::default() };
        let cut = Document {
            title: "T".into(),
            steps: vec![step("one", true), step("tw", false)],
            ..Document::default()
        };
        let (whole, broken) = halves(cut);
        assert_eq!((whole.steps.len(), broken.unwrap().title.as_str()), (1, "tw"));
        let mut parser = Parser::new();
        parser.push(&open_end(&whole));
        parser.push("Here is the rest:\n<plan>\n<step title=\"two\"><why>w</why></step>\n</plan>\n");
        let (document, state) = parser.finish(plan::Ending::Finished);
        let titles: Vec<&str> = document.steps.iter().map(|step| step.title.as_str()).collect();
        assert_eq!((titles, state), (vec!["one", "two"], plan::State::Complete));
    }
}
