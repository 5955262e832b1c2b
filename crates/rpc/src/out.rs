//! The way of messages to the other end of a link, past the observer.

use crate::error::{ApiError, ErrorCode};
use crate::frame::Frame;
use crate::link::Message;
use crate::observe::{Crossed, Tap};
use tokio::sync::mpsc;

/// The way to the other end, for one call or for what belongs to none.
#[derive(Clone)]
pub(crate) struct Out {
    pub tx: mpsc::Sender<Message>,
    pub largest: usize,
    pub tap: Tap,
    pub method: Option<&'static str>,
    /// When the call came, on the observer's clock.
    pub begun: Option<u64>,
}

impl Out {
    /// Tells the observer of a message that came.
    pub fn came(&self, what: Crossed, bytes: usize) {
        let begun = self.begun.filter(|_| what != Crossed::Call);
        self.tap.crossed(what, self.method, bytes, begun, None);
    }

    /// Sends a message of `what` kind.
    pub async fn send(
        &self,
        what: Crossed,
        message: Message,
        error: Option<ErrorCode>,
    ) -> Result<(), ApiError> {
        let bytes = message.len();
        self.tx.send(message).await.map_err(|_| ApiError::link_closed())?;
        self.tap.crossed(what, self.method, bytes, self.begun, error);
        Ok(())
    }

    /// Sends the frame that ends a call. One that no link can carry is replaced by the error that says so.
    pub async fn send_last(&self, frame: Frame) -> Result<(), ApiError> {
        let (mut what, mut code) = match &frame {
            Frame::End { error, .. } => (Crossed::End, error.as_ref().map(|error| error.code)),
            Frame::Response { result, .. } => {
                (Crossed::Answer, result.as_ref().err().map(|error| error.code))
            }
            _ => (Crossed::Answer, None),
        };
        let message = frame.to_message_within(self.largest).or_else(|error| {
            code = Some(error.code);
            let instead = match frame {
                Frame::End { id, .. } => Frame::End { id, error: Some(error.clone()) },
                Frame::Response { id, .. } => Frame::Response { id, result: Err(error.clone()) },
                other => other,
            };
            // An id that fills a message by itself cannot be answered under its name.
            instead.to_message_within(self.largest).or_else(|_| {
                what = Crossed::Answer;
                Frame::Response { id: None, result: Err(error) }.to_message_within(self.largest)
            })
        })?;
        self.send(what, message, code).await
    }
}
