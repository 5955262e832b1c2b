//! How an exchange ended, and what is written down about it.

use gateway::{ChatStream, GatewayError, Try};
use server_store::Settlement;

use super::{End, Exchange, Held};
use crate::audit::{Ending, Entry, Event};
use crate::error::ApiError;
use crate::identity::Principal;
use crate::state::State;
use crate::usage::Bill;

impl Exchange {
    /// The end of an answer that had begun.
    pub(super) fn ended(&self, stream: &ChatStream, model: String, result: Result<(), GatewayError>) -> End {
        let event = match &result {
            Ok(()) => Event::Served,
            Err(GatewayError::Canceled) => Event::Canceled,
            Err(_) => Event::Cut,
        };
        End {
            event,
            error: result.err().map(ApiError::from),
            usage: Some(stream.usage()),
            served: Some(stream.served().clone()),
            model,
        }
    }

    /// Hands usage and the outcome to be stored. The intent is already on record.
    pub(super) fn settle(&mut self, end: End) {
        let Some(held) = self.held.take() else { return };
        settle(
            Over {
                state: &self.state,
                request_id: &self.request_id,
                principal: &self.principal,
                entry: std::mem::take(&mut self.entry),
                tries: self.journal.take(),
                started_ms: self.started_ms,
                held,
            },
            end,
        );
    }
}

/// A request that is over.
pub(super) struct Over<'a> {
    pub state: &'a State,
    pub request_id: &'a str,
    pub principal: &'a Principal,
    pub entry: Entry,
    pub tries: Vec<Try>,
    pub started_ms: i64,
    pub held: Held,
}

/// Hands usage and the outcome of a request to be stored.
pub(super) fn settle(over: Over<'_>, end: End) {
    let Over { state, request_id, principal, mut entry, tries, started_ms, held } = over;
    let Held { mut permit, listed } = held;
    let now = state.env.now_ms();
    entry.event = end.event;
    entry.usage = end.usage;
    entry.error = end.error.map(|error| error.code.to_owned());
    entry.latency_ms = Some(now - started_ms);
    if let Some(traced) = &mut entry.traced {
        traced.returned.clone_from(&end.model);
    }
    let mut settlement = None;
    if let (Some(usage), Some(last)) = (end.usage, tries.last()) {
        let (provider, asked) = match &end.served {
            Some(served) => (served.provider.as_str(), served.model.as_str()),
            None => (last.provider.as_str(), last.model.as_str()),
        };
        let bill = Bill {
            request_id,
            principal,
            job: entry.job.as_deref(),
            provider,
            asked,
            returned: &end.model,
            usage,
            outcome: end.event.as_str(),
            at_ms: now,
        };
        let catalogue = state.routes.catalogue();
        entry.cost_microusd = bill.cost(catalogue);
        let reserved_microusd = permit.reserved_microusd().and_then(|amount| i64::try_from(amount).ok());
        settlement = Some(Settlement { usage: bill.row(catalogue), reserved_microusd });
        permit.over(usage.input_tokens.saturating_add(usage.output_tokens), entry.cost_microusd);
    }
    entry.tries = tries.into_iter().map(Into::into).collect();
    let settled = settlement.is_some();
    let stored = Box::new(move || {
        // What is not stored yet counts here; from now on it is read from the database.
        if settled {
            permit.stored();
        }
        drop(listed);
    });
    state.audit.end(request_id, Ending { entry, settlement, stored });
}
