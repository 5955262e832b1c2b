//! What a client and the host say to each other.
//!
//! A message is a small JSON head and a body of raw bytes, see [`frame`]. A client's messages are [`ToHost`], the
//! host's are [`FromHost`]. A call is answered once, by number; records of an attachment and notices of changes come
//! between the answers. Every length has a bound.

pub mod frame;

use serde::{Deserialize, Serialize};

/// The version of this protocol. Client and host are usually the same binary; a host that was left by an older one
/// says so.
pub const VERSION: u32 = 1;
/// The largest piece of input in one call, in bytes.
pub const MAX_INPUT: usize = 1024 * 1024;
/// The largest answer of a `history` call, in bytes.
pub const MAX_HISTORY: u64 = 256 * 1024;
/// The narrowest and widest window of an attachment, in bytes.
pub const WINDOWS: std::ops::RangeInclusive<u32> = 64 * 1024..=4 * 1024 * 1024;
/// What every record costs of a window besides its bytes, so that empty records are bounded as well.
pub const RECORD_COST: u64 = 64;

/// Columns and rows of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns, 2 to 500.
    pub cols: u16,
    /// Rows, 1 to 300.
    pub rows: u16,
}

impl Size {
    /// Whether the host takes this size.
    pub fn is_allowed(self) -> bool {
        (2..=500).contains(&self.cols) && (1..=300).contains(&self.rows)
    }
}

/// What to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The terminal's id, given by the caller: UUIDv7 in text form. Never used twice.
    pub id: String,
    /// Program and arguments; none is the user's login shell.
    pub command: Option<Vec<String>>,
    /// Where it starts. Must be a directory.
    pub cwd: String,
    /// The whole environment of the program, see [`crate::own_environment`]. `PLANTOCODE_*` is dropped; `TERM` and
    /// `COLORTERM` are the host's.
    pub env: Vec<(String, String)>,
    /// The size of the screen.
    pub size: Size,
    /// A name for people.
    pub title: String,
    /// Opaque to the host, returned as it is; at most 16 KiB.
    pub label: String,
    /// Lines kept above the screen for snapshots, at most 10,000.
    pub scrollback: u32,
}

/// What became of a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// The program runs.
    Running,
    /// The program ended.
    Exited {
        /// Its exit code; 128 + n stands for a signal n only if the program says so itself.
        code: u32,
        /// The signal that ended it, by name.
        signal: Option<String>,
    },
    /// The host died with it. The log is kept.
    Lost,
}

/// Hints that a terminal wants a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// How often the bell rang since the start.
    pub bells: u64,
    /// The last notification of the program (OSC 9, 777, 99): text by a program, at most 512 bytes.
    pub notice: Option<String>,
}

/// A terminal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Its id.
    pub id: String,
    /// Random at start; names this run of the terminal.
    pub epoch: u64,
    /// The name it was started with.
    pub title: String,
    /// The title that the program set: text by a program.
    pub program_title: Option<String>,
    /// As given at the start.
    pub label: String,
    /// Where it started.
    pub cwd: String,
    /// What was started; none is the login shell.
    pub command: Option<Vec<String>>,
    /// The size of the screen.
    pub size: Size,
    /// Running or how it ended.
    #[serde(flatten)]
    pub state: State,
    /// Bytes of output so far: the offset of the next byte.
    pub head: u64,
    /// The offset of the first byte that is still kept.
    pub log_start: u64,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub ended_at: Option<i64>,
    /// Milliseconds since 1970.
    pub last_output_at: Option<i64>,
    /// Hints that it wants a person.
    pub attention: Attention,
}

/// How to follow a terminal's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Which terminal.
    pub terminal: String,
    /// The epoch that `have` belongs to; without it, or with another one, the answer is a snapshot.
    pub epoch: Option<u64>,
    /// The offset of the first byte that the viewer has not seen.
    pub have: u64,
    /// Bytes that may be on their way to the viewer at once.
    pub window: u32,
    /// Whether snapshots hold the lines above the screen.
    pub scrollback: bool,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordKind {
    /// Output; the offset is that of its first byte.
    Data,
    /// A screen for a fresh terminal of this size; output goes on from the offset.
    Snapshot {
        /// The size of the screen.
        size: Size,
    },
    /// Output from the offset to `to` is not shown here; it can be fetched with `history`. A snapshot follows.
    Gap {
        /// The offset after the hole.
        to: u64,
    },
    /// The screen has this size from the offset on.
    Resize {
        /// The size of the screen.
        size: Size,
    },
    /// The program has ended; the offset is the end of its output. Nothing follows.
    Exit,
}

/// How strict a paste is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasteRule {
    /// Only while the launched program itself is in the foreground: for text that a machine wrote.
    Launched,
    /// Whoever is in the foreground: for a person's own clipboard.
    Foreground,
}

/// Why a paste was refused. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refusal {
    /// The text holds a control character other than tab and line feed.
    Control {
        /// Its position in the text, in bytes.
        at: usize,
        /// Its code point.
        code: u32,
    },
    /// The program has not asked for bracketed paste.
    NoBracketedPaste,
    /// Another program than the launched one is in the foreground.
    Foreground,
}

/// What became of a paste. It is never submitted: no line end follows the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PasteOutcome {
    /// It was written as one bracketed message.
    Pasted,
    /// Nothing was written.
    Refused(Refusal),
    /// The program in the foreground changed, or ended, in the middle; the rest was not written.
    Interrupted {
        /// Bytes that were written, brackets included.
        written: usize,
    },
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToHost {
    /// The first message.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// The content of the token file.
        token: String,
    },
    /// A call, answered once.
    Call {
        /// The number of the answer.
        id: u64,
        /// What is wanted.
        call: Call,
    },
    /// Bytes of an attachment were consumed.
    Credit {
        /// The attachment.
        attachment: u32,
        /// How many bytes, with [`RECORD_COST`] for each record.
        bytes: u64,
    },
    /// An attachment is not wanted any more.
    Detach {
        /// The attachment.
        attachment: u32,
    },
}

/// What can be asked for. Input and pasted text stand in the message's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Starts a terminal; answers [`Answer::Info`].
    Start(Start),
    /// Answers [`Answer::List`].
    List,
    /// Answers [`Answer::Done`], then sends records.
    Attach {
        /// The client's number for the attachment.
        attachment: u32,
        /// What to attach to.
        attach: Attach,
    },
    /// Log bytes; answers [`Answer::Bytes`] with the bytes in the body, at most [`MAX_HISTORY`].
    History {
        /// Which terminal.
        terminal: String,
        /// Of which run.
        epoch: u64,
        /// The first offset.
        from: u64,
        /// The offset after the last.
        to: u64,
    },
    /// Input in the body; answers [`Answer::Applied`].
    Input {
        /// Which terminal.
        terminal: String,
        /// Who types.
        viewer: String,
        /// The number of this input, counted from 1 per viewer.
        seq: u64,
    },
    /// Text to paste in the body; answers [`Answer::Pasted`].
    Paste {
        /// Which terminal.
        terminal: String,
        /// Who pastes.
        viewer: String,
        /// The number of this input, counted together with [`Call::Input`].
        seq: u64,
        /// How strict.
        rule: PasteRule,
    },
    /// Answers [`Answer::Done`].
    Resize {
        /// Which terminal.
        terminal: String,
        /// The new size.
        size: Size,
    },
    /// Sends a signal to the foreground process group; answers [`Answer::Done`].
    Signal {
        /// Which terminal.
        terminal: String,
        /// The signal.
        signal: Signal,
    },
    /// Ends a terminal's programs; answers [`Answer::Done`] at once.
    Close {
        /// Which terminal.
        terminal: String,
    },
    /// Deletes an ended terminal with its log; answers [`Answer::Done`].
    Forget {
        /// Which terminal.
        terminal: String,
    },
    /// Answers [`Answer::Done`], then sends [`FromHost::Changed`] as long as the connection lasts.
    Watch,
}

/// Signals that may be sent to a terminal's foreground programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    Hangup,
    /// SIGKILL.
    Kill,
}

/// What the host sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromHost {
    /// The answer to a good [`ToHost::Hello`].
    Welcome {
        /// [`VERSION`] of the host.
        version: u32,
    },
    /// The answer to a bad one; the connection ends.
    Denied {
        /// Why.
        why: String,
    },
    /// The answer to a call.
    Answer {
        /// The call's number.
        id: u64,
        /// What came out.
        result: Result<Answer, Fault>,
    },
    /// A record of an attachment; its bytes stand in the body.
    Record {
        /// The attachment.
        attachment: u32,
        /// What it is.
        #[serde(flatten)]
        kind: RecordKind,
        /// The run of the terminal.
        epoch: u64,
        /// Where in the output it stands.
        offset: u64,
    },
    /// An attachment ended before its terminal did.
    Detached {
        /// The attachment.
        attachment: u32,
        /// Why.
        why: String,
    },
    /// State, size or attention of these terminals changed. No ids: too many changed to name them.
    Changed {
        /// The terminals.
        terminals: Vec<String>,
    },
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing to say.
    Done,
    /// A terminal.
    Info(Box<Info>),
    /// All terminals, newest first, at most 1,000.
    List(Vec<Info>),
    /// The bytes stand in the body.
    Bytes,
    /// The number of the last input that was applied for this viewer.
    Applied(u64),
    /// What became of a paste.
    Pasted(PasteOutcome),
}

/// An error as it crosses the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind.
    pub code: FaultCode,
    /// Text for people.
    pub text: String,
    /// For [`FaultCode::Sequence`]: the number that is expected.
    pub expected: u64,
}

/// Kinds of errors, see [`crate::TerminalError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// No such terminal.
    NotFound,
    /// A hole in the numbering of input.
    Sequence,
    /// The input queue is full.
    Full,
    /// A bound or rule was broken.
    Invalid,
    /// The system or disk refused.
    Failed,
}
