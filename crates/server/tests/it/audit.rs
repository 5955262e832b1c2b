//! The audit cannot be changed unnoticed, and nothing leaves without it.

use serde_json::json;
use server::admin::Admin;
use testkit::Behaviour;

use crate::support::*;

/// Three requests, and the name of their chain.
async fn recorded() -> (World, String) {
    let mut world = World::with(Database::Postgres, |_| {}).await;
    let tokens = world.sign_in("ada").await;
    for _ in 0..3 {
        json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    }
    let records = world.audit_until(&tokens, |records| records.len() == 6).await;
    let node = records[0]["node"].as_str().unwrap().to_owned();
    world.stop().await;
    (world, node)
}

async fn broken_at(world: &World, node: &str) -> Option<i64> {
    let admin = Admin::open(&world.config).await.unwrap();
    let reports = admin.verify_audit().await.unwrap().chains;
    admin.close().await;
    let report = reports.iter().find(|report| report.node == node).unwrap();
    assert!(report.broken.is_some() || report.records == 6, "{report:?}");
    report.broken.as_ref().map(|(seq, _)| *seq)
}

#[tokio::test]
async fn every_change_is_found_where_it_was_made() {
    let (world, node) = recorded().await;
    assert_eq!(broken_at(&world, &node).await, None);
    let postgres = world.postgres.as_ref().unwrap();
    let of = |seq: i64| format!("WHERE node = '{node}' AND seq = {seq}");
    let edits = [
        (
            3,
            format!(
                "UPDATE audit_records SET record = set_byte(record, 40, get_byte(record, 40) # 1) {}",
                of(3)
            ),
        ),
        (4, format!("DELETE FROM audit_records {}", of(4))),
        (2, format!("UPDATE audit_records SET hash = repeat('a', 64) {}", of(2))),
        (5, format!("UPDATE audit_records SET request_id = 'another' {}", of(5))),
        (
            1,
            format!(
                "UPDATE audit_records SET seq = CASE seq WHEN 1 THEN 1002 ELSE 1001 END WHERE node = '{node}' AND seq < 3; UPDATE audit_records SET seq = seq - 1000 WHERE seq > 1000"
            ),
        ),
    ];
    postgres.execute("postgres", "CREATE TABLE kept AS SELECT * FROM audit_records");
    for (seq, edit) in edits {
        postgres.execute("postgres", &edit);
        assert_eq!(broken_at(&world, &node).await, Some(seq), "{edit}");
        postgres
            .execute("postgres", "DELETE FROM audit_records; INSERT INTO audit_records SELECT * FROM kept");
        assert_eq!(broken_at(&world, &node).await, None);
    }
}

#[tokio::test]
async fn without_a_record_nothing_leaves() {
    let world = World::with(Database::Postgres, |_| {}).await;
    let tokens = world.sign_in("ada").await;
    let postgres = world.postgres.as_ref().unwrap();
    postgres.execute("postgres", "ALTER TABLE audit_records RENAME TO away");
    let reply = world.chat(&tokens, &ask("gpt-4.1-mini", false)).send().await.unwrap();
    let (status, error) = error_of(reply).await;
    assert_eq!((status, error["code"].as_str()), (503, Some("unavailable")));
    assert!(world.openai.log().is_empty());
    postgres.execute("postgres", "ALTER TABLE away RENAME TO audit_records");
    json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    assert_eq!(records[0]["seq"], 1, "the chain has no gap");
}

#[tokio::test]
async fn the_intent_is_committed_before_the_upstream_sees_anything() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { first_delay_ms: 3_000, ..Behaviour::text("late") });
    let request = world.chat(&tokens, &ask("gpt-4.1-mini", true));
    let sending = tokio::spawn(request.send());
    while world.openai.log().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let records = world.audit(&tokens).await;
    assert_eq!((records.len(), records[0]["record"]["event"].as_str()), (1, Some("intent")));
    assert_eq!(records[0]["record"]["destinations"], json!(["openai/gpt-4.1-mini"]));
    sending.abort();
}

#[tokio::test]
async fn many_at_once_make_one_gapless_chain() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.concurrent = 100).await;
    let tokens = world.sign_in("ada").await;
    let all = (0..40).map(|_| json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))));
    futures_util::future::join_all(all).await;
    let records = world.audit_until(&tokens, |records| records.len() == 80).await;
    let numbers: Vec<_> = records.iter().map(|record| record["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=80).collect::<Vec<_>>());
    assert_eq!(world.usage(&tokens).await.len(), 40);
}

async fn checkpoints(world: &World) -> server::CheckpointReport {
    let admin = Admin::open(&world.config).await.unwrap();
    let report = admin.verify_audit().await.unwrap().checkpoints;
    admin.close().await;
    report
}

async fn contradictions(world: &World, witness: &str) -> Vec<(usize, String)> {
    let admin = Admin::open(&world.config).await.unwrap();
    let found = admin.contradictions(witness).await.unwrap();
    admin.close().await;
    found
}

#[tokio::test]
async fn a_rewritten_chain_does_not_agree_with_its_checkpoints() {
    let (world, node) = recorded().await;
    let report = checkpoints(&world).await;
    assert!(report.checkpoints >= 1 && report.broken.is_none(), "{report:?}");
    let postgres = world.postgres.as_ref().unwrap();
    postgres.execute("postgres", "CREATE TABLE kept AS SELECT * FROM audit_records");
    // A cut tail leaves the chain in order, and is found by the checkpoint that covered it.
    postgres.execute("postgres", &format!("DELETE FROM audit_records WHERE node = '{node}' AND seq > 3"));
    let (at, problem) = checkpoints(&world).await.broken.unwrap();
    assert!(problem.contains("was there and is missing"), "{at} {problem}");
    postgres.execute("postgres", "DELETE FROM audit_records; INSERT INTO audit_records SELECT * FROM kept");
    assert_eq!(checkpoints(&world).await.broken, None);
    for edit in [
        "UPDATE audit_checkpoints SET statement = set_byte(statement, 40, get_byte(statement, 40) # 1) WHERE number = 1",
        "UPDATE audit_checkpoints SET signature = set_byte(signature, 5, get_byte(signature, 5) # 1) WHERE number = 1",
        "UPDATE audit_checkpoints SET at_ms = at_ms + 1 WHERE number = 1",
    ] {
        postgres.execute(
            "postgres",
            "DROP TABLE IF EXISTS points; CREATE TABLE points AS SELECT * FROM audit_checkpoints",
        );
        postgres.execute("postgres", edit);
        assert_eq!(checkpoints(&world).await.broken.map(|(at, _)| at), Some(1), "{edit}");
        postgres.execute(
            "postgres",
            "DELETE FROM audit_checkpoints; INSERT INTO audit_checkpoints SELECT * FROM points",
        );
    }
}

#[tokio::test]
async fn a_witness_finds_what_was_cut_off_with_its_checkpoints() {
    let mut world = World::with(Database::Postgres, |_| {}).await;
    let sink = world.data.path().join("sink");
    world.stop().await;
    world.config.settings.audit.sink = sink.display().to_string();
    let mut world = world.started().await;
    let ada = world.sign_in("ada").await;
    let reply = world.chat(&ada, &ask("gpt-4.1-mini", false)).send().await.unwrap();
    let position = reply.headers()["x-plantocode-audit"].to_str().unwrap().to_owned();
    world.audit_until(&ada, |records| records.len() == 2).await;
    world.stop().await;
    let witness = format!("{position}\n\n{}", std::fs::read_to_string(&sink).unwrap());
    assert!(witness.contains("checkpoint "), "{witness}");
    assert_eq!(contradictions(&world, &witness).await, []);
    let postgres = world.postgres.as_ref().unwrap();
    postgres.execute("postgres", "DELETE FROM audit_checkpoints; DELETE FROM audit_records");
    assert_eq!(checkpoints(&world).await.broken, None, "by itself it looks as if nothing had been there");
    let found = contradictions(&world, &witness).await;
    assert_eq!(found.len(), witness.lines().filter(|line| !line.is_empty()).count(), "{found:?}");
    assert!(found[0].1.contains("cut off"), "{found:?}");
    assert_eq!(contradictions(&world, "nonsense\na/b/c\ncheckpoint x y").await.len(), 3);
}

/// The address a person came from can be erased, and their name; the chain never held them.
#[tokio::test]
async fn an_erased_person_leaves_the_chain_whole() {
    for database in [Database::Sqlite, Database::Postgres] {
        let world = World::with(database, |_| {}).await;
        let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
        json_of(world.chat(&bob, &ask("gpt-4.1-mini", false))).await;
        json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
        json_of(world.chat(&bob, &ask("gpt-4.1-mini", false))).await;
        let before = world.audit_until(&ada, |records| records.len() == 6).await;
        assert!(before.iter().all(|record| record["address"] == "127.0.0.1"), "{before:?}");
        let text = before.iter().map(|record| record["record"].to_string()).collect::<String>();
        assert!(!text.contains("127.0.0.1"), "{text}");
        let of_bob: Vec<_> =
            before.iter().filter(|r| r["record"]["user"] == before[0]["record"]["user"]).collect();
        assert!(of_bob.iter().all(|record| record["record"]["from"] == of_bob[0]["record"]["from"]));
        let admin = Admin::open(&world.config).await.unwrap();
        admin.erase_user("bob").await.unwrap();
        assert!(admin.erase_user("bob").await.is_err(), "nobody is called that any more");
        assert!(admin.verify_audit().await.unwrap().is_intact());
        admin.close().await;
        let after = world.audit(&ada).await;
        for (record, was) in after.iter().zip(&before) {
            let is_bobs = of_bob.contains(&was);
            let address = if is_bobs { json!(null) } else { json!("127.0.0.1") };
            assert_eq!((&record["record"], &record["address"]), (&was["record"], &address));
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let refused = world.chat(&bob, &ask("gpt-4.1-mini", false)).send().await.unwrap();
        assert_eq!(refused.status(), 401, "their sign-ins have ended");
    }
}

#[tokio::test]
async fn administrators_verify_over_http() {
    let (mut world, node) = recorded().await;
    let config = world.config.clone();
    let running = server::Server::start(config).await.unwrap();
    world.url = running.url().to_owned();
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let verify = |who: &Tokens| world.get("/api/audit/verify").bearer_auth(&who.access);
    assert_eq!(verify(&bob).send().await.unwrap().status(), 403);
    let report = json_of(verify(&ada)).await;
    assert_eq!(report["intact"], true, "{report}");
    assert_eq!(report["chains"].as_array().unwrap().len(), 1);
    let postgres = world.postgres.as_ref().unwrap();
    postgres.execute("postgres", "DELETE FROM audit_records WHERE seq = 4");
    let report = json_of(verify(&ada)).await;
    assert_eq!((&report["intact"], &report["chains"][0]["broken"]["at"]), (&json!(false), &json!(4)));
    assert_eq!(report["chains"][0]["node"], json!(node));
    running.stop().await.unwrap();
}

/// What a provider says about itself is stored as far as a database can, and stops nobody else.
#[tokio::test]
async fn a_row_that_the_database_cannot_hold_stops_no_other() {
    for database in [Database::Sqlite, Database::Postgres] {
        let world = World::with(database, |_| {}).await;
        let tokens = world.sign_in("ada").await;
        let said = r#"{"id":"c","object":"chat.completion","created":1,"model":"x\u0000y","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"prompt_tokens":18446744073709551615,"completion_tokens":9223372036854775807,"cost_details":{"charged_microusd":18446744073709551615}}}"#;
        let upstream = answering(said).await;
        let admin = Admin::open(&world.config).await.unwrap();
        let key = server::admin::NewKey {
            provider: "odd".into(),
            dialect: "compatible".into(),
            base_url: upstream,
            models: vec!["odd".into()],
            key: CANARY.to_owned().into(),
        };
        admin.add_key(key).await.unwrap();
        admin.close().await;
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        for _ in 0..3 {
            json_of(world.chat(&tokens, &ask("odd", false))).await;
        }
        json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
        world.audit_until(&tokens, |records| records.len() == 8).await;
        assert_eq!(world.usage(&tokens).await.len(), 4, "{database:?}");
    }
}

/// A provider that says one thing, whatever it is asked: its base URL. It ends with the test.
async fn answering(body: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = Vec::new();
            // The whole request: its body is an object, and ends with the brace that opened it.
            while !asked.ends_with(b"}") && socket.read_buf(&mut asked).await.unwrap() > 0 {}
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
        }
    });
    url
}
