//! The one error that crosses a link.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The closed set of error codes. User interfaces switch on the code, never on the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed or asks for something that makes no sense.
    Invalid,
    /// Nobody is signed in, or the sign-in has ended.
    Unauthenticated,
    /// The caller, or a rule of the machine, does not allow it.
    Forbidden,
    /// The thing does not exist.
    NotFound,
    /// The thing has changed since the caller looked.
    Conflict,
    /// Too many requests; try later.
    RateLimited,
    /// A budget or quota is used up.
    Quota,
    /// Something this depends on cannot be reached now.
    Unavailable,
    /// The caller, or someone else, canceled it.
    Canceled,
    /// A defect of ours.
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of its integers.
    pub const ALL: [ErrorCode; 10] = [
        ErrorCode::Invalid,
        ErrorCode::Unauthenticated,
        ErrorCode::Forbidden,
        ErrorCode::NotFound,
        ErrorCode::Conflict,
        ErrorCode::RateLimited,
        ErrorCode::Quota,
        ErrorCode::Unavailable,
        ErrorCode::Canceled,
        ErrorCode::Internal,
    ];

    /// The word in `error.data.code`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorCode::Invalid => "invalid",
            ErrorCode::Unauthenticated => "unauthenticated",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::NotFound => "not_found",
            ErrorCode::Conflict => "conflict",
            ErrorCode::RateLimited => "rate_limited",
            ErrorCode::Quota => "quota",
            ErrorCode::Unavailable => "unavailable",
            ErrorCode::Canceled => "canceled",
            ErrorCode::Internal => "internal",
        }
    }

    /// The integer in a JSON-RPC `error.code`: −32000 … −32009.
    pub fn json_rpc(self) -> i32 {
        -32000 - Self::ALL.iter().position(|c| *c == self).map_or(9, |at| at as i32)
    }
}

/// What went wrong, for a program (`code`, `reason`, `params`) and for a person (`message`).
///
/// The message says what happened, what was kept, and what to do next. It never holds a secret, another
/// user's path or a stack trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The class of the error.
    pub code: ErrorCode,
    /// A stable word for the exact cause, such as `approval_mismatch`; the key of a translated message.
    pub reason: String,
    /// Values that a translated message needs.
    pub params: BTreeMap<String, String>,
    /// The message in English.
    pub message: String,
}

impl ApiError {
    /// An error of class `code` with a stable `reason` and an English `message`.
    pub fn new(code: ErrorCode, reason: &str, message: impl Into<String>) -> ApiError {
        ApiError { code, reason: reason.to_owned(), params: BTreeMap::new(), message: message.into() }
    }

    /// The same error with one more value for a translated message.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> ApiError {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// The request is wrong.
    pub fn invalid(reason: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorCode::Invalid, reason, message)
    }

    /// The thing named does not exist.
    pub fn not_found(reason: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorCode::NotFound, reason, message)
    }

    /// The other end of the link is gone.
    pub fn link_closed() -> ApiError {
        ApiError::new(
            ErrorCode::Unavailable,
            "link_closed",
            "The connection to the engine ended. Nothing that was stored is lost; connect again to go on.",
        )
    }

    /// The call was canceled by its caller.
    pub fn canceled() -> ApiError {
        ApiError::new(ErrorCode::Canceled, "canceled", "Canceled.")
    }

    /// A message of `bytes` bytes where a link carries `limit`.
    pub fn too_large(bytes: usize, limit: usize) -> ApiError {
        ApiError::invalid(
            "too_large",
            format!(
                "This message would have {bytes} bytes; at most {limit} can be sent. It was not sent, the connection \
                 goes on, and nothing that was stored is lost. Ask for less at once, or send less."
            ),
        )
        .with("bytes", bytes)
        .with("limit", limit)
    }

    /// A defect of ours; `what` must not contain user data.
    pub fn internal(what: impl Into<String>) -> ApiError {
        ApiError::new(ErrorCode::Internal, "internal", what)
    }
}

/// [`ApiError`] as it stands in a frame.
#[derive(Serialize, Deserialize)]
pub(crate) struct WireError {
    pub code: i32,
    pub message: String,
    #[serde(default)]
    pub data: WireErrorData,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireErrorData {
    pub code: ErrorCode,
    #[serde(default)]
    pub reason: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

impl Default for WireErrorData {
    fn default() -> WireErrorData {
        WireErrorData { code: ErrorCode::Internal, reason: String::new(), params: BTreeMap::new() }
    }
}

impl From<ApiError> for WireError {
    fn from(e: ApiError) -> WireError {
        WireError {
            code: e.code.json_rpc(),
            message: e.message,
            data: WireErrorData { code: e.code, reason: e.reason, params: e.params },
        }
    }
}

impl From<WireError> for ApiError {
    fn from(e: WireError) -> ApiError {
        ApiError { code: e.data.code, reason: e.data.reason, params: e.data.params, message: e.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_integer() {
        let integers: Vec<i32> = ErrorCode::ALL.iter().map(|c| c.json_rpc()).collect();
        assert_eq!(integers, (0..10).map(|n| -32000 - n).collect::<Vec<_>>());
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.name()));
        }
    }
}
