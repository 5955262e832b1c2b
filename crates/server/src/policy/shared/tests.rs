//! The rates of several nodes, against a Redis.

use testkit::Redis as Server;
use tokio::time::{Instant, sleep};

use super::*;
use crate::config::Redis as Settings;

const LEASE_S: u64 = 1;

fn node(redis: &Server, name: &str) -> SharedRates {
    let settings = Settings { url: redis.url(), lease_s: LEASE_S, ..Settings::default() };
    SharedRates::start(&settings, name.into(), Metrics::new()).unwrap().unwrap()
}

async fn ready(redis: &Server, name: &str) -> SharedRates {
    let node = node(redis, name);
    answers(&node).await;
    node
}

async fn answers(node: &SharedRates) {
    let start = Instant::now();
    while !node.answers().await {
        assert!(start.elapsed() < Duration::from_secs(10), "Redis is not reached");
        sleep(Duration::from_millis(10)).await;
    }
}

fn rate(requests_per_minute: u32, tokens_per_minute: u32, concurrent: u32) -> Rate {
    Rate { requests_per_minute, tokens_per_minute, concurrent }
}

async fn take(node: &SharedRates, user: &str, rate: Rate, tokens: u64) -> Result<Lease, Refused> {
    Ok(node.take([(Scope::User, user, rate)].into_iter(), tokens).await?.expect("it is limited"))
}

fn what(refused: &Refused) -> What {
    match refused {
        Refused::Over(over) => over.what,
        Refused::Down => panic!("Redis does not answer"),
    }
}

/// A minute goes by for a bucket.
fn a_minute_later(redis: &Server, user: &str) {
    let bucket = format!("{PREFIX}:rate:person:{user}");
    redis.command(&["HINCRBY", &bucket, "at", "-60000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_on_two_nodes_exactly_the_allowed_number_is_admitted_and_again_after_the_window() {
    let redis = Server::start();
    let nodes = [ready(&redis, "a").await, ready(&redis, "b").await];
    for _ in 0..2 {
        let tries = (0..60).map(|number| {
            let node = nodes[number % 2].clone();
            tokio::spawn(async move { take(&node, "ada", rate(7, 0, 0), 0).await })
        });
        let mut admitted = Vec::new();
        for one in tries.collect::<Vec<_>>() {
            match one.await.unwrap() {
                Ok(lease) => admitted.push(lease),
                Err(refused) => assert_eq!(what(&refused), What::Requests),
            }
        }
        assert_eq!(admitted.len(), 7);
        assert!(take(&nodes[0], "bob", rate(7, 0, 0), 0).await.is_ok(), "others are not affected");
        drop(admitted);
        assert!(take(&nodes[1], "ada", rate(7, 0, 0), 0).await.is_err(), "a request that ended has been one");
        a_minute_later(&redis, "ada");
    }
}

#[tokio::test]
async fn everything_is_taken_or_nothing() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let ask = async |user: &'static str, address: &'static str| {
        let things = [(Scope::User, user, rate(2, 0, 0)), (Scope::Address, address, rate(1, 0, 0))];
        node.take(things.into_iter(), 0).await
    };
    assert!(ask("ada", "::1").await.is_ok());
    let Err(Refused::Over(over)) = ask("ada", "::1").await else { panic!("there is no room") };
    assert_eq!((over.scope, over.what), (Scope::Address, What::Requests));
    assert!((59_000..=60_000).contains(&over.wait.as_millis()), "{over:?}");
    assert!(ask("ada", "::2").await.is_ok(), "the refused one has taken nothing of ada");
    let Err(Refused::Over(over)) = ask("ada", "::3").await else { panic!("there is no room") };
    assert_eq!(over.scope, Scope::User);
    assert!(node.take([(Scope::User, "ada", Rate::default())].into_iter(), 9).await.unwrap().is_none());
    assert!(node.take([(Scope::User, "", rate(1, 0, 0))].into_iter(), 9).await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_are_reserved_before_and_settled_after() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let ask = |tokens| take(&node, "ada", rate(0, 1_000, 0), tokens);
    let one = ask(800).await.unwrap();
    assert_eq!(what(&ask(300).await.unwrap_err()), What::Tokens);
    one.release(100);
    let two = ask(890).await.unwrap();
    assert!(ask(100).await.is_err());
    drop(two);
    drop(ask(890).await.expect("dropped without a word it has used nothing"));
    let three = ask(10).await.unwrap();
    three.release(1_950);
    three.release(0);
    assert!(ask(1).await.is_err(), "an answer longer than reserved is paid for later");
    a_minute_later(&redis, "ada");
    assert!(ask(1).await.is_err(), "for longer than a minute");
    a_minute_later(&redis, "ada");
    a_minute_later(&redis, "ada");
    drop(ask(5_000).await.expect("a request larger than a minute is let in when all of it is there"));
}

#[tokio::test]
async fn what_runs_counts_until_it_ends_or_its_node_is_dead() {
    let redis = Server::start();
    let (alive, dead) = (ready(&redis, "a").await, ready(&redis, "b").await);
    let two = rate(0, 0, 2);
    let first = take(&alive, "ada", two, 0).await.unwrap();
    // A task that ends with its runtime, like that of a killed process: nothing is given back and nothing renewed.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (settings, name) =
        (Settings { url: redis.url(), lease_s: LEASE_S, ..Settings::default() }, "c".to_owned());
    let lease = runtime
        .spawn(async move {
            let node = SharedRates::start(&settings, name, Metrics::new()).unwrap().unwrap();
            answers(&node).await;
            take(&node, "ada", rate(0, 0, 2), 0).await.unwrap()
        })
        .await
        .unwrap();
    assert_eq!(what(&take(&dead, "ada", two, 0).await.unwrap_err()), What::Running);
    runtime.shutdown_background();
    std::mem::forget(lease);
    let start = Instant::now();
    let second = loop {
        match take(&dead, "ada", two, 0).await {
            Ok(lease) => break lease,
            Err(refused) => assert_eq!(what(&refused), What::Running),
        }
        assert!(start.elapsed() < Duration::from_secs(LEASE_S * 3), "the place does not come back");
        sleep(Duration::from_millis(50)).await;
    };
    // What is alive is renewed, however long it runs.
    sleep(Duration::from_secs(LEASE_S * 2)).await;
    assert!(take(&alive, "ada", two, 0).await.is_err());
    first.release(0);
    let third = take(&alive, "ada", two, 0)
        .await
        .expect("a place that was given back is there for the next of the same node");
    drop((second, third));
    assert!(alive.answers().await && dead.answers().await);
    let _both = (take(&alive, "ada", two, 0).await.unwrap(), take(&dead, "ada", two, 0).await.unwrap());
}

#[tokio::test]
async fn a_redis_that_is_away_is_said_at_once_and_found_again() {
    let mut redis = Server::start();
    let node = ready(&redis, "a").await;
    let two = rate(100, 1_000, 2);
    let held = take(&node, "ada", two, 100).await.unwrap();
    let ended = take(&node, "ada", two, 100).await.unwrap();
    redis.hang(true);
    let start = Instant::now();
    assert_eq!(take(&node, "ada", two, 100).await.unwrap_err(), Refused::Down);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(!node.is_up());
    let start = Instant::now();
    assert_eq!(take(&node, "ada", two, 100).await.unwrap_err(), Refused::Down);
    assert!(start.elapsed() < Duration::from_millis(100), "who knows it is away does not wait");
    // Ends while nobody can be told.
    ended.release(100);
    redis.hang(false);
    answers(&node).await;
    assert!(node.is_up());
    // The two that were refused take nothing, though the first may have reached Redis; the one that ended has its place back.
    let third = take(&node, "ada", two, 800).await.expect("200 tokens are used, and one runs");
    assert_eq!(what(&take(&node, "ada", two, 0).await.unwrap_err()), What::Running);
    // Redis forgets everything: what runs is known again, and the script, too.
    redis.restart();
    answers(&node).await;
    assert_eq!(what(&take(&node, "ada", two, 0).await.unwrap_err()), What::Running);
    redis.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(what(&take(&node, "ada", two, 0).await.unwrap_err()), What::Running);
    drop((held, third));
    assert!(take(&node, "ada", two, 0).await.is_ok());
}

#[tokio::test]
async fn whoever_gives_up_waiting_leaves_nothing_behind() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let one = rate(0, 100, 1);
    for _ in 0..50 {
        let asking = take(&node, "ada", one, 100);
        // Polled once, so that it is on its way.
        assert!(futures_util::FutureExt::now_or_never(asking).is_none());
    }
    answers(&node).await;
    answers(&node).await;
    drop(take(&node, "ada", one, 100).await.unwrap());
    answers(&node).await;
    assert_eq!(redis.command(&["ZCARD", &format!("{PREFIX}:running:person:ada")]), "0");
}

#[tokio::test]
async fn what_was_refused_before_anybody_was_asked_is_counted_and_nothing_stays_for_ever() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let two = rate(2, 0, 0);
    for _ in 0..3 {
        node.charge([(Scope::User, "ada", two)].into_iter());
    }
    answers(&node).await;
    assert_eq!(what(&take(&node, "ada", two, 0).await.unwrap_err()), What::Requests);
    a_minute_later(&redis, "ada");
    let _lease = take(&node, "ada", two, 0).await.expect("no more is owed than there was");
    for key in redis.command(&["KEYS", "*"]).lines() {
        let left: i64 = redis.command(&["PTTL", key]).parse().unwrap();
        assert!((1..=70_000).contains(&left), "{key} stays for {left} ms");
    }
}

#[test]
fn a_wrong_url_is_told_without_its_password() {
    let settings = Settings { url: "reddis://user:hush@host".into(), ..Settings::default() };
    let error = SharedRates::start(&settings, "a".into(), Metrics::new()).err().unwrap().to_string();
    assert!(error.contains("[redis] url") && !error.contains("hush"), "{error}");
}
