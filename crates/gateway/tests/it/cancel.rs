//! Whoever stops listening stops the upstream.

use super::*;
use gateway::Outcome;
use std::time::{Duration, Instant};
use testkit::Behaviour;

/// Long before the answers here would end by themselves, also on a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

fn slow() -> Behaviour {
    Behaviour {
        delay_ms: 200,
        ..Behaviour::text("one two three four five six seven eight nine ten ".repeat(20).as_str())
    }
}

#[tokio::test]
async fn dropping_the_stream_reaches_the_upstream() {
    let simulator = Simulator::start(slow());
    let routes = [route(&simulator, Dialect::OpenAi)];
    let sending = send(&routes);
    let journal = sending.journal.clone();
    let stream = gateway().stream(sending, CancellationToken::new()).await.unwrap();
    drop(stream);
    tokio::task::spawn_blocking(move || simulator.wait_for(SOON, |log| log[0].disconnected_at_ms.is_some()))
        .await
        .unwrap();
    assert_eq!(journal.tries()[0].outcome, Outcome::Canceled);
}

#[tokio::test]
async fn cancelling_ends_a_stream_and_a_wait() {
    for behaviour in [slow(), Behaviour { first_delay_ms: 60_000, ..Behaviour::default() }] {
        let simulator = Simulator::start(behaviour);
        let routes = [route(&simulator, Dialect::Anthropic)];
        let cancel = CancellationToken::new();
        let later = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            later.cancel();
        });
        let start = Instant::now();
        let error = gateway().complete(send(&routes), cancel).await.unwrap_err();
        assert!(matches!(error, GatewayError::Canceled), "{error:?}");
        assert!(start.elapsed() < Duration::from_millis(300) + SOON, "{:?}", start.elapsed());
        tokio::task::spawn_blocking(move || {
            simulator.wait_for(SOON, |log| log[0].disconnected_at_ms.is_some())
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn an_upstream_that_falls_silent_is_cut() {
    let simulator = Simulator::start(Behaviour { delay_ms: 5_000, ..slow() });
    let gateway = gateway_with(|config| {
        config.idle = Duration::from_millis(200);
        config.peek = Duration::from_millis(20);
    });
    let heard = ask(&gateway, &[route(&simulator, Dialect::OpenAi)]).await.unwrap();
    assert!(matches!(heard.error, Some(GatewayError::Cut { .. })), "{heard:?}");
}

#[tokio::test]
async fn connections_are_used_again() {
    let simulator = Simulator::start(Behaviour::text("short"));
    let gateway = gateway();
    let routes = [route(&simulator, Dialect::OpenAi)];
    for _ in 0..20 {
        let completed = gateway.complete(send(&routes), CancellationToken::new()).await.unwrap();
        assert_eq!(completed.response.text(), "short");
        // The end of a reply is read apart from it; a moment later the connection is free.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let connections = simulator.log().iter().map(|received| received.connection).max();
    assert!(connections < Some(5), "20 requests took {connections:?} connections and one");
}
