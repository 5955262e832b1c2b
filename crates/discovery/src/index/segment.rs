//! A segment as bytes: in memory when it was just made, in a file of the cache afterwards.
//!
//! ```text
//! segment    = postings, dictionary, directory, footer
//! postings   = one list per term, terms in order of their bytes; a list is, per document, the distance to the document
//!              before, a byte of four bits that say in which fields the term stands, and a count for each
//! dictionary = blocks of up to 64 terms: per term the length shared with the term before, the rest of the term, the number
//!              of documents, the length of the list, the list's CRC-32
//! directory  = per block its first term, place, length, CRC-32, and the place of its first list; then a CRC-32
//! footer     = place and length of the directory, number of documents (8 bytes each, low part first), magic
//! ```
//!
//! A look-up reads one block and one list; each is checked before it is believed.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::bytes::{self, Bytes, Corrupt, put, put_text};
use super::{Counts, FIELDS, Posting};

const MAGIC: &[u8; 8] = b"PTCseg01";
const FOOTER: usize = 32;
const BLOCK_TERMS: usize = 64;

/// Terms and where they stand, as [`SegmentBuilder`](super::SegmentBuilder) leaves them.
pub(super) struct Terms {
    /// Each term with where its list lies in `postings`; ordered by term.
    pub terms: Vec<(Box<str>, Range<u32>)>,
    /// All lists; each is ordered by document.
    pub postings: Vec<Posting>,
    pub documents: usize,
}

/// Writes a segment.
pub(super) fn encode(terms: &Terms) -> Vec<u8> {
    let (mut out, mut dictionary, mut directory) = (Vec::new(), Vec::new(), Vec::new());
    let blocks = terms.terms.chunks(BLOCK_TERMS);
    put(&mut directory, blocks.len() as u64);
    for block in blocks {
        let (first_list, start) = (out.len(), dictionary.len());
        let mut before: &str = "";
        for (term, list) in block {
            let list = &terms.postings[list.start as usize..list.end as usize];
            let place = out.len();
            encode_list(&mut out, list);
            let shared = shared(before, term);
            put(&mut dictionary, shared as u64);
            put_text(&mut dictionary, &term.as_bytes()[shared..]);
            put(&mut dictionary, list.len() as u64);
            put(&mut dictionary, (out.len() - place) as u64);
            dictionary.extend_from_slice(&crc32fast::hash(&out[place..]).to_le_bytes());
            before = term;
        }
        let written = &dictionary[start..];
        put_text(&mut directory, block.first().map_or(&[][..], |(term, _)| term.as_bytes()));
        put(&mut directory, start as u64);
        put(&mut directory, written.len() as u64);
        directory.extend_from_slice(&crc32fast::hash(written).to_le_bytes());
        put(&mut directory, first_list as u64);
    }
    // Blocks are counted from the dictionary's start, which is known only now.
    put(&mut directory, out.len() as u64);
    bytes::seal(&mut directory);
    out.append(&mut dictionary);
    let place = out.len() as u64;
    let length = directory.len() as u64;
    out.append(&mut directory);
    for number in [place, length, terms.documents as u64] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(MAGIC);
    out
}

fn encode_list(out: &mut Vec<u8>, list: &[Posting]) {
    let mut before = 0;
    for posting in list {
        put(out, u64::from(posting.document - before));
        before = posting.document;
        let fields = (0..FIELDS).filter(|&field| posting.counts[field] > 0);
        out.push(fields.clone().fold(0, |mask, field| mask | 1 << field));
        fields.for_each(|field| put(out, u64::from(posting.counts[field])));
    }
}

fn decode_list(list: &[u8], documents: u32) -> Result<Vec<Posting>, Corrupt> {
    let mut list = Bytes(list);
    let mut postings = Vec::new();
    let mut document: u32 = 0;
    while !list.is_empty() {
        document = document.checked_add(list.small()?).filter(|at| *at < documents).ok_or(Corrupt)?;
        let mask = list.take(1)?[0];
        let mut counts = Counts::default();
        for (field, count) in counts.iter_mut().enumerate().filter(|(field, _)| mask & 1 << field != 0) {
            debug_assert!(field < FIELDS);
            *count = list.small()?;
        }
        postings.push(Posting { document, counts });
    }
    Ok(postings)
}

/// How many bytes two terms share at their beginnings, cut between characters.
fn shared(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|&at| b.is_char_boundary(at)).unwrap_or(0)
}

/// Where the bytes of a segment are.
#[derive(Debug)]
pub(crate) enum Source {
    Memory(Vec<u8>),
    /// A file and its length.
    File(File, u64),
}

impl Source {
    fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    fn read(&self, place: u64, length: u64) -> Result<Vec<u8>, Corrupt> {
        if place.checked_add(length).is_none_or(|end| end > self.length()) {
            return Err(Corrupt);
        }
        match self {
            Self::Memory(bytes) => Ok(bytes[place as usize..(place + length) as usize].to_vec()),
            Self::File(file, _) => {
                let mut bytes = vec![0; length as usize];
                read_at(file, &mut bytes, place).map_err(|_| Corrupt)?;
                Ok(bytes)
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                place += read as u64;
            }
        }
    }
    Ok(())
}

/// A segment that can be asked.
#[derive(Debug)]
pub(crate) struct Segment {
    source: Source,
    pub documents: u32,
    directory: Vec<Block>,
    /// Where the dictionary begins.
    dictionary: u64,
}

#[derive(Debug)]
struct Block {
    first: Box<str>,
    place: u64,
    length: u64,
    sum: u32,
    first_list: u64,
}

impl Segment {
    pub(crate) fn open(source: Source) -> Result<Self, Corrupt> {
        let footer =
            source.read(source.length().checked_sub(FOOTER as u64).ok_or(Corrupt)?, FOOTER as u64)?;
        let number = |at: usize| footer[at..at + 8].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
        if footer[24..] != MAGIC[..] {
            return Err(Corrupt);
        }
        let documents = u32::try_from(number(16)).map_err(|_| Corrupt)?;
        let bytes = source.read(number(0), number(8))?;
        let mut bytes = Bytes(bytes::checked(&bytes)?);
        let count: u64 = bytes.number()?;
        let mut directory = Vec::new();
        for _ in 0..count {
            let first = bytes.text()?.into();
            let (place, length) = (bytes.number()?, bytes.number()?);
            let sum = sum(bytes.take(4)?);
            directory.push(Block { first, place, length, sum, first_list: bytes.number()? });
        }
        let dictionary = bytes.number()?;
        Ok(Self { source, documents, directory, dictionary })
    }

    /// The bytes, if they are in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Memory(bytes) => Some(bytes),
            Source::File(..) => None,
        }
    }

    /// Where a term stands, by document of this segment.
    pub(crate) fn postings(&self, term: &str) -> Result<Vec<Posting>, Corrupt> {
        let Some(block) = self.directory.partition_point(|block| *block.first <= *term).checked_sub(1) else {
            return Ok(Vec::new());
        };
        let block = &self.directory[block];
        let place = self.dictionary.checked_add(block.place).ok_or(Corrupt)?;
        let bytes = self.source.read(place, block.length)?;
        if crc32fast::hash(&bytes) != block.sum {
            return Err(Corrupt);
        }
        let mut bytes = Bytes(&bytes);
        let mut list = block.first_list;
        let mut at: Vec<u8> = Vec::new();
        while !bytes.is_empty() {
            let shared: usize = bytes.small()?;
            at.truncate(shared);
            at.extend_from_slice(bytes.bytes()?);
            let (_documents, length) = (bytes.number()?, bytes.number()?);
            let sum = sum(bytes.take(4)?);
            if at == term.as_bytes() {
                let list = self.source.read(list, length)?;
                if crc32fast::hash(&list) != sum {
                    return Err(Corrupt);
                }
                return decode_list(&list, self.documents);
            }
            list = list.checked_add(length).ok_or(Corrupt)?;
        }
        Ok(Vec::new())
    }
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte))
}
