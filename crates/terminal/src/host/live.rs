//! A terminal whose program runs: reading it, and what is known of it.

use super::Host;
use super::input::Input;
use super::process;
use super::pty::{Master, Spawned};
use crate::emulator::Emulator;
use crate::log::{Log, Mark, MarkKind, Op, Output, Place, Reader, Summary};
use crate::wire::{Attention, Info, Signal, Size, State};
use crate::{Env, Result, TerminalError, lock};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

/// How much is read at once.
const READ: usize = 32 * 1024;
/// Recent output that is kept in memory, in bytes; more when the disk lags.
const RING: usize = 256 * 1024;
/// Marks that are kept in memory.
const MAX_MARKS: usize = 4096;
/// How long a closed terminal's programs have to end by themselves.
const GRACE: Duration = Duration::from_secs(2);
/// After the program has ended, output of programs it left behind is read until it pauses this long, and no longer
/// than [`GRACE`].
const SILENCE: Duration = Duration::from_millis(100);

/// A running terminal.
pub(super) struct Terminal {
    pub(super) number: i64,
    pub(super) epoch: u64,
    /// The launched program: also its process group and its session.
    pub(super) pid: i32,
    pub(super) scrollback: usize,
    pub(super) input: Input,
    pub(super) log: Log,
    pub(super) place: Arc<Place>,
    begun: Info,
    env: Env,
    /// Eventually fair: the reader takes it again and again, and a viewer must get its turn between.
    core: parking_lot::Mutex<Core>,
    master: Mutex<Option<Arc<Master>>>,
    /// Counts what viewers may want to know.
    version: watch::Sender<u64>,
    host: Weak<Host>,
}

/// What changes with output, under one lock.
pub(super) struct Core {
    pub(super) emulator: Emulator,
    ring: VecDeque<Bytes>,
    pub(super) ring_start: u64,
    pub(super) head: u64,
    pub(super) marks: VecDeque<Mark>,
    pub(super) state: State,
    ended_at: Option<i64>,
    last_output_at: Option<i64>,
    attention: Attention,
    closing: bool,
}

impl Core {
    /// Bytes from `from`, which is in memory; at most `most`.
    pub(super) fn recent(&self, from: u64, most: usize) -> Bytes {
        let mut at = self.ring_start;
        let mut bytes = BytesMut::new();
        for chunk in &self.ring {
            let end = at + chunk.len() as u64;
            let next = from + bytes.len() as u64;
            if end > next && bytes.len() < most {
                let skip = usize::try_from(next - at).unwrap_or(0);
                let take = (chunk.len() - skip).min(most - bytes.len());
                if bytes.is_empty() && take == most {
                    return chunk.slice(skip..skip + take);
                }
                bytes.extend_from_slice(&chunk[skip..skip + take]);
            }
            at = end;
        }
        bytes.freeze()
    }

    fn trim(&mut self, committed: u64) {
        let mut held = usize::try_from(self.head - self.ring_start).unwrap_or(usize::MAX);
        while let Some(front) = self.ring.front() {
            let end = self.ring_start + front.len() as u64;
            if held - front.len() < RING || end > committed {
                return;
            }
            held -= front.len();
            self.ring_start = end;
            self.ring.pop_front();
        }
    }
}

impl Terminal {
    /// Takes a started program over: from now on its output is read and its end is noticed.
    pub(super) fn adopt(
        host: &Arc<Host>,
        info: Info,
        number: i64,
        scrollback: u32,
        spawned: Spawned,
        place: Arc<Place>,
    ) -> Result<Arc<Terminal>> {
        let scrollback = usize::try_from(scrollback).unwrap_or(0);
        let master = Arc::new(Master::new(spawned.master)?);
        let size = info.size;
        let terminal = Arc::new(Terminal {
            number,
            epoch: info.epoch,
            pid: spawned.pid,
            scrollback,
            input: Input::default(),
            log: host.log.clone(),
            place,
            env: host.env.clone(),
            core: parking_lot::Mutex::new(Core {
                emulator: Emulator::new(size, scrollback),
                ring: VecDeque::new(),
                ring_start: 0,
                head: 0,
                marks: VecDeque::from([Mark { at: 0, kind: MarkKind::Resize(size) }]),
                state: State::Running,
                ended_at: None,
                last_output_at: None,
                attention: Attention::default(),
                closing: false,
            }),
            master: Mutex::new(Some(Arc::clone(&master))),
            version: watch::Sender::new(0),
            host: Arc::downgrade(host),
            begun: info,
        });
        lock(&host.live).insert(terminal.begun.id.clone(), Arc::clone(&terminal));
        let (ended, end) = oneshot::channel();
        let mut child = spawned.child;
        std::thread::Builder::new()
            .name("terminal-wait".to_owned())
            .spawn(move || {
                let state = child.wait().map_or(State::Exited { code: 255, signal: None }, |status| {
                    State::Exited { code: status.exit_code(), signal: status.signal().map(str::to_owned) }
                });
                // The reader may have gone with the runtime.
                drop(ended.send(state));
            })
            .map_err(|e| TerminalError::failed("no thread to wait for the program", e))?;
        tokio::spawn(Input::write(Arc::clone(&terminal)));
        tokio::spawn(follow(Arc::clone(&terminal), master, end));
        Ok(terminal)
    }

    pub(super) fn master(&self) -> Option<Arc<Master>> {
        lock(&self.master).clone()
    }

    pub(super) fn core(&self) -> parking_lot::MutexGuard<'_, Core> {
        self.core.lock()
    }

    pub(super) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Runs something while no output is taken in; none when the terminal has ended.
    pub(super) fn with_screen<T>(&self, f: impl FnOnce(&Emulator, &Master) -> T) -> Option<T> {
        let core = self.core();
        let master = self.master()?;
        Some(f(&core.emulator, &master))
    }

    pub(super) fn info(&self) -> Info {
        let core = self.core();
        Info {
            program_title: core.emulator.title().map(str::to_owned),
            size: core.emulator.size(),
            state: core.state.clone(),
            head: core.head,
            log_start: self.place.log_start.load(Ordering::Acquire),
            ended_at: core.ended_at,
            last_output_at: core.last_output_at,
            attention: core.attention.clone(),
            ..self.begun.clone()
        }
    }

    fn tell(&self) {
        if let Some(host) = self.host.upgrade() {
            host.changed(&self.begun.id);
        }
    }

    fn store_summary(&self, core: &Core) {
        self.log.writer.put(Op::Summary(Box::new(Summary {
            number: self.number,
            size: core.emulator.size(),
            state: core.state.clone(),
            ended_at: core.ended_at,
            last_output_at: core.last_output_at,
            program_title: core.emulator.title().map(str::to_owned),
            attention: core.attention.clone(),
        })));
    }

    fn put_output(&self, bytes: Bytes, permit: OwnedSemaphorePermit) {
        let mut core = self.core();
        let start = core.head;
        core.head += bytes.len() as u64;
        core.last_output_at = Some(self.env.now());
        core.emulator.feed(&bytes);
        let replies = core.emulator.take_replies();
        core.ring.push_back(bytes.clone());
        let place = Arc::clone(&self.place);
        core.trim(place.committed.load(Ordering::Acquire));
        self.log.writer.put(Op::Output(Output { number: self.number, start, bytes, place, permit }));
        let attention =
            Attention { bells: core.emulator.bells(), notice: core.emulator.notice().map(str::to_owned) };
        let is_called = attention != core.attention;
        if is_called {
            core.attention = attention;
            self.store_summary(&core);
        }
        drop(core);
        self.version.send_modify(|version| *version += 1);
        if !replies.is_empty() {
            self.input.reply(replies);
        }
        if is_called {
            self.tell();
        }
    }

    pub(super) fn resize(&self, size: Size) -> Result<()> {
        if !size.is_allowed() {
            return Err(TerminalError::Invalid(
                "a terminal has 2 to 500 columns and 1 to 300 rows".to_owned(),
            ));
        }
        let mut core = self.core();
        if core.emulator.size() == size {
            return Ok(());
        }
        let Some(master) = self.master() else { return Err(TerminalError::NotFound(self.begun.id.clone())) };
        master.resize(size)?;
        core.emulator.resize(size);
        let mark = Mark { at: core.head, kind: MarkKind::Resize(size) };
        if core.marks.len() == MAX_MARKS {
            core.marks.pop_front();
        }
        core.marks.push_back(mark);
        self.log.writer.put(Op::Mark(self.number, mark));
        self.store_summary(&core);
        drop(core);
        self.version.send_modify(|version| *version += 1);
        self.tell();
        Ok(())
    }

    pub(super) fn signal(&self, signal: Signal) {
        let signal = match signal {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Hangup => rustix::process::Signal::HUP,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        let group = self.master().and_then(|master| master.foreground());
        if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Ends every process of the terminal's session: SIGHUP now, SIGKILL after [`GRACE`]. A process that made a
    /// session of its own, such as a terminal multiplexer, lives on.
    pub(super) fn close(self: &Arc<Self>) {
        if std::mem::replace(&mut self.core().closing, true) {
            return;
        }
        let session = self.pid;
        let told = process::of_session(session);
        for pid in &told {
            process::send(*pid, rustix::process::Signal::HUP);
        }
        if let Some(pid) = rustix::process::Pid::from_raw(session) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::HUP);
        }
        let terminal = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            let runs = terminal.core().state == State::Running;
            for pid in process::of_session(session) {
                // After the leader's end its number could in theory name another session.
                if runs || told.contains(&pid) {
                    process::send(pid, rustix::process::Signal::KILL);
                }
            }
        });
    }

    /// The program has ended and everything it wrote has been read.
    async fn finish(&self, state: State) {
        self.input.close();
        {
            let mut core = self.core();
            core.state = state;
            core.ended_at = Some(self.env.now());
            let mark = Mark { at: core.head, kind: MarkKind::Exit };
            self.log.writer.put(Op::Mark(self.number, mark));
            self.store_summary(&core);
        }
        // Hangs up on what the program left behind.
        lock(&self.master).take();
        self.version.send_modify(|version| *version += 1);
        drop(self.log.writer.ask(|reply| Op::Flush { reply }).await);
        // From here on the log alone answers for it.
        if let Some(host) = self.host.upgrade() {
            lock(&host.live).remove(&self.begun.id);
        }
        self.tell();
    }
}

/// Reads a terminal until its program has ended and what it wrote is read.
async fn follow(terminal: Arc<Terminal>, master: Arc<Master>, mut end: oneshot::Receiver<State>) {
    let mut buffer = vec![0; READ];
    let mut at_end = false;
    let state = loop {
        tokio::select! {
            biased;
            length = master.read(&mut buffer), if !at_end => {
                if length == 0 {
                    at_end = true;
                } else if !take_in(&terminal, &buffer[..length]).await {
                    return;
                }
            }
            state = &mut end => break state.unwrap_or(State::Lost),
        }
    };
    let ended = Instant::now();
    while !at_end && ended.elapsed() < GRACE {
        match tokio::time::timeout(SILENCE, master.read(&mut buffer)).await {
            Ok(length) if length > 0 && take_in(&terminal, &buffer[..length]).await => {}
            _ => break,
        }
    }
    drop(master);
    terminal.finish(state).await;
}

/// Waits for room in the log and takes output in; false when the host is ending.
async fn take_in(terminal: &Terminal, bytes: &[u8]) -> bool {
    match terminal.log.writer.permit(bytes.len()).await {
        Ok(permit) => {
            terminal.put_output(Bytes::copy_from_slice(bytes), permit);
            // A program that writes without end is always ready to be read. Its viewers, woken on this worker, would
            // get their turn only when the runtime's budget for this task is used up: seconds of output.
            tokio::task::yield_now().await;
            true
        }
        Err(_) => false,
    }
}

/// Reads the log on a thread that may block.
pub(super) async fn read<T: Send + 'static>(
    log: &Log,
    query: impl FnOnce(&Reader) -> Result<T> + Send + 'static,
) -> Result<T> {
    let reader = Arc::clone(&log.reader);
    let read = tokio::task::spawn_blocking(move || query(&reader)).await;
    read.map_err(|e| TerminalError::failed("the terminals' log could not be read", e))?
}
