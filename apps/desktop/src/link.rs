//! Frames between a window and the engine: one command opens a link, one sends.

use crate::way::Way;
use crate::window::MAIN;
use rpc::{Caller, Link, Message, Scopes};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tauri::ipc::{Channel, InvokeResponseBody};
use tauri::{State, WebviewWindow};
use tokio::sync::mpsc;

/// The open links of all windows.
pub struct Links {
    way: Way,
    open: Mutex<HashMap<String, (u32, mpsc::Sender<Message>)>>,
    next: AtomicU32,
}

impl Links {
    /// Links over `way`.
    pub fn new(way: Way) -> Links {
        Links { way, open: Mutex::default(), next: AtomicU32::new(1) }
    }

    fn open_ones(&self) -> MutexGuard<'_, HashMap<String, (u32, mpsc::Sender<Message>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a link for a window; its earlier one, of the page before a reload, ends.
    async fn open(&self, label: &str, to: impl Fn(Message) -> bool + Send + 'static) -> Result<u32, String> {
        let caller = caller_of(label).ok_or("this window has no link to the engine")?;
        let link = self.way.link(caller).await?;
        Ok(self.carry(label, link, to))
    }

    /// Carries a link's messages to a window; its number.
    fn carry(&self, label: &str, link: Link, to: impl Fn(Message) -> bool + Send + 'static) -> u32 {
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
        id
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

/// What a window may do, by its label; a frame adds nothing to it. Another process's engine gives every link of ours all
/// rights, so a window that may not have them all gets no link.
fn caller_of(label: &str) -> Option<Caller> {
    (label == MAIN).then(|| Caller::new(format!("window:{label}"), Scopes::all()))
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

    #[test]
    fn a_windows_label_decides_what_it_may_do() {
        assert!(caller_of(MAIN).is_some_and(|caller| caller.scopes == Scopes::all()));
        assert!(caller_of("settings").is_none() && caller_of("").is_none());
    }
}
