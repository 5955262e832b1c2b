//! What the lines of the log say about the request that they belong to.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Behaviour, Spawned};

use crate::support::*;
use crate::two_nodes::{add_key, command, run};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Asks a server that writes its log in this form for an answer that fails; the line about it, the request's id.
async fn line_of_a_failure(form: &str) -> (String, String) {
    let mut world = World::empty(Database::Sqlite, |_| {});
    let data = world.data.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("config.toml"), format!("log = \"{form}\"\n")).unwrap();
    run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD);
    add_key(&data, &world.openai.openai_url(), "gpt-4.1-mini");
    let serve = command(&data, &["serve", "--listen", "127.0.0.1:0"]);
    let server = Spawned::start(serve, Duration::from_secs(30), |line| line.contains("\"ready\""));
    let ready: Value = serde_json::from_str(server.ready()).unwrap();
    world.url = ready["url"].as_str().unwrap().to_owned();
    let ada = world.sign_in("ada").await;
    world.openai.set(Behaviour::fail(500));
    let request = world.chat(&ada, &ask("gpt-4.1-mini", false)).header("traceparent", PARENT);
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), 502);
    let id = reply.headers()["x-request-id"].to_str().unwrap().to_owned();
    let start = Instant::now();
    loop {
        // Of another task than the one that read the request.
        let output = server.output();
        if let Some(line) = output.lines().find(|line| line.contains("a route failed")) {
            return (line.to_owned(), id);
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{output}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn lines_about_a_request_name_it_and_its_trace() {
    let (line, id) = line_of_a_failure("text").await;
    assert_eq!(line.matches(&id).count(), 1, "{line}");
    assert!(
        line.contains("request_id") && line.contains("trace_id") && line.matches(TRACE).count() == 1,
        "{line}"
    );
    let (line, id) = line_of_a_failure("json").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (line["span"]["request_id"].as_str(), line["span"]["trace_id"].as_str()),
        (Some(&*id), Some(TRACE)),
        "{line}"
    );
    assert_eq!(
        (line["level"].as_str(), line["fields"]["provider"].as_str()),
        (Some("INFO"), Some("openai")),
        "{line}"
    );
}
