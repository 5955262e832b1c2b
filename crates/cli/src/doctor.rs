//! `plantocode doctor`, `plantocode sizes` and `plantocode settings`: how everything is, what takes room, what is kept.

use crate::backup::size;
use crate::show::{self, BAD, GOOD, QUIET, STRONG, WARN, styled};
use api::Empty;
use api::settings::{Settings as Kept, SettingsClient};
use api::system::{Check, CheckLevel, CheckSystem, SizeKind, SystemClient};
use clap::{Args, ValueEnum};
use host::Host;
use std::process::ExitCode;

/// Look through everything PlanToCode relies on here, and say what to do about what is wrong. Changes nothing.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode doctor
  plantocode doctor --whole")]
pub struct Doctor {
    /// Read the whole database; takes seconds for each gigabyte.
    #[arg(long)]
    whole: bool,
}

/// Show what takes room on the disk; forget what need not be kept.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode sizes
  plantocode sizes --clean")]
pub struct Sizes {
    /// Forget now what the settings say is kept no longer, and give the room back.
    #[arg(long)]
    clean: bool,
}

/// Show the settings of the engine, or change one.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode settings
  plantocode settings keep-requests-days 30
  plantocode settings keep-requests-days 0")]
pub struct Settings {
    /// Which to change.
    #[arg(value_name = "NAME", requires = "value")]
    name: Option<Name>,
    /// Its new value; `default` takes it back.
    #[arg(value_name = "VALUE")]
    value: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// For how many days the texts of requests and of their answers are kept; 0 for ever.
    KeepRequestsDays,
}

pub async fn doctor(arguments: Doctor) -> anyhow::Result<ExitCode> {
    // When the engine cannot be opened, its own message is the finding.
    let host = Host::open("cli").await?;
    let health = SystemClient(host.client.clone()).check(&CheckSystem { whole: arguments.whole }).await;
    host.close().await;
    let checks = health?.checks;
    for check in &checks {
        tell(check)?;
    }
    let worst = checks.iter().map(|check| check.level).max();
    Ok(if worst == Some(CheckLevel::Error) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(check: &Check) -> std::io::Result<()> {
    let (style, word) = match check.level {
        CheckLevel::Good => (GOOD, "good"),
        CheckLevel::Note => (QUIET, "note"),
        CheckLevel::Warning => (WARN, "warning"),
        CheckLevel::Error => (BAD, "error"),
    };
    let (word, name) = (styled(style, format!("{word:<8}")), styled(STRONG, &check.name));
    show::line(format_args!("{word} {name}: {}", show::harmless(&check.text)))?;
    if !check.help.is_empty() {
        show::line(format_args!("         {}", show::harmless(&check.help)))?;
    }
    Ok(())
}

pub async fn sizes(arguments: Sizes) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let client = SystemClient(host.client.clone());
    let told = async {
        if arguments.clean {
            let cleaned = client.clean(&Empty {}).await?;
            show::note(format!(
                "{} requests forgotten, {} given back.",
                cleaned.requests,
                size(cleaned.bytes)
            ));
        }
        client.sizes(&Empty {}).await
    };
    let sizes = told.await;
    host.close().await;
    let sizes = sizes?;
    for part in sizes.parts {
        let what = match part.kind {
            SizeKind::Texts => "requests, answers and plans",
            SizeKind::Rows => "tasks, jobs, record and index of words",
            SizeKind::Unused => "room in the database for what comes",
            SizeKind::Log => "the database's log",
            SizeKind::Terminals => "output of terminals",
            SizeKind::Cache => "indexes of projects, made again when needed",
        };
        let count = part.count.map(|count| format!(" ({count})")).unwrap_or_default();
        show::line(format_args!("{:>10}  {what}{count}", size(part.bytes)))?;
    }
    if let Some(free) = sizes.free {
        show::line(format_args!("{:>10}  free on the disk", size(free)))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn settings(arguments: Settings) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let client = SettingsClient(host.client.clone());
    let outcome = async {
        let now = client.get(&Empty {}).await?;
        let (Some(Name::KeepRequestsDays), Some(value)) = (arguments.name, &arguments.value) else {
            return anyhow::Ok(now);
        };
        let keep_requests_days = match value.as_str() {
            "default" => None,
            days => Some(days.parse().map_err(|_| anyhow::anyhow!("{days} is no number of days"))?),
        };
        Ok(client.set(&Kept { keep_requests_days, ..now }).await?)
    };
    let outcome = outcome.await;
    host.close().await;
    let settings = outcome?;
    let days = match settings.keep_requests_days {
        None => "90 (the default)".to_owned(),
        Some(0) => "0 (for ever)".to_owned(),
        Some(days) => days.to_string(),
    };
    show::line(format_args!("keep-requests-days  {days}"))?;
    let money = |limit: Option<u64>| limit.map_or_else(|| "no limit".to_owned(), show::money);
    show::line(format_args!("budget of 24 hours  {}", money(settings.day_budget)))?;
    show::line(format_args!("budget of a session {}", money(settings.session_budget)))?;
    show::note("`plantocode budget` changes the budgets.");
    Ok(ExitCode::SUCCESS)
}
