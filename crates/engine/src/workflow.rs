//! The way of everything that asks a model: prepare a manifest, wait for the person, send, use the answer.
//!
//! Each step's output is stored before the next begins, so a job goes on after a crash. Only `send` spends money; it
//! never does so twice. A workflow with several stages has these steps once for each, as `stage.prepare` and so on.

use crate::manifest::{self, Choice};
use crate::plan_view::{count, finding, state_name};
use crate::questions::{self, workflow};
use crate::repository::RootRepository;
use crate::send::{self, Sink};
use crate::wire::{Ending, Sent};
use crate::{Inner, find, plan_asks, research, task_text};
use ::jobs::{JobRow, Outcome, SKIPPED, StepContext, StepError, Workflow};
use api::events::Topic;
use futures_util::future::BoxFuture;
use plan::{Document, Parser, Severity, State};
use rpc::ApiError;
use std::sync::{Arc, Weak};
use store::plans::PlanRow;

pub(crate) const PREPARE: &str = "prepare";
const APPROVE: &str = "approve";
const SEND: &str = "send";
/// The last step of a plan: read it and check it against the repository.
const CHECK: &str = "check";
/// The last step of every other stage: use the answer.
const APPLY: &str = "apply";

/// How long a job waits before it tries again to reach the server.
const NETWORK_PAUSE_MS: i64 = 5_000;

/// A workflow of one engine. Holds it weakly: the engine owns the runner that owns this.
pub(crate) struct Asking {
    inner: Weak<Inner>,
    name: &'static str,
}

impl Asking {
    /// Every workflow that asks a model.
    pub(crate) fn all(inner: &Arc<Inner>) -> Vec<Arc<dyn Workflow>> {
        let names = [
            workflow::PLAN,
            workflow::STEP,
            workflow::FIND,
            workflow::REFINE,
            workflow::IMPROVE,
            workflow::RESEARCH,
            workflow::LOOK_UP,
        ];
        names
            .into_iter()
            .map(|name| Arc::new(Asking { inner: Arc::downgrade(inner), name }) as Arc<dyn Workflow>)
            .collect()
    }

    fn inner(&self) -> Result<Arc<Inner>, StepError> {
        self.inner.upgrade().ok_or_else(|| StepError::Failed("The engine is closing.".to_owned()))
    }
}

/// `stage.action`, or an action of the only stage.
pub(crate) fn split(step: &str) -> (&str, &str) {
    step.split_once('.').unwrap_or(("", step))
}

impl Workflow for Asking {
    fn name(&self) -> &'static str {
        self.name
    }

    fn steps(&self) -> &'static [&'static str] {
        match self.name {
            workflow::PLAN => &[PREPARE, APPROVE, SEND, CHECK],
            workflow::FIND => find::STEPS,
            _ => &[PREPARE, APPROVE, SEND, APPLY],
        }
    }

    fn run(&self, step: &'static str, context: StepContext) -> BoxFuture<'_, Result<Outcome, StepError>> {
        Box::pin(async move {
            let inner = self.inner()?;
            let (stage, action) = split(step);
            match action {
                PREPARE => prepare(&inner, stage, &context).await,
                APPROVE => approve(&inner, self.first_of(step), &context).await,
                SEND => send_step(&inner, self.first_of(step), &context).await,
                CHECK => {
                    let plan = plan_of(&context.job)?;
                    inner.conclude(&plan, &sent(&context, stage)?).await?;
                    inner.note_sources(&context.job, &plan).await.map_err(failed)?;
                    Ok(Outcome::Done(String::new()))
                }
                APPLY if self.name == workflow::FIND => find::apply(&inner, &context, stage).await,
                APPLY if self.name == workflow::STEP => plan_asks::apply_step(&inner, &context).await,
                APPLY if self.name == workflow::RESEARCH => research::apply_proposal(&inner, &context).await,
                APPLY if self.name == workflow::LOOK_UP => research::apply_answer(&inner, &context).await,
                APPLY => task_text::apply(&inner, &context).await,
                find::RANK => find::rank(&inner, &context).await,
                other => Err(StepError::Failed(format!("This version knows no step “{other}”."))),
            }
        })
    }

    fn abandoned(&self, job: JobRow) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Ok(inner) = self.inner() else { return };
            if let Err(error) = inner.withdraw(&job).await {
                tracing::error!(%error, "an approval cannot be withdrawn");
            }
            let Some(plan) = job.plan_id.clone() else { return };
            let sent = Sent { ending: Ending::Canceled, trouble: Some(job.note.clone()), alarm: None };
            if let Err(error) = inner.conclude(&plan, &sent).await {
                tracing::error!(%error, "an abandoned plan cannot be closed");
            }
        })
    }

    fn stage_of(&self, step: &'static str) -> &'static str {
        self.first_of(step)
    }

    fn skipped(&self, step: &'static str) -> Option<&'static [&'static str]> {
        (self.name == workflow::FIND).then(|| find::stage(split(step).0)).flatten()
    }
}

impl Asking {
    /// The step that begins the stage of `step`.
    fn first_of(&self, step: &'static str) -> &'static str {
        let stage = split(step).0;
        self.steps().iter().copied().find(|s| split(s).0 == stage).unwrap_or(step)
    }
}

fn plan_of(job: &JobRow) -> Result<String, StepError> {
    job.plan_id.clone().ok_or_else(|| StepError::Failed("This job has no plan.".to_owned()))
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StepError> {
    serde_json::to_string(value).map_err(|e| StepError::Failed(e.to_string()))
}

pub(crate) fn failed(e: ApiError) -> StepError {
    StepError::Failed(e.message)
}

/// The text of a stage's answer.
pub(crate) async fn answer(inner: &Inner, job: &JobRow) -> Result<String, StepError> {
    let missing = || StepError::Failed("The stored answer cannot be found. Do it once more.".to_owned());
    let approval = job.approval_id.clone().ok_or_else(missing)?;
    inner.store.read(move |db| store::answers::text(db, &approval)).await?.ok_or_else(missing)
}

/// How the answer of a stage ended.
pub(crate) fn sent(context: &StepContext, stage: &str) -> Result<Sent, StepError> {
    let step = if stage.is_empty() { SEND.to_owned() } else { format!("{stage}.{SEND}") };
    context
        .outputs
        .get(&step)
        .and_then(|output| serde_json::from_str(output).ok())
        .ok_or_else(|| StepError::Failed("The stored answer cannot be read.".to_owned()))
}

/// A server that cannot be reached is waited for; everything else that went wrong ends the job.
fn or_wait(inner: &Inner, e: ApiError) -> Result<Outcome, StepError> {
    if e.reason != "server_unreachable" {
        return Err(failed(e));
    }
    let note = format!("{} It is tried again by itself; nothing was sent.", e.message);
    Ok(Outcome::WaitNetwork { note, until: inner.now() + NETWORK_PAUSE_MS })
}

async fn prepare(inner: &Inner, stage: &str, context: &StepContext) -> Result<Outcome, StepError> {
    let job = &context.job;
    if job.workflow == workflow::LOOK_UP {
        research::begins(inner, job).await?;
    }
    let question = match inner.question(job, stage, &context.outputs).await {
        Ok(question) => question,
        // Nothing to ask about: the stage has nothing to do, and says so by its output.
        Err(e) if e.reason == find::NOTHING_TO_ASK => return Ok(Outcome::Done(SKIPPED.to_owned())),
        Err(e) => return Err(failed(e)),
    };
    let model = match inner.model(questions::model(job).map_err(failed)?.as_deref()).await {
        Ok(model) => model,
        Err(e) => return or_wait(inner, e),
    };
    let choice = Choice { model, redact: false };
    let built = manifest::build(inner, job, question, choice).await.map_err(failed)?;
    let manifest = inner.ask(built, None).await.map_err(failed)?;
    Ok(Outcome::Done(manifest.id.0))
}

/// Whether the stage had nothing to ask.
fn passed_over(context: &StepContext, first: &str) -> bool {
    context.outputs.get(first).is_some_and(|output| output == SKIPPED)
}

async fn approve(inner: &Inner, first: &str, context: &StepContext) -> Result<Outcome, StepError> {
    if passed_over(context, first) {
        return Ok(Outcome::Done(SKIPPED.to_owned()));
    }
    // Read from the job, not from `prepare`: a revised manifest takes the first one's place.
    let id = context.job.approval_id.clone().unwrap_or_default();
    let (row, _) = inner.approval(&id.into()).await.map_err(failed)?;
    match row.state.as_str() {
        "approved" => Ok(Outcome::Done(row.id)),
        "waiting" => Ok(Outcome::Wait("Waits for your approval.".to_owned())),
        _ => Err(StepError::Canceled),
    }
}

async fn send_step(inner: &Inner, first: &'static str, context: &StepContext) -> Result<Outcome, StepError> {
    if passed_over(context, first) {
        return Ok(Outcome::Done(SKIPPED.to_owned()));
    }
    let job = &context.job;
    let approval = job.approval_id.clone().unwrap_or_default();
    if !(context.interrupted && inner.has_sent(&approval).await?) {
        let (row, stored) = inner.approval(&approval.into()).await.map_err(failed)?;
        if !inner.still_allowed(row.by.as_deref()).await? {
            // The permission ended while the job waited: the person is asked.
            inner.give_back(&row.id).await?;
            return Ok(Outcome::Again(first));
        }
        if let Err(e) = inner.reach(&stored.target).await {
            return or_wait(inner, e);
        }
    }
    if context.cancel.is_cancelled() {
        return Err(StepError::Canceled);
    }
    let sink = match &job.plan_id {
        Some(plan) => {
            inner.begin_plan(job, plan).await?;
            Sink::Plan(plan.clone())
        }
        None => Sink::Text,
    };
    let sent = send::send(inner, context, &sink).await?;
    json(&sent).map(Outcome::Done)
}

impl Inner {
    /// Withdraws what a job that has ended still asks, and gives back what was set aside for it.
    async fn withdraw(&self, job: &JobRow) -> store::Result<()> {
        let Some(approval) = job.approval_id.clone() else { return Ok(()) };
        if self.is_unsettled(&approval).await? {
            // It left in a run that ended; the job was stopped before it could say so.
            if let Err(error) = crate::settle::unknown(self, &job.id, &approval).await {
                tracing::error!(%error, "a request whose end is not known cannot be settled");
            }
        }
        let (id, now) = (approval.clone(), self.now());
        let withdrawn = self
            .store
            .write(move |db| {
                store::permissions::release(db, &id, 0)?;
                store::approvals::answer(db, &id, "superseded", "engine", now)
            })
            .await?;
        if withdrawn {
            self.bus.tell(Topic::Approval, &approval, Some(&job.session_id));
        }
        Ok(())
    }

    /// Gives back what was set aside for an approval under which nothing was sent.
    async fn give_back(&self, approval: &str) -> store::Result<()> {
        let id = approval.to_owned();
        self.store.write(move |db| store::permissions::release(db, &id, 0)).await
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
        let before = self.answer_before(job).await.map_err(failed)?;
        let (id, session) = (row.id.clone(), row.session_id.clone());
        let made = self
            .store
            .write(move |db| {
                if store::plans::get(db, &row.id)?.is_some() {
                    return Ok(false);
                }
                store::plans::put(db, &row)?;
                if let Some(before) = before {
                    store::plans::append_answer(db, &row.id, &before)?;
                }
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
        // Before the plan is told to be there: whoever reads it then can compare with the project as it was.
        self.note_base(&plan, &document).await;
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
    let trouble =
        [sent.alarm.clone(), trouble, unchecked].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let row = PlanRow {
        state: state_name(state).to_owned(),
        trouble: Some(trouble).filter(|t| !t.is_empty()),
        title: document.title.clone(),
        step_count: count(document.steps.len()),
        ending: Some(json(&sent.ending)?),
        ..plan
    };
    // A step that nobody could check is not one without errors: the next check takes this back.
    let not_checked = |why: String| {
        let finding =
            plan::Finding::new(Severity::Error, "not_checked", format!("This step was not checked: {why}"));
        vec![vec![finding]; document.steps.len()]
    };
    with_findings(row, &checked.unwrap_or_else(not_checked))
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
