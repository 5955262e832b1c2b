//! What nodes tell each other through Redis: to stop a request, which may run on any of them.

use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use crate::ServerError;
use crate::config::Redis;
use crate::running::InFlight;

const CHANNEL: &str = "{plantocode}:cancel";
/// How long Redis may take to accept a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// How often it is asked whether the connection that is listened on still leads somewhere.
const LOOK: Duration = Duration::from_secs(5);
/// Words that may wait; more are not said.
const WAITING: usize = 1_024;

/// The other nodes, if there are any. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Nodes {
    words: Option<mpsc::Sender<String>>,
}

impl Nodes {
    /// Listens to the others, and speaks to them, where a Redis is configured.
    pub fn start(settings: &Redis, in_flight: &InFlight) -> Result<Self, ServerError> {
        if settings.url.is_empty() {
            return Ok(Self { words: None });
        }
        let client = Client::open(settings.url.as_str())
            .map_err(|error| ServerError::Config(format!("[redis] url: {}", error.category())))?;
        let (words, said) = mpsc::channel(WAITING);
        tokio::spawn(speak(client.clone(), said));
        tokio::spawn(listen(client, in_flight.clone()));
        Ok(Self { words: Some(words) })
    }

    /// Tells all nodes to stop the requests of a user that have this id or job. Whether there is anybody to be told.
    pub fn cancel(&self, user_id: &str, name: &str) -> bool {
        let Some(words) = &self.words else { return false };
        let word = serde_json::json!([user_id, name]).to_string();
        words.try_send(word).is_ok()
    }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Says each word once that is heard by Redis; a word that nobody takes for so long is of no use any more.
async fn speak(client: Client, mut words: mpsc::Receiver<String>) {
    let mut connection = None;
    while let Some(word) = words.recv().await {
        for _ in 0..2 {
            if connection.is_none() {
                connection = connect(&client).await.ok();
            }
            let Some(open) = &mut connection else { continue };
            let said: RedisResult<u64> =
                redis::cmd("PUBLISH").arg(CHANNEL).arg(&word).query_async(open).await;
            match said {
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(error = error.category(), "other nodes cannot be told to stop a request");
                    connection = None;
                }
            }
        }
    }
}

/// Does what others say, for as long as the server lives.
async fn listen(client: Client, in_flight: InFlight) {
    loop {
        if let Ok(Ok(pubsub)) = timeout(PATIENCE, client.get_async_pubsub()).await {
            let (mut sink, mut messages) = pubsub.split();
            let mut look = interval_at(Instant::now(), LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    message = messages.next() => match message {
                        Some(message) => hear(message.get_payload_bytes(), &in_flight),
                        None => break,
                    },
                    // To subscribe again changes nothing, and is answered by whoever is there.
                    _ = look.tick() => match timeout(PATIENCE, sink.subscribe(CHANNEL)).await {
                        Ok(Ok(())) => {}
                        _ => break,
                    },
                }
            }
        }
        sleep(AGAIN).await;
    }
}

fn hear(word: &[u8], in_flight: &InFlight) {
    // What is no word of ours is nobody's request.
    let Ok((user_id, name)) = serde_json::from_slice::<(String, String)>(word) else { return };
    let canceled = in_flight.cancel(&user_id, &name);
    if canceled > 0 {
        tracing::info!(canceled, "another node was asked to stop what runs here");
    }
}
