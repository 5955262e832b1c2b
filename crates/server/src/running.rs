//! The requests under way, so that they can be canceled by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::CancellationToken;

/// All requests under way on this node. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<String, Flight>>>);

struct Flight {
    user_id: String,
    job: Option<String>,
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
        user_id: &str,
        job: Option<&str>,
        cancel: CancellationToken,
    ) -> Listed {
        let flight = Flight { user_id: user_id.into(), job: job.map(Into::into), cancel };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(request_id.into(), flight);
        Listed { request_id: request_id.into(), all: self.clone() }
    }

    /// Cancels the requests of a user that have this request id or job; says how many.
    pub fn cancel(&self, user_id: &str, name: &str) -> usize {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = flights.iter().filter(|(id, flight)| {
            flight.user_id == user_id && (id.as_str() == name || flight.job.as_deref() == Some(name))
        });
        named.map(|(_, flight)| flight.cancel.cancel()).count()
    }

    /// Cancels everything: the server is stopping.
    pub fn cancel_all(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .for_each(|flight| flight.cancel.cancel());
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
