//! A plan, or one of its steps, put before the program in a terminal. Never submitted from here.
//!
//! The text is written by a model, and a terminal takes some characters as commands. So whatever could steer it is
//! replaced by a visible sign first. It is pasted only where the host says that the program takes it as one piece;
//! otherwise it goes to a file of the project, and only the path is typed.

use crate::Inner;
use crate::review::gate::Wanted;
use crate::terminals::label;
use api::terminals::{HandOver, HandedOver, Pasted};
use bytes::Bytes;
use rpc::{ApiError, ErrorCode};
use std::sync::Arc;
use terminal::PasteRule;

/// The folder for texts that could not be pasted, in the project.
const FOLDER: &str = ".plantocode/handoff";
/// How many files that folder may have.
const MOST_FILES: u32 = 10_000;

pub(crate) async fn hand_over(
    inner: &Arc<Inner>,
    viewer: &str,
    request: &HandOver,
) -> Result<HandedOver, ApiError> {
    let HandOver { version, step, all, .. } = *request;
    let wanted = Wanted { plan: &request.plan, version, step, all };
    let (session, text) = match &request.template {
        None => inner.plan_text(wanted).await?,
        Some(template) => inner.in_template(template, wanted).await?,
    };
    let (text, replaced) = visible(&text);
    let info = inner.terminal(&request.terminal).await?;
    let project = label(&info).project;
    if inner.session(&session).await?.project_id != project.0 {
        let message = "The plan is for another project than the terminal. Nothing was handed over.";
        return Err(ApiError::invalid("another_project", message));
    }
    let terminal = &request.terminal;
    // Two viewers of this hand-over alone, so that either can be asked again and has its effect once.
    let (pasting, typing) = (format!("{viewer}/paste"), format!("{viewer}/path"));
    match inner.paste(terminal, &pasting, 1, &text, PasteRule::Launched).await? {
        Pasted::Pasted => {
            let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            Ok(HandedOver::Pasted { characters, replaced })
        }
        Pasted::Interrupted { message } => Err(ApiError::new(ErrorCode::Conflict, "interrupted", message)),
        Pasted::Refused { reason, .. } => {
            let root = inner.root(&project.0).await?;
            let written =
                tokio::task::spawn_blocking(move || root.write_numbered(FOLDER, &text, MOST_FILES)).await;
            let path = written.map_err(|e| ApiError::internal(e.to_string()))?.map_err(|e| {
                let message = format!(
                    "The program does not take a paste now, and the text could not be written to {FOLDER} in the \
                     project: {e}. Nothing was typed."
                );
                ApiError::new(ErrorCode::Unavailable, "hand_over_file", message)
            })?;
            inner.type_in(terminal, &typing, 1, Bytes::from(path.clone())).await?;
            Ok(HandedOver::File { path, reason, replaced })
        }
    }
}

/// The text with line ends as line feeds, and with a visible sign in place of everything that could steer a terminal
/// or that cannot be seen; and how many were replaced.
fn visible(text: &str) -> (String, u32) {
    let mut replaced = 0;
    let mut sign = |c: char| {
        replaced += 1;
        match u32::from(c) {
            // The Unicode block of control pictures mirrors C0.
            code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
            0x7f => '\u{2421}',
            _ => '\u{fffd}',
        }
    };
    let unified = text.replace("\r\n", "\n");
    let shown = unified
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() || plan::path::is_invisible(c) => sign(c),
            c => c,
        })
        .collect();
    (shown, replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown_instead() {
        let (text, replaced) = visible("a\r\nb\t\u{1b}[201~rm -rf\u{7f}\u{9b}\u{202e}\r");
        assert_eq!(text, "a\nb\t\u{241b}[201~rm -rf\u{2421}\u{fffd}\u{fffd}\u{240d}");
        assert_eq!(replaced, 5);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        assert_eq!(visible("schön $& {{x}} 日本"), ("schön $& {{x}} 日本".to_owned(), 0));
    }
}
