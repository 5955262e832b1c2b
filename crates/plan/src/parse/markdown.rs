//! Plans that were answered as Markdown: headings, bold lines or numbered items as steps, the files that they name as
//! operations, fences as changes or commands.

use super::text::{line_range, numbers, outside};
use crate::document::{Document, Operation, OperationKind, Step};

mod line;

use line::{Line, Mode, Named};

/// The plan in a text, or `None` when no step of it names a file.
pub(super) fn read(text: &str) -> Option<Document> {
    let mode = Mode::of(text)?;
    let mut reader = Reader::default();
    let mut lines = text.lines();
    while let Some(raw) = lines.next() {
        match Line::of(raw, mode) {
            Line::Fence { marks, info } => {
                let mut body = Vec::new();
                for line in lines.by_ref() {
                    if line::closes(line, marks) {
                        break;
                    }
                    body.push(line);
                }
                reader.fence(info, &body);
            }
            Line::Step { title, level } => reader.begin(title, level, mode),
            Line::Heading { title, level } => reader.heading(title, level, raw),
            Line::Text(text) => reader.text(text),
        }
    }
    reader.end();
    let document = reader.document;
    document.steps.iter().any(|step| !step.operations.is_empty()).then_some(document)
}

#[derive(Default)]
struct Reader {
    document: Document,
    step: Option<Step>,
    level: usize,
    /// Text that belongs to no step.
    loose: String,
}

impl Reader {
    fn begin(&mut self, title: &str, level: usize, mode: Mode) {
        self.end();
        self.level = level;
        let mut step = Step { title: line::plain(title), complete: true, ..Step::default() };
        // A heading that is a file's name, or says what happens to one.
        if let Some(named) = Named::in_line(title, true) {
            step.operations.extend(named.operations());
        }
        if mode == Mode::Sections && self.document.title.is_empty() {
            self.document.title.clone_from(&step.title);
        }
        self.step = Some(step);
    }

    fn heading(&mut self, title: &str, level: usize, raw: &str) {
        match &mut self.step {
            Some(step) if level > self.level => {
                if let Some(named) = Named::in_line(title, true) {
                    step.operations.extend(named.operations());
                } else {
                    self.text(raw);
                }
            }
            _ => {
                self.end();
                if self.document.title.is_empty() && self.document.steps.is_empty() {
                    self.document.title = line::plain(title);
                } else {
                    self.add_loose(raw);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        let Some(step) = &mut self.step else {
            self.add_loose(text);
            return;
        };
        let bare = line::unmarked(text);
        if bare.is_empty() {
            return;
        }
        if let Some((label, value)) = line::label(bare) {
            match label.as_str() {
                "why" | "reason" | "rationale" | "purpose" => return add(&mut step.why, value),
                "check"
                | "checks"
                | "verify"
                | "verification"
                | "validation"
                | "expected"
                | "acceptance"
                | "acceptance criteria"
                | "test"
                | "testing" => {
                    if !value.is_empty() {
                        step.checks.push(value.to_owned());
                    }
                    return;
                }
                "run" | "command" | "commands" => {
                    if !value.is_empty() {
                        step.commands.push(value.trim_matches('`').to_owned());
                    }
                    return;
                }
                "confidence" => return step.confidence = line::plain(value).to_ascii_lowercase(),
                "depends on" | "depends" | "dependencies" => return step.depends.extend(numbers(value)),
                "lines" | "line" | "symbol" | "function" => {
                    if let Some(operation) = step.operations.last_mut() {
                        match label.starts_with("line") {
                            true => operation.lines = line_range(value),
                            false => operation.symbol = Some(line::plain(value)),
                        }
                        return;
                    }
                }
                "action" | "operation" => {
                    if let Some(operation) = step.operations.last_mut() {
                        return operation.kind = OperationKind::from_word(&line::plain(value));
                    }
                }
                _ => {}
            }
        }
        if let Some(named) = Named::in_line(text, false) {
            step.operations.extend(named.operations());
            return;
        }
        match step.operations.last_mut() {
            Some(operation) => add(&mut operation.change, text.trim_end()),
            None => add(&mut step.why, bare),
        }
    }

    fn fence(&mut self, info: &str, body: &[&str]) {
        let text = body.join("\n");
        let Some(step) = &mut self.step else {
            // A plan may stand in a fence as a whole, but then it was tried as such before.
            self.add_loose(&text);
            return;
        };
        let language = info.split([' ', ':', ',', '{']).next().unwrap_or_default().to_ascii_lowercase();
        if let Some(operations) = line::patch(body) {
            step.operations.extend(operations);
            return;
        }
        let named = line::path_of_fence(info).or_else(|| line::path_of_comment(body.first().copied()));
        let is_last = |path: &str, step: &Step| step.operations.last().is_some_and(|last| last.path == path);
        if let Some(path) = named
            && !is_last(path, step)
        {
            step.operations.push(Operation { path: path.to_owned(), ..Operation::default() });
        }
        match step.operations.last_mut() {
            _ if named.is_none()
                && matches!(language.as_str(), "sh" | "bash" | "shell" | "console" | "zsh") =>
            {
                step.commands.extend(line::commands(body));
            }
            Some(operation) => add(&mut operation.change, &text),
            None => add(&mut step.why, &text),
        }
    }

    fn add_loose(&mut self, text: &str) {
        self.loose.push_str(text);
        self.loose.push('\n');
    }

    fn end(&mut self) {
        self.document.outside.extend(outside(&std::mem::take(&mut self.loose)));
        let Some(step) = self.step.take() else { return };
        let says_nothing = step.operations.is_empty() && step.commands.is_empty() && step.checks.is_empty();
        if says_nothing && step.why.is_empty() && step.title.is_empty() {
            return;
        }
        self.document.steps.push(step);
    }
}

fn add(to: &mut String, text: &str) {
    if !to.is_empty() {
        to.push('\n');
    }
    to.push_str(text);
}
