//! The requests under way, so that they can be canceled by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::CancellationToken;

use crate::identity::{Grants, Principal, Revoked};

/// All requests under way on this node. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<String, Flight>>>);

struct Flight {
    user_id: String,
    device_id: String,
    token_id: Option<String>,
    job: Option<String>,
    started_ms: i64,
    cancel: CancellationToken,
}

/// Keeps a request in the list while it lives.
pub(crate) struct Listed {
    request_id: String,
    all: InFlight,
}

impl InFlight {
    /// Lists a request.
    pub fn list(
        &self,
        request_id: &str,
        principal: &Principal,
        job: Option<&str>,
        started_ms: i64,
        cancel: CancellationToken,
    ) -> Listed {
        let flight = Flight {
            user_id: principal.user_id.clone(),
            device_id: principal.device_id.clone(),
            token_id: principal.grant.as_ref().map(|grant| grant.id.clone()),
            job: job.map(Into::into),
            started_ms,
            cancel,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(request_id.into(), flight);
        Listed { request_id: request_id.into(), all: self.clone() }
    }

    /// When a user's request began, if it is under way.
    pub fn started(&self, user_id: &str, request_id: &str) -> Option<i64> {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = flights.get(request_id).filter(|flight| flight.user_id == user_id)?;
        Some(flight.started_ms)
    }

    /// Cancels the requests of a user that have this request id or job; says how many.
    pub fn cancel(&self, user_id: &str, name: &str) -> usize {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = flights.iter().filter(|(id, flight)| {
            flight.user_id == user_id && (id.as_str() == name || flight.job.as_deref() == Some(name))
        });
        named.map(|(_, flight)| flight.cancel.cancel()).count()
    }

    /// Cancels what was asked for by sign-ins and tokens that have ended since; says how many.
    pub fn cancel_ended(&self, revoked: &Revoked, grants: &Grants) -> usize {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = flights.values().filter(|flight| match &flight.token_id {
            Some(token) => !grants.has(token),
            None => revoked.covers(&flight.device_id, &flight.user_id),
        });
        ended.map(|flight| flight.cancel.cancel()).count()
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request_id);
    }
}
