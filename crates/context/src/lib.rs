//! A task and the files it concerns, as one text for a model that fits a budget of tokens.
//!
//! [`pack`] is a pure function: from the task, the ranked files with their texts, and a budget, it makes the text
//! and a manifest that says of every file whether it is there whole, in part, or not, and why. Two things hold
//! whatever the files contain: the finished text, counted as a whole, is never over the budget; and what is shown
//! of a file is that file, byte for byte, between marks that no file's content can imitate.
//!
//! Around it: [`Root`] reads files of a project and nothing outside it, [`Patterns`] are the globs of
//! `--include` and `--exclude`, [`secrets`] finds and replaces secrets before anything is shown.
//!
//! What it does not know: how files are ranked (`discovery` does), models, the network, a terminal. It writes
//! nothing.
//!
//! Start reading at [`pack`]; `select` chooses the definitions of a file that is too long, `render` has a module
//! for each format.

mod fit;
mod pack;
mod patterns;

mod read;
mod render;
pub mod secrets;
mod select;
mod source;
mod tokens;

pub use pack::{Entry, Form, Manifest, Pack, Request, TooSmall, TreeForm, pack};
pub use patterns::{PatternError, Patterns};
pub use read::Root;
pub use render::Format;
pub use source::{Content, LeftOut, Lines, Source};
pub use tokens::Tokenizer;
