//! Turns the errors of the parts into what a person reads.

use gateway::GatewayError;
use rpc::{ApiError, ErrorCode};
use store::StoreError;

/// A failed database operation. What was committed before is kept.
pub(crate) fn database(e: StoreError) -> ApiError {
    tracing::error!(error = %e, "a database operation failed");
    if matches!(e, StoreError::Full) {
        return ApiError::new(ErrorCode::Unavailable, "disk_full", ::jobs::DISK_FULL);
    }
    ApiError::new(
        ErrorCode::Internal,
        "database",
        format!("The local database failed: {e}. What was stored before is kept."),
    )
}

/// A stored document that no longer has the form this version writes.
pub(crate) fn damaged(what: &str) -> ApiError {
    ApiError::internal(format!("The stored {what} cannot be read. It is kept as it is."))
}

pub(crate) fn no_session(id: &api::SessionId) -> ApiError {
    ApiError::not_found("no_session", "This session does not exist, or was deleted.").with("session", id)
}

pub(crate) fn no_project(id: impl std::fmt::Display) -> ApiError {
    ApiError::not_found("no_project", "This folder is not granted. Grant it, then try again.")
        .with("project", id)
}

pub(crate) fn no_plan(id: &api::PlanId) -> ApiError {
    ApiError::not_found("no_plan", "This plan does not exist, or its session was deleted.").with("plan", id)
}

pub(crate) fn no_approval(id: &api::ApprovalId) -> ApiError {
    ApiError::not_found("no_approval", "This approval does not exist, or its session was deleted.")
        .with("approval", id)
}

/// A failed request, for the person who waits for it.
pub(crate) fn request(e: &GatewayError) -> ApiError {
    let (code, reason) = match e {
        GatewayError::Invalid(_) => (ErrorCode::Invalid, "request_invalid"),
        GatewayError::Rejected { .. } => (ErrorCode::Invalid, "request_refused"),
        GatewayError::Unauthorized { .. } => (ErrorCode::Unauthenticated, "key_refused"),
        GatewayError::RateLimited { .. } => (ErrorCode::RateLimited, "rate_limited"),
        GatewayError::Exhausted { .. } => (ErrorCode::RateLimited, "quota_exhausted"),
        GatewayError::Unavailable { .. } => (ErrorCode::Unavailable, "unreachable"),
        GatewayError::Cut { .. } => (ErrorCode::Unavailable, "cut"),
        GatewayError::Canceled => (ErrorCode::Canceled, "canceled"),
        GatewayError::Setup(_) => (ErrorCode::Internal, "setup"),
    };
    ApiError::new(code, reason, sentence(&e.to_string()))
}

/// `text` with a capital letter and a full stop. A name that has its capitals elsewhere keeps them.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let is_name = text.split_whitespace().next().is_some_and(|word| word.contains(char::is_uppercase));
    let upper = |c: char| if is_name { c.into() } else { c.to_uppercase().collect::<String>() };
    let first: String = chars.next().map(upper).unwrap_or_default();
    let end = if text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

#[cfg(test)]
mod tests {
    #[test]
    fn sentences_end() {
        assert_eq!(super::sentence("openai is not available: x"), "Openai is not available: x.");
        assert_eq!(super::sentence("xAI is not available: x"), "xAI is not available: x.");
        assert_eq!(super::sentence("Done."), "Done.");
    }
}
