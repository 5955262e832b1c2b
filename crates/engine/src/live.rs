//! Plans while they are written: what has arrived, and who follows it.

use crate::plan_view;
use api::plans::{PlanEvent, Step};
use plan::{Document, Finding, Parser};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that a slow follower may be behind before it is given the whole plan again.
const CAPACITY: usize = 256;

/// The plans that are being written now, by id. The lock is held for memory work only: checking a plan asks the file
/// system and happens outside.
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

impl LivePlan {
    /// Tells the steps from `first` on. Nobody following is not an error.
    fn tell_steps(&self, first: usize) {
        for step in plan_view::steps(self.parser.document(), &self.findings).into_iter().skip(first) {
            drop(self.events.send(PlanEvent::Step { step }));
        }
    }
}

fn complete(document: &Document) -> usize {
    document.steps.iter().filter(|step| step.complete).count()
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

    /// Takes the next piece of the answer. When a step has become complete, the plan so far is returned: it wants to
    /// be checked, and the findings to be given to [`LivePlans::found`].
    pub(crate) fn push(&self, id: &str, text: &str) -> Option<Document> {
        let mut plans = self.plans();
        let live = plans.get_mut(id)?;
        let before = complete(live.parser.document());
        live.parser.push(text);
        live.characters += text.chars().count() as u64;
        // Nobody following is not an error.
        drop(live.events.send(PlanEvent::Progress { characters: live.characters }));
        if let Some(first) = live.parser.changed() {
            live.tell_steps(first);
        }
        let document = live.parser.document();
        (complete(document) > before).then(|| document.clone())
    }

    /// Takes the findings of a check.
    pub(crate) fn found(&self, id: &str, findings: Vec<Vec<Finding>>) {
        let mut plans = self.plans();
        let Some(live) = plans.get_mut(id) else { return };
        let unchanged = live.findings.iter().zip(&findings).take_while(|(old, new)| old == new).count();
        live.findings = findings;
        live.tell_steps(unchanged);
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
