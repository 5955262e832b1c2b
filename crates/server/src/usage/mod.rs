//! What a request cost, settled on every way out.

use llm::{Catalogue, Usage};
use server_store::UsageRow;

use crate::identity::Principal;

/// Who used what.
pub(crate) struct Bill<'a> {
    pub request_id: &'a str,
    pub principal: &'a Principal,
    pub job: Option<&'a str>,
    pub provider: &'a str,
    /// The model that was asked; billed when the answer names none.
    pub asked: &'a str,
    /// The model that answered.
    pub returned: &'a str,
    pub usage: Usage,
    pub outcome: &'static str,
    pub at_ms: i64,
}

impl Bill<'_> {
    /// The cost in micro-dollars; `None` when no price is known for the model.
    pub fn cost(&self, catalogue: &Catalogue) -> Option<u64> {
        cost(catalogue, self.provider, self.asked, self.returned, &self.usage)
    }

    /// The row to store.
    pub fn row(&self, catalogue: &Catalogue) -> UsageRow {
        let model = if self.returned.is_empty() { self.asked } else { self.returned };
        // A provider may say anything; PostgreSQL refuses this one character in any text.
        let model = model.replace('\0', "");
        UsageRow {
            request_id: self.request_id.into(),
            org_id: self.principal.org_id.clone(),
            user_id: self.principal.user_id.clone(),
            device_id: self.principal.device_id.clone(),
            token_id: self.principal.grant.as_ref().map(|grant| grant.id.clone()),
            job: self.job.map(Into::into),
            at_ms: self.at_ms,
            provider: self.provider.into(),
            model,
            input_tokens: count(self.usage.input_tokens),
            output_tokens: count(self.usage.output_tokens),
            cache_read_tokens: count(self.usage.cache_read_tokens),
            cache_write_tokens: count(self.usage.cache_write_tokens),
            reasoning_tokens: count(self.usage.reasoning_tokens),
            estimated: self.usage.estimated,
            cost_microusd: self.cost(catalogue).map(count),
            outcome: self.outcome.into(),
        }
    }
}

/// A number as it is stored. A provider may name any; sums of what it names must still be numbers.
fn count(number: u64) -> i64 {
    const MOST: u64 = 1_000_000_000_000_000;
    i64::try_from(number.min(MOST)).unwrap_or_default()
}

/// What the provider says that it charged, with what the one behind it did; where it says nothing, the price of the
/// returned model, and where the catalogue does not know that one, of the one that was asked.
pub(crate) fn cost(
    catalogue: &Catalogue,
    provider: &str,
    asked: &str,
    returned: &str,
    usage: &Usage,
) -> Option<u64> {
    if let Some(charged) = usage.charged_microusd {
        return Some(charged.saturating_add(usage.upstream_microusd.unwrap_or_default()));
    }
    if (usage.audio_ms > 0 || usage.audio_tokens > 0)
        && let Some(prices) = catalogue.speech(provider, asked)
    {
        return Some(prices.cost_microusd(usage));
    }
    let model = catalogue.find(provider, returned).or_else(|| catalogue.find(provider, asked))?;
    Some(model.prices.cost_microusd(usage))
}
