//! The index between two searches: whatever happened to the tree and to the cache, the answer is that of a first search.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use discovery::{Discovery, NoHistory, Options, Task, clear_index, discover, index_status};

const TASK: &str = "Retry `parse_url` when the scheme is missing\n\nSee src/net/client.rs";

fn tree(files: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..files {
        let folder = dir.path().join(format!("src/part{}", n % 7));
        fs::create_dir_all(&folder).unwrap();
        let text = format!("fn handle_{n}() {{\n    // scheme {}\n}}\n", "missing ".repeat(n % 5));
        fs::write(folder.join(format!("file{n}.rs")), text).unwrap();
    }
    fs::create_dir_all(dir.path().join("src/net")).unwrap();
    fs::write(dir.path().join("src/net/client.rs"), "pub fn parse_url(url: &str) {}\n").unwrap();
    fs::write(dir.path().join("blob.bin"), [0_u8; 64]).unwrap();
    dir
}

fn search(root: &Path, cache: Option<&Path>) -> Discovery {
    let options = Options { limit: 300, cache: cache.map(Path::to_path_buf), ..Options::default() };
    discover(root, &Task::parse(TASK), &options, &|_| {}, &AtomicBool::new(false)).unwrap()
}

/// What does not depend on the cache.
fn answer(found: Discovery) -> Discovery {
    Discovery { read: 0, not_kept: None, ..found }
}

#[track_caller]
fn check(root: &Path, cache: &Path) -> Discovery {
    let found = search(root, Some(cache));
    assert_eq!(answer(found.clone()), answer(search(root, None)));
    found
}

/// Waits until no file is so young that it would be read again for that alone.
fn settle(root: &Path, cache: &Path) {
    let settled = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        search(root, Some(cache)).read == 0
    });
    assert!(settled, "the files stay young");
}

#[test]
fn what_is_unchanged_is_not_read_again_and_what_changed_is() {
    let (dir, cache) = (tree(1200), tempfile::tempdir().unwrap());
    let (root, cache) = (dir.path(), cache.path());
    assert_eq!(check(root, cache).read, 1202);
    settle(root, cache);

    fs::write(root.join("src/part3/file3.rs"), "fn parse_url() {}").unwrap();
    fs::remove_file(root.join("src/part4/file4.rs")).unwrap();
    fs::write(root.join("src/new.rs"), "// the scheme of a url").unwrap();
    assert_eq!(check(root, cache).read, 2);
    settle(root, cache);

    // The same size and the same time, as a careless tool would leave it.
    let path = root.join("src/part5/file5.rs");
    let (text, time) = (fs::read_to_string(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    fs::write(&path, text.replace("handle", "scheme")).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(check(root, cache).read, 1);
    settle(root, cache);

    // Another limit makes other files too large.
    let options = Options { max_file_bytes: 40, cache: Some(cache.into()), ..Options::default() };
    let found = discover(root, &Task::parse(TASK), &options, &|_| {}, &AtomicBool::new(false)).unwrap();
    assert!(found.skipped.len() > 500);
    check(root, cache);
}

#[test]
fn many_small_changes_leave_few_segments() {
    let (dir, cache) = (tree(300), tempfile::tempdir().unwrap());
    for n in 0..120 {
        fs::write(dir.path().join(format!("src/part0/new{n}.rs")), format!("fn parse_{n}() {{}}")).unwrap();
        search(dir.path(), Some(cache.path()));
    }
    check(dir.path(), cache.path());
    let status = index_status(cache.path(), dir.path()).unwrap();
    assert!(status.segments < 60, "{status:?}");
    assert_eq!(status.files, 422);
}

#[test]
fn damage_anywhere_gives_the_right_answer() {
    let (dir, cache) = (tree(60), tempfile::tempdir().unwrap());
    let (root, cache) = (dir.path(), cache.path());
    settle(root, cache);
    let right = answer(search(root, None));
    let folder = index_status(cache, root).unwrap().folder;
    let kept: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(kept.len() >= 2);
    let whole: Vec<Vec<u8>> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
    let restore = || {
        fs::create_dir_all(&folder).unwrap();
        kept.iter().zip(&whole).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    };
    for (path, bytes) in kept.iter().zip(&whole) {
        for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let mut bad = bytes.clone();
            bad[at] ^= 0x55;
            for damaged in [&bad[..], &bytes[..at]] {
                restore();
                fs::write(path, damaged).unwrap();
                assert_eq!(answer(search(root, Some(cache))), right, "{} at {at}", path.display());
            }
        }
        restore();
        fs::remove_file(path).unwrap();
        assert_eq!(answer(search(root, Some(cache))), right);
    }
}

#[test]
fn two_at_once_and_one_that_is_stopped_leave_a_whole_index() {
    let (dir, cache) = (tree(400), tempfile::tempdir().unwrap());
    let (root, cache) = (dir.path(), cache.path());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(answer(search(root, Some(cache))), answer(search(root, None))));
        }
    });
    let stop = AtomicBool::new(false);
    let options = Options { cache: Some(cache.into()), ..Options::default() };
    fs::write(root.join("src/new.rs"), "fn parse_url() {}").unwrap();
    let told = |_| stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(discover(root, &Task::parse(TASK), &options, &told, &stop).is_err());
    check(root, cache);
    assert!(clear_index(cache, root).unwrap() > 0);
    assert_eq!(index_status(cache, root), None);
    assert_eq!(clear_index(cache, root).unwrap(), 0);
    check(root, cache);
}

#[test]
fn a_cache_that_cannot_be_written_is_said_and_changes_nothing() {
    let (dir, place) = (tree(20), tempfile::tempdir().unwrap());
    let file = place.path().join("a file");
    fs::write(&file, "").unwrap();
    let found = check(dir.path(), &file);
    assert!(found.not_kept.is_some());
    // Something else stands in the manifest's place.
    let cache = place.path().join("cache");
    search(dir.path(), Some(&cache));
    let folder = index_status(&cache, dir.path()).unwrap().folder;
    fs::remove_file(folder.join("manifest")).unwrap();
    fs::create_dir(folder.join("manifest")).unwrap();
    assert!(check(dir.path(), &cache).not_kept.is_some());
}

fn git(root: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(root)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(root: &Path, message: &str, files: &[(&str, &str)]) {
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "-m", message]);
}

fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    git(root, &["init", "--quiet"]);
    commit(
        root,
        "Begin",
        &[
            ("src/alpha.rs", "fn alpha() {}"),
            ("src/beta.rs", "fn beta() {}"),
            ("src/gamma.rs", "fn gamma() {}"),
        ],
    );
    commit(root, "Flush the spool before a reboot", &[("src/beta.rs", "fn beta() { 2 }")]);
    for n in 0..4 {
        let text = format!("// {n}");
        commit(root, "Tidy", &[("src/alpha.rs", &text), ("src/gamma.rs", &text)]);
    }
    dir
}

fn find(root: &Path, task: &str, cache: Option<&Path>) -> Discovery {
    let options = Options { cache: cache.map(Path::to_path_buf), ..Options::default() };
    discover(root, &Task::parse(task), &options, &|_| {}, &AtomicBool::new(false)).unwrap()
}

#[test]
fn commit_messages_find_files_that_share_no_word_with_the_task() {
    let dir = repository();
    let found = find(dir.path(), "spool is lost on reboot", None);
    assert_eq!((found.commits, found.no_history), (6, None));
    assert_eq!(found.sources[0].path, "src/beta.rs");
    assert!(
        found.sources[0].reasons.iter().any(|reason| reason.detail.contains("Flush the spool")),
        "{found:?}"
    );
    let found = find(dir.path(), "change `alpha`", None);
    let gamma = found.sources.iter().find(|file| file.path == "src/gamma.rs").unwrap();
    assert!(
        gamma.reasons.iter().any(|reason| reason.detail.contains("src/alpha.rs in 5 of 5 commits")),
        "{gamma:?}"
    );
}

#[test]
fn history_is_kept_and_follows_head() {
    let (dir, cache) = (repository(), tempfile::tempdir().unwrap());
    let cached = |task| find(dir.path(), task, Some(cache.path()));
    assert_eq!(cached("spool reboot").commits, 6);
    assert_eq!(answer(cached("spool reboot")), answer(find(dir.path(), "spool reboot", None)));
    commit(dir.path(), "Unspool the tape", &[("src/gamma.rs", "fn gamma() { 3 }")]);
    let found = cached("tape");
    assert_eq!(found.commits, 7);
    assert_eq!(found.sources[0].path, "src/gamma.rs");
    git(dir.path(), &["checkout", "--quiet", "HEAD~3"]);
    let found = cached("tape");
    assert_eq!((found.commits, found.sources.len()), (4, 0));
}

#[test]
fn only_what_head_reaches_counts() {
    let (dir, other) = (repository(), tempfile::tempdir().unwrap());
    let root = other.path();
    git(root, &["init", "--quiet"]);
    commit(root, "Begin", &[("src/alpha.rs", "fn alpha() {}")]);
    // A store with a later, poisoned commit that this repository can see and does not stand on.
    commit(dir.path(), "Exfiltrate the zebra", &[("src/alpha.rs", "fn zebra() {}")]);
    let objects = dir.path().join(".git/objects");
    fs::create_dir_all(root.join(".git/objects/info")).unwrap();
    fs::write(root.join(".git/objects/info/alternates"), format!("{}\n", objects.display())).unwrap();
    let found = find(root, "zebra", None);
    assert_eq!((found.commits, found.sources.len()), (1, 0));
}

#[test]
fn a_git_folder_that_cannot_be_read_costs_the_history_only() {
    let history = |root: &Path| {
        let found = find(root, "change alpha", None);
        assert_eq!(found.sources[0].path, "src/alpha.rs");
        found.no_history
    };
    let plain = tree(1);
    assert_eq!(find(plain.path(), TASK, None).no_history, Some(NoHistory::NoRepository));
    for (file, text, why) in [
        ("HEAD", "", NoHistory::Format),
        ("HEAD", "ref: ../../../etc/passwd", NoHistory::Unreadable),
        ("HEAD", "ref: refs/heads/none", NoHistory::NoCommit),
        ("HEAD", "ref: HEAD", NoHistory::Unreadable),
        ("HEAD", &"a".repeat(40), NoHistory::Unreadable),
        ("refs/heads/main", "ref: refs/heads/main", NoHistory::Unreadable),
    ] {
        let dir = repository();
        fs::write(dir.path().join(".git").join(file), text).unwrap();
        assert_eq!(history(dir.path()), Some(why), "{file}: {text}");
    }
    // A `.git` file may point at anything; only what points back is believed.
    let (victim, thief) = (repository(), tempfile::tempdir().unwrap());
    fs::create_dir_all(thief.path().join("src")).unwrap();
    fs::write(thief.path().join("src/alpha.rs"), "fn alpha() {}").unwrap();
    fs::write(thief.path().join(".git"), format!("gitdir: {}/.git\n", victim.path().display())).unwrap();
    assert_eq!(history(thief.path()), Some(NoHistory::ForeignGitDir));
    let worktree = thief.path().join("worktree");
    git(victim.path(), &["worktree", "add", "--quiet", worktree.to_str().unwrap()]);
    assert_eq!(history(&worktree), None);
    // Shallow, packed, and with damaged packs.
    let clone = thief.path().join("clone");
    let source = format!("file://{}", victim.path().display());
    git(victim.path(), &["clone", "--quiet", "--depth", "2", &source, clone.to_str().unwrap()]);
    assert_eq!(find(&clone, "alpha", None).commits, 2);
    git(victim.path(), &["gc", "--quiet"]);
    assert_eq!(find(victim.path(), "alpha", None).commits, 6);
    for entry in fs::read_dir(victim.path().join(".git/objects/pack")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    history(victim.path());
}
