//! Finding tasks and plans by their words.

use crate::{Db, Result};
use rusqlite::params;

/// The signs around a match in a snippet: they stand in no text that a person writes.
pub const MARKS: (char, char) = ('\u{1}', '\u{2}');

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// `task` or `plan`.
    pub kind: String,
    /// The session or plan.
    pub owner: String,
    /// Its session.
    pub session_id: String,
    /// The session's title.
    pub session_title: String,
    /// The plan's title; empty for a task.
    pub title: String,
    /// Words around the match, with [`MARKS`].
    pub snippet: String,
    /// When the session changed last.
    pub updated_at: i64,
}

/// How many of the best matches by words are put in order by time.
const CANDIDATES: u32 = 200;

/// Tasks and plans in which all words of `text` occur, the last one also as a beginning of a word: those whose session
/// changed last first. Nothing in `text` has a special meaning.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn find(db: &Db<'_>, text: &str, project: Option<&str>, limit: u32) -> Result<Vec<Hit>> {
    let query = literal(text);
    if query.is_empty() {
        return Ok(Vec::new());
    }
    // The newest rows first: rows are numbered as they are made. Only what is shown gets its snippet made, which reads
    // the whole text; the range keeps the search for them from walking over every match a second time.
    let sql = "WITH found AS MATERIALIZED (
           SELECT w.rowid AS at, s.updated_at AS changed FROM words w JOIN sessions s ON s.id = w.session_id
           WHERE words MATCH ?1 AND (?2 IS NULL OR s.project_id = ?2)
           ORDER BY w.rowid DESC LIMIT ?4),
         best AS MATERIALIZED (SELECT at FROM found ORDER BY changed DESC, at DESC LIMIT ?3)
         SELECT w.kind, w.owner, w.session_id, s.title, w.title,
           snippet(words, -1, char(1), char(2), '…', 24), s.updated_at
         FROM words w JOIN sessions s ON s.id = w.session_id
         WHERE words MATCH ?1 AND +w.rowid IN (SELECT at FROM best)
           AND w.rowid BETWEEN (SELECT min(at) FROM best) AND (SELECT max(at) FROM best)
         ORDER BY s.updated_at DESC, w.rowid DESC";
    db.all(sql, params![query, project, limit, CANDIDATES], |row| {
        Ok(Hit {
            kind: row.get(0)?,
            owner: row.get(1)?,
            session_id: row.get(2)?,
            session_title: row.get(3)?,
            title: row.get(4)?,
            snippet: row.get(5)?,
            updated_at: row.get(6)?,
        })
    })
}

/// Every word in quotes, in which a quote is doubled: so none is an operator.
fn literal(text: &str) -> String {
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).collect();
    let quoted = |word: &&str| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', " "));
    let mut query = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    if !query.is_empty() {
        query.push('*');
    }
    query
}

/// Stores the words of a plan in place of those that were there.
///
/// # Errors
/// When the database refuses.
pub fn put_plan(db: &Db<'_>, plan: &str, session: &str, title: &str, body: &str) -> Result<()> {
    let sql = "SELECT at FROM word_rows WHERE kind = 'plan' AND owner = ?1";
    if let Some(at) = db.one(sql, [plan], |row| row.get::<_, i64>(0))? {
        db.change("UPDATE words SET title = ?2, body = ?3 WHERE rowid = ?1", params![at, title, body])?;
        return Ok(());
    }
    db.change(
        "INSERT INTO words (title, body, kind, owner, session_id) VALUES (?1, ?2, 'plan', ?3, ?4)",
        params![title, body, plan, session],
    )?;
    db.change(
        "INSERT INTO word_rows (kind, owner, session_id, at) VALUES ('plan', ?1, ?2, ?3)",
        params![plan, session, db.0.last_insert_rowid()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_query_is_an_operator() {
        assert_eq!(
            super::literal("retry NOT \"a:b\" * ( send"),
            "\"retry\" \"NOT\" \"\"\"a:b\"\"\" \"send\"*"
        );
        assert_eq!(super::literal(" * \" "), "");
    }
}
