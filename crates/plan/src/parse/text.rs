//! The texts between tags, as they were meant.

pub(super) const CDATA_OPEN: &str = "<![CDATA[";
pub(super) const CDATA_CLOSE: &str = "]]>";

/// The text of a change without the line breaks that only separate it from its tags, without a fence around all of it,
/// and without entities if its writer escaped it.
pub(super) fn change(text: &str) -> String {
    let trimmed = text.trim_start_matches(['\r', '\n']).trim_end();
    if let Some(plain) = cdata(trimmed) {
        return plain;
    }
    let trimmed = unfenced(trimmed).unwrap_or(trimmed);
    if is_escaped(trimmed) { unescape(trimmed) } else { trimmed.to_owned() }
}

/// Any other text.
pub(super) fn short(text: &str) -> String {
    let trimmed = text.trim();
    cdata(trimmed).unwrap_or_else(|| unescape(trimmed))
}

fn cdata(trimmed: &str) -> Option<String> {
    let inner = trimmed.trim_start().strip_prefix(CDATA_OPEN)?;
    Some(inner.strip_suffix(CDATA_CLOSE).unwrap_or(inner).replace("]]]]><![CDATA[>", CDATA_CLOSE))
}

/// What one code fence around the whole text holds.
fn unfenced(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once('\n')?;
    let fence = first.trim_start();
    let marks = fence.len() - fence.trim_start_matches('`').len();
    if marks < 3 || fence[marks..].contains('`') {
        return None;
    }
    let (inner, last) = rest.rsplit_once('\n').unwrap_or(("", rest));
    let closes = |line: &str| {
        let line = line.trim();
        line.len() >= marks && line.bytes().all(|b| b == b'`')
    };
    (closes(last) && !inner.lines().any(|line| line.trim_start().starts_with(&fence[..marks])))
        .then_some(inner)
}

/// Whether a text was escaped by its writer: entities, and no character that should have been one.
fn is_escaped(text: &str) -> bool {
    let entities = ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#39;"];
    let angles = (text.contains("&lt;") && !text.contains('<'))
        || (text.contains("&gt;") && !text.contains(['<', '>']));
    angles
        && text
            .match_indices('&')
            .all(|(i, _)| entities.iter().any(|entity| text.as_bytes()[i..].starts_with(entity.as_bytes())))
}

/// The characters that entities stand for.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The ampersand last, so that an escaped entity stays one.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// `40-71`, `L40–L71`, `40`, `lines 40 to 71`.
pub(super) fn line_range(text: &str) -> Option<(u32, u32)> {
    let mut numbers =
        text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::parse::<u32>);
    let first = numbers.next()?.ok()?;
    let last = numbers.next().map_or(Some(first), Result::ok)?;
    Some((first.min(last), first.max(last)))
}

/// The numbers in a text such as `1, 2`, `step-1 and step 2` or `none`.
pub(super) fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
}

/// What was said outside of every element, without fences that only surround a plan. `None` when nothing is left.
pub(super) fn outside(text: &str) -> Option<String> {
    let kept: Vec<&str> = text.lines().filter(|line| !is_fence_line(line)).collect();
    let kept = kept.join("\n");
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

fn is_fence_line(line: &str) -> bool {
    let line = line.trim();
    let word = line.trim_start_matches(['`', '~']);
    line.len() - word.len() >= 3 && word.bytes().all(|b| b.is_ascii_alphanumeric())
}
