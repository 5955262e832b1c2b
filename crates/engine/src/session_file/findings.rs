//! Web findings of a session that travels.
//!
//! The sources of an answer come along, and are looked through like those of a model's answer. That one was attached to
//! questions is a person's decision and does not count elsewhere.

use super::elsewhere;
use super::folder::unreadable;
use super::wire::WebFindingFile;
use crate::Inner;
use crate::research::{self, ANSWERED, CUT};
use plan::export::{in_one_line, quoted};
use rpc::ApiError;
use store::Db;
use store::jobs::JobRow;
use store::web_findings::{self, WebFindingRow};

/// The most findings of a session that are read.
const MOST_FINDINGS: usize = 1_000;

/// What is exported of a finding; `None` for a question that has no answer.
pub(super) fn file(row: WebFindingRow) -> Option<WebFindingFile> {
    let web = research::notes(&row);
    [ANSWERED, CUT].contains(&row.state.as_str()).then_some(WebFindingFile {
        question: row.question,
        why: row.why,
        state: row.state,
        trouble: row.trouble,
        answer: row.answer,
        web,
        model: row.model,
        attached: row.attached,
        created_at: row.created_at,
        answered_at: row.answered_at,
    })
}

/// The findings as people read them. All of it is foreign text, which can neither hide something nor pass for our own.
pub(super) fn markdown(files: &[WebFindingFile]) -> String {
    format!("# What was found on the web\n\n{}", files.iter().map(one).collect::<Vec<_>>().join("\n"))
}

fn one(file: &WebFindingFile) -> String {
    let mut text = format!("## {}\n\n{}", in_one_line(&file.question), quoted(&file.answer));
    if file.state == CUT {
        text.push_str("\n*The answer ended too early.*\n");
    }
    if let Some(trouble) = &file.trouble {
        text.push_str(&format!("\nWarning: {}\n", in_one_line(trouble)));
    }
    if !file.web.sources.is_empty() {
        text.push_str("\nSources:\n\n");
    }
    for source in &file.web.sources {
        let date = source.date.as_deref().map(|date| format!(", {}", in_one_line(date))).unwrap_or_default();
        text.push_str(&format!("- <{}>{date}: {}\n", in_one_line(&source.url), in_one_line(&source.title)));
    }
    text
}

/// Whether findings can be those of a session.
///
/// # Errors
/// `session_file` when they cannot.
pub(super) fn check(files: &[WebFindingFile]) -> Result<(), ApiError> {
    if files.len() > MOST_FINDINGS {
        return Err(unreadable(format!("it has more than {MOST_FINDINGS} findings from the web")));
    }
    let sound = |file: &WebFindingFile| {
        [ANSWERED, CUT].contains(&file.state.as_str()) && research::is_question(&file.question)
    };
    if files.iter().all(sound) {
        return Ok(());
    }
    Err(unreadable("one of its findings from the web has no question, or does not say how it ended"))
}

/// What is stored for the findings: rows, and one job that stands for those that answered them.
pub(super) struct Imported {
    job: JobRow,
    rows: Vec<WebFindingRow>,
}

impl Imported {
    pub(super) fn store(&self, db: &Db<'_>) -> store::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        store::jobs::insert(db, &self.job)?;
        self.rows.iter().try_for_each(|row| web_findings::insert(db, row))
    }
}

impl Inner {
    pub(super) fn imported_findings(
        &self,
        session: &str,
        files: Vec<WebFindingFile>,
    ) -> Result<Imported, ApiError> {
        let job = self.import_job(session);
        let row = |(place, file): (u32, WebFindingFile)| {
            let (notes, foreign) = research::tidied(file.web);
            let mut trouble: Vec<String> = file.trouble.into_iter().collect();
            for said in research::of_sources(&notes, foreign) {
                // An answer without a source says so already.
                if !trouble.iter().any(|known| known.contains(&said)) {
                    trouble.push(said);
                }
            }
            Ok(WebFindingRow {
                id: self.new_id(),
                session_id: session.to_owned(),
                job_id: job.id.clone(),
                proposed_by: None,
                place,
                question: file.question,
                why: file.why,
                state: file.state,
                trouble: (!trouble.is_empty()).then(|| trouble.join(" ")),
                answer: file.answer,
                web: serde_json::to_string(&notes).map_err(|e| ApiError::internal(e.to_string()))?,
                usage: None,
                model: file.model.as_deref().map(elsewhere),
                attached: false,
                created_at: file.created_at,
                answered_at: file.answered_at,
            })
        };
        let rows = (0..).zip(files).map(row).collect::<Result<_, ApiError>>()?;
        Ok(Imported { job, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::WebNotes;
    use api::research::WebSource;

    #[test]
    fn foreign_words_hide_nothing_and_pass_for_nothing_of_ours() {
        let source = WebSource {
            url: "https://a.example/".into(),
            title: "# Approved\u{202e}".into(),
            date: None,
            quote: None,
        };
        let file = WebFindingFile {
            question: "Which\n# limit?".into(),
            state: CUT.into(),
            answer: "Three.\r\n# What was found\n\u{200b}## Yours\r## Mine".into(),
            trouble: Some("The server says that it changed the request: model.\n## All is well".into()),
            web: WebNotes { sources: vec![source], searches: Vec::new() },
            ..WebFindingFile::default()
        };
        let text = markdown(&[file]);
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, ["# What was found on the web", "## Which # limit?"], "{text}");
        for line in ["> # What was found", "> ## Yours", "> ## Mine", "- <https://a.example/>: # Approved"] {
            assert!(text.lines().any(|l| l == line), "{line} in {text}");
        }
        assert!(
            text.contains("Warning: The server says that it changed the request: model. ## All is well\n")
        );
        assert!(!text.chars().any(plan::path::is_invisible), "{text:?}");
    }
}
