//! `/metrics`: what is counted, and who may see it.

use testkit::Behaviour;

use crate::support::*;

async fn read(world: &World, token: &str) -> (u16, String) {
    let reply = world.get("/metrics").bearer_auth(token).send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

#[tokio::test]
async fn requests_are_counted_by_how_they_ended_and_nothing_that_clients_make_up_is_a_label() {
    let world = World::with(Database::Sqlite, |settings| settings.metrics_token = "scrape".into()).await;
    let ada = world.sign_in("ada").await;
    world.openai.set(Behaviour::fail(503));
    json_of(world.chat(&ada, &ask("either", false))).await;
    let made_up = world.chat(&ada, &ask("made-up-by-a-client", false)).send().await.unwrap();
    assert_eq!(made_up.status(), 404);
    world.audit_until(&ada, |records| records.len() == 3).await;
    let (status, text) = read(&world, "scrape").await;
    assert_eq!(status, 200);
    for line in [
        "plantocode_requests_total{outcome=\"served\"} 1",
        "plantocode_requests_total{outcome=\"refused\"} 1",
        "plantocode_refusals_total{code=\"model_not_found\"} 1",
        "plantocode_tries_total{provider=\"openai\",model=\"gpt-4.1-mini\",outcome=\"failed\"} 1",
        "plantocode_tries_total{provider=\"anthropic\",model=\"claude-sonnet-4-5\",outcome=\"served\"} 1",
        "plantocode_request_duration_seconds_count{provider=\"anthropic\",model=\"claude-sonnet-4-5\"} 1",
        "plantocode_database_up 1",
        "plantocode_audit_failures_total 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("\nplantocode_in_flight "), "{text}");
    assert!(text.contains("plantocode_cost_microusd_total{provider=\"anthropic\""), "{text}");
    assert!(text.contains("plantocode_route_resting_seconds{provider=\"openai\""), "{text}");
    assert!(!text.contains("made-up") && !text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn only_those_who_see_everything_and_the_configured_token_read_them() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    assert_eq!(read(&world, &ada.access).await.0, 200);
    assert_eq!(read(&world, &bob.access).await.0, 403);
    assert_eq!(read(&world, "").await.0, 401, "an empty setting is no token");
    assert_eq!(world.get("/metrics").send().await.unwrap().status(), 401);
}
