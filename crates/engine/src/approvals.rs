//! The person's answer to a manifest.

use crate::error::{damaged, database, no_approval};
use crate::manifest::{self, Choice};
use crate::permissions::{self, Room};
use crate::question::FilePart;
use crate::roots::Root;
use crate::wire::StoredManifest;
use crate::{Engine, Inner};
use api::approvals::{
    ApprovalState, Approvals, Approve, EndPermission, GetApproval, GetText, ListPermissions, Manifest,
    PartText, PermissionList, Remember, Revise,
};
use api::events::Topic;
use api::{ApprovalId, JobId};
use rpc::{ApiError, Caller, ErrorCode};
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::approvals::ApprovalRow;
use store::jobs::JobState;

/// A job asks, and comes to rest, in two commits. An answer that arrives between them waits this long.
const REST_TRIES: u32 = 100;
const REST_PAUSE: Duration = Duration::from_millis(20);

impl Inner {
    /// One approval with its stored manifest.
    pub(crate) async fn approval(&self, id: &ApprovalId) -> Result<(ApprovalRow, StoredManifest), ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::approvals::get(db, &key)).await.map_err(database)?;
        let row = row.ok_or_else(|| no_approval(id))?;
        let stored = serde_json::from_str(&row.manifest).map_err(|_| damaged("manifest"))?;
        Ok((row, stored))
    }

    /// Stores a manifest and its bytes, and asks. One that `replaces` another takes its place only while that one still
    /// waits; any other is approved at once if a standing permission covers it.
    pub(crate) async fn ask(
        &self,
        built: manifest::Built,
        replaces: Option<&str>,
    ) -> Result<Manifest, ApiError> {
        let manifest::Built { row, canonical, body, stored } = built;
        let (id, session, now) = (row.id.clone(), row.session_id.clone(), self.now());
        let replaces = replaces.map(str::to_owned);
        let asked = stored.clone();
        let known = self
            .store
            .write(move |db| {
                store::texts::put(db, &canonical)?;
                store::texts::put(db, &body)?;
                if !store::approvals::ask(db, &row, replaces.as_deref())? {
                    return Ok(false);
                }
                if replaces.is_none()
                    && let Some(permission) = permissions::covering(db, &asked, now)?
                    && matches!(
                        permissions::hold(db, &asked, &row.id, Some(&permission.id), now)?,
                        Room::Held
                    )
                {
                    let by = format!("{}{}", permissions::BY_PERMISSION, permission.id);
                    store::approvals::answer(db, &row.id, "approved", &by, now)?;
                }
                Ok(true)
            })
            .await
            .map_err(database)?;
        if !known {
            return Err(over());
        }
        self.bus.tell(Topic::Approval, &id, Some(&session));
        Ok(stored.manifest)
    }

    async fn view(&self, id: &ApprovalId) -> Result<Manifest, ApiError> {
        let (row, stored) = self.approval(id).await?;
        let mut manifest = stored.manifest;
        manifest.state = state(&row.state);
        manifest.by = row.by;
        if manifest.state == ApprovalState::Waiting
            && let Ok(session) = self.session(&manifest.session).await
            && let Ok(root) = self.root(&session.project_id).await
        {
            for file in &mut manifest.files {
                file.changed = differs(&root, &file.path, &stored.read);
            }
        }
        Ok(manifest)
    }

    /// Waits until the job has come to rest before its approval.
    async fn at_rest(&self, job: &JobId) -> Result<(), ApiError> {
        for _ in 0..REST_TRIES {
            match self.job(job).await?.state {
                JobState::WaitingApproval => return Ok(()),
                JobState::Queued | JobState::Running => tokio::time::sleep(REST_PAUSE).await,
                _ => return Err(over()),
            }
        }
        Err(ApiError::new(
            ErrorCode::Unavailable,
            "job_busy",
            "The job is still busy. Try again in a moment.",
        ))
    }
}

fn state(name: &str) -> ApprovalState {
    match name {
        "waiting" => ApprovalState::Waiting,
        "approved" => ApprovalState::Approved,
        "refused" => ApprovalState::Refused,
        _ => ApprovalState::Superseded,
    }
}

fn differs(root: &Root, path: &str, read: &[(String, String)]) -> bool {
    let known = read.iter().find(|(p, _)| p == path).map(|(_, hash)| hash.as_str());
    let now = root.read(path).ok().map(|text| hex::encode(Sha256::digest(text.as_bytes())));
    known != now.as_deref()
}

fn over() -> ApiError {
    let message = "This question was answered already, or its job has ended. Nothing more was sent.";
    ApiError::new(ErrorCode::Conflict, "approval_over", message)
}

impl Approvals for Engine {
    async fn get(&self, _: &Caller, request: GetApproval) -> Result<Manifest, ApiError> {
        self.inner.view(&request.approval).await
    }

    async fn text(&self, _: &Caller, request: GetText) -> Result<PartText, ApiError> {
        let (row, stored) = self.inner.approval(&request.approval).await?;
        let hash = row.canonical_hash;
        let canonical =
            self.inner.store.read(move |db| store::texts::get(db, &hash)).await.map_err(database)?;
        let canonical = canonical.ok_or_else(|| {
            ApiError::not_found(
                "request_gone",
                "The text of this request is kept no longer: another one replaced it, or its time is over (see the settings). What it \
                 held stands in its manifest.",
            )
        })?;
        let text = manifest::text(&stored, &canonical, &request.source).ok_or_else(|| {
            ApiError::not_found("no_part", "This request has no such part.").with("source", &request.source)
        })?;
        Ok(PartText { text })
    }

    async fn revise(&self, _: &Caller, request: Revise) -> Result<Manifest, ApiError> {
        let (row, stored) = self.inner.approval(&request.approval).await?;
        if row.state != "waiting" {
            return Err(over());
        }
        let old = stored.manifest;
        self.inner.at_rest(&old.job).await?;
        let model = request.model.as_deref().unwrap_or(&old.model);
        let choice = Choice {
            model: self.inner.model(Some(model)).await?,
            redact: request.redact.unwrap_or(old.redacted),
        };
        let job = self.inner.job(&old.job).await?;
        let (stage, outputs) = self.inner.present_stage(&job).await?;
        let mut question = self.inner.question(&job, &stage, &outputs).await?;
        if question.web.is_some() && request.files.as_ref().is_some_and(|files| !files.is_empty()) {
            let message = "A request that lets the provider search the web gets no files: what a model reads it may search for. Nothing \
                           was sent.";
            return Err(ApiError::invalid("web_files", message));
        }
        if !question.takes_files && request.files.as_ref().is_some_and(|files| !files.is_empty()) {
            let message =
                "This request gets no files: what it asks is about the words alone. Nothing was sent.";
            return Err(ApiError::invalid("no_files", message));
        }
        let files = request.files.unwrap_or_else(|| old.files.iter().map(|f| f.path.clone()).collect());
        // A file that the stage sends in pieces stays in pieces.
        question.files = files
            .into_iter()
            .map(|path| {
                let known = question.files.iter().find(|file| file.path == path).cloned();
                known.unwrap_or_else(|| FilePart::whole(path))
            })
            .collect();
        let built = manifest::build(&self.inner, &job, question, choice).await?;
        self.inner.ask(built, Some(&row.id)).await
    }

    async fn approve(&self, caller: &Caller, request: Approve) -> Result<Manifest, ApiError> {
        let (row, stored) = self.inner.approval(&request.approval).await?;
        if row.state != "waiting" {
            return Err(over());
        }
        let manifest = &stored.manifest;
        if request.fingerprint != manifest.fingerprint {
            let message = "What was shown is not what would be sent now. Nothing was sent; look at it again.";
            return Err(ApiError::new(ErrorCode::Conflict, "approval_mismatch", message));
        }
        if let Some(secret) = manifest.secrets.iter().find(|s| !s.allowed) {
            let message = format!(
                "{}, line {}: {} Leave the file out or redact it; nothing was sent.",
                secret.source,
                secret.line,
                crate::error::sentence(&secret.description)
            );
            return Err(ApiError::new(ErrorCode::Forbidden, "secret_found", message));
        }
        if manifest.overflow_tokens > 0 {
            return Err(too_long(manifest));
        }
        self.answer(caller, &stored, "approved", request.remember.as_ref()).await?;
        if let Some(runner) = self.inner.runner() {
            runner.wake();
        }
        self.inner.view(&request.approval).await
    }

    async fn refuse(&self, caller: &Caller, request: GetApproval) -> Result<Manifest, ApiError> {
        let (row, stored) = self.inner.approval(&request.approval).await?;
        if row.state != "waiting" {
            return Err(over());
        }
        self.answer(caller, &stored, "refused", None).await?;
        self.inner.view(&request.approval).await
    }

    async fn permissions(&self, _: &Caller, request: ListPermissions) -> Result<PermissionList, ApiError> {
        self.list_permissions(request).await
    }

    async fn end_permission(
        &self,
        caller: &Caller,
        request: EndPermission,
    ) -> Result<PermissionList, ApiError> {
        Engine::end_permission(self, &caller.name, request).await
    }
}

/// That a request is longer than the model takes, and how sure that is.
fn too_long(manifest: &Manifest) -> ApiError {
    let (about, estimated) = match manifest.tokens_exact {
        true => ("", ""),
        false => {
            ("about ", " For this model the count is an estimate, which is meant to be rather too high.")
        }
    };
    let message = format!(
        "This is {about}{} tokens too long for {}.{estimated} Untick files or choose a model with a larger window; nothing was sent.",
        manifest.overflow_tokens, manifest.model
    );
    ApiError::new(ErrorCode::Forbidden, "too_long", message)
}

impl Engine {
    /// Stores the answer and what becomes of the job in one commit: approved, its cost is set aside and it is queued;
    /// refused, it ends.
    async fn answer(
        &self,
        caller: &Caller,
        stored: &StoredManifest,
        answer: &'static str,
        remember: Option<&Remember>,
    ) -> Result<(), ApiError> {
        let manifest = &stored.manifest;
        self.inner.at_rest(&manifest.job).await?;
        let permission =
            remember.map(|bounds| permissions::row(&self.inner, stored, bounds, &caller.name)).transpose()?;
        let (id, job, by, now) =
            (manifest.id.0.clone(), manifest.job.0.clone(), caller.name.clone(), self.inner.now());
        let (to, note) = match answer {
            "approved" => (JobState::Queued, "Approved."),
            _ => (JobState::Canceled, "Refused: nothing was sent."),
        };
        let asked = stored.clone();
        let answered = self
            .inner
            .store
            .write(move |db| {
                let current = store::jobs::get(db, &job)?;
                let asks = current.is_some_and(|j| {
                    j.state == JobState::WaitingApproval && j.approval_id.as_deref() == Some(&id)
                });
                if !asks {
                    return Ok(Answered::Over);
                }
                if answer == "approved"
                    && let Room::Full(why) = permissions::hold(db, &asked, &id, None, now)?
                {
                    return Ok(Answered::Full(why));
                }
                if !store::approvals::answer(db, &id, answer, &by, now)? {
                    return Ok(Answered::Over);
                }
                if let Some(permission) = permission {
                    store::permissions::insert(db, &permission)?;
                }
                store::jobs::transition(db, &job, &[JobState::WaitingApproval], to, note, now)?;
                Ok(Answered::Yes)
            })
            .await
            .map_err(database)?;
        match answered {
            Answered::Yes => {}
            Answered::Over => return Err(over()),
            Answered::Full(why) => return Err(permissions::full(why)),
        }
        self.inner.bus.tell(Topic::Approval, &manifest.id.0, Some(&manifest.session.0));
        self.inner.bus.tell(Topic::Job, &manifest.job.0, Some(&manifest.session.0));
        Ok(())
    }
}

/// Whether an answer was taken.
enum Answered {
    Yes,
    /// It came too late.
    Over,
    /// There is no money for it.
    Full(String),
}
