//! From found files to an index: what the cache knows is kept, the rest is read, judged and counted, in parallel.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use crate::index::cache::Cache;
use crate::index::manifest::{Manifest, Record, State};
use crate::index::segment::{Segment, Source};
use crate::index::{DEAD, Document, Index, Placed, SegmentBuilder};
use crate::language::Role;
use crate::walk::Found;
use crate::{DiscoveryError, Options, Progress, SkipReason, Skipped, classify, language};

/// Files of a segment, and their size together: small enough to spread over cores, large enough that splitting tokens
/// once per segment pays and that a look-up opens few of them.
const SEGMENT_FILES: usize = 512;
const SEGMENT_BYTES: u64 = 8 << 20;
/// A segment of which less than this part lives is made anew.
const LIVING: f64 = 0.5;
/// So many segments more than needed, and the small ones are put together.
const SPARE_SEGMENTS: usize = 24;
/// A file changed so shortly before it was read could change again without bearing another time.
const YOUNG_NANOS: u64 = 100_000_000;
/// The same where the file system keeps whole seconds.
const YOUNG_SECONDS: u64 = 2_000_000_000;

/// What reading a tree gives.
#[derive(Debug)]
pub(crate) struct Reading {
    pub index: Index,
    pub skipped: Vec<Skipped>,
    /// Files that were read now; the others were known.
    pub read: usize,
    /// Why the index was not kept, if it should have been.
    pub not_kept: Option<String>,
}

/// What a cache knows of a tree: read while the tree is walked.
#[derive(Debug, Default)]
pub(crate) struct Known {
    manifest: Manifest,
    segments: Vec<Segment>,
}

impl Known {
    /// Nothing, where there is no cache or nothing usable in it.
    pub(crate) fn load(cache: Option<&Cache>, options: &Options) -> Self {
        let loaded = cache.and_then(|cache| cache.load(options.max_file_bytes));
        loaded.map_or_else(Self::default, |(manifest, segments)| {
            let manifest = without_worn_segments(manifest, &segments);
            Self { manifest, segments }
        })
    }
}

/// Reads and indexes what of `found`, which is ordered by path, is not known.
pub(crate) fn read_all(
    found: &[Found],
    known: Known,
    options: &Options,
    cache: Option<&Cache>,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Reading, DiscoveryError> {
    let Known { manifest, mut segments } = known;
    let known_files = manifest.files.len();
    let (kept, unknown) = compare(found, manifest.files);
    // Asked before anything is read: what changes from here on is young.
    let now = cache.map(Cache::now);
    let mut trouble = now.as_ref().and_then(|now| now.as_ref().err().map(ToString::to_string));
    let keeps = if trouble.is_none() { cache } else { None };
    let changed = !unknown.is_empty() || kept.len() != known_files;
    let parts = read(&unknown, options, keeps, progress, stop)?;
    let read = unknown.len();

    let (mut records, mut names) = (kept, manifest.segments);
    for part in parts {
        let number = segments.len() as u32;
        let segment = Segment::open(part.source).map_err(|_| DiscoveryError::Damaged)?;
        segments.push(segment);
        trouble = trouble.or(part.not_kept);
        names.push(part.name);
        records.extend(part.records.into_iter().map(|record| record.in_segment(number)));
    }
    records.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    if let (Some(cache), true, None) = (keeps, changed, &trouble) {
        let now = now.and_then(Result::ok).unwrap_or(UNIX_EPOCH);
        let manifest = to_keep(&records, &names, options.max_file_bytes, now);
        trouble = cache.save(manifest).err().map(|error| error.to_string());
        cache.prune();
    }
    let (index, skipped) = assemble(records, segments);
    Ok(Reading { index, skipped, read, not_kept: trouble })
}

/// Splits the files into those that are as they were and those to be read. Both lists are ordered by path.
fn compare(found: &[Found], records: Vec<Record>) -> (Vec<Record>, Vec<&Found>) {
    let (mut kept, mut unknown) = (Vec::with_capacity(records.len()), Vec::new());
    let mut records = records.into_iter().peekable();
    for file in found {
        while records.next_if(|record| record.path < file.entry.path).is_some() {}
        // A second file under the same path finds its record taken, and is ambiguous anyway.
        let same = records.next_if(|record| record.path == file.entry.path).filter(|record| {
            !record.young
                && record.stamp == file.stamp
                && file.entry.bytes == file.stamp.bytes
                && !file.ambiguous
        });
        match same {
            Some(record) => kept.push(record),
            None => unknown.push(file),
        }
    }
    (kept, unknown)
}

/// Forgets the files of segments that are mostly dead or needlessly small, so that they are read again together.
fn without_worn_segments(mut manifest: Manifest, segments: &[Segment]) -> Manifest {
    let mut living = vec![0_usize; segments.len()];
    for file in &manifest.files {
        if let State::Indexed { segment, .. } = file.state {
            living[segment as usize] += 1;
        }
    }
    let needed = manifest.files.len() / SEGMENT_FILES + SPARE_SEGMENTS;
    let crowded = living.iter().filter(|count| **count > 0).count() > 2 * needed;
    let worn: Vec<bool> = segments
        .iter()
        .zip(&living)
        .map(|(segment, &living)| {
            (living as f64) < f64::from(segment.documents) * LIVING || crowded && living < SEGMENT_FILES / 8
        })
        .collect();
    manifest.files.retain(|file| match file.state {
        State::Indexed { segment, .. } => !worn[segment as usize],
        State::Skipped(_) => true,
    });
    manifest
}

/// What is written down: only segments that are in use, in their order.
fn to_keep(records: &[Record], names: &[String], max_file_bytes: u64, now: SystemTime) -> Manifest {
    let mut used = vec![false; names.len()];
    for record in records {
        if let State::Indexed { segment, .. } = record.state {
            used[segment as usize] = true;
        }
    }
    let mut numbers = Vec::with_capacity(names.len());
    let mut next = 0;
    for used in &used {
        numbers.push(next);
        next += u32::from(*used);
    }
    let names = names.iter().zip(&used).filter(|(_, used)| **used).map(|(name, _)| name.clone());
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let files = records.iter().map(|record| {
        let mut record = record.clone();
        if let State::Indexed { segment, .. } = &mut record.state {
            *segment = numbers[*segment as usize];
        }
        record.young = record.young || is_young(&record, now);
        record
    });
    Manifest { root: String::new(), max_file_bytes, segments: names.collect(), files: files.collect() }
}

fn is_young(record: &Record, now: u64) -> bool {
    let latest = record.stamp.modified.max(record.stamp.changed);
    let margin = if latest.is_multiple_of(1_000_000_000) { YOUNG_SECONDS } else { YOUNG_NANOS };
    latest.saturating_add(margin) > now || matches!(record.state, State::Skipped(SkipReason::Unreadable(_)))
}

/// Numbers the documents by path and tells each segment which of its places live.
fn assemble(records: Vec<Record>, segments: Vec<Segment>) -> (Index, Vec<Skipped>) {
    let mut placed: Vec<Placed> = segments
        .into_iter()
        // How many places there are is what the files say: the number in the segment has no checksum.
        .map(|segment| Placed { numbers: Vec::new(), segment })
        .collect();
    let (mut documents, mut skipped) = (Vec::with_capacity(records.len()), Vec::new());
    // What a path says about its file takes longer than all the rest.
    let told: Vec<(Role, bool)> = records
        .par_iter()
        .map(|record| (language::role(&record.path), language::is_test(&record.path)))
        .collect();
    for (Record { path, stamp, state, .. }, (role, test)) in records.into_iter().zip(told) {
        match state {
            State::Skipped(why) => skipped.push(Skipped { path, why }),
            State::Indexed { segment, place, lengths } => {
                let (placed, place) = (&mut placed[segment as usize], place as usize);
                if place < placed.segment.documents as usize {
                    let length = placed.numbers.len().max(place + 1);
                    placed.numbers.resize(length, DEAD);
                    placed.numbers[place] = documents.len() as u32;
                }
                documents.push(Document { path, bytes: stamp.bytes, role, test, lengths });
            }
        }
    }
    (Index::new(documents, placed), skipped)
}

/// A segment that was just made.
struct Part {
    /// Its name in the cache, empty if it is not there.
    name: String,
    source: Source,
    records: Vec<Record>,
    not_kept: Option<String>,
}

impl Record {
    fn in_segment(mut self, number: u32) -> Self {
        if let State::Indexed { segment, .. } = &mut self.state {
            *segment = number;
        }
        self
    }
}

fn read(
    files: &[&Found],
    options: &Options,
    cache: Option<&Cache>,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Vec<Part>, DiscoveryError> {
    let done = AtomicUsize::new(0);
    cut(files)
        .into_par_iter()
        .map(|run| {
            let part = part(run, options, cache, stop)?;
            let done = done.fetch_add(run.len(), Ordering::Relaxed) + run.len();
            progress(Progress::Reading { done, total: files.len() });
            Ok(part)
        })
        .collect()
}

/// Runs of files, each enough for a segment.
fn cut<'a, 'f>(files: &'a [&'f Found]) -> Vec<&'a [&'f Found]> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, file) in files.iter().enumerate() {
        bytes += file.entry.bytes;
        if at + 1 - start == SEGMENT_FILES || bytes >= SEGMENT_BYTES {
            runs.push(&files[start..=at]);
            (start, bytes) = (at + 1, 0);
        }
    }
    if start < files.len() {
        runs.push(&files[start..]);
    }
    runs
}

fn part(
    files: &[&Found],
    options: &Options,
    cache: Option<&Cache>,
    stop: &AtomicBool,
) -> Result<Part, DiscoveryError> {
    let mut builder = SegmentBuilder::default();
    let mut records = Vec::new();
    for file in files {
        if stop.load(Ordering::Relaxed) {
            return Err(DiscoveryError::Stopped);
        }
        let path = &file.entry.path;
        let state = match judge(file, options.max_file_bytes) {
            Err(why) => State::Skipped(why),
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let (place, lengths) = builder.add(path, language::language(path), &text);
                State::Indexed { segment: 0, place, lengths }
            }
        };
        records.push(Record { path: path.clone(), stamp: file.stamp, young: file.ambiguous, state });
    }
    let bytes = builder.finish();
    let (name, source, not_kept) = match cache.map(|cache| cache.keep(&bytes)) {
        None => (String::new(), Source::Memory(bytes), None),
        Some(Ok((name, source))) => (name, source, None),
        Some(Err(error)) => (String::new(), Source::Memory(bytes), Some(error.to_string())),
    };
    Ok(Part { name, source, records, not_kept })
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
