//! How text becomes terms: the same rules for files and for tasks.
//!
//! A token is a run of letters, digits and `_` (or a run of CJK characters). A token gives the
//! stemmed parts of the identifier it is, and, when it has several parts, itself as a whole.

/// Longer runs are data (hashes, base64), not words.
const MAX_TOKEN: usize = 64;
/// Longer numbers are data too.
const MAX_NUMBER: usize = 6;

/// Calls `sink` with every token of `text`, in order.
pub(crate) fn tokens<'t>(text: &'t str, sink: &mut dyn FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && is_word_byte(bytes[at]) {
            at += 1;
        }
        if at < bytes.len() && !bytes[at].is_ascii() {
            at = wide_token(text, start, sink);
        } else {
            emit(&text[start..at], sink);
            // The byte that ended the run is ASCII, so the next index is a character boundary.
            at += 1;
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Goes on from a run that met a character outside ASCII; returns where the next run starts.
fn wide_token<'t>(text: &'t str, start: usize, sink: &mut dyn FnMut(&'t str)) -> usize {
    let mut word = start;
    let mut previous: Option<usize> = None; // start of the CJK character before, within a run
    let mut lone = false; // whether that character is in no bigram yet
    for (offset, c) in text[start..].char_indices() {
        let (at, end) = (start + offset, start + offset + c.len_utf8());
        if is_cjk(c) {
            emit(&text[word..at], sink);
            match previous {
                Some(before) => sink(&text[before..end]),
                None => lone = true,
            }
            lone &= previous.is_none();
            (previous, word) = (Some(at), end);
            continue;
        }
        if let (Some(before), true) = (previous.take(), lone) {
            sink(&text[before..at]);
        }
        lone = false;
        if !(c.is_alphanumeric() || c == '_') {
            emit(&text[word..at], sink);
            return end;
        }
    }
    match (previous, lone) {
        (Some(before), true) => sink(&text[before..]),
        _ => emit(&text[word..], sink),
    }
    text.len()
}

fn emit<'t>(token: &'t str, sink: &mut dyn FnMut(&'t str)) {
    let number = token.len() > MAX_NUMBER && token.bytes().all(|byte| byte.is_ascii_digit());
    if !token.is_empty() && token.len() <= MAX_TOKEN && !number {
        sink(token);
    }
}

/// Scripts written without spaces between words.
pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c as u32,
        0x2E80..=0x2FDF | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3134F)
}

/// Calls `sink` with the terms of one token: its stemmed parts, then the whole identifier in lower
/// case if it has several parts.
pub(crate) fn terms(token: &str, sink: &mut dyn FnMut(&str)) {
    if token.starts_with(is_cjk) {
        return sink(token);
    }
    let mut count = 0;
    let mut lower = String::with_capacity(token.len());
    for part in parts(token) {
        count += 1;
        lower.clear();
        lower.extend(part.chars().flat_map(char::to_lowercase));
        if !is_stop_word(&lower) && (lower.len() > 1 || !lower.is_ascii()) {
            stem(&mut lower);
            sink(&lower);
        }
    }
    if count > 1 {
        sink(&whole(token));
    }
}

/// The term of an identifier as a whole.
pub(crate) fn whole(token: &str) -> String {
    token.trim_matches('_').to_lowercase()
}

/// The term of a definition under exactly this name; no word of a text can look like it.
pub(crate) fn exact(name: &str) -> String {
    format!("={name}")
}

/// The parts of an identifier: `parseHTTPUrl_v2` → `parse`, `HTTP`, `Url`, `v`, `2`.
pub(crate) fn parts(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = token;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        let end = part_end(rest)?;
        let (part, tail) = rest.split_at(end);
        rest = tail;
        Some(part)
    })
}

fn part_end(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    let (_, mut before) = chars.next()?;
    while let Some((at, c)) = chars.next() {
        let next_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        let hump = c.is_uppercase() && (!before.is_uppercase() || next_lower);
        if c == '_' || hump || c.is_ascii_digit() != before.is_ascii_digit() {
            return Some(at);
        }
        before = c;
    }
    Some(text.len())
}

/// Takes inflections off an English word in lower case: light, so that different words stay
/// different. `caches`, `cached`, `caching` → `cach`; `retries`, `retried` → `retry`.
pub(crate) fn stem(word: &mut String) {
    if word.len() < 4 || !word.is_ascii() {
        return;
    }
    if word.ends_with("ies") || word.ends_with("ied") {
        word.truncate(word.len() - 3);
        word.push('y');
        return;
    }
    let plural = word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if plural {
        word.pop();
    }
    if let Some(root) = word.strip_suffix("ization") {
        word.truncate(root.len() + 2);
    } else if word.len() > 6 && word.ends_with("tion") {
        word.truncate(word.len() - 3);
    } else if let Some(root) = word.strip_suffix("ing").or_else(|| word.strip_suffix("ed")) {
        let bytes = root.as_bytes();
        if root.len() >= 3 && bytes.iter().any(|byte| b"aeiouy".contains(byte)) {
            let double = bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
            let keep = root.len() - usize::from(double && !root.ends_with("ll") && !root.ends_with("ss"));
            word.truncate(keep);
        }
    }
    if word.len() > 3 && word.ends_with('e') {
        word.pop();
    }
}

/// Words that say nothing about where code is: English function words and the furniture of
/// issue templates. Sorted.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "actual", "actually", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at",
    "be", "because", "been", "behavior", "behaviour", "being", "both", "bug", "but", "by", "can", "cannot",
    "could", "currently", "describe", "description", "did", "do", "does", "doesn", "doing", "don", "done",
    "e", "each", "eg", "etc", "even", "expected", "few", "following", "for", "from", "get", "gets",
    "getting", "give", "given", "gives", "had", "has", "have", "having", "he", "hello", "here", "hi", "how",
    "however", "i", "ie", "if", "in", "instead", "into", "is", "isn", "issue", "it", "its", "just", "like",
    "made", "make", "makes", "may", "me", "might", "more", "most", "my", "need", "needs", "no", "not",
    "now", "of", "on", "one", "only", "or", "other", "our", "out", "over", "please", "problem", "reproduce",
    "result", "s", "same", "see", "seems", "she", "should", "since", "so", "some", "steps", "still", "such",
    "t", "than", "thank", "thanks", "that", "the", "their", "them", "then", "there", "these", "they",
    "thing", "this", "those", "though", "to", "too", "us", "use", "used", "using", "very", "want", "was",
    "way", "we", "were", "what", "when", "where", "which", "while", "who", "why", "will", "with", "without",
    "works", "would", "www", "you", "your",
];

/// Whether a word in lower case carries no meaning for the search.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_terms(text: &str) -> String {
        let mut out = Vec::new();
        tokens(text, &mut |token| terms(token, &mut |term| out.push(term.to_owned())));
        out.join(" ")
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn identifiers_are_split_and_kept_whole() {
        for (text, expected) in [
            ("parse_url", "pars url parse_url"),
            ("parseHTTPUrl2", "pars http url parsehttpurl2"),
            ("XMLParser", "xml parser xmlparser"),
            ("max-retry-count", "max retry count"),
            ("__init__", "init"),
            ("utf8", "utf utf8"),
            ("Größe_max", "größe max größe_max"),
            ("the of and", ""),
            ("error 404, 20240101123456", "error 404"),
            ("", ""),
        ] {
            assert_eq!(all_terms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn cjk_gives_bigrams_and_emoji_nothing() {
        for (text, expected) in [
            ("修复解析", "修复 复解 解析"),
            ("修", "修"),
            ("修 复", "修 复"),
            ("修复parse错误", "修复 pars 错误"),
            ("fix修", "fix 修"),
            ("🎉 party🎉time 🎉", "party tim"),
            ("naïve café", "naïve café"),
        ] {
            assert_eq!(all_terms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn stems_meet() {
        for family in [
            &["cache", "caches", "cached", "caching"][..],
            &["retry", "retries", "retried"],
            &["validate", "validation", "validating", "validates"],
            &["serialize", "serialization", "serialized"],
            &["run", "runs", "running"],
            &["call", "calls", "called", "calling"],
        ] {
            let stems: Vec<String> = family
                .iter()
                .map(|word| {
                    let mut word = (*word).to_owned();
                    stem(&mut word);
                    word
                })
                .collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{stems:?}");
        }
        for word in ["class", "status", "this", "red", "string", "bus"] {
            let mut stemmed = word.to_owned();
            stem(&mut stemmed);
            assert_eq!(stemmed, word);
        }
    }
}
