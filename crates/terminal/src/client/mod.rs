//! The other end: what the engine and the command line hold.

mod attachment;
mod start;

pub use attachment::{Attachment, Notices, Record};
pub use start::own_environment;

use crate::wire::frame::{MAX_FROM_HOST, Reader, encode};
use crate::wire::{
    Answer, Attach, Call, FaultCode, FromHost, Info, PasteOutcome, PasteRule, Signal, Size, Start, ToHost,
};
use crate::{HostConfig, Result, TerminalError, lock};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// Messages that may wait for the host's socket.
const QUEUE: usize = 64;

type Reply = oneshot::Sender<Result<(Answer, Bytes)>>;

/// What waits for messages of the host.
#[derive(Default)]
struct Waiting {
    calls: HashMap<u64, Reply>,
    attachments: HashMap<u32, mpsc::UnboundedSender<Result<Record>>>,
    watchers: Vec<mpsc::UnboundedSender<Vec<String>>>,
    /// The host is gone; nothing will be answered.
    gone: bool,
}

struct Shared {
    waiting: Arc<Mutex<Waiting>>,
    out: mpsc::Sender<(ToHost, Bytes)>,
    calls: AtomicU64,
    attachments: AtomicU32,
    reading: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// A connection to a terminal host. Cheap to clone; the connection ends with the last clone and the last
/// [`Attachment`].
///
/// When the host goes away, every call answers [`TerminalError::Gone`]; connect anew then.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

impl Client {
    /// Connects to a host that runs. Must be called inside a Tokio runtime, which then moves the messages.
    ///
    /// # Errors
    /// [`TerminalError::Unreachable`] when nobody answers; [`TerminalError::Refused`] when the directory, the other
    /// end or this process is not trusted.
    pub async fn connect(config: &HostConfig) -> Result<Client> {
        let (reader, write) = start::connect(config).await?;
        Ok(Client::over(reader, write))
    }

    /// Connects; when nobody answers, starts [`HostConfig::executable`] as the host and waits until it answers, at
    /// most 5 s.
    ///
    /// # Errors
    /// As [`Client::connect`], and [`TerminalError::Failed`] when the host cannot be started.
    pub async fn connect_or_start(config: &HostConfig) -> Result<Client> {
        let (reader, write) = start::connect_or_start(config).await?;
        Ok(Client::over(reader, write))
    }

    fn over(mut reader: Reader<OwnedReadHalf>, write: OwnedWriteHalf) -> Client {
        reader.limit = MAX_FROM_HOST;
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let (out, queue) = mpsc::channel(QUEUE);
        tokio::spawn(write_out(write, queue));
        let reading = tokio::spawn(read_in(reader, Arc::clone(&waiting))).abort_handle();
        let (calls, attachments) = (AtomicU64::new(1), AtomicU32::new(1));
        Client(Arc::new(Shared { waiting, out, calls, attachments, reading }))
    }

    async fn call(&self, call: Call, body: Bytes) -> Result<(Answer, Bytes)> {
        let id = self.0.calls.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = lock(&self.0.waiting);
            if waiting.gone {
                return Err(TerminalError::Gone);
            }
            waiting.calls.insert(id, reply);
        }
        self.send(ToHost::Call { id, call }, body).await?;
        answer.await.map_err(|_| TerminalError::Gone)?
    }

    async fn send(&self, message: ToHost, body: Bytes) -> Result<()> {
        self.0.out.send((message, body)).await.map_err(|_| TerminalError::Gone)
    }

    async fn done(&self, call: Call) -> Result<()> {
        match self.call(call, Bytes::new()).await? {
            (Answer::Done, _) => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Starts a terminal.
    ///
    /// # Errors
    /// [`TerminalError::Invalid`] when a bound is broken or the directory does not exist; [`TerminalError::Failed`]
    /// when the program cannot be started or the id was used before.
    pub async fn start(&self, start: Start) -> Result<Info> {
        match self.call(Call::Start(start), Bytes::new()).await? {
            (Answer::Info(info), _) => Ok(*info),
            _ => Err(unexpected()),
        }
    }

    /// Every terminal, newest first, at most 1,000: running, ended and lost.
    ///
    /// # Errors
    /// [`TerminalError::Gone`], [`TerminalError::Failed`].
    pub async fn list(&self) -> Result<Vec<Info>> {
        match self.call(Call::List, Bytes::new()).await? {
            (Answer::List(list), _) => Ok(list),
            _ => Err(unexpected()),
        }
    }

    /// Follows a terminal's output. Ended and lost terminals can be followed too: to their end.
    ///
    /// The first records are exactly one of: a tail from `have`; a snapshot and the tail from its offset; a gap, the
    /// snapshot after it, and the tail. A resize at an offset precedes the byte there.
    ///
    /// # Errors
    /// [`TerminalError::NotFound`].
    pub async fn attach(&self, attach: Attach) -> Result<Attachment> {
        let number = self.0.attachments.fetch_add(1, Ordering::Relaxed);
        let (to, records) = mpsc::unbounded_channel();
        lock(&self.0.waiting).attachments.insert(number, to);
        let window = attach.window;
        let attachment = Attachment::new(self.clone(), number, window, records);
        self.done(Call::Attach { attachment: number, attach }).await?;
        Ok(attachment)
    }

    /// Bytes of the log from `from` up to `to`, at most 256 KiB of them; fewer mean that the output ends there or that
    /// the rest needs another call.
    ///
    /// # Errors
    /// [`TerminalError::Invalid`] for another epoch or for output that is no longer kept.
    pub async fn history(&self, terminal: &str, epoch: u64, from: u64, to: u64) -> Result<Bytes> {
        let call = Call::History { terminal: terminal.to_owned(), epoch, from, to };
        match self.call(call, Bytes::new()).await? {
            (Answer::Bytes, bytes) => Ok(bytes),
            _ => Err(unexpected()),
        }
    }

    /// Types. `seq` counts this viewer's inputs and pastes from 1; a number that was applied is acknowledged and not
    /// applied again, so after a lost connection the same call can be repeated. Returns the last number that was
    /// applied. At most 1 MiB per call, 2 MiB waiting in all.
    ///
    /// # Errors
    /// [`TerminalError::Sequence`] for a hole, [`TerminalError::Full`] when the program does not read (the number is
    /// not used up then), [`TerminalError::NotFound`] when it has ended.
    pub async fn input(
        &self,
        terminal: &str,
        viewer: &str,
        seq: u64,
        bytes: impl Into<Bytes>,
    ) -> Result<u64> {
        let call = Call::Input { terminal: terminal.to_owned(), viewer: viewer.to_owned(), seq };
        match self.call(call, bytes.into()).await? {
            (Answer::Applied(seq), _) => Ok(seq),
            _ => Err(unexpected()),
        }
    }

    /// Pastes text as one bracketed message, or says why not; see [`PasteRule`]. Answers when it is written. Never
    /// submits it. Numbered as [`Client::input`]; a refused paste has used its number up.
    ///
    /// # Errors
    /// As [`Client::input`].
    pub async fn paste(
        &self,
        terminal: &str,
        viewer: &str,
        seq: u64,
        text: &str,
        rule: PasteRule,
    ) -> Result<PasteOutcome> {
        let call = Call::Paste { terminal: terminal.to_owned(), viewer: viewer.to_owned(), seq, rule };
        match self.call(call, Bytes::copy_from_slice(text.as_bytes())).await? {
            (Answer::Pasted(outcome), _) => Ok(outcome),
            _ => Err(unexpected()),
        }
    }

    /// Changes the size of the screen, and says so to the program and in the log.
    ///
    /// # Errors
    /// [`TerminalError::Invalid`] for a size out of bounds, [`TerminalError::NotFound`].
    pub async fn resize(&self, terminal: &str, size: Size) -> Result<()> {
        self.done(Call::Resize { terminal: terminal.to_owned(), size }).await
    }

    /// Sends a signal to the programs in the foreground.
    ///
    /// # Errors
    /// [`TerminalError::NotFound`].
    pub async fn signal(&self, terminal: &str, signal: Signal) -> Result<()> {
        self.done(Call::Signal { terminal: terminal.to_owned(), signal }).await
    }

    /// Ends a terminal's programs: SIGHUP now, SIGKILL after 2 s. Returns at once; the log stays.
    ///
    /// # Errors
    /// [`TerminalError::NotFound`].
    pub async fn close(&self, terminal: &str) -> Result<()> {
        self.done(Call::Close { terminal: terminal.to_owned() }).await
    }

    /// Deletes an ended terminal with its log.
    ///
    /// # Errors
    /// [`TerminalError::NotFound`], also for one that still runs.
    pub async fn forget(&self, terminal: &str) -> Result<()> {
        self.done(Call::Forget { terminal: terminal.to_owned() }).await
    }

    /// Names terminals whose state, size or attention changed, at most every 100 ms. What they are now is said by
    /// [`Client::list`].
    ///
    /// # Errors
    /// [`TerminalError::Gone`].
    pub async fn watch(&self) -> Result<Notices> {
        let (to, notices) = mpsc::unbounded_channel();
        lock(&self.0.waiting).watchers.push(to);
        self.done(Call::Watch).await?;
        Ok(Notices::new(self.clone(), notices))
    }
}

fn unexpected() -> TerminalError {
    TerminalError::Failed {
        what: "the terminal host gave another answer than was asked for".to_owned(),
        source: None,
    }
}

async fn write_out(mut to: OwnedWriteHalf, mut queue: mpsc::Receiver<(ToHost, Bytes)>) {
    while let Some((head, body)) = queue.recv().await {
        let Ok(mut bytes) = encode(&head, &body) else { return };
        bytes.extend_from_slice(&body);
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read_in(mut reader: Reader<OwnedReadHalf>, waiting: Arc<Mutex<Waiting>>) {
    while let Ok(Some((message, body))) = reader.next::<FromHost>().await {
        let mut waiting = lock(&waiting);
        match message {
            FromHost::Answer { id, result } => {
                if let Some(reply) = waiting.calls.remove(&id) {
                    let result = result.map(|answer| (answer, body)).map_err(|fault| match fault.code {
                        FaultCode::NotFound => TerminalError::NotFound(fault.text),
                        FaultCode::Sequence => TerminalError::Sequence { expected: fault.expected },
                        FaultCode::Full => TerminalError::Full,
                        FaultCode::Invalid => TerminalError::Invalid(fault.text),
                        FaultCode::Failed => TerminalError::Failed { what: fault.text, source: None },
                    });
                    // Whoever called may have stopped waiting.
                    drop(reply.send(result));
                }
            }
            FromHost::Record { attachment, kind, epoch, offset } => {
                if let Some(to) = waiting.attachments.get(&attachment) {
                    drop(to.send(Ok(Record { kind, epoch, offset, bytes: body })));
                }
            }
            FromHost::Detached { attachment, why } => {
                if let Some(to) = waiting.attachments.remove(&attachment) {
                    drop(to.send(Err(TerminalError::Failed { what: why, source: None })));
                }
            }
            FromHost::Changed { terminals } => {
                waiting.watchers.retain(|to| to.send(terminals.clone()).is_ok());
            }
            FromHost::Welcome { .. } | FromHost::Denied { .. } => {}
        }
    }
    // Dropping what waits answers it with `Gone`.
    let mut waiting = lock(&waiting);
    *waiting = Waiting { gone: true, ..Waiting::default() };
}
