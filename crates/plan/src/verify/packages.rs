//! Which packages a change uses, and which a manifest names. Both are read by lines: what is not understood is passed
//! over, because a false alarm costs more than a package that nobody warned of.

use super::Severity;
use crate::document::{Document, OperationKind};
use std::collections::{BTreeSet, HashSet};

mod names;
use names::{NODE, PYPI, PYTHON, RUST};

/// A language whose packages are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// `Cargo.toml`
    Rust,
    /// `package.json`
    Script,
    /// `pyproject.toml`, `requirements.txt`, `setup.py`, `setup.cfg`, `Pipfile`
    Python,
    /// `go.mod`
    Go,
}

impl Language {
    fn of(path: &str) -> Option<Language> {
        match path.rsplit_once('.')?.1 {
            "rs" => Some(Language::Rust),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => {
                Some(Language::Script)
            }
            "py" | "pyi" => Some(Language::Python),
            "go" => Some(Language::Go),
            _ => None,
        }
    }

    /// The language whose packages this file names.
    pub fn of_manifest(path: &str) -> Option<Language> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "Cargo.toml" => Some(Language::Rust),
            "package.json" => Some(Language::Script),
            "pyproject.toml" | "setup.py" | "setup.cfg" | "Pipfile" => Some(Language::Python),
            "go.mod" => Some(Language::Go),
            _ if name.starts_with("requirements") && name.ends_with(".txt") => Some(Language::Python),
            _ => None,
        }
    }

    pub(super) fn manifest(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::Script => "package.json",
            Language::Python => "manifest of the project",
            Language::Go => "go.mod",
        }
    }

    /// Names of modules and packages differ in Python, and a Rust path may begin with a name in scope.
    pub(super) fn severity(self) -> Severity {
        match self {
            Language::Script | Language::Go => Severity::Warning,
            Language::Rust | Language::Python => Severity::Info,
        }
    }

    /// The part of an import that could be a module of the project itself.
    pub(super) fn module(self, name: &str) -> &str {
        match self {
            Language::Script | Language::Go => name.split('/').next().unwrap_or(name),
            _ => name,
        }
    }

    /// Whether one of the declared names stands for what is imported.
    pub(super) fn declares(self, declared: &BTreeSet<String>, import: &str) -> bool {
        let plain = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
        match self {
            Language::Rust => declared.iter().any(|d| plain(d) == plain(import)),
            // A package's types may be all that it is used for.
            Language::Script => {
                let types = format!("@types/{}", import.trim_start_matches('@').replace('/', "__"));
                declared.contains(import) || declared.contains(&types)
            }
            Language::Go => declared.iter().any(|d| {
                import.strip_prefix(d.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }),
            Language::Python => {
                let import = plain(import);
                let alias = PYPI.iter().find(|(module, _)| *module == import).map(|(_, package)| *package);
                // `google_cloud_storage` gives `google`, `python_dateutil` gives `dateutil`.
                declared.iter().map(|d| plain(d)).any(|d| {
                    d == import || alias == Some(d.as_str()) || d.split('_').any(|part| part == import)
                })
            }
        }
    }
}

/// The packages that a manifest names, its own among them.
pub fn declared(path: &str, text: &str) -> BTreeSet<String> {
    match Language::of_manifest(path) {
        Some(Language::Rust) => cargo(text),
        Some(Language::Script) => node(text),
        Some(Language::Go) => go_mod(text),
        Some(Language::Python) => python(text),
        None => BTreeSet::new(),
    }
}

fn cargo(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            section = head.trim_matches(['[', ']', ' ']).to_owned();
            if let Some((_, name)) = section.split_once("dependencies.") {
                names.insert(name.trim_matches('"').to_owned());
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().trim_matches('"').split('.').next().unwrap_or_default();
            if section.ends_with("dependencies") {
                names.insert(key.to_owned());
            } else if key == "name" && matches!(section.as_str(), "package" | "lib" | "bin" | "example") {
                names.insert(value.trim().trim_matches('"').to_owned());
            }
        }
    }
    names
}

fn node(text: &str) -> BTreeSet<String> {
    let Ok(serde_json::Value::Object(manifest)) = serde_json::from_str(text) else { return BTreeSet::new() };
    let mut names: BTreeSet<String> = manifest
        .iter()
        .filter(|(key, _)| key.to_lowercase().ends_with("dependencies"))
        .filter_map(|(_, value)| value.as_object())
        .flat_map(|map| map.keys().cloned())
        .collect();
    names.extend(manifest.get("name").and_then(|name| name.as_str()).map(str::to_owned));
    names
}

fn go_mod(text: &str) -> BTreeSet<String> {
    let words = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    words
        .flat_map(str::split_whitespace)
        .filter(|word| {
            word.contains('.') && word.starts_with(|c: char| c.is_alphanumeric()) && !word.contains('=')
        })
        .chain(text.lines().find_map(|line| line.strip_prefix("module ")).map(str::trim))
        .map(str::to_owned)
        .collect()
}

/// Every name that could be a requirement: at the start of a line, of a quoted text, or before `=`.
fn python(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> Option<String> {
        let length =
            text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
        (length > 0).then(|| text[..length].to_owned())
    };
    text.lines()
        .flat_map(|line| line.split(['"', '\'', ',']).map(str::trim).filter_map(name).collect::<Vec<_>>())
        .collect()
}

/// Packages that the plan itself adds to a manifest.
pub(super) struct Imports<'a> {
    /// The text of changes to manifests, by language.
    changed: Vec<(Language, &'a str)>,
    /// Names of files that the plan makes, without their endings.
    made: HashSet<&'a str>,
}

impl<'a> Imports<'a> {
    pub(super) fn of(document: &'a Document) -> Imports<'a> {
        let operations = || document.steps.iter().flat_map(|step| &step.operations);
        let changed =
            operations().filter_map(|o| Some((Language::of_manifest(&o.path)?, o.change.as_str()))).collect();
        let made = operations()
            .filter(|o| matches!(o.kind, OperationKind::Create | OperationKind::Move))
            .flat_map(|o| o.to.as_deref().unwrap_or(&o.path).split('/'))
            .map(|part| part.split('.').next().unwrap_or(part))
            .collect();
        Imports { changed, made }
    }

    /// Whether the plan adds the package, or makes a module of this name.
    pub(super) fn plans(&self, language: Language, name: &str) -> bool {
        let spelt = [name.to_owned(), name.replace('_', "-")];
        self.made.contains(language.module(name))
            || self
                .changed
                .iter()
                .any(|(l, text)| *l == language && spelt.iter().any(|name| text.contains(name.as_str())))
    }
}

/// The packages that a change to this file uses, each once.
pub(super) fn imports(path: &str, change: &str) -> Vec<(Language, String)> {
    let Some(language) = Language::of(path) else { return Vec::new() };
    let mut names = BTreeSet::new();
    for line in change.lines() {
        // Lines of a patch that are taken away use nothing any more.
        let line = line.trim_start();
        if line.starts_with('-') {
            continue;
        }
        let line = line.strip_prefix('+').unwrap_or(line).trim_start();
        match language {
            Language::Rust => names.extend(rust(line)),
            Language::Script => names.extend(script(line)),
            Language::Python => names.extend(python_line(line)),
            Language::Go => names.extend(go(line)),
        }
    }
    if language == Language::Rust {
        // `mod a; use a::b;`
        names.retain(|name| {
            !change.contains(&format!("mod {name}")) && !change.contains(&format!(" as {name}"))
        });
    }
    names.into_iter().map(|name| (language, name)).collect()
}

fn word(text: &str) -> &str {
    let length = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..length]
}

fn rust(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    if let Some(name) = line.strip_prefix("extern crate ") {
        return Some(word(name).to_owned()).filter(|name| !RUST.contains(&name.as_str()));
    }
    let path = line.strip_prefix("use ")?.trim_start_matches("::");
    let first = word(path);
    let is_crate = path[first.len()..].starts_with("::")
        && !RUST.contains(&first)
        && first.starts_with(|c: char| c.is_ascii_lowercase());
    is_crate.then(|| first.to_owned())
}

fn quoted(text: &str) -> Option<&str> {
    let open = text.find(['"', '\''])?;
    let quote = text[open..].chars().next()?;
    text[open + 1..].split(quote).next()
}

fn script(line: &str) -> Option<String> {
    let source = if line.starts_with("import ") || line.starts_with("export ") || line.starts_with('}') {
        match line.split_once(" from ") {
            Some((_, source)) => quoted(source)?,
            None => quoted(line.strip_prefix("import ")?.trim_start())
                .filter(|_| line.starts_with("import ") && line[7..].trim_start().starts_with(['"', '\'']))?,
        }
    } else {
        quoted(line.split_once("require(")?.1)?
    };
    let mut parts = source.split('/');
    let first = parts.next()?;
    let local = source.starts_with(['.', '/', '~', '#', '$'])
        || matches!(first, "@" | "~" | "")
        || source.contains(':');
    let name = if first.starts_with('@') { format!("{first}/{}", parts.next()?) } else { first.to_owned() };
    (!local && !NODE.contains(&first)).then_some(name)
}

fn python_line(line: &str) -> Vec<String> {
    let names: Vec<&str> = if let Some(from) = line.strip_prefix("from ") {
        if !line.contains(" import") || from.starts_with('.') {
            return Vec::new();
        }
        vec![word(from)]
    } else if let Some(list) = line.strip_prefix("import ") {
        if list.contains(['"', '\'', '{', '(']) {
            return Vec::new();
        }
        list.split(',').map(|name| word(name.trim())).collect()
    } else {
        return Vec::new();
    };
    let known = |name: &&str| !name.is_empty() && !PYTHON.contains(name) && !name.starts_with('_');
    names.into_iter().filter(known).map(str::to_owned).collect()
}

fn go(line: &str) -> Option<String> {
    let rest = line.strip_prefix("import ").unwrap_or(line);
    let open = rest.find('"')?;
    let alias = rest[..open].trim();
    if !(alias.is_empty() || alias.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.'))
        || alias.contains(' ')
    {
        return None;
    }
    let source = rest[open + 1..].strip_suffix('"')?;
    let host = source.split('/').next()?;
    (host.contains('.') && source.contains('/') && !source.contains(' ')).then(|| source.to_owned())
}
