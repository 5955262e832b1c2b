//! What must hold for any bytes whatever, as functions that panic when it does not.
//!
//! This module is for the fuzz targets in `fuzz/` and for the test that runs the same functions over their corpus and
//! over mutations of it; nothing else uses it, and it is no part of the crate's interface. It lies in the crate because
//! the readers that it tries are private to it.
#![allow(clippy::expect_used, reason = "a rule that does not hold ends a fuzz run by a panic")]

mod past;

use std::collections::BTreeMap;

use crate::imports::imports;
use crate::index::bytes::{self, Bytes, Corrupt};
use crate::index::manifest::{Manifest, State};
use crate::index::segment::{Segment, Source};
use crate::index::{Counts, DEAD, Field, Posting, SegmentBuilder};
use crate::language::{Language, language};
use crate::scan::{Line, Scanner};
use crate::{Task, words};

pub use past::history;

/// Names of files, one for each way to read a text.
const PATHS: &[&str] = &[
    "a.rs", "a.py", "a.ts", "a.tsx", "a.go", "a.java", "a.kt", "a.c", "a.hpp", "a.rb", "a.php", "a.swift",
    "a.html", "a.css", "a.sh", "a.sql", "a.cs", "a.txt",
];
/// No token is longer; the lower case of a character takes at most three times its bytes.
const MAX_TOKEN: usize = 64;
const MAX_TERM: usize = 3 * MAX_TOKEN;

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// A task names only what stands in it, and not too much of it.
pub fn task(data: &[u8]) {
    let text = text(data);
    let task = Task::parse(&text);
    assert_eq!(task.text(), text);
    assert!(text.contains(task.title()) && !task.title().contains('\n'), "{:?}", task.title());
    assert!(task.title().chars().count() <= 300 && task.names.len() <= 256);
    assert!(task.paths.len() <= 64 && task.dotted.len() <= 64);
    let slashes = text.replace('\\', "/");
    for path in &task.paths {
        assert!(slashes.contains(&path.path), "{path:?}");
    }
    for name in &task.names {
        assert!(!name.text.is_empty() && name.text.len() <= 100 && text.contains(&name.text), "{name:?}");
    }
    for dotted in &task.dotted {
        assert!(dotted.split('.').all(|part| !part.is_empty() && text.contains(part)), "{dotted:?}");
    }
}

/// Tokens are pieces of the text from front to back, terms are bounded and never empty, and what a line defines stands in
/// the line.
pub fn words(data: &[u8]) {
    let text = text(data);
    let mut last = 0;
    words::tokens(&text, &mut |token| {
        let at = token.as_ptr().addr() - text.as_ptr().addr();
        assert!(
            at >= last && text.get(at..at + token.len()) == Some(token),
            "{token:?} at {at} after {last}"
        );
        assert!(!token.is_empty() && token.len() <= MAX_TOKEN, "{token:?}");
        last = at;
        let mut count = 0;
        words::terms(token, &mut |term| {
            count += 1;
            assert!(
                !term.is_empty() && term.len() <= MAX_TERM && !term.starts_with('='),
                "{token:?}: {term:?}"
            );
        });
        assert!(count <= token.len() + 1, "{token:?}");
    });
    for language in [
        Language::Rust,
        Language::Python,
        Language::TypeScript,
        Language::JavaScript,
        Language::Go,
        Language::Braces,
        Language::Hash,
        Language::Plain,
    ] {
        let mut scanner = Scanner::new(language);
        for line in text.lines() {
            if let Line::Code(Some(definition)) = scanner.line(line) {
                assert!(
                    !definition.name.is_empty() && line.contains(definition.name),
                    "{definition:?}: {line:?}"
                );
            }
        }
    }
}

/// The symbols of a file have lines that the file has; the first byte says what kind of file it is.
pub fn outline(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let (path, text) = (PATHS[usize::from(kind) % PATHS.len()], text(rest));
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
    let mut last = 0;
    for symbol in crate::outline(path, &text) {
        assert!(symbol.start_line >= 1 && symbol.start_line <= symbol.end_line, "{path}: {symbol:?}");
        assert!(symbol.end_line <= lines && symbol.start_line >= last, "{path}, {lines} lines: {symbol:?}");
        assert!(!symbol.name.is_empty(), "{path}: {symbol:?}");
        last = symbol.start_line;
    }
    for import in imports(path, &text) {
        assert!(import.line >= 1 && import.line <= lines, "{path}, {lines} lines: {import:?}");
        assert!(!import.reference.is_empty() && import.reference.len() <= 300, "{path}: {import:?}");
    }
}

/// As the bytes of a segment, checked or not, the bytes give lists that can be used or none. As files, they make a segment
/// that says of every term what a plain count says, and one that is damaged says so or says the same.
pub fn segment(data: &[u8]) {
    usable(data);
    let text = text(data);
    let files: Vec<(&str, &str)> =
        text.split('\0').take(16).map(|file| file.split_once('\n').unwrap_or((file, ""))).collect();
    let mut builder = SegmentBuilder::default();
    for (place, (path, text)) in (0..).zip(&files) {
        assert_eq!(builder.add(path, language(path), text).0, place);
    }
    let (mut bytes, right) = (builder.finish(), counted(&files));
    let segment = Segment::open(Source::Memory(bytes.clone())).expect("what was just made can be read");
    assert_eq!(segment.documents as usize, files.len());
    for (term, list) in &right {
        assert_eq!(segment.postings(term).as_ref(), Ok(list), "{term:?}");
    }
    assert_eq!(segment.postings("\u{10ffff}"), Ok(Vec::new()));
    let sum = crc32fast::hash(data) as usize;
    let at = sum % bytes.len();
    bytes[at] ^= 1 << ((sum >> 24) % 8);
    usable(&bytes);
    let Ok(segment) = Segment::open(Source::Memory(bytes)) else { return };
    for (term, list) in &right {
        if let Ok(found) = segment.postings(term) {
            assert_eq!(found, *list, "{term:?} with a bit changed at {at}");
        }
    }
}

/// Whatever lists the bytes give, they can be used: as they are, and with checksums that are right.
fn usable(bytes: &[u8]) {
    let sealed = resealed_segment(bytes);
    for bytes in [Some(bytes), sealed.as_deref()].into_iter().flatten() {
        let Ok(segment) = Segment::open(Source::Memory(bytes.to_vec())) else { continue };
        let text = text(bytes);
        let asked = ["", "a", "url", "parse_url", "=parse_url", "\u{10ffff}"].into_iter();
        for term in asked.chain(text.split('\0').take(8)) {
            let list = segment.postings(term).unwrap_or_default();
            assert!(list.is_sorted_by_key(|posting| posting.document), "{term:?}: {list:?}");
            assert!(list.iter().all(|posting| posting.document < segment.documents), "{term:?}: {list:?}");
        }
    }
}

/// What a segment of these files must say, counted without one.
fn counted(files: &[(&str, &str)]) -> BTreeMap<String, Vec<Posting>> {
    let mut lists: BTreeMap<String, Vec<Posting>> = BTreeMap::new();
    for (document, (path, text)) in (0..).zip(files) {
        let mut add = |term: String, field: Field| {
            let list = lists.entry(term).or_default();
            if list.last().is_none_or(|posting| posting.document != document) {
                list.push(Posting { document, counts: Counts::default() });
            }
            if let Some(posting) = list.last_mut() {
                posting.counts[field as usize] = posting.counts[field as usize].saturating_add(1);
            }
        };
        let split = |text: &str, field: Field, add: &mut dyn FnMut(String, Field)| {
            words::tokens(text, &mut |token| words::terms(token, &mut |term| add(term.to_owned(), field)));
        };
        split(path, Field::Path, &mut add);
        let mut scanner = Scanner::new(language(path));
        for line in text.lines() {
            let field = match scanner.line(line) {
                Line::Comment => Field::Comment,
                Line::Code(definition) => {
                    if let Some(definition) = definition {
                        words::terms(definition.name, &mut |term| add(term.to_owned(), Field::Definition));
                        add(words::exact(definition.name), Field::Definition);
                    }
                    Field::Content
                }
            };
            split(line, field, &mut add);
        }
    }
    lists
}

/// The bytes of a segment with every checksum made right, so that what lies behind them is reached.
fn resealed_segment(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = data.to_vec();
    let footer = data.len().checked_sub(32)?;
    let number = |at: usize| {
        let bytes = data.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let (start, length) = (number(footer)?, number(footer + 8)?);
    let end = start
        .checked_add(length)
        .filter(|end| *end <= data.len())?
        .checked_sub(4)
        .filter(|end| *end >= start)?;
    let blocks = blocks(&data[start..end]).ok()?;
    let dictionary = blocks.dictionary;
    for block in blocks.blocks {
        let place = dictionary.checked_add(block.place)?;
        let range = place..place.checked_add(block.length)?;
        let entries = entries(data.get(range.clone())?, block.first_list).ok()?;
        for (sum_at, list) in entries {
            let sum = crc32fast::hash(data.get(list)?).to_le_bytes();
            out.get_mut(place + sum_at..place + sum_at + 4)?.copy_from_slice(&sum);
        }
        let sum = crc32fast::hash(out.get(range)?).to_le_bytes();
        out.get_mut(start + block.sum_at..start + block.sum_at + 4)?.copy_from_slice(&sum);
    }
    let sum = crc32fast::hash(&out[start..end]).to_le_bytes();
    out[end..end + 4].copy_from_slice(&sum);
    Some(out)
}

struct Blocks {
    blocks: Vec<Block>,
    dictionary: usize,
}

struct Block {
    place: usize,
    length: usize,
    first_list: usize,
    /// Where in the directory the block's checksum stands.
    sum_at: usize,
}

fn blocks(directory: &[u8]) -> Result<Blocks, Corrupt> {
    let mut bytes = Bytes(directory);
    let count: usize = bytes.small()?;
    let mut blocks = Vec::new();
    for _ in 0..count {
        bytes.bytes()?;
        let (place, length) = (bytes.small()?, bytes.small()?);
        let sum_at = directory.len() - bytes.0.len();
        bytes.take(4)?;
        blocks.push(Block { place, length, first_list: bytes.small()?, sum_at });
    }
    Ok(Blocks { blocks, dictionary: bytes.small()? })
}

/// Of each term of a block, where the checksum of its list stands, and where its list does.
fn entries(block: &[u8], mut list: usize) -> Result<Vec<(usize, std::ops::Range<usize>)>, Corrupt> {
    let mut bytes = Bytes(block);
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        bytes.number()?;
        bytes.bytes()?;
        bytes.number()?;
        let end = list.checked_add(bytes.small()?).ok_or(Corrupt)?;
        let sum_at = block.len() - bytes.0.len();
        bytes.take(4)?;
        entries.push((sum_at, list..end));
        list = end;
    }
    Ok(entries)
}

/// Bytes are no manifest, or one that can be used and comes back when it is written again: as they are, and behind the head
/// that this version writes.
pub fn manifest(data: &[u8]) {
    let mut headed = manifest_head().expect("what was just written can be read");
    headed.extend_from_slice(data);
    bytes::seal(&mut headed);
    for bytes in [data, &headed] {
        let Ok(manifest) = Manifest::decode(bytes) else { continue };
        assert!(manifest.files.is_sorted_by(|a, b| a.path <= b.path));
        for file in &manifest.files {
            if let State::Indexed { segment, place, .. } = file.state {
                assert!((segment as usize) < manifest.segments.len() && place != DEAD, "{file:?}");
            }
        }
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
}

/// What stands before the root: what it is and which version wrote it.
fn manifest_head() -> Result<Vec<u8>, Corrupt> {
    let written = Manifest::default().encode();
    let mut bytes = Bytes(&written);
    bytes.take(8)?;
    bytes.number()?;
    bytes.text()?;
    Ok(written[..written.len() - bytes.0.len()].to_vec())
}

/// The bytes with the checksum at their end made right.
fn resealed(data: &[u8]) -> Vec<u8> {
    let mut out = data[..data.len().saturating_sub(4)].to_vec();
    bytes::seal(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the form changes, the seeds must change with it, or the fuzzers start from nothing.
    #[test]
    fn the_seeds_of_the_manifest_are_manifests() {
        let seed = include_bytes!("../../../fuzz/corpus/manifest/files");
        let mut bytes = manifest_head().unwrap();
        bytes.extend_from_slice(seed);
        bytes::seal(&mut bytes);
        assert_eq!(Manifest::decode(&bytes).unwrap().files.len(), 4);
    }

    #[test]
    fn a_segment_whose_sums_are_broken_is_sealed_as_it_was() {
        let mut builder = SegmentBuilder::default();
        let text: String = (0..200).map(|n| format!("word{n} ")).collect();
        builder.add("a.rs", Language::Rust, &text);
        let whole = builder.finish();
        assert_eq!(resealed_segment(&whole), Some(whole.clone()));
        // The sum of the directory ends where the footer begins.
        let mut broken = whole.clone();
        let at = whole.len() - 33;
        broken[at] ^= 1;
        assert_eq!(resealed_segment(&broken), Some(whole));
    }
}
