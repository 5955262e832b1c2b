//! Does a value look drawn by chance, or written by a person?

/// Shannon entropy in bits per byte.
pub(crate) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len() as f64;
    let term = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(term).sum()
}

/// The 230 most frequent pairs of letters in the words of program sources, 94 % of all pairs there: bit `b` of row
/// `a` stands for the letter `a` followed by `b`. Of the pairs in random letters only a third is among them.
const PAIRS: [u32; 26] = [
    0x17e_bd6e,
    0x010_4911,
    0x01e_4d95,
    0x016_4119,
    0x0ef_b97f,
    0x012_4931,
    0x012_2190,
    0x008_4111,
    0x22e_f87f,
    0x000_0000,
    0x000_0110,
    0x011_c4939,
    0x014_c111,
    0x013_c697d,
    0x07e_fd0c,
    0x01e_c911,
    0x010_0000,
    0x011_e755d,
    0x011_cc995,
    0x011_ec99d,
    0x00e_b957,
    0x000_0111,
    0x002_6191,
    0x008_8000,
    0x004_a000,
    0x000_0010,
];

/// What a pair of letters says for words and against chance, as a logarithm of likelihoods: `ln(0.94 / 0.34)` if it
/// is a usual one, else `ln(0.06 / 0.66)`.
const USUAL: f64 = 1.017;
const UNUSUAL: f64 = -2.398;

/// True if `text` looks like chance: not spelled of words, not counted up, not one sign repeated.
///
/// Words in identifiers (`getAccessToken`, `session.token.name`) have mostly usual pairs of letters. A pair counts
/// where both letters are of one case, or the first is a capital. What chance makes is taken for words at most once
/// in `e^sure` times.
pub(crate) fn is_random(text: &str, sure: f64) -> bool {
    let bytes = text.as_bytes();
    let (mut words, mut steps) = (0.0, 0);
    for pair in bytes.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        steps += usize::from(a.abs_diff(b) <= 1);
        let same_word = (a.is_ascii_alphabetic() && b.is_ascii_lowercase())
            || (a.is_ascii_uppercase() && b.is_ascii_uppercase());
        if same_word {
            words += if is_usual(a.to_ascii_lowercase(), b.to_ascii_lowercase()) { USUAL } else { UNUSUAL };
        }
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let cases = bytes.iter().any(u8::is_ascii_lowercase) && bytes.iter().any(u8::is_ascii_uppercase);
    // Of the letters of hexadecimal digits two are vowels, and nothing is spelled with them.
    let hex = digits * 4 > bytes.len() && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let spelled = !hex && words > sure;
    // Every second sign next to the one before it: an alphabet, a row of digits, a repeated sign.
    let counted = steps * 2 > bytes.len();
    (digits > 0 || cases) && !spelled && !counted
}

/// True if a person could have chosen `text` as a good password: letters, digits and other signs, or many signs.
///
/// Patterns and templates have many signs too, but their brackets close.
pub(crate) fn is_strong(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| usize::from(text.chars().any(|c| kind(&c)));
    let signs: std::collections::BTreeSet<char> = text.chars().filter(char::is_ascii_punctuation).collect();
    let kinds = has(char::is_ascii_lowercase) + has(char::is_ascii_uppercase);
    (kinds > 0 && has(char::is_ascii_digit) == 1 && !signs.is_empty() && is_random(text, 4.0))
        || (signs.len() >= MANY_SIGNS && kinds > 0 && (!is_nested(text) || !text.contains(['(', '[', '{'])))
}

/// True if every bracket of `text` closes.
fn is_nested(text: &str) -> bool {
    let mut open = Vec::new();
    for byte in text.bytes() {
        match byte {
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' if open.pop() != Some(byte) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// How many different signs make a password of letters.
const MANY_SIGNS: usize = 6;

fn is_usual(a: u8, b: u8) -> bool {
    PAIRS[usize::from(a - b'a')] >> (b - b'a') & 1 == 1
}

/// Words that stand in a value which is meant to be replaced. Lower case.
const STAND_IN: [&str; 17] = [
    "example",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "replace",
    "redacted",
    "your-",
    "your_",
    "yourk",
    "yourt",
    "yours",
    "xxxxx",
    "dummy",
    "insert",
    "*****",
    ".....",
];

/// True if `text` stands in for a secret: a placeholder, or one sign repeated.
pub(crate) fn is_stand_in(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let few_signs = {
        let mut seen = [false; 256];
        lower.bytes().for_each(|byte| seen[usize::from(byte)] = true);
        // The 58 characters of some fixtures are one letter; a prefix adds at most a dozen.
        seen.iter().filter(|seen| **seen).count() <= 3
    };
    few_signs || STAND_IN.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_bits_per_byte() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abab"), 1.0);
        assert_eq!(entropy("abcdefgh"), 3.0);
    }

    #[test]
    fn words_are_not_random() {
        for words in [
            "getAccessTokenFromRequest2",
            "session.token.name.v1",
            "ABCDEFGHIJKLMNOP0123456789",
            "aaaa1111aaaa",
        ] {
            assert!(!is_random(words, 7.0), "{words}");
        }
        for chance in ["q8Zk2vXw0RtY7pLs", "9f86d081884c7d659a2feaa0c55ad015", "kJx-4Qz_8vW.Gh2T"] {
            assert!(is_random(chance, 3.0), "{chance}");
        }
    }
}
