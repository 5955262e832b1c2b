//! What may follow the end of a text, and what ends one whose end tag was forgotten.

/// How far is looked ahead from an end tag for what confirms it.
const LOOK_AHEAD: usize = 2 << 10;

/// Whether something follows; how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    Yes(usize),
    No,
    /// It cannot be told before more arrives.
    Unknown,
}

/// What can stand directly after a change.
const AFTER_CHANGE: &[&str] = &[
    "</operation",
    "<operation",
    "</step",
    "<step",
    "</plan",
    "</file",
    "</edit",
    "</op",
    "</create",
    "</modify",
    "</move",
    "</changes",
    "<command>",
    "<check>",
    "<change>",
    "<change ",
    "<file>",
    "<file ",
    "<path>",
    "<action>",
    "<kind>",
];

/// What can stand after an operation.
const AFTER_OPERATION: &[&str] = &[
    "<operation",
    "</operations>",
    "</step",
    "<step",
    "<command>",
    "<check>",
    "<commands>",
    "<checks>",
    "<why>",
    "</plan>",
];

/// What ends a short text whose own end tag never came, if it stands at the start of a line.
const AFTER_SHORT: &[&str] = &[
    "</step>",
    "<step ",
    "<step>",
    "<operation ",
    "<operation>",
    "<operations>",
    "<why>",
    "<command>",
    "<check>",
    "</plan>",
];

/// Whether `rest` begins with the end tag of `word`.
pub(super) fn end_tag(rest: &str, word: &str) -> Follows {
    let bytes = rest.as_bytes();
    let head = [b"</", word.as_bytes()].concat();
    let shared = bytes.len().min(head.len());
    if !bytes[..shared].eq_ignore_ascii_case(&head[..shared]) {
        return Follows::No;
    }
    if bytes.len() <= head.len() {
        return Follows::Unknown;
    }
    let spaces = bytes[head.len()..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    match bytes.get(head.len() + spaces) {
        Some(b'>') if spaces < 64 => Follows::Yes(head.len() + spaces + 1),
        None if spaces < 64 => Follows::Unknown,
        _ => Follows::No,
    }
}

fn one_of(text: &str, tags: &[&str]) -> Follows {
    let begins = |long: &str, short: &str| {
        long.len() >= short.len() && long.as_bytes()[..short.len()].eq_ignore_ascii_case(short.as_bytes())
    };
    if tags.iter().any(|tag| begins(text, tag)) {
        Follows::Yes(0)
    } else if tags.iter().any(|tag| begins(tag, text)) {
        Follows::Unknown
    } else {
        Follows::No
    }
}

/// Whether what stands after `</change>` confirms that it ended the change: a tag that can follow one, after comments
/// or white space; or a remark, then the end of the operation, then again what can follow an operation.
pub(super) fn after_change(after: &str) -> Follows {
    let Some(mut rest) = skip_space(after) else { return Follows::No };
    loop {
        match one_of(rest, AFTER_CHANGE) {
            Follows::No => {}
            known => return known,
        }
        if !rest.starts_with("<!--") {
            if "<!--".starts_with(rest) {
                return Follows::Unknown;
            }
            break;
        }
        let near = bounded(rest);
        let Some(end) = near.find("-->") else {
            return if near.len() < rest.len() { Follows::No } else { Follows::Unknown };
        };
        let Some(next) = skip_space(&rest[end + 3..]) else { return Follows::No };
        rest = next;
    }
    if rest.starts_with('<') {
        return Follows::No;
    }
    let far = bounded(rest);
    let Some(tag) = far.find('<') else {
        return if far.len() < rest.len() { Follows::No } else { Follows::Unknown };
    };
    let tag = &rest[tag..];
    after_operation(tag)
}

/// Whether `tag` ends an operation and something that can follow one does.
fn after_operation(tag: &str) -> Follows {
    match end_tag(tag, "operation") {
        Follows::Yes(length) => match skip_space(&tag[length..]) {
            Some(next) => one_of(next, AFTER_OPERATION),
            None => Follows::No,
        },
        other => other,
    }
}

/// The text after its white space; `None` when that is longer than anybody writes.
fn skip_space(text: &str) -> Option<&str> {
    let space = text.bytes().take(LOOK_AHEAD).take_while(u8::is_ascii_whitespace).count();
    (space < LOOK_AHEAD).then(|| &text[space..])
}

/// The beginning of a text that is looked at.
fn bounded(text: &str) -> &str {
    let mut end = text.len().min(LOOK_AHEAD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether a tag at the start of a line ends a text whose end tag was forgotten. A change ends only where its whole
/// operation does.
pub(super) fn implicit_end(rest: &str, change: bool) -> Follows {
    if change { after_operation(rest) } else { one_of(rest, AFTER_SHORT) }
}
