//! What a binary is made of, by the crate or library that each symbol comes from.

use crate::run::output;
use anyhow::Context;
use std::collections::HashMap;
use std::path::Path;

/// C libraries by how their symbols begin.
const LIBRARIES: [(&str, &str); 7] = [
    ("sqlite3", "SQLite (C)"),
    ("ZSTD", "zstd (C)"),
    ("HUF_", "zstd (C)"),
    ("FSE_", "zstd (C)"),
    ("ts_", "tree-sitter (C)"),
    ("tree_sitter", "tree-sitter (C)"),
    ("ring_core", "ring (C)"),
];

/// Prints the largest parts of a binary that has its symbols.
pub fn print(binary: &Path, count: usize) -> anyhow::Result<()> {
    let path = binary.to_str().context("the target folder's name is not Unicode")?;
    let symbols = output(Path::new("."), "nm", &["--print-size", "--radix=d", "--demangle", path])?;
    let size = std::fs::metadata(binary)?.len();
    let mut parts: HashMap<&str, u64> = HashMap::new();
    for (bytes, name) in symbols.lines().filter_map(symbol) {
        *parts.entry(part(name)).or_default() += bytes;
    }
    let named: u64 = parts.values().sum();
    parts.insert("data without a symbol, symbols, relocations", size.saturating_sub(named));
    let mut parts: Vec<(&str, u64)> = parts.into_iter().collect();
    parts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (name, bytes) in parts.into_iter().take(count) {
        println!("  {:>9.2} MiB  {name}", bytes as f64 / f64::from(1 << 20));
    }
    Ok(())
}

/// Size and name of a symbol that takes room in the file.
fn symbol(line: &str) -> Option<(u64, &str)> {
    let mut words = line.splitn(4, ' ');
    let (_, bytes, kind, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
    // `b` is zeroed memory, which the file does not hold.
    (!kind.eq_ignore_ascii_case("b")).then_some((bytes.parse().ok()?, name))
}

/// The crate of a Rust path, or the library of a C name.
fn part(name: &str) -> &str {
    let mut rest = name;
    for opener in ["<", "&", "mut ", "*const ", "*mut ", "dyn ", "(", "["].repeat(3) {
        rest = rest.strip_prefix(opener).unwrap_or(rest);
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if rest[end..].starts_with("::") || rest[end..].starts_with('[') {
        return &rest[..end];
    }
    LIBRARIES
        .iter()
        .find(|(start, _)| name.starts_with(start))
        .map_or("other C, and tables", |(_, library)| library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_belong_to_crates_and_libraries() {
        for (name, expected) in [
            ("core::fmt::write", "core"),
            ("<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop", "alloc"),
            ("<&mut serde_json::Value as core::fmt::Debug>::fmt", "serde_json"),
            ("tokio[8f3a]::runtime::park", "tokio"),
            ("sqlite3VdbeExec", "SQLite (C)"),
            ("memcpy", "other C, and tables"),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
        assert_eq!(symbol("0000000000004096 0000000000000012 T main"), Some((12, "main")));
        assert_eq!(symbol("0000000000004096 0000000000000012 b zeroes"), None);
        assert_eq!(symbol("                 U free"), None);
    }
}
