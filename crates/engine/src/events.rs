//! Says what changed. Told only after the change is committed.

use crate::Engine;
use api::events::{Change, Events, Topic, WatchEvents};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ItemStream};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that a client may be behind, or have missed, before it is told of a gap.
const CAPACITY: usize = 1024;

/// The engine's one stream of changes. Each has a cursor: the process that told it, and its number there.
#[derive(Clone)]
pub(crate) struct Bus {
    sender: broadcast::Sender<Change>,
    told: Arc<Mutex<Told>>,
}

/// The last changes.
struct Told {
    /// Drawn for this process: a cursor of an earlier one is not taken for one of ours.
    epoch: String,
    /// How many were told.
    count: u64,
    last: VecDeque<Change>,
}

impl Told {
    fn cursor(&self) -> String {
        format!("{}.{}", self.epoch, self.count)
    }

    /// The changes after a cursor; `None` when they are not all known any more.
    fn since(&self, cursor: &str) -> Option<Vec<Change>> {
        let (epoch, seen) = cursor.rsplit_once('.')?;
        let missed = self.count.checked_sub(seen.parse().ok()?)?;
        let missed = usize::try_from(missed).ok()?;
        (epoch == self.epoch && missed <= self.last.len())
            .then(|| self.last.iter().skip(self.last.len() - missed).cloned().collect())
    }
}

impl Bus {
    /// A stream of changes; `epoch` must differ between processes.
    pub(crate) fn new(epoch: String) -> Bus {
        let told = Told { epoch, count: 0, last: VecDeque::with_capacity(CAPACITY) };
        Bus { sender: broadcast::Sender::new(CAPACITY), told: Arc::new(Mutex::new(told)) }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    /// Tells that the thing `id` changed.
    pub(crate) fn tell(&self, topic: Topic, id: &str, session: Option<&str>) {
        // Sent inside the lock: whoever subscribes has each change either in the list or in the channel.
        let mut told = self.told();
        told.count += 1;
        let change = Change { cursor: told.cursor(), ..change(topic, id, session) };
        if told.last.len() == CAPACITY {
            told.last.pop_front();
        }
        told.last.push_back(change.clone());
        // Nobody listening is not an error.
        drop(self.sender.send(change));
    }

    /// What comes first for a client that has seen everything up to a cursor, and everything after.
    fn follow(&self, since: Option<&str>) -> (Vec<Change>, broadcast::Receiver<Change>) {
        let told = self.told();
        let here = |topic| Change { cursor: told.cursor(), ..change(topic, "", None) };
        let mut first = vec![here(Topic::Ready)];
        match since.map(|cursor| told.since(cursor)) {
            None => {}
            Some(Some(missed)) => first.extend(missed),
            Some(None) => first.push(here(Topic::Gap)),
        }
        (first, self.sender.subscribe())
    }
}

fn change(topic: Topic, id: &str, session: Option<&str>) -> Change {
    Change { topic, id: id.to_owned(), session: session.map(str::to_owned), cursor: String::new() }
}

impl Events for Engine {
    async fn watch(&self, _: &Caller, request: WatchEvents) -> Result<ItemStream<Change>, ApiError> {
        let (first, changes) = self.inner.bus.follow(request.since.as_deref());
        let bus = self.inner.bus.clone();
        let rest = futures_util::stream::unfold((changes, bus), |(mut changes, bus)| async move {
            match changes.recv().await {
                Ok(change) => Some((Ok(change), (changes, bus))),
                Err(RecvError::Lagged(_)) => {
                    // What is read after this point is followed: the channel goes on at its oldest change.
                    let gap = Change { cursor: bus.told().cursor(), ..change(Topic::Gap, "", None) };
                    Some((Ok(gap), (changes, bus)))
                }
                Err(RecvError::Closed) => None,
            }
        });
        Ok(futures_util::stream::iter(first.into_iter().map(Ok)).chain(rest).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.id.as_str()).collect()
    }

    #[test]
    fn a_client_that_comes_back_gets_exactly_what_it_missed() {
        let bus = Bus::new("e1".into());
        for id in ["a", "b", "c"] {
            bus.tell(Topic::Job, id, None);
        }
        let (first, _) = bus.follow(None);
        assert_eq!((first.len(), first[0].topic, first[0].cursor.as_str()), (1, Topic::Ready, "e1.3"));
        let (missed, mut live) = bus.follow(Some("e1.1"));
        assert_eq!(ids(&missed), ["", "b", "c"]);
        bus.tell(Topic::Job, "d", None);
        assert_eq!(live.try_recv().unwrap().cursor, "e1.4");
        assert_eq!(bus.follow(Some("e1.4")).0.len(), 1, "nothing was missed");
    }

    #[test]
    fn what_is_no_longer_known_is_said_and_never_passed_over() {
        let bus = Bus::new("e2".into());
        for n in 0..CAPACITY + 5 {
            bus.tell(Topic::Job, &n.to_string(), None);
        }
        assert_eq!(bus.follow(Some("e2.5")).0.len(), CAPACITY + 1);
        for cursor in ["e2.4", "e1.1029", "e2.99999", "", "nonsense", "e2.x"] {
            let (first, _) = bus.follow(Some(cursor));
            assert_eq!(first.last().map(|change| change.topic), Some(Topic::Gap), "{cursor:?}");
        }
    }
}
