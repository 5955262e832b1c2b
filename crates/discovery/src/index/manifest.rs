//! The list of indexed files: which segment holds each, and by what a changed file is told from an unchanged one.
//!
//! ```text
//! manifest = magic, body, CRC-32 of both
//! body     = stamp of the program, root, size limit, names of the segments, number of files, files
//! file     = length shared with the path before, rest of the path, size, times and inode, young, state
//! state    = 0, segment, place in it, terms per field | 1 + reason why it is not indexed
//! ```

use super::bytes::{self, Bytes, Corrupt, put, put_text};
use super::{DEAD, FIELDS};
use crate::SkipReason;
use crate::walk::Stamp;

const MAGIC: &[u8; 8] = b"PTCidx01";
/// Whatever changes what a file is indexed as must change this number; a test compares it with the sources.
pub(crate) const FORMAT: u64 = 1;

/// A file as it was when it was indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub path: String,
    pub stamp: Stamp,
    /// Changed so shortly before it was read that a later change could bear the same times.
    pub young: bool,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// In which segment, at which place there.
    Indexed {
        segment: u32,
        place: u32,
        lengths: [u32; FIELDS],
    },
    Skipped(SkipReason),
}

/// What the cache knows of a project.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The folder that was indexed.
    pub root: String,
    pub max_file_bytes: u64,
    /// File names of the segments.
    pub segments: Vec<String>,
    /// Ordered by path.
    pub files: Vec<Record>,
}

impl Manifest {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put(&mut out, FORMAT);
        put_text(&mut out, env!("CARGO_PKG_VERSION").as_bytes());
        put_text(&mut out, self.root.as_bytes());
        put(&mut out, self.max_file_bytes);
        put(&mut out, self.segments.len() as u64);
        self.segments.iter().for_each(|name| put_text(&mut out, name.as_bytes()));
        put(&mut out, self.files.len() as u64);
        let mut before: &[u8] = &[];
        for file in &self.files {
            let path = file.path.as_bytes();
            let shared = before.iter().zip(path).take_while(|(a, b)| a == b).count();
            put(&mut out, shared as u64);
            put_text(&mut out, &path[shared..]);
            before = path;
            let Stamp { bytes, modified, changed, inode } = file.stamp;
            [bytes, modified, changed, inode].into_iter().for_each(|number| put(&mut out, number));
            out.push(u8::from(file.young));
            match &file.state {
                State::Indexed { segment, place, lengths } => {
                    out.push(0);
                    [segment, place]
                        .into_iter()
                        .chain(lengths)
                        .for_each(|number| put(&mut out, u64::from(*number)));
                }
                State::Skipped(why) => out.push(1 + code(why)),
            }
        }
        bytes::seal(&mut out);
        out
    }

    /// Reads a manifest; one of another version is as good as none.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut bytes = Bytes(bytes::checked(bytes)?);
        if bytes.take(MAGIC.len())? != MAGIC
            || bytes.number()? != FORMAT
            || bytes.text()? != env!("CARGO_PKG_VERSION")
        {
            return Err(Corrupt);
        }
        let (root, max_file_bytes) = (bytes.text()?.to_owned(), bytes.number()?);
        let count: usize = bytes.small()?;
        let segments =
            (0..count).map(|_| Ok(bytes.text()?.to_owned())).collect::<Result<Vec<_>, Corrupt>>()?;
        let count: usize = bytes.small()?;
        let mut files = Vec::new();
        let mut path: Vec<u8> = Vec::new();
        for _ in 0..count {
            let shared: usize = bytes.small()?;
            path.truncate(shared);
            path.extend_from_slice(bytes.bytes()?);
            let file = record(&mut bytes, &path, segments.len())?;
            if files.last().is_some_and(|before: &Record| before.path > file.path) {
                return Err(Corrupt);
            }
            files.push(file);
        }
        if bytes.is_empty() { Ok(Self { root, max_file_bytes, segments, files }) } else { Err(Corrupt) }
    }
}

fn record(bytes: &mut Bytes<'_>, path: &[u8], segments: usize) -> Result<Record, Corrupt> {
    let path = std::str::from_utf8(path).map_err(|_| Corrupt)?.to_owned();
    let stamp = Stamp {
        bytes: bytes.number()?,
        modified: bytes.number()?,
        changed: bytes.number()?,
        inode: bytes.number()?,
    };
    let young = bytes.take(1)?[0] != 0;
    let state = match bytes.take(1)?[0] {
        0 => {
            let (segment, place): (u32, u32) = (bytes.small()?, bytes.small()?);
            let mut lengths = [0; FIELDS];
            for length in &mut lengths {
                *length = bytes.small()?;
            }
            if segment as usize >= segments || place == DEAD {
                return Err(Corrupt);
            }
            State::Indexed { segment, place, lengths }
        }
        skipped => State::Skipped(reason(skipped - 1)?),
    };
    Ok(Record { path, stamp, young, state })
}

fn code(why: &SkipReason) -> u8 {
    match why {
        SkipReason::Binary => 0,
        SkipReason::TooLarge => 1,
        SkipReason::Generated => 2,
        SkipReason::Minified => 3,
        SkipReason::Vendored => 4,
        // Tried again each time, so what the system said need not be kept.
        SkipReason::Unreadable(_) => 5,
    }
}

fn reason(code: u8) -> Result<SkipReason, Corrupt> {
    Ok(match code {
        0 => SkipReason::Binary,
        1 => SkipReason::TooLarge,
        2 => SkipReason::Generated,
        3 => SkipReason::Minified,
        4 => SkipReason::Vendored,
        5 => SkipReason::Unreadable(String::new()),
        _ => return Err(Corrupt),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let stamp = |n| Stamp { bytes: n, modified: n << 40, changed: n << 41, inode: n };
        let indexed = State::Indexed { segment: 1, place: 7, lengths: [1, 2, 3, 400] };
        let record = |path: &str, young, state| Record { path: path.into(), stamp: stamp(9), young, state };
        Manifest {
            root: "/home/ada/größe".into(),
            max_file_bytes: 1 << 20,
            segments: vec!["one".into(), "two".into()],
            files: vec![
                record("src/a.rs", false, indexed.clone()),
                record("src/ab.rs", true, indexed),
                record("src/é.bin", false, State::Skipped(SkipReason::Binary)),
            ],
        }
    }

    #[test]
    fn a_manifest_comes_back() {
        assert_eq!(Manifest::decode(&manifest().encode()), Ok(manifest()));
        assert_eq!(Manifest::decode(&Manifest::default().encode()), Ok(Manifest::default()));
    }

    #[test]
    fn damage_and_other_versions_are_no_manifest() {
        let bytes = manifest().encode();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(Manifest::decode(&bad), Err(Corrupt), "{at}");
            // The same with a right sum: whatever it says, it is no panic.
            let mut resealed = bad[..bad.len() - 4].to_vec();
            bytes::seal(&mut resealed);
            let _ = Manifest::decode(&resealed);
            assert_eq!(Manifest::decode(&bytes[..at]), Err(Corrupt), "{at}");
        }
    }

    #[test]
    fn the_format_number_stands_for_these_sources() {
        let sources = [
            include_str!("../words.rs"),
            include_str!("../scan.rs"),
            include_str!("../classify.rs"),
            include_str!("build.rs"),
            include_str!("segment.rs"),
            include_str!("manifest.rs"),
        ];
        let sums: Vec<String> =
            sources.iter().map(|source| format!("{:08x}", crc32fast::hash(code_of(source)))).collect();
        // When this fails: does a file now give other terms, or is anything written differently? Then raise FORMAT. In
        // both cases put the new sums here.
        expect_test::expect!["3f338696 9097ce17 5fa3699d 16427813 69d3c59c 98df51b9"]
            .assert_eq(&sums.join(" "));
    }

    /// A source without its tests.
    fn code_of(source: &str) -> &[u8] {
        source.split("#[cfg(test)]").next().unwrap_or_default().as_bytes()
    }
}
