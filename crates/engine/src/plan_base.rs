//! The project as it was when a plan was made, and what of the plan has been carried out since.

pub(crate) mod wire;

use crate::error::{damaged, database};
use crate::roots::Root;
use crate::wire::StoredManifest;
use crate::{Inner, plan_view};
use api::review::{GetPlanStatus, OperationStatus, PlanStatus, Progress, StepStatus};
use discovery::{NoHistory, Snapshot};
use plan::{Changed, Document};
use rpc::{ApiError, ErrorCode};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use store::plans::PlanRow;
use wire::Base;

/// Projects of at most so many files are noted whole; of larger ones the files that the plan names, and the commit.
const MOST_NOTED: usize = 2_000;
/// The most that is read for that, in bytes.
const MOST_BYTES: usize = 64 << 20;

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn paths(root: &Root) -> Result<Vec<String>, ApiError> {
    let entries = discovery::tree(root.path(), &AtomicBool::new(false)).map_err(|e| {
        let message = format!("The files of the project cannot be listed: {e}.");
        ApiError::new(ErrorCode::Unavailable, "no_tree", message)
    })?;
    Ok(entries.into_iter().map(|entry| entry.path).collect())
}

/// Every path that a plan names and that may be used.
fn named(document: &Document) -> BTreeSet<String> {
    let operations = document.steps.iter().flat_map(|step| &step.operations);
    operations
        .flat_map(|o| [Some(o.path.clone()), o.to.clone()])
        .flatten()
        .filter(|path| plan::path::check(path).is_ok())
        .collect()
}

fn base_of(root: &Root, document: &Document, sent: &[(String, String)]) -> Base {
    let head = Snapshot::open(root.path(), None).ok().map(|snapshot| snapshot.commit().to_owned());
    let all = paths(root).unwrap_or_else(|error| {
        // The files that the plan names are noted all the same; what comes beside them is then not told from what was there.
        tracing::warn!(error = error.message, "the files of a project cannot be listed");
        Vec::new()
    });
    let whole = !all.is_empty() && all.len() <= MOST_NOTED;
    let wanted: BTreeSet<String> = if whole { all.into_iter().collect() } else { named(document) };
    let mut bytes = 0;
    let mut files = BTreeMap::new();
    for path in wanted {
        if bytes > MOST_BYTES {
            break;
        }
        if let Ok(text) = root.read(&path) {
            bytes += text.len();
            files.insert(path, hash(&text));
        }
    }
    // What the model saw counts, not what the file became while it answered.
    files.extend(sent.iter().cloned());
    Base { head, files, whole: whole && bytes <= MOST_BYTES }
}

impl Inner {
    /// Notes the project as it is, for a plan that has just been made. A plan without a note is only checked less.
    pub(crate) async fn note_base(&self, plan: &PlanRow, document: &Document) {
        if let Err(error) = self.try_note_base(plan, document).await {
            tracing::warn!(error = %error.message, "the project cannot be noted for a plan");
        }
    }

    async fn try_note_base(&self, row: &PlanRow, document: &Document) -> Result<(), ApiError> {
        let session = self.session(&row.session_id.as_str().into()).await?;
        let root = self.root(&session.project_id).await?;
        let job = row.job_id.clone();
        let manifests = self
            .store
            .read(move |db| {
                let approval = store::jobs::get(db, &job)?.and_then(|job| job.approval_id);
                approval.map(|id| store::approvals::get(db, &id)).transpose()
            })
            .await
            .map_err(database)?;
        let manifest =
            manifests.flatten().and_then(|row| serde_json::from_str::<StoredManifest>(&row.manifest).ok());
        let sent = manifest.map(|manifest| manifest.read).unwrap_or_default();
        let base = tokio::task::block_in_place(|| base_of(&root, document, &sent));
        let text = serde_json::to_string(&base).map_err(|e| ApiError::internal(e.to_string()))?;
        let key = row.id.clone();
        self.store.write(move |db| store::plan_versions::put_base(db, &key, &text)).await.map_err(database)
    }

    /// What was noted when a plan was made.
    pub(crate) async fn base(&self, plan: &str) -> Result<Option<Base>, ApiError> {
        let key = plan.to_owned();
        let text = self.store.read(move |db| store::plan_versions::base(db, &key)).await.map_err(database)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| damaged("base of the plan"))).transpose()
    }

    /// How far a plan is carried out.
    pub(crate) async fn plan_status(&self, request: &GetPlanStatus) -> Result<PlanStatus, ApiError> {
        let row = self.plan_row(&request.plan).await?;
        let session = self.session(&row.session_id.as_str().into()).await?;
        let root = self.root(&session.project_id).await?;
        let document = self.version(&row, None).await?.document;
        let noted = match &request.base {
            Some(_) => Base::default(),
            None => self.base(&row.id).await?.unwrap_or_default(),
        };
        let asked = request.base.clone();
        let found = tokio::task::block_in_place(|| changes(&root, &noted, asked.as_deref()))?;
        let report = plan::reality(&document, &found.changes);
        let progress = |p: plan::Progress| match p {
            plan::Progress::Done => Progress::Done,
            plan::Progress::Partly => Progress::Partly,
            plan::Progress::Untouched => Progress::Untouched,
            plan::Progress::Unseen => Progress::Unseen,
        };
        let steps =
            document.steps.iter().zip(report.steps).enumerate().map(|(at, (step, status))| StepStatus {
                number: plan_view::count(at + 1),
                title: step.title.clone(),
                progress: progress(status.progress),
                operations: step
                    .operations
                    .iter()
                    .zip(status.operations)
                    .map(|(o, (p, why))| OperationStatus {
                        path: o.path.clone(),
                        progress: progress(p),
                        why: why.to_owned(),
                    })
                    .collect(),
            });
        Ok(PlanStatus {
            base: found.base,
            whole: found.whole,
            steps: steps.collect(),
            unplanned: report.unplanned,
        })
    }
}

struct Found {
    base: Option<String>,
    whole: bool,
    changes: BTreeMap<String, Changed>,
}

/// The files that differ from the base. A file that is as it was noted has not changed since the plan, whatever the
/// commit says of it.
fn changes(root: &Root, noted: &Base, asked: Option<&str>) -> Result<Found, ApiError> {
    let commit = asked.or(noted.head.as_deref());
    let snapshot = match commit.map(|commit| Snapshot::open(root.path(), Some(commit))) {
        None => None,
        Some(Ok(snapshot)) => Some(snapshot),
        // The commit of the note may be gone; what was noted beside it still counts.
        Some(Err(_)) if asked.is_none() && !noted.files.is_empty() => None,
        Some(Err(why)) => return Err(no_base(&why)),
    };
    if snapshot.is_none() && noted.files.is_empty() {
        let message = "Nothing was noted of the project when this plan was made, and it has no commit to compare with. \
                       Name one with its full id.";
        return Err(ApiError::invalid("no_base", message));
    }
    let now: BTreeSet<String> = paths(root)?.into_iter().collect();
    let mut before: BTreeSet<&str> = noted.files.keys().map(String::as_str).collect();
    if let Some(snapshot) = &snapshot {
        before.extend(snapshot.paths());
    }
    let mut changes = BTreeMap::new();
    for path in now.iter().map(String::as_str).chain(before.iter().copied().filter(|p| !now.contains(*p))) {
        let was_noted = noted.files.get(path);
        let in_commit = snapshot.as_ref().is_some_and(|s| s.has(path));
        let known = was_noted.is_some() || in_commit || noted.whole || snapshot.is_some();
        if !known {
            continue;
        }
        // A file that is ignored, or no text, is not listed or not read; what stands there counts.
        let text = root.read(path).ok();
        let there = text.is_some() || root.entry(path) != plan::Entry::Missing;
        let same = match (&text, was_noted) {
            (Some(text), Some(noted)) => hash(text) == *noted,
            (Some(text), None) => snapshot.as_ref().is_some_and(|s| s.is(path, text.as_bytes())),
            (None, _) => there == (was_noted.is_some() || in_commit),
        };
        if !same {
            let old = snapshot.as_ref().and_then(|s| s.text(path));
            // Without the old text a file that was there is still no new one.
            let old = old.or_else(|| was_noted.map(|_| String::new()));
            let unix = |text: String| text.replace("\r\n", "\n");
            let changed =
                Changed { before: old.map(unix), after: text.map(unix).or_else(|| there.then(String::new)) };
            if changed.before != changed.after {
                changes.insert(path.to_owned(), changed);
            }
        }
    }
    let whole = noted.whole || snapshot.is_some();
    Ok(Found { base: snapshot.map(|s| s.commit().to_owned()), whole, changes })
}

fn no_base(why: &NoHistory) -> ApiError {
    let why = match why {
        NoHistory::NoCommit => "there is no such commit here".to_owned(),
        other => other.to_string(),
    };
    let message =
        format!("The commit cannot be compared with: {why}. Name a commit of this project by its full id.");
    ApiError::invalid("no_base", message)
}
