//! What a file is, from its path alone: language, role, test or not. Tables, and nothing else.

/// The syntax families that the line scanner and the outline tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Rust,
    Python,
    TypeScript,
    /// TSX, JavaScript and JSX: one grammar reads them all.
    JavaScript,
    Go,
    /// C, C++, Java, C#, Kotlin, Swift, PHP …: braces, `//` and `/* */`.
    Braces,
    /// Ruby, shell, Elixir …: `#` comments, keyword definitions.
    Hash,
    /// Anything else: no definitions, no comments.
    Plain,
}

/// How likely a file of this role is to be what a task is about, other things being equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Code,
    /// Code that shows how to use other code.
    Sample,
    /// Templates, styles, configuration, build files, queries.
    Markup,
    /// Documentation and change logs: they mention everything.
    Prose,
    /// Tables, translations, fixtures.
    Data,
}

const LANGUAGES: &[(Language, &[&str])] = &[
    (Language::Rust, &["rs"]),
    (Language::Python, &["py", "pyi", "pyx", "pxd"]),
    (Language::TypeScript, &["ts", "mts", "cts"]),
    (Language::JavaScript, &["tsx", "js", "jsx", "mjs", "cjs", "vue", "svelte", "astro"]),
    (Language::Go, &["go"]),
    (
        Language::Braces,
        &[
            "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "inl", "ipp", "java", "kt", "kts", "cs",
            "swift", "php", "scala", "dart", "groovy", "m", "mm", "zig", "proto", "cu", "glsl", "sol",
        ],
    ),
    (Language::Hash, &["rb", "sh", "bash", "zsh", "fish", "ex", "exs", "pl", "pm", "jl", "r", "nim", "tcl"]),
];
const MARKUP: &[&str] = &[
    "html", "htm", "css", "scss", "sass", "less", "xml", "xsl", "toml", "yaml", "yml", "ini", "cfg", "conf",
    "sql", "graphql", "tf", "cmake", "mk", "gradle", "bzl", "nix", "jinja", "j2", "hbs", "ejs", "erb",
    "tmpl", "lua", "hs", "ml", "mli", "clj", "erl", "el", "lisp", "vim", "ps1", "bat", "f90", "f", "y", "l",
    "s", "asm",
];
const PROSE: &[&str] = &["md", "mdx", "rst", "txt", "adoc", "tex", "org", "textile", "pod", "man", "1"];

pub(crate) fn extension(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or("", |(stem, extension)| if stem.is_empty() { "" } else { extension })
}

pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(crate) fn language(path: &str) -> Language {
    let extension = extension(path).to_ascii_lowercase();
    LANGUAGES
        .iter()
        .find(|(_, extensions)| extensions.contains(&extension.as_str()))
        .map_or(Language::Plain, |(language, _)| *language)
}

/// The syntaxes that the outline reads exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Syntax {
    Rust,
    Python,
    TypeScript,
    /// TSX, JavaScript and JSX: one grammar reads them all.
    Tsx,
    Go,
    Java,
    Kotlin,
    C,
    Cpp,
    CSharp,
    Ruby,
    Php,
    Swift,
    Html,
    Css,
    Shell,
    Sql,
}

const SYNTAXES: &[(Syntax, &[&str])] = &[
    (Syntax::Rust, &["rs"]),
    (Syntax::Python, &["py", "pyi", "pyx", "pxd"]),
    (Syntax::TypeScript, &["ts", "mts", "cts"]),
    (Syntax::Tsx, &["tsx", "js", "jsx", "mjs", "cjs", "vue", "svelte", "astro"]),
    (Syntax::Go, &["go"]),
    (Syntax::Java, &["java"]),
    (Syntax::Kotlin, &["kt", "kts"]),
    (Syntax::C, &["c", "h"]),
    (Syntax::Cpp, &["cc", "cpp", "cxx", "hpp", "hh", "hxx", "inl", "ipp", "cu", "cuh"]),
    (Syntax::CSharp, &["cs"]),
    (Syntax::Ruby, &["rb", "rake", "gemspec"]),
    (Syntax::Php, &["php", "phtml"]),
    (Syntax::Swift, &["swift"]),
    (Syntax::Html, &["html", "htm"]),
    (Syntax::Css, &["css", "scss", "less"]),
    (Syntax::Shell, &["sh", "bash", "zsh"]),
    (Syntax::Sql, &["sql"]),
];

/// The syntax of a file, if the outline reads it exactly. The text decides between C and C++.
pub(crate) fn syntax(path: &str, text: &str) -> Option<Syntax> {
    let extension = extension(path).to_ascii_lowercase();
    let found = SYNTAXES.iter().find(|(_, extensions)| extensions.contains(&extension.as_str()));
    let is_cpp = || ["class ", "namespace ", "template"].iter().any(|word| text.contains(word));
    match found?.0 {
        Syntax::C if extension == "h" && is_cpp() => Some(Syntax::Cpp),
        syntax => Some(syntax),
    }
}

/// Whether a word of a task that ends like this is a file name.
pub(crate) fn is_known_extension(extension: &str) -> bool {
    let extension = extension.to_ascii_lowercase();
    let extension = extension.as_str();
    // One-letter and word-like extensions of other kinds would catch prose ("e.g", "a.s").
    LANGUAGES.iter().any(|(_, extensions)| extensions.contains(&extension))
        || (extension.len() > 1 && (MARKUP.contains(&extension) || PROSE.contains(&extension)))
        || matches!(extension, "json" | "csv" | "lock")
}

pub(crate) fn role(path: &str) -> Role {
    if language(path) != Language::Plain {
        let is_sample = folders(path).any(|folder| SAMPLE_FOLDERS.contains(&folder));
        return if is_sample { Role::Sample } else { Role::Code };
    }
    let extension = extension(path).to_ascii_lowercase();
    let extension = extension.as_str();
    let name = file_name(path);
    if MARKUP.contains(&extension)
        || matches!(name, "Makefile" | "Dockerfile" | "Jenkinsfile" | "package.json")
    {
        Role::Markup
    } else if PROSE.contains(&extension) || extension.is_empty() {
        Role::Prose
    } else {
        Role::Data
    }
}

const SAMPLE_FOLDERS: &[&str] = &[
    "examples",
    "example",
    "samples",
    "sample",
    "demo",
    "demos",
    "docs",
    "doc",
    "website",
    "www",
    "tutorials",
];

fn folders(path: &str) -> impl Iterator<Item = &str> {
    path[..path.len() - file_name(path).len()].split('/')
}

/// Folders whose files are tests or exist for tests.
const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "__tests__",
    "__mocks__",
    "spec",
    "specs",
    "e2e",
    "testdata",
    "test-data",
    "fixtures",
    "fixture",
    "testutil",
    "testutils",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "playground",
];

/// Whether a file is a test by the habits of its language.
#[must_use]
pub fn is_test(path: &str) -> bool {
    let name = file_name(path);
    if folders(path).any(|folder| TEST_FOLDERS.contains(&folder.to_ascii_lowercase().as_str())) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let marked = ["test", "tests", "spec", "bench"]
        .iter()
        .any(|mark| ['_', '-', '.'].iter().any(|separator| lower.contains(&format!("{separator}{mark}."))));
    let is_class =
        matches!(extension(name), "java" | "kt" | "cs" | "scala" | "swift" | "cpp" | "cc" | "h" | "php");
    let class = is_class
        && (stem.ends_with("Test")
            || stem.ends_with("Tests")
            || stem.strip_prefix("Test").is_some_and(|rest| rest.starts_with(char::is_uppercase)));
    marked
        || class
        || lower.starts_with("test_")
        || lower.starts_with("test-")
        || lower == "tests.py"
        || lower == "tests.rs"
        || lower == "test.rs"
        || lower == "conftest.py"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_recognised() {
        for path in [
            "tests/a.rs",
            "src/foo/__tests__/a.ts",
            "a_test.go",
            "test_a.py",
            "a.spec.ts",
            "FooTest.java",
            "TestFoo.java",
            "conftest.py",
            "pkg/testing/util.py",
            "foo-test.js",
            "Tests/x.swift",
        ] {
            assert!(is_test(path), "{path}");
        }
        for path in [
            "src/latest.rs",
            "contest.py",
            "attest/a.go",
            "Testimony.java",
            "src/testimonial.ts",
            "protest_a.py",
        ] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn roles() {
        assert_eq!(role("a/b.rs"), Role::Code);
        assert_eq!(role("examples/b.rs"), Role::Sample);
        assert_eq!(role("a/b.html"), Role::Markup);
        assert_eq!(role("CHANGES.rst"), Role::Prose);
        assert_eq!(role("LICENSE"), Role::Prose);
        assert_eq!(role("a/django.po"), Role::Data);
        assert_eq!(extension(".gitignore"), "");
    }
}
