//! Which genuine records of a stream are taken: only those that follow.

use crate::RelayError;
use crate::record::{MAX_STREAM_BYTES, OpenRecord, RecordKind};

/// The receiver's view of one stream, from the place that the sealed alias message named.
#[derive(Debug)]
pub struct Acceptor {
    epoch: u64,
    next: u64,
    /// Whether a snapshot may come: while the attachment is unanswered, and directly after a gap.
    outstanding: bool,
    parts: Vec<u8>,
    /// The parts that have come and how many there are; `of` is 0 between snapshots.
    part: u16,
    of: u16,
}

/// What is shown next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What it is.
    pub kind: RecordKind,
    /// The epoch.
    pub epoch: u64,
    /// Where it belongs.
    pub offset: u64,
    /// The content, whole.
    pub bytes: Vec<u8>,
}

impl Acceptor {
    /// A stream that begins at this place.
    pub fn new(epoch: u64, offset: u64) -> Acceptor {
        Acceptor { epoch, next: offset, outstanding: true, parts: Vec::new(), part: 0, of: 0 }
    }

    /// The offset of the next byte.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes a record; `None` while parts of a snapshot are missing.
    ///
    /// # Errors
    /// [`RelayError::OutOfPlace`]: it is dropped, and nothing has changed.
    pub fn take(&mut self, record: OpenRecord) -> Result<Option<Accepted>, RelayError> {
        if record.epoch != self.epoch {
            return Err(RelayError::OutOfPlace("a record of another epoch"));
        }
        if record.kind == RecordKind::Snapshot {
            return self.snapshot(record);
        }
        if self.of != 0 || record.of != 1 {
            return Err(RelayError::OutOfPlace("a record inside a snapshot"));
        }
        if record.offset != self.next {
            return Err(RelayError::OutOfPlace("a record at another offset"));
        }
        match record.kind {
            RecordKind::Data => {
                self.next = self
                    .next
                    .checked_add(record.bytes.len() as u64)
                    .ok_or(RelayError::OutOfPlace("a record beyond the end of numbers"))?;
                self.outstanding = false;
            }
            RecordKind::Gap => {
                let to = record.bytes.as_slice().try_into().map(u64::from_be_bytes);
                self.next = to
                    .ok()
                    .filter(|to| *to > self.next)
                    .ok_or(RelayError::OutOfPlace("a gap that leads backwards"))?;
                // What was left out is made good by a screen of its end.
                self.outstanding = true;
            }
            RecordKind::Resize | RecordKind::Exit | RecordKind::Snapshot => {}
        }
        let OpenRecord { kind, epoch, offset, bytes, .. } = record;
        Ok(Some(Accepted { kind, epoch, offset, bytes }))
    }

    fn snapshot(&mut self, record: OpenRecord) -> Result<Option<Accepted>, RelayError> {
        if !self.outstanding {
            return Err(RelayError::OutOfPlace("a snapshot that nobody asked for"));
        }
        if record.offset < self.next {
            return Err(RelayError::OutOfPlace("a snapshot of what was before"));
        }
        let follows = match self.of {
            0 => record.part == 0,
            of => (record.part, record.of, record.offset) == (self.part, of, self.next),
        };
        if !follows || self.parts.len() + record.bytes.len() > MAX_STREAM_BYTES {
            return Err(RelayError::OutOfPlace("a part of a snapshot that does not follow"));
        }
        (self.next, self.of, self.part) = (record.offset, record.of, record.part + 1);
        self.parts.extend_from_slice(&record.bytes);
        if self.part < self.of {
            return Ok(None);
        }
        self.of = 0;
        self.outstanding = false;
        let OpenRecord { kind, epoch, offset, .. } = record;
        Ok(Some(Accepted { kind, epoch, offset, bytes: std::mem::take(&mut self.parts) }))
    }
}
