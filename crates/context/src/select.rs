//! Which parts of a file that is too long are shown: the definitions that the task concerns.

use crate::source::{Lines, Source};
use discovery::{Symbol, SymbolKind};
use std::collections::BTreeSet;

/// Pieces of one file that are considered; a task concerns few places of a file.
const MAX_UNITS: usize = 40;
/// A longer definition is shown by the places in it that matter.
const MAX_LEAF: u32 = 160;
/// A longer class is shown by its head and those of its members that matter.
const MAX_CONTAINER: u32 = 60;
/// Lines of a class before its first member.
const MAX_HEAD: u32 = 12;
/// Lines shown on each side of a line that no definition contains.
const AROUND: u32 = 8;
/// The same within a long definition.
const AROUND_IN_LONG: u32 = 25;
/// Lines of comments and attributes that belong to the definition below them.
const MAX_LEADING: u32 = 20;
/// Lines of a file of which nothing is known.
const BEGINNING: u32 = 40;
/// How far a definition is assumed to go when only its first line is known.
const MAX_GUESSED: u32 = 120;
/// A gap of so few lines is shown; to say that it is left out would take as much room.
const SMALL_GAP: u32 = 2;

/// A definition that the task names outweighs everything else.
const NAMED: u32 = 40;
/// The first reason's line; each later one weighs two less.
const FIRST_REASON: u32 = 20;
/// A word of the task in a definition's name.
const WORD: u32 = 3;
/// Beside a much better piece, one that shares a single word is noise: half of a file's names may have that word.
const LEAST_SHARE: u32 = 4;

/// What a task says, for comparing with names.
#[derive(Debug, Default)]
pub(crate) struct TaskWords {
    identifiers: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl TaskWords {
    pub(crate) fn new(task: &str) -> TaskWords {
        let mut out = TaskWords::default();
        for token in
            task.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|token| !token.is_empty())
        {
            if is_code_like(token) {
                out.identifiers.insert(token.to_owned());
            }
            out.words.extend(parts(token).filter(|word| word.chars().count() > 3).map(|word| stem(&word)));
        }
        out
    }

    fn weight(&self, name: &str) -> u32 {
        if self.identifiers.contains(name) {
            return NAMED;
        }
        let words: BTreeSet<String> = parts(name).map(|word| stem(&word)).collect();
        words.intersection(&self.words).count().min(3) as u32 * WORD
    }
}

/// Whether a word of prose would not look like this: `parse_url`, `HttpClient`, `sha256`.
fn is_code_like(token: &str) -> bool {
    let inner = token.chars().skip(1).any(|c| c.is_uppercase() || c.is_numeric());
    token.len() > 2 && (token.contains('_') || (inner && token.chars().any(char::is_lowercase)))
}

/// A word without its usual endings, so that `renamed_fields` is about renaming a field.
fn stem(word: &str) -> String {
    let ending = ["ing", "ed", "es", "s", "e"].into_iter().find(|ending| word.ends_with(ending));
    let bare = ending.map_or(word, |ending| &word[..word.len() - ending.len()]);
    if bare.len() < 3 { word.to_owned() } else { bare.to_owned() }
}

/// The words of a name, in lower case: `HTTPServer_name2` is `http`, `server`, `name2`.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in letters.iter().enumerate() {
        let upper = c.is_uppercase();
        let after_lower = at > 0 && letters[at - 1].is_lowercase();
        let before_lower = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if *c == '_' || (upper && (after_lower || before_lower)) {
            words.push(String::new());
        }
        if *c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

/// The pieces of a file that are worth showing, the best first; at least one if there is a line at all.
pub(crate) fn units(source: &Source, text: &str, split: &[&str], task: &TaskWords) -> Vec<Lines> {
    let total = split.len() as u32;
    if total == 0 {
        return Vec::new();
    }
    let symbols = spans(discovery::outline(&source.path, text), split);
    let mut found: Vec<(u32, Lines)> = Vec::new();
    for (place, line) in source.lines.iter().enumerate().filter(|(_, line)| (1..=total).contains(*line)) {
        let weight = FIRST_REASON.saturating_sub(2 * place as u32).max(1);
        found.push((weight, around(*line, &symbols, split)));
    }
    for symbol in &symbols {
        let weight = task.weight(&symbol.name);
        if weight > 0 {
            found.push((weight, piece(symbol, &symbols, split)));
        }
    }
    if found.is_empty() {
        return vec![Lines::new(1, total.min(BEGINNING))];
    }
    // What several reasons point to is worth their sum.
    found.sort_by_key(|(_, lines)| *lines);
    let mut summed: Vec<(u32, Lines)> = Vec::new();
    for (weight, lines) in found {
        match summed.last_mut() {
            Some((sum, last)) if *last == lines => *sum += weight,
            _ => summed.push((weight, lines)),
        }
    }
    summed.sort_by_key(|(weight, lines)| (std::cmp::Reverse(*weight), *lines));
    summed.truncate(MAX_UNITS);
    let least = summed.first().map_or(0, |(best, _)| (best / LEAST_SHARE).min(2 * WORD));
    summed.retain(|(weight, _)| *weight >= least);
    summed.into_iter().map(|(_, lines)| lines).collect()
}

/// A definition with the lines it spans.
#[derive(Debug)]
struct Span {
    name: String,
    lines: Lines,
    /// The first line of the first definition inside it, if that is shown by itself.
    first_member: Option<u32>,
}

/// The definitions that are shown by themselves: not those inside a function.
fn spans(symbols: Vec<Symbol>, split: &[&str]) -> Vec<Span> {
    let total = split.len() as u32;
    // Languages without a grammar give first lines only; then a definition goes on to the next.
    let guessed = symbols.iter().all(|symbol| symbol.start_line == symbol.end_line);
    let mut spans: Vec<Span> = Vec::new();
    let mut function_until = 0;
    for (place, symbol) in symbols.iter().enumerate() {
        let (first, mut last) = (symbol.start_line, symbol.end_line.min(total));
        if first == 0 || first > last || first <= function_until {
            continue;
        }
        if guessed {
            let next = symbols[place + 1..].iter().map(|next| next.start_line).find(|line| *line > first);
            last = next.map_or(total, |line| line - 1).min(first + MAX_GUESSED);
            while last > first && is_between(split, last) {
                last -= 1;
            }
        } else if matches!(symbol.kind, SymbolKind::Function | SymbolKind::Method) {
            function_until = last;
        }
        for outer in spans.iter_mut().filter(|outer| outer.lines.first < first && first <= outer.lines.last) {
            outer.first_member.get_or_insert(first);
        }
        spans.push(Span { name: symbol.name.clone(), lines: Lines::new(first, last), first_member: None });
    }
    spans
}

/// The piece that shows a line: the smallest definition around it, or its neighbourhood.
fn around(line: u32, symbols: &[Span], split: &[&str]) -> Lines {
    let inside = |span: &&Span| span.lines.first <= line && line <= span.lines.last;
    let Some(span) = symbols.iter().filter(inside).min_by_key(|s| s.lines.last - s.lines.first) else {
        return near(line, AROUND, Lines::new(1, split.len() as u32));
    };
    let shown = piece(span, symbols, split);
    if shown.first <= line && line <= shown.last {
        return shown;
    }
    near(line, AROUND_IN_LONG, span.lines)
}

fn near(line: u32, many: u32, within: Lines) -> Lines {
    Lines::new(line.saturating_sub(many).max(within.first), line.saturating_add(many).min(within.last))
}

/// What is shown of a definition: all of it, or its head if it is long.
fn piece(span: &Span, symbols: &[Span], split: &[&str]) -> Lines {
    let Lines { first, mut last } = span.lines;
    let long = last - first;
    if let Some(member) = span.first_member.filter(|_| long > MAX_CONTAINER) {
        last = (member - 1).min(first + MAX_HEAD).max(first);
        while last > first && is_between(split, last) {
            last -= 1;
        }
    } else if long > MAX_LEAF {
        last = first + AROUND_IN_LONG;
    }
    let before = symbols.iter().map(|other| other.lines.last).filter(|end| *end < first).max().unwrap_or(0);
    Lines::new(leading(first, before, split), last)
}

/// The first of the comments and attributes directly above a definition.
fn leading(first: u32, before: u32, split: &[&str]) -> u32 {
    let lowest = before.max(first.saturating_sub(MAX_LEADING + 1));
    let mut top = first;
    while top > lowest + 1 && !line(split, top - 1).trim().is_empty() && is_between(split, top - 1) {
        top -= 1;
    }
    top
}

/// Whether a line is blank, a comment or an attribute: nothing that a definition ends with.
fn is_between(split: &[&str], number: u32) -> bool {
    const MARKS: [&str; 8] = ["//", "/*", "*/", "* ", "#[", "# ", "@", "--"];
    let text = line(split, number).trim();
    text.is_empty() || text == "*" || text == "#" || MARKS.iter().any(|mark| text.starts_with(mark))
}

fn line<'a>(split: &[&'a str], number: u32) -> &'a str {
    (number as usize).checked_sub(1).and_then(|at| split.get(at)).copied().unwrap_or_default()
}

/// The chosen pieces with the first lines of what encloses them, in order, joined where little lies between.
pub(crate) fn with_headers(split: &[&str], chosen: &[Lines]) -> Vec<Lines> {
    let mut all: Vec<Lines> = chosen.to_vec();
    for lines in chosen {
        all.extend(headers(split, lines.first).into_iter().map(|line| Lines::new(line, line)));
    }
    all.sort();
    let mut joined: Vec<Lines> = Vec::new();
    for lines in all {
        match joined.last_mut() {
            Some(last) if lines.first <= last.last.saturating_add(SMALL_GAP + 1) => {
                last.last = last.last.max(lines.last);
            }
            _ => joined.push(lines),
        }
    }
    joined
}

/// The lines that open the blocks around a line, by indentation, which holds for every language alike: `impl`,
/// `class`, `namespace`, `describe(…)`.
fn headers(split: &[&str], first: u32) -> Vec<u32> {
    let mut headers = Vec::new();
    let mut indent = indentation(line(split, first));
    for number in (1..first).rev() {
        if indent == 0 {
            break;
        }
        let text = line(split, number);
        let own = indentation(text);
        // The `):` of a signature that is broken into lines is not what opens the block.
        if own < indent && text.trim_start().starts_with(char::is_alphabetic) {
            headers.push(number);
            indent = own;
        }
    }
    headers
}

fn indentation(line: &str) -> usize {
    if line.trim().is_empty() { usize::MAX } else { line.len() - line.trim_start().len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;
    use crate::source::split;

    fn chosen(path: &str, text: &str, task: &str, lines: &[u32]) -> String {
        let source =
            Source { path: path.into(), content: Content::Text(text.to_owned()), lines: lines.to_vec() };
        let split = split(text);
        let units = units(&source, text, &split, &TaskWords::new(task));
        let shown = |lines: &[Lines]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        format!("{} | {}", shown(&units), shown(&with_headers(&split, &units[..1.min(units.len())])))
    }

    #[test]
    fn words_of_names() {
        let split = |name: &str| parts(name).collect::<Vec<_>>().join(" ");
        assert_eq!(split("HTTPServer_name2"), "http server name2");
        assert_eq!(split("__init__"), "init");
        assert_eq!(split("camelCase"), "camel case");
        assert_eq!(["renamed", "rename", "renames", "renaming"].map(stem), ["renam"; 4]);
        assert_eq!(["fields", "bus", "漢字"].map(stem), ["field", "bus", "漢字"]);
        assert!(is_code_like("parse_url") && is_code_like("HttpClient") && is_code_like("sha256"));
        assert!(!is_code_like("The") && !is_code_like("HTTP") && !is_code_like("get"));
    }

    #[test]
    fn a_named_method_brings_its_class_and_decorator() {
        let filler = "    x = 1\n".repeat(70);
        let text = format!(
            "import a\n\n\nclass Client(\n    Base,\n):\n    \"\"\"Doc.\"\"\"\n{filler}\n    @retry\n    def send_all(self):\n        return 1\n\n    def other(self):\n        pass\n"
        );
        assert_eq!(chosen("a.py", &text, "Make `send_all` retry", &[]), "79–81 | 4 79–81");
    }

    #[test]
    fn a_line_brings_the_smallest_definition_around_it() {
        let text = "impl A {\n    /// Doc.\n    fn one(&self) {\n        x();\n    }\n\n    fn two(&self) {\n        y();\n    }\n}\n";
        let long = format!("{text}{}", "// end\n".repeat(30));
        assert_eq!(chosen("a.rs", &long, "no such word", &[8]), "7–9 | 1 7–9");
        assert_eq!(chosen("a.rs", &long, "no such word", &[4]), "2–5 | 1–5");
        assert_eq!(chosen("a.rs", &long, "no such word", &[25]), "17–33 | 17–33");
    }

    #[test]
    fn text_of_which_nothing_is_known_is_shown_from_its_beginning() {
        assert_eq!(chosen("a.txt", &"word\n".repeat(100), "task", &[]), "1–40 | 1–40");
        assert_eq!(chosen("a.txt", &"word\n".repeat(100), "task", &[50, 0, 999]), "42–58 | 42–58");
        assert_eq!(chosen("a.txt", "", "task", &[1]), " | ");
    }

    #[test]
    fn without_a_grammar_a_definition_goes_on_to_the_next() {
        let text = "#include <a.h>\n\nint one(int a)\n{\n  return a;\n}\n\n/* Two. */\nint two_of(int b)\n{\n  return b;\n}\n";
        assert_eq!(chosen("a.c", text, "two_of is wrong", &[]), "8–12 | 8–12");
        assert_eq!(chosen("a.c", text, "x", &[5]), "3–6 | 3–6");
    }

    #[test]
    fn what_shares_but_a_common_word_is_noise() {
        let text =
            "def page_one():\n    pass\n\n\ndef page_two():\n    pass\n\n\ndef renamed_pages():\n    pass\n";
        assert_eq!(chosen("a.py", text, "Rename `page_two`, a page", &[]), "5–6 9–10 | 5–6");
        assert_eq!(chosen("a.py", text, "Rename a page", &[]), "9–10 1–2 5–6 | 9–10");
    }

    #[test]
    fn a_long_function_is_shown_around_the_line() {
        let text = format!("def long_one():\n{}", "    x = 1\n".repeat(500));
        assert_eq!(chosen("a.py", &text, "x", &[300]), "275–325 | 1 275–325");
        assert_eq!(chosen("a.py", &text, "long_one", &[]), "1–26 | 1–26");
    }
}
