use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use discovery::{DiscoveryError, Options, Progress, Task};

use crate::{discover, put, repository};

fn listed(root: &Path) -> Vec<String> {
    discovery::tree(root, &AtomicBool::new(false)).unwrap().into_iter().map(|entry| entry.path).collect()
}

#[test]
fn gitignore_counts_with_and_without_git() {
    let files = [
        (".gitignore", "*.log\n/build\n!keep.log\n"),
        ("a.log", ""),
        ("keep.log", ""),
        ("build/x.rs", ""),
        ("src/a.rs", ""),
    ];
    let folder = repository(&files);
    assert_eq!(listed(folder.path()), ["keep.log", "src/a.rs"]);
    put(folder.path(), ".git/HEAD", b"ref: refs/heads/main\n");
    put(folder.path(), ".git/info/exclude", b"src\n");
    assert_eq!(listed(folder.path()), ["keep.log"]);
}

#[test]
fn an_ignore_file_above_the_repository_does_not_count() {
    let outer = repository(&[(".gitignore", "*\n"), ("repo/.git/HEAD", ""), ("repo/a.rs", "")]);
    assert_eq!(listed(&outer.path().join("repo")), ["a.rs"]);
}

#[test]
fn the_ignore_file_of_a_repository_counts_in_its_folders() {
    let folder =
        repository(&[(".gitignore", "*.log\n"), (".git/HEAD", ""), ("sub/a.rs", ""), ("sub/a.log", "")]);
    assert_eq!(listed(&folder.path().join("sub")), ["a.rs"]);
}

#[test]
fn hidden_files_and_git_are_left_out() {
    let folder = repository(&[
        (".env", "KEY=1"),
        (".git/config", "x"),
        ("sub/.git", "gitdir: ../x"),
        ("sub/a.rs", ""),
    ]);
    assert_eq!(listed(folder.path()), ["sub/a.rs"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let outside = repository(&[("secret.rs", "fn secret() {}")]);
    let folder = repository(&[("a/b.rs", "fn b() {}")]);
    symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    symlink(outside.path(), folder.path().join("escape")).unwrap();
    symlink(outside.path().join("secret.rs"), folder.path().join("file.rs")).unwrap();
    symlink("nowhere", folder.path().join("broken.rs")).unwrap();
    assert_eq!(listed(folder.path()), ["a/b.rs"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_outside_utf8_are_escaped() {
    use std::os::unix::ffi::OsStrExt;
    let folder = repository(&[]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9 retry.rs");
    fs::write(folder.path().join(name), "fn retry() {}\n").unwrap();
    let found = discover(folder.path(), "retry", &Options::default());
    assert_eq!(crate::paths(&found), [r"caf\xe9 retry.rs"]);
    assert!(found.sources[0].reasons.iter().any(|reason| reason.line == Some(1)));
}

#[test]
fn what_is_no_folder_is_an_error() {
    let folder = repository(&[("a.rs", "")]);
    let of = |path: &str| discovery::tree(&folder.path().join(path), &AtomicBool::new(false));
    assert!(matches!(of("a.rs"), Err(DiscoveryError::NotADirectory { .. })));
    assert!(matches!(of("absent"), Err(DiscoveryError::Root { .. })));
}

#[test]
fn stopping_stops() {
    let folder = repository(&[("a.rs", "fn a() {}")]);
    let stop = AtomicBool::new(false);
    let progress = |progress| {
        if matches!(progress, Progress::Walking { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let result = discovery::discover(folder.path(), &Task::parse("a"), &Options::default(), &progress, &stop);
    assert!(matches!(result, Err(DiscoveryError::Stopped)));
}

#[test]
fn deep_folders() {
    let mut path = "d/".repeat(300);
    path.push_str("retry.rs");
    let folder = repository(&[(&path, "fn retry() {}")]);
    assert_eq!(discover(folder.path(), "retry", &Options::default()).sources.len(), 1);
}
