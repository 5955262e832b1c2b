//! The signals that ask a process to end.

use host::Host;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and, on Unix, SIGTERM. One value for the whole run, so that none is missed between two waits.
pub struct Signals {
    #[cfg(unix)]
    of: [Option<Signal>; 2],
}

impl Signals {
    /// Listens from now on. A signal that cannot be listened to ends the process at once, as it would without us.
    pub fn listen() -> Signals {
        #[cfg(unix)]
        let of = [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
        Signals {
            #[cfg(unix)]
            of,
        }
    }

    /// Waits for the next of them.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.of;
        tokio::select! { () = one(interrupt) => {}, () = one(terminate) => {} }
    }

    /// Waits for the next of them.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends the engine, if it is this program's own, once the steps that run are done. A signal by then does not wait for them:
/// what had arrived is kept, and the next start goes on from there.
pub async fn close(host: Host) {
    let mut signals = Signals::listen();
    tokio::select! {
        () = host.close() => {}
        () = signals.next() => {}
    }
}
