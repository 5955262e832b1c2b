//! Reaches the engine: as the client of the one that runs, or as the one that runs.
//!
//! What it is for: the command line and the desktop app begin the same way. There is one engine per data directory;
//! the first program takes the directory's lock, opens the engine and listens on its socket, later ones connect there.
//!
//! What it does not know: any method but the greeting, windows, the command line.

use engine::{DataDir, DataDirError, Engine, Env, OpenError};
use loopback::LoopbackError;
use loopback::socket::SocketHost;
use loopback::web::Dial;
use rpc::{ApiError, Caller, Client, Link};
use std::path::Path;
use std::time::Duration;

/// How long another process may take between taking the lock and answering at the socket.
const STARTING: (u32, Duration) = (100, Duration::from_millis(50));

/// How long an engine that accepts a link may take to greet.
const GREETING: Duration = Duration::from_secs(5);

/// Why there is no way to the engine. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The engine cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine cannot be reached by others.
    #[error(transparent)]
    Socket(#[from] LoopbackError),
    /// Another process holds the directory and says nothing.
    #[error(
        "another PlanToCode process holds {0} and does not answer. End it, then try again; nothing was changed"
    )]
    Mute(String),
    /// The engine that runs is another version's, or is ending.
    #[error("the engine did not greet: {0}")]
    Greeting(#[source] ApiError),
}

/// A way to the engine. When this process is the engine, it is so as long as this lives.
pub struct Host {
    /// Calls the engine.
    pub client: Client,
    /// Makes further links to it.
    pub dial: Dial,
    /// The folders of this user.
    pub dir: DataDir,
    /// The outside world, for randomness.
    pub env: Env,
    own: Option<(Engine, SocketHost)>,
}

impl Host {
    /// Connects to the engine of this user, or becomes it. `name` is what this program calls itself in logs and events.
    pub async fn open(name: &str) -> Result<Host, HostError> {
        let env = Env::system();
        let dir = DataDir::resolve((env.variable)("PLANTOCODE_HOME").as_deref())?;
        for _ in 0..STARTING.0 {
            if let Ok(link) = loopback::socket::connect(&dir.socket()).await {
                let dial = loopback::web::dial_socket(dir.socket());
                match Host::greet(name, link, dial, dir.clone(), env.clone(), None).await {
                    // It was just ending: the next round finds another engine, or becomes it.
                    Err(HostError::Greeting(error)) if error.is_link_closed() => {
                        tokio::time::sleep(STARTING.1).await;
                        continue;
                    }
                    greeted => return greeted,
                }
            }
            match dir.lock() {
                Ok(lock) => {
                    let engine = Engine::open(lock, env.clone()).await?;
                    let router = engine.router();
                    let socket = loopback::socket::serve(&dir.socket(), router.clone(), Caller::owner(name))?;
                    let (here, there) = Link::pair();
                    tokio::spawn(rpc::serve(router.clone(), Caller::owner(name), there));
                    let dial = loopback::web::dial_router(router);
                    return Host::greet(name, here, dial, dir, env, Some((engine, socket))).await;
                }
                Err(DataDirError::Busy { .. }) => tokio::time::sleep(STARTING.1).await,
                Err(e) => return Err(e.into()),
            }
        }
        Err(mute(&dir.data))
    }

    async fn greet(
        name: &str,
        link: Link,
        dial: Dial,
        dir: DataDir,
        env: Env,
        own: Option<(Engine, SocketHost)>,
    ) -> Result<Host, HostError> {
        let (client, read) = rpc::connect(link);
        tokio::spawn(read);
        hello(&client, &dir.data, GREETING, name).await?;
        Ok(Host { client, dial, dir, env, own })
    }

    /// Whether this process is the engine.
    pub fn is_engine(&self) -> bool {
        self.own.is_some()
    }

    /// Whether the engine is ours and a job runs in it now.
    pub fn is_busy(&self) -> bool {
        self.own.as_ref().is_some_and(|(engine, _)| engine.is_busy())
    }

    /// Ends the engine, if it is ours, once the running steps are done.
    pub async fn close(self) {
        if let Some((engine, socket)) = self.own {
            drop(socket);
            engine.close().await;
        }
    }
}

/// The first call of a link, which must be answered `within` a time.
async fn hello(client: &Client, data: &Path, within: Duration, name: &str) -> Result<(), HostError> {
    let client_name = format!("{name} {}", env!("CARGO_PKG_VERSION"));
    let hello = api::system::Hello { api: api::API_VERSION, client: client_name };
    let system = api::system::SystemClient(client.clone());
    match tokio::time::timeout(within, system.hello(&hello)).await {
        Ok(greeting) => greeting.map(drop).map_err(HostError::Greeting),
        Err(_) => Err(mute(data)),
    }
}

fn mute(data: &Path) -> HostError {
    HostError::Mute(data.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_that_does_not_greet_is_named() {
        // The other end is held and says nothing, like a process that was stopped.
        let (here, _there) = Link::pair();
        let (client, read) = rpc::connect(here);
        tokio::spawn(read);
        let error =
            hello(&client, Path::new("/home/p/data"), Duration::from_millis(50), "test").await.unwrap_err();
        assert!(error.to_string().contains("holds /home/p/data and does not answer"), "{error}");
    }
}
