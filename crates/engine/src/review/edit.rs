//! A step is changed, added, moved or removed by hand; numbers of other steps follow.

use super::wire::StoredStep;
use super::{Current, Made};
use crate::plan_view;
use api::review::{Origin, StepContent};
use plan::Document;
use rpc::ApiError;
use std::collections::HashSet;

/// Whether two forms of a step are the same work; numbers of other steps may differ.
pub(super) fn same_work(a: &plan::Step, b: &plan::Step) -> bool {
    let bare = |step: &plan::Step| plan::Step { depends: Vec::new(), ..step.clone() };
    bare(a) == bare(b)
}

/// The version in which one step is changed, added, moved or removed.
pub(super) fn edited(
    current: &Current,
    step: Option<String>,
    content: Option<StepContent>,
    position: Option<u32>,
) -> Result<Made, ApiError> {
    let mut document = current.document.clone();
    let mut steps = current.steps.clone();
    let from = step.as_ref().map(|id| current.place(id)).transpose()?;
    let to = position.map(|p| (p as usize).saturating_sub(1));
    let content = content.map(|content| content_of(content, document.steps.len() + 1)).transpose()?;
    let note = match (from, content, to) {
        (None, None, _) => {
            return Err(ApiError::invalid(
                "step_content",
                "A new step needs a content. Nothing was changed.",
            ));
        }
        (None, Some(new), to) => {
            let at = to.unwrap_or(steps.len()).min(steps.len());
            // A version adds at most one step, so its number makes an id that no other step ever had.
            let id = format!("n{}", current.number + 1);
            renumber(&mut document, |n| if n > at { n + 1 } else { n });
            document.steps.insert(at, new);
            steps.insert(at, StoredStep { id, source: None, cut: false });
            format!("Step {} is new.", at + 1)
        }
        (Some(at), None, None) => {
            document.steps.remove(at);
            steps.remove(at);
            let gone = at + 1;
            for step in &mut document.steps {
                step.depends.retain(|n| *n as usize != gone);
            }
            renumber(&mut document, |n| if n > gone { n - 1 } else { n });
            format!("Step {gone} was removed.")
        }
        (Some(at), content, to) => {
            let changed = content.is_some();
            if let Some(new) = content {
                document.steps[at] = new;
            }
            let to = to.unwrap_or(at).min(steps.len() - 1);
            if to != at {
                plan::move_step(&mut document, at, to);
                let moved = steps.remove(at);
                steps.insert(to, moved);
            }
            match (changed, to != at) {
                (_, true) => format!("Step {} became step {}.", at + 1, to + 1),
                _ => format!("Step {} was changed.", at + 1),
            }
        }
    };
    Ok(Made { document, steps, origin: Origin::Edit, note })
}

fn renumber(document: &mut Document, new: impl Fn(usize) -> usize) {
    for number in document.steps.iter_mut().flat_map(|step| &mut step.depends) {
        *number = plan_view::count(new(*number as usize));
    }
}

fn content_of(content: StepContent, steps: usize) -> Result<plan::Step, ApiError> {
    let known: HashSet<u32> = (1..=plan_view::count(steps)).collect();
    if content.title.trim().is_empty() {
        return Err(ApiError::invalid("step_title", "A step needs a title. Nothing was changed."));
    }
    Ok(plan::Step {
        title: content.title.trim().to_owned(),
        why: content.why.trim().to_owned(),
        confidence: content.confidence,
        depends: content.depends.into_iter().filter(|n| known.contains(n)).collect(),
        operations: content.operations.into_iter().map(plan_view::plan_operation).collect(),
        commands: content.commands,
        checks: content.checks,
        complete: true,
    })
}
