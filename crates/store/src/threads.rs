//! Threads that own a connection each and run closures on it.

use crate::{Result, StoreError};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// Threads that share one queue. They end when the last clone is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct Pool {
    queue: Sender<Work>,
}

impl Pool {
    pub(crate) fn start(name: &str, connections: Vec<Connection>) -> Pool {
        let (queue, work) = channel::<Work>();
        let work = Arc::new(Mutex::new(work));
        for connection in connections {
            let work = Arc::clone(&work);
            let spawned =
                std::thread::Builder::new().name(name.to_owned()).spawn(move || serve(connection, &work));
            // Without a thread the queue has no reader, and every call answers `Closed`.
            drop(spawned);
        }
        Pool { queue }
    }

    pub(crate) async fn run<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            // Whoever asked may have gone away; the work is done all the same.
            drop(reply.send(f(connection)));
        });
        self.queue.send(work).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

fn serve(mut connection: Connection, work: &Mutex<Receiver<Work>>) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return };
        // A panic in a closure drops its reply, which answers `Closed`, and rolls its transaction back; the
        // thread goes on.
        drop(catch_unwind(AssertUnwindSafe(|| next(&mut connection))));
    }
}
