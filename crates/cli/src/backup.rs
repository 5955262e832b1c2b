//! `plantocode backup` and `plantocode restore`: everything that cannot be made again, in one file, and back.

use crate::show;
use anyhow::Context;
use api::backup::{BackupClient, BackupContents, BackupEvent, BackupFile};
use clap::Args;
use engine::{DataDir, DataDirError, Env};
use futures_util::StreamExt;
use host::Host;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write sessions, plans, records and the logs of terminals to one new file.
///
/// Work can go on meanwhile: the file holds everything as it is at one moment. It holds no key and no sign-in, but your
/// tasks, plans and what was sent: keep it like the code itself. An existing file is never overwritten.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode backup
  plantocode backup /mnt/backup/plantocode.backup
  plantocode backup --check plantocode-2026-11-28.backup")]
pub struct Backup {
    /// The file to write; named after the day when absent.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only look through an existing backup.
    #[arg(long, requires = "file")]
    check: bool,
}

/// Put a backup in place of the present data, which is kept aside.
///
/// No PlanToCode program may run on the data meanwhile. The backup is looked through before anything is changed.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode restore plantocode-2026-11-28.backup")]
pub struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub async fn backup(arguments: Backup) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let now = u64::try_from((host.env.clock)()).unwrap_or_default();
    let file = arguments.file.unwrap_or_else(|| format!("plantocode-{}.backup", day(now)).into());
    let path = std::path::absolute(&file).with_context(|| format!("{} is no path", file.display()))?;
    let request = BackupFile { path: path.display().to_string() };
    let client = BackupClient(host.client.clone());
    let outcome = if arguments.check { client.check(&request).await } else { make(&client, &request).await };
    host.close().await;
    let contents = outcome?;
    let parts: Vec<String> =
        contents.parts.iter().map(|part| format!("{} {}", part.name, size(part.bytes))).collect();
    let path = show::harmless(&contents.path);
    let (made, bytes) = (day(contents.made_at), size(contents.bytes));
    show::line(if arguments.check {
        format!("{path} is whole: made on {made}, {bytes} ({}).", parts.join(", "))
    } else {
        format!("{path}: {bytes} ({}).", parts.join(", "))
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn make(client: &BackupClient, request: &BackupFile) -> Result<BackupContents, rpc::ApiError> {
    let mut events = client.make(request).await?;
    let mut told = false;
    let mut made = None;
    while let Some(event) = events.next().await {
        match event? {
            BackupEvent::Progress { done, total } if total > 64 << 20 && std::io::stderr().is_terminal() => {
                told = true;
                // Nobody may read it.
                drop(write!(std::io::stderr(), "\r{} of {}", size(done), size(total)));
            }
            BackupEvent::Progress { .. } => {}
            BackupEvent::Done { contents } => made = Some(contents),
        }
    }
    if told {
        show::tell("");
    }
    made.ok_or_else(|| {
        rpc::ApiError::internal("The engine ended before the backup was made. There is no file.".to_owned())
    })
}

pub async fn restore(arguments: Restore) -> anyhow::Result<ExitCode> {
    let env = Env::system();
    let dir = DataDir::resolve((env.variable)("PLANTOCODE_HOME").as_deref())?;
    let lock = match dir.lock() {
        Err(DataDirError::Busy { path }) => anyhow::bail!(
            "an engine works on {path} now. End `plantocode serve`, the app and every other PlanToCode program, then restore again. Nothing was changed"
        ),
        locked => locked?,
    };
    let stamp = stamp(u64::try_from((env.clock)()).unwrap_or_default());
    let restored = engine::backup::restore(&lock, &arguments.file, &stamp).await?;
    let made = day(u64::try_from(restored.made_at).unwrap_or_default());
    show::line(format!("Restored what was backed up on {made}."))?;
    if let Some(kept) = restored.kept {
        let kept = show::harmless(&kept.display().to_string());
        show::line(format!("What was there before is kept in {kept}; delete it once you are content."))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A size in words.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

/// The day (UTC) of a time in milliseconds since 1970.
pub fn day(ms: u64) -> String {
    let (year, month, day) = date(ms / 86_400_000);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Day and time (UTC), to the minute.
pub fn time(ms: u64) -> String {
    let minutes = ms / 60_000 % 1_440;
    format!("{} {:02}:{:02} UTC", day(ms), minutes / 60, minutes % 60)
}

/// Day and time (UTC), as a part of a file's name.
fn stamp(ms: u64) -> String {
    let seconds = ms / 1000 % 86_400;
    format!("{}T{:02}-{:02}-{:02}", day(ms), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of the days since 1970, in the Gregorian calendar. The year is counted from March, so that the
/// leap day is its last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// The begin (UTC) of a day written as `2026-11-28`, in milliseconds since 1970.
pub fn begin_of(text: &str) -> Result<u64, String> {
    // Days are few; looking is simpler than the inverse, and cannot disagree with it.
    let wrong = || format!("{text} is no day; write it as 2026-11-28");
    let all = text.len() == 10 && text.starts_with(['1', '2']);
    let found = all.then(|| (0..60_000_u64).find(|days| day(days * 86_400_000) == text)).flatten();
    found.map(|days| days * 86_400_000).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let days = [(0, "1970-01-01"), (951_782_400_000, "2000-02-29"), (1_795_824_000_000, "2026-11-28")];
        for (ms, text) in days {
            assert_eq!((day(ms).as_str(), begin_of(text)), (text, Ok(ms)));
        }
        assert_eq!(stamp(1_795_824_000_000 + 3_723_000), "2026-11-28T01-02-03");
        for text in ["2026-02-30", "yesterday", "", "2026-1-1"] {
            assert!(begin_of(text).is_err(), "{text}");
        }
    }
}
