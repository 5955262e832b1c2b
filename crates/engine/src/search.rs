//! Finding tasks and plans by their words.

use crate::Engine;
use crate::error::database;
use api::search::{FindWords, Hit, HitKind, Hits, Search, SnippetPiece};
use rpc::{ApiError, Caller};
use store::search::MARKS;

/// The most hits of one call, and how many when the call does not say.
const LIMITS: (u32, u32) = (200, 50);

/// The longest text to look for, in bytes.
const MAX_TEXT: usize = 1024;

impl Search for Engine {
    async fn find(&self, _: &Caller, request: FindWords) -> Result<Hits, ApiError> {
        if request.text.len() > MAX_TEXT {
            let message =
                format!("The text to look for is longer than {MAX_TEXT} bytes. Look for fewer words.");
            return Err(ApiError::invalid("search_too_long", message));
        }
        let project = request.project.map(|project| project.0);
        let limit = request.limit.unwrap_or(LIMITS.1).clamp(1, LIMITS.0);
        let find =
            move |db: &store::Db<'_>| store::search::find(db, &request.text, project.as_deref(), limit);
        let hits = self.inner.store.read(find).await.map_err(database)?;
        Ok(Hits { hits: hits.into_iter().map(view).collect() })
    }
}

fn view(hit: store::search::Hit) -> Hit {
    let plan = hit.kind == "plan";
    Hit {
        kind: if plan { HitKind::Plan } else { HitKind::Task },
        title: if hit.title.is_empty() { hit.session_title } else { hit.title },
        session: hit.session_id.into(),
        plan: plan.then(|| hit.owner.into()),
        snippet: pieces(&hit.snippet),
        updated_at: hit.updated_at.max(0).cast_unsigned(),
    }
}

fn pieces(snippet: &str) -> Vec<SnippetPiece> {
    let mut pieces: Vec<SnippetPiece> = Vec::new();
    let mut matched = false;
    for part in snippet.split_inclusive([MARKS.0, MARKS.1]) {
        let text = part.trim_end_matches([MARKS.0, MARKS.1]);
        if !text.is_empty() {
            pieces.push(SnippetPiece { text: text.to_owned(), matched });
        }
        matched = part.ends_with(MARKS.0);
    }
    pieces
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_snippet_falls_into_pieces() {
        let pieces = super::pieces("a \u{1}b\u{2}\u{1}c\u{2} d");
        let told: Vec<(&str, bool)> =
            pieces.iter().map(|piece| (piece.text.as_str(), piece.matched)).collect();
        assert_eq!(told, [("a ", false), ("b", true), ("c", true), (" d", false)]);
    }
}
