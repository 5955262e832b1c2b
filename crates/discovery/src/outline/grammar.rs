//! Which grammar and which table read a syntax.

use tree_sitter::Language;

use super::rules::Rules;
use super::{tables, tables_c};
use crate::language::Syntax;

/// The grammar and the table of a syntax; SQL has none (ADR 9).
pub(super) fn grammar(syntax: Syntax) -> Option<(Language, &'static Rules)> {
    let found = match syntax {
        Syntax::Rust => (tree_sitter_rust::LANGUAGE, &tables::RUST),
        Syntax::Python => (tree_sitter_python::LANGUAGE, &tables::PYTHON),
        Syntax::TypeScript => (tree_sitter_typescript::LANGUAGE_TYPESCRIPT, &tables::TYPESCRIPT),
        Syntax::Tsx => (tree_sitter_typescript::LANGUAGE_TSX, &tables::TYPESCRIPT),
        Syntax::Go => (tree_sitter_go::LANGUAGE, &tables::GO),
        Syntax::Java => (tree_sitter_java::LANGUAGE, &tables_c::JAVA),
        Syntax::Kotlin => (tree_sitter_kotlin_ng::LANGUAGE, &tables_c::KOTLIN),
        Syntax::C => (tree_sitter_c::LANGUAGE, &tables_c::C),
        Syntax::Cpp => (tree_sitter_cpp::LANGUAGE, &tables_c::CPP),
        Syntax::CSharp => (tree_sitter_c_sharp::LANGUAGE, &tables_c::C_SHARP),
        Syntax::Ruby => (tree_sitter_ruby::LANGUAGE, &tables::RUBY),
        Syntax::Php => (tree_sitter_php::LANGUAGE_PHP, &tables_c::PHP),
        Syntax::Swift => (tree_sitter_swift::LANGUAGE, &tables_c::SWIFT),
        Syntax::Html => (tree_sitter_html::LANGUAGE, &tables::HTML),
        Syntax::Css => (tree_sitter_css::LANGUAGE, &tables::CSS),
        Syntax::Shell => (tree_sitter_bash::LANGUAGE, &tables::SHELL),
        Syntax::Sql => return None,
    };
    Some((found.0.into(), found.1))
}
