//! Reads what a model names when it was asked for a list: paths or patterns, with scores and reasons.
//!
//! The form asked for is JSON. What comes is JSON in a fence, with chatter around it, cut in the middle, wrapped in an
//! object, or a list in Markdown. Every whole object is found wherever it stands, so a cut answer gives what it has; an
//! answer in which nothing at all can be read is an error and never an empty list.

use serde::Deserialize;

/// One thing that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The path or pattern, as it was written.
    pub path: String,
    /// 0 to 100, if it was given.
    pub score: Option<u8>,
    /// Why, in the model's words.
    pub why: String,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// In the order of the answer.
    pub named: Vec<Named>,
    /// Whether the end of the list has been read. A list that is cut has the items before the cut.
    pub whole: bool,
}

#[derive(Deserialize)]
struct Item {
    #[serde(alias = "pattern", alias = "file", alias = "folder", alias = "glob", alias = "name")]
    path: String,
    #[serde(default, alias = "relevance", alias = "rating")]
    score: Option<f64>,
    #[serde(default, alias = "reason", alias = "because")]
    why: Option<String>,
}

/// The longest reason that is kept, in characters.
const WHY: usize = 200;

/// The longest answer that is looked at, in bytes; no list that was asked for comes near it.
const LONGEST: usize = 1 << 20;

/// Reads a list; `None` when there is nothing in the answer that could be one.
pub(crate) fn read(answer: &str) -> Option<List> {
    let answer = bounded(answer);
    let objects: Vec<(usize, Named)> = innermost_objects(answer)
        .filter_map(|(end, text)| Some((end, serde_json::from_str::<Item>(text).ok()?.into())))
        .collect();
    if let Some((end, _)) = objects.last() {
        let whole = answer[*end..].contains(']') || !answer.contains('[');
        return Some(List { named: objects.into_iter().map(|(_, named)| named).collect(), whole });
    }
    if let Some(strings) = strings(answer) {
        return Some(List { named: strings, whole: true });
    }
    if is_empty_list(answer) {
        return Some(List { named: Vec::new(), whole: true });
    }
    let bullets: Vec<Named> = answer.lines().filter_map(bullet).collect();
    (!bullets.is_empty()).then_some(List { named: bullets, whole: true })
}

#[derive(Deserialize)]
struct QuestionItem {
    #[serde(alias = "query", alias = "q")]
    question: String,
    #[serde(default, alias = "reason", alias = "because")]
    why: Option<String>,
}

/// Reads a list of questions, which stand where paths do otherwise; `None` when there is nothing that could be one.
pub(crate) fn questions(answer: &str) -> Option<List> {
    let answer = bounded(answer);
    let named = |question: &str, why: String| Named { path: question.trim().to_owned(), score: None, why };
    let objects: Vec<(usize, QuestionItem)> = innermost_objects(answer)
        .filter_map(|(end, text)| Some((end, serde_json::from_str(text).ok()?)))
        .collect();
    if let Some((end, _)) = objects.last() {
        let whole = answer[*end..].contains(']') || !answer.contains('[');
        let all = objects.into_iter().map(|(_, item)| named(&item.question, item.why.unwrap_or_default()));
        return Some(List { named: all.collect(), whole });
    }
    let (from, to) = (answer.find('['), answer.rfind(']'));
    let strings = from.zip(to).and_then(|(from, to)| answer.get(from..=to));
    if let Some(strings) = strings.and_then(|list| serde_json::from_str::<Vec<String>>(list).ok()) {
        return Some(List {
            named: strings.iter().map(|text| named(text, String::new())).collect(),
            whole: true,
        });
    }
    let lines: Vec<Named> = answer
        .lines()
        .filter_map(marked)
        .filter(|text| text.contains('?'))
        .map(|text| named(text.trim_matches('*'), String::new()))
        .collect();
    (!lines.is_empty()).then_some(List { named: lines, whole: true })
}

/// As much of an answer as is looked at.
fn bounded(answer: &str) -> &str {
    let mut end = answer.len().min(LONGEST);
    while !answer.is_char_boundary(end) {
        end -= 1;
    }
    &answer[..end]
}

/// What follows the mark of a list's line.
fn marked(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = line.strip_prefix(['-', '*', '•']).or_else(|| {
        let (number, rest) = line.split_once(['.', ')'])?;
        (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(rest)
    })?;
    Some(rest.trim())
}

impl From<Item> for Named {
    fn from(item: Item) -> Named {
        let score = item.score.filter(|s| s.is_finite()).map(|s| {
            // A share of one is meant where nothing is above one and not everything is whole.
            let s = if s > 0.0 && s < 1.0 { s * 100.0 } else { s };
            s.clamp(0.0, 100.0).round() as u8
        });
        Named {
            path: clean(&item.path),
            score,
            why: item.why.unwrap_or_default().chars().take(WHY).collect(),
        }
    }
}

fn clean(path: &str) -> String {
    let path = path.trim().trim_matches('`');
    path.strip_prefix("./").unwrap_or(path).trim_end_matches('/').to_owned()
}

/// Every `{…}` that contains no other object, outside of strings; each with the position behind it.
fn innermost_objects(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut out = Vec::new();
    let (mut open, mut in_string, mut escaped) = (None, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' if open.is_some() => in_string = !in_string,
            // No string of an answer in this form has a line break: a quote in the chatter does not swallow the rest.
            b'\n' => in_string = false,
            b'{' if !in_string => open = Some(at),
            b'}' if !in_string => {
                if let Some(from) = open.take() {
                    out.push((at + 1, &text[from..=at]));
                }
            }
            _ => {}
        }
    }
    out.into_iter()
}

fn strings(text: &str) -> Option<Vec<Named>> {
    let (from, to) = (text.find('[')?, text.rfind(']')?);
    let list: Vec<String> = serde_json::from_str(text.get(from..=to)?).ok()?;
    let named = |path: String| Named { path: clean(&path), score: None, why: String::new() };
    (!list.is_empty()).then(|| list.into_iter().map(named).collect())
}

fn is_empty_list(text: &str) -> bool {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    squeezed.contains("[]")
}

/// `- src/a.rs: why` or `1. src/a.rs — why`. What follows the marker must look like a path.
fn bullet(line: &str) -> Option<Named> {
    let rest = marked(line)?.trim_start_matches("**");
    let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    let (path, why) = rest.split_at(end);
    let path = clean(path.trim_end_matches([':', ',', '*']).trim_matches('`'));
    let looks = path.contains('/')
        || path.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && !end.is_empty());
    let why = why.trim().trim_start_matches(['—', '–', '-', ':']).trim();
    looks.then(|| Named { path, score: None, why: why.chars().take(WHY).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_found_in_every_form() {
        let read = |answer: &str| {
            let list = super::questions(answer)?;
            Some((list.named.into_iter().map(|n| n.path).collect::<Vec<_>>(), list.whole))
        };
        for answer in [
            r#"[{"question":"What is new in tokio?","why":"x"},{"question":"Is there a {b}?","why":""}]"#,
            "Sure:\n```json\n[{\"question\": \"What is new in tokio?\"}, {\"q\": \"Is there a {b}?\"}]\n```",
            r#"["What is new in tokio?", "Is there a {b}?"]"#,
            "1. What is new in tokio?\n2. **Is there a {b}?**\n",
        ] {
            assert_eq!(read(answer), some(&["What is new in tokio?", "Is there a {b}?"], true), "{answer}");
        }
        assert_eq!(read(r#"[{"question":"a?"},{"question":"b"#), some(&["a?"], false));
        assert_eq!(read("[]"), some(&[], true));
        assert_eq!(read("I cannot help with that."), None);
    }

    fn paths(answer: &str) -> Option<(Vec<String>, bool)> {
        read(answer).map(|list| (list.named.into_iter().map(|n| n.path).collect(), list.whole))
    }

    fn some(paths: &[&str], whole: bool) -> Option<(Vec<String>, bool)> {
        Some((paths.iter().map(|p| (*p).to_owned()).collect(), whole))
    }

    #[test]
    fn lists_are_read_in_every_form_they_come_in() {
        let plain = r#"[{"path":"src/a.rs","score":95,"why":"sends"},{"path":"b.py","score":40}]"#;
        let list = read(plain).unwrap();
        assert_eq!(list.named[0], Named { path: "src/a.rs".into(), score: Some(95), why: "sends".into() });
        assert_eq!(list.named[1].score, Some(40));
        for answer in [
            plain.to_owned(),
            format!("Here are the files:\n```json\n{plain}\n```\nLet me know."),
            format!("{{\"files\": {plain}}}"),
            r#"[{"file": "./src/a.rs", "reason": "x {y}"}, {"name": "`b.py`"}]"#.to_owned(),
            r#"["src/a.rs", "b.py"]"#.to_owned(),
            "- src/a.rs: it sends\n- b.py".to_owned(),
            "I would look at\n1. **src/a.rs** — it sends\n2) `b.py` (tests)".to_owned(),
        ] {
            assert_eq!(paths(&answer), some(&["src/a.rs", "b.py"], true), "{answer}");
        }
        assert_eq!(paths("{\"path\":\"a/\"}"), some(&["a"], true));
    }

    #[test]
    fn a_cut_list_gives_what_it_has_and_says_that_it_is_cut() {
        assert_eq!(
            paths("[{\"path\":\"a\",\"why\":\"say \\\"hi\\\" }\"},\n{\"path\":\"b\",\"wh"),
            some(&["a"], false)
        );
    }

    #[test]
    fn nothing_to_read_is_not_an_empty_list() {
        assert_eq!(paths("[]"), some(&[], true));
        assert_eq!(paths("```json\n[ ]\n```"), some(&[], true));
        for answer in
            ["", "I cannot help with that.", "{\"error\":\"no\"}", "[{\"pa", "- see above", "- e.g. this"]
        {
            assert_eq!(paths(answer), None, "{answer:?}");
        }
    }

    #[test]
    fn scores_are_brought_to_one_scale() {
        let score = |text: &str| read(text).unwrap().named[0].score;
        assert_eq!(score(r#"[{"path":"a","score":0.9}]"#), Some(90));
        assert_eq!(score(r#"[{"path":"a","score":250}]"#), Some(100));
        assert_eq!(score(r#"[{"path":"a","score":-3}]"#), Some(0));
        assert_eq!(score(r#"[{"path":"a"}]"#), None);
    }
}
