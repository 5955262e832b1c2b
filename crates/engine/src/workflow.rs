//! The way of a plan: prepare a manifest, wait for the person, send, check.
//!
//! Each step's output is stored before the next begins, so a plan goes on after a crash. Only `send` spends money;
//! it never does so twice.

use crate::manifest::{self, Choice};
use crate::plan_view::{count, finding, state_name};
use crate::repository::RootRepository;
use crate::wire::{Ending, PlanInput, Sent};
use crate::{Inner, send};
use ::jobs::{JobRow, Outcome, StepContext, StepError, Workflow};
use api::events::Topic;
use futures_util::future::BoxFuture;
use plan::{Document, Parser, Severity, State};
use std::sync::{Arc, Weak};
use store::plans::PlanRow;

pub(crate) const WORKFLOW: &str = "plan";

const PREPARE: &str = "prepare";
const APPROVE: &str = "approve";
const SEND: &str = "send";
const CHECK: &str = "check";

/// The plan workflow of one engine. Holds it weakly: the engine owns the runner that owns this.
pub(crate) struct PlanWorkflow {
    inner: Weak<Inner>,
}

impl PlanWorkflow {
    pub(crate) fn new(inner: &Arc<Inner>) -> PlanWorkflow {
        PlanWorkflow { inner: Arc::downgrade(inner) }
    }

    fn inner(&self) -> Result<Arc<Inner>, StepError> {
        self.inner.upgrade().ok_or_else(|| StepError::Failed("The engine is closing.".to_owned()))
    }
}

impl Workflow for PlanWorkflow {
    fn name(&self) -> &'static str {
        WORKFLOW
    }

    fn steps(&self) -> &'static [&'static str] {
        &[PREPARE, APPROVE, SEND, CHECK]
    }

    fn run(&self, step: &'static str, context: StepContext) -> BoxFuture<'_, Result<Outcome, StepError>> {
        Box::pin(async move {
            let inner = self.inner()?;
            match step {
                PREPARE => prepare(&inner, &context).await,
                APPROVE => approve(&inner, &context).await,
                SEND => {
                    let plan = plan_of(&context.job)?;
                    inner.begin_plan(&context.job, &plan).await?;
                    let sent = send::send(&inner, &context, &plan).await?;
                    json(&sent).map(Outcome::Done)
                }
                CHECK => {
                    let sent: Sent = context
                        .outputs
                        .get(SEND)
                        .and_then(|output| serde_json::from_str(output).ok())
                        .ok_or_else(|| StepError::Failed("The stored answer cannot be read.".to_owned()))?;
                    inner.conclude(&plan_of(&context.job)?, &sent).await?;
                    Ok(Outcome::Done(String::new()))
                }
                other => Err(StepError::Failed(format!("This version knows no step “{other}”."))),
            }
        })
    }

    fn abandoned(&self, job: JobRow) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Ok(inner) = self.inner() else { return };
            if let Some(approval) = &job.approval_id {
                let (id, now) = (approval.clone(), inner.now());
                let withdrawn = inner
                    .store
                    .write(move |db| store::approvals::answer(db, &id, "superseded", "engine", now));
                match withdrawn.await {
                    Ok(true) => inner.bus.tell(Topic::Approval, approval, Some(&job.session_id)),
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "an approval cannot be withdrawn"),
                }
            }
            let Some(plan) = job.plan_id.clone() else { return };
            let sent = Sent { ending: Ending::Canceled, trouble: Some(job.note.clone()) };
            if let Err(error) = inner.conclude(&plan, &sent).await {
                tracing::error!(%error, "an abandoned plan cannot be closed");
            }
        })
    }
}

fn plan_of(job: &JobRow) -> Result<String, StepError> {
    job.plan_id.clone().ok_or_else(|| StepError::Failed("This job has no plan.".to_owned()))
}

fn json(value: &impl serde::Serialize) -> Result<String, StepError> {
    serde_json::to_string(value).map_err(|e| StepError::Failed(e.to_string()))
}

async fn prepare(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    let failed = |e: rpc::ApiError| StepError::Failed(e.message);
    let input: PlanInput = serde_json::from_str(&context.job.input)
        .map_err(|_| StepError::Failed("The stored job cannot be read.".to_owned()))?;
    let model = inner.model(input.model.as_deref()).await.map_err(failed)?;
    let choice = Choice { files: None, model, redact: false };
    let built = manifest::build(inner, &context.job, choice).await.map_err(failed)?;
    let manifest = inner.ask(built, None).await.map_err(failed)?;
    Ok(Outcome::Done(manifest.id.0))
}

async fn approve(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    // Read from the job, not from `prepare`: a revised manifest takes the first one's place.
    let id = context.job.approval_id.clone().unwrap_or_default();
    let (row, _) = inner.approval(&id.into()).await.map_err(|e| StepError::Failed(e.message))?;
    match row.state.as_str() {
        "approved" => Ok(Outcome::Done(row.id)),
        "waiting" => Ok(Outcome::Wait("Waits for your approval.".to_owned())),
        _ => Err(StepError::Canceled),
    }
}

impl Inner {
    /// Makes the row of a plan that is about to be written, unless it exists.
    async fn begin_plan(&self, job: &JobRow, plan: &str) -> Result<(), StepError> {
        let row = PlanRow {
            id: plan.to_owned(),
            session_id: job.session_id.clone(),
            job_id: job.id.clone(),
            state: crate::plan_view::STREAMING.to_owned(),
            trouble: None,
            title: String::new(),
            step_count: 0,
            errors: 0,
            warnings: 0,
            ending: None,
            answer_hash: None,
            findings: "[]".to_owned(),
            provider: None,
            model: None,
            usage: None,
            created_at: self.now(),
        };
        let (id, session) = (row.id.clone(), row.session_id.clone());
        let made = self
            .store
            .write(move |db| {
                if store::plans::get(db, &row.id)?.is_some() {
                    return Ok(false);
                }
                store::plans::put(db, &row)?;
                Ok(true)
            })
            .await?;
        if made {
            self.bus.tell(Topic::Plan, &id, Some(&session));
        }
        Ok(())
    }

    /// Reads the whole answer, checks it against the repository, and stores the outcome. A plan that was concluded
    /// before stays as it is.
    pub(crate) async fn conclude(&self, id: &str, sent: &Sent) -> Result<(), StepError> {
        let key = id.to_owned();
        let found = self
            .store
            .read(move |db| {
                let Some(plan) = store::plans::get(db, &key)? else { return Ok(None) };
                let answer = store::plans::answer(db, &plan)?;
                Ok(Some((plan, answer)))
            })
            .await?;
        let Some((plan, answer)) = found else { return Ok(()) };
        if plan.state != crate::plan_view::STREAMING {
            return Ok(());
        }
        let mut parser = Parser::new();
        parser.push(&answer);
        let (document, state) = parser.finish(sent.ending.for_plan());
        let checked = self.check(&plan.session_id, &document).await;
        let row = concluded(plan, &document, state, sent, checked)?;
        let (id, session) = (row.id.clone(), row.session_id.clone());
        let concluded = self
            .store
            .write(move |db| {
                // Checking took a while: what was stored meanwhile counts, and a plan that was concluded stays.
                let Some(now) = store::plans::get(db, &row.id)? else { return Ok(false) };
                if now.state != crate::plan_view::STREAMING {
                    return Ok(false);
                }
                let hash = store::plans::settle_answer(db, &now)?;
                let PlanRow { provider, model, usage, .. } = now;
                store::plans::put(db, &PlanRow { answer_hash: Some(hash), provider, model, usage, ..row })?;
                Ok(true)
            })
            .await?;
        if concluded {
            self.bus.tell(Topic::Plan, &id, Some(&session));
        }
        Ok(())
    }

    /// The findings of a document, or why it could not be checked.
    pub(crate) async fn check(
        &self,
        session: &str,
        document: &Document,
    ) -> Result<Vec<Vec<plan::Finding>>, String> {
        let session = self.session(&session.into()).await.map_err(|e| e.message)?;
        let root = self.root(&session.project_id).await.map_err(|e| e.message)?;
        Ok(tokio::task::block_in_place(|| plan::verify(document, &RootRepository::new(root))))
    }
}

fn concluded(
    plan: PlanRow,
    document: &Document,
    state: State,
    sent: &Sent,
    checked: Result<Vec<Vec<plan::Finding>>, String>,
) -> Result<PlanRow, StepError> {
    let trouble =
        match state {
            State::Complete => None,
            State::Cut => Some(
                sent.trouble.clone().unwrap_or_else(|| "The answer ended before the plan did.".to_owned()),
            ),
            State::Unreadable => {
                let why = sent.trouble.clone();
                Some(why.unwrap_or_else(|| {
                    "The model answered, but not with a plan. Its answer is kept.".to_owned()
                }))
            }
        };
    let unchecked = checked.as_ref().err().map(|why| format!("The steps could not be checked: {why}"));
    let trouble = [trouble, unchecked].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let row = PlanRow {
        state: state_name(state).to_owned(),
        trouble: Some(trouble).filter(|t| !t.is_empty()),
        title: document.title.clone(),
        step_count: count(document.steps.len()),
        ending: Some(json(&sent.ending)?),
        ..plan
    };
    with_findings(row, &checked.unwrap_or_default())
}

/// The row with these findings.
pub(crate) fn with_findings(row: PlanRow, findings: &[Vec<plan::Finding>]) -> Result<PlanRow, StepError> {
    let of = |severity: Severity| count(findings.iter().flatten().filter(|f| f.severity == severity).count());
    let views: Vec<Vec<api::plans::Finding>> =
        findings.iter().map(|step| step.iter().map(finding).collect()).collect();
    Ok(PlanRow {
        errors: of(Severity::Error),
        warnings: of(Severity::Warning),
        findings: json(&views)?,
        ..row
    })
}
