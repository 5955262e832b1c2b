//! Counts tokens.
//!
//! OpenAI's models since GPT-4o are counted with their own vocabulary. For all others that count is raised and called an
//! estimate (ADR 18).
//!
//! Counting walks over every byte and is most of the work of a manifest. So each text is counted once and not once more
//! as a part of the whole prompt, several are counted at once, and [`Counts`] knows what was counted before.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Tokens that are assumed for each hundred of OpenAI's vocabulary where nothing more is known: other vocabularies split
/// source code finer.
const OTHERS_PERCENT: u64 = 120;

/// The same for Claude, as `plantocode context` counts: 16 % more were reported for English and 30 % for Python, and newer
/// models make up to 35 % more again.
const CLAUDE_PERCENT: u64 = 150;

/// "A token is equivalent to about 4 characters" (Gemini API, "Understand and count tokens"): a second floor, as `plantocode
/// context` has it. A long run of blanks is one token of OpenAI's vocabulary.
const GEMINI_CHARACTERS: u64 = 4;

/// Texts shorter than this, in bytes, are not remembered: to count them takes no longer than to look them up.
const SHORT: usize = 256;

/// How many counts a half of the memory has. With 40 bytes each both halves take some 1.3 MB.
const HALF: usize = 16_384;

/// Below this many bytes in all, one thread is as quick as several.
const FOR_SEVERAL: usize = 64 << 10;

/// The most threads that count at once.
const MOST_THREADS: usize = 8;

/// Counts for one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    percent: u64,
    /// Characters that are at least one token.
    characters: Option<u64>,
}

impl Counter {
    /// The counter for a model of a provider. Claude and Gemini are known by their names, behind whatever provider.
    pub(crate) fn for_model(provider: &str, model: &str) -> Counter {
        let percent = match provider {
            // These have the vocabulary before, which makes more tokens of most texts.
            "openai" if model == "gpt-4" || model.starts_with("gpt-4-") || model.starts_with("gpt-3.5") => {
                OTHERS_PERCENT
            }
            "openai" => 100,
            "anthropic" => CLAUDE_PERCENT,
            _ if model.contains("claude") => CLAUDE_PERCENT,
            _ => OTHERS_PERCENT,
        };
        let gemini = provider == "google" || model.contains("gemini");
        Counter { percent, characters: gemini.then_some(GEMINI_CHARACTERS) }
    }

    /// Whether counts are those of the model, and not estimates.
    pub(crate) fn is_exact(self) -> bool {
        self.percent == 100
    }

    /// What the model makes of `text`, which has `count` tokens in OpenAI's vocabulary.
    pub(crate) fn raise(self, count: u64, text: &str) -> u64 {
        let floor =
            self.characters.map_or(0, |characters| (text.chars().count() as u64).div_ceil(characters));
        (count * self.percent).div_ceil(100).max(floor)
    }
}

/// What a file of this size would probably add, where its content has not been read.
pub(crate) fn estimate_from_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

/// The tokens of a text and of the parts in it, in OpenAI's vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Those of the whole.
    pub whole: u64,
    /// Those that each part has by itself, in the order of the parts.
    pub parts: Vec<u64>,
}

/// Counts in OpenAI's vocabulary, and remembers them by the hash of what was counted. A text that changed has another
/// hash, so nothing has to be taken back.
pub(crate) struct Counts {
    known: Mutex<Known>,
    threads: usize,
}

/// Two halves: when the young one is full the old one is forgotten. What is asked for again becomes young again.
#[derive(Default)]
struct Known {
    young: HashMap<[u8; 32], u64>,
    old: HashMap<[u8; 32], u64>,
}

impl Known {
    fn get(&mut self, hash: &[u8; 32]) -> Option<u64> {
        if let Some(count) = self.young.get(hash) {
            return Some(*count);
        }
        let count = self.old.remove(hash)?;
        self.put(*hash, count);
        Some(count)
    }

    fn put(&mut self, hash: [u8; 32], count: u64) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, count);
    }
}

impl Counts {
    /// With as many threads as the machine has cores for, within bounds.
    pub(crate) fn new() -> Counts {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Counts { known: Mutex::default(), threads: cores.min(MOST_THREADS) }
    }

    /// The tokens of `text`.
    pub(crate) fn text(&self, text: &str) -> u64 {
        self.parts(text, std::slice::from_ref(&(0..text.len()))).whole
    }

    /// The tokens of `whole` and of those parts of it, which follow each other. The result is that of counting each by
    /// itself: the inside of a part is counted once, and both counts are put together from it and from what is around.
    pub(crate) fn parts(&self, whole: &str, parts: &[Range<usize>]) -> Counted {
        // For each part what is before its inside since the one before, and then its head, inside and tail.
        let mut pieces = Vec::with_capacity(4 * parts.len() + 1);
        let mut at = 0;
        for part in parts {
            let text = &whole[part.clone()];
            match inside(text) {
                Some(Range { start, end }) => {
                    let before = &whole[at..part.start + start];
                    pieces.extend([before, &text[start..end], &text[..start], &text[end..]]);
                    at = part.start + end;
                }
                // Too short to be cut: it is counted by itself, and with what is around it.
                None => pieces.extend(["", "", text, ""]),
            }
        }
        pieces.push(&whole[at..]);
        let counts = self.pieces(&pieces);
        let of_parts = counts.chunks_exact(4);
        let rest: u64 = of_parts.remainder().iter().sum();
        Counted {
            whole: rest + of_parts.clone().map(|part| part[0] + part[1]).sum::<u64>(),
            parts: of_parts.map(|part| part[1..].iter().sum()).collect(),
        }
    }

    /// The tokens of each piece by itself.
    fn pieces(&self, pieces: &[&str]) -> Vec<u64> {
        let hash = |piece: &&str| (piece.len() >= SHORT).then(|| Sha256::digest(piece.as_bytes()).into());
        let hashes: Vec<Option<[u8; 32]>> = pieces.iter().map(hash).collect();
        let known: Vec<Option<u64>> = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            hashes.iter().map(|hash| known.get(hash.as_ref()?)).collect()
        };
        let unknown: Vec<usize> = (0..pieces.len()).filter(|n| known[*n].is_none()).collect();
        let texts: Vec<&str> = unknown.iter().map(|n| pieces[*n]).collect();
        let counted = count_all(&texts, self.threads);
        let mut counts: Vec<u64> = known.into_iter().map(Option::unwrap_or_default).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (n, count) in unknown.into_iter().zip(counted) {
            counts[n] = count;
            if let Some(hash) = hashes[n] {
                known.put(hash, count);
            }
        }
        counts
    }
}

/// From the first to the last place in `text` where it can be cut without changing how it is counted, if there is any.
///
/// The vocabulary splits a text into words before it joins bytes to tokens. No word goes on over the end of a line into a
/// letter, a number or a sign: only blanks, further line ends and slashes are taken together with a line end.
fn inside(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_cut = |at: &usize| bytes[at - 1] == b'\n' && bytes[*at].is_ascii_graphic() && bytes[*at] != b'/';
    let mut places = 1..bytes.len().max(1);
    let first = places.find(is_cut)?;
    Some(first..places.rfind(is_cut).unwrap_or(first))
}

fn count(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64
}

/// The tokens of each text, in the order of the texts.
fn count_all(texts: &[&str], threads: usize) -> Vec<u64> {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if threads < 2 || bytes < FOR_SEVERAL {
        return texts.iter().map(|text| count(text)).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = taken.map_while(|n| Some((n, count(texts.get(n)?))));
        mine.collect::<Vec<_>>()
    };
    let mut counts = vec![0; texts.len()];
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut counted = some();
        for other in others {
            // A panic of a thread is one of whoever asked.
            counted.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        for (n, count) in counted {
            counts[n] = count;
        }
    });
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::Mutator;

    #[test]
    fn other_vendors_are_counted_higher() {
        let text = "fn main() { println!(\"hello\"); }";
        let count = Counts::new().text(text);
        for model in ["gpt-5.1", "gpt-4o", "gpt-4.1-mini", "o3"] {
            let openai = Counter::for_model("openai", model);
            assert!(count > 5 && openai.is_exact() && openai.raise(count, text) == count, "{model}");
        }
        let blanks = Counter::for_model("google", "gemini-2.5-pro").raise(1, &" ".repeat(80));
        assert_eq!(blanks, 20, "a long run of blanks is not believed to be one token");
        for (provider, model, percent) in [
            ("openai", "gpt-4", 120),
            ("openai", "gpt-4-turbo", 120),
            ("openai", "gpt-3.5-turbo", 120),
            ("google", "gemini-2.5-pro", 120),
            ("anthropic", "some-name", 150),
            ("openrouter", "anthropic/claude-sonnet-4.5", 150),
        ] {
            let other = Counter::for_model(provider, model);
            assert!(!other.is_exact());
            assert_eq!(
                (other.raise(count, text), other.raise(0, "")),
                ((count * percent).div_ceil(100), 0),
                "{model}"
            );
        }
    }

    /// Some texts in one, with other signs between them.
    fn joined(texts: &[String]) -> (String, Vec<Range<usize>>) {
        let (mut whole, mut parts) = (String::new(), Vec::new());
        for (n, text) in texts.iter().enumerate() {
            whole.push_str(&format!("<file-7f3a path=\"{n}.rs\">\n"));
            parts.push(whole.len()..whole.len() + text.len());
            whole.push_str(text);
            whole.push_str(if text.ends_with('\n') { "</file-7f3a>\n" } else { "\n</file-7f3a>\n" });
        }
        (whole, parts)
    }

    #[test]
    fn the_counts_are_those_of_each_text_by_itself_however_many_threads_count() {
        const SIGNS: [&str; 24] = [
            "\n", "\n", "\n\n", "\r\n", " ", "    ", "\t", "/", "//", "<", ">", "\"", "'s", "a", "word",
            "Über", "漢字", "e\u{301}", "\u{301}", "\u{a0}", "\u{2028}", "12345", ";", "{}",
        ];
        let mut chance = Mutator::new(5);
        for round in 0..60 {
            let texts: Vec<String> = (0..chance.below(8))
                .map(|_| (0..chance.below(1_500)).map(|_| SIGNS[chance.below(SIGNS.len())]).collect())
                .collect();
            let (whole, parts) = joined(&texts);
            let expected = Counted { whole: count(&whole), parts: texts.iter().map(|t| count(t)).collect() };
            for threads in [1, 3] {
                let counts = Counts { threads, ..Counts::new() };
                assert_eq!(counts.parts(&whole, &parts), expected, "{round} {threads}");
                assert_eq!(counts.parts(&whole, &parts), expected, "{round} {threads}, remembered");
            }
        }
        // Long enough that several threads have some of it.
        let line = |n: usize| format!("fn name{n}(text: &str) -> usize {{ text.len() + {n} }}\n");
        let texts: Vec<String> = (0..40).map(|n| (n..n + 200).map(line).collect()).collect();
        let all: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert!(texts.iter().map(String::len).sum::<usize>() > 4 * FOR_SEVERAL);
        assert_eq!(count_all(&all, 4), count_all(&all, 1));
    }

    #[test]
    fn a_changed_text_is_counted_anew_and_the_memory_is_bounded() {
        let counts = Counts::new();
        let lines = |n: usize| (0..n).map(|n| format!("line {n} of a text\n")).collect::<String>();
        let text = lines(200);
        assert_eq!(counts.text(&text), count(&text));
        let held = counts.known.lock().unwrap().young.len();
        assert_eq!(counts.text(&text), count(&text));
        assert_eq!((held, counts.known.lock().unwrap().young.len()), (1, 1));
        let changed = text.replace("line 100 of", "line one hundred of all");
        assert_ne!(count(&changed), count(&text));
        assert_eq!(counts.text(&changed), count(&changed));
        let mut known = Known::default();
        let hash = |n: usize| Sha256::digest(n.to_be_bytes()).into();
        for n in 0..5 * HALF {
            known.put(hash(n), n as u64);
            // This one is asked for all the time.
            assert!(n == 0 || known.get(&hash(0)) == Some(0), "{n}");
        }
        assert!(known.young.len() <= HALF && known.old.len() <= HALF);
        assert_eq!(known.get(&hash(1)), None);
    }
}
