//! The server does what its own document says: schemathesis asks it everything in there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::sdk::{kept, run};
use crate::support::*;
use crate::transcriptions;

const PINNED: &str = "schemathesis==4.32.5";

/// What a stranger to this run cannot have: answers to challenges, codes of other people, sockets, files that are built apart. Each is
/// tested where the words behind it say.
const ELSEWHERE: [(&str, &str); 26] = [
    ("get /sessions", "account_pages"),
    ("post /sessions/end", "account_pages"),
    ("post /sessions/end-others", "account_pages"),
    ("get /tokens", "account_pages"),
    ("post /tokens", "account_pages"),
    ("post /tokens/revoke", "account_pages"),
    ("get /welcome", "administration"),
    ("post /welcome", "administration"),
    ("get /assets/{path}", "needs the interface; device_link"),
    ("get /device", "support: every sign-in"),
    ("get /oauth/authorize", "authorize"),
    ("get /phone", "needs the interface; e2e"),
    ("get /phone/{path}", "needs the interface; e2e"),
    ("get /sign-in/callback/{issuer}", "issuers"),
    ("get /sign-in/with/{issuer}", "issuers"),
    ("get /v1/responses", "dialects: it answers 426"),
    ("get /ws/device-link", "device_link"),
    ("get /ws/pairing", "balancer"),
    ("get /setup", "tokens: the link is gone once there is an administrator"),
    ("post /api/devices/enroll", "device_link"),
    ("post /api/devices/ticket", "device_link"),
    ("post /device", "support: every sign-in"),
    ("post /oauth/authorize", "authorize"),
    ("post /setup", "story"),
    ("post /sign-in", "support: every sign-in"),
    ("post /sign-out", "tokens"),
];

fn schemathesis() -> PathBuf {
    let in_it = if cfg!(windows) { "Scripts/schemathesis.exe" } else { "bin/schemathesis" };
    let directory = kept("schemathesis", PINNED, |directory| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory));
        let pip = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PINNED];
        run(Command::new(directory.join(pip)).args(install));
    });
    directory.join(in_it)
}

/// What only this run knows: ids and tokens that exist.
async fn with_examples(world: &World, ada: &Tokens, mut document: Value) -> Value {
    let reply = world.chat(ada, &ask("gpt-4.1-mini", false)).send().await.unwrap();
    let request_id = reply.headers()["x-request-id"].to_str().unwrap().to_owned();
    reply.text().await.unwrap();
    world.audit_until(ada, |records| records.len() >= 2).await;
    let new = json!({ "name": "to be revoked", "kind": "api" });
    let token = json_of(world.post("/api/tokens").bearer_auth(&ada.access).json(&new)).await;
    let other = world.sign_in("bob").await;
    // People and keys that may come to harm.
    let admin = async |path: &str, body: Value| {
        let made = json_of(world.post(path).bearer_auth(&ada.access).json(&body)).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let mut victims = Vec::new();
    for (path, method, act) in [
        ("/api/admin/users", "post", "/invite"),
        ("/api/admin/users", "post", "/disable"),
        ("/api/admin/users", "post", "/enable"),
        ("/api/admin/users", "post", "/role"),
        ("/api/admin/users", "post", "/end-sessions"),
        ("/api/admin/users", "get", "/limits"),
        ("/api/admin/users", "put", "/limits"),
        ("/api/admin/users", "delete", "/limits"),
        ("/api/admin/keys", "put", ""),
        ("/api/admin/keys", "delete", ""),
    ] {
        let body = match path {
            "/api/admin/users" => json!({ "login": format!("victim{}-{method}", act.replace('/', "-")) }),
            _ => json!({
                "provider": "spare", "dialect": "openai", "base_url": world.openai.openai_url(), "models": ["spare=m"],
                "key": "k",
            }),
        };
        victims.push((format!("{path}/{{id}}{act}"), method, admin(path, body).await));
    }
    let paths = &mut document["paths"];
    paths["/api/llm/status/{id}"]["get"]["parameters"][0]["example"] = request_id.into();
    for (path, method, id) in victims {
        let parameter = &mut paths[path.as_str()][method]["parameters"][0];
        parameter["schema"] = json!({ "const": id });
        parameter["example"] = id.into();
    }
    let mut body = |path: &str, example: Value| {
        paths[path]["post"]["requestBody"]["content"]["application/json"]["example"] = example;
    };
    body("/api/tokens/revoke", json!({ "id": token["id"] }));
    body("/api/auth/token", json!({ "grant_type": "refresh_token", "refresh_token": other.refresh }));
    // Models of keys that are made up would be asked for in vain by the requests that come after.
    let new_key = &mut paths["/api/admin/keys"]["post"]["requestBody"]["content"]["application/json"];
    let (base_url, models) = (json!(world.openai.openai_url()), json!(["spare=gpt-4.1-mini"]));
    (new_key["example"]["base_url"], new_key["example"]["models"]) = (base_url.clone(), models.clone());
    let properties = &mut new_key["schema"]["properties"];
    properties["base_url"] = json!({ "const": base_url });
    properties["models"] = json!({ "const": models });
    // Limits of everybody would be those of the requests that come after.
    let for_all = &mut paths["/api/admin/limits"]["put"]["requestBody"]["content"]["application/json"];
    for_all["example"] = json!({ "concurrent": 0 });
    for_all["schema"] = json!({ "const": { "concurrent": 0 } });
    let form = &mut document["components"]["schemas"]["TranscriptionRequest"]["properties"];
    form["model"] = json!({ "const": "whisper-1" });
    form["response_format"] = json!({ "const": "json" });
    document
}

/// The statuses that each operation of the document gave in this run.
fn statuses(document: &Value, har: &Value, url: &str) -> BTreeMap<String, BTreeSet<u64>> {
    let mut found = BTreeMap::new();
    let mut operations: Vec<(String, Vec<String>, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let parts = path.split('/').map(str::to_owned).collect();
            operations.push((method.clone(), parts, path.clone()));
            found.insert(format!("{method} {path}"), BTreeSet::new());
        }
    }
    // A fixed path is meant before one with parts.
    operations.sort_by_key(|(_, _, path)| path.contains('{'));
    for entry in har["log"]["entries"].as_array().unwrap() {
        let method = entry["request"]["method"].as_str().unwrap().to_lowercase();
        let target = entry["request"]["url"].as_str().unwrap().strip_prefix(url).unwrap();
        let parts: Vec<&str> = target.split(['?', '#']).next().unwrap().split('/').collect();
        let fits = |template: &[String]| {
            template.len() == parts.len()
                && template.iter().zip(&parts).all(|(part, given)| part.starts_with('{') || part == given)
        };
        let Some((_, _, path)) = operations.iter().find(|(m, template, _)| *m == method && fits(template))
        else {
            continue;
        };
        let status = entry["response"]["status"].as_u64().unwrap();
        found.get_mut(&format!("{method} {path}")).unwrap().insert(status);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_document_is_there_and_nothing_of_it_breaks_the_server() {
    let world = transcriptions::world(|settings| {
        (settings.limits.requests_per_minute, settings.limits.concurrent) = (0, 0);
        settings.upstream.private_over_http = true;
    })
    .await;
    let ada = world.sign_in("ada").await;
    let document = json_of(world.get("/openapi.json")).await;
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!(world.url)));
    // Every operation is one: none is answered as what does not exist.
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let given = path.replace("{id}", "x").replace("{path}", "x").replace("{issuer}", "x");
            let reply =
                world.http.request(method.clone(), format!("{}{given}", world.url)).send().await.unwrap();
            let text = reply.text().await.unwrap();
            assert!(!text.contains("there is no such endpoint"), "{method} {path}");
        }
    }
    let document = with_examples(&world, &ada, document).await;
    let (file, har) = (world.data.path().join("openapi.json"), world.data.path().join("run.har"));
    std::fs::write(&file, document.to_string()).unwrap();
    let (url, har_path) = (world.url.clone(), har.clone());
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(schemathesis())
            .arg("run")
            .arg(&file)
            .args(["--url", &url, "--header", &format!("Authorization: Bearer {}", ada.access)])
            .args([
                "--checks",
                "not_a_server_error",
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "12",
            ])
            .args(["--max-time", "45", "--workers", "1", "--generation-deterministic"])
            .args([
                "--generation-with-security-parameters",
                "false",
                "--suppress-health-check",
                "all",
                "--warnings",
                "off",
            ])
            .args(["--request-timeout", "20", "--no-color", "--report", "har", "--report-har-path"])
            .arg(&har_path)
            .env("NO_PROXY", "*")
            .current_dir(har_path.parent().unwrap())
            .output()
            .unwrap()
    });
    let ran = ran.await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let har: Value = serde_json::from_str(&std::fs::read_to_string(har).unwrap()).unwrap();
    let statuses = statuses(&document, &har, &world.url);
    let asked: usize = har["log"]["entries"].as_array().unwrap().len();
    assert!(asked > 200, "{asked} requests are no test");
    let broken: Vec<_> =
        statuses.iter().filter(|(_, statuses)| statuses.iter().any(|status| *status >= 500)).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let never: BTreeSet<&str> = statuses
        .iter()
        .filter(|(_, statuses)| !statuses.iter().any(|status| (200..300).contains(status)))
        .map(|(name, _)| name.as_str())
        .collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().map(|(name, _)| *name).collect();
    let unexpected: Vec<_> = never.difference(&elsewhere).map(|name| (name, &statuses[*name])).collect();
    assert!(unexpected.is_empty(), "no request succeeded: {unexpected:?}");
    let stale = ELSEWHERE.iter().filter(|(name, why)| !never.contains(name) && !why.contains("interface"));
    assert_eq!(stale.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "these succeed here, too");
}
