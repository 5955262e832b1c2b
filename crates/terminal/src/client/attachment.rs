//! Streams from the host: a terminal's output, and notices of changes.

use super::Client;
use crate::wire::{RECORD_COST, RecordKind, ToHost};
use crate::{Result, TerminalError, lock};
use bytes::Bytes;
use tokio::sync::mpsc;

/// Consumed bytes are reported when there are this many.
const REPORT: u64 = 32 * 1024;

/// A piece of a terminal's output, or something that happened there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// The run of the terminal.
    pub epoch: u64,
    /// Where in the output it stands.
    pub offset: u64,
    /// Output or the snapshot; empty for the others.
    pub bytes: Bytes,
}

/// A terminal's output as it comes. Dropping it detaches.
pub struct Attachment {
    client: Client,
    number: u32,
    report: u64,
    consumed: u64,
    records: mpsc::UnboundedReceiver<Result<Record>>,
    ended: bool,
}

impl Attachment {
    pub(super) fn new(
        client: Client,
        number: u32,
        window: u32,
        records: mpsc::UnboundedReceiver<Result<Record>>,
    ) -> Attachment {
        let report = REPORT.min(u64::from(window) / 8).max(1);
        Attachment { client, number, report, consumed: 0, records, ended: false }
    }

    /// The next record; none after [`RecordKind::Exit`]. What has arrived and was not consumed is bounded by the
    /// window. Asking for the next record says that those before it were taken, which is all that a record without
    /// bytes needs. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`TerminalError::Gone`] when the host went away: attach again with the offset after the last byte.
    pub async fn next(&mut self) -> Result<Option<Record>> {
        if self.ended {
            return Ok(None);
        }
        // Without this, records that are too small to be consumed by their bytes would use the window up for ever. That
        // the host has gone is seen behind the last record.
        drop(self.report().await);
        let record = self.records.recv().await.unwrap_or(Err(TerminalError::Gone))?;
        self.ended = record.kind == RecordKind::Exit;
        self.consumed += RECORD_COST;
        Ok(Some(record))
    }

    /// Says that `bytes` of output or snapshot were consumed (shown, not only received), so that more may come.
    ///
    /// # Errors
    /// [`TerminalError::Gone`].
    pub async fn consume(&mut self, bytes: usize) -> Result<()> {
        self.consumed += bytes as u64;
        self.report().await
    }

    /// Tells the host what was consumed, when it is enough.
    async fn report(&mut self) -> Result<()> {
        if self.consumed < self.report {
            return Ok(());
        }
        let room = self.client.0.out.reserve().await.map_err(|_| TerminalError::Gone)?;
        let bytes = std::mem::take(&mut self.consumed);
        room.send((ToHost::Credit { attachment: self.number, bytes }, Bytes::new()));
        Ok(())
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        lock(&self.client.0.waiting).attachments.remove(&self.number);
        // A queue that is full now means that the host hears of it later or not at all; it then stops at the end of
        // the credit.
        drop(self.client.0.out.try_send((ToHost::Detach { attachment: self.number }, Bytes::new())));
    }
}

/// Notices of changes.
pub struct Notices {
    /// Keeps the connection.
    _client: Client,
    notices: mpsc::UnboundedReceiver<Vec<String>>,
}

impl Notices {
    pub(super) fn new(client: Client, notices: mpsc::UnboundedReceiver<Vec<String>>) -> Notices {
        Notices { _client: client, notices }
    }

    /// The ids of terminals that changed; an empty list means: any of them. None when the host went away.
    pub async fn next(&mut self) -> Option<Vec<String>> {
        self.notices.recv().await
    }
}
