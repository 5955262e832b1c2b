//! `/api/admin`: people, provider keys and the organisation, for its administrators. Every change is on record before it is made.

pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod org;
mod outside;
pub(crate) mod users;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use server_store::Role;

use crate::ServerError;
use crate::audit::{Change, Entry, Event};
use crate::error::ApiError;
use crate::identity::Principal;
use crate::request_id::RequestId;
use crate::state::{State, address};

/// The administrator who asks. The database has the last word about that: a token may be older than a change of the role.
async fn administrator(request: &HttpRequest, state: &State) -> Result<Principal, ApiError> {
    let principal = state.person(request)?;
    let user = state.store.user(&principal.user_id).await?;
    match user.is_some_and(|user| user.role == Role::Admin && user.disabled_ms.is_none()) {
        true => Ok(principal),
        false => Err(ApiError::forbidden("only administrators do this")),
    }
}

/// Writes down what is about to be changed. Without it nothing is.
async fn record(
    request: &HttpRequest,
    state: &State,
    admin: &Principal,
    change: Change,
) -> Result<(), ApiError> {
    let entry = Entry {
        event: Event::Changed,
        org: admin.org_id.clone(),
        user: admin.user_id.clone(),
        device: admin.device_id.clone(),
        address: address(request),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        change: Some(change),
        ..Entry::default()
    };
    state.audit.append(&RequestId::of(request), entry).await?;
    Ok(())
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
}

fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "conflict", message)
}

/// What is wrong with what was asked is told; what is wrong with the server is not.
fn told(error: ServerError) -> ApiError {
    match error {
        ServerError::Config(problem) => ApiError::invalid(problem),
        ServerError::NotFound(problem) => not_found(problem),
        other => other.into(),
    }
}
