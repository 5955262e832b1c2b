//! Calls with a key take effect once: what was answered is kept for a day, and a repeat gets it again.
//!
//! A key is noted before the call begins, and its answer after it. Where the engine ended in between, nobody knows whether
//! the call took effect; a repeat is told so, and does nothing.
//!
//! What is kept is bounded: an answer that no link can carry is not kept, and of all of them the newest that have
//! [`MAX_ANSWERS`] together are. A repeat of a call whose answer is gone has no second effect either; it is told that the
//! call was answered, and where to look.

use crate::Inner;
use crate::error::database;
use futures_util::future::BoxFuture;
use rpc::link::MAX_MESSAGE_BYTES;
use rpc::{ApiError, ErrorCode, Frame, Keyed, Once};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::keyed_calls::Known;
use tokio::sync::watch;

/// How long an answer is kept.
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// What the kept answers may have together, in bytes.
const MAX_ANSWERS: u64 = 32 << 20;

/// After so many bytes of new answers the bound on all of them is looked after.
const LOOKED_AFTER: u64 = 1 << 20;

type Table = HashMap<[u8; 32], watch::Receiver<()>>;

/// The calls that run now, by what their key is stored as. Whoever repeats one waits until its sender is dropped.
pub(crate) struct RunningKeys {
    table: Mutex<Table>,
    /// The bytes of answers since it was looked whether they are too many. What was there before counts as much.
    new: AtomicU64,
}

impl Default for RunningKeys {
    fn default() -> RunningKeys {
        RunningKeys { table: Mutex::default(), new: AtomicU64::new(LOOKED_AFTER) }
    }
}

impl RunningKeys {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keeper of a router's keys.
pub(crate) struct KeyKeeper(pub(crate) Arc<Inner>);

/// A call's place among the running ones; given up when dropped, however the call ends.
struct Place {
    inner: Arc<Inner>,
    id: [u8; 32],
    _ends: watch::Sender<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.keys.table().remove(&self.id);
    }
}

impl Place {
    /// Waits until no call with this key runs, and takes its place.
    async fn take(inner: &Arc<Inner>, id: [u8; 32]) -> Place {
        loop {
            let mut running = {
                let mut table = inner.keys.table();
                match table.get(&id) {
                    Some(running) => running.clone(),
                    None => {
                        let (ends, running) = watch::channel(());
                        table.insert(id, running);
                        return Place { inner: Arc::clone(inner), id, _ends: ends };
                    }
                }
            };
            // An error means that it has ended.
            while running.changed().await.is_ok() {}
        }
    }
}

/// SHA-256 over parts, each after its length.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"plantocode-key-v1");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

type Answer = Result<Box<RawValue>, ApiError>;

impl Once for KeyKeeper {
    fn once(&self, call: Keyed, work: BoxFuture<'static, Answer>) -> BoxFuture<'static, Answer> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            // The key itself is not stored, so nobody can try out what a stored call may have said.
            let id = digest(&["id", &call.caller, &call.key]);
            let said = digest(&["call", &call.key, call.method, &call.params]);
            let place = Place::take(&inner, id).await;
            let now = inner.now();
            let known = inner.store.write(move |db| store::keyed_calls::begin(db, &id, &said, now, KEPT_MS));
            match known.await.map_err(database)? {
                Known::New => {}
                Known::Other => {
                    let message =
                        "This key was used for another call. Nothing was done; draw a new key for each call.";
                    return Err(ApiError::new(ErrorCode::Conflict, "key_reused", message));
                }
                Known::Begun => {
                    let message = "A call with this key was begun, and how it ended is not known. Nothing was done now. Look \
                                   whether it took effect before you call with another key.";
                    return Err(ApiError::new(ErrorCode::Conflict, "outcome_unknown", message));
                }
                Known::Dropped => {
                    let message = "A call with this key was answered, and the answer was too long to be kept, or so many came \
                                   after it. Nothing was done again. Look what it changed before you call with another key.";
                    return Err(ApiError::new(ErrorCode::Conflict, "answer_not_kept", message));
                }
                Known::Answered(text) => return answer_of(&text),
            }
            let answer = work.await;
            keep(&inner, id, &answer).await;
            drop(place);
            answer
        })
    }
}

/// Keeps an answer. Where that fails the caller has it all the same, and a repeat is told that it is not known.
async fn keep(inner: &Inner, id: [u8; 32], answer: &Answer) {
    let frame = Frame::Response { id: None, result: answer.clone() };
    // What cannot be written could not be sent either.
    let Ok(text) = frame.to_text() else { return };
    let text = Some(text).filter(|text| text.len() <= MAX_MESSAGE_BYTES);
    let bytes = text.as_ref().map_or(0, |text| text.len() as u64);
    let full = inner.keys.new.fetch_add(bytes, Ordering::Relaxed) + bytes > LOOKED_AFTER;
    let store = move |db: &store::Db<'_>| {
        store::keyed_calls::answer(db, &id, text.as_deref())?;
        if full { store::keyed_calls::keep_within(db, MAX_ANSWERS) } else { Ok(()) }
    };
    let stored = inner.store.write(store).await;
    if full && stored.is_ok() {
        inner.keys.new.store(0, Ordering::Relaxed);
    }
    if let Err(error) = stored {
        tracing::error!(%error, "the answer of a call with a key cannot be kept");
    }
}

fn answer_of(text: &str) -> Answer {
    match Frame::parse(text) {
        Ok(Frame::Response { result, .. }) => result,
        _ => Err(crate::error::damaged("answer of a call with a key")),
    }
}
