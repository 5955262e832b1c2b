//! The official Python SDK works unchanged, with base URL and token.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::*;

const PINNED: &str = "openai==2.54.0";

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// An environment with the pinned SDK, made once and kept in the build directory.
fn python() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-openai");
    let python = directory.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let marker = directory.join("installed");
    if std::fs::read_to_string(&marker).is_ok_and(|text| text == PINNED) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory));
    run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        PINNED,
    ]));
    std::fs::write(&marker, PINNED).unwrap();
    python
}

#[tokio::test]
async fn the_official_python_sdk_works() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk.py");
    let base_url = format!("{}/v1", world.url);
    let output = tokio::task::spawn_blocking(move || {
        run(Command::new(python())
            .arg(script)
            .arg(base_url)
            .arg(tokens.access)
            .env_remove("HTTP_PROXY")
            .env("NO_PROXY", "*"))
    });
    assert_eq!(String::from_utf8_lossy(&output.await.unwrap().stdout).trim(), "OK");
}
