//! Several files in one, with their sizes and SHA-256, so that a damaged or cut one is noticed.
//!
//! The form: the line `plantocode-backup 1`; the bytes of the parts; a list of lines, `made MS` and for each part
//! `part NAME BYTES SCHEMA SHA256`; and a last line of fixed length with the place and SHA-256 of that list. The list
//! comes last so that each part is read once.

use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

const BEGIN: &str = "plantocode-backup ";
const FORMAT: u32 = 1;
/// `end PLACE SHA256` and a line feed.
const END_BYTES: u64 = 4 + 20 + 1 + 64 + 1;
/// No list is longer; more says that the file is damaged.
const MAX_LIST: u64 = 64 << 10;

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is no backup of PlanToCode")]
    Foreign,
    /// A newer program made it.
    #[error("it has format {0}, which a newer version of PlanToCode makes; update PlanToCode first")]
    Newer(u32),
    /// It is not as it was written.
    #[error("it is damaged or cut: {0}")]
    Damaged(String),
}

/// One file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its database's schema.
    pub schema: u32,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// When it was made.
    pub made_at: i64,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// An archive that is being written.
pub struct Writer {
    out: BufWriter<File>,
    at: u64,
    contents: Contents,
}

impl Writer {
    /// Begins an archive at a path where nothing is. Only its user can read it.
    ///
    /// # Errors
    /// When there is a file, or none can be made.
    pub fn create(path: &Path, made_at: i64) -> Result<Writer, ArchiveError> {
        let mut out = BufWriter::new(private(path)?);
        let head = format!("{BEGIN}{FORMAT}\n");
        out.write_all(head.as_bytes())?;
        Ok(Writer { out, at: head.len() as u64, contents: Contents { made_at, parts: Vec::new() } })
    }

    /// Adds a file. `progress` is told how many bytes went by.
    ///
    /// # Errors
    /// When the file cannot be read or the archive not written.
    pub fn add(
        &mut self,
        name: &str,
        schema: u32,
        from: &Path,
        progress: &dyn Fn(u64),
    ) -> Result<(), ArchiveError> {
        let (bytes, sha256) = copy(&mut File::open(from)?, &mut self.out, progress)?;
        self.at += bytes;
        self.contents.parts.push(Part { name: name.to_owned(), bytes, schema, sha256 });
        Ok(())
    }

    /// Ends the archive; returns when all of it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Contents, ArchiveError> {
        let mut list = format!("made {}\n", self.contents.made_at);
        for Part { name, bytes, schema, sha256 } in &self.contents.parts {
            list.push_str(&format!("part {name} {bytes} {schema} {sha256}\n"));
        }
        self.out.write_all(list.as_bytes())?;
        let hash = hex::encode(Sha256::digest(list.as_bytes()));
        self.out.write_all(format!("end {:020} {hash}\n", self.at).as_bytes())?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.contents)
    }
}

/// What the archive at `path` says that it holds. The parts themselves are not looked at.
///
/// # Errors
/// When it is none, a newer one, or damaged.
pub fn contents(path: &Path) -> Result<Contents, ArchiveError> {
    Ok(open(path)?.1)
}

/// Reads all of an archive and compares it with what it says of itself. With `to`, each part is written into that
/// folder under its name, where nothing may be.
///
/// # Errors
/// When it is none, a newer one, or damaged; what was written is then of no use.
pub fn read(path: &Path, to: Option<&Path>, progress: &dyn Fn(u64)) -> Result<Contents, ArchiveError> {
    let (mut file, contents) = open(path)?;
    for part in &contents.parts {
        let mut limited = (&mut file).take(part.bytes);
        let (bytes, sha256) = match to {
            Some(folder) => {
                let mut out = private(&folder.join(&part.name))?;
                let copied = copy(&mut limited, &mut out, progress)?;
                out.sync_all()?;
                copied
            }
            None => copy(&mut limited, &mut io::sink(), progress)?,
        };
        if bytes != part.bytes || sha256 != part.sha256 {
            return Err(ArchiveError::Damaged(format!(
                "the bytes of {} are not those that were stored",
                part.name
            )));
        }
    }
    Ok(contents)
}

/// Opens an archive, reads its list, and stands at the first part.
fn open(path: &Path) -> Result<(BufReader<File>, Contents), ArchiveError> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = Vec::new();
    (&mut file).take(BEGIN.len() as u64 + 12).read_to_end(&mut head)?;
    let rest = head.strip_prefix(BEGIN.as_bytes()).ok_or(ArchiveError::Foreign)?;
    let digits: Vec<u8> = rest.iter().copied().take_while(|byte| *byte != b'\n').collect();
    let format = std::str::from_utf8(&digits).ok().and_then(|text| text.parse::<u32>().ok());
    let begin = BEGIN.len() as u64 + digits.len() as u64 + 1;
    match format.ok_or(ArchiveError::Foreign)? {
        FORMAT => {}
        format if format > FORMAT => return Err(ArchiveError::Newer(format)),
        _ => return Err(ArchiveError::Foreign),
    }
    let cut = || ArchiveError::Damaged("its end is missing".to_owned());
    let end = length.checked_sub(END_BYTES).filter(|end| *end >= begin).ok_or_else(cut)?;
    let last = text_at(&mut file, end, END_BYTES).ok_or_else(cut)?;
    let (place, hash) = last
        .strip_prefix("end ")
        .and_then(|rest| rest.strip_suffix('\n'))
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(cut)?;
    let place = place.parse::<u64>().ok().filter(|place| (begin..=end).contains(place)).ok_or_else(cut)?;
    let wrong = || ArchiveError::Damaged("its list of parts cannot be read".to_owned());
    if end - place > MAX_LIST {
        return Err(wrong());
    }
    let list = text_at(&mut file, place, end - place).ok_or_else(wrong)?;
    if hex::encode(Sha256::digest(list.as_bytes())) != hash {
        return Err(wrong());
    }
    let contents = parse(&list).ok_or_else(wrong)?;
    if contents.parts.iter().try_fold(begin, |at, part| at.checked_add(part.bytes)) != Some(place) {
        return Err(wrong());
    }
    file.seek(SeekFrom::Start(begin))?;
    Ok((BufReader::new(file), contents))
}

fn text_at(file: &mut File, at: u64, bytes: u64) -> Option<String> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut text = String::new();
    file.take(bytes).read_to_string(&mut text).ok()?;
    (text.len() as u64 == bytes).then_some(text)
}

fn parse(list: &str) -> Option<Contents> {
    let mut lines = list.lines();
    let made_at = lines.next()?.strip_prefix("made ")?.parse().ok()?;
    let part = |line: &str| {
        let mut words = line.strip_prefix("part ")?.split(' ');
        let name = words.next()?.to_owned();
        // It becomes a file's name.
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        let (bytes, schema) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Part { name, bytes, schema, sha256: words.next()?.to_owned() })
    };
    Some(Contents { made_at, parts: lines.map(part).collect::<Option<_>>()? })
}

fn copy(from: &mut impl Read, to: &mut impl Write, progress: &dyn Fn(u64)) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
        progress(read as u64);
    }
}

/// A new file that only its user can read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(folder: &Path) -> std::path::PathBuf {
        let part = folder.join("source");
        std::fs::write(&part, vec![7; 3000]).unwrap();
        let path = folder.join("a.backup");
        let mut writer = Writer::create(&path, 5).unwrap();
        writer.add("one.db", 3, &part, &|_| {}).unwrap();
        writer.add("two.db", 1, &part, &|_| {}).unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn parts_come_out_as_they_went_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = archive(dir.path());
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let read = read(&path, Some(&out), &|_| {}).unwrap();
        assert_eq!((read.made_at, read.parts.len(), read.parts[0].schema), (5, 2, 3));
        assert_eq!(std::fs::read(out.join("two.db")).unwrap(), vec![7; 3000]);
        assert!(Writer::create(&path, 6).is_err(), "an archive is never overwritten");
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = archive(dir.path());
        let whole = std::fs::read(&path).unwrap();
        let other = dir.path().join("b.backup");
        for at in (0..whole.len()).step_by(7).chain(whole.len() - 200..whole.len()) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&other, &bytes).unwrap();
            assert!(read(&other, None, &|_| {}).is_err(), "a changed byte at {at}");
            std::fs::write(&other, &whole[..at]).unwrap();
            assert!(read(&other, None, &|_| {}).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_form_and_another_file_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "plantocode-backup 2\nwhatever").unwrap();
        assert!(matches!(contents(&path), Err(ArchiveError::Newer(2))));
        std::fs::write(&path, "SQLite format 3\0").unwrap();
        assert!(matches!(contents(&path), Err(ArchiveError::Foreign)));
    }
}
