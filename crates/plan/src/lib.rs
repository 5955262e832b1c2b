//! The plan document: ordered steps that name exact files and operations.
//!
//! What it is for: reading a plan while a model writes it ([`parse`]), checking every step against the
//! repository ([`verify`]), and writing it out again ([`export`]).
//!
//! What it does not know: where text comes from, where files are, what a job is. Pure functions; the
//! repository is a trait that the caller implements.
//!
//! Start reading at [`document`].

pub mod document;
pub mod export;
#[doc(hidden)]
pub mod fuzzing;
mod nearest;
pub mod parse;
pub mod path;
mod repair;
pub mod verify;

pub use document::{Document, Operation, OperationKind, Step};
pub use nearest::nearest;
pub use parse::{Ending, Parser, State};
pub use repair::repair;
pub use verify::{
    Entry, Finding, Language, Noted, Repair, Repository, Severity, Symbol, declared, verify, verify_since,
};
