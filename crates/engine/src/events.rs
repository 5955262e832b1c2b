//! Says what changed. Told only after the change is committed.

use crate::Engine;
use api::Empty;
use api::events::{Change, Events, Topic};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ItemStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that a slow client may be behind before it is told of a gap.
const CAPACITY: usize = 1024;

/// The engine's one stream of changes.
#[derive(Clone)]
pub(crate) struct Bus {
    sender: broadcast::Sender<Change>,
}

impl Default for Bus {
    fn default() -> Bus {
        Bus { sender: broadcast::Sender::new(CAPACITY) }
    }
}

impl Bus {
    /// Every change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    /// Tells that the thing `id` changed.
    pub(crate) fn tell(&self, topic: Topic, id: &str, session: Option<&str>) {
        // Nobody listening is not an error.
        drop(self.sender.send(change(topic, id, session)));
    }
}

fn change(topic: Topic, id: &str, session: Option<&str>) -> Change {
    Change { topic, id: id.to_owned(), session: session.map(str::to_owned) }
}

impl Events for Engine {
    async fn watch(&self, _: &Caller, _: Empty) -> Result<ItemStream<Change>, ApiError> {
        let changes = self.inner.bus.subscribe();
        let ready = futures_util::stream::iter([Ok(change(Topic::Ready, "", None))]);
        let rest = futures_util::stream::unfold(changes, |mut changes| async move {
            match changes.recv().await {
                Ok(change) => Some((Ok(change), changes)),
                Err(RecvError::Lagged(_)) => Some((Ok(change(Topic::Gap, "", None)), changes)),
                Err(RecvError::Closed) => None,
            }
        });
        Ok(ready.chain(rest).boxed())
    }
}
