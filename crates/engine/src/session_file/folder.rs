//! The folder of an exported session: written whole or not at all, and read with nothing in it believed.

use super::findings;
use super::wire::{FORM, PlanFile, SessionFile};
use crate::plan_view;
use crate::wire::Ending;
use rpc::ApiError;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The file from which a session is made again.
pub(super) const FILE: &str = "session.json";

/// The largest such file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The highest number of a version that is believed.
const MOST_VERSIONS: u32 = 100_000;

/// Writes the folder from names of files and their texts.
pub(super) fn write(folder: &Path, texts: &[(String, String)]) -> std::io::Result<()> {
    let mut private = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    // Fails when it is there: nothing is ever written into what somebody has.
    private.create(folder)?;
    let written = fill(folder, texts);
    if written.is_err() {
        // Half a session is of no use, and would stand in the way of the next try.
        drop(std::fs::remove_dir_all(folder));
    }
    written
}

fn fill(folder: &Path, texts: &[(String, String)]) -> std::io::Result<()> {
    for (name, text) in texts {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

pub(super) fn whole_path(path: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(ApiError::invalid("path", "Name the folder with its whole path, from the root. Nothing was done."))
}

pub(super) fn unreadable(why: impl std::fmt::Display) -> ApiError {
    let message = format!("This is no session that can be imported: {why}. Nothing was changed.");
    ApiError::invalid("session_file", message)
}

pub(super) fn read(folder: &Path) -> Result<SessionFile, ApiError> {
    let path = folder.join(FILE);
    let found = std::fs::metadata(&path).map_err(|e| unreadable(format!("{}: {e}", path.display())))?;
    if !found.is_file() || found.len() > MAX_FILE {
        return Err(unreadable(format!("{FILE} is no file of at most {} MiB", MAX_FILE >> 20)));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(format!("{}: {e}", path.display())))?;
    let file: SessionFile = serde_json::from_str(&text).map_err(|e| unreadable(format!("{FILE}: {e}")))?;
    if file.plantocode_session == 0 || file.plantocode_session > FORM {
        return Err(unreadable("it was written by a newer version of this program"));
    }
    for path in file.files.iter().map(|file| &file.path) {
        plan::path::check(path).map_err(|e| unreadable(format!("a path in it is not allowed: {e}")))?;
    }
    let mut ids = HashSet::new();
    for plan in &file.plans {
        if !ids.insert(&plan.id) {
            return Err(unreadable("two of its plans are called the same"));
        }
        check_versions(plan)?;
        let ending = plan.ending.as_deref().unwrap_or_default();
        if !plan_view::is_ended(&plan.state) || serde_json::from_str::<Ending>(ending).is_err() {
            return Err(unreadable("it does not say how the answer with one of its plans ended"));
        }
    }
    findings::check(&file.web_findings)?;
    Ok(file)
}

/// Decisions belong to ids of steps, and versions are counted: neither may be what it likes.
fn check_versions(plan: &PlanFile) -> Result<(), ApiError> {
    let mut last = 0;
    for version in &plan.versions {
        let ids: HashSet<&String> = version.steps.iter().map(|step| &step.id).collect();
        if version.number <= last || version.number > MOST_VERSIONS || ids.len() != version.steps.len() {
            return Err(unreadable("the versions of one of its plans are not in order"));
        }
        last = version.number;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::wire::StoredStep;
    use crate::session_file::wire::VersionFile;

    fn version(number: u32, ids: &[&str]) -> VersionFile {
        let step = |id: &&str| StoredStep { id: (*id).to_owned(), source: None, cut: false };
        VersionFile {
            number,
            origin: "edit".into(),
            note: String::new(),
            document: String::new(),
            steps: ids.iter().map(step).collect(),
            made_by: "ada".into(),
            created_at: 1,
        }
    }

    #[test]
    fn numbers_and_ids_of_versions_are_not_believed() {
        let check =
            |versions: Vec<VersionFile>| check_versions(&PlanFile { versions, ..PlanFile::default() });
        assert!(check(vec![version(1, &["s1"]), version(2, &["s1", "s2"]), version(7, &[])]).is_ok());
        for versions in [
            vec![version(0, &[])],
            vec![version(2, &[]), version(2, &[])],
            vec![version(3, &[]), version(2, &[])],
            vec![version(u32::MAX, &[])],
            // Who accepts one of two steps that are called the same would accept both.
            vec![version(2, &["s1", "s1"])],
        ] {
            assert_eq!(check(versions).unwrap_err().reason, "session_file");
        }
    }
}
