//! A model provider on this machine: the real wire forms of the providers, and every way to misbehave.

mod anthropic;
mod behaviour;
mod gemini;
mod openai;
mod openrouter;
mod plans;
mod prompt;
mod responses;
mod search;
mod serve;
mod shape;
mod transcription;
mod xai;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use behaviour::{Behaviour, Fail, Style};
pub use search::Page;

/// A running simulator. It ends when it is dropped.
///
/// Endpoints: `POST /openai/v1/chat/completions`, `POST /openai/v1/responses`, `GET /openai/v1/models`,
/// `POST /anthropic/v1/messages`, `POST /gemini/v1beta/models/MODEL:streamGenerateContent`, `POST /xai/v1/responses`,
/// `POST /xai/v1/chat/completions`, `POST /openrouter/api/v1/chat/completions`; `GET|POST /_control` reads and replaces the [`Behaviour`]; `GET /_log` lists what was [`Received`],
/// `DELETE /_log` forgets it.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

/// One request as the provider saw it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    /// Counts from 0 in order of arrival.
    pub seq: usize,
    /// Counts the connections, from 0: two requests with the same number shared one.
    pub connection: usize,
    /// Milliseconds since the simulator started.
    pub at_ms: u64,
    /// HTTP method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Lower-case hex of SHA-256 over the raw body.
    pub body_sha256: String,
    /// The body as text.
    pub body: String,
    /// Headers, without those that carry keys.
    pub headers: BTreeMap<String, String>,
    /// Lower-case hex of SHA-256 over the key; absent when no key came.
    pub key_sha256: Option<String>,
    /// Status of the answer; absent while none has begun.
    pub status: Option<u16>,
    /// Whether the whole answer was written.
    pub finished: bool,
    /// When the client went away before the answer was finished, in milliseconds since the start.
    pub disconnected_at_ms: Option<u64>,
}

struct State {
    started: Instant,
    behaviour: Mutex<Behaviour>,
    log: Mutex<Vec<Received>>,
}

impl State {
    fn elapsed_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().expect("no test panics while it holds this lock")
    }

    fn log(&self) -> MutexGuard<'_, Vec<Received>> {
        self.log.lock().expect("no test panics while it holds this lock")
    }
}

impl Simulator {
    /// Starts on a free port of the loopback address.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_on(0, behaviour)
    }

    /// Starts on a chosen port; 0 means a free one.
    pub fn start_on(port: u16, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the simulator's port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        listener.set_nonblocking(true).expect("sockets can be made non-blocking");
        let state = Arc::new(State {
            started: Instant::now(),
            behaviour: Mutex::new(behaviour),
            log: Mutex::new(Vec::new()),
        });
        let stop = Arc::new(Notify::new());
        let (served, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("simulator".into())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime can be built").block_on(async {
                    tokio::select! {
                        () = serve::run(listener, served) => {}
                        () = stopped.notified() => {}
                    }
                });
            })
            .expect("a thread can be started");
        Self { address, state, stop, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Base URL for an OpenAI client.
    pub fn openai_url(&self) -> String {
        format!("{}/openai/v1", self.url())
    }

    /// Base URL for an Anthropic client.
    pub fn anthropic_url(&self) -> String {
        format!("{}/anthropic", self.url())
    }

    /// Base URL for a Gemini client.
    pub fn gemini_url(&self) -> String {
        format!("{}/gemini", self.url())
    }

    /// Base URL for an xAI client.
    pub fn xai_url(&self) -> String {
        format!("{}/xai/v1", self.url())
    }

    /// Base URL for an OpenRouter client.
    pub fn openrouter_url(&self) -> String {
        format!("{}/openrouter/api/v1", self.url())
    }

    /// Behaves like this from the next request on.
    pub fn set(&self, behaviour: Behaviour) {
        *self.state.behaviour() = behaviour;
    }

    /// Everything received so far, in order.
    pub fn log(&self) -> Vec<Received> {
        self.state.log().clone()
    }

    /// Forgets what was received.
    pub fn clear(&self) {
        self.state.log().clear();
    }

    /// Milliseconds since the start, on the clock of the log.
    pub fn now_ms(&self) -> u64 {
        self.state.elapsed_ms()
    }

    /// Waits until the log satisfies `condition`, and returns it; panics after `limit`.
    pub fn wait_for(&self, limit: Duration, condition: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let start = Instant::now();
        loop {
            let log = self.log();
            if condition(&log) {
                return log;
            }
            assert!(
                start.elapsed() < limit,
                "the simulator did not see what it should within {limit:?}: {log:#?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in the simulator has been printed; raising it again here would abort the test run.
            let _ = thread.join();
        }
    }
}
