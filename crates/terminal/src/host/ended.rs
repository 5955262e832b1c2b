//! Viewers of terminals whose program has ended: the log alone answers.

use super::live::read;
use super::pump::{Lane, Record, can_follow, hole, resize, snapshot};
use crate::emulator::Emulator;
use crate::log::{Log, Mark, MarkKind, Reader, Stored};
use crate::wire::{Attach, MAX_HISTORY, RecordKind, Size};
use crate::{Result, TerminalError};
use bytes::Bytes;

/// How much of the end of a log is shown again to find its last screen.
const REPLAY: u64 = 4 * 1024 * 1024;

/// Serves a viewer of an ended terminal: tail or snapshot, then the exit.
pub(super) async fn show(log: Log, stored: Stored, attach: Attach, lane: Lane) -> Result<()> {
    let (number, info) = (stored.number, stored.info);
    let mut next = attach.have;
    if can_follow(&attach, info.epoch, info.log_start, info.head, lane.window()) {
        let marks = read(&log, move |reader| reader.marks(number, next)).await?;
        let mut marks = marks.into_iter().peekable();
        loop {
            while let Some(mark) = marks.next_if(|mark| mark.at == next) {
                if let Some(record) = resize(mark) {
                    lane.send(record).await?;
                }
            }
            if next == info.head {
                break;
            }
            if lane.room() == 0 {
                lane.half().await;
            }
            let to = marks.peek().map_or(info.head, |mark| mark.at).min(next + lane.room());
            let bytes = read(&log, move |reader| reader.bytes(number, next, to)).await?;
            if bytes.is_empty() {
                return Err(TerminalError::Invalid("the log ends early".to_owned()));
            }
            let offset = next;
            next += bytes.len() as u64;
            lane.send(Record { kind: RecordKind::Data, offset, bytes: bytes.into() }).await?;
        }
    } else {
        let lines = if attach.scrollback { usize::try_from(stored.scrollback).unwrap_or(0) } else { 0 };
        let (window, start, head, size) = (lane.window(), info.log_start, info.head, info.size);
        let scrollback = stored.scrollback;
        let (size, bytes) = read(&log, move |reader| {
            let emulator = replay(reader, number, start, head, size, scrollback)?;
            Ok((emulator.size(), snapshot(&emulator, lines, window)))
        })
        .await?;
        if let Some(from) = hole(&attach, info.epoch, head) {
            lane.send(Record { kind: RecordKind::Gap { to: head }, offset: from, bytes: Bytes::new() })
                .await?;
        }
        lane.send(Record { kind: RecordKind::Snapshot { size }, offset: head, bytes }).await?;
    }
    lane.send(Record { kind: RecordKind::Exit, offset: info.head, bytes: Bytes::new() }).await
}

/// Feeds the end of a log into a new emulator, each byte at the width at which it was written.
fn replay(
    reader: &Reader,
    number: i64,
    log_start: u64,
    head: u64,
    size: Size,
    scrollback: u32,
) -> Result<Emulator> {
    let mut next = log_start.max(head.saturating_sub(REPLAY));
    let first = reader.size_before(number, next + 1)?.unwrap_or(size);
    let mut emulator = Emulator::new(first, usize::try_from(scrollback).unwrap_or(0));
    let mut marks = reader.marks(number, next)?.into_iter().peekable();
    loop {
        while let Some(Mark { kind, .. }) = marks.next_if(|mark| mark.at <= next) {
            if let MarkKind::Resize(size) = kind {
                emulator.resize(size);
            }
        }
        if next >= head {
            return Ok(emulator);
        }
        let to = marks.peek().map_or(head, |mark| mark.at).min(next + MAX_HISTORY);
        let bytes = reader.bytes(number, next, to)?;
        if bytes.is_empty() {
            return Ok(emulator);
        }
        emulator.feed(&bytes);
        next += bytes.len() as u64;
    }
}
