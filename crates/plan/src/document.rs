//! What a plan is.

/// A plan as it stands in the model's answer, before anything is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Its title; may be empty.
    pub title: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What the answer says outside of its steps: remarks, questions, members that mean nothing here. Nothing that a
    /// model wrote is dropped silently.
    pub outside: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub title: String,
    /// Why it is needed.
    pub why: String,
    /// `high`, `medium`, `low`, or empty.
    pub confidence: String,
    /// Numbers (from 1) of the steps that must come before.
    pub depends: Vec<u32>,
    /// What happens to which file.
    pub operations: Vec<Operation>,
    /// Commands a person may run; never run by us.
    pub commands: Vec<String>,
    /// How to see that it worked.
    pub checks: Vec<String>,
    /// Whether the step's end has arrived.
    pub complete: bool,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperationKind {
    /// A new file.
    Create,
    /// A changed file. Also what an unknown or missing kind means: it is the one that checks the most.
    #[default]
    Modify,
    /// A removed file.
    Delete,
    /// A renamed file.
    Move,
}

impl OperationKind {
    /// The word in the wire form.
    pub fn name(self) -> &'static str {
        match self {
            OperationKind::Create => "create",
            OperationKind::Modify => "modify",
            OperationKind::Delete => "delete",
            OperationKind::Move => "move",
        }
    }

    /// The kind a model's word means; synonyms are accepted.
    pub fn from_word(word: &str) -> OperationKind {
        match word.trim().to_ascii_lowercase().as_str() {
            "create" | "add" | "new" | "added" | "create_file" | "new_file" | "insert" | "write" => {
                OperationKind::Create
            }
            "delete" | "remove" | "removed" | "deleted" | "delete_file" => OperationKind::Delete,
            "move" | "rename" | "renamed" | "moved" | "move_file" => OperationKind::Move,
            _ => OperationKind::Modify,
        }
    }
}

/// One operation on one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// What happens.
    pub kind: OperationKind,
    /// The path as the model wrote it; [`crate::path::check`] says whether it may be used.
    pub path: String,
    /// Where a move goes.
    pub to: Option<String>,
    /// The function, type or section meant.
    pub symbol: Option<String>,
    /// First and last line meant, from 1.
    pub lines: Option<(u32, u32)>,
    /// The change, as text or code.
    pub change: String,
}
