//! What the files of a repository refer to: which line names which other file.
//!
//! [`imports`] reads every file of a tree, so it looks at the start of each line and has no
//! grammar; [`Resolver`] turns a reference into files by the habits of the language, from the
//! list of paths alone. Neither reads any build file or configuration.

mod lines;
mod names;
mod resolve;
mod script;
#[cfg(test)]
mod tests;

pub(crate) use resolve::Resolver;

use crate::language::extension;

/// A file that refers to more than this is a list, not code.
const MAX_IMPORTS: usize = 1000;

/// A reference of a file to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// The module as written; what is taken from it is appended (`from .a import b` is `.a.b`,
    /// `use crate::{a, b}` is `crate::a` and `crate::b`). A path relative to the file starts
    /// with `./` or `../` where the language tells such paths apart; `mod x;` is `self::x`.
    pub reference: String,
    /// The line, from 1.
    pub line: u32,
}

/// Languages that refer to files in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Python,
    Script,
    Rust,
    Go,
    Jvm,
    C,
    CSharp,
    Ruby,
    Php,
    Swift,
    Shell,
    Html,
    Css,
}

const FAMILIES: &[(Family, &[&str])] = &[
    (Family::Python, &["py", "pyi", "pyx"]),
    (Family::Script, &["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte", "astro"]),
    (Family::Rust, &["rs"]),
    (Family::Go, &["go"]),
    (Family::Jvm, &["java", "kt", "kts"]),
    (Family::C, &["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "inl", "ipp", "m", "mm", "cu", "cuh"]),
    (Family::CSharp, &["cs"]),
    (Family::Ruby, &["rb", "rake", "gemspec"]),
    (Family::Php, &["php", "phtml"]),
    (Family::Swift, &["swift"]),
    (Family::Shell, &["sh", "bash", "zsh"]),
    (Family::Html, &["html", "htm"]),
    (Family::Css, &["css", "scss", "sass", "less"]),
];

pub(super) fn family(path: &str) -> Option<Family> {
    let extension = extension(path);
    FAMILIES.iter().find(|(_, extensions)| extensions.contains(&extension)).map(|(family, _)| *family)
}

/// The references of a file, in order of their lines.
pub(crate) fn imports(path: &str, text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let Some(family) = family(path) else { return found };
    match family {
        Family::Script => script::script(text, &mut found),
        Family::Html => script::html(text, &mut found),
        _ => lines::lines(family, text, &mut found),
    }
    found.sort_by_key(|import| import.line);
    found.dedup();
    found.truncate(MAX_IMPORTS);
    found
}

/// Adds a reference if it can be one.
pub(super) fn push(out: &mut Vec<Import>, reference: impl Into<String>, line: u32) {
    /// Longer ones are data.
    const MAX_REFERENCE: usize = 300;
    let reference = reference.into();
    if out.len() < 2 * MAX_IMPORTS && !reference.is_empty() && reference.len() <= MAX_REFERENCE {
        out.push(Import { reference, line });
    }
}

/// The text between the first pair of quotes.
pub(super) fn quoted(text: &str) -> Option<&str> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = char::from(text.as_bytes()[start]);
    let inner = &text[start + 1..];
    Some(&inner[..inner.find(quote)?])
}

/// Which files of a repository import which, by paths and texts alone.
#[derive(Debug)]
pub struct Links<'p> {
    paths: &'p [&'p str],
    resolver: Resolver<'p>,
}

impl<'p> Links<'p> {
    /// Prepares look-ups in all paths of a repository, sorted by bytes.
    #[must_use]
    pub fn new(paths: &'p [&'p str]) -> Self {
        Self { paths, resolver: Resolver::new(paths) }
    }

    /// The files that the file at `path` with this text imports, each once, in the order of the imports. Imports of other
    /// projects, and of languages that are not understood, give none.
    #[must_use]
    pub fn of(&self, path: &str, text: &str) -> Vec<&'p str> {
        let mut found: Vec<&str> = Vec::new();
        for import in imports(path, text) {
            for at in self.resolver.resolve(path, &import) {
                let path = self.paths[at as usize];
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        found
    }
}
