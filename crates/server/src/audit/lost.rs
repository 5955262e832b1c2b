//! Requests of which nobody wrote how they ended, because their server was killed: recorded as lost, with an estimate of what
//! they used, by whichever server notices first.

use std::time::Duration;

use llm::inbound::transcription;
use llm::{Catalogue, Destination, Usage};
use server_store::{AuditRow, Settlement, Store, UsageRow};

use super::wire::{Entry, Event, Open, Record};
use super::writer::{Audit, Ending};
use crate::ServerError;
use crate::env::Env;
use crate::usage::cost;

/// How often a server says that it lives.
pub(crate) const BEAT: Duration = Duration::from_secs(10);
/// A server that has said nothing for so long is taken for dead. One that was only stopped for a while finds its requests
/// settled; what they used is then counted as estimated here.
const SILENCE_MS: i64 = 60_000;

/// Says that this server lives, and settles what dead ones left. Says how many requests that were.
pub(crate) async fn look_after(
    store: &Store,
    audit: &Audit,
    catalogue: &Catalogue,
    env: &Env,
) -> Result<usize, ServerError> {
    let now = env.now_ms();
    store.node_lives(audit.node(), now).await?;
    let mut settled = 0;
    for dead in store.take_on_dead_nodes(now, now - SILENCE_MS).await? {
        if dead == audit.node() {
            continue;
        }
        let lost = settle(store, audit, catalogue, env, &dead).await?;
        audit.flush().await;
        store.close_node(&dead, env.now_ms()).await?;
        tracing::warn!(
            node = dead,
            lost,
            "a server ended without closing its chain; its requests are settled"
        );
        settled += lost;
    }
    Ok(settled)
}

async fn settle(
    store: &Store,
    audit: &Audit,
    catalogue: &Catalogue,
    env: &Env,
    node: &str,
) -> Result<usize, ServerError> {
    const PAGE: i64 = 500;
    let (mut after, mut lost) = (0, 0);
    loop {
        let rows = store.lone_records(node, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(lost) };
        // A long chain takes a while, in which this server lives, too.
        store.node_lives(audit.node(), env.now_ms()).await?;
        after = last.seq;
        for row in &rows {
            if let Some(ending) = ending(row, catalogue, env.now_ms()) {
                audit.end(&row.request_id, ending);
                lost += 1;
            }
        }
    }
}

/// How a request is recorded that was about to leave when its server died; `None` for one that was refused.
fn ending(row: &AuditRow, catalogue: &Catalogue, now_ms: i64) -> Option<Ending> {
    let open = serde_json::from_slice::<Record<'_, Open>>(&row.record).ok()?.entry;
    if open.event != Event::Intent {
        return None;
    }
    // The first of the destinations is where it went, if it got as far.
    let destination: Option<Destination> = open.destinations.first().and_then(|text| text.parse().ok());
    let usage: Usage = match open.path.contains("/audio/") {
        true => transcription::estimate(open.body_bytes),
        false => llm::Tally::new(open.body_bytes).usage(),
    };
    let priced = destination.as_ref().and_then(|to| cost(catalogue, &to.provider, &to.model, "", &usage));
    let settlement = destination.map(|to| Settlement {
        reserved_microusd: None,
        usage: UsageRow {
            request_id: row.request_id.clone(),
            org_id: open.org.clone(),
            user_id: open.user.clone(),
            device_id: open.device.clone(),
            token_id: open.token.clone(),
            job: open.job.clone(),
            at_ms: now_ms,
            provider: to.provider,
            model: to.model,
            input_tokens: i64::try_from(usage.input_tokens).unwrap_or(i64::MAX),
            output_tokens: 0,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
            estimated: true,
            cost_microusd: priced.and_then(|cost| i64::try_from(cost).ok()),
            outcome: Event::Lost.as_str().into(),
        },
    });
    let entry = Entry {
        event: Event::Lost,
        org: open.org,
        user: open.user,
        device: open.device,
        token: open.token,
        tag: open.tag,
        method: open.method,
        path: open.path,
        job: open.job,
        body_hash: open.body_hash,
        body_bytes: open.body_bytes,
        model_asked: open.model_asked,
        approval: open.approval,
        policy: open.policy,
        scope: open.scope,
        destinations: open.destinations,
        files: open.files,
        usage: Some(usage),
        cost_microusd: priced,
        ..Entry::default()
    };
    Some(Ending { entry, settlement, stored: Box::new(|| ()) })
}
