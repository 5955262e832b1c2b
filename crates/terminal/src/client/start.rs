//! Finding a host, or starting one.

use crate::host::door::{is_own, is_private, read_token};
use crate::wire::frame::{Reader, encode};
use crate::wire::{FromHost, ToHost, VERSION};
use crate::{HostConfig, Result, TerminalError};
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// How long a host may take to answer a greeting.
const GREETING: Duration = Duration::from_secs(5);
/// How long a started host may take until it answers.
const STARTING: Duration = Duration::from_secs(5);
/// The longest greeting of a host.
const MAX_WELCOME: usize = 4096;

type Halves = (Reader<OwnedReadHalf>, OwnedWriteHalf);

/// The environment of this process without what belongs to this program, for [`crate::Start::env`].
pub fn own_environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.filter(|(name, _)| !name.starts_with("PLANTOCODE_")).collect()
}

pub(super) async fn connect(config: &HostConfig) -> Result<Halves> {
    let at = || config.socket().display().to_string();
    let unreachable = |source| TerminalError::Unreachable { at: at(), source };
    if !config.directory.exists() {
        return Err(unreachable(io::ErrorKind::NotFound.into()));
    }
    is_private(&config.directory)?;
    let stream = UnixStream::connect(config.socket()).await.map_err(unreachable)?;
    if !is_own(&stream) {
        return Err(TerminalError::Refused("another user answers".to_owned()));
    }
    let token = read_token(&config.token()).map_err(unreachable)?;
    let (read, mut write) = stream.into_split();
    let mut reader = Reader::new(read, MAX_WELCOME);
    let hello = encode(&ToHost::Hello { version: VERSION, token }, &[]).map_err(unreachable)?;
    let greet = async {
        write.write_all(&hello).await?;
        reader.next::<FromHost>().await
    };
    let answer = tokio::time::timeout(GREETING, greet).await;
    match answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)? {
        Some((FromHost::Welcome { .. }, _)) => Ok((reader, write)),
        Some((FromHost::Denied { why }, _)) => Err(TerminalError::Refused(why)),
        _ => Err(unreachable(io::ErrorKind::ConnectionReset.into())),
    }
}

pub(super) async fn connect_or_start(config: &HostConfig) -> Result<Halves> {
    let until = Instant::now() + STARTING;
    let mut started: Option<Instant> = None;
    loop {
        let error = match connect(config).await {
            Ok(halves) => return Ok(halves),
            // The token of a host that just ended may stand beside the socket of the next.
            Err(error @ (TerminalError::Unreachable { .. } | TerminalError::Refused(_))) => error,
            Err(error) => return Err(error),
        };
        let is_refused = matches!(error, TerminalError::Refused(_));
        if Instant::now() > until || (is_refused && started.is_none()) {
            return Err(error);
        }
        // A host that finds another one on its way out ends at once, so one start may not be enough.
        if started.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
            start(config)?;
            started = Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts the host. It leaves our session by itself and gets none of our descriptors.
fn start(config: &HostConfig) -> Result<()> {
    let failed = |e| TerminalError::failed("the terminal host could not be started", e);
    let mut child = Command::new(&config.executable)
        .args(config.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // Takes its exit status, should it end while this process lives.
    let waiting = std::thread::Builder::new().name("terminal-host-wait".to_owned());
    waiting.spawn(move || drop(child.wait())).map(drop).map_err(failed)
}
