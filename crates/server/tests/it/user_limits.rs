//! Limits that administrators set for one person, and for each.

use std::time::Duration;

use serde_json::{Value, json};

use crate::administration::{call, done, id_of};
use crate::support::*;
use crate::two_nodes::{Nodes, SOON, run};

async fn chat(world: &World, tokens: &Tokens) -> (u16, String) {
    let reply = world.chat(tokens, &ask("gpt-4.1-mini", false)).send().await.unwrap();
    match reply.status().as_u16() {
        200 => (200, String::new()),
        _ => {
            let (status, error) = error_of(reply).await;
            (status, error["code"].as_str().unwrap().to_owned())
        }
    }
}

fn limited() -> (u16, String) {
    (429, "rate_limited".into())
}

fn served() -> (u16, String) {
    (200, String::new())
}

#[tokio::test]
async fn limits_of_one_person_and_of_each_hold_at_once_on_sqlite() {
    limits(Database::Sqlite).await;
}

#[tokio::test]
async fn limits_of_one_person_and_of_each_hold_at_once_on_postgres() {
    limits(Database::Postgres).await;
}

async fn limits(database: Database) {
    let world = World::with(database, |_| {}).await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let path = format!("/api/admin/users/{}/limits", id_of(&world, &ada, "bob").await);
    let before = done(&world, &ada, "GET", &path, Value::Null).await;
    assert_eq!((&before["own"], &before["in_force"]["requests_per_minute"]), (&Value::Null, &json!(120)));

    // Requests: bob has fewer, ada as many as before; a token of his counts as he does.
    assert_eq!(chat(&world, &bob).await, served());
    let set = done(&world, &ada, "PUT", &path, json!({ "requests_per_minute": 2 })).await;
    assert_eq!((&set["own"]["requests_per_minute"], &set["own"]["concurrent"]), (&json!(2), &Value::Null));
    assert_eq!(
        (&set["in_force"]["requests_per_minute"], &set["in_force"]["concurrent"]),
        (&json!(2), &json!(16))
    );
    assert_eq!([chat(&world, &bob).await, chat(&world, &bob).await], [served(), served()]);
    assert_eq!(chat(&world, &bob).await, limited());
    assert_eq!(chat(&world, &ada).await, served());

    let listed = done(&world, &ada, "GET", "/api/admin/limits", Value::Null).await;
    assert_eq!(listed["people"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["people"][0]["own"], set["own"]);
    assert!(path.contains(listed["people"][0]["user_id"].as_str().unwrap()));

    // Everybody: what one has of their own comes first.
    let all = done(&world, &ada, "PUT", "/api/admin/limits", json!({ "requests_per_minute": 1 })).await;
    assert_eq!(
        (&all["everybody"]["requests_per_minute"], &all["rates"]["user"]["requests_per_minute"]),
        (&json!(1), &json!(120))
    );
    world.env.advance(61_000);
    assert_eq!([chat(&world, &ada).await, chat(&world, &ada).await], [served(), limited()]);
    assert_eq!([chat(&world, &bob).await, chat(&world, &bob).await], [served(), served()]);
    assert_eq!(
        done(&world, &ada, "DELETE", "/api/admin/limits", Value::Null).await["everybody"],
        Value::Null
    );

    // Money, with what was spent before there was a budget.
    world
        .audit_until(&ada, |records| records.iter().filter(|r| r["record"]["event"] == "served").count() == 7)
        .await;
    let spent = done(&world, &bob, "GET", "/api/usage", Value::Null).await;
    let spent: u64 =
        spent["requests"].as_array().unwrap().iter().map(|row| row["cost_microusd"].as_u64().unwrap()).sum();
    assert!(spent > 0);
    world.env.advance(61_000);
    done(&world, &ada, "PUT", &path, json!({ "day_microusd": spent + 1, "requests_per_minute": 0 })).await;
    assert_eq!(chat(&world, &bob).await, (403, "budget_exceeded".into()));
    done(&world, &ada, "PUT", &path, json!({ "month_microusd": spent + 1 })).await;
    assert_eq!(chat(&world, &bob).await, (403, "budget_exceeded".into()));
    assert_eq!(done(&world, &ada, "DELETE", &path, Value::Null).await, before);
    assert_eq!(done(&world, &ada, "GET", "/api/admin/limits", Value::Null).await["people"], json!([]));
    assert_eq!(chat(&world, &bob).await, served());
    on_record(&world, &ada, &path).await;
}

/// What is no limit is refused, and each change stands in the audit with what it is.
async fn on_record(world: &World, ada: &Tokens, path: &str) {
    for bad in [
        json!({ "requests_per_minute": -1 }),
        json!({ "concurrent": "many" }),
        json!({ "tokens_per_minute": 4_294_967_296_u64 }),
        json!({ "per_hour": 1 }),
    ] {
        assert_eq!(call(world, ada, "PUT", path, bad.clone()).await.0, 400, "{bad}");
    }
    let records = world.audit(ada).await;
    let changes: Vec<_> = records.iter().filter(|record| record["record"]["event"] == "changed").collect();
    let whats: Vec<_> =
        changes.iter().map(|record| record["record"]["change"]["what"].as_str().unwrap()).collect();
    assert_eq!(
        whats,
        ["limits.set", "limits.set", "limits.reset", "limits.set", "limits.set", "limits.reset"]
    );
    let first = &changes[0]["record"]["change"];
    assert!(path.contains(first["target"].as_str().unwrap()));
    let to: Value = serde_json::from_str(first["to"].as_str().unwrap()).unwrap();
    assert_eq!(to["requests_per_minute"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_person_act_on_both_nodes_within_a_second() {
    let nodes = Nodes::start("").await;
    let ada = nodes.sign_in().await;
    let status = async |at: usize| nodes.chat(at, &ada.access, false).send().await.unwrap().status().as_u16();
    assert_eq!([status(0).await, status(1).await], [200, 200]);
    let data = nodes.world.data.path().join("b");
    let said = run(&data, &["user", "limits", "Ada"], "");
    assert!(said.starts_with("requests per minute  120  the default\n"), "{said}");
    let said = run(&data, &["user", "limits", "ada", "--requests-per-minute", "1", "--concurrent", "3"], "");
    assert!(
        said.starts_with("requests per minute  1  their own\ntokens per minute  no limit  the default\n"),
        "{said}"
    );
    let start = std::time::Instant::now();
    nodes.until(SOON, || async { status(0).await == 429 }).await;
    nodes.until(SOON.saturating_sub(start.elapsed()), || async { status(1).await == 429 }).await;
    // Over HTTP at the first node: at once there, and soon at the second, which waits a minute no more.
    let users = done(&nodes.world, &ada, "GET", "/api/admin/users", Value::Null).await;
    let path = format!("/api/admin/users/{}/limits", users["users"][0]["id"].as_str().unwrap());
    let shown = done(&nodes.world, &ada, "GET", &path, Value::Null).await;
    assert_eq!(shown["own"]["concurrent"], 3);
    let records = nodes.world.audit(&ada).await;
    let to = |record: &Value| record["record"]["change"]["to"].as_str().unwrap_or_default().to_owned();
    assert!(
        records.iter().any(|record| to(record).contains(r#""concurrent":3"#)),
        "commands are on record, too"
    );
    let faster = json!({ "requests_per_minute": 6_000 });
    done(&nodes.world, &ada, "PUT", &path, faster).await;
    nodes.until(SOON, || async { status(0).await == 200 && status(1).await == 200 }).await;
    let said = run(&data, &["user", "limits", "ada", "--default"], "");
    assert!(!said.contains("their own"), "{said}");
    nodes
        .until(Duration::from_secs(2), || async {
            done(&nodes.world, &ada, "GET", &path, Value::Null).await["in_force"]["requests_per_minute"]
                == 120
        })
        .await;
}
