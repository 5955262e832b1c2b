//! The kit itself: a tool that tests rely on must not be the thing that is wrong.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use testkit::{Behaviour, Postgres, Repo, Simulator, Spawned, Tamper};

fn post(url: &str, path: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let length = body.len();
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut text = Vec::new();
    let mut part = [0; 4096];
    // The simulator keeps connections open, so the end of a reply is told by its framing.
    while !text.ends_with(b"0\r\n\r\n") && !text.ends_with(b"}") && !text.ends_with(b"]") {
        let count = socket.read(&mut part).unwrap();
        if count == 0 {
            break;
        }
        text.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

const CHAT: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"<task>Do it</task><file path=\"a.rs\">\nfn x() {}\n</file>"}]}"#;

#[test]
fn the_simulator_answers_logs_and_is_controlled_over_http() {
    let simulator = Simulator::start(Behaviour::default());
    let reply = post(&simulator.url(), "/openai/v1/chat/completions", CHAT);
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("data: [DONE]"), "{reply}");
    let log = simulator.wait_for(Duration::from_secs(1), |log| log[0].finished);
    assert_eq!((log.len(), log[0].body.as_str()), (1, CHAT));
    assert!(log[0].key_sha256.is_some() && !log[0].headers.contains_key("authorization"));
    let reply = post(&simulator.url(), "/_control", r#"{"fail":{"status":429,"retry_after":"7"}}"#);
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let reply = post(&simulator.url(), "/openai/v1/chat/completions", CHAT);
    assert!(reply.starts_with("HTTP/1.1 429") && reply.contains("retry-after: 7"), "{reply}");
    assert!(post(&simulator.url(), "/_control", r#"{"no_such":1}"#).starts_with("HTTP/1.1 400"));
}

#[test]
fn a_client_that_leaves_is_seen_at_once() {
    let simulator = Simulator::start(Behaviour { first_delay_ms: 60_000, ..Behaviour::default() });
    let mut socket = TcpStream::connect(simulator.url().trim_start_matches("http://")).unwrap();
    let length = CHAT.len();
    write!(socket, "POST /openai/v1/chat/completions HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{CHAT}")
        .unwrap();
    simulator.wait_for(Duration::from_secs(5), |log| log.len() == 1);
    drop(socket);
    simulator.wait_for(Duration::from_secs(1), |log| log[0].disconnected_at_ms.is_some());
}

#[test]
fn the_man_in_the_middle_changes_exactly_one_byte() {
    let simulator = Simulator::start(Behaviour::default());
    let tamper = Tamper::start(&simulator.url());
    post(&tamper.url(), "/openai/v1/chat/completions", CHAT);
    tamper.arm(true);
    post(&tamper.url(), "/openai/v1/chat/completions", CHAT);
    let log = simulator.log();
    let differing = |body: &str| body.bytes().zip(CHAT.bytes()).filter(|(a, b)| a != b).count();
    assert_eq!(
        log.iter().map(|r| (r.body.len(), differing(&r.body))).collect::<Vec<_>>(),
        [(CHAT.len(), 0), (CHAT.len(), 1)]
    );
    assert_eq!(tamper.changed(), 1);
}

#[test]
fn the_simulator_runs_as_a_process() {
    let command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    let spawned = Spawned::start(command, Duration::from_secs(10), |line| line.starts_with('{'));
    let ready: serde_json::Value = serde_json::from_str(spawned.ready()).unwrap();
    let reply = post(ready["url"].as_str().unwrap(), "/openai/v1/chat/completions", CHAT);
    assert!(reply.contains("[DONE]"), "{reply}");
}

#[test]
fn a_private_postgres_starts_and_takes_statements() {
    let postgres = Postgres::start();
    assert!(postgres.database("one").ends_with("/one"));
    postgres.execute("one", "create table t (x text); insert into t values ('needle')");
    assert!(postgres.dump("one").contains("needle"));
}

#[test]
fn a_repository_ignores_the_configuration_of_the_machine() {
    let repo = Repo::new().file("src/a b.rs", "fn x() {}\n").commit("Begin");
    assert_eq!(repo.git(&["log", "--format=%an %s"]), "Test Begin\n");
    assert_eq!(repo.git(&["status", "--short"]), "");
}
