//! What a request leaves behind, in one commit: the outcome in the record, what was used, and the plan's share of it.

use crate::Inner;
use crate::audit::{OUTCOME, VERSION, tries};
use crate::manifest::cost;
use crate::send::Answer;
use crate::wire::{AuditOutcome, Ending, StoredManifest};
use ::jobs::StepError;
use api::plans::Usage;
use gateway::Journal;
use llm::approval::HEADER_AUDIT;
use store::approvals::ApprovalRow;
use store::plans::PlanRow;
use store::usage::UsageRow;

/// What was used, for the sums and for the plan.
struct Spent {
    row: UsageRow,
    plan: Option<String>,
    usage: String,
}

/// Settles a request, however it ended. `plan` is the plan that was written, if it was one.
pub(crate) async fn settle(
    inner: &Inner,
    plan: Option<&str>,
    row: &ApprovalRow,
    stored: &StoredManifest,
    journal: &Journal,
    answer: &Answer,
) -> Result<(), StepError> {
    let used = answer.usage;
    // What the provider says that it took is right where no price is known, and where it is.
    let charged = used.charged_microusd.map(|own| own.saturating_add(used.upstream_microusd.unwrap_or(0)));
    let price = charged.or_else(|| stored.target.prices.map(|prices| cost(prices, &used)));
    let usage = Usage {
        input_tokens: used.input_tokens,
        cached_tokens: used.cache_read_tokens,
        output_tokens: used.output_tokens,
        cost: price.unwrap_or(0),
        unpriced: price.is_none(),
        estimated: used.estimated,
    };
    let served = answer.served.as_ref();
    let outcome = AuditOutcome {
        v: VERSION,
        at: inner.now(),
        job: row.job_id.clone(),
        outcome: outcome_word(answer.sent.ending, served.is_some()).to_owned(),
        tries: tries(journal),
        served: served.map(|s| format!("{}/{}", s.provider, s.model)),
        usage,
        searches: used.web_searches,
        server_audit: served.and_then(|s| s.header(HEADER_AUDIT)).map(str::to_owned),
        upstream: answer.upstream.map(str::to_owned),
        error: answer.error.clone(),
    };
    let spent = served.map(|served| UsageRow {
        job_id: row.job_id.clone(),
        session_id: row.session_id.clone(),
        provider: served.provider.clone(),
        model: served.model.clone(),
        input_tokens: usage.input_tokens,
        cached_tokens: usage.cached_tokens,
        output_tokens: usage.output_tokens,
        cost: price,
        estimated: usage.estimated,
    });
    let json = serde_json::to_string(&usage).map_err(|e| StepError::Failed(e.to_string()))?;
    let spent = spent.map(|row| Spent { row, plan: plan.map(str::to_owned), usage: json });
    commit(inner, &outcome, &row.id, spent).await
}

/// Settles a request whose end nobody saw, because the engine ended first. What it may have cost at most counts as spent:
/// a budget that forgot it could be passed by crashes.
pub(crate) async fn unknown(inner: &Inner, job: &str, approval: &str) -> Result<(), StepError> {
    let (row, stored) = inner.approval(&approval.into()).await.map_err(|e| StepError::Failed(e.message))?;
    let manifest = &stored.manifest;
    let cost = stored.target.prices.map(|_| manifest.cost_ceiling);
    let spent = Spent {
        row: UsageRow {
            job_id: job.to_owned(),
            session_id: row.session_id,
            provider: stored.target.provider.clone(),
            model: stored.target.model.clone(),
            input_tokens: manifest.input_tokens,
            cached_tokens: 0,
            output_tokens: 0,
            cost,
            estimated: true,
        },
        plan: None,
        usage: String::new(),
    };
    let outcome = AuditOutcome {
        v: VERSION,
        at: inner.now(),
        job: job.to_owned(),
        outcome: "unknown".to_owned(),
        tries: Vec::new(),
        served: None,
        usage: Usage {
            input_tokens: manifest.input_tokens,
            cost: cost.unwrap_or(0),
            unpriced: cost.is_none(),
            estimated: true,
            ..Usage::default()
        },
        searches: 0,
        server_audit: None,
        upstream: None,
        error: Some("the engine ended before the answer did".to_owned()),
    };
    commit(inner, &outcome, approval, Some(spent)).await
}

async fn commit(
    inner: &Inner,
    outcome: &AuditOutcome,
    approval: &str,
    spent: Option<Spent>,
) -> Result<(), StepError> {
    let record = serde_json::to_vec(outcome).map_err(|e| StepError::Failed(e.to_string()))?;
    let (job, approval, now) = (outcome.job.clone(), approval.to_owned(), inner.now());
    inner
        .store
        .write(move |db| {
            store::audit::append(db, &job, &approval, OUTCOME, &record, now)?;
            store::answers::settle(db, &approval)?;
            let cost = spent.as_ref().and_then(|spent| spent.row.cost).unwrap_or(0);
            store::permissions::release(db, &approval, cost)?;
            let Some(Spent { row, plan, usage }) = spent else { return Ok(()) };
            store::usage::insert(db, &row, now)?;
            // The session, and its plan with it, may have been deleted meanwhile.
            let plan = plan.map(|plan| store::plans::get(db, &plan)).transpose()?.flatten();
            if let Some(plan) = plan {
                let (provider, model) = (Some(row.provider), Some(row.model));
                store::plans::put(db, &PlanRow { provider, model, usage: Some(usage), ..plan })?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

fn outcome_word(ending: Ending, answered: bool) -> &'static str {
    match (ending, answered) {
        (Ending::Canceled, _) => "canceled",
        (_, false) => "failed",
        (Ending::Finished, true) => "served",
        (Ending::Length | Ending::Broken, true) => "cut",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_one_word_each() {
        assert_eq!(outcome_word(Ending::Finished, true), "served");
        assert_eq!(outcome_word(Ending::Broken, true), "cut");
        assert_eq!(outcome_word(Ending::Broken, false), "failed");
        assert_eq!(outcome_word(Ending::Canceled, false), "canceled");
    }
}
