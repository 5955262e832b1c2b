//! Reads what is assigned to a name, in the notations of many languages, without knowing which.

use std::ops::Range;

/// A value that is given to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The value without its quotes. Quotes, blanks and signs are ASCII: both ends are between characters.
    pub value: Range<usize>,
    /// The value stands between quotes.
    pub quoted: bool,
    /// The rest of the line if the value has no quotes, ends before it, and the name begins the line: in a
    /// configuration file the value goes on over commas and blanks.
    pub line: Option<Range<usize>>,
}

/// The longest name, in bytes, to each side of a keyword.
const NAME_REACH: usize = 64;
/// The most blanks between a name, its operator and its value: columns are aligned with them.
const BLANKS: usize = 40;
/// The longest value before a comparison, in bytes.
const SHORT_REACH: usize = 200;
/// The longest value, in bytes. What is longer is a file, not a secret.
const VALUE_REACH: usize = 1200;

/// The name that holds the keyword at `hit`.
pub(crate) fn name(text: &[u8], hit: &Range<usize>) -> Range<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let left = &text[hit.start.saturating_sub(NAME_REACH)..hit.start];
    let mut start = hit.start - left.iter().rev().take_while(|byte| is_name(byte)).count();
    // The dashes of an option are not of its name.
    while start < hit.start && matches!(text[start], b'-' | b'.') {
        start += 1;
    }
    Range { start, end: skip(text, hit.end, NAME_REACH, |byte| is_name(&byte)) }
}

/// What is assigned to the name at `name`.
///
/// Known are `name = value`, `:=`, `?=`, `==` and their kin, `name: value`, `name => value`, `"name", "value"`,
/// `name("value")`, `"value" == name`, `--name value`, `<name>value</name>`, `"name" value="value"` and a type between name and operator.
pub(crate) fn of(text: &[u8], name: &Range<usize>) -> Option<Assignment> {
    if let Some(value) = compared(text, name.start) {
        return Some(Assignment { value, quoted: true, line: None });
    }
    let before = name.start.checked_sub(1).map(|at| text[at]);
    let quoted_name = matches!(before, Some(b'"' | b'\'' | b'`'));
    let mut at = name.end;
    at = skip(text, at, 1, |byte| byte == b'\\');
    at = skip(text, at, 3, |byte| matches!(byte, b'"' | b'\'' | b'`'));
    let closed = at > name.end;
    if text.get(at) == Some(&b'[') {
        at = skip(text, at + 1, 4, |byte| byte.is_ascii_digit());
    }
    at = skip(text, at, 1, |byte| byte == b']');
    let blank = skip(text, at, BLANKS, is_blank);
    let operator = operator(text, blank, before == Some(b'<'), quoted_name && closed);
    let (from, need_quotes) = match operator {
        Some(found) => found,
        // A type, as in `var token string = "…"`, or an attribute, as in `name="token" value="…"`.
        None if blank > at => {
            let word = skip(text, blank, 24, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'*' | b'.')
            });
            let after = skip(text, word, BLANKS, is_blank);
            match operator_sign(text, after).filter(|_| word > blank) {
                Some(from) => (from, true),
                None => (blank, !text[..name.start].ends_with(b"--")),
            }
        }
        None => return None,
    };
    let (value, quoted) = value(text, from, need_quotes)?;
    let line = if quoted || operator.is_none() { None } else { rest_of_line(text, name.start, &value) };
    Some(Assignment { value, quoted, line })
}

/// What stands from `value` on to the end of the line, if that is more and the line begins with the name at `name`.
fn rest_of_line(text: &[u8], name: usize, value: &Range<usize>) -> Option<Range<usize>> {
    let before = &text[name.saturating_sub(BLANKS)..name];
    let head = before.rsplit(|byte| *byte == b'\n').next()?.trim_ascii_start();
    // The start of the text is the start of a line, but not the start of what is looked at.
    let begins = before.contains(&b'\n') || before.len() == name;
    if !begins || !matches!(head, b"" | b"export " | b"- " | b"set " | b"ENV ") {
        return None;
    }
    let limit = text.len().min(value.start + SHORT_REACH);
    let rest = &text[value.start..limit];
    let length = rest.iter().position(|byte| *byte == b'\n');
    let rest = match length {
        Some(length) => &rest[..length],
        None if limit == text.len() => rest,
        None => return None,
    };
    let kept = rest.trim_ascii_end();
    // One sign that ends a statement or closes what was opened before is not of the value.
    let kept = kept.strip_suffix(b",").or_else(|| kept.strip_suffix(b";")).unwrap_or(kept);
    let end = value.start + kept.len();
    (end > value.end).then_some(value.start..end)
}

/// Where the value begins after the operator at `at`, and whether it must stand in quotes.
fn operator(text: &[u8], at: usize, tag: bool, closed_name: bool) -> Option<(usize, bool)> {
    let first = *text.get(at)?;
    match first {
        b'>' if tag => {
            Some((skip(text, at + 1, BLANKS, |byte| is_blank(byte) || byte == b'\n' || byte == b'\r'), false))
        }
        b',' if closed_name => Some((at + 1, true)),
        b'(' => Some((at + 1, true)),
        b':' if text.get(at + 1).is_some_and(|byte| !matches!(byte, b':' | b'=')) => {
            let from = at + 1;
            // `name: Type = "…"`: the value is behind the type.
            let blank = skip(text, from, BLANKS, is_blank);
            let word = skip(text, blank, 32, |byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'&' | b'<' | b'>' | b'?' | b'\'' | b'.' | b' ')
            });
            let typed = text.get(word) == Some(&b'=') && word > blank && text.get(word - 1) == Some(&b' ');
            Some(if typed {
                (skip(text, word, 2, |byte| byte == b'=' || byte == b'>'), true)
            } else {
                (from, false)
            })
        }
        _ => operator_sign(text, at).map(|from| (from, false)),
    }
}

/// Where the value begins after an operator with an equals sign: `=`, `:=`, `::=`, `?=`, `||=`, `==`, `!==`, `=>`.
fn operator_sign(text: &[u8], at: usize) -> Option<usize> {
    let lead = skip(text, at, 3, |byte| matches!(byte, b':' | b'?' | b'+' | b'.' | b'|' | b'!'));
    let equals = skip(text, lead, 3, |byte| byte == b'=');
    (equals > lead).then(|| skip(text, equals, 1, |byte| byte == b'>'))
}

fn value(text: &[u8], from: usize, need_quotes: bool) -> Option<(Range<usize>, bool)> {
    let blank = skip(text, from, BLANKS, is_blank);
    // `@"…"`, `r"…"`, `b'…'` and an escaped quote.
    let mut at = blank;
    if matches!(text.get(at), Some(b'@' | b'r' | b'b' | b'u' | b'f' | b'L'))
        && matches!(text.get(at + 1), Some(b'"' | b'\'' | b'`'))
    {
        at += 1;
    }
    let open = skip(text, at, 1, |byte| byte == b'\\');
    if let Some(quote @ (b'"' | b'\'' | b'`')) = text.get(open).copied() {
        let escaped = open > at;
        let start = skip(text, open, 3, |byte| byte == quote);
        let limit = text.len().min(start + VALUE_REACH);
        let end = start
            + text[start..limit].iter().position(|byte| {
                *byte == quote || matches!(byte, b'\n' | b'\r') || (escaped && *byte == b'\\')
            })?;
        return (text[end] == quote || text[end] == b'\\').then_some((start..end, true));
    }
    if need_quotes {
        return None;
    }
    let limit = text.len().min(blank + VALUE_REACH);
    let mut nested = false;
    let length = text[blank..limit].iter().position(|byte| {
        nested |= matches!(byte, b'(' | b'[' | b'{');
        // A bracket that the value did not open ends what the value stands in.
        (!nested && matches!(byte, b')' | b']' | b'}'))
            || byte.is_ascii_whitespace()
            || !byte.is_ascii()
            || matches!(byte, b'"' | b'\'' | b'`' | b';' | b',' | b'<' | b'\\' | b'|' | b'&')
    });
    let end = match length {
        Some(length) => blank + length,
        None if limit == text.len() => limit,
        None => return None,
    };
    (end > blank).then_some((blank..end, false))
}

/// The value in `"value" == name`.
fn compared(text: &[u8], name: usize) -> Option<Range<usize>> {
    let back = |from: usize, most: usize, wanted: fn(u8) -> bool| {
        from - text[..from].iter().rev().take(most).take_while(|byte| wanted(**byte)).count()
    };
    let operator = back(name, 3, is_blank);
    let equals = back(operator, 3, |byte| byte == b'=');
    let not = back(equals, 1, |byte| byte == b'!');
    let quote = back(not, 3, is_blank).checked_sub(1)?;
    let sign = text[quote];
    if operator - not < 2 || operator == equals || !matches!(sign, b'"' | b'\'' | b'`') {
        return None;
    }
    let line = &text[quote.saturating_sub(SHORT_REACH)..quote];
    let length = line.iter().rev().take_while(|byte| **byte != sign && **byte != b'\n').count();
    (length > 0 && length < line.len() && line[line.len() - length - 1] == sign)
        .then_some(quote - length..quote)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The first place from `at` on whose byte is not `wanted`, at most `most` bytes further.
fn skip(text: &[u8], at: usize, most: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = &text[at.min(text.len())..];
    at + rest.iter().take(most).take_while(|byte| wanted(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String, bool)> {
        let start = text.to_lowercase().find("token")?;
        let name = name(text.as_bytes(), &(start..start + 5));
        let found = of(text.as_bytes(), &name)?;
        Some((text[name].to_owned(), text[found.value].to_owned(), found.quoted))
    }

    #[test]
    fn notations_of_an_assignment() {
        for text in [
            "my_Token = \"v1\"",
            "my_Token=\"v1\"",
            "{\"my_Token\": \"v1\"}",
            "my_Token := `v1`",
            "my_Token ?= 'v1'",
            "String my_Token=\"v1\";",
            "var my_Token string = \"v1\"",
            "let my_Token: &str = \"v1\";",
            "set(\"my_Token\", \"v1\")",
            "  'my_Token' => 'v1'",
            "if my_Token == \"v1\" {",
            "my_Token(\"v1\")",
            "char my_Token[25] = \"v1\";",
            "--my_Token \"v1\"",
            "<e name=\"my_Token\" value=\"v1\"/>",
            "{\\\"my_Token\\\": \\\"v1\\\"}",
            "my_Token = @\"v1\";",
            "my_Token = \"\"\"v1\"\"\"",
        ] {
            assert_eq!(read(text), Some(("my_Token".into(), "v1".into(), true)), "{text}");
        }
        assert_eq!(read("if (\"v1\" !== my_Token) {"), Some(("my_Token".into(), "v1".into(), true)));
        for text in [
            "my_Token=v1",
            "my_Token: v1\n",
            "export my_Token=v1;",
            "--my_Token v1 -x",
            "<my_Token>\n  v1\n</my_Token>",
            "my_Token ::= v1",
            "?my_Token=v1&x=2",
            "\"my_Token=v1\\nX=2\"",
        ] {
            assert_eq!(read(text), Some(("my_Token".into(), "v1".into(), false)), "{text}");
        }
    }

    #[test]
    fn in_a_configuration_a_value_may_go_on_to_the_end_of_its_line() {
        let line = |text: &str| {
            let start = text.find("token")?;
            let found = of(text.as_bytes(), &name(text.as_bytes(), &(start..start + 5)))?;
            Some(text[found.line?].to_owned())
        };
        for text in ["a\n  token: v,1 é two, \r\nb", "token=v,1 é two", "\nexport token = v,1 é two;\n"] {
            assert_eq!(line(text).as_deref(), Some("v,1 é two"), "{text}");
        }
        let far = format!("token=v,{}", "1".repeat(SHORT_REACH));
        let deep = format!("{}token=v,1", "-".repeat(BLANKS + 9));
        for text in ["f(a, token=v,1)", "token = 'v,1' two", "token=v\n1", "token=v,", &far, &deep] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_assignment() {
        for text in [
            "token",
            "the token is v1",
            "token =",
            "token = \"open",
            "token)",
            "(token, v1)",
            "fn token(a: u8)",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
