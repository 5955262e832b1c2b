use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, map_config};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use gateway::{Delivery, Gateway};
use guard::Guard;
use llm::Catalogue;
use server_store::Store;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::audit::{Audit, BEAT, Checkpoints, look_after};
use crate::clients::ClientSocket;
use crate::config::Config;
use crate::env::Env;
use crate::error::ApiError;
use crate::identity::{
    Clients, Grants, Issuers, KeyRing, Passwords, Proofs, Revoked, SignIns, Tokens, token_hash,
};
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::policy::{Denials, Policy, SharedRates};
use crate::relay_hub::Hub;
use crate::relay_hub::mailbox::Mailboxes;
use crate::relay_hub::tickets::Tickets;
use crate::routes::Routes;
use crate::running::InFlight;
use crate::state::State;
use crate::telemetry::Telemetry;
use crate::vault::Vault;
use crate::{ServerError, cors, handlers, request_id, tls};

/// Tries of passwords per minute, for each address and each name.
const PASSWORDS_PER_MINUTE: u32 = 20;
/// Device codes per minute and address, asked for or typed; there are 25 thousand million of them.
const CODES_PER_MINUTE: u32 = 60;
/// Looks at one device code per minute, and codes typed by one person.
const GUESSES_PER_MINUTE: u32 = 20;
/// Challenges per minute and device: one for each dial and each renewal.
const CHALLENGES_PER_MINUTE: u32 = 60;
/// Tries to pair per minute and address.
const PAIRINGS_PER_MINUTE: u32 = 5;
/// Requests without a good token that are recorded per minute and address; the others are refused all the same.
const STRANGERS_PER_MINUTE: u32 = 60;
/// Largest body of every endpoint but that for chats, which reads its own.
const SMALL_BODY: usize = 16 * 1024;
/// How long a collector of traces may take for a message.
const COLLECTOR: Duration = Duration::from_secs(5);
const SETUP_LINK_MS: i64 = 15 * 60_000;
/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// How often what other processes have ended is taken over: sign-ins, tokens and signing keys. It acts within a second.
const REFRESH: Duration = Duration::from_millis(400);
/// Every how many times what they have spent and added is, too.
const REFRESH_ALL: u64 = 3;
/// How long requests under way may take to settle when the server stops.
const SETTLE: Duration = Duration::from_secs(10);

/// The server. [`Server::start`] is all there is.
#[derive(Debug)]
pub struct Server;

/// A server that is running. Dropped without [`Running::stop`], it stops without waiting for requests to settle.
#[derive(Debug)]
pub struct Running {
    url: String,
    listens: SocketAddr,
    setup_url: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), ServerError>>>,
}

impl Server {
    /// Starts a server on a thread of its own and returns once it accepts connections.
    pub async fn start(config: Config) -> Result<Running, ServerError> {
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("server".into())
            .spawn(move || {
                // What is not about one request runs here: storing, refreshing, checkpoints. It outlives the HTTP workers.
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .enable_all()
                    .worker_threads(1)
                    .thread_name("background")
                    .build();
                let runtime = runtime.map_err(|error| ServerError::Setup(error.to_string()))?;
                actix_web::rt::System::with_tokio_rt(move || runtime).block_on(run(config, ready, stopped))
            })
            .map_err(|error| ServerError::Setup(format!("a thread cannot be started: {error}")))?;
        match started.await {
            Ok((url, listens, setup_url)) => {
                Ok(Running { url, listens, setup_url, stop: Some(stop), thread: Some(thread) })
            }
            // It ended before it was ready and says why.
            Err(_) => Err(match join(thread).await {
                Err(error) => error,
                Ok(()) => ServerError::Setup("the server ended at once".into()),
            }),
        }
    }
}

impl Running {
    /// The address it can be reached at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address and port it listens on, which a proxy before it needs to know.
    pub fn listens(&self) -> SocketAddr {
        self.listens
    }

    /// The one-time link for the first administrator, as long as there is none.
    pub fn setup_url(&self) -> Option<&str> {
        self.setup_url.as_deref()
    }

    /// Stops: no new connections, requests under way are canceled and settled, the database is closed.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        drop(self.stop.take());
        match self.thread.take() {
            Some(thread) => join(thread).await,
            None => Ok(()),
        }
    }
}

async fn join(thread: std::thread::JoinHandle<Result<(), ServerError>>) -> Result<(), ServerError> {
    let failed = || ServerError::Setup("the server's thread panicked".into());
    tokio::task::spawn_blocking(move || thread.join()).await.map_err(|_| failed())?.map_err(|_| failed())?
}

async fn run(
    config: Config,
    ready: oneshot::Sender<(String, SocketAddr, Option<String>)>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), ServerError> {
    let listener = TcpListener::bind(config.settings.listen).map_err(|error| {
        ServerError::Setup(format!("cannot listen on {}: {error}", config.settings.listen))
    })?;
    let bound = listener.local_addr().map_err(|error| ServerError::Setup(error.to_string()))?;
    let (state, checkpoints) = state(&config, bound).await?;
    let setup_url = setup_link(&state).await?;
    let server = listen(&state, listener, tls::config(&config.settings.tls)?)?;
    let handle = server.handle();
    let refresher = tokio::spawn(refresh(state.clone()));
    let beat = tokio::spawn(beat(state.clone()));
    let covering = CancellationToken::new();
    let checkpoints = tokio::spawn(checkpoints.run(covering.clone()));
    // Whoever started it may have given up waiting; then `stopped` resolves at once.
    let _ = ready.send((state.origin().to_owned(), bound, setup_url));
    let serving = tokio::spawn(server);
    // Told to stop, or `Running` was dropped.
    let _ = stopped.await;
    // Requests run on the threads of the HTTP server: they end first.
    state.stopping.cancel();
    state.tasks.close();
    if tokio::time::timeout(SETTLE, state.tasks.wait()).await.is_err() {
        tracing::error!("some requests did not end in time; they are settled as canceled");
    }
    handle.stop(true).await;
    refresher.abort();
    beat.abort();
    if tokio::time::timeout(SETTLE, state.audit.flush()).await.is_err() {
        tracing::error!("how some requests ended could not be stored");
    } else if let Err(error) = state.store.close_node(state.audit.node(), state.env.now_ms()).await {
        tracing::error!(%error, "the chain is not closed; another server will do it");
    }
    // What they had reserved is given back before the connection to Redis ends with the process.
    state.policy.redis().await;
    state.telemetry.flush().await;
    // What was settled last is covered, too.
    covering.cancel();
    if checkpoints.await.is_err() {
        tracing::error!("the last records have no checkpoint");
    }
    state.store.close().await;
    match serving.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ServerError::Setup(error.to_string())),
        Err(_) => Err(ServerError::Setup("the HTTP server panicked".into())),
    }
}

/// The HTTP server on a listener, with TLS or without.
fn listen(
    state: &web::Data<State>,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
) -> Result<actix_server::Server, ServerError> {
    let data = state.clone();
    // Called once by each worker.
    let app = move || {
        App::new()
            .app_data(data.clone())
            .app_data(own_gateway(&data))
            .app_data(web::PayloadConfig::new(SMALL_BODY))
            .app_data(
                web::JsonConfig::default()
                    .limit(SMALL_BODY)
                    .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
            )
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
            )
            .app_data(
                web::FormConfig::default()
                    .limit(SMALL_BODY)
                    .error_handler(|error, _| ApiError::invalid(error.to_string()).into()),
            )
            .wrap(from_fn(cors::allow))
            .wrap(from_fn(request_id::stamp))
            .configure(handlers::routes)
    };
    let setup = |error: std::io::Error| ServerError::Setup(error.to_string());
    Ok(match tls {
        None => HttpServer::new(app)
            .on_connect(ClientSocket::attach)
            .tcp_nodelay(true)
            .client_request_timeout(HEAD)
            .disable_signals()
            .shutdown_timeout(1)
            .listen(listener)
            .map_err(setup)?
            .run(),
        // HTTP/1.1 alone: with HTTP/2 a client that gives one request up keeps its connection, and nothing here would notice.
        Some(tls) => actix_server::Server::build()
            .disable_signals()
            .shutdown_timeout(1)
            .listen("https", listener, move || {
                let app = app().into_factory().map_err(|error: actix_web::Error| error.error_response());
                HttpService::build()
                    .tcp_nodelay(true)
                    .client_request_timeout(HEAD)
                    .on_connect_ext(|io: &TlsStream<TcpStream>, extensions| {
                        ClientSocket::attach(io as &dyn Any, extensions);
                    })
                    .h1(map_config(app, |()| AppConfig::default()))
                    .rustls_0_23(tls.clone())
            })
            .map_err(setup)?
            .run(),
    })
}

/// A gateway whose connections are driven by the thread that asks.
fn own_gateway(state: &State) -> Gateway {
    state.gateway.with_own_connections().unwrap_or_else(|error| {
        tracing::warn!(%error, "a worker shares the connections of another, which works and costs more");
        state.gateway.clone()
    })
}

async fn state(config: &Config, bound: SocketAddr) -> Result<(web::Data<State>, Checkpoints), ServerError> {
    let env = config.env.clone();
    let admin = Admin::open(config).await?;
    if let Some(path) = &admin.new_master_key {
        tracing::warn!(path = %path.display(), "a master key was made; without a copy of it, stored keys are lost");
    }
    let (store, vault) = admin.into_parts();
    let vault = Arc::new(vault);
    let public_url = config.public_url(bound)?;
    cors::check(&config.settings.cors_origins)?;
    let keys = KeyRing::open(&store, &vault, &env).await?;
    let tokens = Tokens::new(keys.clone(), public_url.as_str().trim_end_matches('/').to_owned());
    let revoked = Revoked::default();
    let settings = config.settings.clone();
    let sign_ins = SignIns::new(
        store.clone(),
        vault.clone(),
        tokens.clone(),
        revoked.clone(),
        settings.tokens,
        env.clone(),
    );
    let metrics = Metrics::new();
    let node = env.id();
    let deliver = || Ok(Delivery::new(&config.gateway(), COLLECTOR)?);
    let telemetry = Telemetry::start(&settings.telemetry, deliver, env.clone(), metrics.clone())?;
    let in_flight = InFlight::default();
    let shared = SharedRates::start(&settings.redis, node.clone(), metrics.clone())?;
    let policy = Policy::new(settings.limits, settings.budgets, shared);
    policy.reload(&store, env.now_ms(), true).await?;
    let routes = Routes::new(Arc::new(catalogue(config)?), env.clone(), node.clone());
    routes.reload(&store, &vault).await?;
    revoked.reload(&store, revocations_since(&settings, &env)).await?;
    let grants = Grants::default();
    grants.reload(&store, env.now_ms()).await?;
    let checkpoints = Checkpoints::open(&store, &vault, &env, &settings.audit.sink).await?;
    let gateway = Gateway::new(config.gateway())?;
    let state = State {
        audit_key: checkpoints.public(),
        public_url,
        passwords: Passwords::new(env.clone()),
        tokens,
        keys,
        sign_ins,
        proofs: Proofs::default(),
        clients: Clients::new(&settings.identity)?,
        revoked,
        grants,
        routes,
        issuers: Issuers::new(&settings.identity, &gateway, &env)?,
        gateway,
        guard: Arc::new(Guard::builtin().map_err(|error| ServerError::Data(error.to_string()))?),
        audit: Audit::start(store.clone(), node, env.clone(), metrics.clone(), telemetry.clone()).await?,
        verifying: tokio::sync::Mutex::default(),
        metrics,
        telemetry,
        policy,
        denials: Denials::new(&settings.filter)?,
        password_tries: Limiter::new(PASSWORDS_PER_MINUTE, u32::MAX),
        code_tries: Limiter::new(CODES_PER_MINUTE, u32::MAX),
        guesses: Limiter::new(GUESSES_PER_MINUTE, u32::MAX),
        strangers: Limiter::new(STRANGERS_PER_MINUTE, u32::MAX),
        pairing_tries: Limiter::new(PAIRINGS_PER_MINUTE, u32::MAX),
        challenge_tries: Limiter::new(CHALLENGES_PER_MINUTE, u32::MAX),
        // Microseconds: no process numbers a million sockets a second, so a later one begins above an earlier one.
        hub: Hub::new(env.now_ms().unsigned_abs() * 1_000),
        mailboxes: Mailboxes::default(),
        tickets: Tickets::default(),
        nodes: Nodes::start(&settings.redis, &in_flight)?,
        in_flight,
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        settings,
        env,
        store,
        vault,
    };
    Ok((web::Data::new(state), checkpoints))
}

pub(crate) fn catalogue(config: &Config) -> Result<Catalogue, ServerError> {
    let mut catalogue = Catalogue::builtin().map_err(|error| ServerError::Data(error.to_string()))?;
    let path = &config.settings.catalogue;
    if !path.is_empty() {
        let wrong = |error: String| ServerError::Config(format!("catalogue {path}: {error}"));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        catalogue.overlay(Catalogue::from_toml(&text).map_err(|error| wrong(error.to_string()))?);
    }
    Ok(catalogue)
}

/// A fresh link while there is no administrator.
async fn setup_link(state: &State) -> Result<Option<String>, ServerError> {
    if state.store.has_admin().await? {
        return Ok(None);
    }
    let token = state.env.token()?;
    state.store.add_setup_link(&token_hash(&token), state.env.now_ms() + SETUP_LINK_MS).await?;
    Ok(Some(format!("{}/setup?token={token}", state.public_url.as_str().trim_end_matches('/'))))
}

/// Access tokens older than this have expired by themselves.
pub(crate) fn revocations_since(settings: &crate::config::Settings, env: &Env) -> i64 {
    env.now_ms() - i64::from(settings.tokens.access_minutes) * 60_000 - 60_000
}

/// Takes over what other processes changed: revocations and provider keys.
async fn refresh(state: web::Data<State>) {
    let mut ticks = tokio::time::interval(REFRESH);
    for count in 0_u64.. {
        ticks.tick().await;
        if let Err(error) = refresh_once(&state.store, &state.vault, &state, count % REFRESH_ALL == 0).await {
            tracing::error!(%error, "keys and revocations cannot be refreshed");
        }
    }
}

/// Says that this server lives, and settles what others left that do not.
async fn beat(state: web::Data<State>) {
    let mut ticks = tokio::time::interval(BEAT);
    loop {
        ticks.tick().await;
        let catalogue = state.routes.catalogue();
        if let Err(error) = look_after(&state.store, &state.audit, catalogue, &state.env).await {
            tracing::error!(%error, "servers that ended cannot be looked after");
        }
    }
}

async fn refresh_once(store: &Store, vault: &Vault, state: &State, all: bool) -> Result<(), ServerError> {
    state.revoked.reload(store, revocations_since(&state.settings, &state.env)).await?;
    state.keys.rotate_when_due(store, vault, &state.env, state.settings.tokens).await?;
    state.grants.reload(store, state.env.now_ms()).await?;
    state.in_flight.cancel_ended(&state.revoked, &state.grants);
    state.policy.reload(store, state.env.now_ms(), all).await?;
    if all {
        state.routes.reload(store, vault).await?;
    }
    Ok(())
}
