//! How an exchange ended, and what is written down about it.

use gateway::{ChatStream, GatewayError, Journal};

use super::{End, Exchange};
use crate::audit::Event;
use crate::error::ApiError;
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

    /// Writes usage and the outcome. Whatever fails here is in the log; the intent is already on record.
    pub(super) async fn settle(mut self, end: End, journal: &Journal) {
        let now = self.state.env.now_ms();
        let tries = journal.tries();
        let mut entry = self.entry;
        entry.event = end.event;
        entry.usage = end.usage;
        entry.error = end.error.map(|error| error.code.to_owned());
        entry.latency_ms = Some(now - self.started_ms);
        if let (Some(usage), Some(last)) = (end.usage, tries.last()) {
            let (provider, asked) = match &end.served {
                Some(served) => (served.provider.as_str(), served.model.as_str()),
                None => (last.provider.as_str(), last.model.as_str()),
            };
            let bill = Bill {
                request_id: &self.request_id,
                principal: &self.principal,
                job: entry.job.as_deref(),
                provider,
                asked,
                returned: &end.model,
                usage,
                outcome: end.event.as_str(),
                at_ms: now,
            };
            let catalogue = self.state.routes.catalogue();
            entry.cost_microusd = bill.cost(catalogue);
            let reserved = self.permit.reserved_microusd().and_then(|amount| i64::try_from(amount).ok());
            if let Err(error) = self.state.store.settle_usage(&bill.row(catalogue), reserved).await {
                tracing::error!(%error, request_id = self.request_id, "usage cannot be stored");
            }
            // What could not be stored counts here until the budgets are read from the database again.
            self.permit.over(usage.input_tokens + usage.output_tokens, entry.cost_microusd);
            self.permit.stored();
        }
        entry.tries = tries.into_iter().map(Into::into).collect();
        if let Err(error) = self.state.audit.append(&self.request_id, entry).await {
            tracing::error!(%error, request_id = self.request_id, "the outcome cannot be recorded");
        }
        drop(self.listed);
    }
}
