//! Reaches the engine: as the client of the one that runs, or as the one that runs.

use anyhow::Context;
use engine::{DataDir, DataDirError, Engine, Env};
use loopback::socket::SocketHost;
use loopback::web::Dial;
use rpc::{Caller, Client, Link};
use std::time::Duration;

/// How long another process may take between taking the lock and answering at the socket.
const STARTING: (u32, Duration) = (100, Duration::from_millis(50));

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
    /// Connects to the engine of this user, or becomes it.
    pub async fn open() -> anyhow::Result<Host> {
        let env = Env::system();
        let dir = DataDir::resolve((env.variable)("PLANTOCODE_HOME").as_deref())?;
        for _ in 0..STARTING.0 {
            if let Ok(link) = loopback::socket::connect(&dir.socket()).await {
                let dial = loopback::web::dial_socket(dir.socket());
                return Host::greet(link, dial, dir, env, None).await;
            }
            match dir.lock() {
                Ok(lock) => {
                    let engine = Engine::open(lock, env.clone()).await?;
                    let router = engine.router();
                    let socket =
                        loopback::socket::serve(&dir.socket(), router.clone(), Caller::owner("cli"))?;
                    let (here, there) = Link::pair();
                    tokio::spawn(rpc::serve(router.clone(), Caller::owner("cli"), there));
                    let dial = loopback::web::dial_router(router);
                    return Host::greet(here, dial, dir, env, Some((engine, socket))).await;
                }
                Err(DataDirError::Busy { .. }) => tokio::time::sleep(STARTING.1).await,
                Err(e) => return Err(e.into()),
            }
        }
        anyhow::bail!(
            "another PlanToCode process holds {} and does not answer. End it, then try again; nothing was changed",
            dir.data.display()
        )
    }

    async fn greet(
        link: Link,
        dial: Dial,
        dir: DataDir,
        env: Env,
        own: Option<(Engine, SocketHost)>,
    ) -> anyhow::Result<Host> {
        let (client, read) = rpc::connect(link);
        tokio::spawn(read);
        let hello = api::system::Hello {
            api: api::API_VERSION,
            client: concat!("plantocode ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        api::system::SystemClient(client.clone()).hello(&hello).await.context("the engine did not greet")?;
        Ok(Host { client, dial, dir, env, own })
    }

    /// Whether this process is the engine.
    pub fn is_engine(&self) -> bool {
        self.own.is_some()
    }

    /// Ends the engine, if it is ours, once the running steps are done.
    pub async fn close(self) {
        if let Some((engine, socket)) = self.own {
            drop(socket);
            engine.close().await;
        }
    }
}
