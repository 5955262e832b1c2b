//! Limits that several nodes share by Redis.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::config::{OnFailure, Settings};
use server::{Config, Running, Server};
use testkit::{Behaviour, Redis};

use crate::support::*;

/// Another node of the same database, vault and Redis; returned with its address.
async fn second(world: &World) -> (Running, String) {
    let data = world.data.path().join("second");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(world.config.data.join("master.key"), data.join("master.key")).unwrap();
    let settings = Settings { public_url: world.url.clone(), ..world.config.settings.clone() };
    let running = Server::start(Config { data, settings, env: world.env.clone() }).await.unwrap();
    let url = format!("http://{}", running.listens());
    (running, url)
}

async fn readiness(world: &World, url: &str) -> (u16, Value) {
    let reply = world.http.get(format!("{url}/readyz")).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn until_ready(world: &World, url: &str) {
    let start = Instant::now();
    while readiness(world, url).await.1["dependencies"]["redis"] != "ok" {
        assert!(start.elapsed() < Duration::from_secs(10), "Redis is not reached");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A minute goes by, for the nodes and for Redis.
fn a_minute_later(world: &World, redis: &Redis) {
    world.env.advance(60_000);
    for key in redis.command(&["KEYS", "*:rate:*"]).lines() {
        redis.command(&["HINCRBY", key, "at", "-60000"]);
    }
}

/// Statuses of so many requests at once, one after the other to each of the nodes.
async fn at_once(world: &World, tokens: &Tokens, urls: &[&str], count: usize) -> Vec<u16> {
    let body = ask("gpt-4.1-mini", false);
    let sending = (0..count).map(|number| {
        let url = format!("{}/v1/chat/completions", urls[number % urls.len()]);
        let request = world.http.post(url).bearer_auth(&tokens.access).json(&body);
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    });
    let mut statuses = Vec::new();
    for one in sending.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    statuses
}

fn admitted(statuses: &[u16]) -> usize {
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_exactly_the_allowed_number_is_admitted_on_one_node_with_redis() {
    let redis = Redis::start();
    let world = World::with(Database::Sqlite, |settings| {
        (settings.redis.url, settings.limits.requests_per_minute) = (redis.url(), 5);
    })
    .await;
    until_ready(&world, &world.url).await;
    let ada = world.sign_in("ada").await;
    for _ in 0..2 {
        assert_eq!(admitted(&at_once(&world, &ada, &[&world.url], 30).await), 5);
        a_minute_later(&world, &redis);
    }
    // What is refused before it is known what it asks for counts as well.
    for _ in 0..5 {
        assert_eq!(world.chat_bytes(&ada, "not json").send().await.unwrap().status(), 400);
    }
    assert_eq!(world.chat(&ada, &ask("gpt-4.1-mini", false)).send().await.unwrap().status(), 429);
    a_minute_later(&world, &redis);
    for _ in 0..5 {
        json_of(
            world.post("/api/models/estimate").bearer_auth(&ada.access).json(&ask("gpt-4.1-mini", false)),
        )
        .await;
    }
    assert_eq!(world.chat(&ada, &ask("gpt-4.1-mini", false)).send().await.unwrap().status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_admit_together_what_one_would() {
    let redis = Redis::start();
    let world = World::with(Database::Postgres, |settings| {
        (settings.redis.url, settings.limits.requests_per_minute) = (redis.url(), 6);
    })
    .await;
    let (other, url) = second(&world).await;
    until_ready(&world, &world.url).await;
    until_ready(&world, &url).await;
    let ada = world.sign_in("ada").await;
    for _ in 0..2 {
        assert_eq!(admitted(&at_once(&world, &ada, &[&world.url, &url], 40).await), 6);
        a_minute_later(&world, &redis);
    }
    let bob = world.sign_in("bob").await;
    assert_eq!(admitted(&at_once(&world, &bob, &[&url], 3).await), 3, "others are not affected");
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_are_counted_together_and_the_next_finds_the_room_of_the_last() {
    let redis = Redis::start();
    let world = World::with(Database::Postgres, |settings| {
        (settings.redis.url, settings.limits.concurrent) = (redis.url(), 2);
        settings.limits.tokens_per_minute = 4_000;
    })
    .await;
    let (other, url) = second(&world).await;
    until_ready(&world, &world.url).await;
    until_ready(&world, &url).await;
    let ada = world.sign_in("ada").await;
    world.openai.set(Behaviour { first_delay_ms: 800, ..Behaviour::text("slow") });
    let mut body = ask("gpt-4.1-mini", true);
    body["max_tokens"] = json!(1_500);
    let send = |url: &str| {
        let request =
            world.http.post(format!("{url}/v1/chat/completions")).bearer_auth(&ada.access).json(&body);
        async move { request.send().await.unwrap() }
    };
    let (a, b, c) = tokio::join!(send(&world.url), send(&url), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        send(&url).await
    });
    assert_eq!([a.status(), b.status(), c.status()], [200, 200, 429]);
    let refused = error_of(c).await.1;
    assert!(refused["message"].as_str().unwrap().contains("at the same time"), "{refused}");
    a.text().await.unwrap();
    b.text().await.unwrap();
    world.openai.set(Behaviour::text("quick"));
    for _ in 0..5 {
        let answer = send(&world.url).await;
        assert_eq!(answer.status(), 200, "the tokens that were not used are there, and the place");
        answer.text().await.unwrap();
    }
    other.stop().await.unwrap();
    assert_eq!(redis.command(&["ZCARD", "{plantocode}:running:person:nobody"]), "0");
    let running = redis.command(&["KEYS", "*:running:*"]);
    assert!(running.lines().all(|key| redis.command(&["ZCARD", key]) == "0"), "{running}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_requests_are_refused_or_counted_alone_as_configured() {
    for on_failure in [OnFailure::Refuse, OnFailure::Local] {
        let mut redis = Redis::start();
        let world = World::with(Database::Sqlite, |settings| {
            (settings.redis.url, settings.redis.on_failure) = (redis.url(), on_failure);
            (settings.metrics_token, settings.limits.requests_per_minute) = ("scrape".into(), 10);
        })
        .await;
        until_ready(&world, &world.url).await;
        let ada = world.sign_in("ada").await;
        let chat = || world.chat(&ada, &ask("gpt-4.1-mini", false)).send();
        assert_eq!(chat().await.unwrap().status(), 200);
        redis.kill();
        let start = Instant::now();
        let reply = chat().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        let ready = readiness(&world, &world.url).await;
        assert_eq!(ready.1["dependencies"], json!({ "database": "ok", "redis": "failed" }));
        let metrics = world.get("/metrics").bearer_auth("scrape").send().await.unwrap().text().await.unwrap();
        assert!(metrics.lines().any(|line| line == "plantocode_redis_up 0"), "{metrics}");
        match on_failure {
            OnFailure::Refuse => {
                assert_eq!(reply.headers()["retry-after"], "5");
                assert!(reply.headers().contains_key("x-plantocode-audit"), "the refusal is on record");
                let (status, error) = error_of(reply).await;
                assert_eq!((status, error["code"].as_str()), (503, Some("limits_unavailable")), "{error}");
                assert_eq!(world.openai.log().len(), 1, "nothing was sent");
                assert_eq!(ready.0, 503);
            }
            OnFailure::Local => {
                assert_eq!(reply.status(), 200);
                assert_eq!(ready.0, 200);
                assert!(metrics.lines().any(|line| line == "plantocode_rates_unshared_total 1"), "{metrics}");
                let statuses = at_once(&world, &ada, &[&world.url], 12).await;
                assert_eq!(admitted(&statuses), 8, "this node has admitted two before");
            }
        }
        redis.restart();
        until_ready(&world, &world.url).await;
        a_minute_later(&world, &redis);
        assert_eq!(chat().await.unwrap().status(), 200, "it is found again");
        let metrics = world.get("/metrics").bearer_auth("scrape").send().await.unwrap().text().await.unwrap();
        assert!(metrics.lines().any(|line| line == "plantocode_redis_up 1"), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_step_in_redis_before_and_one_after() {
    let redis = Redis::start();
    let world = World::with(Database::Sqlite, |settings| {
        // Nothing is renewed meanwhile.
        (settings.redis.url, settings.redis.lease_s) = (redis.url(), 600);
        (settings.limits.tokens_per_minute, settings.limits.model.concurrent) = (1_000_000, 50);
        settings.limits.address.requests_per_minute = 1_000;
    })
    .await;
    until_ready(&world, &world.url).await;
    let ada = world.sign_in("ada").await;
    redis.command(&["CONFIG", "RESETSTAT"]);
    for _ in 0..10 {
        json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
    }
    // What is given back is not waited for.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let said = redis.command(&["INFO", "commandstats"]);
    let calls = said.split("cmdstat_evalsha:calls=").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(calls, "20", "{said}");
}

/// Money that two nodes are asked for at the same time, before the database knows of any of it.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_set_no_more_money_aside_than_a_budget_has() {
    let redis = Redis::start();
    let world = World::with(Database::Postgres, |settings| settings.redis.url = redis.url()).await;
    let (other, url) = second(&world).await;
    until_ready(&world, &world.url).await;
    until_ready(&world, &url).await;
    let ada = world.sign_in("ada").await;
    let body = json!({ "model": "gpt-4.1-mini", "max_tokens": 1_000, "messages": [{ "role": "user", "content": "Say hello." }] });
    let estimate = json_of(world.post("/api/models/estimate").bearer_auth(&ada.access).json(&body)).await;
    let most = estimate["destinations"][0]["most_cost_microusd"].as_u64().unwrap();
    let set = world.http.put(format!("{}/api/admin/users/{}/limits", world.url, user_id(&world, &ada).await));
    json_of(set.bearer_auth(&ada.access).json(&json!({ "day_microusd": most * 3 + most / 2 }))).await;
    // The other node has taken the limit over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.openai.set(Behaviour { first_delay_ms: 1_500, ..Behaviour::text("Hello.") });
    let sending = (0..12).map(|number| {
        let to = format!("{}/v1/chat/completions", [&world.url, &url][number % 2]);
        let request = world.http.post(to).bearer_auth(&ada.access).json(&body);
        tokio::spawn(async move { request.send().await.unwrap() })
    });
    let (mut served, mut refused) = (0, 0);
    for one in sending.collect::<Vec<_>>() {
        let reply = one.await.unwrap();
        match reply.status().as_u16() {
            200 => served += 1,
            _ => {
                let (status, error) = error_of(reply).await;
                assert_eq!((status, &error["code"]), (403, &json!("budget_exceeded")), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!((served, refused), (3, 9), "{most}");
    // Little was spent, so that the rest is there again at once, on either.
    world.openai.set(Behaviour::text("Hello."));
    for to in [&world.url, &url] {
        json_of(world.http.post(format!("{to}/v1/chat/completions")).bearer_auth(&ada.access).json(&body))
            .await;
    }
    other.stop().await.unwrap();
}

async fn user_id(world: &World, ada: &Tokens) -> String {
    let users = json_of(world.get("/api/admin/users").bearer_auth(&ada.access)).await;
    let own = users["users"].as_array().unwrap().iter().find(|user| user["login"] == "ada").cloned();
    own.unwrap()["id"].as_str().unwrap().to_owned()
}
