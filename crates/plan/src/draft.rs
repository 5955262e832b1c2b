//! A plan that no model has written: from the task and the files that were found for it.

use crate::document::{Document, Operation, Step};

/// Files that get a step of their own.
const MOST_STEPS: usize = 12;
/// Symbols that are listed for a file.
const MOST_SYMBOLS: usize = 12;

/// A file that was found for the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftFile {
    /// Its path.
    pub path: String,
    /// Why it was found, in words.
    pub reasons: Vec<String>,
    /// What it defines, the most telling first.
    pub symbols: Vec<String>,
    /// Whether it is a test.
    pub test: bool,
}

/// A draft: one step for each file, what to look at in it, and the questions that a model would have answered.
pub fn draft(task: &str, files: &[DraftFile]) -> Document {
    let line = task.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no task");
    let short: String = line.chars().take(80).collect();
    let (tests, sources): (Vec<&DraftFile>, Vec<&DraftFile>) = files.iter().partition(|file| file.test);
    let step = |verb: &str, file: &DraftFile| {
        let mut change = String::from("Not written: this draft was made without a model.\n");
        if !file.symbols.is_empty() {
            let symbols: Vec<&str> = file.symbols.iter().take(MOST_SYMBOLS).map(String::as_str).collect();
            change.push_str(&format!("It defines {}.\n", symbols.join(", ")));
        }
        change.push_str("Which of this has to change, and what else uses it?");
        Step {
            title: format!("{verb} {}", file.path),
            why: format!("Found for the task: {}.", file.reasons.join("; ")),
            confidence: "low".to_owned(),
            operations: vec![Operation { path: file.path.clone(), change, ..Operation::default() }],
            complete: true,
            ..Step::default()
        }
    };
    let mut steps: Vec<Step> = sources.iter().take(MOST_STEPS).map(|file| step("Change", file)).collect();
    steps.extend(tests.iter().take(MOST_STEPS / 3).map(|file| step("Adapt the tests in", file)));
    let beyond = files.len().saturating_sub(steps.len());
    let mut questions = vec![
        "Which behaviour is wanted exactly, and what must stay as it is?".to_owned(),
        "Which of the files found have to change, and which are only read?".to_owned(),
        "How will you see that it works?".to_owned(),
    ];
    if tests.is_empty() {
        questions.push("No test was found for this. Where would one stand?".to_owned());
    }
    if beyond > 0 {
        questions.push(format!("{beyond} more files were found. Do any of them belong here?"));
    }
    Document {
        title: format!("Draft without a model: {short}"),
        steps,
        outside: questions.into_iter().map(|question| format!("Open question: {question}")).collect(),
    }
}
