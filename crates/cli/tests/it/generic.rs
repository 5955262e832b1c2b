//! Somebody else's JSON-RPC client, with a library that knows nothing of this project, against the real `plantocode serve`.

use crate::place::PROGRAM;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{Repo, Spawned, packages};

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn an_independent_json_rpc_client_calls_unary_methods() {
    let home = tempfile::tempdir().unwrap();
    let repo = Repo::new().file("src/lib.rs", "pub fn send() {}\n").commit("Begin");
    let mut serve = Command::new(PROGRAM);
    serve.arg("serve").env("PLANTOCODE_HOME", home.path()).env_remove("OPENAI_API_KEY");
    let _serve = Spawned::start(serve, LIMIT, |line| line.starts_with("To get in"));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generic");
    let folder = packages::from_npm(Path::new(env!("CARGO_TARGET_TMPDIR")), "generic-client", &scripts);
    let output = packages::run(
        Command::new("node")
            .arg(folder.join("client.mjs"))
            .arg(home.path().join("state/loopback.json"))
            .arg(repo.path()),
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "OK");
}
