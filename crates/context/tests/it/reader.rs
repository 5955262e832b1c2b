//! Reads packs back, by nothing but the rules that `docs/cli.md` states.

/// A file as a reader gets it: path, number of lines, whether whole, and its parts with their first and last line.
#[derive(Debug, PartialEq)]
pub struct Read {
    pub path: String,
    pub lines: u32,
    pub whole: bool,
    pub parts: Vec<(u32, u32, String)>,
}

/// Takes `start` off `rest`, or says what stands there.
#[track_caller]
fn skip(rest: &mut &str, start: &str) {
    *rest = rest.strip_prefix(start).unwrap_or_else(|| panic!("expected {start:?} at {:?}", head(rest)));
}

fn head(text: &str) -> String {
    text.chars().take(80).collect()
}

#[track_caller]
fn until<'t>(rest: &mut &'t str, end: &str) -> &'t str {
    let (before, after) = rest.split_once(end).unwrap_or_else(|| panic!("no {end:?} in {:?}", head(rest)));
    *rest = after;
    before
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    let value = value.split_once('"').unwrap().0;
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        let (reference, after) = after.split_once(';').unwrap();
        out.push_str(before);
        out.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            number => char::from_u32(number.trim_start_matches('#').parse().unwrap()).unwrap(),
        });
        rest = after;
    }
    Some(out + rest)
}

fn range(text: &str) -> (u32, u32) {
    let (first, last) = text.split_once('-').unwrap();
    (first.parse().unwrap(), last.parse().unwrap())
}

fn content(rest: &mut &str, tag: &str, end: &str) -> String {
    let text = until(rest, end);
    let open = attribute(tag, "final-newline").is_some();
    if open { text.strip_suffix('\n').unwrap().to_owned() } else { text.to_owned() }
}

/// The task and the files of the form with tags.
pub fn xml(text: &str) -> (String, Vec<Read>) {
    let mut rest = text;
    skip(&mut rest, "<context");
    let n = until(&mut rest, ">\n").to_owned();
    skip(&mut rest, &format!("<task{n}>\n"));
    let task = until(&mut rest, &format!("</task{n}>\n")).to_owned();
    if rest.starts_with(&format!("<tree{n}>\n")) {
        until(&mut rest, &format!("</tree{n}>\n"));
    }
    let mut files = Vec::new();
    while rest.starts_with(&format!("<file{n} ")) {
        let tag = until(&mut rest, ">\n");
        let path = attribute(tag, "path").unwrap();
        let lines = attribute(tag, "lines").unwrap().parse().unwrap();
        let end = format!("</file{n}>\n");
        let Some(shown) = attribute(tag, "shown") else {
            let text = content(&mut rest, tag, &end);
            let parts = if text.is_empty() { Vec::new() } else { vec![(1, lines, text)] };
            files.push(Read { path, lines, whole: true, parts });
            continue;
        };
        let mut parts = Vec::new();
        while !rest.starts_with(&end) {
            if rest.starts_with("… ") {
                until(&mut rest, "\n");
                continue;
            }
            skip(&mut rest, &format!("<part{n} "));
            let tag = format!(" {}", until(&mut rest, ">\n"));
            let (first, last) = range(&attribute(&tag, "lines").unwrap());
            parts.push((first, last, content(&mut rest, &tag, &format!("</part{n}>\n"))));
        }
        skip(&mut rest, &end);
        let said: Vec<_> = shown.split(',').map(range).collect();
        assert_eq!(said, parts.iter().map(|(first, last, _)| (*first, *last)).collect::<Vec<_>>());
        files.push(Read { path, lines, whole: false, parts });
    }
    if rest.starts_with(&format!("<files-left-out{n}>\n")) {
        until(&mut rest, &format!("</files-left-out{n}>\n"));
    }
    assert_eq!(rest, format!("</context{n}>\n"));
    (task, files)
}

/// A fenced block, by CommonMark: it ends at the first line that is at least as many backticks and nothing else.
fn fenced(rest: &mut &str) -> String {
    let opening = until(rest, "\n");
    let ticks = opening.chars().take_while(|c| *c == '`').count();
    assert!(ticks >= 3, "no fence: {opening:?}");
    let mut out = String::new();
    loop {
        let line = until(rest, "\n");
        if line.len() >= ticks && line.chars().all(|c| c == '`') {
            return out;
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn block(rest: &mut &str, said: &str) -> String {
    skip(rest, "\n");
    let text = fenced(rest);
    if said.ends_with(", no line break at the end") {
        text.strip_suffix('\n').unwrap().to_owned()
    } else {
        text
    }
}

/// The task and the files of the Markdown form.
pub fn markdown(text: &str) -> (String, Vec<Read>) {
    let mut rest = text;
    skip(&mut rest, "# Task\n\n");
    let task = fenced(&mut rest);
    if rest.starts_with("\n# Tree\n") {
        skip(&mut rest, "\n# Tree\n\n");
        fenced(&mut rest);
    }
    let mut files = Vec::new();
    if rest.starts_with("\n# Files\n") {
        skip(&mut rest, "\n# Files\n");
    }
    while rest.starts_with("\n## ") {
        skip(&mut rest, "\n## ");
        let path = until(&mut rest, "\n").trim_matches('`').trim().to_owned();
        skip(&mut rest, "\n");
        let said = until(&mut rest, "\n");
        if let Some(count) = said.strip_prefix("In parts, of ") {
            let mut parts = Vec::new();
            let lines = count.split_once(' ').unwrap().0.parse().unwrap();
            while rest.starts_with("\nLine") || rest.starts_with("\n… ") {
                skip(&mut rest, "\n");
                let said = until(&mut rest, "\n");
                if let Some(range) = said.strip_prefix("Lines ").or(said.strip_prefix("Line ")) {
                    let range = range.split(',').next().unwrap();
                    let (first, last) = range.split_once('–').unwrap_or((range, range));
                    parts.push((first.parse().unwrap(), last.parse().unwrap(), block(&mut rest, said)));
                }
            }
            files.push(Read { path, lines, whole: false, parts });
        } else {
            let lines = said.split_once(' ').unwrap().0.parse().unwrap();
            let text = block(&mut rest, said);
            let parts = if text.is_empty() { Vec::new() } else { vec![(1, lines, text)] };
            files.push(Read { path, lines, whole: true, parts });
        }
    }
    assert!(rest.is_empty() || rest.starts_with("\n# Files left out\n\n- "), "{:?}", head(rest));
    (task, files)
}

/// The task and the files of the JSON form.
pub fn json(text: &str) -> (String, Vec<Read>) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let words = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let part =
        |part: &serde_json::Value| (number(&part["first"]), number(&part["last"]), words(&part["text"]));
    let file = |file: &serde_json::Value| Read {
        path: words(&file["path"]),
        lines: number(&file["lines"]),
        whole: file["whole"].as_bool().unwrap(),
        parts: file["parts"].as_array().unwrap().iter().map(part).collect(),
    };
    (words(&value["task"]), value["files"].as_array().unwrap().iter().map(file).collect())
}
