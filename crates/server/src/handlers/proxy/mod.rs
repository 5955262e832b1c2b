//! The doors to the models.

mod approval;
pub(crate) mod chat;
pub(crate) mod models;
