//! `terminals`: shells and agents that outlive every window, and their output by offset.
//!
//! Output is addressed by `(terminal, epoch, offset)`: `offset` counts the bytes that the terminal has written since
//! it was started, `epoch` is drawn at the start. Epochs are decimal text in JSON, because they need 64 bits.

use crate::{Empty, PlanId, ProjectId, SessionId, TerminalId, TimeMs};
use rpc::Record;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Terminals.
    pub service Terminals / TerminalsClient = "terminals" {
        /// Every terminal, running and ended, the newest first.
        unary list [View] (ListTerminals) -> TerminalList;
        /// Starts a shell or a program in a project's folder.
        unary start [Type] (StartTerminal) -> Terminal;
        /// Follows the output from an offset: first what is missed or a screen, then what comes.
        feed attach [View] (AttachTerminal) -> Record;
        /// Reads a range of the output again, byte for byte.
        feed history [View] (ReadHistory) -> Record;
        /// Types. A number that was taken before is acknowledged and has no second effect.
        unary input [Type] (TerminalInput) -> InputTaken;
        /// Pastes a text as one piece, if the program takes pastes. Never submits.
        unary paste [Type] (PasteText) -> Pasted;
        /// Puts a plan or one of its steps before the program: pasted, or as the path of a file. Never submits.
        unary hand_over [Type] (HandOver) -> HandedOver;
        /// Sets the size.
        unary resize [Type] (ResizeTerminal) -> Empty;
        /// Ends the program. The output stays.
        unary close [Type] (GetTerminal) -> Empty;
        /// Forgets an ended terminal and its output.
        unary forget [Type] (GetTerminal) -> Empty;
    }
}

/// What the bytes of a record of `terminals.attach` and `terminals.history` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// Output, at its offset.
    Data = 0,
    /// `u16 columns | u16 rows | bytes`: what brings an empty terminal of that size to the screen at the offset.
    Snapshot = 1,
    /// `u64 to`: output from the offset up to there is not sent; it can be read as history.
    Gap = 2,
    /// `u16 columns | u16 rows`: the size from this offset on.
    Resize = 3,
    /// JSON [`TerminalExit`]: the program ended after the offset.
    Exit = 4,
}

impl RecordKind {
    /// The kind with this number on the wire.
    pub fn of(kind: u8) -> Option<RecordKind> {
        [RecordKind::Data, RecordKind::Snapshot, RecordKind::Gap, RecordKind::Resize, RecordKind::Exit]
            .into_iter()
            .find(|known| *known as u8 == kind)
    }
}

/// Which terminals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListTerminals {
    /// Only those of this session.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
}

/// Terminals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TerminalList {
    /// The newest first.
    pub terminals: Vec<Terminal>,
}

/// How far a terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    /// Its program runs.
    Running,
    /// Its program has ended.
    Exited,
    /// The terminal host ended with it, for instance because the machine was switched off. The output is kept.
    Lost,
}

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TerminalExit {
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub signal: Option<String>,
}

/// A terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// The session it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// The project whose folder it was started in.
    pub project: ProjectId,
    /// What people call it.
    pub title: String,
    /// The program and its arguments; empty for the person's own shell.
    pub command: Vec<String>,
    /// How far it is.
    pub state: TerminalState,
    /// How the program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exit: Option<TerminalExit>,
    /// The epoch of its offsets.
    pub epoch: String,
    /// Bytes written so far.
    pub head: u64,
    /// The first byte that is still kept.
    pub log_start: u64,
    /// Its width in cells.
    pub columns: u16,
    /// Its height in cells.
    pub rows: u16,
    /// When it was started.
    pub created_at: TimeMs,
    /// When it last wrote something.
    pub last_output_at: TimeMs,
}

/// Starts a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartTerminal {
    /// In the folder of this project.
    pub project: ProjectId,
    /// For this session.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// The program and its arguments; the person's own shell when absent or empty.
    #[serde(default)]
    #[ts(optional)]
    pub command: Option<Vec<String>>,
    /// What to call it; the program's name when absent.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
    /// Its width in cells.
    pub columns: u16,
    /// Its height in cells.
    pub rows: u16,
}

/// Follows a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttachTerminal {
    /// The terminal.
    pub terminal: TerminalId,
    /// The epoch of `have`; absent when nothing is shown yet.
    #[serde(default)]
    #[ts(optional)]
    pub epoch: Option<String>,
    /// The offset up to which this viewer has the output.
    #[serde(default)]
    pub have: u64,
    /// How many bytes may be sent ahead of what this viewer has consumed.
    pub window: u32,
}

/// Reads output again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReadHistory {
    /// The terminal.
    pub terminal: TerminalId,
    /// The epoch of the offsets.
    pub epoch: String,
    /// The first byte.
    pub from: u64,
    /// The byte after the last.
    pub to: u64,
    /// How many bytes may be sent ahead of what has been consumed.
    pub window: u32,
}

/// Names a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetTerminal {
    /// The terminal.
    pub terminal: TerminalId,
}

/// Keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TerminalInput {
    /// The terminal.
    pub terminal: TerminalId,
    /// Who types: drawn once by each viewer, so that its numbers are its own.
    pub viewer: String,
    /// Counts this viewer's inputs and pastes to this terminal, from 1.
    pub seq: u64,
    /// The bytes, in base64.
    pub data: String,
}

/// An input was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InputTaken {
    /// The last number of this viewer that was taken.
    pub seq: u64,
}

/// Pastes a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PasteText {
    /// The terminal.
    pub terminal: TerminalId,
    /// As in [`TerminalInput`].
    pub viewer: String,
    /// As in [`TerminalInput`].
    pub seq: u64,
    /// The text. Control characters other than tab and line feed refuse it.
    pub text: String,
}

/// Why a text was not pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PasteRefusal {
    /// It has control characters, which could leave the paste and be commands.
    ControlCharacters,
    /// The program does not say that it takes pastes as one piece: each line would be run.
    NoBracketedPaste,
    /// Another program than the one that was started has the terminal.
    Foreground,
}

/// What became of a paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pasted {
    /// It stands before the program; nothing was submitted.
    Pasted,
    /// The program changed or ended in the middle.
    Interrupted {
        /// In words: how much has arrived.
        message: String,
    },
    /// Nothing was written.
    Refused {
        /// Why.
        reason: PasteRefusal,
        /// In words.
        message: String,
    },
}

/// Hands a plan over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HandOver {
    /// To this terminal.
    pub terminal: TerminalId,
    /// Drawn for this hand-over: asking again with the same key has no second effect on the terminal.
    pub key: String,
    /// The plan.
    pub plan: PlanId,
    /// The version that was shown. If the plan is in another one by now, the answer is `conflict`, reason `plan_changed`: a step
    /// may have another number. Absent, the plan is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<u32>,
    /// One step of it; the whole plan when absent.
    #[serde(default)]
    #[ts(optional)]
    pub step: Option<u32>,
    /// Whether steps about which nothing was decided go too. Rejected ones never do, nor those with an error that was
    /// not overridden.
    #[serde(default)]
    pub all: bool,
    /// The template around it; the plan or step alone when absent.
    #[serde(default)]
    #[ts(optional)]
    pub template: Option<String>,
}

/// How a plan was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HandedOver {
    /// Its text was pasted; nothing was submitted.
    Pasted {
        /// Characters of the text.
        characters: u32,
        /// Characters that cannot be shown, or would steer the terminal, and were replaced by a visible sign.
        replaced: u32,
    },
    /// It was written to a file, and the file's path was typed; nothing was submitted.
    File {
        /// The file, in the project.
        path: String,
        /// Why it was not pasted.
        reason: PasteRefusal,
        /// As in `Pasted`.
        replaced: u32,
    },
}

/// Sets a terminal's size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResizeTerminal {
    /// The terminal.
    pub terminal: TerminalId,
    /// Its width in cells.
    pub columns: u16,
    /// Its height in cells.
    pub rows: u16,
}
