//! The index of a project in the user's cache directory.
//!
//! A segment is written once under a name of its own; the manifest names the segments that count and takes its place by
//! a rename. Whoever dies in between leaves files that nobody names, which a later write removes. Two processes that
//! write at once both leave a whole index, and the later one counts. Nothing here is believed without its checksum, and
//! what cannot be written is told and missing, never wrong.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::bytes::{self, Bytes, Corrupt, put, put_text};
use super::manifest::Manifest;
use super::segment::{Segment, Source};
use crate::history::{Commit, History};

const MANIFEST: &str = "manifest";
const PAST: &str = "past";
const SEGMENT: &str = "segment-";
const WRITING: &str = "writing-";
/// Version of the form in which history is kept.
const PAST_FORMAT: u64 = 1;
/// Files that nobody names are left alone so long: another process may be about to name them.
const ORPHAN: Duration = Duration::from_secs(3600);
/// All projects together may take this much; beyond it those not written for longest go.
const MOST: u64 = 2 << 30;

/// The folder of one project.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
    root: String,
}

impl Cache {
    /// The place for the project at `root` below the cache directory; nothing is made yet.
    ///
    /// # Errors
    /// When the root cannot be resolved.
    pub(crate) fn of(directory: &Path, root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        let bytes = root.as_os_str().as_encoded_bytes();
        // Two roots of one name would each find the other's name in the manifest and take it for none.
        let mut turned = bytes.to_vec();
        turned.reverse();
        let name = format!("{:08x}{:08x}", crc32fast::hash(bytes), crc32fast::hash(&turned));
        Ok(Self { folder: directory.join("index").join(name), root: root.to_string_lossy().into_owned() })
    }

    /// The manifest and its segments; `None` when there is none that can be used.
    pub(crate) fn load(&self, max_file_bytes: u64) -> Option<(Manifest, Vec<Segment>)> {
        let manifest = self.manifest()?;
        if manifest.max_file_bytes != max_file_bytes {
            return None;
        }
        let open = |name: &String| {
            let file = File::open(self.folder.join(name)).ok()?;
            let length = file.metadata().ok()?.len();
            Segment::open(Source::File(file, length)).ok()
        };
        let segments = manifest.segments.iter().map(open).collect::<Option<Vec<Segment>>>()?;
        Some((manifest, segments))
    }

    fn manifest(&self) -> Option<Manifest> {
        let manifest = Manifest::decode(&read_regular(&self.folder.join(MANIFEST))?).ok()?;
        (manifest.root == self.root).then_some(manifest)
    }

    /// The time by the clock of the file system, which is the one that files bear.
    pub(crate) fn now(&self) -> io::Result<SystemTime> {
        self.make()?;
        tempfile::Builder::new().prefix(WRITING).tempfile_in(&self.folder)?.as_file().metadata()?.modified()
    }

    fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)
    }

    /// Writes a segment under a new name, and gives it back as a file.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<(String, Source)> {
        let mut file = tempfile::Builder::new().prefix(SEGMENT).rand_bytes(16).tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        let (file, path) = file.keep().map_err(|error| error.error)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, Source::File(file, bytes.len() as u64)))
    }

    /// Makes `manifest` the one that counts, and removes what no longer does.
    pub(crate) fn save(&self, mut manifest: Manifest) -> io::Result<()> {
        manifest.root.clone_from(&self.root);
        self.replace(MANIFEST, &manifest.encode())?;
        self.remove_orphans(&manifest);
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removing is a favour: what cannot be removed stays.
    fn remove_orphans(&self, manifest: &Manifest) {
        let modified = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let (Some(now), Ok(entries)) = (modified(&self.folder.join(MANIFEST)), fs::read_dir(&self.folder))
        else {
            return;
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let ours = name.starts_with(SEGMENT) || name.starts_with(WRITING);
            let old = modified(&path)
                .and_then(|time| now.duration_since(time).ok())
                .is_some_and(|age| age > ORPHAN);
            if ours && old && !manifest.segments.iter().any(|segment| *segment == name) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// The history that was read last.
    pub(crate) fn history(&self) -> History {
        read_regular(&self.folder.join(PAST))
            .and_then(|bytes| decode_history(&bytes).ok())
            .unwrap_or_default()
    }

    /// Keeps a history.
    pub(crate) fn keep_history(&self, history: &History) -> io::Result<()> {
        self.make()?;
        self.replace(PAST, &encode_history(history))
    }

    /// Size and contents; `None` if there is no index that can be used.
    pub(crate) fn status(&self) -> Option<IndexStatus> {
        let manifest = self.manifest()?;
        let bytes = folder_size(&self.folder);
        Some(IndexStatus {
            files: manifest.files.len(),
            segments: manifest.segments.len(),
            commits: self.history().commits.len(),
            bytes,
            folder: self.folder.clone(),
        })
    }

    /// Removes the index; how many bytes that freed.
    pub(crate) fn clear(&self) -> io::Result<u64> {
        let bytes = folder_size(&self.folder);
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(bytes),
        }
    }

    /// Removes the projects that were not written for longest until all fit, this one excepted.
    pub(crate) fn prune(&self) {
        let Some(Ok(entries)) = self.folder.parent().map(fs::read_dir) else { return };
        let mut projects: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .map(|path| {
                let written = fs::metadata(path.join(MANIFEST)).and_then(|meta| meta.modified());
                (written.unwrap_or(UNIX_EPOCH), folder_size(&path), path)
            })
            .collect();
        projects.sort();
        let mut total: u64 = projects.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in projects {
            if total <= MOST {
                return;
            }
            if path != self.folder && fs::remove_dir_all(&path).is_ok() {
                total -= size;
            }
        }
    }
}

/// What is kept of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatus {
    /// Files that are known, indexed or passed over.
    pub files: usize,
    /// Segments that they are spread over.
    pub segments: usize,
    /// Commits that are known.
    pub commits: usize,
    /// The size on disk.
    pub bytes: u64,
    /// Where it is.
    pub folder: PathBuf,
}

/// The bytes of a file that is one: a device or a pipe would have no end.
fn read_regular(path: &Path) -> Option<Vec<u8>> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    fs::read(path).ok()
}

fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|meta| meta.len()).sum()
}

fn encode_history(history: &History) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, PAST_FORMAT);
    put(&mut out, history.commits.len() as u64);
    for commit in &history.commits {
        out.extend_from_slice(&commit.id);
        put_text(&mut out, commit.message.as_bytes());
        put(&mut out, commit.paths.len() as u64);
        commit.paths.iter().for_each(|path| put_text(&mut out, path.as_bytes()));
    }
    bytes::seal(&mut out);
    out
}

fn decode_history(bytes: &[u8]) -> Result<History, Corrupt> {
    let mut bytes = Bytes(bytes::checked(bytes)?);
    if bytes.number()? != PAST_FORMAT {
        return Err(Corrupt);
    }
    let count: usize = bytes.small()?;
    let mut commits = Vec::new();
    for _ in 0..count {
        let mut id = [0; 20];
        id.copy_from_slice(bytes.take(20)?);
        let message = bytes.text()?.to_owned();
        let paths: usize = bytes.small()?;
        let paths = (0..paths).map(|_| Ok(bytes.text()?.to_owned())).collect::<Result<_, Corrupt>>()?;
        commits.push(Commit { id, message, paths });
    }
    Ok(History { commits })
}
