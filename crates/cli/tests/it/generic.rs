//! Somebody else's JSON-RPC client, with a library that knows nothing of this project, against the real `plantocode serve`;
//! and `plantocode trace`, which sees it come.

use crate::place::{PROGRAM, Said};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{Repo, Spawned, packages};

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn an_independent_json_rpc_client_calls_unary_methods() {
    let home = tempfile::tempdir().unwrap();
    let repo = Repo::new().file("src/lib.rs", "pub fn send() {}\n").commit("Begin");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("PLANTOCODE_HOME", home.path()).env_remove("OPENAI_API_KEY");
        command
    };
    let serve = command(&["serve"]);
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

    // What it said is not shown, only that it spoke.
    let trace = |arguments: &[&str]| {
        let said = Said::from(command(&[&["trace", "--no-follow"], arguments].concat()).output().unwrap());
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    let token = std::fs::read_to_string(home.path().join("state/loopback.json")).unwrap();
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let project = repo.path().to_str().unwrap();
    let whole = [trace(&["--last", "4096", "--json"]), trace(&["--last", "4096"])];
    for text in
        ["Retry", "Another", "drawn-at-random", "no such session", project, token["token"].as_str().unwrap()]
    {
        assert!(whole.iter().all(|shown| !shown.contains(text)), "{text} is shown");
    }
    let lines = trace(&["--last", "4096", "--json", "--caller", "program", "--method", "sessions."]);
    let frames: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |method: &str, kind: &str| {
        frames
            .iter()
            .filter(|f| f["method"] == method && f["kind"] == kind && f["caller"] == "program")
            .count()
    };
    assert_eq!((of("sessions.create", "call"), of("sessions.create", "answer")), (3, 3), "{lines}");
    assert_eq!(frames.iter().filter(|f| f["error"] == "conflict").count(), 1, "{lines}");
    assert!(frames.iter().all(|f| f["bytes"].as_u64() > Some(20) && f["link"].is_u64()));
    let human = trace(&["--last", "4096", "--method", "sessions.save_task"]);
    assert!(human.contains("← answer  sessions.save_task") && human.contains("conflict"), "{human}");
    let links = trace_links(&command);
    assert!(links.contains("#1 ") && links.contains("cli") && links.contains("frames"), "{links}");
}

fn trace_links(command: &impl Fn(&[&str]) -> Command) -> String {
    let said = Said::from(command(&["trace", "--links"]).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.out
}
