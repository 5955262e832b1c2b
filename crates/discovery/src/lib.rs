//! Finds the files of a repository that a task concerns: walk, index, rank.
//!
//! The input is a folder and the words of a task; the output is two ranked lists (sources and
//! tests), each entry with reasons a person understands and the lines to look at first.
//! Everything is deterministic: the same tree and the same task give the same order, whatever the
//! number of threads, the order of the directory or the place of the clone.
//!
//! What it does not know: models, the network, git's history, plans, budgets, how a result is
//! shown. It reads files and never writes any. Files of the repository are data to it, never
//! configuration, with one exception: ignore files narrow the walk.
//!
//! Start reading at [`discover`], which is the whole story in one function. From there:
//! [`Task`] (what the words ask for), [`tree`] (which files), `words` (how text becomes
//! terms), `index` (terms to files), `rank` (files to scores), `reason` (why, in words).
//!
//! ```no_run
//! use std::{path::Path, sync::atomic::AtomicBool};
//! use discovery::{Options, Task, discover};
//!
//! let task = Task::parse("Retry a download when the connection is reset");
//! let stop = AtomicBool::new(false);
//! let found = discover(Path::new("."), &task, &Options::default(), &|_| {}, &stop)?;
//! for file in found.sources {
//!     println!("{:3} {}", file.rank, file.path);
//! }
//! # Ok::<(), discovery::DiscoveryError>(())
//! ```

mod classify;
mod discover;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod imports;
mod index;
mod language;
mod outline;
mod rank;
mod read;
mod reason;
mod result;
mod scan;
mod task;
mod walk;
mod words;

pub use discover::{Options, Progress, clear_index, discover, index_status};
pub use error::DiscoveryError;
pub use history::{NoHistory, Snapshot};
pub use imports::Links;
pub use index::cache::IndexStatus;
pub use language::is_test;
pub use outline::{Symbol, SymbolKind, outline};
pub use result::{Discovery, Ranked, Reason, ReasonKind, Signals, SkipReason, Skipped};
pub use task::Task;
pub use walk::{Entry, tree};
