//! What the lines of the log say about the request that they belong to.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
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
    (line_with(&server, "a route failed").await, id)
}

/// The first line that says this; of another task than the one that answered, it may.
async fn line_with(server: &Spawned, said: &str) -> String {
    let start = Instant::now();
    loop {
        let output = server.output();
        if let Some(line) = output.lines().find(|line| line.contains(said)) {
            return line.to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{output}");
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

#[tokio::test]
async fn what_is_said_while_a_token_of_an_issuer_is_looked_at_names_its_request() {
    let world = World::empty(Database::Sqlite, |_| {});
    let data = world.data.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // Nobody listens there.
    let issuer = "id = \"acme\"\nname = \"Acme\"\nissuer = \"http://127.0.0.1:2\"\nclient_id = \"plantocode\"\naudiences = [\"x\"]\n";
    let config = format!("log = \"json\"\n[[identity.issuers]]\n{issuer}");
    std::fs::write(data.join("config.toml"), config).unwrap();
    run(&data, &["user", "add", "ada", "--role", "admin"], PASSWORD);
    let serve = command(&data, &["serve", "--listen", "127.0.0.1:0"]);
    let server = Spawned::start(serve, Duration::from_secs(30), |line| line.contains("\"ready\""));
    let ready: Value = serde_json::from_str(server.ready()).unwrap();
    let part = |claims: Value| URL_SAFE_NO_PAD.encode(claims.to_string());
    let head = part(json!({ "alg": "RS256", "typ": "at+jwt", "kid": "k" }));
    let token = format!(
        "{head}.{}.AAAA",
        part(json!({ "iss": "http://127.0.0.1:2", "sub": "ada", "aud": "x", "exp": 9_999_999_999_u64 }))
    );
    let url = format!("{}/v1/models", ready["url"].as_str().unwrap());
    let reply = world.http.get(url).bearer_auth(token).header("traceparent", PARENT).send().await.unwrap();
    assert_eq!(reply.status(), 401);
    let id = reply.headers()["x-request-id"].to_str().unwrap().to_owned();
    let line: Value = serde_json::from_str(&line_with(&server, "an issuer is of no use now").await).unwrap();
    assert_eq!(
        (line["span"]["request_id"].as_str(), line["span"]["trace_id"].as_str()),
        (Some(&*id), Some(TRACE)),
        "{line}"
    );
}
