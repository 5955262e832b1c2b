//! A pseudo-terminal with a program in it.

use crate::wire::{Size, Start};
use crate::{Result, TerminalError, lock};
use filedescriptor::FileDescriptor;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::termios::Winsize;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// A started program and the near end of its terminal.
pub(super) struct Spawned {
    pub(super) master: File,
    pub(super) child: Box<dyn Child + Send + Sync>,
    pub(super) pid: i32,
}

/// Between opening a terminal and closing its descriptors to children another start must not happen.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts a program. Blocks for as long as the system takes.
pub(super) fn spawn(start: &Start) -> Result<Spawned> {
    let _alone = lock(&STARTING);
    let size = PtySize { rows: start.size.rows, cols: start.size.cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system()
        .openpty(size)
        .map_err(|e| TerminalError::failed("no pseudo-terminal could be opened", e))?;
    let mut command = match &start.command {
        Some(words) => CommandBuilder::from_argv(words.iter().map(Into::into).collect()),
        None => CommandBuilder::new_default_prog(),
    };
    command.env_clear();
    for (name, value) in &start.env {
        if !name.starts_with("PLANTOCODE_") && !name.is_empty() && !name.contains('=') {
            command.env(name, value);
        }
    }
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    command.cwd(&start.cwd);
    let child = pair
        .slave
        .spawn_command(command)
        .map_err(|e| TerminalError::failed("the program could not be started", e))?;
    let Some(fd) = pair.master.as_raw_fd() else {
        return Err(TerminalError::Failed {
            what: "the terminal has no descriptor".to_owned(),
            source: None,
        });
    };
    let open = |e: filedescriptor::Error| TerminalError::failed("the terminal cannot be used", e);
    let mut master = FileDescriptor::dup(&fd).map_err(open)?;
    master.set_non_blocking(true).map_err(open)?;
    let pid = child.process_id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
    Ok(Spawned { master: master.as_file().map_err(open)?, child, pid })
}

/// The near end of a pseudo-terminal, in a runtime.
pub(super) struct Master(AsyncFd<File>);

impl Master {
    #[allow(
        deprecated,
        reason = "it is unsound for a type that lies about its descriptor; a `File` owns the one it names, and the \
                  replacement is an unsafe function, which this workspace does not call"
    )]
    pub(super) fn new(file: File) -> Result<Master> {
        AsyncFd::new(file).map(Master).map_err(|e| TerminalError::failed("the terminal cannot be watched", e))
    }

    /// Reads what there is, up to the length of `buffer`. 0 is the end: an empty read, or the error that Linux gives
    /// when the far end is closed.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> usize {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return 0 };
            let mut length = 0;
            while length < buffer.len() {
                match self.0.get_ref().read(&mut buffer[length..]) {
                    Ok(0) => return length,
                    Ok(more) => length += more,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        ready.clear_ready();
                        break;
                    }
                    Err(_) => return length,
                }
            }
            if length > 0 {
                return length;
            }
        }
    }

    /// Writes as much as the terminal takes now; none when it takes nothing.
    pub(super) fn try_write(&self, bytes: &[u8]) -> std::io::Result<Option<usize>> {
        loop {
            match self.0.get_ref().write(bytes) {
                Ok(length) => return Ok(Some(length)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits until the terminal may take input again, or for a while: not every system tells.
    pub(super) async fn writable(&self) {
        let wait = async {
            if let Ok(mut ready) = self.0.writable().await {
                // The next write finds out; readiness would otherwise be believed for ever.
                ready.clear_ready();
            }
        };
        drop(tokio::time::timeout(Duration::from_millis(200), wait).await);
    }

    pub(super) fn resize(&self, size: Size) -> Result<()> {
        let size = Winsize { ws_col: size.cols, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.0.get_ref(), size)
            .map_err(|e| TerminalError::failed("the terminal did not take the size", e))
    }

    /// The process group in the foreground.
    pub(super) fn foreground(&self) -> Option<i32> {
        rustix::termios::tcgetpgrp(self.0.get_ref()).ok().map(|group| group.as_raw_nonzero().get())
    }
}
