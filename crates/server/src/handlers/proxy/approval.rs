//! What the request headers say about an approval, checked against the bytes that arrived.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use llm::approval::{
    HEADER_APPROVAL, HEADER_CEILING, HEADER_DESTINATIONS, HEADER_FILES, decode_destinations, decode_files,
};
use llm::{Approval, Destination};

use crate::error::ApiError;

/// An approval whose fingerprint matches the request.
pub(super) struct Approved {
    pub fingerprint: String,
    pub destinations: Vec<Destination>,
    pub ceiling_microusd: u64,
}

/// The approval of a request, recomputed from what arrived; `None` when it carries none. A fingerprint that does not
/// match is a refusal, whatever it was that changed.
pub(super) fn check(request: &HttpRequest, body: &[u8]) -> Result<Option<Approved>, ApiError> {
    let Some(shown) = text(request, HEADER_APPROVAL)? else {
        let stray = [HEADER_DESTINATIONS, HEADER_CEILING]
            .into_iter()
            .find(|name| request.headers().contains_key(*name));
        return match stray {
            None => Ok(None),
            Some(name) => Err(malformed(format!("`{name}` means nothing without `{HEADER_APPROVAL}`"))),
        };
    };
    let missing = |name: &str| malformed(format!("`{name}` is missing"));
    let destinations = text(request, HEADER_DESTINATIONS)?.ok_or_else(|| missing(HEADER_DESTINATIONS))?;
    let ceiling = text(request, HEADER_CEILING)?.ok_or_else(|| missing(HEADER_CEILING))?;
    let ceiling: u64 =
        ceiling.parse().map_err(|_| malformed(format!("`{HEADER_CEILING}` must be a number")))?;
    let destinations = decode_destinations(destinations)?;
    let approval = Approval::of_body(request.method().as_str(), request.path(), body, destinations, ceiling);
    let fingerprint = approval.fingerprint();
    if !shown.eq_ignore_ascii_case(&fingerprint) {
        let message = "what arrived is not what was approved: the request differs from its approval";
        return Err(ApiError::new(StatusCode::CONFLICT, "approval_mismatch", message));
    }
    Ok(Some(Approved { fingerprint, destinations: approval.destinations, ceiling_microusd: ceiling }))
}

/// The files the client says are in the body.
pub(super) fn files(request: &HttpRequest) -> Result<Vec<String>, ApiError> {
    match text(request, HEADER_FILES)? {
        Some(header) => Ok(decode_files(header)?),
        None => Ok(Vec::new()),
    }
}

/// A header as text; given twice, it could mean two things.
pub(super) fn text<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(malformed(format!("`{name}` must be given once, in ASCII"))),
    }
}

fn malformed(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "approval_malformed", message)
}
