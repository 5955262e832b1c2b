//! Frames between a window and the engine: one command opens a link, one sends.

use crate::window::MAIN;
use loopback::web::Dial;
use rpc::{Caller, Link, Message, Scopes};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tauri::ipc::{Channel, InvokeResponseBody};
use tauri::{State, WebviewWindow};
use tokio::sync::mpsc;

/// The open links of all windows.
pub struct Links {
    dial: Result<Dial, String>,
    open: Mutex<HashMap<String, (u32, mpsc::Sender<Message>)>>,
    next: AtomicU32,
}

impl Links {
    /// Links that `dial` makes; without it, every window is told why.
    pub fn new(dial: Result<Dial, String>) -> Links {
        Links { dial, open: Mutex::default(), next: AtomicU32::new(1) }
    }

    fn open_ones(&self) -> MutexGuard<'_, HashMap<String, (u32, mpsc::Sender<Message>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a link for a window; its earlier one, of the page before a reload, ends.
    async fn open(&self, label: &str, to: impl Fn(Message) -> bool + Send + 'static) -> Result<u32, String> {
        let dial = self.dial.clone()?;
        let link = dial(caller_of(label)).await.map_err(|error| error.to_string())?;
        let Link { tx, mut rx } = link;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.open_ones().insert(label.to_owned(), (id, tx));
        tokio::spawn(async move {
            while let Some(message) = rx.recv().await {
                if !to(message) {
                    return;
                }
            }
        });
        Ok(id)
    }

    /// Sends frames on a window's link. Another window's number is of no use.
    async fn send(&self, label: &str, link: u32, frames: Vec<String>) -> Result<(), String> {
        let gone = || "the link has ended".to_owned();
        let tx = match self.open_ones().get(label) {
            Some((id, tx)) if *id == link => tx.clone(),
            _ => return Err(gone()),
        };
        for frame in frames {
            tx.send(Message::Text(frame)).await.map_err(|_| gone())?;
        }
        Ok(())
    }
}

/// What a window may do, by its label. A frame adds nothing to it.
fn caller_of(label: &str) -> Caller {
    let scopes = if label == MAIN { Scopes::all() } else { Scopes::NONE };
    Caller { name: format!("window:{label}"), scopes }
}

/// Opens a link. Frames come through the channel: text as a string, records as bytes; `null` when it has ended.
///
/// # Errors
/// In words, why there is no engine.
#[tauri::command]
pub async fn link_open(
    window: WebviewWindow,
    links: State<'_, Links>,
    to: Channel<InvokeResponseBody>,
) -> Result<u32, String> {
    let ending = Ending(to);
    let send = move |message| {
        let body = match message {
            // A string is always JSON.
            Message::Text(text) => InvokeResponseBody::Json(serde_json::Value::String(text).to_string()),
            Message::Binary(bytes) => InvokeResponseBody::Raw(bytes.into()),
        };
        ending.0.send(body).is_ok()
    };
    links.open(window.label(), send).await
}

/// Sends frames, in their order.
///
/// # Errors
/// When the link has ended.
#[tauri::command]
pub async fn link_send(
    window: WebviewWindow,
    links: State<'_, Links>,
    link: u32,
    frames: Vec<String>,
) -> Result<(), String> {
    links.send(window.label(), link, frames).await
}

/// Tells the page when its link has ended, however it did.
struct Ending(Channel<InvokeResponseBody>);

impl Drop for Ending {
    fn drop(&mut self) {
        // The window may have gone first.
        drop(self.0.send(InvokeResponseBody::Json("null".to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpc::{ApiError, ItemStream, Router};
    use std::sync::Arc;

    rpc::api! {
        /// A service for these tests.
        pub service Probe / ProbeClient = "probe" {
            /// Looks.
            unary look [View] (()) -> u32;
            /// Looks on.
            stream look_on [View] (()) -> u32;
        }
    }

    struct Impl;
    impl Probe for Impl {
        async fn look(&self, _: &Caller, (): ()) -> Result<u32, ApiError> {
            Ok(7)
        }
        async fn look_on(&self, _: &Caller, (): ()) -> Result<ItemStream<u32>, ApiError> {
            Ok(Box::pin(futures_util::stream::iter([Ok(7)])))
        }
    }

    async fn answer(label: &str) -> String {
        let mut router = Router::new();
        ProbeClient::mount(&mut router, Arc::new(Impl));
        let links = Links::new(Ok(loopback::web::dial_router(Arc::new(router))));
        let (heard, mut hear) = mpsc::unbounded_channel();
        let id = links.open(label, move |message| heard.send(message).is_ok()).await.unwrap();
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"probe.look","params":null}"#;
        assert!(links.send("another", id, vec![call.to_owned()]).await.is_err(), "not its link");
        links.send(label, id, vec![call.to_owned()]).await.unwrap();
        let Some(Message::Text(text)) = hear.recv().await else { panic!("an answer is text") };
        text
    }

    #[tokio::test]
    async fn a_windows_label_decides_what_it_may_do() {
        assert!(answer(MAIN).await.contains("\"result\":7"));
        assert!(answer("settings").await.contains("\"forbidden\""), "a label without rights has none");
    }

    #[tokio::test]
    async fn a_window_learns_why_there_is_no_engine() {
        let links = Links::new(Err("another engine uses the folder".to_owned()));
        let error = links.open(MAIN, |_| true).await.unwrap_err();
        assert_eq!(error, "another engine uses the folder");
    }
}
