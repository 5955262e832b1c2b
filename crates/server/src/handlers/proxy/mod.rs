//! The doors to the models: one for each dialect, and one way for all of them.
//!
//! A door is little more than its [`llm::inbound::Door`]: `serve.rs` lets a request in, which is `admission.rs`, hands it
//! to an [`crate::exchange`], and answers in the caller's dialect.

mod admission;
mod approval;
mod body;
pub(crate) mod chat;
pub(crate) mod estimate;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod responses;
mod screen;
mod serve;
pub(crate) mod transcriptions;
mod urls;
