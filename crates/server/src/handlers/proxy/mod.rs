//! The doors to the models.

mod approval;
mod body;
pub(crate) mod chat;
pub(crate) mod models;
mod urls;
