//! `plantocode usage` and `plantocode budget`: what was spent, and what may be.

use crate::backup::begin_of;
use crate::plan::approve::dollars;
use crate::show::{self, STRONG, count, money, styled};
use api::Empty;
use api::settings::SettingsClient;
use api::usage::{UsageBy, UsageClient, UsageGroup};
use clap::{Args, ValueEnum};
use host::Host;
use std::process::ExitCode;

/// Say what was spent: requests, tokens and cost.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode usage
  plantocode usage --by session --since 2026-11-01")]
pub struct Usage {
    /// By what to add up.
    #[arg(long, value_enum, default_value = "model")]
    by: By,
    /// From this day (UTC) on; from the beginning when absent.
    #[arg(long, value_name = "DAY", value_parser = begin_of)]
    since: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    Day,
    Session,
    Model,
    Job,
}

/// Say what may be spent, or change it. What could exceed a budget is not sent.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode budget
  plantocode budget --day 5 --session 1
  plantocode budget --day none")]
pub struct Budget {
    /// Dollars in any 24 hours; `none` removes the budget.
    #[arg(long, value_name = "USD", value_parser = limit)]
    day: Option<Limit>,
    /// Dollars in one session; `none` removes the budget.
    #[arg(long, value_name = "USD", value_parser = limit)]
    session: Option<Limit>,
}

/// A limit in millionths of a dollar, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit(Option<u64>);

fn limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    let wrong = || format!("{text} is no amount; write dollars such as 5 or 0.50, or none");
    // Beyond this a number is a mistake, and below it every amount is exact.
    let dollars = dollars(text).ok().filter(|dollars| *dollars <= 1e6).ok_or_else(wrong)?;
    Ok(Limit(Some((dollars * 1e6).round() as u64)))
}

pub async fn usage(arguments: Usage) -> anyhow::Result<ExitCode> {
    let group = match arguments.by {
        By::Day => UsageGroup::Day,
        By::Session => UsageGroup::Session,
        By::Model => UsageGroup::Model,
        By::Job => UsageGroup::Job,
    };
    let host = Host::open("cli").await?;
    let request = UsageBy { since: arguments.since.unwrap_or(0), group };
    let table = UsageClient(host.client.clone()).by(&request).await;
    host.close().await;
    let rows = table?.rows;
    if rows.is_empty() {
        show::note("Nothing was sent to a model yet, or not since that day.");
    }
    for row in rows {
        let unpriced = match row.unpriced {
            0 => String::new(),
            n => format!(", {n} without a known price"),
        };
        let key = if row.key.is_empty() { "not noted" } else { &row.key };
        show::line(format_args!(
            "{:>9}  {}  {} requests, {} tokens in ({} cached), {} out{unpriced}{}",
            money(row.cost),
            styled(STRONG, key),
            row.requests,
            count(row.input_tokens),
            count(row.cached_tokens),
            count(row.output_tokens),
            row.title.map(|title| format!("  {}", show::harmless(&title))).unwrap_or_default()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn budget(arguments: Budget) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let client = SettingsClient(host.client.clone());
    let outcome = async {
        let mut settings = client.get(&Empty {}).await?;
        if arguments.day.is_none() && arguments.session.is_none() {
            return Ok(settings);
        }
        if let Some(Limit(day)) = arguments.day {
            settings.day_budget = day;
        }
        if let Some(Limit(session)) = arguments.session {
            settings.session_budget = session;
        }
        client.set(&settings).await
    };
    let settings = outcome.await;
    host.close().await;
    let settings = settings?;
    for (word, limit) in [("24 hours", settings.day_budget), ("one session", settings.session_budget)] {
        let limit = limit.map_or_else(|| "no limit".to_owned(), money);
        show::line(format_args!("{word}: {limit}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_dollars() {
        for (text, expected) in
            [("5", Some(5_000_000)), ("$0.50", Some(500_000)), ("0", Some(0)), ("none", None)]
        {
            assert_eq!(limit(text), Ok(Limit(expected)), "{text}");
        }
        for text in ["-1", "NaN", "inf", "five", "", "1e9"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }
}
