//! From a task and ranked files to a text and its manifest.

use crate::fit::Fitting;
use crate::render::Format;
use crate::source::{LeftOut, Lines, Source};
use crate::tokens::Tokenizer;

/// What to pack.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The task in words.
    pub task: &'a str,
    /// The files, those that matter most first.
    pub files: &'a [Source],
    /// The paths of all files of the project, in order, if their list is wanted.
    pub tree: Option<&'a [String]>,
    /// The form of the text.
    pub format: Format,
    /// How tokens are counted.
    pub tokenizer: Tokenizer,
    /// The most tokens the text may have.
    pub budget: u64,
}

/// A text that fits, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The text.
    pub text: String,
    /// The tokens of the text, counted as a whole; never more than the budget.
    pub tokens: u64,
    /// What is in it.
    pub manifest: Manifest,
}

/// What a pack contains and what it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Every file of the request, in its order.
    pub files: Vec<Entry>,
    /// What became of the list of files.
    pub tree: TreeForm,
}

impl Manifest {
    /// Whether any of these lines of a file is in the pack; `file` is its place in the request.
    #[must_use]
    pub fn shows(&self, file: usize, lines: Lines) -> bool {
        match self.files.get(file).map(|entry| &entry.form) {
            Some(Form::Whole) => true,
            Some(Form::Definitions(parts)) => parts.iter().any(|part| part.overlaps(lines)),
            _ => false,
        }
    }
}

/// One file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: String,
    /// How much of it is there.
    pub form: Form,
    /// How many lines it has; 0 if it could not be read.
    pub lines: u32,
    /// The tokens of what is there, counted by itself. The tokens of all files add up to the whole but roughly,
    /// because what is counted by itself is cut differently.
    pub tokens: u64,
}

/// How much of a file is in a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Whole,
    /// These lines, in order, with gaps between them.
    Definitions(Vec<Lines>),
    /// None of it.
    LeftOut(LeftOut),
}

/// What became of the list of the project's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeForm {
    /// It was not asked for.
    #[default]
    NotAsked,
    /// Every file is listed.
    Whole,
    /// Folders deeper than this many levels are there with the number of their files.
    Folders(usize),
    /// There was no room for it.
    LeftOut,
}

/// The budget does not even hold the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task alone takes {needs} tokens and the budget is {budget}; nothing would be left for files")]
pub struct TooSmall {
    /// What the task takes with nothing beside it, in tokens.
    pub needs: u64,
    /// The budget, in tokens.
    pub budget: u64,
}

/// Packs as much of the files as the budget holds.
///
/// The files are taken in order. One that takes no more than half of what is left goes in whole; of a longer one
/// go the definitions that the task names, those at the lines of its reasons and those that share words with the
/// task. What is left at the end makes files whole or shows more of them, again in order. The finished text is counted as a whole, and
/// reduced from its end until it fits. The same request gives the same bytes.
///
/// # Errors
/// [`TooSmall`] when not even the task fits.
pub fn pack(request: &Request<'_>) -> Result<Pack, TooSmall> {
    let mut fitting = Fitting::new(request)?;
    fitting.choose_tree();
    fitting.take_in_order();
    fitting.make_whole();
    fitting.name_left_out();
    let (text, tokens) = fitting.finish();
    Ok(Pack { tokens, manifest: fitting.manifest(), text })
}
