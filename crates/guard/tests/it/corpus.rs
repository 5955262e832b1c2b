//! Valid secrets made from the formats in the rule files, at test time: nothing that looks like a key is committed.

use toml::Value;

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// The rule files, in the order in which the crate reads them.
pub const FILES: [&str; 6] = [
    include_str!("../../rules/secrets.toml"),
    include_str!("../../rules/services.toml"),
    include_str!("../../rules/named.toml"),
    include_str!("../../rules/pii.toml"),
    include_str!("../../rules/generic.toml"),
    include_str!("../../rules/stand-ins.toml"),
];

/// A made-up secret and what stands around it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub rule: String,
    pub before: String,
    pub secret: String,
    pub after: String,
}

impl Sample {
    /// What stands in a text.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.before, self.secret, self.after)
    }

    /// True if the secret needs nothing around it.
    pub fn is_bare(&self) -> bool {
        self.before.is_empty() && self.after.is_empty() && !self.secret.contains('\n')
    }
}

/// Xorshift: always the same from the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }

    pub fn of(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

/// One sample of every rule that has one.
pub fn samples(seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    for file in FILES {
        let file: Value = toml::from_str(file).unwrap();
        for rule in file["rule"].as_array().unwrap() {
            let id = rule["id"].as_str().unwrap();
            let format =
                rule.get("sample").and_then(Value::as_str).unwrap_or_else(|| panic!("{id} has no sample"));
            out.push(sample(id, &fill(format, &mut random)));
        }
    }
    out
}

fn sample(rule: &str, text: &str) -> Sample {
    let text = text.replace("\\n", "\n");
    let (before, rest) = text.split_once('«').unwrap_or(("", &text));
    let (secret, after) = rest.split_once('»').unwrap_or((rest, ""));
    Sample { rule: rule.into(), before: before.into(), secret: secret.into(), after: after.into() }
}

fn fill(format: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let class = after.chars().next().unwrap();
        let digits: String = after[class.len_utf8()..].chars().take_while(char::is_ascii_digit).collect();
        let length = class.len_utf8() + digits.len();
        if after[length..].starts_with('}') && "ahHdlvrxXbwteCgDBIS".contains(class) {
            out.push_str(&part(class, digits.parse().unwrap_or(1), random));
            rest = &after[length + 1..];
        } else {
            out.push('{');
            rest = after;
        }
    }
    out + rest
}

fn part(class: char, count: usize, random: &mut Random) -> String {
    let mixed = format!("{UPPER}{LOWER}{DIGITS}");
    match class {
        'a' => random.of(&mixed, count),
        'h' => random.of("0123456789abcdef", count),
        'H' => random.of("0123456789ABCDEF", count),
        'd' => random.of(DIGITS, count),
        'l' => random.of(&format!("{UPPER}{LOWER}"), count),
        'v' => random.of(LOWER, count),
        'r' => random.of("QRSTUVWXYZ", 1).repeat(count),
        'x' => random.of(&format!("{LOWER}{DIGITS}"), count),
        'X' => random.of(&format!("{UPPER}{DIGITS}"), count),
        'b' => random.of(&format!("{mixed}+/"), count),
        // A mark at an end would be read as no part of the token.
        'w' => format!("{}{}", random.of(&format!("{mixed}-_"), count - 1), random.of(&mixed, 1)),
        't' => random.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", count),
        'e' => random.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", count),
        'g' => {
            let hex = random.of("0123456789abcdef", 30);
            format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
        }
        'D' => base64(&format!("{}{}", 1 + random.below(9), random.of(DIGITS, count - 1))),
        'B' => base64(&format!("robot:{}", random.of(&mixed, 14))),
        'C' => card(random),
        'I' => iban(random),
        _ => format!("{}{}", 1 + random.below(8), 1 + random.below(8)),
    }
}

fn base64(text: &str) -> String {
    let alphabet = format!("{UPPER}{LOWER}{DIGITS}+/");
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let sextet =
        |at: usize| usize::from_str_radix(&format!("{:0<6}", &bits[at..bits.len().min(at + 6)]), 2).unwrap();
    let out: String = (0..bits.len()).step_by(6).map(|at| alphabet.as_bytes()[sextet(at)] as char).collect();
    format!("{out}{}", "=".repeat((4 - out.len() % 4) % 4))
}

/// A number of a card maker's range with its Luhn digit.
fn card(random: &mut Random) -> String {
    let body = format!("453{}{}", 1 + random.below(2), random.of("56789", 11));
    let value = |(at, digit): (usize, char)| {
        let digit = digit.to_digit(10).unwrap();
        if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
    };
    let sum: u32 = body.chars().rev().enumerate().map(value).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// A German number with its check digits: ISO 13616, modulo 97.
fn iban(random: &mut Random) -> String {
    let body = random.of("123456789", 18);
    let rest =
        format!("{body}131400").bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{body}", 98 - rest)
}

/// The contexts a bare secret must be found in: name, text before, text after.
pub fn contexts() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("nothing", "", ""),
        ("env", "A=1\nVALUE=", "\nB=2\n"),
        ("shell", "export VALUE=\"", "\"\n"),
        ("json", "{\"a\": 1, \"value\": \"", "\", \"b\": [2]}"),
        ("json in json", "{\"log\": \"{\\\"value\\\": \\\"", "\\\"}\\n\"}"),
        ("escaped line", "{\"file\": \"first\\n", "\\nlast\"}"),
        ("yaml", "app:\n  value: ", "\n  other: 1\n"),
        ("python", "value = '", "'  # set\n"),
        ("toml", "[app]\nvalue = \"", "\"\n"),
        ("header", "GET / HTTP/1.1\r\nX-Value: ", "\r\nHost: x\r\n\r\n"),
        ("address", "see https://api.internal/v1?value=", "&page=2 for more"),
        ("log", "2026-01-02T03:04:05Z WARN rejected ", " (attempt 2)\n"),
        ("windows", "one\r\nvalue=", "\r\ntwo\r\n"),
        ("markup", "<value>", "</value>"),
        ("call", "connect(\"", "\");"),
        ("list", "values: [", ", 1]"),
        ("comment", "// ", "\nfn main() {}"),
        ("markdown", "Use `", "` here."),
        ("non-ascii", "Schlüssel „ä“: ", " – größer\n"),
    ]
}
