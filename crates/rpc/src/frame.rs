//! The frames that cross a link: JSON-RPC 2.0 requests and responses, and four notifications for streams.
//!
//! A unary method answers with a response. A stream method answers with `$/item` notifications, numbered from
//! zero, and exactly one `$/end`; the caller grants more items with `$/credit` and stops either kind of call
//! with `$/cancel`.

use crate::error::{ApiError, WireError};
use crate::link::{MAX_MESSAGE_BYTES, Message};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Names one call of one link. Our clients count; a foreign JSON-RPC client may use strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A counter.
    Number(u64),
    /// Anything else the caller likes.
    Text(String),
}

/// One frame. `params`, `result` and `value` stay undecoded JSON until the method is known and allowed.
#[derive(Clone, Debug)]
pub enum Frame {
    /// A call of `method`.
    Request {
        /// Chosen by the caller, unique among its open calls.
        id: RequestId,
        /// `service.verb`.
        method: String,
        /// The method's parameters.
        params: Box<RawValue>,
        /// Names what is asked for, so that a repeat of the call has no second effect; see [`crate::once`].
        key: Option<String>,
    },
    /// The answer to a unary call.
    Response {
        /// The call answered; `None` when the request could not even be read.
        id: Option<RequestId>,
        /// Its outcome.
        result: Result<Box<RawValue>, ApiError>,
    },
    /// The next item of a stream.
    Item {
        /// The stream's call.
        id: RequestId,
        /// Position in the stream, from 0.
        seq: u64,
        /// The item.
        value: Box<RawValue>,
    },
    /// The last frame of a stream.
    End {
        /// The stream's call.
        id: RequestId,
        /// Why it ended, if not because it was complete.
        error: Option<ApiError>,
    },
    /// From the caller: stop this call.
    Cancel {
        /// The call to stop.
        id: RequestId,
    },
    /// From the caller: `n` more items of this stream may be sent.
    Credit {
        /// The stream's call.
        id: RequestId,
        /// How many more.
        n: u32,
    },
}

const ITEM: &str = "$/item";
const END: &str = "$/end";
const CANCEL: &str = "$/cancel";
const CREDIT: &str = "$/credit";

/// Every member that any frame may have; which are present decides what the frame is.
#[derive(Default, Serialize, Deserialize)]
struct Envelope {
    #[serde(default)]
    jsonrpc: String,
    /// Absent in notifications, `null` in the answer to what could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Option<RequestId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    params: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<WireError>,
}

#[derive(Serialize, Deserialize)]
struct ItemParams {
    id: RequestId,
    seq: u64,
    value: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct EndParams {
    id: RequestId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<WireError>,
}

#[derive(Serialize, Deserialize)]
struct CancelParams {
    id: RequestId,
}

#[derive(Serialize, Deserialize)]
struct CreditParams {
    id: RequestId,
    n: u32,
}

/// `null` as undecoded JSON: the parameters of a call that gives none.
pub fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Encodes a value for a frame.
///
/// # Errors
/// `internal` when the value cannot be JSON, for instance a map with keys that are not strings.
pub fn encode<T: Serialize>(value: &T) -> Result<Box<RawValue>, ApiError> {
    serde_json::value::to_raw_value(value)
        .map_err(|e| ApiError::internal(format!("A value could not be written as JSON: {e}.")))
}

/// Decodes parameters, a result or an item.
///
/// # Errors
/// `invalid` with the position and the expectation that failed.
pub fn decode<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ApiError> {
    serde_json::from_str(raw.get()).map_err(|e| {
        ApiError::invalid("malformed", format!("The value does not have the expected form: {e}."))
    })
}

impl Frame {
    /// Reads a text frame.
    ///
    /// # Errors
    /// `invalid` when the text is not JSON, or not one of the frames. Unknown members are ignored.
    pub fn parse(text: &str) -> Result<Frame, ApiError> {
        let malformed = |e: serde_json::Error| {
            ApiError::invalid("malformed_frame", format!("This is not a JSON-RPC 2.0 frame: {e}."))
        };
        let envelope: Envelope = serde_json::from_str(text).map_err(malformed)?;
        if envelope.jsonrpc != "2.0" {
            return Err(ApiError::invalid("malformed_frame", "A frame needs \"jsonrpc\": \"2.0\"."));
        }
        let Some(method) = envelope.method else {
            let result = match (envelope.result, envelope.error) {
                (_, Some(error)) => Err(error.into()),
                (result, None) => Ok(result.unwrap_or_else(null)),
            };
            return Ok(Frame::Response { id: envelope.id.flatten(), result });
        };
        let params = envelope.params.unwrap_or_else(null);
        if let Some(id) = envelope.id.flatten() {
            return Ok(Frame::Request { id, method, params, key: envelope.key });
        }
        match method.as_str() {
            ITEM => decode(&params).map(|ItemParams { id, seq, value }| Frame::Item { id, seq, value }),
            END => decode(&params)
                .map(|EndParams { id, error }| Frame::End { id, error: error.map(ApiError::from) }),
            CANCEL => decode(&params).map(|CancelParams { id }| Frame::Cancel { id }),
            CREDIT => decode(&params).map(|CreditParams { id, n }| Frame::Credit { id, n }),
            _ => Err(ApiError::invalid("unknown_notification", "A call needs an \"id\".")),
        }
    }

    /// Writes the frame as text.
    ///
    /// # Errors
    /// `internal` when encoding fails, which a decoded frame cannot cause.
    pub fn to_text(&self) -> Result<String, ApiError> {
        let notification = |method: &str, params| Envelope {
            method: Some(method.to_owned()),
            params: Some(params),
            ..Envelope::default()
        };
        let mut envelope = match self.clone() {
            Frame::Request { id, method, params, key } => Envelope {
                id: Some(Some(id)),
                method: Some(method),
                params: Some(params),
                key,
                ..Envelope::default()
            },
            Frame::Response { id, result: Ok(result) } => {
                Envelope { id: Some(id), result: Some(result), ..Envelope::default() }
            }
            Frame::Response { id, result: Err(error) } => {
                Envelope { id: Some(id), error: Some(error.into()), ..Envelope::default() }
            }
            Frame::Item { id, seq, value } => notification(ITEM, encode(&ItemParams { id, seq, value })?),
            Frame::End { id, error } => {
                notification(END, encode(&EndParams { id, error: error.map(WireError::from) })?)
            }
            Frame::Cancel { id } => notification(CANCEL, encode(&CancelParams { id })?),
            Frame::Credit { id, n } => notification(CREDIT, encode(&CreditParams { id, n })?),
        };
        envelope.jsonrpc = "2.0".to_owned();
        serde_json::to_string(&envelope)
            .map_err(|e| ApiError::internal(format!("A frame could not be written: {e}.")))
    }

    /// Writes the frame as a message that any link can carry.
    ///
    /// # Errors
    /// `invalid` with reason `too_large` when it is longer than [`MAX_MESSAGE_BYTES`]: such a message would end
    /// the link. Those of [`Frame::to_text`].
    pub fn to_message(&self) -> Result<Message, ApiError> {
        self.to_message_within(MAX_MESSAGE_BYTES)
    }

    /// Writes the frame as a message of at most `largest` bytes.
    ///
    /// # Errors
    /// Those of [`Frame::to_message`].
    pub fn to_message_within(&self, largest: usize) -> Result<Message, ApiError> {
        let text = self.to_text()?;
        if text.len() > largest {
            return Err(ApiError::too_large(text.len(), largest));
        }
        Ok(Message::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(frame: Frame, expected: Expect) {
        let text = frame.to_text().unwrap();
        expected.assert_eq(&text);
        let again = Frame::parse(&text).unwrap();
        assert_eq!(again.to_text().unwrap(), text, "reading and writing again changes nothing");
    }

    #[test]
    fn frames_are_json_rpc() {
        let id = RequestId::Number(7);
        check(
            Frame::Request { id: id.clone(), method: "a.b".into(), params: encode(&1).unwrap(), key: None },
            expect![[r#"{"jsonrpc":"2.0","id":7,"method":"a.b","params":1}"#]],
        );
        let key = Some("0123456789abcdef".to_owned());
        check(
            Frame::Request { id: id.clone(), method: "a.b".into(), params: null(), key },
            expect![[r#"{"jsonrpc":"2.0","id":7,"method":"a.b","params":null,"key":"0123456789abcdef"}"#]],
        );
        check(
            Frame::Response { id: Some(id.clone()), result: Ok(encode(&"x").unwrap()) },
            expect![[r#"{"jsonrpc":"2.0","id":7,"result":"x"}"#]],
        );
        let error = ApiError::not_found("no_session", "There is no such session.").with("id", 3);
        check(
            Frame::Response { id: Some(id.clone()), result: Err(error) },
            expect![[
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32003,"message":"There is no such session.","data":{"code":"not_found","reason":"no_session","params":{"id":"3"}}}}"#
            ]],
        );
        let unread = ApiError::invalid("malformed_frame", "No.");
        check(
            Frame::Response { id: None, result: Err(unread) },
            expect![[
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No.","data":{"code":"invalid","reason":"malformed_frame"}}}"#
            ]],
        );
        check(
            Frame::Item { id: id.clone(), seq: 0, value: null() },
            expect![[r#"{"jsonrpc":"2.0","method":"$/item","params":{"id":7,"seq":0,"value":null}}"#]],
        );
        check(
            Frame::End { id: id.clone(), error: None },
            expect![[r#"{"jsonrpc":"2.0","method":"$/end","params":{"id":7}}"#]],
        );
        check(
            Frame::Credit { id, n: 16 },
            expect![[r#"{"jsonrpc":"2.0","method":"$/credit","params":{"id":7,"n":16}}"#]],
        );
    }

    #[test]
    fn a_stranger_gets_a_reason() {
        let reason = |text: &str| Frame::parse(text).unwrap_err().reason;
        assert_eq!(reason("{"), "malformed_frame");
        assert_eq!(reason(r#"{"id":1,"method":"a.b"}"#), "malformed_frame");
        assert_eq!(reason(r#"{"jsonrpc":"2.0","method":"a.b"}"#), "unknown_notification");
        assert_eq!(reason(r#"{"jsonrpc":"2.0","method":"$/cancel","params":{}}"#), "malformed");
    }

    #[test]
    fn foreign_ids_and_unknown_members_are_kept_or_ignored() {
        let frame = Frame::parse(r#"{"jsonrpc":"2.0","id":"x-1","method":"a.b","future":true}"#).unwrap();
        assert!(matches!(frame, Frame::Request { id: RequestId::Text(id), .. } if id == "x-1"));
    }
}
