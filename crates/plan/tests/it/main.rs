//! Plans as models write them, in every cut.

mod export;
mod parse;
mod verify;
