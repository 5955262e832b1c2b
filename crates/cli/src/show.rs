//! How things look in a terminal.

use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::io::Write;

/// Paths and names.
pub const STRONG: Style = Style::new().bold();
/// What is less important.
pub const QUIET: Style = Style::new().dimmed();
/// Something that went well, or a new file.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something to look at, or a changed file.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Something wrong, or a removed file.
pub const BAD: Style = AnsiColor::Red.on_default();

/// `text` in a style, made [`harmless`]; written through `anstream`, which drops styles where they do not belong.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{}{style:#}", harmless(&text.to_string()))
}

/// Tells an error, with its causes.
pub fn error(error: &anyhow::Error) {
    tell(error_line(error));
}

fn error_line(error: &anyhow::Error) -> String {
    // Many errors name their cause themselves; it is not told twice.
    let text = error
        .chain()
        .map(ToString::to_string)
        .reduce(|text, cause| if text.contains(&cause) { text } else { format!("{text}: {cause}") });
    format!("{} {}", styled(BAD, "plantocode:"), harmless(&text.unwrap_or_default()))
}

/// Tells something that needs no answer, on stderr.
pub fn note(text: impl std::fmt::Display) {
    tell(styled(QUIET, text));
}

/// Writes a line to stderr. Foreign text in it must be [`styled`] or [`harmless`]. When nobody reads stderr any
/// more, nobody is left to be told; the work itself goes on.
pub fn tell(line: impl std::fmt::Display) {
    drop(writeln!(anstream::stderr(), "{line}"));
}

/// Writes a line to stdout, as [`write_out`] does. Foreign text in it must be [`styled`] or [`harmless`].
///
/// # Errors
/// What [`write_out`] says.
pub fn line(line: impl std::fmt::Display) -> std::io::Result<()> {
    write_out(&mut anstream::stdout(), format!("{line}\n").as_bytes())
}

/// Writes a result. A reader that has gone away, such as `head`, has what it wanted.
///
/// # Errors
/// Any other trouble, such as a full disk.
pub fn write_out(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// What is written to stdout of a document: for a terminal [`harmless`], else byte for byte.
pub fn document(text: &str, terminal: bool) -> Cow<'_, str> {
    if terminal { harmless(text).into() } else { text.into() }
}

/// `1234` as `1.2k`.
pub fn count(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{:.1}k", n as f64 / 1e3),
        _ => format!("{:.1}M", n as f64 / 1e6),
    }
}

/// Millionths of a dollar as dollars, with as many digits as it takes to see something.
pub fn money(micro: u64) -> String {
    let dollars = micro as f64 / 1e6;
    if micro == 0 {
        "$0".to_owned()
    } else if dollars < 0.01 {
        format!("${dollars:.4}")
    } else {
        format!("${dollars:.2}")
    }
}

/// Text that a model, a server or a file wrote, with what could steer a terminal, or change and hide text unseen,
/// made visible.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// Controls other than tab and line feed, and characters that change or hide text without being seen. The same set as
/// `plan::path::is_invisible`, repeated here because the command line does not know plans.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([count(999), count(18_240), count(2_500_000)], ["999", "18.2k", "2.5M"]);
        assert_eq!([money(0), money(1_234), money(70_000)], ["$0", "$0.0012", "$0.07"]);
    }

    #[test]
    fn nothing_a_model_writes_steers_the_terminal() {
        assert_eq!(harmless("a\u{1b}[201~b\u{9b}c\r\n\td"), "a\u{fffd}[201~b\u{fffd}c\u{fffd}\n\td");
    }

    #[test]
    fn a_style_is_ours_and_the_text_in_it_is_harmless() {
        let model = "gpt\u{1b}]0;owned\u{7}\u{202e}5";
        let text = styled(STRONG, model);
        assert_eq!(text, format!("{STRONG}gpt\u{fffd}]0;owned\u{fffd}\u{fffd}5{STRONG:#}"));
        assert!(text.starts_with("\u{1b}[1m") && text.ends_with("\u{1b}[0m"), "{text:?}");
        let cause = anyhow::anyhow!("the server said \u{1b}[2J\u{200b}").context("cannot ask");
        assert!(error_line(&cause).ends_with("cannot ask: the server said \u{fffd}[2J\u{fffd}"));
    }

    #[test]
    fn a_document_is_changed_for_a_terminal_only() {
        let text = "a\r\n\u{1b}[2J\n";
        assert_eq!(document(text, false), text);
        assert_eq!(document(text, true), "a\u{fffd}\n\u{fffd}[2J\n");
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_error() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        drop(reader);
        assert!(writer.write_all(b"x").is_err());
        write_out(&mut writer, b"x").unwrap();
    }
}
