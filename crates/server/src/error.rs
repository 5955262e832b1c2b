use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use gateway::GatewayError;
use llm::LlmError;
use llm::inbound::{Door, Failure};
use serde_json::json;
use server_store::StoreError;

/// Why the server cannot start, or an administration command cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration is wrong: mend it.
    #[error("configuration: {0}")]
    Config(String),
    /// The machine does not give what is needed (directory, port, randomness).
    #[error("{0}")]
    Setup(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed record does not open: another master key, or the row was changed.
    #[error("a sealed record does not open ({0}): it was written under another master key, or changed")]
    Sealed(&'static str),
    /// The gateway cannot be built.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A rule or catalogue file that this build carries is broken.
    #[error("a built-in data file cannot be used: {0}")]
    Data(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
}

/// An error reply. The shape is that of chat completions for every endpoint but the OAuth ones and the doors of other
/// dialects.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    /// Stable; clients switch on it.
    pub code: &'static str,
    pub message: String,
    pub retry_after: Option<Duration>,
    pub shape: Shape,
    /// The id of the request, where the shape has a place for it.
    pub request_id: String,
    /// Headers of the refusal that came before it, such as the audit position.
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Door(Door),
    OAuth,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let shape = Shape::Door(Door::Chat);
        let (message, request_id) = (message.into(), String::new());
        Self { status, code, message, retry_after: None, shape, request_id, headers: Vec::new() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// The body is larger than the configured limit.
    pub fn body_too_large() -> Self {
        let message = "the request body is larger than allowed here";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub fn rate_limited(retry_after: Duration, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        Self { retry_after: Some(retry_after), ..error }
    }

    /// An OAuth error reply with status 400.
    pub fn oauth(code: &'static str, message: impl Into<String>) -> Self {
        Self { shape: Shape::OAuth, ..Self::new(StatusCode::BAD_REQUEST, code, message) }
    }

    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same error in the dialect of a door.
    pub fn at(mut self, door: Door, request_id: &str) -> Self {
        if door == Door::Messages {
            self = self.with_header("request-id", request_id.to_owned());
        }
        Self { shape: Shape::Door(door), request_id: request_id.to_owned(), ..self }
    }

    /// What a dialect is told.
    pub fn failure<'a>(&'a self, request_id: &'a str) -> Failure<'a> {
        Failure { status: self.status.as_u16(), code: self.code, message: &self.message, request_id }
    }

    /// The error as the JSON of a reply.
    fn body(&self) -> serde_json::Value {
        match self.shape {
            Shape::Door(door) => door.error(&self.failure(&self.request_id)),
            Shape::OAuth => json!({ "error": self.code, "error_description": self.message }),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self.shape {
            Shape::Door(door) => StatusCode::from_u16(door.status(&self.failure(""))).unwrap_or(self.status),
            Shape::OAuth => self.status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut reply = HttpResponse::build(self.status_code());
        if let Some(wait) = self.retry_after {
            // Rounded up: a client that waits exactly this long is let in.
            reply.insert_header((RETRY_AFTER, wait.as_millis().div_ceil(1_000).to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            reply.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        for (name, value) in &self.headers {
            reply.insert_header((HeaderName::from_static(name), value.as_str()));
        }
        reply.insert_header(("cache-control", "no-store")).json(self.body())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        Self::unavailable("the server's database does not answer; try again later")
    }
}

impl From<ServerError> for ApiError {
    fn from(error: ServerError) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says more")
    }
}

impl From<LlmError> for ApiError {
    fn from(error: LlmError) -> Self {
        match &error {
            LlmError::Malformed(_) => Self::invalid(error.to_string()),
            LlmError::Unsupported { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "unsupported", error.to_string())
            }
            LlmError::Approval(_) => {
                Self::new(StatusCode::BAD_REQUEST, "approval_malformed", error.to_string())
            }
            LlmError::Garbled(_)
            | LlmError::Failed(_)
            | LlmError::TooLarge { .. }
            | LlmError::Catalogue(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "upstream_failed", error.to_string())
            }
        }
    }
}

impl From<GatewayError> for ApiError {
    fn from(error: GatewayError) -> Self {
        let message = error.to_string();
        match error {
            GatewayError::Invalid(error) => error.into(),
            GatewayError::Rejected { status, .. } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                Self::new(status, "upstream_rejected", message)
            }
            // The key is the server's, so this is not the caller's 401.
            GatewayError::Unauthorized { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "upstream_unauthorized", message)
            }
            GatewayError::RateLimited { retry_after, .. } => Self {
                retry_after: Some(retry_after.unwrap_or(Duration::from_secs(5))),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "upstream_rate_limited", message)
            },
            // 402 and not 429, which clients answer by trying again at once.
            GatewayError::Exhausted { .. } => {
                Self::new(StatusCode::PAYMENT_REQUIRED, "upstream_quota_exhausted", message)
            }
            GatewayError::Unavailable { status: Some(503 | 529), .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "upstream_overloaded", message)
            }
            GatewayError::Unavailable { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "upstream_unavailable", message)
            }
            GatewayError::Cut { .. } => Self::new(StatusCode::BAD_GATEWAY, "upstream_cut", message),
            GatewayError::Canceled => {
                Self::new(StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST), "canceled", message)
            }
            GatewayError::Setup(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message),
        }
    }
}
