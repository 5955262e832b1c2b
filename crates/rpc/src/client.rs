//! The calling end of a link.

use crate::error::{ApiError, ErrorCode};
use crate::frame::{Frame, RequestId, decode, encode};
use crate::link::{Link, Message};
use crate::record::Record;
use crate::serve::INITIAL_CREDIT;
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::{mpsc, oneshot};

/// Consumed items after which a subscription grants as many again.
const GRANT_EVERY: u32 = INITIAL_CREDIT / 2;

enum Pending {
    Unary(oneshot::Sender<Result<Box<RawValue>, ApiError>>),
    Stream(mpsc::UnboundedSender<Result<Box<RawValue>, ApiError>>),
    Feed(mpsc::UnboundedSender<Result<Record, ApiError>>),
}

impl Pending {
    /// Tells the waiter that its call has failed. A waiter that has gone away needs no answer.
    fn fail(self, error: ApiError) {
        match self {
            Pending::Unary(reply) => drop(reply.send(Err(error))),
            Pending::Stream(items) => drop(items.send(Err(error))),
            Pending::Feed(records) => drop(records.send(Err(error))),
        }
    }
}

/// `None` once the link is gone: later calls fail at once instead of waiting for ever.
type Table = Mutex<Option<HashMap<u64, Pending>>>;

/// Calls methods over one link. Cheap to clone; all clones share the link.
#[derive(Clone)]
pub struct Client {
    tx: mpsc::Sender<Message>,
    table: Arc<Table>,
    next: Arc<AtomicU64>,
    key: Option<Arc<str>>,
}

/// Makes a client of `link`, and the future that reads its answers.
///
/// The host drives the future; it ends when the other end goes, and every open call then fails with
/// `link_closed`.
pub fn connect(link: Link) -> (Client, impl Future<Output = ()> + Send) {
    let Link { tx, mut rx } = link;
    let table = Arc::new(Mutex::new(Some(HashMap::new())));
    let next = Arc::new(AtomicU64::new(1));
    let client = Client { tx, table: Arc::clone(&table), next, key: None };
    let read = async move {
        while let Some(message) = rx.recv().await {
            match message {
                Message::Text(text) => {
                    if let Ok(frame) = Frame::parse(&text) {
                        deliver(&table, frame);
                    }
                }
                Message::Binary(message) => {
                    if let Some((call, record)) = Record::parse(&message) {
                        deliver_record(&table, call, record);
                    }
                }
            }
        }
        let orphans = table.lock().unwrap_or_else(PoisonError::into_inner).take();
        for pending in orphans.into_iter().flat_map(HashMap::into_values) {
            pending.fail(ApiError::link_closed());
        }
    };
    (client, read)
}

fn deliver(table: &Table, frame: Frame) {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(open) = table.as_mut() else { return };
    // A waiter that has gone away needs no answer, hence the dropped results.
    match frame {
        Frame::Response { id: Some(RequestId::Number(id)), result } => match open.remove(&id) {
            Some(Pending::Unary(reply)) => drop(reply.send(result)),
            Some(Pending::Stream(items)) => drop(items.send(result)),
            Some(pending @ Pending::Feed(_)) => {
                if let Err(error) = result {
                    pending.fail(error);
                }
            }
            None => {}
        },
        Frame::Item { id: RequestId::Number(id), value, .. } => {
            if let Some(Pending::Stream(items)) = open.get(&id) {
                drop(items.send(Ok(value)));
            }
        }
        Frame::End { id: RequestId::Number(id), error } => {
            if let (Some(pending), Some(error)) = (open.remove(&id), error) {
                pending.fail(error);
            }
        }
        _ => {}
    }
}

fn deliver_record(table: &Table, call: u32, record: Record) {
    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(Pending::Feed(records)) = table.as_ref().and_then(|open| open.get(&u64::from(call))) {
        drop(records.send(Ok(record)));
    }
}

impl Client {
    /// The same client, whose next call carries `key`: when its answer is lost, the same call with the same key can be
    /// made again, also on another link, and has no second effect. Each call that changes something needs a key of its
    /// own; streams and feeds take none.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Client {
        Client { key: Some(key.into()), ..self.clone() }
    }

    /// Calls a unary method.
    ///
    /// # Errors
    /// What the method answered, `link_closed`, or `too_large` when the parameters are more than a link carries.
    pub async fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<R, ApiError> {
        let (reply, answer) = oneshot::channel();
        self.request(method, params, Pending::Unary(reply)).await?;
        let raw = answer.await.map_err(|_| ApiError::link_closed())??;
        decode(&raw)
    }

    /// Opens a stream. Dropping the subscription cancels it at the other end.
    ///
    /// # Errors
    /// `link_closed` or `too_large` when the request cannot be sent; the method's own errors are the stream's first item.
    pub async fn subscribe<P: Serialize, T: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<Subscription<T>, ApiError> {
        // Unbounded, but never longer than the credit that this end has granted.
        let (items, rx) = mpsc::unbounded_channel();
        let id = self.request(method, params, Pending::Stream(items)).await?;
        Ok(Subscription {
            rx,
            id,
            tx: self.tx.clone(),
            table: Arc::clone(&self.table),
            seen: 0,
            item: PhantomData,
        })
    }

    /// Opens a feed. Dropping it cancels it at the other end.
    ///
    /// # Errors
    /// Those of [`Client::subscribe`].
    pub async fn feed<P: Serialize>(&self, method: &str, params: &P) -> Result<Feed, ApiError> {
        // Unbounded, but never longer than the window that this end has asked for.
        let (records, rx) = mpsc::unbounded_channel();
        let id = self.request(method, params, Pending::Feed(records)).await?;
        Ok(Feed { rx, id, tx: self.tx.clone(), table: Arc::clone(&self.table) })
    }

    async fn request<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        pending: Pending,
    ) -> Result<u64, ApiError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = Frame::Request {
            id: RequestId::Number(id),
            method: method.to_owned(),
            params: encode(params)?,
            key: self.key.as_deref().map(str::to_owned),
        };
        let message = frame.to_message()?;
        match self.table.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            None => return Err(ApiError::link_closed()),
            Some(open) => open.insert(id, pending),
        };
        self.tx.send(message).await.map_err(|_| ApiError::link_closed())?;
        Ok(id)
    }
}

/// The items of an open stream method, in order; ends after the first error.
pub struct Subscription<T> {
    rx: mpsc::UnboundedReceiver<Result<Box<RawValue>, ApiError>>,
    id: u64,
    tx: mpsc::Sender<Message>,
    table: Arc<Table>,
    seen: u32,
    item: PhantomData<fn() -> T>,
}

impl<T> Subscription<T> {
    /// Sends a frame about this stream if there is room; a full queue means that others are being served.
    fn notify(&self, frame: &Frame) -> bool {
        frame.to_message().is_ok_and(|message| self.tx.try_send(message).is_ok())
    }
}

impl<T: DeserializeOwned> Stream for Subscription<T> {
    type Item = Result<T, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(item) = std::task::ready!(self.rx.poll_recv(cx)) else { return Poll::Ready(None) };
        self.seen += 1;
        if self.seen >= GRANT_EVERY {
            let grant = Frame::Credit { id: RequestId::Number(self.id), n: self.seen };
            // A grant that found the queue full is added to the next one.
            if self.notify(&grant) {
                self.seen = 0;
            }
        }
        Poll::Ready(Some(item.and_then(|raw| decode(&raw))))
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        cancel(&self.table, self.id, &self.tx);
    }
}

/// The records of an open feed, in order; ends after the first error.
pub struct Feed {
    rx: mpsc::UnboundedReceiver<Result<Record, ApiError>>,
    id: u64,
    tx: mpsc::Sender<Message>,
    table: Arc<Table>,
}

impl Feed {
    /// The next record; `None` when the feed is complete.
    pub async fn next(&mut self) -> Option<Result<Record, ApiError>> {
        self.rx.recv().await
    }

    /// Says that `bytes` more have been consumed, so that as many more may come.
    ///
    /// # Errors
    /// `link_closed`.
    pub async fn consume(&self, bytes: u32) -> Result<(), ApiError> {
        let grant = Frame::Credit { id: RequestId::Number(self.id), n: bytes };
        self.tx.send(grant.to_message()?).await.map_err(|_| ApiError::link_closed())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        cancel(&self.table, self.id, &self.tx);
    }
}

/// Tells the other end that nobody reads the items of call `id` any more, unless it has ended.
fn cancel(table: &Table, id: u64, tx: &mpsc::Sender<Message>) {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let was_open = table.as_mut().is_some_and(|open| open.remove(&id).is_some());
    drop(table);
    if was_open && let Ok(message) = (Frame::Cancel { id: RequestId::Number(id) }).to_message() {
        // A full queue means that others are being served; the items that still come are passed over.
        drop(tx.try_send(message));
    }
}

impl ApiError {
    /// Whether the connection, and not the call, has failed.
    pub fn is_link_closed(&self) -> bool {
        self.code == ErrorCode::Unavailable && self.reason == "link_closed"
    }
}
