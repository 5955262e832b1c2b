//! How things look in a terminal.

use anstyle::{AnsiColor, Style};

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

/// `text` in a style; written through `anstream`, which drops styles where they do not belong.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Tells an error, with its causes.
pub fn error(error: &anyhow::Error) {
    let text: Vec<String> = error.chain().map(ToString::to_string).collect();
    anstream::eprintln!("{} {}", styled(BAD, "plantocode:"), text.join(": "));
}

/// Tells something that needs no answer, on stderr.
pub fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("{}", styled(QUIET, text));
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

/// Text that a model or a file wrote, with what could steer a terminal made visible.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
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
}
