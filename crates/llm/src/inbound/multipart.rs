//! `multipart/form-data`, read where it lies: what is found are places in the body, so that a recording is never copied.
//!
//! Stricter than the standard on purpose. The body goes on to a provider that reads it again, and what two readers could
//! understand in two ways is refused: anything before the first boundary, folded or repeated headers, other encodings.

use std::ops::Range;

use crate::LlmError;

/// Most parts of a form.
const MOST_PARTS: usize = 64;
/// Longest head of a part.
const LONGEST_HEAD: usize = 4 * 1024;
/// Longest boundary, by RFC 2046.
const LONGEST_BOUNDARY: usize = 70;

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The name of the file, if it is one.
    pub file_name: Option<String>,
    /// What the client says that it is.
    pub content_type: Option<String>,
    /// Where its content stands in the body.
    pub content: Range<usize>,
}

/// The parts of a body with this `content-type`.
pub fn parse(content_type: &str, body: &[u8]) -> Result<Vec<Part>, LlmError> {
    let boundary = boundary(content_type)
        .ok_or_else(|| wrong("`content-type` must be multipart/form-data with a boundary"))?;
    let open = format!("--{boundary}").into_bytes();
    let between = [b"\r\n", open.as_slice()].concat();
    if !body.starts_with(&open) {
        return Err(wrong("the body does not begin with its boundary"));
    }
    let (mut parts, mut at) = (Vec::new(), open.len());
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return match &rest[2..] {
                b"" | b"\r\n" => Ok(parts),
                _ => Err(wrong("something follows the last boundary")),
            };
        }
        if !rest.starts_with(b"\r\n") {
            return Err(wrong("a boundary is not at the end of its line, or the body is cut"));
        }
        if parts.len() == MOST_PARTS {
            return Err(wrong(&format!("there are more than {MOST_PARTS} parts")));
        }
        let head_from = at + 2;
        let window = &body[head_from..body.len().min(head_from + LONGEST_HEAD)];
        let head_len = memchr::memmem::find(window, b"\r\n\r\n")
            .ok_or_else(|| wrong("the head of a part does not end"))?;
        let from = head_from + head_len + 4;
        let length = memchr::memmem::find(&body[from..], &between).ok_or_else(|| wrong("the body is cut"))?;
        parts.push(part(&window[..head_len], from..from + length)?);
        at = from + length + between.len();
    }
}

fn wrong(what: &str) -> LlmError {
    LlmError::Malformed(format!("the form cannot be read: {what}"))
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = None;
    for parameter in parameters.split(';') {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("boundary") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    (!value.is_empty() && value.len() <= LONGEST_BOUNDARY && value.bytes().all(good)).then_some(value)
}

fn part(head: &[u8], content: Range<usize>) -> Result<Part, LlmError> {
    let head = std::str::from_utf8(head).map_err(|_| wrong("a head is not UTF-8"))?;
    let (mut disposition, mut content_type) = (None, None);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or_else(|| wrong("a line of a head is no header"))?;
        let place = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => &mut disposition,
            "content-type" => &mut content_type,
            // What clients send without need, and what changes nothing.
            "content-length" => continue,
            "content-transfer-encoding" if value.trim().eq_ignore_ascii_case("binary") => continue,
            _ => return Err(wrong("a part has a header that is not understood here")),
        };
        if value.contains(['\r', '\n', '\0']) || place.replace(value.trim().to_owned()).is_some() {
            return Err(wrong("a header of a part is repeated or broken"));
        }
    }
    let disposition = disposition.ok_or_else(|| wrong("a part has no name"))?;
    let (name, file_name) =
        names(&disposition).ok_or_else(|| wrong("a part has no name, or one that is not understood"))?;
    Ok(Part { name, file_name, content_type, content })
}

/// Name and file name of `form-data; name="…"; filename="…"`.
fn names(disposition: &str) -> Option<(String, Option<String>)> {
    let mut rest = disposition.strip_prefix("form-data")?.trim_start();
    let (mut name, mut file_name) = (None, None);
    while let Some(parameter) = rest.strip_prefix(';') {
        let (key, value) = parameter.trim_start().split_once('=')?;
        let (value, after) = value_of(value)?;
        rest = after.trim_start();
        let place = match key {
            "name" => &mut name,
            "filename" => &mut file_name,
            // RFC 7578 says that nobody sends it; some do, beside the other.
            "filename*" => continue,
            _ => return None,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    rest.is_empty().then_some((name?, file_name))
}

/// A value in quotes, or a bare word, and what follows. Browsers write a quotation mark as `%22`, others as `\"`.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let word = text[..end].trim();
        return (!word.is_empty() && !word.contains(['"', ' '])).then(|| (word.to_owned(), &text[end..]));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xx";

    fn read(body: &str) -> Result<Vec<(String, Option<String>, String)>, LlmError> {
        let parts = parse(TYPE, body.as_bytes())?;
        Ok(parts.into_iter().map(|part| (part.name, part.file_name, body[part.content].to_owned())).collect())
    }

    #[test]
    fn a_form_is_read_where_it_lies() {
        let body = "--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--xx\r\n\
                    content-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\
                    --x\r\n\r\nbytes\r\n--xx--\r\n";
        let parts = read(body).unwrap();
        assert_eq!(parts[0], ("model".into(), None, "whisper".into()));
        assert_eq!(parts[1], ("file".into(), Some("a \"b\".mp3".into()), "--x\r\n\r\nbytes".into()));
        assert_eq!(parse(TYPE, body.as_bytes()).unwrap()[1].content_type.as_deref(), Some("audio/mpeg"));
        let empty = "--xx\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n--xx--";
        assert_eq!(read(empty).unwrap(), [("a".into(), None, String::new())]);
        assert_eq!(read("--xx--").unwrap(), []);
    }

    #[test]
    fn what_two_readers_could_understand_in_two_ways_is_refused() {
        let part = |head: &str| format!("--xx\r\n{head}\r\n\r\nv\r\n--xx--\r\n");
        let name = "content-disposition: form-data; name=\"a\"";
        for body in [
            String::new(),
            "--xx".into(),
            "--xx\r\n".into(),
            format!("before\r\n{}", part(name)),
            format!("{}after", part(name)),
            part(name).replace("--xx--\r\n", ""),
            part(name).replace("\r\n--xx--", "\r\n--xx"),
            part("content-type: text/plain"),
            part(&format!("{name}\r\n{name}")),
            part(&format!("{name}\r\n folded: x")),
            part(&format!("{name}; name=\"b\"")),
            part(&format!("{name}; size=3")),
            part(&format!("{name}\r\ncontent-transfer-encoding: base64")),
            part(&format!("{name}\r\nx-other: y")),
            part("content-disposition: attachment; name=\"a\""),
            part("content-disposition: form-data; name=\"a"),
            part(&format!("{name}\nx: y")),
            part(&format!("{name}\r\ncontent-type: {}", "x".repeat(5_000))),
            "--xx\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n".repeat(70) + "--xx--",
        ] {
            assert!(read(&body).is_err(), "{body}");
        }
        for kind in [
            "",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/mixed; boundary=xx",
            "multipart/form-data; boundary=\"x\ny\"",
        ] {
            assert!(parse(kind, part(name).as_bytes()).is_err(), "{kind}");
        }
        assert!(parse("Multipart/Form-Data; charset=utf-8; boundary=\"xx\"", part(name).as_bytes()).is_ok());
    }
}
