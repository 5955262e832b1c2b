use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A git repository in a temporary directory, untouched by the configuration of this machine.
///
/// ```
/// let repo = testkit::Repo::new().file("src/lib.rs", "pub fn a() {}\n").commit("Begin");
/// assert!(repo.path().join("src/lib.rs").exists());
/// ```
#[derive(Debug)]
pub struct Repo {
    directory: TempDir,
}

impl Default for Repo {
    fn default() -> Self {
        Self::new()
    }
}

impl Repo {
    /// An empty repository on branch `main`.
    pub fn new() -> Self {
        let repo = Self { directory: TempDir::new().expect("a temporary directory can be made") };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// Writes a file; `path` is relative, with `/`.
    pub fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Commits everything.
    pub fn commit(self, message: &str) -> Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self
    }

    /// Writes a file of a repository that is in use.
    pub fn write(&self, path: &str, text: &str) {
        let full = self.directory.path().join(path);
        let parent = full.parent().expect("a file has a directory");
        std::fs::create_dir_all(parent).expect("directories can be made");
        std::fs::write(&full, text).unwrap_or_else(|error| panic!("{}: {error}", full.display()));
    }

    /// Runs git in the repository and returns what it printed; panics when it fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "core.fsmonitor=false",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(arguments)
            .current_dir(self.directory.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs([("GIT_AUTHOR_NAME", "Test"), ("GIT_AUTHOR_EMAIL", "test@localhost")])
            .envs([("GIT_COMMITTER_NAME", "Test"), ("GIT_COMMITTER_EMAIL", "test@localhost")])
            .envs([
                ("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z"),
                ("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z"),
            ])
            .output()
            .expect("git is installed (install it with your package manager)");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?} failed: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The working tree.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The working tree, links resolved.
    pub fn real_path(&self) -> PathBuf {
        self.path().canonicalize().expect("the directory exists")
    }
}
