//! What an observer of a router is told: which frames crossed which link, and never what stood in them.
//!
//! A method is named only when the router has it, so a text that a caller sent as a method's name is not passed on.
//! Nothing here has a clock: the observer brings its own.

use crate::caller::Caller;
use crate::error::ErrorCode;
use crate::router::Router;
use std::sync::Arc;

/// What kind of message crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crossed {
    /// From the caller: a call.
    Call,
    /// From the caller: stop a call.
    Cancel,
    /// From the caller: more of a stream or a feed may come.
    Credit,
    /// From the caller: what is none of these, or cannot be read.
    Other,
    /// To the caller: the one answer of a unary call.
    Answer,
    /// To the caller: an item of a stream.
    Item,
    /// To the caller: a record of a feed.
    Record,
    /// To the caller: the end of a stream or a feed.
    End,
}

impl Crossed {
    /// Whether it came from the caller.
    pub fn is_inward(self) -> bool {
        matches!(self, Crossed::Call | Crossed::Cancel | Crossed::Credit | Crossed::Other)
    }
}

/// One message that crossed a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The link, as [`Observer::opened`] numbered it.
    pub link: u64,
    /// What it was.
    pub what: Crossed,
    /// The method of its call; `None` when the router has no such method, or the message belongs to no open call.
    pub method: Option<&'static str>,
    /// Its length.
    pub bytes: usize,
    /// Milliseconds since its call began; `None` for the call itself and for what belongs to none.
    pub after_ms: Option<u64>,
    /// The error that it carries.
    pub error: Option<ErrorCode>,
}

/// Is told of every message of every link that a router serves. Called on the way of each message: it must be quick.
pub trait Observer: Send + Sync {
    /// Milliseconds on a clock that never goes back.
    fn now_ms(&self) -> u64;
    /// A link to this caller was opened. The number names it from now on.
    fn opened(&self, caller: &Caller) -> u64;
    /// A message crossed.
    fn crossed(&self, seen: Seen);
    /// The other end of a link has gone.
    fn closed(&self, link: u64);
}

/// A link as its observer knows it; without an observer it does nothing.
#[derive(Clone)]
pub(crate) struct Tap {
    observer: Option<Arc<dyn Observer>>,
    link: u64,
}

impl Tap {
    pub(crate) fn open(router: &Router, caller: &Caller) -> Tap {
        let observer = router.observer();
        let link = observer.as_ref().map_or(0, |observer| observer.opened(caller));
        Tap { observer, link }
    }

    /// The number of the link; 0 without an observer.
    pub(crate) fn link(&self) -> u64 {
        self.link
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.observer.as_ref().map_or(0, |observer| observer.now_ms())
    }

    /// Tells of a message; `begun` is when its call came.
    pub(crate) fn crossed(
        &self,
        what: Crossed,
        method: Option<&'static str>,
        bytes: usize,
        begun: Option<u64>,
        error: Option<ErrorCode>,
    ) {
        let Some(observer) = &self.observer else { return };
        let after_ms = begun.map(|begun| observer.now_ms().saturating_sub(begun));
        observer.crossed(Seen { link: self.link, what, method, bytes, after_ms, error });
    }
}

/// Tells that a link has ended, however its serving does.
pub(crate) struct Opened(pub(crate) Tap);

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(observer) = &self.0.observer {
            observer.closed(self.0.link);
        }
    }
}
