//! What a viewer gets, and when: tail, snapshot or gap, as far as its credit goes.
//!
//! A viewer never holds anything but a position. Output is taken from memory or from the log at that position; a
//! viewer that stays behind more than its window is told of the gap and shown the screen as it is now.

use super::live::{Terminal, read};
use crate::log::{Mark, MarkKind};
use crate::wire::{Attach, FromHost, MAX_HISTORY, RECORD_COST, RecordKind, WINDOWS};
use crate::{Result, TerminalError, lock};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

/// Output is collected this long, or until there is [`COALESCED`] of it, unless the viewer heard nothing lately.
const COALESCE: Duration = Duration::from_millis(8);
const COALESCED: u64 = 32 * 1024;
/// The most output in one record.
const RECORD: u64 = 64 * 1024;
/// With credit left, a viewer that output outruns is brought to the present at most this often.
const RESYNC: Duration = Duration::from_millis(250);
/// The longest snapshot, in bytes. It must fit into one record of every link that carries it further, and those end at
/// 1 MiB with their heads: a longer one would take the whole connection down.
const MAX_SNAPSHOT: usize = 900 * 1024;
/// With less credit than this a viewer waits for more.
const LEAST: u64 = 4096;

/// Messages on their way to one client.
pub(super) type Outgoing = mpsc::Sender<(FromHost, Bytes)>;

/// How much a viewer may still be sent.
pub(super) struct Credit {
    window: u64,
    left: Mutex<u64>,
    more: Notify,
}

impl Credit {
    pub(super) fn new(window: u32) -> Credit {
        let window = u64::from(window.clamp(*WINDOWS.start(), *WINDOWS.end()));
        Credit { window, left: Mutex::new(window), more: Notify::new() }
    }

    pub(super) fn give(&self, bytes: u64) {
        let mut left = lock(&self.left);
        *left = left.saturating_add(bytes).min(self.window);
        self.more.notify_one();
    }

    fn left(&self) -> u64 {
        *lock(&self.left)
    }

    /// A snapshot may be larger than what is left.
    fn take(&self, bytes: u64) {
        let mut left = lock(&self.left);
        *left = left.saturating_sub(bytes);
    }
}

/// A record for a viewer.
pub(super) struct Record {
    pub(super) kind: RecordKind,
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
}

/// Sends records of one attachment.
pub(super) struct Lane {
    pub(super) attachment: u32,
    pub(super) epoch: u64,
    pub(super) credit: Arc<Credit>,
    pub(super) out: Outgoing,
}

impl Lane {
    /// Sends a record and counts it; an error when the client is gone.
    pub(super) async fn send(&self, record: Record) -> Result<()> {
        self.credit.take(record.bytes.len() as u64 + RECORD_COST);
        let Record { kind, offset, bytes } = record;
        let head = FromHost::Record { attachment: self.attachment, kind, epoch: self.epoch, offset };
        self.out.send((head, bytes)).await.map_err(|_| TerminalError::Gone)
    }

    /// Waits until half the window is free.
    pub(super) async fn half(&self) {
        while self.credit.left() < self.credit.window / 2 {
            self.credit.more.notified().await;
        }
    }

    pub(super) fn window(&self) -> u64 {
        self.credit.window
    }

    /// How much output may go into the next record.
    pub(super) fn room(&self) -> u64 {
        self.credit.left().saturating_sub(RECORD_COST).min(RECORD)
    }
}

/// Whether a viewer that has everything before `have` can go on from there.
pub(super) fn can_follow(attach: &Attach, epoch: u64, log_start: u64, head: u64, window: u64) -> bool {
    attach.epoch == Some(epoch) && (log_start..=head).contains(&attach.have) && head - attach.have <= window
}

/// Where the hole begins for a viewer that knows this run; another viewer has none.
pub(super) fn hole(attach: &Attach, epoch: u64, head: u64) -> Option<u64> {
    (attach.epoch == Some(epoch) && attach.have < head).then_some(attach.have)
}

/// A viewer's position.
struct Viewer {
    next: u64,
    /// A snapshot is due; the hole before it begins here, if there is one.
    snapshot: Option<Option<u64>>,
    /// Marks at `next` that were sent.
    marks_sent: usize,
    lagging: bool,
    scrollback: bool,
    resynced: Option<Instant>,
}

enum Step {
    Send(Vec<Record>),
    /// Bytes that are only in the log.
    Load {
        from: u64,
        to: u64,
    },
    Wait,
    /// Wait until half the window is free.
    WaitCredit,
    End(Record),
}

/// Serves a viewer of a running terminal until its end.
pub(super) async fn pump(terminal: Arc<Terminal>, attach: Attach, lane: Lane) -> Result<()> {
    let mut versions = terminal.versions();
    let mut viewer = Viewer::begin(&terminal, &attach, lane.window());
    let mut sent = None;
    loop {
        versions.mark_unchanged();
        let step = viewer.step(&terminal, &lane, sent);
        match step {
            Step::Send(records) => {
                for record in records {
                    lane.send(record).await?;
                }
                sent = Some(Instant::now());
            }
            Step::Load { from, to } => {
                let number = terminal.number;
                match read(&terminal.log, move |reader| reader.bytes(number, from, to)).await {
                    Ok(bytes) if !bytes.is_empty() => {
                        viewer.passed(from + bytes.len() as u64);
                        lane.send(Record { kind: RecordKind::Data, offset: from, bytes: bytes.into() })
                            .await?;
                    }
                    // Pruned meanwhile.
                    _ => viewer.snapshot = Some(Some(from)),
                }
            }
            Step::Wait => {
                // The sender lives as long as the terminal, which is held here.
                drop(versions.changed().await);
                let pause =
                    sent.map_or(Duration::ZERO, |sent: Instant| COALESCE.saturating_sub(sent.elapsed()));
                let ready = terminal.core().head - viewer.next >= COALESCED;
                if !pause.is_zero() && !ready {
                    tokio::time::sleep(pause).await;
                }
            }
            Step::WaitCredit => lane.half().await,
            Step::End(record) => return lane.send(record).await,
        }
    }
}

impl Viewer {
    fn begin(terminal: &Terminal, attach: &Attach, window: u64) -> Viewer {
        let log_start = terminal.place.log_start.load(Ordering::Acquire);
        let head = terminal.core().head;
        let follows = can_follow(attach, terminal.epoch, log_start, head, window);
        Viewer {
            next: attach.have,
            snapshot: (!follows).then(|| hole(attach, terminal.epoch, head)),
            marks_sent: 0,
            lagging: false,
            scrollback: attach.scrollback,
            resynced: None,
        }
    }

    fn passed(&mut self, next: u64) {
        self.next = next;
        self.marks_sent = 0;
    }

    fn step(&mut self, terminal: &Terminal, lane: &Lane, sent: Option<Instant>) -> Step {
        let core = terminal.core();
        let (window, left) = (lane.window(), lane.credit.left());
        if self.lagging {
            if left < window / 2 {
                return Step::WaitCredit;
            }
            self.lagging = false;
            if core.head - self.next.min(core.head) > window {
                self.snapshot = Some(Some(self.next));
            }
        }
        if let Some(hole) = self.snapshot {
            if left < window / 2 {
                return Step::WaitCredit;
            }
            self.snapshot = None;
            self.resynced = Some(Instant::now());
            self.next = core.head;
            self.marks_sent = core.marks.iter().filter(|mark| mark.at == core.head).count();
            let bytes =
                snapshot(&core.emulator, if self.scrollback { terminal.scrollback } else { 0 }, window);
            let (offset, size) = (core.head, core.emulator.size());
            let gap = hole.filter(|from| *from < offset);
            let gap = gap.map(|from| Record {
                kind: RecordKind::Gap { to: offset },
                offset: from,
                bytes: Bytes::new(),
            });
            let screen = Record { kind: RecordKind::Snapshot { size }, offset, bytes };
            return Step::Send(gap.into_iter().chain([screen]).collect());
        }
        let marks = core.marks.iter().filter(|mark| mark.at == self.next && is_resize(mark));
        if let Some(mark) = marks.skip(self.marks_sent).last().copied() {
            self.marks_sent = core.marks.iter().filter(|mark| mark.at == self.next).count();
            return Step::Send(resize(mark).into_iter().collect());
        }
        if self.next == core.head {
            if core.state == crate::State::Running {
                return Step::Wait;
            }
            return Step::End(Record { kind: RecordKind::Exit, offset: core.head, bytes: Bytes::new() });
        }
        let behind = core.head - self.next;
        let is_due = self.resynced.or(sent).is_none_or(|at| at.elapsed() > RESYNC);
        if behind > window && is_due {
            self.snapshot = Some(Some(self.next));
            return Step::Send(Vec::new());
        }
        if left < LEAST && behind + RECORD_COST > left {
            self.lagging = true;
            return Step::WaitCredit;
        }
        let mark = core.marks.iter().map(|mark| mark.at).find(|at| *at > self.next);
        let to = mark.unwrap_or(core.head).min(core.head).min(self.next + lane.room());
        if self.next < core.ring_start {
            return Step::Load { from: self.next, to: to.min(core.ring_start) };
        }
        let offset = self.next;
        let bytes = core.recent(offset, usize::try_from(to - offset).unwrap_or(0));
        drop(core);
        self.passed(offset + bytes.len() as u64);
        Step::Send(vec![Record { kind: RecordKind::Data, offset, bytes }])
    }
}

fn is_resize(mark: &Mark) -> bool {
    matches!(mark.kind, MarkKind::Resize(_))
}

pub(super) fn resize(mark: Mark) -> Option<Record> {
    match mark.kind {
        MarkKind::Resize(size) => {
            Some(Record { kind: RecordKind::Resize { size }, offset: mark.at, bytes: Bytes::new() })
        }
        MarkKind::Exit => None,
    }
}

/// A snapshot with as much scrollback as fits into `window`. The screen itself may be larger than a window, but never
/// than [`MAX_SNAPSHOT`].
pub(super) fn snapshot(emulator: &crate::Emulator, lines: usize, window: u64) -> Bytes {
    let most = window.saturating_sub(2 * RECORD_COST).min(MAX_SNAPSHOT as u64);
    let mut lines = lines;
    while lines > 0 {
        let bytes = emulator.snapshot(lines);
        if bytes.len() as u64 <= most {
            return bytes.into();
        }
        lines /= 4;
    }
    emulator.snapshot_within(MAX_SNAPSHOT).into()
}

/// Log bytes of a running terminal, as [`crate::Client::history`].
pub(super) async fn history(terminal: &Terminal, from: u64, to: u64) -> Result<Bytes> {
    let to = to.min(from.saturating_add(MAX_HISTORY));
    let stored = {
        let core = terminal.core();
        let to = to.min(core.head);
        if from >= to {
            return Ok(Bytes::new());
        }
        if from >= core.ring_start {
            return Ok(core.recent(from, usize::try_from(to - from).unwrap_or(0)));
        }
        to.min(core.ring_start)
    };
    let number = terminal.number;
    read(&terminal.log, move |reader| reader.bytes(number, from, stored)).await.map(Bytes::from)
}
