//! Plans while they are written: what has arrived, and who follows it.

use crate::plan_view;
use api::plans::{PlanEvent, Step};
use plan::{Document, Finding, Parser};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that a slow follower may be behind before it is given the whole plan again.
const CAPACITY: usize = 256;

/// The plans that are being written now, by id.
#[derive(Clone, Default)]
pub(crate) struct LivePlans {
    plans: Arc<Mutex<HashMap<String, LivePlan>>>,
}

struct LivePlan {
    parser: Parser,
    findings: Vec<Vec<Finding>>,
    characters: u64,
    events: broadcast::Sender<PlanEvent>,
}

/// A plan as it is at one moment, and what follows.
pub(crate) struct Following {
    /// The steps so far.
    pub steps: Vec<Step>,
    /// The title so far.
    pub title: String,
    /// Everything after.
    pub events: broadcast::Receiver<PlanEvent>,
}

impl LivePlans {
    fn plans(&self) -> MutexGuard<'_, HashMap<String, LivePlan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a plan.
    pub(crate) fn begin(&self, id: &str) {
        let events = broadcast::Sender::new(CAPACITY);
        let live = LivePlan { parser: Parser::new(), findings: Vec::new(), characters: 0, events };
        self.plans().insert(id.to_owned(), live);
    }

    /// Takes the next piece of the answer; `verify` is asked when a step has become complete.
    pub(crate) fn push(&self, id: &str, text: &str, verify: impl FnOnce(&Document) -> Vec<Vec<Finding>>) {
        let mut plans = self.plans();
        let Some(live) = plans.get_mut(id) else { return };
        let complete = |document: &Document| document.steps.iter().filter(|step| step.complete).count();
        let before = complete(live.parser.document());
        live.parser.push(text);
        live.characters += text.chars().count() as u64;
        // Nobody following is not an error.
        drop(live.events.send(PlanEvent::Progress { characters: live.characters }));
        let document = live.parser.document();
        if complete(document) > before {
            live.findings = verify(document);
        }
        let Some(from) = live.parser.changed() else { return };
        for step in plan_view::steps(live.parser.document(), &live.findings).into_iter().skip(from) {
            drop(live.events.send(PlanEvent::Step { step }));
        }
    }

    /// Ends a plan; its followers then read it from the database.
    pub(crate) fn end(&self, id: &str) {
        self.plans().remove(id);
    }

    /// The plan as it is now; `None` when it is not being written.
    pub(crate) fn follow(&self, id: &str) -> Option<Following> {
        let plans = self.plans();
        let live = plans.get(id)?;
        Some(Following {
            steps: plan_view::steps(live.parser.document(), &live.findings),
            title: live.parser.document().title.clone(),
            events: live.events.subscribe(),
        })
    }
}
