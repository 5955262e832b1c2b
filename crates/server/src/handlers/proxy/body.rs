//! Reading the body of a request that somebody is known to have sent.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::config::Limits;
use crate::error::ApiError;

/// The whole body, if it is as small and as quick as the limits ask.
pub(super) async fn read(
    request: &HttpRequest,
    body: web::Payload,
    limits: &Limits,
) -> Result<Bytes, ApiError> {
    let most = limits.body_mib.saturating_mul(1024 * 1024);
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > most as u64) {
        return Err(ApiError::body_too_large());
    }
    let limit = Duration::from_secs(limits.body_s);
    let read = tokio::time::timeout(limit, collect(body, most)).await;
    read.unwrap_or_else(|_| {
        let message = format!("the request body did not arrive within {} seconds", limits.body_s);
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message))
    })
}

/// Reads to the end, or to the first byte too many.
async fn collect(mut body: web::Payload, most: usize) -> Result<Bytes, ApiError> {
    let mut read = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| {
            ApiError::invalid(format!("the request body could not be read to its end: {error}"))
        })?;
        if read.len() + piece.len() > most {
            return Err(ApiError::body_too_large());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}
