//! Checksums and inner structure of secrets: what a format proves by itself.

use serde::Deserialize;

/// What a rule lets be computed over what its regex found.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    /// The last six characters are the CRC-32 of the thirty before them, in base 62: tokens of GitHub and npm.
    Crc32Base62,
    /// The last eight characters are the CRC-32 of the thirty-two before the underscore: tokens of Grafana.
    Crc32Hex,
    /// Luhn's digit, as on bank cards.
    Luhn,
    /// ISO 13616: the rearranged number is 1 modulo 97.
    Iban,
    /// Numbers that the administration never gives are none.
    Ssn,
    /// The header is a JSON object that names an algorithm (RFC 7519).
    Jwt,
    /// Base64 of `user:password` (RFC 7617).
    Basic,
    /// The first part is a number in base64: the id of the bot, in tokens of Discord.
    Discord,
    /// The last eight letters are one and the same: a form that was filled up, or a token made unreadable.
    OneSign,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The format is proven: no placeholder has this by chance.
    Proven,
    /// Neither.
    Open,
    /// This cannot be one.
    Refuted,
}

impl Check {
    /// Judges a secret by itself.
    pub(crate) fn judge(self, secret: &str) -> Verdict {
        let known = |good: bool| if good { Verdict::Proven } else { Verdict::Refuted };
        // A wrong checksum refutes nothing: other makers use the same prefixes, and makers change the tail.
        let hint = |good: bool| if good { Verdict::Proven } else { Verdict::Open };
        match self {
            Self::Crc32Base62 => hint(crc32_base62(secret)),
            Self::Crc32Hex => hint(crc32_hex(secret)),
            Self::Luhn => known(luhn(secret)),
            Self::Iban => known(iban(secret)),
            Self::Ssn => known(ssn(secret)),
            Self::Jwt => known(jwt(secret)),
            Self::Basic => known(basic(secret)),
            // The number alone is no proof that the rest is chance.
            Self::Discord if discord(secret) => Verdict::Open,
            Self::Discord => Verdict::Refuted,
            Self::OneSign => known(one_sign(secret)),
        }
    }
}

/// CRC-32 of IEEE 802.3, bit by bit: secrets are short.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn crc32_base62(token: &str) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, body)) = token.as_bytes().split_last_chunk::<36>() else { return false };
    let (random, sum) = body.split_at(30);
    let mut rest = crc32(random);
    sum.iter().rev().all(|digit| {
        let expected = DIGITS[(rest % 62) as usize];
        rest /= 62;
        expected == *digit
    })
}

fn crc32_hex(token: &str) -> bool {
    let Some((random, sum)) = token.rsplit_once('_') else { return false };
    u32::from_str_radix(sum, 16).is_ok_and(|sum| sum == crc32(random.as_bytes()))
}

fn luhn(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let double = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, d)| if at % 2 == 1 { double(*d) } else { *d }).sum();
    (12..=19).contains(&digits.len()) && sum.is_multiple_of(10) && digits.iter().any(|d| *d != digits[0])
}

fn iban(text: &str) -> bool {
    let signs: Vec<u32> = text.chars().filter_map(|c| c.to_digit(36)).collect();
    let Some((head, rest)) = signs.split_first_chunk::<4>() else { return false };
    let shift = |sum: u32, sign: &u32| (sum * if *sign > 9 { 100 } else { 10 } + sign) % 97;
    (15..=34).contains(&signs.len()) && rest.iter().chain(head).fold(0, shift) == 1
}

/// The areas 000, 666 and from 900, the group 00 and the serial 0000 are not given.
fn ssn(text: &str) -> bool {
    let mut parts = text.split(['-', ' ']);
    let (Some(area), Some(group), Some(serial)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let advertised = matches!(
        (area, group, serial),
        ("078", "05", "1120") | ("123", "45", "6789") | ("219", "09", "9999")
    );
    area != "000"
        && area != "666"
        && !area.starts_with('9')
        && group != "00"
        && serial != "0000"
        && !advertised
}

fn jwt(token: &str) -> bool {
    let header = token.split('.').next().and_then(base64);
    header.is_some_and(|header| {
        let names = |word: &[u8]| header.windows(word.len()).any(|window| window == word);
        header.starts_with(b"{")
            && header.trim_ascii_end().ends_with(b"}")
            && (names(b"\"alg\"") || names(b"\"enc\""))
    })
}

fn basic(text: &str) -> bool {
    let Some(inner) = base64(text) else { return false };
    let Some(colon) = inner.iter().position(|byte| *byte == b':') else { return false };
    let readable = inner.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    readable
        && inner.len() > colon + 2
        && !crate::chance::is_stand_in(&String::from_utf8_lossy(&inner[colon + 1..]))
}

/// Most bytes of the first part are digits. Not all: tokens that are published as samples have some signs changed.
fn discord(token: &str) -> bool {
    token.split('.').next().and_then(base64).is_some_and(|id| {
        let digits = id.iter().filter(|byte| byte.is_ascii_digit()).count();
        id.len() >= 16 && digits * 4 >= id.len() * 3
    })
}

/// Letters of hexadecimal numbers do not count: rows of one of them are numbers.
fn one_sign(token: &str) -> bool {
    let tail = token.as_bytes().last_chunk::<8>();
    tail.is_some_and(|[first, rest @ ..]| {
        first.is_ascii_alphabetic() && !first.is_ascii_hexdigit() && rest.iter().all(|byte| byte == first)
    })
}

/// Bytes of base64 of either alphabet, with or without padding. A rest of one character is dropped.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut out) = (0_u32, 0, Vec::with_capacity(text.len()));
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_their_standards() {
        // The check value of CRC-32 that its catalogues give.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // The numbers that the card makers and ISO 13616 print.
        assert!(luhn("4111 1111 1111 1111") && !luhn("4111 1111 1111 1112") && !luhn("0000000000000000"));
        assert!(iban("GB82 WEST 1234 5698 7654 32") && !iban("GB82 WEST 1234 5698 7654 33"));
        assert!(ssn("536-90-4399") && !ssn("000-12-3456") && !ssn("123-45-6789"));
    }

    #[test]
    fn base64_of_both_alphabets() {
        assert_eq!(base64("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(base64("-_-_"), base64("+/+/"));
        assert_eq!(base64("a b"), None);
        assert!(basic("YWxhZGRpbjpvcGVuc2VzYW1l") && !basic("YWxhZGRpbg=="));
    }

    #[test]
    fn the_id_in_a_token_of_discord_is_a_number() {
        // 123456789012345678 in base64.
        let id = "MTIzNDU2Nzg5MDEyMzQ1Njc4";
        assert_eq!(base64(id), Some(b"123456789012345678".to_vec()));
        let judge = |id: &str| Check::Discord.judge(&format!("{id}.AbCdEf.rest"));
        assert_eq!(judge(id), Verdict::Open);
        assert_eq!(judge(&id.replace("MTIz", "MTIZ")), Verdict::Open, "one sign is changed");
        assert_eq!(judge("TnVtcHlFeHRlbnNpb25BcnJh"), Verdict::Refuted, "words");
        assert_eq!(judge(&id[..20]), Verdict::Refuted, "too short");
    }

    #[test]
    fn a_filled_form_ends_in_one_letter() {
        for (text, filled) in [
            ("AKIAQQQQQQQQ", Verdict::Proven),
            ("AKIAQQQQQQQR", Verdict::Refuted),
            ("SK00000000000", Verdict::Refuted),
            ("ACffffffffffff", Verdict::Refuted),
            ("xxxxxxx", Verdict::Refuted),
        ] {
            assert_eq!(Check::OneSign.judge(text), filled, "{text}");
        }
    }

    #[test]
    fn a_token_with_its_sum_is_proven() {
        let random = "abcdefghijklmnopqrstuvwxyz0123";
        let mut sum = crc32(random.as_bytes());
        let mut digits = Vec::new();
        for _ in 0..6 {
            let digit = (sum % 62) as u8;
            digits.push(match digit {
                0..=9 => b'0' + digit,
                10..=35 => b'A' + digit - 10,
                _ => b'a' + digit - 36,
            });
            sum /= 62;
        }
        digits.reverse();
        let token = format!("x_{random}{}", String::from_utf8(digits).unwrap());
        assert_eq!(Check::Crc32Base62.judge(&token), Verdict::Proven);
        assert_eq!(Check::Crc32Base62.judge(&token.replace("abc", "abd")), Verdict::Open);
    }
}
