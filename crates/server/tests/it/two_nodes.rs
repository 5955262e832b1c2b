//! Two processes on one PostgreSQL and one Redis, as `deploy/compose.yaml` starts them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Behaviour, Postgres, Redis, Simulator, Spawned};

use crate::support::*;

/// What acts on all nodes does so within this time.
pub const SOON: Duration = Duration::from_secs(1);
const MASTER_KEY: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

pub(crate) struct Nodes {
    /// Signs in, and talks to the first node.
    pub world: World,
    pub first: Spawned,
    second: Spawned,
    /// Addresses of the two.
    pub urls: [String; 2],
    pub simulator: Simulator,
    _postgres: Postgres,
    _redis: Redis,
}

pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plantocode-server"));
    command.args(arguments).arg("--data").arg(data).env("PLANTOCODE_MASTER_KEY", MASTER_KEY);
    command
}

pub fn run(data: &Path, arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = command(data, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output: Output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn add_key(data: &Path, url: &str, model: &str) {
    let add =
        ["keys", "add", "openai", "--base-url", url, "--dialect", "openai", "--models", model, "--key-stdin"];
    run(data, &add, CANARY);
}

fn serve(data: &Path) -> (Spawned, String) {
    let spawned = Spawned::start(
        command(data, &["serve", "--listen", "127.0.0.1:0"]),
        Duration::from_secs(30),
        |line| line.starts_with('{'),
    );
    let ready: Value = serde_json::from_str(spawned.ready()).unwrap();
    let url = ready["listens"].as_str().unwrap().to_owned();
    (spawned, url)
}

impl Nodes {
    /// Two nodes with this behind `[limits]`; `ada` administers.
    pub async fn start(limits: &str) -> Self {
        let (postgres, redis) = (Postgres::start(), Redis::start());
        let simulator = Simulator::start(Behaviour::text("Hello from the simulator."));
        let mut world = World::empty(Database::Sqlite, |_| {});
        let config = format!(
            "public_url = \"http://plantocode.test\"\ndatabase = \"{}\"\n[redis]\nurl = \"{}\"\nlease_s = 2\n[limits]\n{limits}\n",
            postgres.url(),
            redis.url()
        );
        let [a, b]: [PathBuf; 2] = ["a", "b"].map(|name| world.data.path().join(name));
        for data in [&a, &b] {
            std::fs::create_dir(data).unwrap();
            std::fs::write(data.join("config.toml"), &config).unwrap();
        }
        run(&a, &["user", "add", "ada", "--role", "admin"], PASSWORD);
        add_key(&a, &simulator.openai_url(), "gpt-4.1-mini");
        let ((first, one), (second, two)) = (serve(&a), serve(&b));
        let doctor = run(&b, &["doctor"], "");
        assert!(doctor.contains("good  Redis answers"), "{doctor}");
        assert!(!a.join("master.key").exists(), "the key is given, not made");
        world.url = one.clone();
        let nodes =
            Self { world, first, second, urls: [one, two], simulator, _postgres: postgres, _redis: redis };
        for at in [0, 1] {
            nodes
                .until(Duration::from_secs(10), || async { nodes.status(at, "/readyz", "").await == 200 })
                .await;
        }
        nodes
    }

    fn data(&self, name: &str) -> PathBuf {
        self.world.data.path().join(name)
    }

    /// Signs in on the first node.
    pub async fn sign_in(&self) -> Tokens {
        self.world.sign_in("ada").await
    }

    pub fn chat(&self, at: usize, token: &str, stream: bool) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/chat/completions", self.urls[at]);
        self.world.http.post(url).bearer_auth(token).json(&ask("gpt-4.1-mini", stream))
    }

    async fn status(&self, at: usize, path: &str, token: &str) -> u16 {
        let url = format!("{}{path}", self.urls[at]);
        self.world.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    }

    /// Waits for a condition and panics when it does not come in time; says how long it took.
    pub async fn until<F: Future<Output = bool>>(
        &self,
        limit: Duration,
        condition: impl Fn() -> F,
    ) -> Duration {
        let start = Instant::now();
        while !condition().await {
            assert!(start.elapsed() < limit, "it does not happen within {limit:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        start.elapsed()
    }

    async fn both(&self, limit: Duration, path: &str, token: &str, status: u16) {
        self.until(limit, || async {
            self.status(0, path, token).await == status && self.status(1, path, token).await == status
        })
        .await;
    }

    async fn key_names(&self, at: usize) -> BTreeSet<String> {
        let url = format!("{}/.well-known/jwks.json", self.urls[at]);
        let set = json_of(self.world.http.get(url)).await;
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_on_one_node_ends_on_the_other_within_a_second() {
    let nodes = Nodes::start("").await;
    let (ada, other) = (nodes.sign_in().await, nodes.sign_in().await);
    nodes.both(SOON, "/api/account", &ada.access, 200).await;

    // A token for programs: made and revoked on the first, used on the second.
    let create = json!({ "name": "robot", "kind": "api", "approval": "none" });
    let made = json_of(nodes.world.post("/api/tokens").bearer_auth(&ada.access).json(&create)).await;
    let robot = made["token"].as_str().unwrap();
    nodes.both(SOON, "/v1/models", robot, 200).await;
    let revoke = json!({ "id": made["id"] });
    json_of(nodes.world.post("/api/tokens/revoke").bearer_auth(&ada.access).json(&revoke)).await;
    nodes.both(SOON, "/v1/models", robot, 401).await;

    // A sign-out, while an answer streams on the other node.
    nodes.simulator.set(Behaviour { first_delay_ms: 20_000, ..Behaviour::text("late") });
    let streaming = tokio::spawn(nodes.chat(1, &other.access, true).send());
    nodes.until(SOON * 5, || async { !nodes.simulator.log().is_empty() }).await;
    json_of(nodes.world.post("/api/auth/revoke").json(&json!({ "token": other.refresh }))).await;
    let start = Instant::now();
    nodes.both(SOON, "/api/account", &other.access, 401).await;
    let ended = tokio::time::timeout(SOON.saturating_sub(start.elapsed()), streaming).await;
    let reply = ended.expect("what is under way ends with the sign-in").unwrap().unwrap();
    assert_eq!(error_of(reply).await.1["code"], "canceled");
    nodes.simulator.set(Behaviour::text("Hello from the simulator."));

    // A request that runs on one node is canceled on the other, by its owner alone.
    nodes.simulator.set(Behaviour { first_delay_ms: 20_000, ..Behaviour::text("late") });
    let asked = nodes.simulator.log().len();
    let running = nodes.chat(1, &ada.access, false).header("x-plantocode-job", "nightly").send();
    let running = tokio::spawn(running);
    nodes.until(SOON * 5, || async { nodes.simulator.log().len() > asked }).await;
    let cancel = json!({ "job": "nightly" });
    let told = json_of(nodes.world.post("/api/llm/cancel").bearer_auth(&ada.access).json(&cancel)).await;
    assert_eq!(told, json!({ "canceled": 0, "others_told": true }));
    let ended = tokio::time::timeout(SOON / 2, running).await.expect("it is stopped at once");
    assert_eq!(error_of(ended.unwrap().unwrap()).await.1["code"], "canceled");
    nodes.simulator.set(Behaviour::text("Hello from the simulator."));

    // A new signing key is published on both; nobody is signed out.
    let before = nodes.key_names(0).await;
    let said = run(&nodes.data("b"), &["token", "rotate"], "");
    let kid = said.split_whitespace().nth(1).unwrap().to_owned();
    nodes
        .until(SOON, || async {
            nodes.key_names(0).await.contains(&kid) && nodes.key_names(1).await.contains(&kid)
        })
        .await;
    assert!(nodes.key_names(1).await.is_superset(&before));
    assert_eq!(nodes.status(1, "/api/account", &ada.access).await, 200);

    // In an emergency every access token is void on both, and the sign-in goes on with a new one.
    run(&nodes.data("b"), &["token", "rotate", "--at-once"], "");
    nodes.both(SOON, "/api/account", &ada.access, 401).await;
    assert!(
        nodes.key_names(0).await.is_disjoint(&before.iter().filter(|old| **old == kid).cloned().collect())
    );
    let grant = json!({ "grant_type": "refresh_token", "refresh_token": ada.refresh });
    let renewed = read_tokens(&json_of(nodes.world.post("/api/auth/token").json(&grant)).await);
    nodes.both(SOON, "/api/account", &renewed.access, 200).await;

    // A provider key that is added beside one node serves on the other within two seconds.
    add_key(&nodes.data("a"), &nodes.simulator.openai_url(), "gpt-5-mini");
    let asking = || async {
        let url = format!("{}/v1/chat/completions", nodes.urls[1]);
        let request = nodes.world.http.post(url).bearer_auth(&renewed.access).json(&ask("gpt-5-mini", false));
        request.send().await.unwrap().status() == 200
    };
    nodes.until(SOON * 2, asking).await;
}

/// How many of so many requests at once are admitted on these nodes.
async fn admitted(nodes: &Nodes, at: &[usize], token: &str, count: usize) -> usize {
    let sending = (0..count).map(|number| {
        let request = nodes.chat(at[number % at.len()], token, false);
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    });
    let mut admitted = 0;
    for one in sending.collect::<Vec<_>>() {
        match one.await.unwrap() {
            200 => admitted += 1,
            429 => {}
            other => panic!("status {other}"),
        }
    }
    admitted
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_on_both_together_and_go_on_when_one_is_killed() {
    let mut nodes = Nodes::start("requests_per_minute = 6\nconcurrent = 4").await;
    let ada = nodes.sign_in().await;
    nodes.simulator.set(Behaviour { first_delay_ms: 1_500, ..Behaviour::text("slow") });
    let start = Instant::now();
    assert_eq!(admitted(&nodes, &[0, 1], &ada.access, 24).await, 4, "at the same time");
    // Two run on the node that is killed; the others of the minute are taken on the one that lives.
    nodes.simulator.set(Behaviour { first_delay_ms: 60_000, ..Behaviour::text("never") });
    let [one, two] = [0, 0].map(|at| tokio::spawn(nodes.chat(at, &ada.access, true).send()));
    nodes.until(Duration::from_secs(5), || async { nodes.simulator.log().len() == 6 }).await;
    nodes.first.kill();
    assert!(one.await.unwrap().is_err() && two.await.unwrap().is_err());
    nodes.simulator.set(Behaviour { first_delay_ms: 1_500, ..Behaviour::text("slow") });
    assert_eq!(
        admitted(&nodes, &[1], &ada.access, 8).await,
        0,
        "what the dead node admitted has been admitted"
    );
    // After the window all are admitted again, and no place is lost to the dead.
    tokio::time::sleep(Duration::from_secs(60).saturating_sub(start.elapsed())).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(admitted(&nodes, &[1], &ada.access, 24).await, 4, "at the same time");
    assert_eq!(admitted(&nodes, &[1], &ada.access, 24).await, 2, "of the minute");
}

/// What a client saw of a request: its record, and when its whole answer was there.
struct Seen {
    position: String,
    whole: Option<Instant>,
    at: usize,
}

/// One client that asks for answers on a node, streamed or not, until it is told to stop or the node is gone.
async fn ask_until(
    request: impl Fn(bool) -> reqwest::RequestBuilder,
    at: usize,
    until: Instant,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut stream = false;
    while Instant::now() < until {
        stream = !stream;
        let Ok(reply) = request(stream).send().await else { return seen };
        assert_eq!(reply.status(), 200);
        let position = reply.headers()["x-plantocode-audit"].to_str().unwrap().to_owned();
        let whole = match reply.text().await {
            Ok(text) if !stream || text.contains("[DONE]") => Some(Instant::now()),
            _ => None,
        };
        seen.push(Seen { position, whole, at });
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_no_record_and_no_settled_usage() {
    let mut nodes = Nodes::start("requests_per_minute = 0\nconcurrent = 0").await;
    let ada = nodes.sign_in().await;
    let until = Instant::now() + Duration::from_secs(5);
    let mut clients = Vec::new();
    for number in 0..8 {
        let (at, token, http) = (number % 2, ada.access.clone(), nodes.world.http.clone());
        let url = format!("{}/v1/chat/completions", nodes.urls[at]);
        let request = move |stream| http.post(&url).bearer_auth(&token).json(&ask("gpt-4.1-mini", stream));
        clients.push(tokio::spawn(ask_until(request, at, until)));
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let killed = Instant::now();
    nodes.first.kill();
    let mut seen = Vec::new();
    for client in clients {
        seen.extend(client.await.unwrap());
    }
    let count = |at| seen.iter().filter(|seen| seen.at == at).count();
    assert!(count(0) >= 10 && count(1) >= 10, "{} and {} requests are no load", count(0), count(1));
    let last = seen.iter().filter(|seen| seen.at == 1).filter_map(|seen| seen.whole).max().unwrap();
    assert!(last > killed + Duration::from_secs(1), "the other node goes on");
    // Stops in order, so that all of its own is settled.
    let _ = Command::new("kill").args(["-TERM", &nodes.second.id().to_string()]).status();
    assert!(nodes.second.wait(Duration::from_secs(20)).success());

    // Every record that a client was told of is there, and all chains are whole.
    let witness = nodes.data("witness");
    let positions: Vec<&str> = seen.iter().map(|seen| seen.position.as_str()).collect();
    std::fs::write(&witness, positions.join("\n")).unwrap();
    let verified = run(&nodes.data("b"), &["audit", "verify", "--witness", witness.to_str().unwrap()], "");
    assert!(
        verified.contains("4 chains"),
        "two of nodes, two of the commands that prepared them: {verified}"
    );

    let exported = run(&nodes.data("b"), &["audit", "export"], "");
    let records: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let id_at: BTreeMap<(String, i64), String> = records
        .iter()
        .map(|r| {
            let text = |name: &str| r[name].as_str().unwrap().to_owned();
            ((text("node"), r["seq"].as_i64().unwrap()), text("request_id"))
        })
        .collect();
    let served: BTreeSet<&str> = records
        .iter()
        .filter(|record| record["event"] == "served")
        .map(|record| record["request_id"].as_str().unwrap())
        .collect();
    let used: BTreeSet<String> = nodes
        ._postgres
        .query("postgres", "SELECT request_id FROM usage_records")
        .lines()
        .map(str::to_owned)
        .collect();
    for Seen { position, whole, at } in &seen {
        let mut parts = position.split('/');
        let (node, seq) = (parts.next().unwrap().to_owned(), parts.next().unwrap().parse().unwrap());
        let id = &id_at[&(node, seq)];
        // An outcome is stored right after the answer: what was whole a moment before the end is settled.
        let settled = whole.is_some_and(|whole| *at == 1 || whole + Duration::from_millis(500) < killed);
        if settled {
            assert!(used.contains(id.as_str()), "the usage of {id} is lost");
            assert!(served.contains(id.as_str()), "the outcome of {id} is lost");
        }
    }
    let lost = served.iter().filter(|id| !used.contains(**id)).count();
    assert_eq!(lost, 0, "what the record calls served has its usage");
}

#[test]
fn redis_is_reached_by_tls_with_a_password_that_is_never_told() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let redis = Redis::start_tls(&made.cert.pem(), &made.signing_key.serialize_pem());
    let directory = tempfile::tempdir().unwrap();
    let (data, trusted) = (directory.path().join("data"), directory.path().join("roots.pem"));
    std::fs::create_dir(&data).unwrap();
    std::fs::write(&trusted, made.cert.pem()).unwrap();
    let doctor = |url: &str, trusts: bool| {
        std::fs::write(data.join("config.toml"), format!("[redis]\nurl = \"{url}\"")).unwrap();
        let mut doctor = command(&data, &["doctor"]);
        doctor.env("RUST_LOG", "trace").env_remove("SSL_CERT_DIR");
        if trusts {
            doctor.env("SSL_CERT_FILE", &trusted);
        }
        let output = doctor.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(Redis::PASSWORD), "{said}");
        said
    };
    let said = doctor(&redis.url(), true);
    assert!(said.contains("good  Redis answers"), "{said}");
    for (url, trusts) in [
        (redis.url(), false),
        (redis.url().replace(Redis::PASSWORD, "wrong"), true),
        (redis.url().replace("rediss", "redis"), true),
    ] {
        let said = doctor(&url, trusts);
        assert!(said.contains("BAD   Redis does not answer"), "{said}");
    }
}
