//! What of a plan may be handed over, and in which form.

use crate::{Inner, plan_view};
use api::PlanId;
use api::plans::{ExportPlan, ExportedPlan, Plan, PlanFormat, Severity, Step};
use api::review::Decision;
use plan::Document;
use rpc::{ApiError, ErrorCode};

/// What is wanted of a plan: all that may be handed over, or one step by number, as of a version or as it is.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub plan: &'a PlanId,
    pub version: Option<u32>,
    pub step: Option<u32>,
    /// Whether steps about which nothing was decided are taken too.
    pub all: bool,
}

/// Why a step may not be handed over; `None` when it may. `all` takes what was not decided about.
fn refusal(step: &Step, all: bool) -> Option<&'static str> {
    let errors = step.findings.iter().any(|f| f.severity == Severity::Error);
    match step.decision {
        _ if !step.complete => Some("not complete"),
        Decision::Rejected => Some("rejected"),
        Decision::Open if !all => Some("not accepted yet"),
        _ if errors && !step.overridden => Some("errors were found in it"),
        _ => None,
    }
}

fn nothing(message: String) -> ApiError {
    ApiError::new(ErrorCode::Conflict, "not_reviewed", message)
}

/// The steps at these positions, with dependencies between them under their new numbers.
fn subset(document: &Document, keep: &[usize]) -> Document {
    let number = |old: u32| {
        let at = keep.iter().position(|k| *k + 1 == old as usize)?;
        Some(plan_view::count(at + 1))
    };
    let steps = keep.iter().filter_map(|at| document.steps.get(*at)).map(|step| plan::Step {
        depends: step.depends.iter().filter_map(|d| number(*d)).collect(),
        ..step.clone()
    });
    Document { title: document.title.clone(), steps: steps.collect(), outside: Vec::new() }
}

/// The text of the steps that may be handed over, under the numbers they have in the plan, and which were left out.
fn markdown(plan: &Plan, document: &Document, all: bool) -> Result<String, ApiError> {
    let refused: Vec<(u32, &str)> =
        plan.steps.iter().filter_map(|step| Some((step.number, refusal(step, all)?))).collect();
    if refused.len() == plan.steps.len() {
        let why = refused.first().map_or("it has no step", |(_, why)| *why);
        let message = format!(
            "No step of the plan may be handed over ({why}). Accept steps first, or say that those nobody decided about go \
             too. Nothing was handed over."
        );
        return Err(nothing(message));
    }
    let title = plan::export::markdown(&Document { steps: Vec::new(), ..document.clone() }, &[]);
    let mut text = title;
    if !refused.is_empty() {
        let left: Vec<String> = refused.iter().map(|(n, why)| format!("step {n} ({why})")).collect();
        text.push_str(&format!("> Left out by review: {}.\n\n", left.join(", ")));
    }
    for (at, step) in plan.steps.iter().enumerate() {
        if refusal(step, all).is_none()
            && let Some(content) = document.steps.get(at)
        {
            text.push_str(&plan::export::step_markdown(step.number, content));
        }
    }
    Ok(text)
}

impl Inner {
    /// What may be handed over of a finished plan, or one of its steps by number, as a text to work from; and its session.
    pub(crate) async fn plan_text(&self, wanted: Wanted<'_>) -> Result<(api::SessionId, String), ApiError> {
        let Wanted { plan: id, version, step, all } = wanted;
        self.finished_row(id).await?;
        let (row, current) = self.of_one_moment(id).await?;
        if let Some(now) = version.and_then(|shown| (shown != current.number).then_some(current.number)) {
            let message = format!(
                "The plan was changed meanwhile: it is at version {now}. Nothing was handed over; look at it again."
            );
            return Err(ApiError::new(ErrorCode::Conflict, "plan_changed", message).with("version", now));
        }
        let plan = self.reviewed_as(row, &current).await?;
        let Some(number) = step else {
            let text = markdown(&plan, &current.document, all)?;
            return Ok((plan.session, text));
        };
        let at = (number as usize).wrapping_sub(1);
        let (Some(shown), Some(content)) = (plan.steps.get(at), current.document.steps.get(at)) else {
            let message = "The plan has no such step. Nothing was handed over.";
            return Err(ApiError::not_found("no_step", message).with("step", number));
        };
        if let Some(why) = refusal(shown, all) {
            let message = format!("Step {number} may not be handed over: {why}. Nothing was handed over.");
            return Err(nothing(message).with("step", number));
        }
        Ok((plan.session, plan::export::step_markdown(number, content)))
    }

    /// The plan as a document.
    pub(crate) async fn export_plan(&self, request: &ExportPlan) -> Result<ExportedPlan, ApiError> {
        let row = self.plan_row(&request.plan).await?;
        if request.format == PlanFormat::Raw {
            return Ok(ExportedPlan { text: self.answer(&row).await?.0 });
        }
        let (row, version) = self.of_one_moment(&request.plan).await?;
        let plan = self.reviewed_as(row, &version).await?;
        let mut current = version.document;
        if !request.keep_invisible {
            current = plan::export::stripped(&current).0;
        }
        let keep: Vec<usize> = plan
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| request.step.is_none_or(|number| step.number == number))
            .filter(|(_, step)| !request.accepted_only || refusal(step, false).is_none())
            .map(|(at, _)| at)
            .collect();
        if keep.is_empty() && (request.step.is_some() || request.accepted_only) {
            let message =
                "There is no such step, or none that was accepted and has no error. Nothing was exported.";
            return Err(nothing(message.to_owned()));
        }
        let whole = keep.len() == plan.steps.len();
        let findings: Vec<Vec<plan::Finding>> = keep
            .iter()
            .map(|at| plan.steps[*at].findings.iter().cloned().map(plan_view::stored_finding).collect())
            .collect();
        let document = if whole { current } else { subset(&current, &keep) };
        let text = match (request.format, request.step) {
            (PlanFormat::Markdown, Some(number)) => plan::export::step_markdown(number, &document.steps[0]),
            (PlanFormat::Markdown, None) => plan::export::markdown(&document, &findings),
            (PlanFormat::Xml, _) => plan::export::xml(&document),
            _ => plan::export::json(&document, &findings).map_err(|e| ApiError::internal(e.to_string()))?,
        };
        Ok(ExportedPlan { text })
    }
}
