//! The content filter, before anything leaves.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web;
use bytes::Bytes;
use gateway::Route;
use serde_json::Value;

use crate::audit::Entry;
use crate::config::SecretPolicy;
use crate::error::ApiError;
use crate::filter::{self, Screening};
use crate::state::State;

/// Bytes up to which a body is scanned where it was read: that takes some tens of microseconds at most, and handing it to another
/// thread and back takes more.
const SMALL: usize = 8 * 1024;

/// The code of a refusal for what looks like a secret.
pub(super) const SECRET_BLOCKED: &str = "secret_blocked";

/// Scans a body as it came, in whichever dialect. An approved one is sent as it is or not at all; only without approval may
/// it be redacted, and then the redacted body is returned.
pub(super) async fn screen(
    state: &web::Data<State>,
    body: &Bytes,
    routes: &[Route],
    approved: bool,
    entry: &mut Entry,
) -> Result<Option<Bytes>, ApiError> {
    let screening = Screening::of(&state.settings.filter, routes);
    let (guard, bytes) = (Arc::clone(&state.guard), body.clone());
    let small = body.len() <= SMALL;
    let scan = move || {
        let found = filter::scan(&guard, &screening, &bytes)?;
        let mut open = found.iter().filter(|finding| !finding.allowed).peekable();
        let redactable = open.peek().is_some()
            && open.all(|finding| screening.policy(&finding.class) == SecretPolicy::Redact);
        let redacted = if redactable && !approved {
            let mut value: Value = serde_json::from_slice(&bytes)?;
            filter::redact_body(&guard, &screening, &mut value);
            let redacted = Bytes::from(serde_json::to_vec(&value)?);
            // What cannot be redacted, such as a secret in the name of a field, is blocked after all.
            let left = filter::scan(&guard, &screening, &redacted)?;
            left.iter().all(|finding| finding.allowed).then_some(redacted)
        } else {
            None
        };
        Ok::<_, serde_json::Error>((found, redacted))
    };
    let scanned = if small {
        scan()
    } else {
        let scanned = tokio::task::spawn_blocking(scan).await;
        scanned.map_err(|_| ApiError::unavailable("the content filter did not run"))?
    };
    let (found, redacted) = scanned.map_err(|error| ApiError::invalid(error.to_string()))?;
    entry.findings = found;
    if redacted.is_some() {
        let secret = entry.findings.iter().filter(|finding| !finding.allowed);
        entry.transformations =
            secret.map(|f| format!("redacted {} at {} line {}", f.class, f.place, f.line)).collect();
        return Ok(redacted);
    }
    match entry.findings.iter().find(|finding| !finding.allowed) {
        None => Ok(None),
        Some(finding) => {
            let (rule, place, line) = (&finding.rule, &finding.place, finding.line);
            let message =
                format!("the request contains what looks like a secret: {rule} in {place}, line {line}");
            Err(ApiError::new(StatusCode::FORBIDDEN, SECRET_BLOCKED, message))
        }
    }
}
