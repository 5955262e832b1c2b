//! The official SDKs work unchanged, with base URL and token: Python and JavaScript, each against every dialect it speaks.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::packages;
pub(crate) use testkit::packages::run;

use crate::dialects::world_with_responses;
use crate::support::World;
use crate::transcriptions;

const PINNED: [&str; 2] = ["anthropic==2.14.0", "openai==2.54.0"];

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk")
}

/// What was installed for tests, kept with the build.
const KEPT_IN: &str = env!("CARGO_TARGET_TMPDIR");

pub(crate) fn kept(name: &str, pinned: &str, make: impl FnOnce(&Path)) -> PathBuf {
    packages::kept(Path::new(KEPT_IN), name, pinned, make)
}

/// An environment with the pinned SDKs.
fn python() -> PathBuf {
    let in_it = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let directory = kept("python-sdks", &PINNED.join(" "), |directory| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(directory.join(in_it)).args(install).args(PINNED));
    });
    directory.join(in_it)
}

/// A folder with the packages of a lock file and the scripts that use them.
pub fn installed(name: &str, scripts: &Path) -> PathBuf {
    packages::from_npm(Path::new(KEPT_IN), name, scripts)
}

/// Runs a script against a server with simulated providers behind it.
async fn works(program: fn() -> (PathBuf, PathBuf), script: &'static str) {
    works_in(world_with_responses().await, program, script).await;
}

async fn works_in(world: World, program: fn() -> (PathBuf, PathBuf), script: &'static str) {
    let tokens = world.sign_in("ada").await;
    let arguments = [world.url.clone(), tokens.access, world.openai.url(), world.anthropic.url()];
    let output = tokio::task::spawn_blocking(move || {
        let (program, folder) = program();
        run(Command::new(program)
            .arg(folder.join(script))
            .args(arguments)
            .env_remove("HTTP_PROXY")
            .env_remove("HTTPS_PROXY")
            .env("NO_PROXY", "*")
            // Nothing is written beside the scripts.
            .env("PYTHONDONTWRITEBYTECODE", "1"))
    });
    assert_eq!(String::from_utf8_lossy(&output.await.unwrap().stdout).trim(), "OK");
}

fn with_python() -> (PathBuf, PathBuf) {
    (python(), scripts())
}

fn with_node() -> (PathBuf, PathBuf) {
    ("node".into(), installed("node-sdks", &scripts()))
}

#[tokio::test]
async fn openais_python_sdk_works_with_chat_completions() {
    works(with_python, "chat.py").await;
}

#[tokio::test]
async fn openais_python_sdk_works_with_responses() {
    works(with_python, "responses.py").await;
}

#[tokio::test]
async fn anthropics_python_sdk_works() {
    works(with_python, "messages.py").await;
}

#[tokio::test]
async fn openais_javascript_sdk_works() {
    works(with_node, "openai.mjs").await;
}

#[tokio::test]
async fn anthropics_javascript_sdk_works() {
    works(with_node, "messages.mjs").await;
}

#[tokio::test]
async fn openais_sdks_transcribe() {
    works_in(transcriptions::world(|_| {}).await, with_python, "audio.py").await;
    works_in(transcriptions::world(|_| {}).await, with_node, "audio.mjs").await;
}
