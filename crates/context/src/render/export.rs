//! One JSON object, a line for each file.

use super::{Document, Shown};
use serde::Serialize;

/// The version of the form. It rises when a reader of the old form would misread the new one.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct FileText<'a> {
    path: &'a str,
    lines: u32,
    whole: bool,
    parts: Vec<PartText<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    omitted: Vec<[u32; 2]>,
}

#[derive(Serialize)]
struct PartText<'a> {
    first: u32,
    last: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct LeftOutText<'a> {
    path: &'a str,
    why: String,
}

pub(crate) fn document(document: &Document<'_>) -> String {
    let mut out = format!("{{\"version\":{VERSION},\n\"task\":{}", json(&document.task));
    if let Some(tree) = &document.tree {
        out.push_str(",\n\"tree\":");
        out.push_str(&json(&tree.lines));
    }
    out.push_str(",\n\"files\":[");
    for (place, file) in document.files.iter().enumerate() {
        out.push_str(if place > 0 { ",\n" } else { "\n" });
        out.push_str(self::file(file).trim_end());
    }
    out.push(']');
    let left_out = document.left_out.iter().map(|(path, why)| LeftOutText { path, why: why.to_string() });
    out.push_str(",\n\"left_out\":");
    out.push_str(&json(&left_out.collect::<Vec<_>>()));
    out.push_str(&format!(",\"left_out_unnamed\":{}}}\n", document.more));
    out
}

pub(crate) fn file(file: &Shown<'_>) -> String {
    let parts = file.parts.iter();
    let parts =
        parts.map(|part| PartText { first: part.lines.first, last: part.lines.last, text: part.text });
    let parts = parts.collect();
    let omitted = file.gaps().into_iter().flatten().map(|gap| [gap.first, gap.last]).collect();
    json(&FileText { path: file.path, lines: file.lines, whole: file.is_whole(), parts, omitted }) + "\n"
}

/// Strings and numbers always become JSON; there is nothing in these types that could not.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
