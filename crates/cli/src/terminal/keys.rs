//! The terminal that this program runs in: its size, its keys as they are, and changes of its size.

use tokio::sync::mpsc;

/// Ctrl-]: leaves an attached terminal.
pub const LEAVE: u8 = 0x1d;

/// Columns and rows.
#[cfg(unix)]
pub fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 1 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Columns and rows.
#[cfg(not(unix))]
pub fn size() -> Option<(u16, u16)> {
    None
}

/// Keys come as they are pressed until this is dropped.
#[cfg(unix)]
pub struct Raw(rustix::termios::Termios);

#[cfg(unix)]
impl Raw {
    /// Begins; `None` when standard input is no terminal.
    pub fn begin() -> Option<Raw> {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw(before))
    }
}

#[cfg(unix)]
impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal may have gone; then nobody is left to be annoyed.
        let _gone =
            rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

/// Keys come as they are pressed until this is dropped.
#[cfg(not(unix))]
pub struct Raw;

#[cfg(not(unix))]
impl Raw {
    /// Not on this system.
    pub fn begin() -> Option<Raw> {
        None
    }
}

/// What is typed, in pieces; closes with standard input. The thread that reads lasts as long as the process.
pub fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (tx, rx) = mpsc::channel(16);
    std::thread::spawn(move || {
        use std::io::Read;
        let mut stdin = std::io::stdin().lock();
        let mut bytes = vec![0; 4 << 10];
        while let Ok(read @ 1..) = stdin.read(&mut bytes) {
            if tx.blocking_send(bytes[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    rx
}

/// Tells of changes of the window's size.
pub struct Resizes {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Resizes {
    /// Listens from now on.
    pub fn listen() -> Resizes {
        Resizes {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).ok(),
        }
    }

    /// Waits for the next change.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
