//! Plans that somebody looks at are checked again when the files they name change.
//!
//! Those files are looked at every two seconds, as long as somebody has asked for the plan lately: a few hundred of them cost
//! less than watching a whole tree, and work on every file system.

use crate::Inner;
use crate::roots::{Root, Stamp};
use api::PlanId;
use api::plans::{Plan, PlanState};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How many looks a plan is in view after somebody asked for it: ten minutes.
const LOOKS: u32 = 300;

/// How many plans are in view at most; the one that was asked for longest ago goes first.
const MOST: usize = 16;

/// The plans in view.
#[derive(Default)]
pub(crate) struct InView(Mutex<HashMap<String, Seen>>);

struct Seen {
    session: String,
    paths: BTreeSet<String>,
    /// What the files were like when they were looked at last.
    stamps: Option<Vec<Stamp>>,
    /// Whether they had changed then: the check waits until they rest.
    changed: bool,
    looks: u32,
}

impl InView {
    fn plans(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody was shown this plan.
    pub(crate) fn shown(&self, plan: &Plan) {
        if plan.state == PlanState::Streaming {
            return;
        }
        let operations = plan.steps.iter().flat_map(|step| &step.operations);
        let paths = operations.flat_map(|op| std::iter::once(op.path.clone()).chain(op.to.clone())).collect();
        let mut plans = self.plans();
        if let Some(seen) = plans.get_mut(&plan.id.0) {
            seen.looks = LOOKS;
            if seen.paths != paths {
                (seen.paths, seen.stamps) = (paths, None);
            }
            return;
        }
        if plans.len() >= MOST
            && let Some(oldest) = plans.iter().min_by_key(|(_, seen)| seen.looks).map(|(id, _)| id.clone())
        {
            plans.remove(&oldest);
        }
        let session = plan.session.0.clone();
        plans.insert(plan.id.0.clone(), Seen { session, paths, stamps: None, changed: false, looks: LOOKS });
    }

    /// The plans to look at now, with the paths they name. Those that nobody has asked for lately go out of view.
    fn due(&self) -> Vec<(String, String, BTreeSet<String>)> {
        let mut plans = self.plans();
        plans.retain(|_, seen| {
            seen.looks -= 1;
            seen.looks > 0
        });
        plans.iter().map(|(id, seen)| (id.clone(), seen.session.clone(), seen.paths.clone())).collect()
    }

    /// Notes what the files are like; whether the plan is to be checked now.
    fn looked(&self, id: &str, paths: &BTreeSet<String>, stamps: Vec<Stamp>) -> bool {
        let mut plans = self.plans();
        let Some(seen) = plans.get_mut(id).filter(|seen| seen.paths == *paths) else { return false };
        // The first look does not know what changed since the last check: it counts as a change.
        let differs = seen.stamps.as_ref() != Some(&stamps);
        seen.stamps = Some(stamps);
        if differs {
            seen.changed = true;
            return false;
        }
        std::mem::take(&mut seen.changed)
    }

    fn forget(&self, id: &str) {
        self.plans().remove(id);
    }
}

/// Looks as long as the engine lives.
pub(crate) async fn look(inner: Weak<Inner>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        for (id, session, paths) in inner.in_view.due() {
            let Ok(session) = inner.session(&session.into()).await else {
                inner.in_view.forget(&id);
                continue;
            };
            // A project that cannot be opened now may be there again at the next look.
            let Ok(root) = inner.root(&session.project_id).await else { continue };
            let (paths, stamps) = tokio::task::block_in_place(|| stamped(&root, paths));
            if !inner.in_view.looked(&id, &paths, stamps) {
                continue;
            }
            let plan: PlanId = id.into();
            if let Err(error) = inner.verify_plan(&plan).await {
                tracing::debug!(%error, "a plan in view cannot be checked again");
            }
        }
    }
}

fn stamped(root: &Root, paths: BTreeSet<String>) -> (BTreeSet<String>, Vec<Stamp>) {
    let stamps = paths.iter().map(|path| root.stamp(path)).collect();
    (paths, stamps)
}
