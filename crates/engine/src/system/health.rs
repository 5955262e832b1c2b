//! Looks through everything the engine relies on. Changes nothing.

use crate::error::database;
use crate::house::{DAY_MS, Span};
use crate::{Engine, Inner};
use api::Empty;
use api::models::Models;
use api::system::{Check, CheckLevel, Health};
use rpc::{ApiError, Caller};
use std::path::Path;
use store::audit::Verdict;
use store::jobs::JobState;

/// Below this much room on the disk a person should know, and below this nothing can be kept for long.
const LITTLE_ROOM: u64 = 1 << 30;
const NO_ROOM: u64 = 64 << 20;

fn check(name: &str, level: CheckLevel, text: impl Into<String>, help: &str) -> Check {
    Check { name: name.to_owned(), level, text: text.into(), help: help.to_owned() }
}

fn good(name: &str, text: impl Into<String>) -> Check {
    check(name, CheckLevel::Good, text, "")
}

pub(super) async fn health(engine: &Engine, caller: &Caller, whole: bool) -> Result<Health, ApiError> {
    let inner = &engine.inner;
    let mut checks = folders(inner);
    checks.push(room(&inner.lock.dir().data));
    checks.push(whole_database(inner, whole).await?);
    checks.push(old_requests(inner).await?);
    checks.push(record(inner).await?);
    checks.push(jobs(inner).await?);
    checks.push(terminals(inner).await);
    checks.push(sign_in(inner).await);
    checks.extend(models(engine, caller).await);
    Ok(Health { checks })
}

/// The folders, and whether others can read them.
fn folders(inner: &Inner) -> Vec<Check> {
    let dir = inner.lock.dir();
    [("data folder", &dir.data), ("state folder", &dir.state)].map(|(name, path)| folder(name, path)).into()
}

fn folder(name: &str, path: &Path) -> Check {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(e) => check(
            name,
            CheckLevel::Error,
            format!("{shown} cannot be read: {e}."),
            "See that the folder exists and belongs to you.",
        ),
        #[cfg(unix)]
        Ok(found) if std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0 => check(
            name,
            CheckLevel::Warning,
            format!("Others on this machine can look into {shown}."),
            "Take their rights away: chmod 700 on that folder.",
        ),
        Ok(_) => good(name, format!("{shown}, only for you.")),
    }
}

/// What a disk has left, where the system says so.
pub(super) fn free(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn room(path: &Path) -> Check {
    let name = "disk";
    let Some(free) = free(path) else { return good(name, "This system does not say how much room is left.") };
    let text = format!("{} MiB are free where the data is.", free >> 20);
    let help =
        "Make room. `plantocode sizes` shows what takes it here; nothing that is stored is lost meanwhile.";
    match free {
        ..NO_ROOM => check(name, CheckLevel::Error, text, help),
        NO_ROOM..LITTLE_ROOM => check(name, CheckLevel::Warning, text, help),
        _ => good(name, text),
    }
}

async fn whole_database(inner: &Inner, whole: bool) -> Result<Check, ApiError> {
    let name = "database";
    let look = move |db: &store::Db<'_>| Ok((store::keeping::faults(db, whole)?, store::keeping::sizes(db)?));
    let (faults, sizes) = match inner.store.read(look).await {
        Ok(found) => found,
        Err(e) => return Ok(unreadable(name, &e)),
    };
    let how = if whole { "read as a whole" } else { "looked through" };
    Ok(match faults.first() {
        None => good(name, format!("{how}, {} MiB, nothing wrong.", sizes.pages >> 20)),
        Some(first) => check(
            name,
            CheckLevel::Error,
            format!("It is damaged in {} places; the first: {first}.", faults.len()),
            DAMAGED,
        ),
    })
}

fn unreadable(name: &str, e: &store::StoreError) -> Check {
    let text = format!("It cannot be read to its end: {e}.");
    check(name, CheckLevel::Error, text, DAMAGED)
}

/// What to do about a database that is damaged.
const DAMAGED: &str =
    "Make a copy of the data folder now, then restore the newest backup (`plantocode restore`).";

async fn old_requests(inner: &Inner) -> Result<Check, ApiError> {
    let days = inner.store.read(crate::settings::keep_requests_days).await.map_err(database)?;
    let doubtful = inner.doubtful_time().await.map_err(database)?;
    Ok(forgetting(days, &doubtful, inner.now()))
}

/// Whether the texts of old requests are forgotten when the settings say so.
fn forgetting(days: u32, doubtful: &[Span], now: i64) -> Check {
    let name = "old requests";
    let Some(last) = doubtful.last() else {
        let text = match days {
            0 => "Their texts are kept for ever.".to_owned(),
            days => format!("Their texts are forgotten after {days} days."),
        };
        return good(name, text);
    };
    let longer = doubtful.iter().map(|span| span.to - span.from).sum::<i64>() / DAY_MS;
    let ago = now.saturating_sub(last.to) / DAY_MS;
    let text = format!(
        "Texts of {days} days ago are kept for up to {} days more, since {} days ago. The clock had gone on by a long time then: \
         either the program was not used, or the clock was set.",
        longer.max(1),
        ago.max(0)
    );
    let help =
        "If the clock is right and the room is wanted, `plantocode sizes --clean` forgets what is older now.";
    check(name, CheckLevel::Note, text, help)
}

async fn record(inner: &Inner) -> Result<Check, ApiError> {
    let name = "record of what left";
    let verdict = match inner.store.read(store::audit::verify).await {
        Ok(verdict) => verdict,
        Err(e) => return Ok(unreadable(name, &e)),
    };
    let (_, alarms) = inner.store.read(crate::upstream::told).await.map_err(database)?;
    if alarms > 0 {
        return Ok(check(
            name,
            CheckLevel::Warning,
            format!("Of {alarms} requests a server says something else than what was approved, or nothing."),
            "`plantocode audit` says more. Ask whoever runs the server.",
        ));
    }
    Ok(match verdict {
        Verdict::Whole { records } => good(name, format!("{records} entries, each as it was written.")),
        Verdict::Broken { at } => check(
            name,
            CheckLevel::Error,
            format!("Entry {at} is missing or was changed."),
            "Somebody or something changed the database outside of this program. Compare it with a backup.",
        ),
    })
}

async fn jobs(inner: &Inner) -> Result<Check, ApiError> {
    let open = inner.store.read(store::jobs::open).await.map_err(database)?;
    let waiting = open.iter().filter(|job| job.state == JobState::WaitingApproval).count();
    let network = open.iter().filter(|job| job.state == JobState::WaitingNetwork).count();
    let text = format!(
        "{} not ended; {waiting} of them wait for an approval, {network} for the network.",
        open.len()
    );
    Ok(if network > 0 {
        let help =
            "They go on by themselves when their server answers; `plantocode jobs resume` tries at once.";
        check("jobs", CheckLevel::Note, text, help)
    } else {
        good("jobs", text)
    })
}

async fn terminals(inner: &Inner) -> Check {
    let name = "terminals";
    match inner.running_terminals().await {
        None => good(name, "Their process does not run; the first terminal starts it."),
        Some(Ok(count)) => good(name, format!("Their process answers; {count} terminals are kept.")),
        Some(Err(e)) => check(
            name,
            CheckLevel::Error,
            format!("Their process does not answer: {}", e.message),
            "Their output is kept. End the process `plantocode terminal-host`, and the next terminal starts a new one.",
        ),
    }
}

/// The sign-in, and whether its server answers.
async fn sign_in(inner: &Inner) -> Check {
    let name = "server";
    let Some(server) = inner.signed_in_server() else {
        return good(name, "Nobody is signed in; models are asked with your own keys.");
    };
    let asked = async {
        // A token may be good for a while although the server is gone.
        let Some(access) = inner.access().await? else { return Ok(()) };
        crate::cloud::reach(&inner.gateway, &access.server).await.map_err(|e| crate::error::request(&e))
    };
    match asked.await {
        Ok(()) => good(name, format!("Signed in to {server}, which answers.")),
        Err(e) => check(
            name,
            CheckLevel::Warning,
            format!("Signed in to {server}: {}", e.message),
            "Jobs wait until it answers. `plantocode login` signs in anew; nothing is sent another way meanwhile.",
        ),
    }
}

async fn models(engine: &Engine, caller: &Caller) -> Option<Check> {
    let name = "models";
    match engine.list(caller, Empty {}).await {
        Ok(list) if list.models.is_empty() => Some(check(
            name,
            CheckLevel::Note,
            "No model can be asked. Finding files, contexts and drafts of plans work without one.",
            "Set a key such as OPENAI_API_KEY, add a local model with `plantocode models add`, or sign in.",
        )),
        Ok(list) if !list.problems.is_empty() => Some(check(
            name,
            CheckLevel::Note,
            format!("{} can be asked. Of others: {}", list.models.len(), list.problems.join(" ")),
            "",
        )),
        Ok(list) => Some(good(name, format!("{} can be asked.", list.models.len()))),
        Err(e) => Some(check(name, CheckLevel::Warning, e.message, "`plantocode models list` says more.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_longer_because_of_the_clock_is_told_with_what_to_do() {
        assert_eq!(forgetting(90, &[], 0).level, CheckLevel::Good);
        let span = |from: i64, to: i64| Span { from: from * DAY_MS, to: to * DAY_MS };
        let told = forgetting(90, &[span(30, 60), span(90, 200)], 212 * DAY_MS);
        assert_eq!(told.level, CheckLevel::Note);
        assert!(told.text.contains("140 days more, since 12 days ago"), "{}", told.text);
        assert!(told.help.contains("plantocode sizes --clean"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_read_is_told() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |mode| std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(mode)).unwrap();
        mode(0o700);
        assert_eq!(folder("data folder", dir.path()).level, CheckLevel::Good);
        mode(0o750);
        assert_eq!(folder("data folder", dir.path()).level, CheckLevel::Warning);
        assert_eq!(folder("data folder", &dir.path().join("gone")).level, CheckLevel::Error);
        assert!(free(dir.path()).is_some_and(|free| free > 0));
    }
}
