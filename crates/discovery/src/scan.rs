//! A line scanner: which lines are comments, which define something, and under what name.
//!
//! It reads every file, so it is a few rules and no grammar: wrong now and then, never slow. The
//! outline of the best candidates is exact.

use crate::SymbolKind;
use crate::language::Language;

/// A name that a line defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Definition<'t> {
    pub name: &'t str,
    pub kind: SymbolKind,
}

/// What the scanner says about one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    Comment,
    Code(Option<Definition<'t>>),
}

/// Remembers between the lines of one file whether a block comment or docstring is open.
#[derive(Debug)]
pub(crate) struct Scanner {
    language: Language,
    /// What ends the open block.
    open: Option<&'static str>,
}

/// Words that may stand before the word that says what is defined.
const MODIFIERS: &[&str] = &[
    "pub",
    "async",
    "unsafe",
    "extern",
    "export",
    "default",
    "declare",
    "abstract",
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "final",
    "sealed",
    "open",
    "override",
    "virtual",
    "inline",
    "constexpr",
    "readonly",
    "partial",
    "data",
    "suspend",
    "cdef",
    "cpdef",
    "typedef",
    "local",
    "mut",
];
/// Words that start a statement that looks like a definition with braces.
const STATEMENTS: &[&str] = &[
    "if",
    "else",
    "for",
    "while",
    "switch",
    "match",
    "return",
    "catch",
    "do",
    "try",
    "with",
    "case",
    "when",
    "new",
    "throw",
    "await",
    "yield",
    "using",
    "lock",
    "elif",
    "foreach",
    "synchronized",
    "unless",
    "until",
    "defer",
    "go",
    "select",
    "super",
];

impl Scanner {
    pub(crate) fn new(language: Language) -> Self {
        Self { language, open: None }
    }

    /// Judges the next line of the file.
    pub(crate) fn line<'t>(&mut self, line: &'t str) -> Line<'t> {
        let text = line.trim_start();
        if let Some(end) = self.open {
            if text.contains(end) {
                self.open = None;
            }
            return Line::Comment;
        }
        if self.language == Language::Plain {
            return Line::Code(None);
        }
        if self.opens_comment(text) {
            return Line::Comment;
        }
        Line::Code(self.definition(text, line.len() - text.len()))
    }

    fn opens_comment(&mut self, text: &str) -> bool {
        match self.language {
            Language::Python | Language::Hash => {
                let quoted = text.trim_start_matches(['r', 'u', 'b', 'f', 'R']);
                for quote in ["\"\"\"", "'''"] {
                    if self.language == Language::Python
                        && let Some(rest) = quoted.strip_prefix(quote)
                    {
                        self.open = (!rest.contains(quote)).then_some(quote);
                        return true;
                    }
                }
                text.starts_with('#')
            }
            _ => {
                if let Some(rest) = text.strip_prefix("/*") {
                    self.open = (!rest.contains("*/")).then_some("*/");
                    return true;
                }
                text.starts_with("//") || text.starts_with("* ")
            }
        }
    }

    fn definition<'t>(&self, text: &'t str, indent: usize) -> Option<Definition<'t>> {
        let mut rest = text;
        let mut word = word(rest);
        while MODIFIERS.contains(&word) {
            rest = rest[word.len()..].trim_start();
            if rest.starts_with('(') && self.language == Language::Rust {
                rest = rest.split_once(')').map_or("", |(_, tail)| tail).trim_start(); // pub(crate)
            } else if rest.starts_with('"') {
                rest = rest[1..].split_once('"').map_or("", |(_, tail)| tail).trim_start(); // extern "C"
            }
            word = self::word(rest);
        }
        let after = rest[word.len()..].trim_start();
        if let Some(kind) = self.keyword(word, after) {
            return named(kind, after);
        }
        match self.language {
            Language::Python | Language::Hash => {
                let constant = indent == 0 && after.starts_with('=') && !after.starts_with("==");
                (constant && !word.is_empty())
                    .then_some(Definition { name: word, kind: SymbolKind::Constant })
            }
            Language::Braces | Language::TypeScript | Language::JavaScript => self.braces(text, indent),
            _ => None,
        }
    }

    /// What a keyword defines, if it does in this language.
    fn keyword(&self, word: &str, after: &str) -> Option<SymbolKind> {
        use Language as L;
        use SymbolKind as K;
        let kind = match (self.language, word) {
            (L::Rust, "fn") | (L::Go, "func") | (L::Python | L::Hash, "def") | (L::Hash, "sub" | "defp") => {
                K::Function
            }
            (L::Braces, "fn" | "fun" | "func") => K::Function,
            (L::TypeScript | L::JavaScript | L::Braces | L::Hash, "function") => K::Function,
            (L::Rust | L::Braces, "struct" | "union") => K::Struct,
            (L::Rust | L::Braces | L::TypeScript | L::JavaScript, "enum") => K::Enum,
            (L::Rust | L::Braces, "trait") => K::Trait,
            (L::Rust | L::Go | L::TypeScript | L::Braces, "type") => K::Type,
            (L::JavaScript, "type") if after.contains('=') => K::Type,
            (L::Rust, "mod")
            | (L::Hash, "module" | "defmodule")
            | (L::Braces | L::TypeScript, "namespace") => K::Module,
            (L::Rust, "macro_rules") => K::Macro,
            (L::Rust, "const" | "static") | (L::Go, "const" | "var") => K::Constant,
            (L::TypeScript | L::JavaScript, "const" | "let" | "var") if is_function_value(after) => {
                K::Function
            }
            (L::TypeScript | L::JavaScript, "const") if is_screaming(after) => K::Constant,
            (L::Python | L::Hash | L::TypeScript | L::JavaScript | L::Braces, "class") => K::Class,
            (L::TypeScript | L::JavaScript | L::Braces, "interface" | "protocol") => K::Interface,
            (L::Braces, "record" | "object") if !after.starts_with(['.', '=', '-', '(']) => K::Class,
            _ => return None,
        };
        Some(kind)
    }

    /// Functions without a keyword (`static int parse_url(…) {`, `render() {`), and `#define`.
    fn braces<'t>(&self, text: &'t str, indent: usize) -> Option<Definition<'t>> {
        if let Some(rest) = text.strip_prefix("#define") {
            return named(SymbolKind::Macro, rest.trim_start());
        }
        let open = text.find('(')?;
        let head = text[..open].trim_end();
        let name = &head[head.rfind(|c: char| !is_name(c)).map_or(0, |at| at + last_char_len(head, at))..];
        let kind = if indent == 0 { SymbolKind::Function } else { SymbolKind::Method };
        let opens_body = text.trim_end().ends_with('{');
        // A C function may open its body on the next line; its type stands before the name.
        let c_style = indent == 0
            && self.language == Language::Braces
            && head.len() > name.len()
            && !text.contains(';');
        let is_statement = STATEMENTS.contains(&word(text)) || STATEMENTS.contains(&name);
        let is_expression = head.contains(['=', '.', '"', '\'', '#', '}', '?', '!']);
        ((opens_body || c_style) && !is_statement && !is_expression && starts_name(name))
            .then_some(Definition { name, kind })
    }
}

fn last_char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

fn named(kind: SymbolKind, after: &str) -> Option<Definition<'_>> {
    let mut rest = after.trim_start_matches(['*', '&', '!', ' ']);
    if let Some(receiver) = rest.strip_prefix('(') {
        rest = receiver.split_once(')').map_or("", |(_, tail)| tail).trim_start(); // Go: func (r *T) Name
    } else if let Some(generic) = rest.strip_prefix('<') {
        rest = generic.split_once('>').map_or("", |(_, tail)| tail).trim_start(); // Kotlin: fun <T> name
    }
    if let Some(tail) = rest.strip_prefix("self.") {
        rest = tail; // Ruby: def self.name
    }
    let name = word(rest);
    (starts_name(name) && name != "_").then_some(Definition { name, kind })
}

fn word(text: &str) -> &str {
    &text[..text.find(|c| !is_name(c)).unwrap_or(text.len())]
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn starts_name(name: &str) -> bool {
    name.starts_with(|c: char| is_name(c) && !c.is_numeric())
}

fn is_function_value(after: &str) -> bool {
    after.contains("=>") || after.contains("= function") || after.contains("= async")
}

fn is_screaming(after: &str) -> bool {
    let name = word(after);
    name.len() > 2 && !name.contains(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(language: Language, text: &str) -> String {
        let mut scanner = Scanner::new(language);
        let mut out = Vec::new();
        for line in text.lines() {
            match scanner.line(line) {
                Line::Comment => out.push("//".to_owned()),
                Line::Code(Some(found)) => out.push(format!("{}:{}", found.kind.name(), found.name)),
                Line::Code(None) => {}
            }
        }
        out.join(" ")
    }

    #[test]
    fn definitions_of_each_language() {
        for (language, text, expected) in [
            (
                Language::Rust,
                "pub(crate) async fn a<T>() {\npub struct B;\nlet x = 1;\nmacro_rules! m {",
                "function:a struct:B macro:m",
            ),
            (
                Language::Rust,
                "/* one\ntwo */\nconst A: u8 = 1;\n/// doc\nmod tests {",
                "// // constant:A // module:tests",
            ),
            (
                Language::Python,
                "class A(B):\n    async def f(self):\n        '''Doc.\n        more'''\nX = 1\nx == 1",
                "class:A function:f // // constant:X",
            ),
            (
                Language::TypeScript,
                "export const f = async () => {\nexport default class A {\n  render(x) {\n  if (x) {\ninterface I {",
                "function:f class:A method:render interface:I",
            ),
            (
                Language::Go,
                "func (r *T) Name(x int) error {\ntype T struct {\nfunc f() {",
                "function:Name type:T function:f",
            ),
            (
                Language::Braces,
                "static int parse_url(char *s)\n{\n  while (x) {\n  foo(a);\n}\n#define MAX 3",
                "function:parse_url macro:MAX",
            ),
            (
                Language::Braces,
                "public class A {\n  public static void main(String[] a) {\n  x.call(() -> {",
                "class:A method:main",
            ),
            (Language::Hash, "# c\ndef self.run(x)\nmodule M", "// function:run module:M"),
            (Language::Plain, "fn a() {}", ""),
        ] {
            assert_eq!(names(language, text), expected, "{text}");
        }
    }
}
