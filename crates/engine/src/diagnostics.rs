//! Which frames cross which link: the newest in memory, and those that follow for whoever looks. Never what stands in them.

use crate::{Engine, env::Clock};
use api::diagnostics::{Diagnostics, FrameKind, FrameSeen, LinkList, OpenLink, WatchFrames};
use api::{Empty, TimeMs};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, Crossed, ErrorCode, ItemStream, Observer, Seen};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How many frames are remembered, and how many a client may be behind.
const CAPACITY: usize = 4096;

/// The longest name of a client that is kept, in characters.
const LONGEST_NAME: usize = 60;

/// The stream that shows the others: its own items would be seen for ever.
const OWN: &str = "diagnostics.frames";

/// The frames of every link of this engine.
pub(crate) struct FrameLog {
    clock: Clock,
    started: Instant,
    links: Mutex<Links>,
    sender: broadcast::Sender<Noted>,
}

#[derive(Default)]
struct Links {
    count: u64,
    open: BTreeMap<u64, Open>,
    last: VecDeque<Noted>,
}

struct Open {
    caller: Arc<str>,
    client: Option<Arc<str>>,
    opened_at: TimeMs,
    frames: [u64; 2],
    bytes: [u64; 2],
}

#[derive(Clone)]
struct Noted {
    at: TimeMs,
    link: u64,
    caller: Arc<str>,
    client: Option<Arc<str>>,
    kind: FrameKind,
    method: Option<&'static str>,
    ms: Option<u64>,
    bytes: u64,
    error: Option<ErrorCode>,
}

impl Noted {
    fn about(at: TimeMs, link: u64, caller: Arc<str>, kind: FrameKind) -> Noted {
        Noted { at, link, caller, client: None, kind, method: None, ms: None, bytes: 0, error: None }
    }

    fn is_wanted(&self, request: &WatchFrames) -> bool {
        let begins = |text: Option<&str>, with: &Option<String>| {
            with.as_ref().is_none_or(|with| text.is_some_and(|text| text.starts_with(with.as_str())))
        };
        self.kind == FrameKind::Gap
            || (request.link.is_none_or(|link| link == self.link)
                && (begins(Some(&self.caller), &request.caller)
                    || begins(self.client.as_deref(), &request.caller))
                && begins(self.method, &request.method))
    }

    fn view(self) -> FrameSeen {
        FrameSeen {
            at: self.at,
            link: self.link,
            caller: self.caller.to_string(),
            client: self.client.as_deref().map(str::to_owned),
            kind: self.kind,
            method: self.method.map(str::to_owned),
            ms: self.ms,
            bytes: self.bytes,
            error: self.error.map(|code| code.name().to_owned()),
        }
    }
}

fn kind(what: Crossed) -> FrameKind {
    match what {
        Crossed::Call => FrameKind::Call,
        Crossed::Cancel => FrameKind::Cancel,
        Crossed::Credit => FrameKind::Credit,
        Crossed::Other => FrameKind::Other,
        Crossed::Answer => FrameKind::Answer,
        Crossed::Item => FrameKind::Item,
        Crossed::Record => FrameKind::Record,
        Crossed::End => FrameKind::End,
    }
}

impl FrameLog {
    pub(crate) fn new(clock: Clock) -> FrameLog {
        let sender = broadcast::Sender::new(CAPACITY);
        FrameLog { clock, started: Instant::now(), links: Mutex::default(), sender }
    }

    fn at(&self) -> TimeMs {
        (self.clock)().max(0).cast_unsigned()
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the program at the other end of a link calls itself: of it the first characters, and none that cannot be
    /// seen. It is shown and decides nothing.
    pub(crate) fn is_called(&self, link: u64, name: &str) {
        let seen = name.trim().chars().take(LONGEST_NAME);
        let name: String = seen.map(|c| if plan::path::is_invisible(c) { '\u{fffd}' } else { c }).collect();
        if let Some(open) = self.links().open.get_mut(&link)
            && !name.is_empty()
        {
            open.client = Some(name.into());
        }
    }

    /// Inside the lock: whoever subscribes has each frame either in the list or in the channel.
    fn note(&self, links: &mut Links, noted: Noted) {
        if links.last.len() == CAPACITY {
            links.last.pop_front();
        }
        links.last.push_back(noted.clone());
        // Nobody looking is not an error.
        drop(self.sender.send(noted));
    }

    fn watch(&self, request: &WatchFrames) -> (Vec<Noted>, broadcast::Receiver<Noted>) {
        let links = self.links();
        let wanted = links.last.iter().rev().filter(|noted| noted.is_wanted(request));
        let mut past: Vec<Noted> = wanted.take(request.last as usize).cloned().collect();
        past.reverse();
        (past, self.sender.subscribe())
    }
}

impl Observer for FrameLog {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn opened(&self, caller: &Caller) -> u64 {
        let (at, caller) = (self.at(), Arc::<str>::from(caller.name.as_str()));
        let mut links = self.links();
        links.count += 1;
        let link = links.count;
        let name = Arc::clone(&caller);
        let open = Open { caller: name, client: None, opened_at: at, frames: [0; 2], bytes: [0; 2] };
        links.open.insert(link, open);
        self.note(&mut links, Noted::about(at, link, caller, FrameKind::Opened));
        link
    }

    fn crossed(&self, seen: Seen) {
        if seen.method == Some(OWN) && matches!(seen.what, Crossed::Item | Crossed::Credit) {
            return;
        }
        let (at, bytes) = (self.at(), seen.bytes as u64);
        let mut links = self.links();
        let Some(open) = links.open.get_mut(&seen.link) else { return };
        let way = usize::from(!seen.what.is_inward());
        open.frames[way] += 1;
        open.bytes[way] += bytes;
        let about = Noted::about(at, seen.link, Arc::clone(&open.caller), kind(seen.what));
        let (client, ms) = (open.client.clone(), seen.after_ms);
        let noted = Noted { client, method: seen.method, ms, bytes, error: seen.error, ..about };
        self.note(&mut links, noted);
    }

    fn closed(&self, link: u64) {
        let at = self.at();
        let mut links = self.links();
        if let Some(open) = links.open.remove(&link) {
            let about = Noted::about(at, link, open.caller, FrameKind::Closed);
            self.note(&mut links, Noted { client: open.client, ..about });
        }
    }
}

impl Diagnostics for Engine {
    async fn links(&self, _: &Caller, _: Empty) -> Result<LinkList, ApiError> {
        let links = self.inner.frames.links();
        let view = |(link, open): (&u64, &Open)| OpenLink {
            link: *link,
            caller: open.caller.to_string(),
            client: open.client.as_deref().map(str::to_owned),
            opened_at: open.opened_at,
            frames_in: open.frames[0],
            frames_out: open.frames[1],
            bytes_in: open.bytes[0],
            bytes_out: open.bytes[1],
        };
        Ok(LinkList { links: links.open.iter().map(view).collect() })
    }

    async fn frames(&self, _: &Caller, request: WatchFrames) -> Result<ItemStream<FrameSeen>, ApiError> {
        let (past, live) = self.inner.frames.watch(&request);
        let past = futures_util::stream::iter(past.into_iter().map(|noted| Ok(noted.view())));
        if request.only_past {
            return Ok(past.boxed());
        }
        let log = Arc::clone(&self.inner.frames);
        let rest =
            futures_util::stream::unfold((live, log, request), |(mut live, log, request)| async move {
                loop {
                    let noted = match live.recv().await {
                        Ok(noted) => noted,
                        Err(RecvError::Lagged(_)) => Noted::about(log.at(), 0, Arc::from(""), FrameKind::Gap),
                        Err(RecvError::Closed) => return None,
                    };
                    if noted.is_wanted(&request) {
                        return Some((Ok(noted.view()), (live, log, request)));
                    }
                }
            });
        Ok(past.chain(rest).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> FrameLog {
        FrameLog::new(Arc::new(|| 1_700_000_000_000))
    }

    fn seen(link: u64, what: Crossed, method: &'static str) -> Seen {
        Seen { link, what, method: Some(method), bytes: 10, after_ms: Some(3), error: None }
    }

    #[test]
    fn the_newest_are_kept_and_the_stream_does_not_see_itself() {
        let log = log();
        let link = log.opened(&Caller::owner("cli"));
        for _ in 0..CAPACITY + 5 {
            log.crossed(seen(link, Crossed::Item, "plans.watch"));
            log.crossed(seen(link, Crossed::Item, OWN));
            log.crossed(seen(link, Crossed::Credit, OWN));
        }
        log.crossed(seen(link, Crossed::End, OWN));
        let all = WatchFrames { last: u32::MAX, ..WatchFrames::default() };
        let (past, _) = log.watch(&all);
        assert_eq!(past.len(), CAPACITY);
        let own = past.iter().filter(|noted| noted.method == Some(OWN));
        assert_eq!(own.map(|noted| noted.kind).collect::<Vec<_>>(), [FrameKind::End]);
    }

    #[test]
    fn a_client_is_called_as_it_says_within_bounds() {
        let log = log();
        let link = log.opened(&Caller::owner("cli"));
        log.is_called(link, " ");
        log.crossed(seen(link, Crossed::Call, "jobs.list"));
        log.is_called(link, &format!("\u{1b}[31m{}\u{202e}", "x".repeat(100)));
        log.is_called(link + 1, "somebody else");
        log.crossed(seen(link, Crossed::Answer, "jobs.list"));
        log.closed(link);
        let of = |caller: &str| {
            let request = WatchFrames { caller: Some(caller.into()), last: 9, ..WatchFrames::default() };
            log.watch(&request).0.into_iter().map(Noted::view).collect::<Vec<_>>()
        };
        let clients: Vec<Option<usize>> =
            of("cli").iter().map(|frame| frame.client.as_ref().map(|name| name.chars().count())).collect();
        assert_eq!(clients, [None, None, Some(60), Some(60)]);
        let named = of("\u{fffd}[31mx");
        assert!(named.len() == 2 && named.iter().all(|frame| frame.caller == "cli"), "{named:?}");
    }

    #[test]
    fn only_what_is_asked_for_is_shown() {
        let log = log();
        let one = log.opened(&Caller::owner("device:1"));
        let two = log.opened(&Caller::owner("browser"));
        log.crossed(seen(one, Crossed::Call, "jobs.list"));
        log.crossed(seen(two, Crossed::Call, "plans.get"));
        log.crossed(seen(two, Crossed::Answer, "plans.get"));
        log.closed(two);
        log.crossed(seen(two, Crossed::Answer, "plans.get"));
        let count = |request: WatchFrames| log.watch(&WatchFrames { last: 100, ..request }).0.len();
        assert_eq!(count(WatchFrames::default()), 6, "what comes after the end of a link is nobody's");
        assert_eq!(count(WatchFrames { link: Some(one), ..WatchFrames::default() }), 2);
        assert_eq!(count(WatchFrames { caller: Some("device".into()), ..WatchFrames::default() }), 2);
        assert_eq!(count(WatchFrames { method: Some("plans.".into()), ..WatchFrames::default() }), 2);
        let (last, _) = log.watch(&WatchFrames { last: 1, ..WatchFrames::default() });
        assert_eq!(last[0].kind, FrameKind::Closed);
    }
}
