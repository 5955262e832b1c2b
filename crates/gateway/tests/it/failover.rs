//! Another route takes over, but only while nothing has been said.

use super::*;
use gateway::Outcome;
use testkit::{Behaviour, Fail};

async fn outcomes(first: Behaviour) -> (Result<String, GatewayError>, Vec<Outcome>, usize) {
    let broken = Simulator::start(first);
    let healthy = Simulator::start(Behaviour::text("from the second"));
    let routes = [route(&broken, Dialect::OpenAi), route(&healthy, Dialect::Anthropic)];
    let sending = send(&routes);
    let journal = sending.journal.clone();
    let heard = match gateway().stream(sending, CancellationToken::new()).await {
        Ok(mut stream) => {
            let heard = hear(&mut stream).await;
            match heard.error {
                None => Ok(heard.answer.text().to_owned()),
                Some(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    (heard, journal.tries().iter().map(|attempt| attempt.outcome).collect(), healthy.log().len())
}

#[tokio::test]
async fn a_failing_route_is_replaced() {
    for status in [401, 403, 429, 500, 503, 529] {
        let (answer, outcomes, _) = outcomes(Behaviour::fail(status)).await;
        assert_eq!(answer.unwrap(), "from the second", "{status}");
        assert_eq!(outcomes[1], Outcome::Served, "{status}");
        assert!(matches!(outcomes[0], Outcome::Failed | Outcome::Refused), "{status}: {outcomes:?}");
    }
}

#[tokio::test]
async fn a_wrong_request_is_not_tried_elsewhere() {
    for status in [400, 404, 413, 422] {
        let (answer, outcomes, others) = outcomes(Behaviour::fail(status)).await;
        assert!(matches!(answer, Err(GatewayError::Rejected { .. })), "{status}: {answer:?}");
        assert_eq!((outcomes, others), (vec![Outcome::Refused], 0), "{status}");
    }
}

#[tokio::test]
async fn an_error_event_before_any_content_is_replaced() {
    let behaviour = Behaviour { error_after_events: Some(1), ..Behaviour::text("x") };
    let (answer, outcomes, _) = outcomes(behaviour).await;
    assert_eq!(answer.unwrap(), "from the second");
    assert_eq!(outcomes[1], Outcome::Served);
}

#[tokio::test]
async fn after_content_nothing_is_repeated() {
    let behaviour = Behaviour {
        error_after_events: Some(3),
        ..Behaviour::text("said already, and then some more of it")
    };
    let (answer, outcomes, others) = outcomes(behaviour).await;
    assert!(answer.is_err());
    assert_eq!((outcomes, others), (vec![Outcome::Cut], 0));
}

#[tokio::test]
async fn a_silent_route_is_given_up() {
    let silent = Simulator::start(Behaviour { first_delay_ms: 60_000, ..Behaviour::default() });
    let healthy = Simulator::start(Behaviour::text("quick"));
    let gateway = gateway_with(|config| config.first_byte = std::time::Duration::from_millis(200));
    let routes = [route(&silent, Dialect::OpenAi), route(&healthy, Dialect::OpenAi)];
    assert_eq!(ask(&gateway, &routes).await.unwrap().answer.text(), "quick");
    silent.wait_for(std::time::Duration::from_secs(1), |log| log[0].disconnected_at_ms.is_some());
}

#[tokio::test]
async fn an_unreachable_route_names_no_address() {
    let mut route = {
        let gone = Simulator::start(Behaviour::default());
        route(&gone, Dialect::OpenAi)
    };
    route.base_url.set_query(Some("key=canary-in-the-url"));
    let error = ask(&gateway(), &[route]).await.unwrap_err();
    assert!(matches!(&error, GatewayError::Unavailable { status: None, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary-in-the-url"), "{error:?}");
}

#[tokio::test]
async fn the_upstream_hash_is_the_hash_of_what_arrived() {
    let fail = Fail { status: 500, body: None, retry_after: None, times: Some(1) };
    let simulator = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::text("x") });
    let routes = [route(&simulator, Dialect::Anthropic), route(&simulator, Dialect::OpenAi)];
    let mut stream = gateway().stream(send(&routes), CancellationToken::new()).await.unwrap();
    hear(&mut stream).await;
    let hashes: Vec<_> = stream.tries().into_iter().map(|attempt| attempt.upstream_hash).collect();
    assert_eq!(hashes, simulator.log().into_iter().map(|received| received.body_sha256).collect::<Vec<_>>());
}

fn with_key(route: &Route, key_id: &str) -> Route {
    Route { key_id: key_id.into(), ..route.clone() }
}

fn watching() -> Gateway {
    gateway_with(|config| config.health = Some(gateway::HealthConfig::default()))
}

#[tokio::test]
async fn another_key_is_tried_where_the_key_was_the_trouble_and_not_where_the_upstream_was() {
    for (status, tries) in [(401, 3), (403, 3), (429, 3), (500, 2), (529, 2)] {
        let broken = Simulator::start(Behaviour::fail(status));
        let healthy = Simulator::start(Behaviour::text("from another place"));
        let one = route(&broken, Dialect::OpenAi);
        let routes = [one.clone(), with_key(&one, "key-2"), route(&healthy, Dialect::OpenAi)];
        let mut stream = gateway().stream(send(&routes), CancellationToken::new()).await.unwrap();
        assert_eq!(hear(&mut stream).await.answer.text(), "from another place");
        let keys: Vec<_> = stream.tries().into_iter().map(|attempt| attempt.key_id).collect();
        assert_eq!(keys.len(), tries, "{status}: {keys:?}");
        assert_eq!(broken.log().len(), tries - 1, "{status}");
    }
}

#[tokio::test]
async fn a_limited_key_rests_and_when_all_rest_the_caller_is_told_how_long() {
    let fail = Fail { status: 429, body: None, retry_after: Some("70".into()), times: None };
    let limited = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::default() });
    let gateway = watching();
    let routes = [route(&limited, Dialect::OpenAi)];
    for tries in [1, 1] {
        let error = ask(&gateway, &routes).await.unwrap_err();
        let GatewayError::RateLimited { retry_after: Some(wait), .. } = error else { panic!("{error:?}") };
        assert!((68..=70).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(limited.log().len(), tries, "the second time nothing is sent");
    }
    let health = gateway.health(&[&routes[0]]);
    assert!(matches!(health[0].resting, Some((gateway::Resting::Limited, _))), "{health:?}");
}

#[tokio::test]
async fn an_upstream_that_keeps_failing_is_left_alone() {
    let broken = Simulator::start(Behaviour::fail(503));
    let healthy = Simulator::start(Behaviour::text("still here"));
    let gateway = watching();
    let routes = [route(&broken, Dialect::OpenAi), route(&healthy, Dialect::OpenAi)];
    for _ in 0..9 {
        assert_eq!(ask(&gateway, &routes).await.unwrap().answer.text(), "still here");
    }
    assert_eq!(broken.log().len(), 5);
    let error = ask(&gateway, &routes[..1]).await.unwrap_err();
    assert!(error.to_string().contains("tried again in"), "{error}");
    assert_eq!(broken.log().len(), 5);
}

#[tokio::test]
async fn answers_that_break_off_count_against_the_upstream() {
    let behaviour =
        Behaviour { error_after_events: Some(3), ..Behaviour::text("said, and then some more of it") };
    let breaking = Simulator::start(behaviour);
    let gateway = watching();
    let routes = [route(&breaking, Dialect::OpenAi)];
    for _ in 0..5 {
        assert!(ask(&gateway, &routes).await.unwrap().error.is_some());
    }
    assert!(matches!(ask(&gateway, &routes).await, Err(GatewayError::Unavailable { .. })));
    assert_eq!(breaking.log().len(), 5);
}
