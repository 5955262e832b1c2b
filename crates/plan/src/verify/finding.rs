//! What a check found, and what would put it right.

use crate::document::OperationKind;
use std::borrow::Cow;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// May be wrong, or wants a look.
    Warning,
    /// The step cannot be carried out as written.
    Error,
}

/// One change of a step that answers a finding. [`crate::repair()`] carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The operation means this path.
    UsePath(String),
    /// The operation means this symbol.
    UseSymbol(String),
    /// The symbol is not named.
    DropSymbol,
    /// The operation means these lines.
    UseLines(u32, u32),
    /// The lines are not named.
    DropLines,
    /// The operation is of this kind.
    UseKind(OperationKind),
    /// The step does not depend on that one.
    DropDependency(u32),
    /// The operation goes: an earlier one does the same.
    DropOperation,
    /// The file that the operation removes is not made before: all operations on it go, up to this one.
    DropFile,
    /// The step comes directly after the one with this number.
    MoveAfter(u32),
}

impl Repair {
    /// From where to where the repair moves the step at this position, counted from 0 before and after; `None` when it
    /// leaves the order of steps alone.
    pub fn moves(&self, step: usize) -> Option<(usize, usize)> {
        match self {
            // The step leaves a place before that one, so its new place has the other's present position.
            Repair::MoveAfter(number) => Some((step, (*number as usize).checked_sub(1)?)),
            _ => None,
        }
    }
}

/// What a check found in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable word for it.
    pub code: Cow<'static, str>,
    /// In words.
    pub message: String,
    /// The operation it concerns, by position.
    pub operation: Option<usize>,
    /// What to use instead, in words.
    pub suggestion: Option<String>,
    /// What would put it right.
    pub repair: Option<Repair>,
}

impl Finding {
    /// A finding that concerns the whole step and suggests nothing.
    pub fn new(severity: Severity, code: &'static str, message: String) -> Finding {
        Finding {
            severity,
            code: Cow::Borrowed(code),
            message,
            operation: None,
            suggestion: None,
            repair: None,
        }
    }

    pub(super) fn with(self, repair: Repair) -> Finding {
        Finding { repair: Some(repair), ..self }
    }

    pub(super) fn suggesting(self, suggestion: Option<String>) -> Finding {
        Finding { suggestion, ..self }
    }
}
