//! What goes in, by the room there is.
//!
//! Choosing works with counts of pieces, which do not quite add up to the count of the whole. [`Fitting::finish`]
//! therefore counts the whole and takes away until it fits; nothing before it needs to be exact.

use crate::pack::{Entry, Form, Manifest, Request, TooSmall, TreeForm};
use crate::render::{Document, Mark, Part, Shown, Style, Tree};
use crate::select::{self, TaskWords};
use crate::source::{Content, LeftOut, Lines, slice, split};

/// The list of files takes at most this share of the budget.
const TREE_SHARE: u64 = 4;
/// Naming what was left out takes at most this share; beyond it, it is counted.
const NAMES_SHARE: u64 = 10;
/// The definitions of one file take at most this share of what is left, so that others come in too.
const DEFINITIONS_SHARE: u64 = 3;
/// What the marks around a part take, roughly, in tokens.
const PART_TOKENS: u64 = 24;
/// What the marks around a file's name take, roughly, in tokens.
const NAME_TOKENS: u64 = 14;
/// A text with more bytes than this for each token there is room for is not worth counting.
const MOST_BYTES_PER_TOKEN: u64 = 32;

/// How much of a file is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Taken {
    Nothing,
    /// These pieces, the best first; never empty.
    Pieces(Vec<Lines>),
    Whole,
}

/// A file on its way into the pack.
struct Candidate<'a> {
    path: &'a str,
    /// The text and its lines; absent if it cannot be shown.
    text: Result<(&'a str, Vec<&'a str>), LeftOut>,
    taken: Taken,
    /// The tokens of what is taken.
    tokens: u64,
    /// Pieces, once they were needed.
    units: Option<Vec<Lines>>,
}

pub(crate) struct Fitting<'a> {
    request: &'a Request<'a>,
    words: TaskWords,
    style: Style,
    files: Vec<Candidate<'a>>,
    tree: Option<(TreeForm, Tree)>,
    /// How many of the files that are left out are named.
    named: usize,
    /// The tokens that are still free.
    room: u64,
}

impl<'a> Fitting<'a> {
    pub(crate) fn new(request: &'a Request<'a>) -> Result<Self, TooSmall> {
        let texts = request.files.iter().filter_map(|file| match &file.content {
            Content::Text(text) => Some(text.as_str()),
            Content::Missing(_) => None,
        });
        let paths = request.tree.unwrap_or_default().iter().map(String::as_str);
        let mark = Mark::for_texts(texts.chain(paths).chain([request.task]));
        let files = request.files.iter().map(|file| {
            let text = match &file.content {
                Content::Text(text) => Ok((text.as_str(), split(text))),
                Content::Missing(why) => Err(why.clone()),
            };
            Candidate { path: &file.path, text, taken: Taken::Nothing, tokens: 0, units: None }
        });
        let mut fitting = Fitting {
            request,
            words: TaskWords::new(request.task),
            style: Style { format: request.format, mark },
            files: files.collect(),
            tree: None,
            named: 0,
            room: 0,
        };
        // The least that can be said: the task, and how many files are not there.
        let needs = fitting.count(&fitting.render());
        let budget = request.budget;
        fitting.room = budget.checked_sub(needs).ok_or(TooSmall { needs, budget })?;
        Ok(fitting)
    }

    fn count(&self, text: &str) -> u64 {
        self.request.tokenizer.count(text)
    }

    /// Lists all files, or folders as deep as there is room for.
    pub(crate) fn choose_tree(&mut self) {
        let Some(paths) = self.request.tree else { return };
        let room = self.room / TREE_SHARE;
        let deepest = paths.iter().map(|path| path.split('/').count()).max().unwrap_or(1);
        for depth in (0..=deepest).rev() {
            let form = if depth == deepest { TreeForm::Whole } else { TreeForm::Folders(depth) };
            let (form, tree) = listing(paths, depth, form);
            let text = tree.lines.join("\n");
            if text.len() as u64 / MOST_BYTES_PER_TOKEN > room {
                continue;
            }
            let tokens = self.count(&text) + PART_TOKENS;
            if tokens <= room {
                self.room -= tokens;
                self.tree = Some((form, tree));
                return;
            }
        }
    }

    /// Takes the files in order: whole if that takes no more than half of what is left, otherwise in pieces.
    pub(crate) fn take_in_order(&mut self) {
        let reserved = self.room / NAMES_SHARE;
        self.room -= reserved;
        for at in 0..self.files.len() {
            if !self.take_whole(at, self.room / 2) {
                self.take_pieces(at, self.room / DEFINITIONS_SHARE);
            }
        }
        self.room += reserved;
    }

    /// Makes files whole with what is left, in order, or takes more of their pieces.
    pub(crate) fn make_whole(&mut self) {
        let reserved = self.room / NAMES_SHARE;
        self.room -= reserved;
        for at in 0..self.files.len() {
            if self.files[at].taken == Taken::Whole {
                continue;
            }
            let most = self.room + self.files[at].tokens;
            if !self.take_whole(at, most) {
                self.room = most;
                self.take_pieces(at, most);
            }
        }
        self.room += reserved;
    }

    /// Names the files that are left out, as far as there is room.
    pub(crate) fn name_left_out(&mut self) {
        let mut room = self.room;
        for file in self.files.iter().filter(|file| file.taken == Taken::Nothing) {
            let tokens = self.count(file.path) + NAME_TOKENS;
            if tokens > room {
                break;
            }
            room -= tokens;
            self.named += 1;
        }
    }

    /// The text, counted as a whole and made to fit.
    pub(crate) fn finish(&mut self) -> (String, u64) {
        loop {
            let text = self.render();
            let tokens = self.count(&text);
            if tokens <= self.request.budget || !self.take_away(tokens - self.request.budget) {
                return (text, tokens);
            }
        }
    }

    /// Takes a file whole, in place of what is taken of it, if it has at most so many tokens.
    fn take_whole(&mut self, at: usize, most: u64) -> bool {
        let Ok((text, _)) = &self.files[at].text else { return false };
        if text.len() as u64 / MOST_BYTES_PER_TOKEN > most {
            return false;
        }
        let before = std::mem::replace(&mut self.files[at].taken, Taken::Whole);
        let tokens = self.tokens_of(at);
        let fits = tokens <= most;
        if fits {
            self.room = (self.room + self.files[at].tokens).saturating_sub(tokens);
            self.files[at].tokens = tokens;
        } else {
            self.files[at].taken = before;
        }
        fits
    }

    fn tokens_of(&self, at: usize) -> u64 {
        self.shown(&self.files[at]).map_or(0, |shown| self.count(&self.style.file(&shown)))
    }

    /// Takes the best pieces of a file, within so many tokens; the best one also beyond them, if there is room.
    /// What was taken of the file before must already count as room.
    fn take_pieces(&mut self, at: usize, most: u64) {
        (self.files[at].taken, self.files[at].tokens) = (Taken::Nothing, 0);
        let mut pieces = Vec::new();
        let mut tokens = self.count(self.files[at].path) + PART_TOKENS;
        for unit in self.units(at) {
            let Ok((text, split)) = &self.files[at].text else { return };
            let cost = self.count(slice(text, split, unit)) + PART_TOKENS;
            let limit = if pieces.is_empty() { self.room } else { most };
            if tokens + cost <= limit {
                tokens += cost;
                pieces.push(unit);
            }
        }
        if !pieces.is_empty() {
            self.files[at].taken = Taken::Pieces(pieces);
            self.files[at].tokens = self.tokens_of(at);
            self.room = self.room.saturating_sub(self.files[at].tokens);
        }
    }

    fn units(&mut self, at: usize) -> Vec<Lines> {
        let source = &self.request.files[at];
        let (file, words) = (&mut self.files[at], &self.words);
        let Ok((text, split)) = &file.text else { return Vec::new() };
        file.units.get_or_insert_with(|| select::units(source, text, split, words)).clone()
    }

    /// Takes away what matters least, at least so many tokens if it can; false when nothing is left to take.
    fn take_away(&mut self, tokens: u64) -> bool {
        if self.named > 0 {
            self.named /= 2;
            return true;
        }
        let mut freed = 0;
        while freed < tokens {
            let Some(at) = self.files.iter().rposition(|file| file.taken != Taken::Nothing) else { break };
            freed += self.reduce(at).max(1);
        }
        freed > 0 || self.tree.take().is_some()
    }

    /// Takes a piece of a file away, or makes a whole file one in pieces. Says how many tokens that frees.
    fn reduce(&mut self, at: usize) -> u64 {
        let before = self.files[at].tokens;
        match std::mem::replace(&mut self.files[at].taken, Taken::Nothing) {
            Taken::Whole => {
                // As if it came now, with the room that it had.
                self.room = before;
                self.take_pieces(at, before);
            }
            Taken::Pieces(mut pieces) => {
                pieces.pop();
                if !pieces.is_empty() {
                    self.files[at].taken = Taken::Pieces(pieces);
                }
                self.files[at].tokens = self.tokens_of(at);
            }
            Taken::Nothing => {}
        }
        // Pieces that are as long as the whole would go round in a circle.
        if self.files[at].tokens >= before {
            self.files[at].taken = Taken::Nothing;
            self.files[at].tokens = 0;
        }
        before - self.files[at].tokens
    }

    /// What is shown of a file, if anything is.
    fn shown<'s>(&'s self, file: &'s Candidate<'a>) -> Option<Shown<'s>> {
        let (text, split) = file.text.as_ref().ok()?;
        let lines = split.len() as u32;
        let ranges = match &file.taken {
            Taken::Nothing => return None,
            Taken::Whole if lines == 0 => Vec::new(),
            Taken::Whole => vec![Lines::new(1, lines)],
            Taken::Pieces(pieces) => select::with_headers(split, pieces),
        };
        let part = |lines: Lines| Part { lines, text: slice(text, split, lines) };
        Some(Shown { path: file.path, lines, parts: ranges.into_iter().map(part).collect() })
    }

    fn render(&self) -> String {
        let reasons: Vec<(&str, LeftOut)> = self
            .files
            .iter()
            .filter(|file| file.taken == Taken::Nothing)
            .map(|file| (file.path, why_left_out(file)))
            .collect();
        let named = self.named.min(reasons.len());
        self.style.document(&Document {
            task: self.request.task,
            tree: self.tree.as_ref().map(|(_, tree)| tree.clone()),
            files: self.files.iter().filter_map(|file| self.shown(file)).collect(),
            left_out: reasons[..named].iter().map(|(path, why)| (*path, why)).collect(),
            more: reasons.len() - named,
        })
    }

    pub(crate) fn manifest(&self) -> Manifest {
        let entry = |file: &Candidate<'_>| {
            let form = match self.shown(file) {
                None => Form::LeftOut(why_left_out(file)),
                Some(shown) if shown.is_whole() => Form::Whole,
                Some(shown) => Form::Definitions(shown.parts.iter().map(|part| part.lines).collect()),
            };
            let lines = file.text.as_ref().map_or(0, |(_, split)| split.len() as u32);
            Entry { path: file.path.to_owned(), form, lines, tokens: file.tokens }
        };
        let tree = match (&self.tree, self.request.tree) {
            (Some((form, _)), _) => *form,
            (None, Some(_)) => TreeForm::LeftOut,
            (None, None) => TreeForm::NotAsked,
        };
        Manifest { files: self.files.iter().map(entry).collect(), tree }
    }
}

fn why_left_out(file: &Candidate<'_>) -> LeftOut {
    match &file.text {
        Ok((_, split)) => LeftOut::NoRoom { lines: split.len() as u32 },
        Err(why) => why.clone(),
    }
}

/// The paths down to a depth; folders at it stand with the number of files in them. At depth 0 only the number of
/// all files is left.
fn listing(paths: &[String], depth: usize, form: TreeForm) -> (TreeForm, Tree) {
    if depth == 0 {
        let lines = vec![format!("… {} files, no room to list them", paths.len())];
        return (TreeForm::LeftOut, Tree { lines });
    }
    let mut lines: Vec<String> = Vec::new();
    let mut folder: Option<(&str, usize)> = None;
    let close =
        |folder: &mut Option<(&str, usize)>, lines: &mut Vec<String>| {
            lines.extend(folder.take().map(|(name, files)| {
                format!("{name}/ ({files} {})", if files == 1 { "file" } else { "files" })
            }));
        };
    for path in paths {
        let cut = path.match_indices('/').nth(depth - 1).map(|(at, _)| &path[..at]);
        match (cut, &mut folder) {
            (Some(name), Some((open, files))) if name == *open => *files += 1,
            (Some(name), _) => {
                close(&mut folder, &mut lines);
                folder = Some((name, 1));
            }
            (None, _) => {
                close(&mut folder, &mut lines);
                lines.push(path.clone());
            }
        }
    }
    close(&mut folder, &mut lines);
    (form, Tree { lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_too_deep_are_counted() {
        let paths: Vec<String> =
            ["a.md", "src/a/x.rs", "src/a/y.rs", "src/b.rs", "test/t.rs"].map(String::from).into();
        let at = |depth| listing(&paths, depth, TreeForm::Folders(depth)).1.lines.join(" | ");
        assert_eq!(at(3), paths.join(" | "));
        assert_eq!(at(2), "a.md | src/a/ (2 files) | src/b.rs | test/t.rs");
        assert_eq!(at(1), "a.md | src/ (3 files) | test/ (1 file)");
        assert_eq!(at(0), "… 5 files, no room to list them");
    }
}
