//! The symbols of one file, with exact kinds and line ranges where a grammar is at hand.

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, Parser};

use crate::language::{self, Language};
use crate::scan::{Line, Scanner};

/// A larger text is read by lines: parsing runs at some 5 MB/s.
const MAX_PARSED: usize = 512 << 10;
/// Parsing is given up after this many progress steps (some hundred operations each): a text made
/// to confuse a parser must not hold up the rest.
const MAX_STEPS: usize = 200_000;

/// A named piece of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The name as written.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// What a symbol is, in words that fit all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A free function.
    Function,
    /// A function that belongs to a type.
    Method,
    /// A class.
    Class,
    /// A struct or union.
    Struct,
    /// An enumeration.
    Enum,
    /// A trait.
    Trait,
    /// An interface or protocol.
    Interface,
    /// A type alias or another named type.
    Type,
    /// A module or namespace.
    Module,
    /// A constant, static or module-level variable.
    Constant,
    /// A macro.
    Macro,
}

impl SymbolKind {
    /// The word used in reasons and in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Trait => "trait",
            Self::Interface => "interface",
            Self::Type => "type",
            Self::Module => "module",
            Self::Constant => "constant",
            Self::Macro => "macro",
        }
    }
}

/// The symbols that a file defines, in order of their first line.
///
/// `path` says the language. Rust, Python, TypeScript, JavaScript and Go are parsed; other
/// languages are read by lines, which gives a symbol's first line only.
#[must_use]
pub fn outline(path: &str, text: &str) -> Vec<Symbol> {
    let language = language::language(path);
    parsed(language, text).unwrap_or_else(|| scanned(language, text))
}

fn parsed(language: Language, text: &str) -> Option<Vec<Symbol>> {
    let grammar = match language {
        Language::Rust => tree_sitter_rust::LANGUAGE,
        Language::Python => tree_sitter_python::LANGUAGE,
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        Language::JavaScript => tree_sitter_typescript::LANGUAGE_TSX,
        Language::Go => tree_sitter_go::LANGUAGE,
        Language::Braces | Language::Hash | Language::Plain => return None,
    };
    if text.len() > MAX_PARSED {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar.into()).ok()?;
    let bytes = text.as_bytes();
    let mut steps = 0;
    let mut give_up = |_: &tree_sitter::ParseState| {
        steps += 1;
        if steps > MAX_STEPS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut give_up);
    let mut source = |at: usize, _| bytes.get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut source, None, Some(options))?;
    Some(collect(language, tree.root_node(), text))
}

/// Visits all nodes in order of the text, without recursion: nesting is the file's to choose.
fn collect(language: Language, root: Node<'_>, text: &str) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut cursor = root.walk();
    // For each open level: is it inside a function (so its variables are local), inside a type?
    let mut scopes = vec![Scope::default()];
    loop {
        let node = cursor.node();
        let scope = scopes.last().copied().unwrap_or_default();
        if let Some(kind) = kind(language, &node, scope)
            && let Some(name) = name(&node).and_then(|name| name.utf8_text(text.as_bytes()).ok())
        {
            symbols.push(Symbol {
                name: name.to_owned(),
                kind,
                start_line: node.start_position().row as u32 + 1,
                end_line: node.end_position().row as u32 + 1,
            });
        }
        if cursor.goto_first_child() {
            scopes.push(scope.inside(node.kind()));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return symbols;
            }
            scopes.pop();
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Scope {
    in_function: bool,
    in_type: bool,
}

impl Scope {
    fn inside(self, node: &str) -> Self {
        match node {
            "function_item"
            | "function_definition"
            | "function_declaration"
            | "method_definition"
            | "method_declaration"
            | "arrow_function"
            | "function_expression"
            | "closure_expression"
            | "lambda"
            | "func_literal" => Self { in_function: true, in_type: false },
            "impl_item" | "trait_item" | "class_definition" => Self { in_function: false, in_type: true },
            _ => self,
        }
    }
}

fn kind(language: Language, node: &Node<'_>, scope: Scope) -> Option<SymbolKind> {
    use SymbolKind as K;
    let function = if scope.in_type { K::Method } else { K::Function };
    let is_value =
        |kinds: &[&str]| node.child_by_field_name("value").is_some_and(|value| kinds.contains(&value.kind()));
    let is_type = |kind: &str| node.child_by_field_name("type").is_some_and(|inner| inner.kind() == kind);
    let kind = match (language, node.kind()) {
        (Language::Rust, "function_item" | "function_signature_item") => function,
        (Language::Rust, "struct_item" | "union_item") => K::Struct,
        (Language::Rust, "enum_item") => K::Enum,
        (Language::Rust, "trait_item") => K::Trait,
        (Language::Rust, "type_item" | "associated_type") => K::Type,
        (Language::Rust, "mod_item") => K::Module,
        (Language::Rust, "const_item" | "static_item") if !scope.in_function => K::Constant,
        (Language::Rust, "macro_definition") => K::Macro,
        (Language::Python, "function_definition") => function,
        (Language::Python, "class_definition") => K::Class,
        (Language::Python, "assignment") if !scope.in_function && !scope.in_type => K::Constant,
        (Language::Go, "function_declaration") => K::Function,
        (Language::Go, "method_declaration" | "method_elem") => K::Method,
        (Language::Go, "type_spec") if is_type("struct_type") => K::Struct,
        (Language::Go, "type_spec") if is_type("interface_type") => K::Interface,
        (Language::Go, "type_spec" | "type_alias") => K::Type,
        (Language::Go, "const_spec" | "var_spec") if !scope.in_function => K::Constant,
        (Language::TypeScript | Language::JavaScript, node) => match node {
            "function_declaration" | "generator_function_declaration" | "function_signature" => K::Function,
            "class_declaration" | "abstract_class_declaration" => K::Class,
            "interface_declaration" => K::Interface,
            "enum_declaration" => K::Enum,
            "type_alias_declaration" => K::Type,
            "internal_module" | "module" => K::Module,
            "method_definition" | "abstract_method_signature" => K::Method,
            "public_field_definition" if is_value(&["arrow_function", "function_expression"]) => K::Method,
            "variable_declarator" if is_value(&["arrow_function", "function_expression"]) => K::Function,
            "variable_declarator" if !scope.in_function => K::Constant,
            _ => return None,
        },
        _ => return None,
    };
    Some(kind)
}

/// The node that is the name; patterns such as `a, b = …` have none.
fn name<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    let name = node.child_by_field_name("name").or_else(|| node.child_by_field_name("left"))?;
    (name.kind().ends_with("identifier") && name.start_byte() < name.end_byte()).then_some(name)
}

fn scanned(language: Language, text: &str) -> Vec<Symbol> {
    let mut scanner = Scanner::new(language);
    (1..)
        .zip(text.lines())
        .filter_map(|(line, text)| match scanner.line(text) {
            Line::Code(Some(found)) => Some(Symbol {
                name: found.name.to_owned(),
                kind: found.kind,
                start_line: line,
                end_line: line,
            }),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(path: &str, text: &str, expected: Expect) {
        let lines: Vec<String> = outline(path, text)
            .iter()
            .map(|symbol| {
                format!("{} {} {}-{}\n", symbol.kind.name(), symbol.name, symbol.start_line, symbol.end_line)
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn rust() {
        check(
            "a.rs",
            "pub struct A;\nimpl A {\n    fn m(&self) {\n        const X: u8 = 1;\n    }\n}\ntrait T {\n    fn t();\n}\nmacro_rules! mac { () => {} }\nmod inner {\n    fn f() {}\n}",
            expect![[r#"
                struct A 1-1
                method m 3-5
                trait T 7-9
                method t 8-8
                macro mac 10-10
                module inner 11-13
                function f 12-12
            "#]],
        );
    }

    #[test]
    fn python() {
        check(
            "a.py",
            "LIMIT = 3\n\n@decorated\nclass A:\n    x = 1\n    async def m(self):\n        def inner():\n            y = 2\n        return 1\n",
            expect![[r#"
                constant LIMIT 1-1
                class A 4-9
                method m 6-9
                function inner 7-8
            "#]],
        );
    }

    #[test]
    fn typescript_and_javascript() {
        check(
            "a.tsx",
            "export const View = () => <div/>;\ninterface I { a: string }\nclass A {\n  m() { const local = 1; }\n  f = () => 1;\n}\ntype T = I;\nenum E { A }\nconst LIMIT = 1;",
            expect![[r#"
                function View 1-1
                interface I 2-2
                class A 3-6
                method m 4-4
                method f 5-5
                type T 7-7
                enum E 8-8
                constant LIMIT 9-9
            "#]],
        );
        check(
            "a.js",
            "function f() {}\nconst g = function () {};",
            expect![[r#"
            function f 1-1
            function g 2-2
        "#]],
        );
    }

    #[test]
    fn go() {
        check(
            "a.go",
            "package a\nconst Max = 1\ntype S struct{}\ntype I interface { M() }\nfunc (s *S) M() {\n\tx := 1\n}\nfunc F() {}\n",
            expect![[r#"
                constant Max 2-2
                struct S 3-3
                interface I 4-4
                method M 4-4
                method M 5-7
                function F 8-8
            "#]],
        );
    }

    #[test]
    fn other_languages_by_line_and_broken_text() {
        check(
            "a.java",
            "class A {\n  void run() {\n  }\n}",
            expect![[r#"
            class A 1-1
            method run 2-2
        "#]],
        );
        check(
            "a.rs",
            "fn ok() {}\nfn broken( {{{{",
            expect![[r#"
            function ok 1-1
        "#]],
        );
        check("a.py", "", expect![[r#""#]]);
    }
}
