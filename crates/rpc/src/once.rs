//! Calls that must not take effect twice.
//!
//! A caller whose answer was lost does not know whether its call took effect. So a call may carry a `key`: whoever
//! keeps the keys answers a repeat as the first one was answered, and does nothing. This crate only leads such calls
//! to the keeper; what is kept, where and for how long is the keeper's business.

use crate::error::ApiError;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

/// The fewest characters of a key: one that was not drawn at random could meet another's.
pub const MIN_KEY: usize = 16;

/// The most bytes of a key.
pub const MAX_KEY: usize = 128;

/// A unary call with a key. A key is its caller's own, and belongs to one method with one set of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The caller's name.
    pub caller: String,
    /// The method.
    pub method: &'static str,
    /// The key.
    pub key: String,
    /// The parameters, as they came.
    pub params: String,
}

/// Keeps the keys of a router's calls.
pub trait Once: Send + Sync {
    /// Does `work` if no call with this key has begun before, and answers as that one was answered otherwise.
    fn once(
        &self,
        call: Keyed,
        work: BoxFuture<'static, Result<Box<RawValue>, ApiError>>,
    ) -> BoxFuture<'static, Result<Box<RawValue>, ApiError>>;
}

/// Says what is wrong with a key.
pub(crate) fn check(key: &str) -> Result<(), ApiError> {
    if key.len() > MAX_KEY || key.chars().count() < MIN_KEY {
        let message = format!(
            "A key has at least {MIN_KEY} characters and at most {MAX_KEY} bytes, drawn at random. Nothing was done."
        );
        return Err(ApiError::invalid("key", message));
    }
    Ok(())
}

/// What a call with a key is told where keys mean nothing.
pub(crate) fn refused(why: &str) -> ApiError {
    ApiError::invalid("key", format!("{why} Nothing was done; call without a key."))
}
