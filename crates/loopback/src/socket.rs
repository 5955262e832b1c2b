//! The Unix socket: length-prefixed messages between processes of one user.
//!
//! A message is `kind u8 (0 text, 1 binary) | length u32 big-endian | bytes`. Each end asks the kernel who the
//! other is and closes when it is another user.

use crate::LoopbackError;
use bytes::Bytes;
use rpc::link::{MAX_MESSAGE_BYTES, QUEUE};
use rpc::{Caller, Link, Message, Router};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

const TEXT: u8 = 0;
const BINARY: u8 = 1;

/// A socket that is listened on; its file is removed when this is dropped.
pub struct SocketHost {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

/// Listens at `path`, replacing a socket that nobody answers at. The caller holds the data directory's lock,
/// so a socket found there is a leftover.
///
/// # Errors
/// [`LoopbackError::Listen`], for instance when the path is longer than the system allows (107 bytes).
pub fn serve(path: &Path, router: Arc<Router>, caller: Caller) -> Result<SocketHost, LoopbackError> {
    let listen = |source| LoopbackError::Listen { at: path.display().to_string(), source };
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(listen(e)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(listen)?;
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) if is_own(&stream) => {
                    let (router, caller) = (Arc::clone(&router), caller.clone());
                    tokio::spawn(async move {
                        let (link, pump) = pump(stream);
                        tokio::join!(pump, rpc::serve(router, caller, link));
                    });
                }
                Ok(_) => tracing::warn!("refused a connection by another user to the engine's socket"),
                Err(error) => {
                    // Usually out of file descriptors: wait for some to be closed instead of spinning.
                    tracing::warn!(%error, "cannot accept a connection to the engine's socket");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
    });
    Ok(SocketHost { path: path.to_owned(), task })
}

impl Drop for SocketHost {
    fn drop(&mut self) {
        self.task.abort();
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the engine's socket was removed by someone else");
        }
    }
}

/// Connects to an engine that listens at `path`. Must be called inside a Tokio runtime, which then moves the
/// link's messages.
///
/// # Errors
/// [`LoopbackError::Connect`] when nobody answers, [`LoopbackError::Stranger`] when another user does.
pub async fn connect(path: &Path) -> Result<Link, LoopbackError> {
    let at = || path.display().to_string();
    let stream =
        UnixStream::connect(path).await.map_err(|source| LoopbackError::Connect { at: at(), source })?;
    if !is_own(&stream) {
        return Err(LoopbackError::Stranger { at: at() });
    }
    let (link, pump) = pump(stream);
    tokio::spawn(pump);
    Ok(link)
}

fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

/// A link over `stream`, and the future that moves its messages until either side closes.
fn pump(stream: UnixStream) -> (Link, impl Future<Output = ()> + Send) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let (in_tx, in_rx) = mpsc::channel(QUEUE);
    let (out_tx, mut out_rx) = mpsc::channel::<Message>(QUEUE);
    let receive = async move {
        while let Ok(Some(message)) = read_message(&mut read).await {
            if in_tx.send(message).await.is_err() {
                return;
            }
        }
    };
    let send = async move {
        while let Some(message) = out_rx.recv().await {
            if write_message(&mut write, &message).await.is_err() {
                return;
            }
        }
    };
    let both = async move {
        tokio::select! { () = receive => {}, () = send => {} }
    };
    (Link { tx: out_tx, rx: in_rx }, both)
}

async fn read_message(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Option<Message>> {
    let kind = match from.read_u8().await {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        kind => kind?,
    };
    let length = from.read_u32().await? as usize;
    if length > MAX_MESSAGE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is longer than the limit"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    match kind {
        TEXT => String::from_utf8(bytes)
            .map(|text| Some(Message::Text(text)))
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e)),
        BINARY => Ok(Some(Message::Binary(Bytes::from(bytes)))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message of unknown kind")),
    }
}

async fn write_message(to: &mut (impl AsyncWriteExt + Unpin), message: &Message) -> io::Result<()> {
    let (kind, bytes) = match message {
        Message::Text(text) => (TEXT, text.as_bytes()),
        Message::Binary(bytes) => (BINARY, bytes.as_ref()),
    };
    let length = u32::try_from(bytes.len()).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    let mut head = [0; 5];
    head[0] = kind;
    head[1..].copy_from_slice(&length.to_be_bytes());
    to.write_all(&head).await?;
    to.write_all(bytes).await
}
