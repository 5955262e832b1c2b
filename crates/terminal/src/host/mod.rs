//! The host process: it holds the pseudo-terminals and outlives whoever started it.

mod connection;
pub(crate) mod door;
mod ended;
mod input;
mod live;
mod process;
mod pty;
mod pump;

use crate::log::{Log, Op, Place, Summary};
use crate::wire::{Info, Start, State};
use crate::{Env, HostConfig, Result, TerminalError, lock};
use live::Terminal;
use std::collections::HashMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast;

/// How many terminals may run at once in one host.
const MAX_RUNNING: usize = 200;

/// Everything a running host holds.
struct Host {
    config: HostConfig,
    env: Env,
    log: Log,
    token: String,
    live: Mutex<HashMap<String, Arc<Terminal>>>,
    clients: AtomicUsize,
    changes: broadcast::Sender<Arc<str>>,
}

/// Becomes the host when `arguments` (those after the program's own name) begin with `terminal-host`, and returns when
/// it ends; otherwise returns none at once. A binary calls this first in `main`, before any interface library starts.
///
/// The host leaves its starter's session, so that neither a closed window nor `kill -9` of the starter ends it.
pub fn main_from_args(mut arguments: impl Iterator<Item = OsString>, env: Env) -> Option<ExitCode> {
    if arguments.next()? != "terminal-host" {
        return None;
    }
    let Some(config) = HostConfig::from_arguments(arguments) else { return Some(ExitCode::from(2)) };
    // Fails only for the leader of a process group, which then has no session of someone else to leave.
    let _ = rustix::process::setsid();
    // A working directory would keep its file system busy.
    drop(std::env::set_current_dir("/"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("terminal-host")
        .enable_all()
        .build();
    let ran = runtime.map_err(|e| TerminalError::failed("no runtime for the terminal host", e));
    match ran.and_then(|runtime| runtime.block_on(run(config, env))) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            tracing::error!(%error, "the terminal host ended");
            Some(ExitCode::FAILURE)
        }
    }
}

/// Serves terminals until there has been no running terminal and no client for [`HostConfig::idle`], or until the
/// process is told to end. Must be called inside a Tokio runtime.
///
/// # Errors
/// [`TerminalError::Refused`] when the directory is not ours alone or another host serves it;
/// [`TerminalError::Failed`] when the log or the socket cannot be opened.
pub async fn run(config: HostConfig, env: Env) -> Result<()> {
    let door = door::Door::open(&config, &env)?;
    let log = Log::open(&config.database, config.quota)?;
    let (changes, _) = broadcast::channel(1024);
    let listener = door.listen()?;
    let host = Arc::new(Host {
        token: door.token().to_owned(),
        config,
        env,
        log,
        live: Mutex::default(),
        clients: AtomicUsize::new(0),
        changes,
    });
    let stop = |kind| signal(kind).map_err(|e| TerminalError::failed("signals cannot be caught", e));
    // A caught signal does not end the process; the programs in the terminals start with it uncaught.
    let _hangup = stop(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) = (stop(SignalKind::terminate())?, stop(SignalKind::interrupt())?);
    let accept = connection::accept(Arc::clone(&host), listener);
    tokio::select! {
        () = accept => {}
        () = host.idle() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    host.log.writer.ask(|reply| Op::Settle { reply }).await
}

impl Host {
    /// Ends when nobody has needed this host for the configured time.
    async fn idle(&self) {
        let mut since = Instant::now();
        let step = (self.config.idle / 4).clamp(Duration::from_millis(20), Duration::from_secs(5));
        while since.elapsed() < self.config.idle {
            tokio::time::sleep(step).await;
            if self.clients.load(Ordering::Acquire) > 0 || !lock(&self.live).is_empty() {
                since = Instant::now();
            }
        }
    }

    fn running(&self, id: &str) -> Result<Arc<Terminal>> {
        lock(&self.live).get(id).cloned().ok_or_else(|| TerminalError::NotFound(id.to_owned()))
    }

    async fn start(self: Arc<Self>, start: Start) -> Result<Info> {
        check(&start)?;
        if lock(&self.live).len() >= MAX_RUNNING {
            return Err(TerminalError::Invalid(format!("{MAX_RUNNING} terminals are running; close some")));
        }
        let mut info = Info {
            id: start.id.clone(),
            epoch: self.env.epoch(),
            title: start.title.clone(),
            program_title: None,
            label: start.label.clone(),
            cwd: start.cwd.clone(),
            command: start.command.clone(),
            size: start.size,
            state: State::Running,
            head: 0,
            log_start: 0,
            started_at: self.env.now(),
            ended_at: None,
            last_output_at: None,
            attention: crate::Attention::default(),
        };
        let (begun, scrollback) = (info.clone(), start.scrollback);
        let begin = |reply| Op::Begin { info: Box::new(begun), scrollback, reply };
        let number = self.log.writer.ask(begin).await?;
        let spawned = tokio::task::spawn_blocking(move || pty::spawn(&start)).await;
        let spawned = spawned.map_err(|e| TerminalError::failed("the program could not be started", e));
        match spawned.and_then(|spawned| spawned) {
            Ok(spawned) => {
                let place = Arc::new(Place::default());
                let terminal = Terminal::adopt(&self, info.clone(), number, scrollback, spawned, place)?;
                info = terminal.info();
                self.changed(&info.id);
                Ok(info)
            }
            Err(error) => {
                self.log.writer.put(Op::Summary(Box::new(Summary {
                    number,
                    size: info.size,
                    state: State::Lost,
                    ended_at: Some(info.started_at),
                    last_output_at: None,
                    program_title: None,
                    attention: crate::Attention::default(),
                })));
                self.log.writer.ask(|reply| Op::Forget { id: info.id, reply }).await?;
                Err(error)
            }
        }
    }

    /// Tells watchers that something about a terminal is different.
    fn changed(&self, id: &str) {
        // Nobody may be watching.
        drop(self.changes.send(Arc::from(id)));
    }

    /// Every terminal, newest first; what runs as it is now.
    async fn list(&self) -> Result<Vec<Info>> {
        let mut list = self.read(|reader| reader.list(1000)).await?;
        let live = lock(&self.live);
        for info in &mut list {
            if let Some(terminal) = live.get(&info.id) {
                *info = terminal.info();
            }
        }
        Ok(list)
    }

    /// Reads the log on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&crate::log::Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        live::read(&self.log, query).await
    }
}

/// The bounds of a start.
fn check(start: &Start) -> Result<()> {
    let invalid = |why: &str| Err(TerminalError::Invalid(why.to_owned()));
    let is_id = (8..=64).contains(&start.id.len())
        && start.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_id {
        return invalid("a terminal's id is 8 to 64 letters, digits and hyphens");
    }
    if !start.size.is_allowed() {
        return invalid("a terminal has 2 to 500 columns and 1 to 300 rows");
    }
    if start.title.len() > 1024 || start.label.len() > 16 * 1024 || start.scrollback > 10_000 {
        return invalid("the title, the label or the scrollback of the terminal is too large");
    }
    if start.command.as_ref().is_some_and(|command| command.first().is_none_or(String::is_empty)) {
        return invalid("a command needs a program");
    }
    let words =
        start.command.iter().flatten().chain(start.env.iter().flat_map(|(name, value)| [name, value]));
    if words.chain([&start.cwd]).any(|word| word.contains('\0')) {
        return invalid("a command, directory or variable of the terminal holds a NUL");
    }
    if !std::path::Path::new(&start.cwd).is_dir() {
        return invalid("the terminal's working directory does not exist");
    }
    Ok(())
}
