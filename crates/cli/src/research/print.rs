//! How findings look.

use super::Format;
use crate::backup::day;
use crate::show::{self, QUIET, STRONG, styled};
use api::SessionId;
use api::research::{WebFinding, WebFindingList, WebFindingState, WebSource};
use std::fmt::Write as _;
use std::io::IsTerminal;

/// Writes findings to stdout.
pub fn findings(found: &[WebFinding], format: Format) -> anyhow::Result<()> {
    let text = match format {
        Format::Json => {
            let list = WebFindingList { findings: found.to_vec() };
            format!("{}\n", serde_json::to_string_pretty(&list)?)
        }
        Format::Md => found.iter().map(markdown).collect::<Vec<_>>().join("\n"),
    };
    let mut out = std::io::stdout();
    let text = show::document(&text, out.is_terminal());
    show::write_out(&mut out, text.as_bytes())?;
    Ok(())
}

fn markdown(finding: &WebFinding) -> String {
    let mut text = format!("## {}\n\n", one_line(&finding.question));
    if !finding.answer.is_empty() {
        text.push_str(finding.answer.trim());
        text.push_str("\n\n");
    }
    if let Some(trouble) = &finding.trouble {
        text.push_str(&format!("Note: {}\n\n", one_line(trouble)));
    }
    if !finding.sources.is_empty() {
        let read = finding.answered_at.map(|at| format!(", read on {}", day(at))).unwrap_or_default();
        text.push_str(&format!("Sources{read}:\n\n"));
    }
    for (number, of) in (1..).zip(&finding.sources) {
        text.push_str(&source(number, of));
    }
    text
}

fn source(number: usize, source: &WebSource) -> String {
    let title = one_line(&source.title);
    let mut line = format!("{number}. {title}{}<{}>", if title.is_empty() { "" } else { " " }, source.url);
    if let Some(date) = &source.date {
        // Writing to a String cannot fail.
        let _infallible = write!(line, ", {}", one_line(date));
    }
    if let Some(quote) = &source.quote {
        let _infallible = write!(line, "\n   > {}", one_line(quote));
    }
    line + "\n"
}

/// Foreign text in one line, in which a Markdown reader finds no mark of ours.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['<', '>'], "")
}

/// Writes a finding in one line.
pub fn line(finding: &WebFinding) -> std::io::Result<()> {
    let state = match finding.state {
        WebFindingState::Asked => "asked",
        WebFindingState::Answered => "answered",
        WebFindingState::Cut => "cut",
        WebFindingState::Failed => "failed",
        WebFindingState::Canceled => "canceled",
    };
    let attached = if finding.attached { "attached" } else { "" };
    let sources = finding.sources.len();
    let question = show::harmless(&one_line(&finding.question));
    show::line(format_args!(
        "{}  {state:<8} {attached:<8} {sources:>2} sources  {question}",
        styled(STRONG, &finding.id.0)
    ))
}

/// Says on stderr what it came to.
pub fn summary(session: &SessionId, found: &[WebFinding], attached: bool) {
    let answered = found.iter().filter(|finding| finding.state == WebFindingState::Answered).count();
    let sources: usize = found.iter().map(|finding| finding.sources.len()).sum();
    let cost: u64 = found.iter().filter_map(|finding| finding.cost).sum();
    let unknown = found.iter().any(|finding| finding.answered_at.is_some() && finding.cost.is_none());
    let cost = if unknown { "cost unknown".to_owned() } else { show::money(cost) };
    let count = found.len();
    let text = format!(
        "{answered} of {count} questions answered from {sources} sources · {cost} · session {session}"
    );
    show::tell(format_args!("\n{}", styled(QUIET, text)));
    if answered > 0 {
        let next = if attached { "" } else { "`plantocode research attach ID` attaches one; " };
        show::note(format!("{next}`plantocode plan --session {session}` plans with what is attached."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_stays_in_its_line() {
        let of = WebSource {
            url: "https://a.example/x".into(),
            title: "A\n\n# title <b>".into(),
            date: Some("May 2026".into()),
            quote: Some("as\nit says".into()),
        };
        assert_eq!(source(1, &of), "1. A # title b <https://a.example/x>, May 2026\n   > as it says\n");
        let bare = WebSource { title: String::new(), date: None, quote: None, ..of };
        assert_eq!(source(2, &bare), "2. <https://a.example/x>\n");
    }
}
