//! Versions of a plan, and what a person decides about its steps.
//!
//! The model's answer is version 1 and never changes. Everything made of it is a further version: a document of the same
//! wire form, with an id for each step that stays the same from version to version. Who changes a plan says which version
//! was shown; when another one is current, nothing is changed.

mod edit;
pub(crate) mod gate;
mod history;
pub(crate) mod several;
pub(crate) mod wire;

use crate::error::{damaged, database, no_plan};
use crate::plan_view;
use crate::repository::RootRepository;
use crate::workflow::with_findings;
use crate::{Inner, wire::Ending};
use api::PlanId;
use api::events::Topic;
use api::plans::{Finding, Plan};
use api::review::{
    Comment, CommentStep, DecideSteps, Decision, EditStep, Origin, RepairStep, RevertPlan, StepSource,
};
use edit::{edited, same_work};
use plan::{Document, Parser};
use rpc::{ApiError, Caller, ErrorCode};
use std::collections::HashMap;
use store::plan_versions::{CommentRow, DecisionRow, VersionRow};
use store::plans::PlanRow;
use wire::StoredStep;

/// How often a plan is read again when it changes while it is read.
const MOMENTS: u32 = 5;

/// The longest remark, in bytes.
const MAX_COMMENT: usize = 16 << 10;

/// A version of a plan as it is worked with.
#[derive(Clone)]
pub(crate) struct Current {
    pub number: u32,
    pub document: Document,
    pub steps: Vec<StoredStep>,
}

impl Current {
    /// The first version: its steps are named by their numbers.
    fn first(document: Document, source: impl Fn(usize) -> Option<StepSource>) -> Current {
        let steps = document.steps.iter().enumerate().map(|(at, step)| StoredStep {
            id: format!("s{}", at + 1),
            source: source(at),
            cut: !step.complete,
        });
        Current { number: 1, steps: steps.collect(), document }
    }

    fn place(&self, id: &str) -> Result<usize, ApiError> {
        self.steps.iter().position(|step| step.id == id).ok_or_else(no_step)
    }

    /// A step as it is now.
    pub(crate) fn step(&self, id: &str) -> Result<plan::Step, ApiError> {
        self.place(id).map(|at| self.document.steps[at].clone())
    }

    fn ids(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }
}

fn no_step() -> ApiError {
    ApiError::not_found("no_step", "The plan has no such step, or not any more. Nothing was changed.")
}

pub(crate) fn conflict(now: u32) -> ApiError {
    let message = format!(
        "The plan was changed meanwhile: it is at version {now}. It stays as it is; yours was not made."
    );
    ApiError::new(ErrorCode::Conflict, "plan_changed", message).with("version", now)
}

/// What is to become of a plan.
struct Made {
    document: Document,
    steps: Vec<StoredStep>,
    origin: Origin,
    note: String,
}

fn parse(text: &str, ending: plan::Ending) -> Document {
    let mut parser = Parser::new();
    parser.push(text);
    parser.finish(ending).0
}

/// What is stored must be what is read again: a title of many thousand characters, for one, would be no tag any more.
fn readable(text: &str, document: &Document) -> Result<(), ApiError> {
    let again = parse(text, plan::Ending::Finished);
    let same = again.steps.len() == document.steps.len()
        && again.steps.iter().zip(&document.steps).all(|(a, b)| {
            a.operations.len() == b.operations.len()
                && a.operations.iter().zip(&b.operations).all(|(a, b)| a.path == b.path.trim())
        });
    if same {
        return Ok(());
    }
    let message = "A title, path or symbol of this step is too long or has a form that cannot be kept. Nothing was changed.";
    Err(ApiError::invalid("step_form", message))
}

fn word<T: serde::Serialize>(value: &T) -> Result<String, ApiError> {
    let json = serde_json::to_value(value).map_err(|e| ApiError::internal(e.to_string()))?;
    Ok(json.as_str().unwrap_or_default().to_owned())
}

fn from_word<T: serde::de::DeserializeOwned + Default>(word: &str) -> T {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).unwrap_or_default()
}

impl Inner {
    /// The model's answer and the document in it.
    pub(crate) async fn answer(&self, row: &PlanRow) -> Result<(String, Document), ApiError> {
        let key = row.clone();
        let answer = self.store.read(move |db| store::plans::answer(db, &key)).await.map_err(database)?;
        let ending = match &row.ending {
            Some(json) => serde_json::from_str::<Ending>(json).map_err(|_| damaged("plan"))?,
            None => Ending::Broken,
        };
        let document = parse(&answer, ending.for_plan());
        Ok((answer, document))
    }

    /// A version; the newest when `number` is `None`.
    pub(crate) async fn version(&self, row: &PlanRow, number: Option<u32>) -> Result<Current, ApiError> {
        let key = row.id.clone();
        let found = self
            .store
            .read(move |db| {
                let all = store::plan_versions::list(db, &key)?;
                let found = match number {
                    None => all.last().cloned(),
                    Some(1) => None,
                    Some(number) => match all.iter().find(|v| v.number == number) {
                        Some(version) => Some(version.clone()),
                        None => return Ok(Err(())),
                    },
                };
                let first = all.into_iter().find(|v| v.number == 1);
                let chosen = found.or(first);
                let text = chosen.as_ref().map(|v| store::plan_versions::document(db, v)).transpose()?;
                Ok(Ok(chosen.zip(text)))
            })
            .await
            .map_err(database)?;
        let found = found.map_err(|()| ApiError::not_found("no_version", "The plan has no such version."))?;
        let Some((version, text)) = found else {
            return Ok(Current::first(self.answer(row).await?.1, |_| None));
        };
        let steps: Vec<StoredStep> = serde_json::from_str(&version.steps).map_err(|_| damaged("plan"))?;
        let mut document = parse(&text, plan::Ending::Finished);
        if steps.len() != document.steps.len() {
            return Err(damaged("plan"));
        }
        for (step, stored) in document.steps.iter_mut().zip(&steps) {
            step.complete = !stored.cut;
        }
        Ok(Current { number: version.number, document, steps })
    }

    /// The plan as clients see it, with everything that was decided and said.
    pub(crate) async fn reviewed(&self, row: PlanRow) -> Result<Plan, ApiError> {
        let current = self.version(&row, None).await?;
        self.reviewed_as(row, &current).await
    }

    /// The row and the newest version of a plan, both of one moment: what was found belongs to what is read. A version and
    /// its findings are stored together, so a row that is read between two looks at the same version is that version's.
    pub(crate) async fn of_one_moment(&self, id: &PlanId) -> Result<(PlanRow, Current), ApiError> {
        let mut row = self.plan_row(id).await?;
        for _ in 0..MOMENTS {
            let current = self.version(&row, None).await?;
            row = self.plan_row(id).await?;
            let key = row.id.clone();
            let latest = self.store.read(move |db| store::plan_versions::latest(db, &key)).await;
            if latest.map_err(database)?.map_or(1, |version| version.number) == current.number {
                return Ok((row, current));
            }
        }
        let message = "The plan is being changed. Try again in a moment; nothing was done.";
        Err(ApiError::new(ErrorCode::Conflict, "plan_changed", message))
    }

    /// The same for a version that was read already.
    pub(crate) async fn reviewed_as(&self, row: PlanRow, current: &Current) -> Result<Plan, ApiError> {
        let outside = match current.number {
            1 => current.document.outside.clone(),
            // What a model said beside its steps is said of the plan in every version.
            _ => self.version(&row, Some(1)).await?.document.outside,
        };
        let findings: Vec<Vec<Finding>> = serde_json::from_str(&row.findings).map_err(|_| damaged("plan"))?;
        let (decisions, comments) = self.decided(&row.id).await?;
        let mut steps = plan_view::steps(&current.document, &[]);
        for (at, step) in steps.iter_mut().enumerate() {
            let stored = &current.steps[at];
            step.id.clone_from(&stored.id);
            step.source.clone_from(&stored.source);
            step.findings = findings.get(at).cloned().unwrap_or_default();
            if let Some(decision) = decisions.get(&stored.id) {
                step.decision = from_word(&decision.decision);
                step.overridden = decision.overridden;
            }
            let said = comments.iter().filter(|c| c.step_id == stored.id);
            step.comments = said
                .map(|c| Comment {
                    text: c.text.clone(),
                    by: c.written_by.clone(),
                    at: c.created_at.max(0).cast_unsigned(),
                })
                .collect();
        }
        Ok(Plan { steps, version: current.number, outside, ..plan_view::head(row) })
    }

    async fn decided(&self, plan: &str) -> Result<(HashMap<String, DecisionRow>, Vec<CommentRow>), ApiError> {
        let key = plan.to_owned();
        let (decisions, comments) = self
            .store
            .read(move |db| {
                Ok((store::plan_versions::decisions(db, &key)?, store::plan_versions::comments(db, &key)?))
            })
            .await
            .map_err(database)?;
        Ok((decisions.into_iter().map(|d| (d.step_id.clone(), d)).collect(), comments))
    }

    /// The findings of a document, with files that have changed since the plan was made.
    pub(crate) async fn check_since(
        &self,
        row: &PlanRow,
        document: &Document,
    ) -> Result<Vec<Vec<plan::Finding>>, ApiError> {
        let session = self.session(&row.session_id.as_str().into()).await?;
        let root = self.root(&session.project_id).await?;
        let noted = self.base(&row.id).await?.map(|base| base.files).unwrap_or_default();
        Ok(tokio::task::block_in_place(|| plan::verify_since(document, &RootRepository::new(root), &noted)))
    }

    /// Makes a version of the one that was shown.
    async fn change(
        &self,
        caller: &Caller,
        id: &PlanId,
        shown: u32,
        make: impl FnOnce(&Current, &[Vec<Finding>]) -> Result<Made, ApiError>,
    ) -> Result<Plan, ApiError> {
        let row = self.finished_row(id).await?;
        let current = self.version(&row, None).await?;
        if current.number != shown {
            return Err(conflict(current.number));
        }
        let findings: Vec<Vec<Finding>> = serde_json::from_str(&row.findings).map_err(|_| damaged("plan"))?;
        let mut made = make(&current, &findings)?;
        for (stored, step) in made.steps.iter_mut().zip(&made.document.steps) {
            stored.cut = !step.complete;
        }
        let text = plan::export::xml(&made.document);
        readable(&text, &made.document)?;
        let checked = self.check_since(&row, &made.document).await?;
        let row = PlanRow {
            title: made.document.title.clone(),
            step_count: plan_view::count(made.document.steps.len()),
            ..row
        };
        let row = with_findings(row, &checked).map_err(|e| ApiError::internal(e.to_string()))?;
        let version = VersionRow {
            plan_id: row.id.clone(),
            number: shown + 1,
            origin: word(&made.origin)?,
            note: made.note,
            document_hash: String::new(),
            steps: serde_json::to_string(&made.steps).map_err(|e| ApiError::internal(e.to_string()))?,
            made_by: caller.name.clone(),
            created_at: self.now(),
        };
        // A step that reads otherwise now was not decided about.
        let before: HashMap<&str, &plan::Step> =
            current.steps.iter().map(|s| s.id.as_str()).zip(&current.document.steps).collect();
        let undecided: Vec<String> = made
            .steps
            .iter()
            .zip(&made.document.steps)
            .filter(|(stored, step)| before.get(stored.id.as_str()).is_none_or(|old| !same_work(old, step)))
            .map(|(stored, _)| stored.id.clone())
            .collect();
        let session = row.session_id.clone();
        let stored = self
            .store
            .write(move |db| {
                if store::plans::get(db, &row.id)?.is_none() {
                    return Ok(None);
                }
                let now = store::plan_versions::latest(db, &row.id)?.map_or(1, |v| v.number);
                if now != shown {
                    return Ok(Some(now));
                }
                store::plan_versions::insert(db, &version, &text)?;
                for step in &undecided {
                    store::plan_versions::undecide(db, &row.id, step)?;
                }
                store::plans::put(db, &row)?;
                Ok(Some(shown))
            })
            .await
            .map_err(database)?;
        match stored {
            None => return Err(no_plan(id)),
            Some(now) if now != shown => return Err(conflict(now)),
            Some(_) => self.bus.tell(Topic::Plan, &id.0, Some(&session)),
        }
        self.plan(id).await
    }

    /// The row of a plan that is not being written.
    pub(crate) async fn finished_row(&self, id: &PlanId) -> Result<PlanRow, ApiError> {
        let row = self.plan_row(id).await?;
        if row.state == plan_view::STREAMING {
            let message = "The plan is still being written. Nothing was changed; wait for its end.";
            return Err(ApiError::new(ErrorCode::Conflict, "plan_streaming", message));
        }
        Ok(row)
    }

    pub(crate) async fn edit_step(&self, caller: &Caller, request: EditStep) -> Result<Plan, ApiError> {
        let EditStep { plan, version, step, content, position } = request;
        self.change(caller, &plan, version, |current, _| edited(current, step, content, position)).await
    }

    /// Puts a step in the place of one that still reads `was`; the number of the new version.
    pub(crate) async fn replace_step(
        &self,
        by: &Caller,
        id: &PlanId,
        step: &str,
        was: &str,
        new: plan::Step,
        note: String,
    ) -> Result<u32, ApiError> {
        let row = self.finished_row(id).await?;
        let shown = self.version(&row, None).await?.number;
        let changed = self.change(by, id, shown, |current, _| {
            let at = current.place(step)?;
            let before = current.document.steps[at].clone();
            if plan::export::xml(&Document { steps: vec![before], ..Document::default() }) != was {
                let message =
                    "The step was changed meanwhile. It stays as it is; the model's answer is kept.";
                return Err(ApiError::new(ErrorCode::Conflict, "step_changed", message));
            }
            let mut document = current.document.clone();
            document.steps[at] = new;
            Ok(Made { document, steps: current.steps.clone(), origin: Origin::StepChange, note })
        });
        changed.await.map(|plan| plan.version)
    }

    /// Stores what is known of a model's answer beside its text: where each step comes from.
    pub(crate) async fn store_first_version(
        &self,
        row: &PlanRow,
        document: &Document,
        source: impl Fn(usize) -> Option<StepSource>,
        note: &str,
    ) -> Result<(), ApiError> {
        let first = Current::first(document.clone(), source);
        let version = VersionRow {
            plan_id: row.id.clone(),
            number: 1,
            origin: word(&Origin::Merge)?,
            note: note.to_owned(),
            document_hash: String::new(),
            steps: serde_json::to_string(&first.steps).map_err(|e| ApiError::internal(e.to_string()))?,
            made_by: row.model.clone().unwrap_or_default(),
            created_at: self.now(),
        };
        let text = plan::export::xml(document);
        readable(&text, document)?;
        let stored = self.store.write(move |db| {
            // Done once: the step that does it may run again after a crash.
            if store::plan_versions::latest(db, &version.plan_id)?.is_none() {
                store::plan_versions::insert(db, &version, &text)?;
            }
            Ok(())
        });
        stored.await.map_err(database)
    }

    pub(crate) async fn repair(&self, caller: &Caller, request: RepairStep) -> Result<Plan, ApiError> {
        let RepairStep { plan: id, version, step, finding, code, operation } = request;
        self.change(caller, &id, version, |current, findings| {
            let at = current.place(&step)?;
            let missing = || {
                let message =
                    "There is no such finding any more, or nothing is known that would put it right.";
                ApiError::not_found("no_repair", message)
            };
            let found =
                findings.get(at).and_then(|f| f.get(finding as usize)).cloned().ok_or_else(missing)?;
            // The check may have been made anew since, against other files.
            if code.as_ref().is_some_and(|code| *code != found.code || operation != found.operation) {
                let message =
                    "Another finding stands there now. Nothing was changed; look at the step again.";
                return Err(ApiError::new(ErrorCode::Conflict, "finding_changed", message));
            }
            let found = plan_view::stored_finding(found);
            let document = plan::repair(&current.document, at, &found).ok_or_else(missing)?;
            let mut steps = current.steps.clone();
            if let Some((from, to)) = found.repair.as_ref().and_then(|repair| repair.moves(at)) {
                let moved = steps.remove(from);
                steps.insert(to, moved);
            }
            let note = format!("Step {}: repaired {}.", at + 1, found.code);
            Ok(Made { document, steps, origin: Origin::Repair, note })
        })
        .await
    }

    pub(crate) async fn revert(&self, caller: &Caller, request: RevertPlan) -> Result<Plan, ApiError> {
        let row = self.finished_row(&request.plan).await?;
        let old = self.version(&row, Some(request.to)).await?;
        self.change(caller, &request.plan, request.version, |_, _| {
            let note = format!("Took up version {} again.", request.to);
            Ok(Made { document: old.document, steps: old.steps, origin: Origin::Revert, note })
        })
        .await
    }

    pub(crate) async fn decide(&self, caller: &Caller, request: DecideSteps) -> Result<Plan, ApiError> {
        let row = self.finished_row(&request.plan).await?;
        let current = self.version(&row, None).await?;
        if current.number != request.version {
            return Err(conflict(current.number));
        }
        for step in &request.steps {
            current.place(step)?;
        }
        let all = if request.steps.is_empty() { current.ids() } else { request.steps };
        let decision = word(&request.decision)?;
        let overridden = request.override_errors && request.decision == Decision::Accepted;
        let (by, at) = (caller.name.clone(), self.now());
        let (session, shown) = (row.session_id.clone(), request.version);
        let stored = self
            .store
            .write(move |db| {
                let now = store::plan_versions::latest(db, &row.id)?.map_or(1, |v| v.number);
                if now != shown || store::plans::get(db, &row.id)?.is_none() {
                    return Ok(now);
                }
                for step_id in all {
                    let decided_by = by.clone();
                    let decision = decision.clone();
                    let decided = DecisionRow { step_id, decision, overridden, decided_by, decided_at: at };
                    store::plan_versions::decide(db, &row.id, &decided)?;
                }
                Ok(now)
            })
            .await
            .map_err(database)?;
        if stored != shown {
            return Err(conflict(stored));
        }
        self.bus.tell(Topic::Plan, &request.plan.0, Some(&session));
        self.plan(&request.plan).await
    }

    pub(crate) async fn comment(&self, caller: &Caller, request: CommentStep) -> Result<Plan, ApiError> {
        let row = self.finished_row(&request.plan).await?;
        self.version(&row, None).await?.place(&request.step)?;
        let text = request.text.trim().to_owned();
        if text.is_empty() || text.len() > MAX_COMMENT {
            let message = format!("A remark has between 1 and {MAX_COMMENT} bytes. Nothing was stored.");
            return Err(ApiError::invalid("comment_length", message));
        }
        let comment = CommentRow {
            step_id: request.step,
            text,
            written_by: caller.name.clone(),
            created_at: self.now(),
        };
        let (key, session) = (row.id, row.session_id);
        self.store
            .write(move |db| store::plan_versions::comment(db, &key, &comment))
            .await
            .map_err(database)?;
        self.bus.tell(Topic::Plan, &request.plan.0, Some(&session));
        self.plan(&request.plan).await
    }
}
