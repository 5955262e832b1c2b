//! One client: greeting, calls, attachments.

use super::pump::{Credit, Lane, Outgoing, history, pump};
use super::{Host, door, ended, live};
use crate::wire::frame::{MAX_HELLO, MAX_TO_HOST, Reader, encode};
use crate::wire::{
    Answer, Attach, Call, Fault, FaultCode, FromHost, MAX_HISTORY, MAX_INPUT, ToHost, VERSION,
};
use crate::{Result, TerminalError, lock};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::{AbortHandle, JoinSet};

/// How long a new client may take to present its token.
const GREETING: Duration = Duration::from_secs(5);
/// Messages that may wait for a client's socket.
const QUEUE: usize = 16;
/// Calls of one client that may be under way.
const CALLS: usize = 64;
/// Pastes of one client that may wait for their programs. Beyond it they are refused.
const PASTES: usize = 64;
/// Attachments of one client.
const MAX_ATTACHMENTS: usize = 256;
/// Notices of changes are collected this long.
const NOTICES: Duration = Duration::from_millis(100);

/// Takes clients in until the host ends.
pub(super) async fn accept(host: Arc<Host>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(Arc::clone(&host), stream));
            }
            Err(error) => {
                // Usually out of file descriptors: wait for some to be closed instead of spinning.
                tracing::warn!(%error, "cannot accept a connection to the terminal host");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Counts a client as long as it is connected.
struct Counted(Arc<Host>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn serve(host: Arc<Host>, stream: UnixStream) {
    if !door::is_own(&stream) {
        tracing::warn!("refused a connection by another user to the terminal host");
        return;
    }
    let children: Vec<i32> = lock(&host.live).values().map(|terminal| terminal.pid).collect();
    let is_inside = !host.config.allow_descendants && door::is_inside(&stream, &children);
    host.clients.fetch_add(1, Ordering::AcqRel);
    let counted = Counted(Arc::clone(&host));
    let (read, write) = stream.into_split();
    let mut reader = Reader::new(read, MAX_HELLO);
    let (out, queue) = mpsc::channel(QUEUE);
    let writing = tokio::spawn(write_out(write, queue));
    let hello = tokio::time::timeout(GREETING, reader.next::<ToHost>()).await;
    let answer = match hello {
        Ok(Ok(Some((ToHost::Hello { version, token }, _)))) => greet(&host, version, &token, is_inside),
        _ => return,
    };
    let is_welcome = matches!(answer, FromHost::Welcome { .. });
    if out.send((answer, Bytes::new())).await.is_err() || !is_welcome {
        return;
    }
    reader.limit = MAX_TO_HOST;
    let mut client = Client {
        host,
        out,
        tasks: JoinSet::new(),
        calls: Arc::new(Semaphore::new(CALLS)),
        pastes: Arc::new(Semaphore::new(PASTES)),
        attachments: HashMap::new(),
    };
    while let Ok(Some((message, body))) = reader.next::<ToHost>().await {
        while client.tasks.try_join_next().is_some() {}
        client.take(message, body).await;
        if writing.is_finished() {
            break;
        }
    }
    drop(counted);
}

fn greet(host: &Host, version: u32, token: &str, is_inside: bool) -> FromHost {
    let denied = |why: &str| FromHost::Denied { why: why.to_owned() };
    if !door::is_token(token, &host.token) {
        denied("the token is not that of this host")
    } else if version != VERSION {
        denied("the terminal host is of another version of this program; close its terminals to replace it")
    } else if is_inside {
        denied("a program inside a terminal may not control terminals")
    } else {
        FromHost::Welcome { version: VERSION }
    }
}

async fn write_out(mut to: OwnedWriteHalf, mut queue: mpsc::Receiver<(FromHost, Bytes)>) {
    while let Some((head, body)) = queue.recv().await {
        let Ok(mut bytes) = encode(&head, &body) else { return };
        let body = if body.len() <= 4096 {
            bytes.extend_from_slice(&body);
            Bytes::new()
        } else {
            body
        };
        if to.write_all(&bytes).await.is_err() || to.write_all(&body).await.is_err() {
            return;
        }
    }
}

/// A greeted client. Its attachments end with it; calls that change something run to their end.
struct Client {
    host: Arc<Host>,
    out: Outgoing,
    tasks: JoinSet<()>,
    /// Held only by what comes to its end by itself: without one, nothing more is read from the client.
    calls: Arc<Semaphore>,
    pastes: Arc<Semaphore>,
    attachments: HashMap<u32, (Arc<Credit>, AbortHandle)>,
}

impl Client {
    async fn take(&mut self, message: ToHost, body: Bytes) {
        match message {
            ToHost::Hello { .. } => {}
            ToHost::Credit { attachment, bytes } => {
                if let Some((credit, _)) = self.attachments.get(&attachment) {
                    credit.give(bytes);
                }
            }
            ToHost::Detach { attachment } => {
                if let Some((_, task)) = self.attachments.remove(&attachment) {
                    task.abort();
                }
            }
            ToHost::Call { id, call: Call::Attach { attachment, attach } } => {
                self.attach(id, attachment, attach);
            }
            ToHost::Call { id, call: Call::Watch } => {
                let changes = self.host.changes.subscribe();
                self.tasks.spawn(watch(self.out.clone(), id, changes));
            }
            ToHost::Call { id, call } => self.call(id, call, body).await,
        }
    }

    fn attach(&mut self, id: u64, attachment: u32, attach: Attach) {
        self.attachments.retain(|_, (_, task)| !task.is_finished());
        let out = self.out.clone();
        if self.attachments.len() >= MAX_ATTACHMENTS || self.attachments.contains_key(&attachment) {
            let error =
                TerminalError::Invalid("there are too many attachments, or one of this number".to_owned());
            self.tasks.spawn(async move { answer(&out, id, Err(error), Bytes::new()).await });
            return;
        }
        let credit = Arc::new(Credit::new(attach.window));
        let host = Arc::clone(&self.host);
        let lent = Arc::clone(&credit);
        let task = self.tasks.spawn(async move {
            if let Err(error) = show(&host, id, attachment, attach, lent, out.clone()).await {
                // A client that has gone needs no reason.
                drop(
                    out.send((FromHost::Detached { attachment, why: error.to_string() }, Bytes::new())).await,
                );
            }
        });
        self.attachments.insert(attachment, (credit, task));
    }

    /// Input is put into its queue here, in the order in which it came; everything else has time.
    async fn call(&mut self, id: u64, call: Call, body: Bytes) {
        let Ok(permit) = Arc::clone(&self.calls).acquire_owned().await else { return };
        let out = self.out.clone();
        match call {
            Call::Input { terminal, viewer, seq } => {
                let applied = check_input(&body)
                    .and_then(|()| self.host.running(&terminal))
                    .and_then(|terminal| terminal.input.type_in(&viewer, seq, body));
                self.tasks.spawn(async move {
                    answer(&out, id, applied.map(Answer::Applied), Bytes::new()).await;
                    drop(permit);
                });
            }
            Call::Paste { terminal, viewer, seq, rule } => {
                let outcome = check_input(&body).and_then(|()| {
                    let text = std::str::from_utf8(&body)
                        .map_err(|_| TerminalError::Invalid("what is pasted must be UTF-8".to_owned()))?;
                    let place =
                        Arc::clone(&self.pastes).try_acquire_owned().map_err(|_| TerminalError::Full)?;
                    Ok((place, self.host.running(&terminal)?.input.paste(&viewer, seq, text, rule)?))
                });
                self.tasks.spawn(async move {
                    match outcome {
                        Ok((place, mut outcome)) => {
                            // A program that does not read keeps its paste waiting, and nothing else of the client.
                            drop(permit);
                            let outcome = match outcome.wait_for(Option::is_some).await {
                                Ok(known) => known.clone().ok_or(TerminalError::Gone),
                                Err(_) => Err(TerminalError::NotFound(terminal)),
                            };
                            answer(&out, id, outcome.map(Answer::Pasted), Bytes::new()).await;
                            drop(place);
                        }
                        Err(error) => {
                            answer(&out, id, Err(error), Bytes::new()).await;
                            drop(permit);
                        }
                    }
                });
            }
            call => {
                let host = Arc::clone(&self.host);
                // Not one of the client's tasks: what has begun to change something runs to its end.
                tokio::spawn(async move {
                    let (result, body) = match perform(host, call).await {
                        Ok((done, body)) => (Ok(done), body),
                        Err(error) => (Err(error), Bytes::new()),
                    };
                    answer(&out, id, result, body).await;
                    drop(permit);
                });
            }
        }
    }
}

fn check_input(body: &Bytes) -> Result<()> {
    if body.len() > MAX_INPUT {
        return Err(TerminalError::Invalid("one piece of input has at most 1 MiB".to_owned()));
    }
    Ok(())
}

async fn perform(host: Arc<Host>, call: Call) -> Result<(Answer, Bytes)> {
    let done = match call {
        Call::Start(start) => Answer::Info(Box::new(host.start(start).await?)),
        Call::List => Answer::List(host.list().await?),
        Call::History { terminal, epoch, from, to } => {
            return Ok((Answer::Bytes, read_history(&host, terminal, epoch, from, to).await?));
        }
        Call::Resize { terminal, size } => {
            host.running(&terminal)?.resize(size)?;
            Answer::Done
        }
        Call::Signal { terminal, signal } => {
            host.running(&terminal)?.signal(signal);
            Answer::Done
        }
        Call::Close { terminal } => {
            host.running(&terminal)?.close();
            Answer::Done
        }
        Call::Forget { terminal } => {
            let id = terminal.clone();
            host.log.writer.ask(|reply| crate::log::Op::Forget { id, reply }).await?;
            host.changed(&terminal);
            Answer::Done
        }
        Call::Input { .. } | Call::Paste { .. } | Call::Attach { .. } | Call::Watch => Answer::Done,
    };
    Ok((done, Bytes::new()))
}

async fn read_history(host: &Host, id: String, epoch: u64, from: u64, to: u64) -> Result<Bytes> {
    let other =
        || TerminalError::Invalid("the output of another run of this terminal was asked for".to_owned());
    if let Ok(terminal) = host.running(&id) {
        return if terminal.epoch == epoch { history(&terminal, from, to).await } else { Err(other()) };
    }
    let name = id.clone();
    let stored = host.read(move |reader| reader.get(&name)).await?.ok_or(TerminalError::NotFound(id))?;
    if stored.info.epoch != epoch {
        return Err(other());
    }
    let to = to.min(from.saturating_add(MAX_HISTORY)).min(stored.info.head);
    if from >= to {
        return Ok(Bytes::new());
    }
    host.read(move |reader| reader.bytes(stored.number, from, to)).await.map(Bytes::from)
}

/// Answers the attach call, then sends records.
async fn show(
    host: &Host,
    id: u64,
    attachment: u32,
    attach: Attach,
    credit: Arc<Credit>,
    out: Outgoing,
) -> Result<()> {
    let lane = |epoch| Lane { attachment, epoch, credit, out: out.clone() };
    let live = host.running(&attach.terminal);
    if let Ok(terminal) = live {
        answer(&out, id, Ok(Answer::Done), Bytes::new()).await;
        let lane = lane(terminal.epoch);
        return pump(terminal, attach, lane).await;
    }
    let name = attach.terminal.clone();
    let stored = live::read(&host.log, move |reader| reader.get(&name)).await;
    match stored.and_then(|stored| stored.ok_or_else(|| TerminalError::NotFound(attach.terminal.clone()))) {
        Ok(stored) => {
            answer(&out, id, Ok(Answer::Done), Bytes::new()).await;
            let lane = lane(stored.info.epoch);
            ended::show(host.log.clone(), stored, attach, lane).await
        }
        Err(error) => {
            answer(&out, id, Err(error), Bytes::new()).await;
            Ok(())
        }
    }
}

/// Names what changed, at most once per [`NOTICES`].
async fn watch(out: Outgoing, id: u64, mut changes: broadcast::Receiver<Arc<str>>) {
    answer(&out, id, Ok(Answer::Done), Bytes::new()).await;
    loop {
        let mut changed = HashSet::new();
        let mut missed = false;
        let mut note = |change| match change {
            Ok(id) => {
                changed.insert(id);
                true
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {
                missed = true;
                true
            }
            Err(broadcast::error::RecvError::Closed) => false,
        };
        if !note(changes.recv().await) {
            return;
        }
        let collect = async { while note(changes.recv().await) {} };
        drop(tokio::time::timeout(NOTICES, collect).await);
        let terminals = if missed { Vec::new() } else { changed.iter().map(|id| id.to_string()).collect() };
        if out.send((FromHost::Changed { terminals }, Bytes::new())).await.is_err() {
            return;
        }
    }
}

/// Sends an answer; a client that has gone needs none.
async fn answer(out: &Outgoing, id: u64, result: Result<Answer>, body: Bytes) {
    let result = result.map_err(|error| fault(&error));
    drop(out.send((FromHost::Answer { id, result }, body)).await);
}

fn fault(error: &TerminalError) -> Fault {
    let (code, expected) = match error {
        TerminalError::NotFound(_) => (FaultCode::NotFound, 0),
        TerminalError::Sequence { expected } => (FaultCode::Sequence, *expected),
        TerminalError::Full => (FaultCode::Full, 0),
        TerminalError::Invalid(_) => (FaultCode::Invalid, 0),
        _ => (FaultCode::Failed, 0),
    };
    let text = match error {
        TerminalError::NotFound(id) => id.clone(),
        TerminalError::Failed { what, source: Some(source) } => format!("{what}: {source}"),
        other => other.to_string(),
    };
    Fault { code, text, expected }
}
