//! The Enter key, without stopping a job in the background.
//!
//! A process in the background that reads its terminal is stopped by the system (SIGTTIN). So a terminal is read
//! only when a line waits there and this process is in the foreground; what is typed for somebody else is left.

use std::io::{IsTerminal, Read};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long to leave a terminal alone that somebody else reads.
const NOT_OURS: Duration = Duration::from_millis(500);

/// Lines of standard input, as they come; the channel closes with it. The thread that reads lasts as long as the
/// process, because a read cannot be interrupted.
pub fn presses() -> mpsc::Receiver<()> {
    let (pressed, presses) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let terminal = stdin.is_terminal();
        // Not smaller than the buffer of `Stdin`, so that nothing stays behind in it where `wait` cannot see it.
        let mut bytes = vec![0; 64 << 10];
        while !terminal || wait() {
            let read = match stdin.read(&mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(read) => &bytes[..read],
            };
            for _ in read.iter().filter(|b| **b == b'\n') {
                if pressed.blocking_send(()).is_err() {
                    return;
                }
            }
        }
    });
    presses
}

/// Waits until the terminal has a line for us; `false` when it never will.
#[cfg(unix)]
fn wait() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = std::io::stdin();
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return false,
        }
        match rustix::termios::tcgetpgrp(&stdin) {
            Ok(foreground) if foreground == rustix::process::getpgrp() => return true,
            Ok(_) => std::thread::sleep(NOT_OURS),
            Err(_) => return false,
        }
    }
}

#[cfg(not(unix))]
fn wait() -> bool {
    true
}
