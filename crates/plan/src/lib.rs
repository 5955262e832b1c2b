//! The plan document: ordered steps that name exact files and operations.
//!
//! What it is for: reading a plan while a model writes it ([`parse`]), checking every step against the
//! repository ([`verify`]), and writing it out again ([`export`]).
//!
//! What it does not know: where text comes from, where files are, what a job is. Pure functions; the
//! repository is a trait that the caller implements.
//!
//! Start reading at [`document`].

mod diff;
pub mod document;
mod draft;
pub mod export;
#[doc(hidden)]
pub mod fuzzing;
mod merge;
mod nearest;
pub mod parse;
pub mod path;
mod reality;
mod repair;
pub mod template;
pub mod verify;

pub use diff::{DiffLine, Side, StepDiff, Version, diff};
pub use document::{Document, Operation, OperationKind, Step};
pub use draft::{DraftFile, draft};
pub use merge::{Alignment, Disagreement, Row, Source, align, merge};
pub use nearest::nearest;
pub use parse::{Ending, Parser, State};
pub use reality::{Changed, Progress, Report, StepProgress, reality};
pub use repair::{move_step, repair};
pub use verify::{
    Entry, Finding, Language, Noted, Repair, Repository, Severity, Symbol, declared, verify, verify_since,
};
