//! `plantocode search`: tasks and plans by their words.

use crate::backup::day;
use crate::show::{self, QUIET, STRONG, styled};
use api::search::{FindWords, HitKind, SearchClient};
use clap::Args;
use host::Host;
use std::process::ExitCode;

/// Find tasks and plans by their words.
///
/// All words must occur; the last one may be the beginning of a word. What changed last comes first.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode search retry policy
  plantocode search \"connection reset\" --limit 5")]
pub struct Arguments {
    /// The words.
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// The most hits.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let find = FindWords { text: arguments.words.join(" "), project: None, limit: Some(arguments.limit) };
    let host = Host::open("cli").await?;
    let found = SearchClient(host.client.clone()).find(&find).await;
    host.close().await;
    let hits = found?.hits;
    if hits.is_empty() {
        show::note("Nothing was found. All words must occur; try fewer.");
        return Ok(ExitCode::SUCCESS);
    }
    for hit in hits {
        let (kind, id) = match (hit.kind, &hit.plan) {
            (HitKind::Plan, Some(plan)) => ("plan", plan.0.as_str()),
            _ => ("task", hit.session.0.as_str()),
        };
        let day = styled(QUIET, day(hit.updated_at));
        show::line(format_args!("{}  {day}  {kind} {id}", styled(STRONG, &hit.title)))?;
        let snippet = hit.snippet.iter().map(|piece| {
            // A snippet is one line here.
            let text = piece.text.split('\n').collect::<Vec<_>>().join(" ");
            if piece.matched { styled(STRONG, text) } else { show::harmless(&text) }
        });
        show::line(format_args!("  {}", snippet.collect::<String>()))?;
    }
    Ok(ExitCode::SUCCESS)
}
