//! Ctrl-C during a search, which holds its threads: it is asked to stop, and not waited for long.

use crate::exit::{Ended, INTERRUPTED};
use crate::show;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long work that was asked to stop is waited for. A folder on a network that has gone may hold it for ever.
const PATIENCE: Duration = Duration::from_secs(3);

const TOLD: &str =
    "interrupted. Nothing in the project was changed, and the index is whole: it holds what it held before";

/// The end of a search that stopped because it was asked to.
pub fn ended() -> anyhow::Error {
    Ended::error(INTERRUPTED, TOLD)
}

/// Does work that ends soon after the flag it is given was set, which Ctrl-C does. Whatever holds the program when Ctrl-C
/// comes again, or later than the work, ends at once.
pub fn stoppable<T>(work: impl FnOnce(&AtomicBool) -> T) -> T {
    let (stop, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    // Without a handler Ctrl-C ends the program as the system does, which leaves a whole index, too.
    let _ = watch(Arc::clone(&stop), Arc::clone(&over));
    let done = work(&stop);
    over.store(true, Ordering::Relaxed);
    done
}

fn watch(stop: Arc<AtomicBool>, over: Arc<AtomicBool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        listen()?
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(move || {
        runtime.block_on(async {
            signals.recv().await;
            if !over.load(Ordering::Relaxed) {
                stop.store(true, Ordering::Relaxed);
                // Either way it is long enough.
                let _ = tokio::time::timeout(PATIENCE, signals.recv()).await;
            }
        });
        show::error(&ended());
        std::process::exit(INTERRUPTED.into());
    })?;
    Ok(())
}

#[cfg(unix)]
fn listen() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn listen() -> io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}
