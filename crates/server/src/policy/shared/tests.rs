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
    Ok(node
        .take([(Scope::User, user, rate)].into_iter(), tokens, Money::default())
        .await?
        .expect("it is limited"))
}

fn what(refused: &Refused) -> What {
    match refused {
        Refused::Over(over) => over.what,
        other => panic!("{other:?}"),
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
        node.take(things.into_iter(), 0, Money::default()).await
    };
    assert!(ask("ada", "::1").await.is_ok());
    let Err(Refused::Over(over)) = ask("ada", "::1").await else { panic!("there is no room") };
    assert_eq!((over.scope, over.what), (Scope::Address, What::Requests));
    assert!((59_000..=60_000).contains(&over.wait.as_millis()), "{over:?}");
    assert!(ask("ada", "::2").await.is_ok(), "the refused one has taken nothing of ada");
    let Err(Refused::Over(over)) = ask("ada", "::3").await else { panic!("there is no room") };
    assert_eq!(over.scope, Scope::User);
    assert!(
        node.take([(Scope::User, "ada", Rate::default())].into_iter(), 9, Money::default())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        node.take([(Scope::User, "", rate(1, 0, 0))].into_iter(), 9, Money::default())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn tokens_are_reserved_before_and_settled_after() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let ask = |tokens| take(&node, "ada", rate(0, 1_000, 0), tokens);
    let one = ask(800).await.unwrap();
    assert_eq!(what(&ask(300).await.unwrap_err()), What::Tokens);
    one.release(100, 0);
    let two = ask(890).await.unwrap();
    assert!(ask(100).await.is_err());
    drop(two);
    drop(ask(890).await.expect("dropped without a word it has used nothing"));
    let three = ask(10).await.unwrap();
    three.release(1_950, 0);
    three.release(0, 0);
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
    first.release(0, 0);
    let third = take(&alive, "ada", two, 0)
        .await
        .expect("a place that was given back is there for the next of the same node");
    drop((second, third));
    assert!(alive.answers().await && dead.answers().await);
    let _both = (take(&alive, "ada", two, 0).await.unwrap(), take(&dead, "ada", two, 0).await.unwrap());
}

/// A person's budget for a day of which the database knows this.
fn daily(microusd: u64, budget: i64, settled: i64) -> Money {
    Money { microusd, purses: vec![Limit::new((Purse::UserDay, "ada"), 0, (budget, settled))] }
}

async fn spend(node: &SharedRates, money: Money) -> Result<Lease, Refused> {
    Ok(node
        .take([(Scope::User, "ada", rate(0, 0, 100))].into_iter(), 0, money)
        .await?
        .expect("it is limited"))
}

fn left(refused: Refused) -> i64 {
    match refused {
        Refused::Spent { purse: Purse::UserDay, left_microusd } => left_microusd,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_on_two_nodes_no_more_money_is_set_aside_than_there_is() {
    let redis = Server::start();
    let nodes = [ready(&redis, "a").await, ready(&redis, "b").await];
    let tries = (0..40).map(|number| {
        let node = nodes[number % 2].clone();
        tokio::spawn(async move { spend(&node, daily(300, 1_000, 0)).await })
    });
    let mut held = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(lease) => held.push(lease),
            Err(refused) => assert_eq!(left(refused), 100),
        }
    }
    assert_eq!(held.len(), 3);
    // What is spent is known to all before the database says it, and once it does it counts once.
    held.remove(0).release(0, 250);
    drop(held);
    answers(&nodes[0]).await;
    answers(&nodes[1]).await;
    assert_eq!(left(spend(&nodes[0], daily(751, 1_000, 0)).await.unwrap_err()), 750);
    assert_eq!(left(spend(&nodes[1], daily(751, 1_000, 250)).await.unwrap_err()), 750);
    assert_eq!(
        left(spend(&nodes[1], daily(701, 1_000, 300)).await.unwrap_err()),
        700,
        "others spend as well"
    );
    drop(spend(&nodes[1], daily(700, 1_000, 250)).await.unwrap());
    // One that has no room takes no place either.
    assert_eq!(redis.command(&["ZCARD", &format!("{PREFIX}:running:person:ada")]), "0");
    // Another day is another account.
    let tomorrow = Limit::new((Purse::UserDay, "ada"), 86_400_000, (1_000, 0));
    drop(spend(&nodes[0], Money { microusd: 1_000, purses: vec![tomorrow] }).await.unwrap());
}

#[tokio::test]
async fn what_a_dead_node_had_set_aside_is_there_again_and_what_runs_long_stays() {
    let redis = Server::start();
    let node = ready(&redis, "a").await;
    let alive = spend(&node, daily(300, 1_000, 0)).await.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Settings { url: redis.url(), lease_s: LEASE_S, ..Settings::default() };
    let lease = runtime
        .spawn(async move {
            let node = SharedRates::start(&settings, "dead".into(), Metrics::new()).unwrap().unwrap();
            answers(&node).await;
            spend(&node, daily(700, 1_000, 0)).await.unwrap()
        })
        .await
        .unwrap();
    assert_eq!(left(spend(&node, daily(1, 1_000, 0)).await.unwrap_err()), 0);
    runtime.shutdown_background();
    std::mem::forget(lease);
    sleep(Duration::from_secs(LEASE_S * 2)).await;
    drop(spend(&node, daily(700, 1_000, 0)).await.expect("nobody renews what the dead one held"));
    assert_eq!(left(spend(&node, daily(701, 1_000, 0)).await.unwrap_err()), 700);
    alive.release(0, 300);
    assert_eq!(left(spend(&node, daily(701, 1_000, 0)).await.unwrap_err()), 700);
}

#[tokio::test]
async fn a_redis_that_has_forgotten_everything_learns_what_is_set_aside_and_what_was_spent() {
    let mut redis = Server::start();
    let node = ready(&redis, "a").await;
    let held = spend(&node, daily(300, 1_000, 200)).await.unwrap();
    redis.restart();
    answers(&node).await;
    assert_eq!(left(spend(&node, daily(501, 1_000, 200)).await.unwrap_err()), 500);
    held.release(0, 100);
    assert_eq!(left(spend(&node, daily(701, 1_000, 200)).await.unwrap_err()), 700);
    // What runs on is renewed and nothing of it counts twice.
    let held = spend(&node, daily(600, 1_000, 200)).await.unwrap();
    sleep(Duration::from_secs(LEASE_S * 2)).await;
    assert_eq!(left(spend(&node, daily(101, 1_000, 300)).await.unwrap_err()), 100);
    drop(held);
    drop(spend(&node, daily(700, 1_000, 300)).await.unwrap());
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
    assert!(start.elapsed() < Duration::from_millis(500), "who knows it is away does not wait");
    // Ends while nobody can be told.
    ended.release(100, 0);
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
