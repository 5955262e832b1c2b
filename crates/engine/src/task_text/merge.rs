//! Two edits of one text, put together word by word.
//!
//! Both edits are taken as deletions of words of the common base and insertions between them. A word is gone when either
//! side took it out; everything that either side put in stays. So nothing that a person typed is lost, whoever saves
//! first, and edits in different places do not touch each other.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeMap;

/// The most pairs of words that are compared; larger changes are compared by lines, and then taken as one.
const MOST_PAIRS: usize = 16_000_000;

/// A word, a sign or a line end, with the blanks after it. Only the words are compared: blanks occur everywhere and must
/// not decide which word stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    /// Empty only for blanks at the beginning of the text.
    word: &'a str,
    blanks: &'a str,
}

/// The text that holds both what `mine` and what `theirs` made of `base`. Where both put something in at the same place,
/// theirs stands first.
pub(crate) fn merge(base: &str, mine: &str, theirs: &str) -> String {
    if mine == theirs || mine == base {
        return theirs.to_owned();
    }
    if theirs == base {
        return mine.to_owned();
    }
    let words = tokens(base);
    let (mine, theirs) = (tokens(mine), tokens(theirs));
    let (mine, theirs) = (Edit::between(&words, &mine), Edit::between(&words, &theirs));
    let mut merged = String::new();
    for at in 0..=words.len() {
        let (first, second) = both(theirs.put_in(at), mine.put_in(at));
        push(&mut merged, &concat(first));
        push(&mut merged, &concat(second));
        if let Some(token) = words.get(at)
            && !theirs.gone[at]
            && !mine.gone[at]
        {
            push(&mut merged, token.word);
            merged.push_str(if mine.blanks[at] == token.blanks {
                theirs.blanks[at]
            } else {
                mine.blanks[at]
            });
        }
    }
    merged
}

/// Adds a piece. Two words never meet in any of the three texts, or they would be one: where they meet here, the blank
/// between them was taken out together with a word that the other side had changed.
fn push(merged: &mut String, piece: &str) {
    if merged.ends_with(is_word) && piece.starts_with(is_word) {
        merged.push(' ');
    }
    merged.push_str(piece);
}

/// What one side did to the base.
struct Edit<'a> {
    /// For each word of the base, whether it was taken out.
    gone: Vec<bool>,
    /// For each word of the base, the blanks after it as this side has them.
    blanks: Vec<&'a str>,
    /// What was put in before the word with this number.
    put_in: BTreeMap<usize, Vec<Token<'a>>>,
}

impl<'a> Edit<'a> {
    fn between(base: &[Token<'a>], new: &[Token<'a>]) -> Edit<'a> {
        let blanks = base.iter().map(|token| token.blanks).collect();
        let mut edit = Edit { gone: vec![false; base.len()], blanks, put_in: BTreeMap::new() };
        for op in changes(base, new) {
            let (old, text) = (op.old_range(), op.new_range());
            if op.tag() == similar::DiffTag::Equal {
                for (at, token) in old.zip(&new[text]) {
                    edit.blanks[at] = token.blanks;
                }
            } else {
                edit.put_in.entry(old.start).or_default().extend_from_slice(&new[text]);
                edit.gone[old].fill(true);
            }
        }
        edit
    }

    fn put_in(&self, at: usize) -> &[Token<'a>] {
        self.put_in.get(&at).map_or(&[], Vec::as_slice)
    }
}

/// How `old` became `new`, word by word where that is not too much work.
fn changes(old: &[Token<'_>], new: &[Token<'_>]) -> Vec<DiffOp> {
    let same = |(a, b): &(&Token<'_>, &Token<'_>)| a.word == b.word;
    let head = old.iter().zip(new).take_while(same).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    let (middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let ops = if fits(middle.len(), new_middle.len()) {
        let words =
            |tokens: &[Token<'_>]| tokens.iter().map(|token| token.word.to_owned()).collect::<Vec<_>>();
        capture_diff_slices(Algorithm::Myers, &words(middle), &words(new_middle))
    } else {
        by_lines(middle, new_middle)
    };
    let (old_tail, new_tail) = (old.len() - tail, new.len() - tail);
    let mut all = vec![DiffOp::Equal { old_index: 0, new_index: 0, len: head }];
    all.extend(ops.into_iter().map(|op| {
        let (old, new) = (op.old_range(), op.new_range());
        scaled(op, head + old.start..head + old.end, head + new.start..head + new.end)
    }));
    all.push(DiffOp::Equal { old_index: old_tail, new_index: new_tail, len: tail });
    all
}

fn fits(old: usize, new: usize) -> bool {
    old.saturating_mul(new) <= MOST_PAIRS
}

/// The same operation over other ranges.
fn scaled(op: DiffOp, old: std::ops::Range<usize>, new: std::ops::Range<usize>) -> DiffOp {
    if op.tag() == similar::DiffTag::Equal {
        DiffOp::Equal { old_index: old.start, new_index: new.start, len: old.len() }
    } else {
        DiffOp::Replace { old_index: old.start, old_len: old.len(), new_index: new.start, new_len: new.len() }
    }
}

/// The same by whole lines, for texts that have too many words to compare each with each.
fn by_lines(old: &[Token<'_>], new: &[Token<'_>]) -> Vec<DiffOp> {
    fn lines<'a>(tokens: &'a [Token<'a>]) -> (Vec<String>, Vec<usize>) {
        let (mut texts, mut starts) = (Vec::new(), vec![0]);
        for line in tokens.split_inclusive(|token| token.word == "\n") {
            texts.push(concat(line));
            starts.push(starts.last().unwrap_or(&0) + line.len());
        }
        (texts, starts)
    }
    let ((texts, starts), (new_texts, new_starts)) = (lines(old), lines(new));
    if !fits(texts.len(), new_texts.len()) {
        let whole = DiffOp::Replace { old_index: 0, old_len: old.len(), new_index: 0, new_len: new.len() };
        return vec![whole];
    }
    let ops = capture_diff_slices(Algorithm::Myers, &texts, &new_texts);
    let in_tokens = |range: std::ops::Range<usize>, starts: &[usize]| starts[range.start]..starts[range.end];
    ops.into_iter()
        .map(|op| {
            let (old, new) = (op.old_range(), op.new_range());
            scaled(op, in_tokens(old, &starts), in_tokens(new, &new_starts))
        })
        .collect()
}

/// What both sides put in at one place. The same words, or words that one side has more of, stand there once.
fn both<'a, 'b>(theirs: &'b [Token<'a>], mine: &'b [Token<'a>]) -> (&'b [Token<'a>], &'b [Token<'a>]) {
    let begins = |long: &[Token<'_>], short: &[Token<'_>]| {
        long.len() >= short.len() && long.iter().zip(short).all(|(a, b)| a.word == b.word)
    };
    if begins(theirs, mine) {
        (theirs, &[])
    } else if begins(mine, theirs) {
        (mine, &[])
    } else {
        (theirs, mine)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn concat(tokens: &[Token<'_>]) -> String {
    tokens.iter().flat_map(|token| [token.word, token.blanks]).collect()
}

/// The tokens of a text; together they are the text.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = match first {
            ' ' | '\t' => 0,
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let after = &rest[word..];
        let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
        tokens.push(Token { word: &rest[..word], blanks: &after[..blanks] });
        rest = &after[blanks..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::Mutator;

    #[test]
    fn edits_in_different_places_stand_side_by_side() {
        let base = "Retry `send` when the connection is reset.\nUse a policy.\n";
        let mine = "Retry `send` twice when the connection is reset.\nUse a policy.\n";
        let theirs = "Retry `send` when the connection is reset.\nUse a policy with a limit.\n\nLog it.\n";
        assert_eq!(
            merge(base, mine, theirs),
            "Retry `send` twice when the connection is reset.\nUse a policy with a limit.\n\nLog it.\n"
        );
    }

    #[test]
    fn edits_of_one_place_both_stay() {
        assert_eq!(merge("a limit", "a cap", "a maximum"), "a maximum cap");
        assert_eq!(merge("one", "one\nmine", "one\ntheirs"), "one\ntheirs\nmine");
        assert_eq!(merge("one", "one two three", "one two"), "one two three");
        assert_eq!(merge("a b c d", "a d", "a b X c d"), "a X d");
        assert_eq!(merge("", "mine", "theirs"), "theirs mine");
        assert_eq!(merge("wait 5\n", "wait 1\n", "wait 10\n"), "wait 10 1\n", "1 is not the beginning of 10");
        // The whole text was taken out by one side; what the other wrote is there.
        assert_eq!(merge("all of this", "", "all of this and more"), "and more");
    }

    #[test]
    fn tokens_are_the_text() {
        for text in ["", " ", "a", "a  b\n\n-x", "größe_1→😀😀", "\r\n"] {
            assert_eq!(concat(&tokens(text)), text);
        }
        let words: Vec<&str> = tokens(" ab  c\n\n!!").iter().map(|token| token.word).collect();
        assert_eq!(words, ["", "ab", "c", "\n", "\n", "!", "!"]);
    }

    /// A text whose words are all different from those of other edits: so it can be seen what became of each.
    fn edited(base: &[String], chance: &mut Mutator, mark: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (mut text, mut put_in, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for (at, word) in base.iter().enumerate() {
            if chance.below(6) == 0 {
                let new = format!("{mark}{at}");
                put_in.push(new.clone());
                text.push(new);
            }
            if chance.below(6) == 0 {
                gone.push(word.clone());
            } else {
                text.push(word.clone());
            }
        }
        (text, put_in, gone)
    }

    #[test]
    fn whatever_is_typed_stays_and_whatever_is_deleted_goes() {
        for seed in 0..300 {
            let mut chance = Mutator::new(seed);
            let base: Vec<String> = (0..chance.below(40)).map(|n| format!("w{n}")).collect();
            let (mine, my_words, my_gone) = edited(&base, &mut chance, "m");
            let (theirs, their_words, their_gone) = edited(&base, &mut chance, "t");
            let (base_text, mine, theirs) = (base.join(" "), mine.join(" "), theirs.join(" "));
            let merged = merge(&base_text, &mine, &theirs);
            let words: Vec<&str> = merged.split_whitespace().collect();
            for word in my_words.iter().chain(&their_words) {
                assert_eq!(words.iter().filter(|w| *w == word).count(), 1, "seed {seed}: {word} in {merged}");
            }
            for word in &base {
                let stays = !my_gone.contains(word) && !their_gone.contains(word);
                assert_eq!(words.contains(&word.as_str()), stays, "seed {seed}: {word} in {merged}");
            }
            assert_eq!(merge(&base_text, &base_text, &theirs), theirs, "seed {seed}");
            assert_eq!(merge(&base_text, &mine, &base_text), mine, "seed {seed}");
            assert_eq!(merge(&base_text, &mine, &mine), mine, "seed {seed}");
        }
    }

    #[test]
    fn texts_of_any_bytes_and_of_any_size_are_merged() {
        let mut chance = Mutator::new(11);
        for _ in 0..200 {
            let mut text = || {
                let bytes: Vec<u8> =
                    (0..chance.below(60)).map(|_| b" \nab.\xc3\xbc"[chance.below(7)]).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let (base, mine, theirs) = (text(), text(), text());
            assert_eq!(merge(&base, &mine, &mine), mine);
            // Both orders keep the same characters, whichever comes first.
            let sorted = |text: String| {
                let mut letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
                letters.sort_unstable();
                letters
            };
            let (one, two) = (merge(&base, &mine, &theirs), merge(&base, &theirs, &mine));
            assert_eq!(sorted(one), sorted(two), "{base:?} {mine:?} {theirs:?}");
        }
        let long = |mark: &str| (0..20_000).map(|n| format!("{mark}{n} is {}\n", n * 7)).collect::<String>();
        let (base, mine) = (long("a"), long("b"));
        let merged = merge(&base, &mine, &format!("{base}the end\n"));
        assert!(merged.contains("b19999 is") && merged.contains("the end"));
        assert!(!merged.contains("a7 is"));
    }
}
