//! Answers that are about the repository in the prompt.

use super::behaviour::{Behaviour, Style};
use super::prompt::{File, Prompt};
use super::search::Search;

/// What the model says, and whether it ran into the output limit.
pub(super) struct Answer {
    pub text: String,
    pub cut: bool,
    /// What was searched for on the web, if that was asked.
    pub search: Option<Search>,
}

pub(super) fn answer(behaviour: &Behaviour, prompt: &Prompt) -> Answer {
    let whole = |text: String| Answer { text, cut: false, search: None };
    match behaviour.style {
        Style::Clean => whole(plan(prompt)),
        Style::Fenced => whole(format!("```xml\n{}```\n", plan(prompt))),
        Style::Chatty => whole(format!(
            "I have read the files. Here is how I would go about it:\n\n{}\n\nTell me if a step should be smaller.\n",
            plan(prompt)
        )),
        Style::Cut => cut(&plan(prompt)),
        Style::Text | Style::Tools => {
            whole(behaviour.text.clone().unwrap_or_else(|| "The simulator has read your message.".into()))
        }
    }
}

/// Stops inside the last operation, where it hurts most.
fn cut(plan: &str) -> Answer {
    let last = plan.rfind("<change>").map_or(plan.len() / 2, |at| at + "<change>".len() + 12);
    let end = (0..=last.min(plan.len())).rev().find(|at| plan.is_char_boundary(*at)).unwrap_or(0);
    Answer { text: plan[..end].to_owned(), cut: true, search: None }
}

/// Most files that get a step of their own.
const STEPS: usize = 5;

fn plan(prompt: &Prompt) -> String {
    let task = prompt.task.lines().next().unwrap_or("Do what was asked").trim();
    let mut out = format!("<plan title=\"{}\">\n", attribute(task));
    let files = &prompt.files[..prompt.files.len().min(STEPS)];
    for (at, file) in files.iter().enumerate() {
        modify(&mut out, at, file, task);
    }
    create(&mut out, files.first(), files.len());
    out.push_str("</plan>\n");
    out
}

fn modify(out: &mut String, at: usize, file: &File, task: &str) {
    let definition = definition(&file.text);
    let depends = if at == 0 { String::new() } else { format!(" depends=\"{at}\"") };
    let confidence = ["high", "medium", "low"][at % 3];
    out.push_str(&format!(
        "<step title=\"{}\" confidence=\"{confidence}\"{depends}>\n<why>{}</why>\n",
        attribute(&format!("Change {}", name(&file.path))),
        text(&format!("{} is part of: {task}", file.path)),
    ));
    let place = match &definition {
        Some((symbol, from, to)) => format!(" symbol=\"{}\" lines=\"{from}-{to}\"", attribute(symbol)),
        None => String::new(),
    };
    let symbol = definition.map_or_else(|| "the file".into(), |(symbol, ..)| format!("`{symbol}`"));
    out.push_str(&format!(
        "<operation kind=\"modify\" path=\"{}\"{place}>\n<change>\nExtend {symbol} so that it covers the task:\n\n\
         if attempts < limit && items.len() > 0 {{ return Vec::<u8>::new(); }}\n</change>\n</operation>\n",
        attribute(&file.path),
    ));
    out.push_str("<check>The existing tests of this file still pass.</check>\n</step>\n");
}

/// A new file beside the first one, with the tests.
fn create(out: &mut String, first: Option<&File>, depends_on: usize) {
    let path = match first.map(|file| file.path.as_str()) {
        Some(path) => {
            let (stem, extension) = name(path).rsplit_once('.').unwrap_or((name(path), "txt"));
            format!("tests/{stem}_plan.{extension}")
        }
        None => "NOTES.md".into(),
    };
    let depends = if depends_on == 0 { String::new() } else { format!(" depends=\"{depends_on}\"") };
    out.push_str(&format!(
        "<step title=\"Cover it with a test\" confidence=\"medium\"{depends}>\n\
         <why>The new behaviour needs a test that fails without it.</why>\n\
         <operation kind=\"create\" path=\"{}\">\n<change>\nassert!(result.is_ok(), \"a < b && b > c\");\n</change>\n\
         </operation>\n<command>cargo test</command>\n<check>The new test passes.</check>\n</step>\n",
        attribute(&path),
    ));
}

/// The first definition of a file: its name, and the lines it spans until the next blank line.
fn definition(text: &str) -> Option<(String, usize, usize)> {
    const WORDS: [&str; 8] =
        ["fn ", "def ", "function ", "func ", "class ", "struct ", "interface ", "type "];
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().enumerate().find_map(|(at, line)| {
        let rest = WORDS.iter().find_map(|word| {
            let start = line.find(word)?;
            let alone = line[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            alone.then(|| &line[start + word.len()..])
        })?;
        let symbol: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if symbol.is_empty() {
            return None;
        }
        let end = lines[at..]
            .iter()
            .position(|line| line.trim().is_empty())
            .map_or(lines.len(), |blank| at + blank);
        Some((symbol, at + 1, end.max(at + 1)))
    })
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Prompt {
        let text = "use std::io;\n\npub fn send(x: u8) {\n    x;\n}\n".to_owned();
        Prompt {
            task: "Add \"retries\" & back-off".into(),
            files: vec![File { path: "src/http.rs".into(), text }],
        }
    }

    #[test]
    fn a_plan_is_about_the_files_of_the_prompt() {
        let plan = plan(&prompt());
        assert!(plan.starts_with("<plan title=\"Add &quot;retries&quot; &amp; back-off\">\n"), "{plan}");
        assert!(
            plan.contains("kind=\"modify\" path=\"src/http.rs\" symbol=\"send\" lines=\"3-5\""),
            "{plan}"
        );
        assert!(plan.contains("kind=\"create\" path=\"tests/http_plan.rs\""), "{plan}");
    }

    #[test]
    fn a_cut_plan_ends_inside_an_operation() {
        let Answer { text, cut, .. } = answer(&Behaviour::style(Style::Cut), &prompt());
        assert!(cut && !text.contains("</plan>"));
        assert!(text.matches("<operation").count() > text.matches("</operation>").count(), "{text}");
    }
}
