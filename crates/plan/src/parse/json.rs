//! Plans that were answered as JSON: found in chatter or fences, read with the mistakes that models make, and understood by
//! the many words they have for the same members.

use super::record;
use crate::document::Document;
use serde_json::{Map, Value};

/// Values nested deeper are refused: a plan has four levels.
const MOST_DEPTH: usize = 64;

/// The first JSON value in a text that is a plan, and whether it ended. `None` when there is none.
pub(super) fn read(text: &str) -> Option<(Document, bool)> {
    let mut from = 0;
    // A few brackets of prose may stand before the plan; each is tried once.
    for _ in 0..64 {
        let at = from + text[from..].find(['{', '['])?;
        let mut reader = Reader { text, at, cut: false, depth: 0, beside: Vec::new() };
        if let Some(value) = reader.value()
            && let Some(mut document) = record::plan(&value)
        {
            for part in [&text[..at], &text[reader.at..]] {
                document.outside.extend(super::text::outside(part));
            }
            document.outside.append(&mut reader.beside);
            return Some((document, !reader.cut));
        }
        // What was read as a value is no plan; the next one may be. One that cannot be read is only passed by its bracket.
        from = at + 1;
    }
    None
}

/// Reads JSON with comments, trailing commas, line breaks in strings, single quotes, and a missing end.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The text ended inside a value.
    cut: bool,
    depth: usize,
    /// Comments, and members that came twice: a value has no place for them.
    beside: Vec<String>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let end = match self.rest() {
                rest if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                rest if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
                _ => return,
            };
            self.beside.extend(super::text::outside(&self.text[self.at..self.at + end]));
            self.at += end;
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        self.depth += 1;
        let value = match self.peek() {
            _ if self.depth > MOST_DEPTH => None,
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some(quote @ ('"' | '\'')) => self.string(quote).map(Value::String),
            Some(_) => self.word(),
            None => {
                self.cut = true;
                Some(Value::Null)
            }
        };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Option<Value> {
        let mut members = Map::new();
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                Some('}') => {
                    self.at += 1;
                    break;
                }
                Some(',') => self.at += 1,
                Some(quote @ ('"' | '\'')) => {
                    let key = self.string(quote)?;
                    self.space();
                    match self.peek() {
                        Some(':') => self.at += 1,
                        None => break,
                        Some(_) => return None,
                    }
                    let value = self.value()?;
                    if let Some(before) = members.insert(key.clone(), value) {
                        self.beside.push(format!("{key}: {before}"));
                    }
                }
                None => {
                    self.cut = true;
                    break;
                }
                Some(_) => return None,
            }
            if self.cut {
                break;
            }
        }
        Some(Value::Object(members))
    }

    fn array(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    break;
                }
                Some(',') => self.at += 1,
                None => {
                    self.cut = true;
                    break;
                }
                Some(_) => items.push(self.value()?),
            }
            if self.cut {
                break;
            }
        }
        Some(Value::Array(items))
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut out = String::new();
        self.at += 1;
        let mut chars = self.text[self.at..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += i + 1;
                    return Some(out);
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('b') => out.push('\u{8}'),
                    Some('f') => out.push('\u{c}'),
                    Some('u') => out.push_str(&unicode(&mut chars)),
                    // An unknown escape is what was written, as in a path or a pattern.
                    Some(c @ ('"' | '\'' | '\\' | '/')) => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => break,
                },
                // A line break in a string is a mistake that means itself.
                c => out.push(c),
            }
        }
        self.at = self.text.len();
        self.cut = true;
        Some(out)
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_alphanumeric() || "+-._".contains(c))).unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "" => return None,
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "null" | "None" | "undefined" => Value::Null,
            number => serde_json::from_str(number).ok()?,
        };
        self.at += length;
        Some(value)
    }
}

/// The character of `\uXXXX`, and of a pair of them.
fn unicode(chars: &mut std::str::CharIndices<'_>) -> String {
    let unit = |chars: &mut std::str::CharIndices<'_>| -> Option<u16> {
        let digits: String = chars.as_str().chars().take(4).collect();
        let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4)?;
        chars.nth(3);
        Some(unit)
    };
    let Some(first) = unit(chars) else { return "\\u".to_owned() };
    let mut units = vec![first];
    if (0xd800..0xdc00).contains(&first) && chars.as_str().starts_with("\\u") {
        let mut ahead = chars.clone();
        ahead.nth(1);
        if let Some(second) = unit(&mut ahead) {
            units.push(second);
            *chars = ahead;
        }
    }
    String::from_utf16_lossy(&units)
}
