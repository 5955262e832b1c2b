//! Single lines of Markdown: which begin a step, which name a file.

use crate::document::{Operation, OperationKind};

/// Endings by which a bare name is known to be a file.
const ENDINGS: &[&str] = &[
    "rs", "toml", "lock", "py", "pyi", "ts", "tsx", "js", "jsx", "mjs", "cjs", "json", "go", "mod", "java",
    "kt", "kts", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "swift", "scala", "sh", "bash", "ps1",
    "sql", "html", "htm", "css", "scss", "vue", "svelte", "md", "mdx", "rst", "txt", "yml", "yaml", "xml",
    "ini", "cfg", "conf", "env", "proto", "graphql", "lua", "ex", "exs", "erl", "hs", "ml", "clj", "dart",
    "r", "jl", "zig", "nix", "gradle", "tf", "csv", "svg", "snap", "tmpl",
];
const NAMES: &[&str] =
    &["makefile", "dockerfile", "license", "gemfile", "rakefile", "procfile", "justfile", "jenkinsfile"];

/// What begins a step in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// `## Step 1: …`, `### 2. …`
    Headings,
    /// `**Step 1: …**`
    Bold,
    /// `1. …` at the start of a line.
    Numbered,
    /// Every heading whose section names a file.
    Sections,
}

/// A line and what it is.
pub(super) enum Line<'a> {
    Fence { marks: &'a str, info: &'a str },
    Step { title: &'a str, level: usize },
    Heading { title: &'a str, level: usize },
    Text(&'a str),
}

impl Mode {
    /// How a text marks its steps; `None` when it has nothing that could be one.
    pub(super) fn of(text: &str) -> Option<Mode> {
        let (mut headings, mut bold, mut numbered, mut sections) = (false, false, false, false);
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            match fence {
                Some(marks) if closes(line, marks) => fence = None,
                Some(_) => {}
                None => {
                    fence = opens(line).map(|(marks, _)| marks);
                    match heading(line) {
                        Some((_, title)) => {
                            sections = true;
                            headings |= is_numbered(title);
                        }
                        None => {
                            bold |= bold_line(line).is_some_and(is_numbered);
                            numbered |= item(line).is_some();
                        }
                    }
                }
            }
        }
        match (headings, bold, numbered, sections) {
            (true, ..) => Some(Mode::Headings),
            (_, true, ..) => Some(Mode::Bold),
            (_, _, true, _) => Some(Mode::Numbered),
            (.., true) => Some(Mode::Sections),
            _ => None,
        }
    }
}

impl<'a> Line<'a> {
    pub(super) fn of(raw: &'a str, mode: Mode) -> Line<'a> {
        if let Some((marks, info)) = opens(raw) {
            return Line::Fence { marks, info };
        }
        if let Some((level, title)) = heading(raw) {
            let begins = match mode {
                Mode::Headings => is_numbered(title),
                Mode::Sections => level > 1,
                Mode::Bold | Mode::Numbered => false,
            };
            let title = if begins { unnumbered(title) } else { title };
            return if begins { Line::Step { title, level } } else { Line::Heading { title, level } };
        }
        let begins = match mode {
            Mode::Bold => bold_line(raw).filter(|text| is_numbered(text)).map(unnumbered),
            Mode::Numbered => item(raw),
            _ => None,
        };
        // Below any heading: a heading ends such a step.
        begins.map_or(Line::Text(raw), |title| Line::Step { title, level: 6 })
    }
}

fn opens(line: &str) -> Option<(&str, &str)> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.len() - text.trim_start_matches(mark).len();
    let info = &text[length..];
    (length >= 3 && !info.contains('`')).then(|| (&text[..length], info.trim()))
}

pub(super) fn closes(line: &str, marks: &str) -> bool {
    let line = line.trim();
    line.starts_with(marks) && line.trim_start_matches(&marks[..1]).is_empty()
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_end();
    let level = text.len() - text.trim_start_matches('#').len();
    let title = text[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, title.trim().trim_end_matches('#').trim()))
}

fn bold_line(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix("**")?;
    let (bold, after) = inner.split_once("**")?;
    // `**Step 1**: title` has its title behind.
    if after.trim().trim_start_matches(':').trim().is_empty() { Some(bold) } else { Some(line.trim()) }
}

/// `1. …` without indentation.
fn item(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    (digits > 0 && rest.starts_with(' ')).then(|| rest.trim())
}

/// `Step 1: …`, `1. …`, `Phase 2 - …`, `Task 3`.
fn is_numbered(title: &str) -> bool {
    let bare = title.trim_start_matches(['*', '[', ' ']);
    let after = ["step", "phase", "task", "schritt", "part"].iter().find_map(|word| {
        let head = bare.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| bare[word.len()..].trim_start_matches([' ', '#']))
    });
    let (text, named) = after.map_or((bare, false), |after| (after, true));
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[digits..];
    digits > 0 && (named || rest.starts_with(['.', ')', ':']) || rest.starts_with(" -"))
}

/// A title without `Step 1:` before it.
fn unnumbered(title: &str) -> &str {
    let bare = title.trim_start_matches(['*', '[', ' ']);
    let at = bare.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let rest = bare[at..].trim_start_matches(|c: char| c.is_ascii_digit());
    rest.trim_start_matches(['.', ')', ':', ']', '*', ' ', '-', '–', '—']).trim_end_matches('*').trim()
}

/// A line without the marks of lists, quotes, headings and bold.
pub(super) fn unmarked(line: &str) -> &str {
    let text = line.trim().trim_start_matches(['-', '*', '+', '>', '#', ' ']);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].strip_prefix(['.', ')']) {
        Some(rest) if digits > 0 && rest.starts_with(' ') => rest.trim(),
        _ => text,
    }
}

/// Text without the marks of bold and code.
pub(super) fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "").trim().trim_end_matches(':').to_owned()
}

/// `Why: because`, `**Check:** it works`, in lower case and what follows.
pub(super) fn label(bare: &str) -> Option<(String, &str)> {
    let (label, value) = bare.split_once(':')?;
    let label = label.trim_matches(['*', '_', ' ']).to_ascii_lowercase();
    (label.len() <= 24).then(|| (label, value.trim_start_matches(['*', '_']).trim()))
}

/// A file that a line names, and what happens to it.
pub(super) struct Named<'a> {
    kind: OperationKind,
    paths: Vec<&'a str>,
    rest: String,
}

impl<'a> Named<'a> {
    /// The file that a heading or item is about: it begins with one, or with a word for what happens, or with `File:`.
    pub(super) fn in_line(line: &'a str, is_title: bool) -> Option<Named<'a>> {
        let bare = unmarked(line);
        let listed = is_title || line.trim().starts_with(['-', '*', '+', '#']);
        let mut words = bare
            .split_whitespace()
            .map(|word| word.trim_matches(['*', '(', ')', '[', ']', ',', ';', ':', '"']));
        let first = words.next().unwrap_or_default();
        let verb = kind_of(first);
        let labelled = matches!(first.to_ascii_lowercase().as_str(), "file" | "path" | "files" | "in");
        let within = match (listed, verb.is_some() || labelled) {
            // `- Update the helper in src/a.rs`
            (true, true) => 12,
            (false, true) => 4,
            (true, false) => 1,
            (false, false) => return None,
        };
        let tokens: Vec<&str> = bare.split_whitespace().collect();
        let place = tokens.iter().take(within).position(|token| path(token).is_some())?;
        let paths: Vec<&str> = tokens[place..].iter().filter_map(|token| path(token)).collect();
        // `src/a.rs (new)`, `src/a.rs – create`
        let after =
            tokens[place..].iter().map(|t| t.trim_matches(['*', '(', ')', '[', ']', ',', ':', '–', '-']));
        let kind = verb.or_else(|| after.take(5).find_map(kind_of)).unwrap_or_default();
        let rest = bare.to_owned();
        Some(Named { kind, paths, rest })
    }

    pub(super) fn operations(self) -> Vec<Operation> {
        let said = |path: &str| {
            let rest = plain(&self.rest);
            let words = rest.split_whitespace().count();
            // A line that only names the file says nothing about the change.
            if words > 3 && rest.len() > path.len() + 12 { rest } else { String::new() }
        };
        if self.kind == OperationKind::Move
            && let [from, to, ..] = self.paths.as_slice()
        {
            let to = Some((*to).to_owned());
            return vec![Operation { kind: self.kind, path: (*from).to_owned(), to, ..Operation::default() }];
        }
        let mut operations: Vec<Operation> = Vec::new();
        for path in &self.paths {
            if operations.iter().all(|o| o.path != *path) {
                operations.push(Operation {
                    kind: self.kind,
                    path: (*path).to_owned(),
                    ..Operation::default()
                });
            }
        }
        if let Some(last) = operations.last_mut() {
            last.change = said(&last.path.clone());
        }
        operations
    }
}

fn kind_of(word: &str) -> Option<OperationKind> {
    match word.trim_matches('`').to_ascii_lowercase().as_str() {
        "create" | "add" | "new" | "creates" | "adding" | "creating" => Some(OperationKind::Create),
        "modify" | "update" | "edit" | "change" | "modified" | "updated" | "refactor" | "extend" | "fix"
        | "replace" | "updating" | "modifying" | "modifies" => Some(OperationKind::Modify),
        "delete" | "remove" | "drop" | "deleted" => Some(OperationKind::Delete),
        "move" | "rename" | "moved" | "renamed" => Some(OperationKind::Move),
        _ => None,
    }
}

/// A token as the path of a file.
fn path(token: &str) -> Option<&str> {
    let token =
        token.trim_matches(['*', '(', ')', '[', ']', ',', ';', '"', '\'']).trim_end_matches([':', '.']);
    let (bare, ticked) = match token.strip_prefix('`') {
        Some(rest) => (rest.split('`').next().unwrap_or(rest), true),
        None => (token, false),
    };
    let bare = bare.trim_end_matches(':');
    let plain = !bare.is_empty()
        && !bare.contains("://")
        && bare.chars().all(|c| c.is_alphanumeric() || "_-./@+[]()$~\\".contains(c))
        && (ticked || !bare.contains(['(', ')']));
    let name = bare.rsplit('/').next().unwrap_or(bare);
    let known = NAMES.contains(&name.to_ascii_lowercase().as_str())
        || name.rsplit_once('.').is_some_and(|(stem, ending)| {
            ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
                && (!stem.is_empty() || !ending.is_empty())
                && !stem.bytes().all(|b| b.is_ascii_digit() && bare == name)
        });
    (plain && known).then_some(bare)
}

/// ` ```rust src/a.rs `, ` ```rust:src/a.rs `, ` ```ts title="src/a.ts" `.
pub(super) fn path_of_fence(info: &str) -> Option<&str> {
    let mut words = info.split([' ', ':', '=', '"', '{', '}', ',']).filter(|word| !word.is_empty());
    words.find_map(|word| path(word).filter(|p| p.contains(['/', '.'])))
}

/// `// src/a.rs` in the first line of a fence.
pub(super) fn path_of_comment(line: Option<&str>) -> Option<&str> {
    let line = line?.trim();
    let text = ["//", "#", "--", "<!--", "/*", ";;"].iter().find_map(|mark| line.strip_prefix(mark))?;
    let text = text.trim().trim_end_matches("-->").trim_end_matches("*/").trim();
    let text = text.strip_prefix("File:").or_else(|| text.strip_prefix("file:")).unwrap_or(text).trim();
    path(text).filter(|path| path.contains('/') && !text.contains(char::is_whitespace))
}

/// The lines of a shell session that were typed.
pub(super) fn commands(body: &[&str]) -> Vec<String> {
    let prompts = body.iter().any(|line| line.starts_with("$ "));
    let lines = body.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty());
    if prompts {
        return lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect();
    }
    // Lines that go on belong together, and so does a document that is given to a command.
    let all = lines.collect::<Vec<_>>().join("\n");
    if all.contains("<<") || all.contains("\\\n") {
        vec![all]
    } else {
        all.lines().map(str::to_owned).collect()
    }
}

/// A patch in a fence: unified, or with the marks of `apply_patch`. Each file is an operation.
pub(super) fn patch(body: &[&str]) -> Option<Vec<Operation>> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut begin = |kind, path: &str| {
        operations.push(Operation { kind, path: path.trim().to_owned(), ..Operation::default() });
    };
    let mut texts: Vec<Vec<&str>> = Vec::new();
    for (at, line) in body.iter().enumerate() {
        let marked = [
            ("*** Update File:", OperationKind::Modify),
            ("*** Add File:", OperationKind::Create),
            ("*** Delete File:", OperationKind::Delete),
        ]
        .into_iter()
        .find_map(|(mark, kind)| line.strip_prefix(mark).map(|path| (kind, path)));
        if let Some((kind, path)) = marked {
            begin(kind, path);
            texts.push(Vec::new());
        } else if let (Some(old), Some(new)) =
            (line.strip_prefix("--- "), body.get(at + 1).and_then(|next| next.strip_prefix("+++ ")))
        {
            let strip = |path: &str| {
                let path = path.split('\t').next().unwrap_or(path).trim();
                path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(path).to_owned()
            };
            let (old, new) = (strip(old), strip(new));
            match (old.as_str(), new.as_str()) {
                ("/dev/null", new) => begin(OperationKind::Create, new),
                (old, "/dev/null") => begin(OperationKind::Delete, old),
                (_, new) => begin(OperationKind::Modify, new),
            }
            texts.push(vec![*line]);
        } else if let Some(text) = texts.last_mut()
            && *line != "*** End Patch"
        {
            text.push(line);
        }
    }
    for (operation, text) in operations.iter_mut().zip(texts) {
        operation.change = text.join("\n").trim_end().to_owned();
    }
    (!operations.is_empty()).then_some(operations)
}
