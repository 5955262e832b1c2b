//! Right plans: what real commits did, as plans for the trees before them. The check must find no error in them, and what
//! was carried out must be told from what was not.

use super::{report, small};
use discovery::Snapshot;
use plan::{
    Changed, Document, Entry, Language, Operation, OperationKind, Progress, Repository, Severity, Step,
    Symbol,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commits that are looked at.
const WANTED: usize = 100;
/// Larger ones are imports or moves of everything.
const MOST_FILES: usize = 60;

/// A commit as a repository.
struct AtCommit {
    snapshot: Snapshot,
    folders: BTreeSet<String>,
}

impl AtCommit {
    fn open(root: &Path, id: &str) -> Option<AtCommit> {
        let snapshot = Snapshot::open(root, Some(id)).ok()?;
        let mut folders = BTreeSet::new();
        for path in snapshot.paths() {
            folders.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
        }
        Some(AtCommit { snapshot, folders })
    }
}

impl Repository for AtCommit {
    fn entry(&self, path: &str) -> Entry {
        if self.folders.contains(path) {
            return Entry::Folder;
        }
        if !self.snapshot.has(path) {
            return Entry::Missing;
        }
        let lines = self.snapshot.text(path).map_or(u32::MAX, |t| u32::try_from(t.lines().count()).unwrap());
        Entry::File { lines }
    }
    fn symbols(&self, path: &str) -> Option<Vec<Symbol>> {
        super::super::outline(path, &self.snapshot.text(path)?)
    }
    fn nearest(&self, path: &str) -> Option<String> {
        plan::nearest(path, self.snapshot.paths()).map(str::to_owned)
    }
    fn defines(&self, _: &str) -> Option<String> {
        None
    }
    fn hash(&self, _: &str) -> Option<String> {
        None
    }
    fn other_case(&self, path: &str) -> Option<String> {
        let lower = path.to_lowercase();
        self.snapshot.paths().find(|other| *other != path && other.to_lowercase() == lower).map(str::to_owned)
    }
    fn packages(&self, language: Language) -> Option<BTreeSet<String>> {
        let manifests = self.snapshot.paths().filter(|p| Language::of_manifest(p) == Some(language));
        let declared = manifests.filter_map(|p| Some(plan::declared(p, &self.snapshot.text(p)?)));
        declared.reduce(|mut a, b| {
            a.extend(b);
            a
        })
    }
    fn is_module(&self, name: &str) -> bool {
        self.snapshot.paths().flat_map(|p| p.split('/')).any(|part| part.split('.').next() == Some(name))
    }
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let quiet =
        ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"];
    let output = Command::new("git").args(quiet).args(arguments).current_dir(root).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a commit did, as a plan: a step for each file, with the symbol and lines of its first change.
fn plan_of(root: &Path, parent: &str, id: &str, before: &AtCommit, after: &Snapshot) -> Option<Document> {
    let status = git(root, &["diff-tree", "-r", "-M", "--no-commit-id", "--name-status", parent, id])?;
    let mut steps = Vec::new();
    for line in status.lines() {
        let mut words = line.split('\t');
        let (kind, path) = (words.next()?, words.next()?);
        let operations = match kind.chars().next()? {
            'A' => vec![Operation {
                kind: OperationKind::Create,
                path: path.into(),
                change: after.text(path).unwrap_or_default(),
                ..Operation::default()
            }],
            'D' => vec![Operation { kind: OperationKind::Delete, path: path.into(), ..Operation::default() }],
            'M' => vec![modified(root, parent, id, path, before)?],
            'R' => {
                let to = words.next()?.to_owned();
                let kind = OperationKind::Move;
                vec![Operation { kind, path: path.into(), to: Some(to), ..Operation::default() }]
            }
            _ => return None,
        };
        let title = format!("{kind} {path}");
        steps.push(Step { title, operations, complete: true, ..Step::default() });
    }
    (!steps.is_empty() && steps.len() <= MOST_FILES).then(|| Document { steps, ..Document::default() })
}

fn modified(root: &Path, parent: &str, id: &str, path: &str, before: &AtCommit) -> Option<Operation> {
    let diff = git(root, &["diff", "-U0", "--no-ext-diff", "--no-textconv", parent, id, "--", path])?;
    let change: Vec<&str> =
        diff.lines().filter(|l| l.starts_with('+') && !l.starts_with("+++")).map(|l| &l[1..]).collect();
    let hunk = diff.lines().find_map(|line| line.strip_prefix("@@ -")?.split(' ').next().map(str::to_owned));
    let lines = hunk.and_then(|hunk| {
        let (first, count) = hunk.split_once(',').unwrap_or((&hunk, "1"));
        let (first, count) = (first.parse::<u32>().ok()?.max(1), count.parse::<u32>().ok()?);
        Some((first, first + count.saturating_sub(1)))
    });
    let around = |symbols: Vec<Symbol>| {
        let (first, _) = lines?;
        symbols.into_iter().rfind(|s| s.first <= first && first <= s.last).map(|s| s.name)
    };
    Some(Operation {
        path: path.into(),
        symbol: before.symbols(path).and_then(around),
        lines,
        change: change.join("\n"),
        ..Operation::default()
    })
}

/// The history of this project; where it came without one, that of a small repository.
fn histories() -> (Option<testkit::Repo>, PathBuf, Vec<(String, String)>) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let pairs = |root: &Path| -> Vec<(String, String)> {
        let log = git(root, &["log", "--no-merges", "-n", "400", "--format=%H %P"]).unwrap_or_default();
        log.lines().filter_map(|l| l.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()))).collect()
    };
    let found = pairs(&own);
    if Snapshot::open(&own, None).is_ok() && found.len() > 1 {
        return (None, own, found);
    }
    let repo = small();
    for n in 0..12 {
        repo.write(&format!("src/part{n}.rs"), &format!("pub fn part{n}() {{}}\n"));
        repo.write("src/http/client.rs", &format!("fn send() {{\n    work({n});\n}}\n"));
        repo.git(&["add", "--all"]);
        repo.git(&["commit", "--quiet", "-m", "More"]);
    }
    let (path, found) = (repo.real_path(), pairs(&repo.real_path()));
    (Some(repo), path, found)
}

#[test]
fn plans_made_from_real_commits_have_no_error() {
    let (_keep, root, commits) = histories();
    let mut plans = 0;
    let (mut steps, mut warnings) = (0, 0);
    for (id, parent) in &commits {
        let (Some(before), Ok(after)) = (AtCommit::open(&root, parent), Snapshot::open(&root, Some(id)))
        else {
            continue;
        };
        let Some(document) = plan_of(&root, parent, id, &before, &after) else { continue };
        let findings = plan::verify(&document, &before);
        for (step, found) in document.steps.iter().zip(&findings) {
            let errors: Vec<_> = found.iter().filter(|f| f.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{id}: {}: {errors:?}", step.title);
            // A file that steers tools is one, in a right plan too.
            warnings +=
                found.iter().filter(|f| f.severity == Severity::Warning && f.code != "control_file").count();
        }
        steps += document.steps.len();
        plans += 1;
        if plans == WANTED {
            break;
        }
    }
    assert!(plans >= WANTED.min(commits.len() / 2) && plans >= 5, "only {plans} plans of {}", commits.len());
    report(&format!("{plans} plans of real commits, {steps} steps: no error, {warnings} warnings"));
    assert!(warnings * 20 <= steps, "{warnings} warnings in {steps} right steps");
}

/// The changes between two trees, of the paths that `take` takes.
fn changes(before: &Snapshot, after: &Snapshot, take: impl Fn(&str) -> bool) -> BTreeMap<String, Changed> {
    let paths: BTreeSet<&str> = before.paths().chain(after.paths()).filter(|path| take(path)).collect();
    let mut out = BTreeMap::new();
    for path in paths {
        let (a, b) = (before.has(path), after.has(path));
        let text = |snapshot: &Snapshot, there: bool| there.then(|| snapshot.text(path).unwrap_or_default());
        let changed = Changed { before: text(before, a), after: text(after, b) };
        if changed.before != changed.after {
            out.insert(path.to_owned(), changed);
        }
    }
    out
}

#[test]
fn what_was_carried_out_is_told_from_what_was_not() {
    let (_keep, root, commits) = histories();
    let mut bare_all = 0;
    let (mut right, mut all, mut plans, mut surprises, mut bare_right) = (0, 0, 0, 0, 0);
    for (id, parent) in &commits {
        let (Some(before), Ok(after)) = (AtCommit::open(&root, parent), Snapshot::open(&root, Some(id)))
        else {
            continue;
        };
        let Some(document) = plan_of(&root, parent, id, &before, &after) else { continue };
        let named = |step: &Step| -> Vec<String> {
            step.operations.iter().flat_map(|o| [Some(o.path.clone()), o.to.clone()]).flatten().collect()
        };
        // The steps at even places were carried out, the others were not.
        let done: BTreeSet<String> = document.steps.iter().step_by(2).flat_map(named).collect();
        let found = plan::reality(&document, &changes(&before.snapshot, &after, |path| done.contains(path)));
        for (at, status) in found.steps.iter().enumerate() {
            let wanted = if at % 2 == 0 { Progress::Done } else { Progress::Untouched };
            all += 1;
            right += usize::from(status.progress == wanted);
        }
        surprises += found.unplanned.len();
        // The same where the plan only says where something changes, not what.
        let mut bare = document.clone();
        bare.steps.iter_mut().flat_map(|s| &mut s.operations).for_each(|o| o.change = "In words.".into());
        let found = plan::reality(&bare, &changes(&before.snapshot, &after, |path| done.contains(path)));
        for (at, status) in found.steps.iter().enumerate() {
            let wanted = if at % 2 == 0 { Progress::Done } else { Progress::Untouched };
            bare_right += usize::from(status.progress == wanted);
            bare_all += 1;
        }
        // Everything at once: nothing is left over.
        let whole = plan::reality(&document, &changes(&before.snapshot, &after, |_| true));
        surprises += whole.unplanned.len();
        all += whole.steps.len();
        right += whole.steps.iter().filter(|s| s.progress == Progress::Done).count();
        plans += 1;
        if plans == WANTED / 2 {
            break;
        }
    }
    let summary = format!(
        "{right} of {all} steps of {plans} plans told right, {surprises} files wrongly unplanned; {bare_right} of {bare_all} without the text of the change"
    );
    assert!(
        plans >= 5 && right * 100 >= all * 95 && bare_right * 100 >= bare_all * 80 && surprises == 0,
        "{summary}"
    );
    report(&summary);
}
