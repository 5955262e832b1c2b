//! From found files to an index: read, judge, count, in parallel.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::index::{Document, FIELDS, Index, Segment, SegmentBuilder};
use crate::walk::Found;
use crate::{DiscoveryError, Options, Progress, SkipReason, Skipped, classify, language};

/// Files per segment: fixed, so that the cut does not depend on the number of threads; small
/// enough to spread over cores, large enough that splitting tokens once per segment pays.
const SEGMENT_FILES: usize = 64;
/// What reading a tree gives.
#[derive(Debug)]
pub(crate) struct Reading {
    pub index: Index,
    pub skipped: Vec<Skipped>,
}

/// Reads and indexes `found`, which is ordered by path.
pub(crate) fn read_all(
    found: &[Found],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Reading, DiscoveryError> {
    let done = AtomicUsize::new(0);
    let parts: Vec<(Segment, Vec<Skipped>)> = found
        .par_chunks(SEGMENT_FILES)
        .map(|files| {
            let part = segment(files, options, stop)?;
            let done = done.fetch_add(files.len(), Ordering::Relaxed) + files.len();
            progress(Progress::Reading { done, total: found.len() });
            Ok(part)
        })
        .collect::<Result<_, DiscoveryError>>()?;
    let (segments, skipped): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Ok(Reading { index: Index::new(segments), skipped: skipped.into_iter().flatten().collect() })
}

fn segment(
    files: &[Found],
    options: &Options,
    stop: &AtomicBool,
) -> Result<(Segment, Vec<Skipped>), DiscoveryError> {
    let mut builder = SegmentBuilder::default();
    let mut skipped = Vec::new();
    for file in files {
        if stop.load(Ordering::Relaxed) {
            return Err(DiscoveryError::Stopped);
        }
        let path = &file.entry.path;
        match judge(file, options.max_file_bytes) {
            Err(why) => skipped.push(Skipped { path: path.clone(), why }),
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let document = Document {
                    path: path.clone(),
                    bytes: bytes.len() as u64,
                    role: language::role(path),
                    test: language::is_test(path),
                    lengths: [0; FIELDS],
                };
                builder.add(document, language::language(path), &text);
            }
        }
    }
    Ok((builder.finish(), skipped))
}

/// The content of a file, or why it is not indexed.
fn judge(file: &Found, limit: u64) -> Result<Vec<u8>, SkipReason> {
    if let Some(why) = classify::by_path(&file.entry.path) {
        return Err(why);
    }
    if file.entry.bytes > limit {
        return Err(SkipReason::TooLarge);
    }
    let bytes =
        read_file(&file.location, limit).map_err(|error| SkipReason::Unreadable(error.kind().to_string()))?;
    // The file may have grown since it was listed.
    if bytes.len() as u64 > limit {
        return Err(SkipReason::TooLarge);
    }
    classify::by_content(&file.entry.path, &bytes).map_or(Ok(bytes), Err)
}

/// At most `limit` bytes and one more, which tells that the file is over it.
pub(crate) fn read_file(location: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(location)?;
    let most = limit.saturating_add(1);
    let mut bytes = Vec::with_capacity(file.metadata()?.len().saturating_add(1).min(most) as usize);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
