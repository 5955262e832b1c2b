//! The binary as an operator uses it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::{Config, Server};
use testkit::{Behaviour, Simulator, Spawned};

use crate::support::*;

fn command(data: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plantocode-server"));
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("RUST_LOG", "debug")
        .env_remove("PLANTOCODE_MASTER_KEY");
    command
}

fn run(data: &std::path::Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command(data, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn serve(data: &std::path::Path) -> (Spawned, Value) {
    let serve = command(data, &["serve", "--listen", "127.0.0.1:0"]);
    let spawned = Spawned::start(serve, Duration::from_secs(20), |line| line.starts_with('{'));
    let ready = serde_json::from_str(spawned.ready()).unwrap();
    (spawned, ready)
}

/// The records that are about requests to models.
fn requests(records: &[Value]) -> Vec<Value> {
    records.iter().filter(|record| record["record"]["event"] != "changed").cloned().collect()
}

#[tokio::test]
async fn init_and_serve_need_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    let output = run(&data, &["init"], "");
    assert!(said(&output).contains("is ready"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("master.key"), "the new key is warned about");
    let again = run(&data, &["init"], "");
    assert!(!String::from_utf8_lossy(&again.stderr).contains("master.key"), "only the first time");
    let start = Instant::now();
    let (server, ready) = serve(&data);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(ready["setup_url"].as_str().unwrap().starts_with(ready["url"].as_str().unwrap()));
    let health = http().get(format!("{}/healthz", ready["url"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(health.status(), 200);
    drop(server);
    let (_server, second) = serve(&data);
    assert_ne!(
        ready["setup_url"], second["setup_url"],
        "every start without an administrator has its own link"
    );
}

#[tokio::test]
async fn keys_people_and_audit_are_managed_beside_a_running_server() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    let simulator = Simulator::start(Behaviour::text("Hello."));
    said(&run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD));
    assert!(!run(&data, &["user", "add", "eve"], "short").status.success());
    let (server, ready) = serve(&data);
    assert_eq!(ready["setup_url"], Value::Null);
    let url = simulator.openai_url();
    let add = [
        "keys",
        "add",
        "openai",
        "--base-url",
        &url,
        "--dialect",
        "openai",
        "--models",
        "gpt-4.1-mini,x=y",
        "--key-stdin",
    ];
    let id = said(&run(&data, &add, CANARY)).trim().strip_prefix("added key ").unwrap().to_owned();
    let listed = said(&run(&data, &["keys", "list"], ""));
    assert!(listed.contains(&id) && listed.contains("gpt-4.1-mini") && !listed.contains(CANARY), "{listed}");
    assert!(
        !run(
            &data,
            &[
                "keys",
                "add",
                "openai",
                "--base-url",
                "ftp://x",
                "--dialect",
                "openai",
                "--models",
                "m",
                "--key-stdin"
            ],
            "k"
        )
        .status
        .success()
    );
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let world =
        World { url: ready["url"].as_str().unwrap().into(), ..World::empty(Database::Sqlite, |_| {}) };
    let tokens = world.sign_in("ada").await;
    json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    let records = world.audit_until(&tokens, |records| requests(records).len() == 2).await;
    // What was done on the machine is on record as well, each command in a chain of its own.
    let changes: Vec<_> = records
        .iter()
        .map(|record| &record["record"])
        .filter(|record| record["event"] == "changed")
        .collect();
    let what: Vec<_> = changes.iter().map(|record| record["change"]["what"].as_str().unwrap()).collect();
    assert_eq!(what.len(), 2, "those that were refused changed nothing: {what:?}");
    assert!(what.contains(&"user.add") && what.contains(&"key.add"), "{what:?}");
    assert!(changes.iter().all(|record| record["method"] == "COMMAND" && record["user"] == ""));
    assert!(!json!(changes).to_string().contains(CANARY));
    let verified = said(&run(&data, &["audit", "verify"], ""));
    assert!(verified.contains("2 records in order"), "{verified}");
    said(&run(&data, &["keys", "remove", &id], ""));
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let gone = world.chat(&tokens, &json!(ask("gpt-4.1-mini", false))).send().await.unwrap();
    assert_eq!(error_of(gone).await.1["code"], "model_not_found");
    let printed = server.output();
    assert!(
        printed.contains("routes loaded") && !printed.contains(CANARY) && !printed.contains(&tokens.access)
    );
}

#[tokio::test]
async fn a_killed_server_leaves_an_intent_for_everything_that_left() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    let simulator = Simulator::start(Behaviour { first_delay_ms: 60_000, ..Behaviour::text("never") });
    said(&run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD));
    let url = simulator.openai_url();
    let add = [
        "keys",
        "add",
        "openai",
        "--base-url",
        &url,
        "--dialect",
        "openai",
        "--models",
        "gpt-4.1-mini",
        "--key-stdin",
    ];
    said(&run(&data, &add, CANARY));
    let (mut server, ready) = serve(&data);
    let mut world =
        World { url: ready["url"].as_str().unwrap().into(), ..World::empty(Database::Sqlite, |_| {}) };
    let tokens = world.sign_in("ada").await;
    let sending = tokio::spawn(world.chat(&tokens, &ask("gpt-4.1-mini", true)).send());
    while simulator.log().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.kill();
    assert!(sending.await.unwrap().is_err());
    let (again, ready) = serve(&data);
    world.url = ready["url"].as_str().unwrap().into();
    let tokens = world.sign_in("ada").await;
    let records = requests(&world.audit(&tokens).await);
    let hash = &simulator.log()[0].body_sha256;
    assert_eq!((records.len(), records[0]["record"]["event"].as_str()), (1, Some("intent")), "for {hash}");
    drop(again);
    // A minute later the killed one is taken for dead by the next that runs.
    let config = Config::new(data.clone());
    config.env.advance(120_000);
    let mut config = config;
    config.settings.listen = ([127, 0, 0, 1], 0).into();
    let later = Server::start(config.clone()).await.unwrap();
    world.url = later.url().to_owned();
    let tokens = world.sign_in("ada").await;
    let records = requests(&world.audit_until(&tokens, |records| requests(records).len() == 2).await);
    let lost = records.iter().find(|record| record["record"]["event"] == "lost").unwrap();
    let intent = records.iter().find(|record| record["record"]["event"] == "intent").unwrap();
    for field in ["request_id", "user", "device", "body_hash", "model_asked", "destinations"] {
        assert_eq!(lost["record"][field], intent["record"][field], "{field}");
    }
    assert_ne!(lost["node"], intent["node"], "the chain of the dead one is not touched");
    let used = &world.usage(&tokens).await[0];
    assert_eq!((&used["outcome"], &used["estimated"]), (&json!("lost"), &json!(true)));
    assert!(used["cost_microusd"].as_i64().unwrap() > 0, "{used}");
    let verified = json_of(world.get("/api/audit/verify").bearer_auth(&tokens.access)).await;
    assert_eq!(verified["intact"], true, "{verified}");
    later.stop().await.unwrap();
    // Once is enough.
    config.env.advance(120_000);
    let last = Server::start(config).await.unwrap();
    world.url = last.url().to_owned();
    let tokens = world.sign_in("ada").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((requests(&world.audit(&tokens).await).len(), world.usage(&tokens).await.len()), (2, 1));
    last.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_master_key_opens_what_the_old_one_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    let simulator = Simulator::start(Behaviour::text("Hello."));
    said(&run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD));
    let url = simulator.openai_url();
    let add = [
        "keys",
        "add",
        "openai",
        "--base-url",
        &url,
        "--dialect",
        "openai",
        "--models",
        "gpt-4.1-mini",
        "--key-stdin",
    ];
    said(&run(&data, &add, CANARY));
    drop(serve(&data));
    let before = std::fs::read_to_string(data.join("master.key")).unwrap();
    let told = said(&run(&data, &["vault", "rewrap"], ""));
    assert!(told.contains("master.key.until-"), "{told}");
    assert_ne!(std::fs::read_to_string(data.join("master.key")).unwrap(), before);
    let doctor = said(&run(&data, &["doctor"], ""));
    assert!(doctor.contains("good  the master key opens all 3 sealed records"), "{doctor}");
    assert!(!doctor.contains("BAD"), "{doctor}");
    drop(serve(&data));
    std::fs::write(data.join("master.key"), before).unwrap();
    let wrong = run(&data, &["doctor"], "");
    assert!(!wrong.status.success());
    let wrong = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(wrong.contains("BAD   a sealed record does not open"), "{wrong}");
}

#[tokio::test]
async fn doctor_says_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    let empty = run(&data, &["doctor"], "");
    assert!(!empty.status.success());
    let empty = String::from_utf8_lossy(&empty.stdout).into_owned();
    assert!(empty.contains("BAD   there is no provider key"), "{empty}");
    assert!(empty.contains("look  nobody administers yet"), "{empty}");
    said(&run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD));
    let url = "https://models.example/v1";
    let add = [
        "keys",
        "add",
        "local",
        "--base-url",
        url,
        "--dialect",
        "compatible",
        "--models",
        "a=b",
        "--key-stdin",
    ];
    said(&run(&data, &add, CANARY));
    let told = said(&run(&data, &["doctor"], ""));
    assert!(told.contains("look  no price is known for b of local"), "{told}");
    assert!(!told.contains(CANARY));
}

#[tokio::test]
async fn migrations_are_shown_before_they_are_applied_and_openings_of_keys_are_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("srv");
    std::fs::create_dir(&data).unwrap();
    let pending = run(&data, &["migrate", "--check"], "");
    assert!(!pending.status.success());
    assert!(String::from_utf8_lossy(&pending.stdout).contains("pending  0001_begin"), "{pending:?}");
    assert!(String::from_utf8_lossy(&pending.stderr).contains("are pending"), "{pending:?}");
    assert!(said(&run(&data, &["migrate"], "")).contains("applied "));
    assert!(said(&run(&data, &["migrate", "--check"], "")).contains("up to date"));
    let add = ["keys", "add", "local", "--base-url", "https://models.example/v1", "--dialect", "compatible"];
    let add = [&add[..], &["--models", "a", "--key-stdin"]].concat();
    let id = said(&run(&data, &add, CANARY)).trim().strip_prefix("added key ").unwrap().to_owned();
    drop(serve(&data));
    said(&run(&data, &["keys", "replace", &id, "--key-stdin"], "another-key"));
    run(&data, &["doctor"], "");
    said(&run(&data, &["vault", "rewrap"], ""));
    let log = said(&run(&data, &["vault", "log"], ""));
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
    let of = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(
        (of("opened  routes  server "), of("opened  check"), of("opened  rewrap")),
        (1, 1, 1),
        "{log}"
    );
    assert!(!log.contains(CANARY) && !log.contains("another-key"));
}
