//! `diagnostics`: which frames cross which link, so that a person can see what talks to the engine and how fast it answers.
//! Never what stands in them.

use crate::{Empty, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// What crosses the engine's links.
    pub service Diagnostics / DiagnosticsClient = "diagnostics" {
        /// The links that are open, the oldest first.
        unary links [Account] (Empty) -> LinkList;
        /// The newest frames of every link, then those that follow. The items of this stream itself are not among them.
        stream frames [Account] (WatchFrames) -> FrameSeen;
    }
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpenLink {
    /// Its number: it counts the links of this engine since it started.
    pub link: u64,
    /// Who is at the other end, for example `cli`, `browser` or `device:ID`.
    pub caller: String,
    /// What the program there calls itself. Nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// When it was opened.
    pub opened_at: TimeMs,
    /// Frames from the caller.
    pub frames_in: u64,
    /// Frames to the caller.
    pub frames_out: u64,
    /// Bytes from the caller.
    pub bytes_in: u64,
    /// Bytes to the caller.
    pub bytes_out: u64,
}

/// The open links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkList {
    /// The oldest first.
    pub links: Vec<OpenLink>,
}

/// Which frames to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WatchFrames {
    /// Only those of this link, by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub link: Option<u64>,
    /// Only those of callers whose name, or the name of whose program, begins like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub caller: Option<String>,
    /// Only those of methods whose name begins like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub method: Option<String>,
    /// How many of those that have crossed already come first; the engine remembers the last few thousand.
    #[serde(default)]
    pub last: u32,
    /// Whether the stream ends after those.
    #[serde(default)]
    pub only_past: bool,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// From the caller: a call.
    Call,
    /// From the caller: stop a call.
    Cancel,
    /// From the caller: more of a stream may come.
    Credit,
    /// From the caller: none of these, or unreadable.
    Other,
    /// To the caller: the answer of a call.
    Answer,
    /// To the caller: an item of a stream.
    Item,
    /// To the caller: bytes of a terminal.
    Record,
    /// To the caller: the end of a stream.
    End,
    /// The link was opened.
    Opened,
    /// The link has ended.
    Closed,
    /// Frames were passed over here, because this client was too slow.
    Gap,
}

impl FrameKind {
    /// Whether it comes from the caller.
    pub fn is_inward(self) -> bool {
        matches!(self, FrameKind::Call | FrameKind::Cancel | FrameKind::Credit | FrameKind::Other)
    }
}

/// A frame that crossed a link: never its parameters, its result or its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrameSeen {
    /// When.
    pub at: TimeMs,
    /// The link.
    pub link: u64,
    /// Who is at its other end.
    pub caller: String,
    /// What the program there calls itself, once it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// What it is.
    pub kind: FrameKind,
    /// The method of its call, where the engine has that method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub method: Option<String>,
    /// Milliseconds since its call began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ms: Option<u64>,
    /// Its length.
    pub bytes: u64,
    /// The code of the error that it carries, for example `not_found`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
}
