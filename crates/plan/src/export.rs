//! A plan as a document: Markdown for people, the wire form, JSON for programs.
//!
//! The text of a plan is written by a model. Nothing in it may end the fence or tag that holds it.

use crate::document::{Document, Operation, Step};
use crate::verify::{Finding, Severity};
use serde::Serialize;
use std::fmt::Write;

/// The plan in Markdown. `findings` are those of [`crate::verify()`], step by step; missing ones count as none.
pub fn markdown(document: &Document, findings: &[Vec<Finding>]) -> String {
    let mut out = String::new();
    let title = if document.title.is_empty() { "Implementation plan" } else { &document.title };
    line(&mut out, &format!("# {}\n", one_line(title)));
    for (index, step) in document.steps.iter().enumerate() {
        let findings = findings.get(index).map_or(&[][..], Vec::as_slice);
        write_step(&mut out, index + 1, step, findings);
    }
    out
}

/// One step in Markdown, under the number it has in its plan.
pub fn step_markdown(number: u32, step: &Step) -> String {
    let mut out = String::new();
    write_step(&mut out, usize::try_from(number).unwrap_or(0), step, &[]);
    out
}

fn write_step(out: &mut String, number: usize, step: &Step, findings: &[Finding]) {
    line(out, &format!("## {number}. {}\n", one_line(&step.title)));
    if !step.why.is_empty() {
        line(out, &format!("{}\n", prose(&step.why)));
    }
    for finding in findings.iter().filter(|f| f.severity > Severity::Info) {
        line(out, &format!("> **{}:** {}\n", severity(finding.severity), one_line(&finding.message)));
    }
    for operation in &step.operations {
        line(out, &format!("- {}\n", heading(operation)));
        if !operation.change.is_empty() {
            let fence = fence_for(&operation.change);
            line(out, &format!("{fence}\n{}\n{fence}\n", operation.change));
        }
    }
    for command in &step.commands {
        let fence = fence_for(command);
        line(out, &format!("Run:\n\n{fence}sh\n{command}\n{fence}\n"));
    }
    for check in &step.checks {
        line(out, &format!("Check: {}\n", one_line(check)));
    }
    if !step.complete {
        line(out, "*The answer ended inside this step.*\n");
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _infallible = writeln!(out, "{text}");
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Note",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    }
}

fn heading(operation: &Operation) -> String {
    let mut text = format!("**{}** {}", operation.kind.name(), code(&operation.path));
    if let Some(to) = &operation.to {
        text.push_str(&format!(" → {}", code(to)));
    }
    if let Some(symbol) = &operation.symbol {
        text.push_str(&format!(", {}", code(symbol)));
    }
    if let Some((first, last)) = operation.lines {
        text.push_str(&format!(", lines {first}–{last}"));
    }
    text
}

/// Text of a model between headings and fences of ours: it begins none of its own.
fn prose(text: &str) -> String {
    let steers = |line: &str| {
        let line = line.trim_start();
        line.starts_with(['#', '<', '>']) || line.starts_with("```") || line.starts_with("~~~")
    };
    let lines = text
        .lines()
        .map(|line| if steers(line) { format!("\\{}", line.trim_start()) } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

/// A carriage return at the end of a line is no hidden text.
fn is_hidden(c: char) -> bool {
    crate::path::is_invisible(c) && c != '\r'
}

/// A foreign text as a quotation in Markdown, without characters that cannot be seen: whatever stands in it, it begins no
/// heading outside of the quotation. Empty for an empty text.
pub fn quoted(text: &str) -> String {
    let seen: String = text.trim().chars().filter(|c| !is_hidden(*c)).collect();
    // A carriage return by itself ends a line in Markdown, too.
    let seen = seen.replace("\r\n", "\n").replace('\r', "\n");
    seen.lines().map(|line| format!("> {line}\n")).collect()
}

/// A foreign text in one line, without characters that cannot be seen.
pub fn in_one_line(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    one_line(&seen)
}

/// The document without characters that cannot be seen, and how many there were.
pub fn stripped(document: &Document) -> (Document, usize) {
    let mut out = document.clone();
    let mut count = 0;
    let mut strip = |text: &mut String| {
        let found = text.chars().filter(|c| is_hidden(*c)).count();
        if found > 0 {
            count += found;
            text.retain(|c| !is_hidden(c));
        }
    };
    strip(&mut out.title);
    for step in &mut out.steps {
        strip(&mut step.title);
        strip(&mut step.why);
        step.commands.iter_mut().for_each(&mut strip);
        step.checks.iter_mut().for_each(&mut strip);
        for operation in &mut step.operations {
            strip(&mut operation.change);
        }
    }
    (out, count)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Inline code that its own backticks cannot end.
fn code(text: &str) -> String {
    let text = one_line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{ticks} {text} {ticks}")
    } else {
        format!("{ticks}{text}{ticks}")
    }
}

/// A fence that nothing in `text` can close.
fn fence_for(text: &str) -> String {
    "`".repeat(longest_run(text).max(2) + 1)
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// The plan in the wire form. Reading it again gives the same document.
pub fn xml(document: &Document) -> String {
    let mut out = format!("<plan title=\"{}\">\n", attribute(&document.title));
    for step in &document.steps {
        out.push_str(&format!("<step title=\"{}\"", attribute(&step.title)));
        optional(&mut out, "confidence", Some(&step.confidence).filter(|c| !c.is_empty()));
        let depends = step.depends.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        optional(&mut out, "depends", Some(&depends).filter(|d| !d.is_empty()));
        out.push_str(">\n");
        if !step.why.is_empty() {
            out.push_str(&format!("<why>{}</why>\n", content(&step.why)));
        }
        for operation in &step.operations {
            out.push_str(&format!(
                "<operation kind=\"{}\" path=\"{}\"",
                operation.kind.name(),
                attribute(&operation.path)
            ));
            optional(&mut out, "to", operation.to.as_ref());
            optional(&mut out, "symbol", operation.symbol.as_ref());
            let lines = operation.lines.map(|(first, last)| format!("{first}-{last}"));
            optional(&mut out, "lines", lines.as_ref());
            out.push_str(&format!(">\n<change>{}</change>\n</operation>\n", content(&operation.change)));
        }
        for command in &step.commands {
            out.push_str(&format!("<command>{}</command>\n", content(command)));
        }
        for check in &step.checks {
            out.push_str(&format!("<check>{}</check>\n", content(check)));
        }
        if step.complete {
            out.push_str("</step>\n");
        }
    }
    out.push_str("</plan>\n");
    out
}

/// A plan as a file of a project: Markdown for people, and at its end the wire form for programs, in a comment that nothing
/// in it can close.
pub fn file(document: &Document) -> String {
    // `--` would end the comment; in the wire form it stands in texts only, where an entity would not be one.
    let wire = xml(document).replace('&', "&amp;").replace("--", "&#45;&#45;");
    format!("{}<!-- plantocode-plan\n{wire}-->\n", markdown(document, &[]))
}

/// The plan in a file that [`file`] wrote, if its text has one.
pub fn from_file(text: &str) -> Option<Document> {
    let (_, rest) = text.rsplit_once("<!-- plantocode-plan\n")?;
    let wire = rest.split_once("-->")?.0.replace("&#45;&#45;", "--").replace("&amp;", "&");
    let mut parser = crate::Parser::new();
    parser.push(&wire);
    let (document, state) = parser.finish(crate::Ending::Finished);
    (state != crate::State::Unreadable).then_some(document)
}

fn optional(out: &mut String, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        out.push_str(&format!(" {name}=\"{}\"", attribute(value)));
    }
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

fn content(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[derive(Serialize)]
struct JsonPlan<'a> {
    title: &'a str,
    steps: Vec<JsonStep<'a>>,
}

#[derive(Serialize)]
struct JsonStep<'a> {
    number: usize,
    title: &'a str,
    why: &'a str,
    confidence: &'a str,
    depends: &'a [u32],
    operations: Vec<JsonOperation<'a>>,
    commands: &'a [String],
    checks: &'a [String],
    complete: bool,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonOperation<'a> {
    kind: &'static str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<(u32, u32)>,
    change: &'a str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    severity: String,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
}

/// The plan in JSON, indented.
///
/// # Errors
/// Never in practice: every member is text, a number or a list of those.
pub fn json(document: &Document, findings: &[Vec<Finding>]) -> Result<String, serde_json::Error> {
    let steps = document.steps.iter().enumerate().map(|(index, step)| JsonStep {
        number: index + 1,
        title: &step.title,
        why: &step.why,
        confidence: &step.confidence,
        depends: &step.depends,
        operations: step
            .operations
            .iter()
            .map(|o| JsonOperation {
                kind: o.kind.name(),
                path: &o.path,
                to: o.to.as_deref(),
                symbol: o.symbol.as_deref(),
                lines: o.lines,
                change: &o.change,
            })
            .collect(),
        commands: &step.commands,
        checks: &step.checks,
        complete: step.complete,
        findings: findings
            .get(index)
            .into_iter()
            .flatten()
            .map(|f| JsonFinding {
                severity: severity(f.severity).to_lowercase(),
                code: &f.code,
                message: &f.message,
                operation: f.operation,
                suggestion: f.suggestion.as_deref(),
            })
            .collect(),
    });
    serde_json::to_string_pretty(&JsonPlan { title: &document.title, steps: steps.collect() })
}
