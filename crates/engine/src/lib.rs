//! Answers the local API.
//!
//! What it is for: sessions, discovery, approvals, durable plan jobs, models and accounts, wired from the crates
//! that know each part. [`Engine::open`] is a value; two can live in one process.
//!
//! What it does not know: sockets and windows (hosts serve its [`Engine::router`]), SQL, HTTP, provider wire forms.
//!
//! Start reading at [`Engine`], then `workflow.rs` (the way of a plan) and `manifest.rs` (what would be sent).

mod account;
#[cfg(test)]
mod alarm_tests;
mod approvals;
mod audit;
pub mod backup;
mod browser_sign_in;
mod cloud;
pub mod data_dir;
mod devices;
mod diagnostics;
mod discovery;
pub mod env;
mod error;
mod events;
mod find;
mod hand_over;
mod house;
mod in_view;
mod jobs;
mod keyring;
mod keys;
mod live;
mod manifest;
mod models;
mod named;
mod own_texts;
mod permissions;
mod plan_asks;
mod plan_base;
mod plan_view;
mod plans;
mod projects;
mod prompts;
mod proof;
mod question;
mod questions;
mod repository;
mod research;
mod review;
mod roots;
mod search;
mod send;
mod session_file;
mod sessions;
mod settings;
mod settle;
mod system;
mod task_text;
mod templates;
mod terminals;
mod tokens;
mod upstream;
mod usage;
mod wire;
mod workflow;

pub use data_dir::{DataDir, DataDirError, DataDirLock};
pub use env::Env;

use ::jobs::{Runner, RunnerConfig};
use account::Credentials;
use devices::DeviceLinks;
use diagnostics::FrameLog;
use events::Bus;
use gateway::{Gateway, GatewayConfig};
use guard::Guard;
use keys::{KeyKeeper, RunningKeys};
use live::LivePlans;
use llm::Catalogue;
use rpc::Router;
use std::sync::{Arc, OnceLock};
use store::Store;
use terminals::TerminalHost;

/// How many jobs run at once.
const CONCURRENT_JOBS: usize = 4;

/// Why an engine cannot open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be used.
    #[error("the database {path} cannot be opened: {source}")]
    Store {
        /// Where it is.
        path: String,
        /// Why.
        source: store::StoreError,
    },
    /// The disk has no room for the files that an open database needs.
    #[error(
        "the disk is full, so the database {path} cannot be opened. What was stored is kept. Make room on the disk, then \
         start again"
    )]
    Full {
        /// Where it is.
        path: String,
    },
    /// A part that was built in is broken.
    #[error("this build is damaged: {0}")]
    Build(String),
}

/// The engine of one data directory. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What the services share.
pub(crate) struct Inner {
    pub(crate) env: Env,
    /// Held as long as the engine lives: one engine per data directory.
    lock: DataDirLock,
    pub(crate) store: Store,
    pub(crate) gateway: Gateway,
    pub(crate) guard: Guard,
    pub(crate) catalogue: Catalogue,
    /// What texts were counted to.
    pub(crate) counts: tokens::Counts,
    pub(crate) bus: Bus,
    pub(crate) live: LivePlans,
    pub(crate) in_view: in_view::InView,
    pub(crate) credentials: Credentials,
    pub(crate) terminals: TerminalHost,
    pub(crate) devices: DeviceLinks,
    /// What crosses the links.
    pub(crate) frames: Arc<FrameLog>,
    /// The calls with a key that run now.
    pub(crate) keys: RunningKeys,
    /// Whose turn it is to save a task.
    pub(crate) turns: sessions::Turns,
    /// Held while a backup is made: one at a time.
    pub(crate) backing_up: tokio::sync::Mutex<()>,
    /// Set once, directly after this value exists: the workflows need it and it needs them.
    runner: OnceLock<Runner>,
}

impl Engine {
    /// Opens the engine of `lock`'s data directory and takes its unfinished jobs over. Must be called inside a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`], with nothing changed.
    pub async fn open(lock: DataDirLock, env: Env) -> Result<Engine, OpenError> {
        let dir = lock.dir().clone();
        let path = dir.database();
        let in_store = |source| {
            let path = path.display().to_string();
            match source {
                store::StoreError::Full => OpenError::Full { path },
                source => OpenError::Store { path, source },
            }
        };
        let store = Store::open(&path).map_err(in_store)?;
        let built = |e: &dyn std::fmt::Display| OpenError::Build(e.to_string());
        let inner = Arc::new(Inner {
            gateway: Gateway::new(GatewayConfig::default()).map_err(|e| built(&e))?,
            guard: Guard::builtin().map_err(|e| built(&e))?,
            catalogue: Catalogue::builtin().map_err(|e| built(&e))?,
            counts: tokens::Counts::new(),
            bus: Bus::new(env.random_hex(8)),
            live: LivePlans::default(),
            in_view: in_view::InView::default(),
            credentials: Credentials::load(&dir),
            devices: DeviceLinks::open(&dir, &env).map_err(|source| DataDirError::Unusable {
                path: dir.data.join("device.key").display().to_string(),
                source,
            })?,
            frames: Arc::new(FrameLog::new(Arc::clone(&env.clock))),
            keys: RunningKeys::default(),
            terminals: TerminalHost::new(dir.terminal_host(env.executable.clone())),
            turns: sessions::Turns::default(),
            backing_up: tokio::sync::Mutex::default(),
            runner: OnceLock::new(),
            lock,
            store,
            env,
        });
        let clock = Arc::clone(&inner.env.clock);
        let bus = inner.bus.clone();
        let runner = Runner::start(RunnerConfig {
            store: inner.store.clone(),
            workflows: workflow::Asking::all(&inner),
            concurrency: CONCURRENT_JOBS,
            clock,
            changed: Arc::new(move |job| bus.tell(api::events::Topic::Job, &job.id, Some(&job.session_id))),
        });
        let runner = runner.await.map_err(in_store)?;
        // Nobody else has seen this value yet, so it is not set.
        drop(inner.runner.set(runner));
        let engine = Engine { inner };
        plans::close_orphans(&engine.inner).await.map_err(in_store)?;
        // What ended without settling, because the process ended first.
        let released = engine.inner.store.write(store::permissions::release_ended).await.map_err(in_store)?;
        if released > 0 {
            tracing::info!(released, "money that was set aside for jobs that have ended is free again");
        }
        let inner = Arc::clone(&engine.inner);
        tokio::spawn(house::keep(Arc::downgrade(&inner)));
        tokio::spawn(in_view::look(Arc::downgrade(&inner)));
        tokio::spawn(async move { inner.refresh_link().await });
        Ok(engine)
    }

    /// The methods that this engine answers.
    pub fn router(&self) -> Arc<Router> {
        let mut router = Router::new();
        let this = Arc::new(self.clone());
        api::system::SystemClient::mount(&mut router, Arc::clone(&this));
        api::events::EventsClient::mount(&mut router, Arc::clone(&this));
        api::projects::ProjectsClient::mount(&mut router, Arc::clone(&this));
        api::sessions::SessionsClient::mount(&mut router, Arc::clone(&this));
        api::tasks::TasksClient::mount(&mut router, Arc::clone(&this));
        api::discovery::DiscoveryClient::mount(&mut router, Arc::clone(&this));
        api::models::ModelsClient::mount(&mut router, Arc::clone(&this));
        api::approvals::ApprovalsClient::mount(&mut router, Arc::clone(&this));
        api::plans::PlansClient::mount(&mut router, Arc::clone(&this));
        api::prompts::PromptsClient::mount(&mut router, Arc::clone(&this));
        api::research::ResearchClient::mount(&mut router, Arc::clone(&this));
        api::templates::TemplatesClient::mount(&mut router, Arc::clone(&this));
        api::jobs::JobsClient::mount(&mut router, Arc::clone(&this));
        api::search::SearchClient::mount(&mut router, Arc::clone(&this));
        api::usage::UsageClient::mount(&mut router, Arc::clone(&this));
        api::settings::SettingsClient::mount(&mut router, Arc::clone(&this));
        api::backup::BackupClient::mount(&mut router, Arc::clone(&this));
        api::account::AccountClient::mount(&mut router, Arc::clone(&this));
        api::terminals::TerminalsClient::mount(&mut router, Arc::clone(&this));
        api::devices::DevicesClient::mount(&mut router, Arc::clone(&this));
        api::diagnostics::DiagnosticsClient::mount(&mut router, this);
        router.observe(self.inner.frames.clone());
        router.keep_keys(Arc::new(KeyKeeper(Arc::clone(&self.inner))));
        Arc::new(router)
    }

    /// The folders of this engine.
    pub fn dir(&self) -> &DataDir {
        self.inner.lock.dir()
    }

    /// Whether a job runs now. A host that nobody uses any more ends only when none does.
    pub fn is_busy(&self) -> bool {
        self.inner.runner().is_some_and(Runner::is_busy)
    }

    /// Takes no more jobs and waits until the running ones have reached the end of a step.
    pub async fn close(&self) {
        if let Some(runner) = self.inner.runner() {
            runner.close().await;
        }
        self.inner.close_link().await;
    }
}

impl Inner {
    pub(crate) fn now(&self) -> i64 {
        (self.env.clock)()
    }

    pub(crate) fn new_id(&self) -> String {
        (self.env.ids)()
    }

    /// The runner; `None` only while the engine is being opened.
    pub(crate) fn runner(&self) -> Option<&Runner> {
        self.runner.get()
    }
}
