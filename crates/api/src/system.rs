//! `system`: the greeting that opens every link, and the state of the engine's own things.

use crate::Empty;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// The engine itself.
    pub service System / SystemClient = "system" {
        /// The first call on every link: says who calls and learns what answers.
        unary hello [None] (Hello) -> Greeting;
        /// What takes room on the disk.
        unary sizes [View] (Empty) -> Sizes;
        /// Looks through everything the engine relies on: folders, database, record, terminals, keys, sign-in. Changes
        /// nothing.
        unary check [Account] (CheckSystem) -> Health;
        /// Forgets what the settings say is kept no longer, by the machine's clock as it is, and gives the room back. It
        /// happens by itself too, every few hours; then of the time between two uses of the engine at most a third of the
        /// days to keep counts, because the clock may have been set forth.
        unary clean [Account] (Empty) -> Cleaned;
    }
}

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Hello {
    /// The contract version the client was built with.
    pub api: u32,
    /// The client's name and version as it says them itself, for `diagnostics` only. Of a longer one the first 60 characters
    /// are kept.
    pub client: String,
}

/// What the engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Greeting {
    /// The contract version the engine answers.
    pub api: u32,
    /// The engine's version.
    pub build: String,
    /// Names this data directory; client state is keyed by it.
    pub engine: String,
    /// The scopes that this link holds, by name.
    pub scopes: Vec<String>,
}

/// What takes room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sizes {
    /// The kinds of things, the largest first.
    pub parts: Vec<SizePart>,
    /// What the disk of the data has left, where the system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub free: Option<u64>,
}

/// One kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SizePart {
    /// Which.
    pub kind: SizeKind,
    /// How much it takes, in bytes.
    pub bytes: u64,
    /// How many there are, where that can be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub count: Option<u64>,
}

/// Kinds of things that take room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SizeKind {
    /// What was asked of models, and what they answered, compressed. Part of the database.
    Texts,
    /// Everything else in the database: tasks, plans, jobs, the record, the words for searching.
    Rows,
    /// Room in the database that is free for what comes.
    Unused,
    /// Changes that stand in the database's log and not yet in the database.
    Log,
    /// The output of terminals.
    Terminals,
    /// Indexes of projects: made again when they are gone.
    Cache,
}

/// How thoroughly to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CheckSystem {
    /// Whether to read the whole database, which takes seconds for each gigabyte.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub whole: bool,
}

/// How everything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Health {
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// How it is.
    pub level: CheckLevel,
    /// What was found.
    pub text: String,
    /// What to do about it; empty when nothing is to be done.
    pub help: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckLevel {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// It will lead to trouble.
    Warning,
    /// Something does not work, or is damaged.
    Error,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Cleaned {
    /// Requests whose texts are kept no longer. What they were, where they went and what they cost stays on record.
    pub requests: u64,
    /// Bytes that the database gave back to the disk.
    pub bytes: u64,
}
