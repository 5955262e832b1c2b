//! What becomes of each stage's answer.

use super::ask::{chosen_roots, paths};
use crate::Inner;
use crate::manifest::under;
use crate::named::{self, List, Named};
use crate::questions::reasons;
use crate::roots::Root;
use crate::wire::Ending;
use crate::workflow::{answer, failed, json, sent};
use ::jobs::{Outcome, SKIPPED, StepContext, StepError};
use api::discovery::RankReason;
use api::events::Topic;
use globset::{GlobBuilder, GlobMatcher};
use std::collections::{HashMap, HashSet};
use store::files::FileRow;

/// A pattern that matches more files than this says nothing.
const PATTERN_FILES: usize = 40;

/// How many files all patterns together may add.
const ADDED: usize = 200;

/// A file of at least this score gets a tick, one below loses it; a person's own ticks stay.
const TICK: u8 = 60;

/// How many files a stage may tick.
const TICKED: usize = 25;

/// Uses the answer of a stage.
pub(crate) async fn apply(inner: &Inner, context: &StepContext, stage: &str) -> Result<Outcome, StepError> {
    if context.outputs.get(&format!("{stage}.send")).is_some_and(|output| output == SKIPPED) {
        return Ok(Outcome::Done(SKIPPED.to_owned()));
    }
    let job = &context.job;
    let list = answered(inner, context, stage).await?;
    let session = inner.session(&job.session_id.as_str().into()).await.map_err(failed)?;
    let root = inner.root(&session.project_id).await.map_err(failed)?;
    if stage == "roots" {
        let (known, unknown) = folders(&root, &list.named).map_err(failed)?;
        tracing::debug!(unknown, "folders that a model named and that do not exist");
        return json(&known).map(Outcome::Done);
    }
    let roots = chosen_roots(&context.outputs);
    let key = session.id.clone();
    let ranked = inner.store.read(move |db| store::files::list(db, &key)).await?;
    let before: HashSet<String> = ranked.iter().map(|row| row.path.clone()).collect();
    let change = tokio::task::block_in_place(|| match stage {
        "patterns" => matched(&root, &ranked, &roots, &list.named),
        "relevance" => Ok(judged(ranked, &list.named)),
        _ => extended(&root, ranked, &roots, &list.named),
    });
    let Changed { rows, note } = change.map_err(failed)?;
    let (id, stored) = (session.id.clone(), rows);
    inner
        .store
        .write(move |db| {
            let now: HashMap<String, FileRow> =
                store::files::list(db, &id)?.into_iter().map(|row| (row.path.clone(), row)).collect();
            for row in stored {
                let row = match now.get(&row.path) {
                    // What the person ticked or unticked while the model was asked stays so.
                    Some(old) if old.by_hand => FileRow { included: old.included, by_hand: true, ..row },
                    // A search that was made meanwhile has dropped this file: it is not brought back.
                    None if before.contains(&row.path) => continue,
                    _ => row,
                };
                store::files::put(db, &id, &row)?;
            }
            Ok(())
        })
        .await?;
    inner.bus.tell(Topic::Session, &session.id, Some(&session.id));
    let cut = if list.whole { "" } else { " The answer was cut; what had arrived was used." };
    Ok(Outcome::Done(format!("{note}{cut}{}", alarms(context, stage))))
}

/// What a person has to know of how a stage was asked for. The first one has no note of its own: its folders are its output.
fn alarms(context: &StepContext, stage: &str) -> String {
    let first = Some("roots").filter(|_| stage == "patterns");
    let stages = first.into_iter().chain([stage]);
    let alarms = stages.filter_map(|stage| sent(context, stage).ok()?.alarm);
    alarms.map(|alarm| format!(" {alarm}")).collect()
}

/// The list that a stage's answer is.
async fn answered(inner: &Inner, context: &StepContext, stage: &str) -> Result<List, StepError> {
    let sent = sent(context, stage)?;
    let answer = answer(inner, &context.job).await?;
    match named::read(&answer) {
        Some(list) => Ok(List { whole: list.whole && sent.ending == Ending::Finished, ..list }),
        None => {
            let why: String = sent.alarm.iter().chain(&sent.trouble).map(|why| format!(" {why}")).collect();
            Err(StepError::Failed(format!(
                "The model's answer to “{stage}” is not a list that can be read.{why} The ranking is as it was, and the answer is kept. Do the \
                 stage once more, or go on without it."
            )))
        }
    }
}

/// What a stage changes.
struct Changed {
    rows: Vec<FileRow>,
    note: String,
}

/// The named folders that exist, and how many do not.
fn folders(root: &Root, named: &[Named]) -> Result<(Vec<String>, usize), rpc::ApiError> {
    let all = paths(root)?;
    let exists = |folder: &str| folder.is_empty() || all.iter().any(|path| under(path, folder));
    let wanted: Vec<String> =
        named.iter().map(|n| if n.path == "." { String::new() } else { n.path.clone() }).collect();
    let (known, unknown): (Vec<String>, Vec<String>) = wanted.into_iter().partition(|folder| exists(folder));
    // The whole project contains every other folder.
    let known = if known.iter().any(String::is_empty) { Vec::new() } else { known };
    Ok((known, unknown.len()))
}

fn model_reason(kind: &str, why: &str) -> RankReason {
    let detail = if why.trim().is_empty() { "named by the model".to_owned() } else { why.trim().to_owned() };
    RankReason { kind: kind.to_owned(), detail, line: None }
}

/// The row with this reason before its others; one of the same kind from before is replaced.
fn with_reason(row: FileRow, reason: RankReason) -> FileRow {
    let mut all = reasons(&row);
    all.retain(|old| old.kind != reason.kind);
    all.insert(0, reason);
    match serde_json::to_string(&all) {
        Ok(reasons) => FileRow { reasons, ..row },
        Err(_) => row,
    }
}

fn new_row(root: &Root, path: &str, rank: u32) -> Option<FileRow> {
    let bytes = root.read(path).ok()?.len() as u64;
    Some(FileRow {
        path: path.to_owned(),
        test: discovery::is_test(path),
        rank,
        score: 0.0,
        bytes,
        included: false,
        by_hand: false,
        reasons: "[]".to_owned(),
    })
}

fn last_rank(rows: &[FileRow]) -> u32 {
    rows.iter().map(|row| row.rank).filter(|rank| *rank != u32::MAX).max().unwrap_or(0)
}

fn glob(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// The files that the patterns match, as candidates without a tick.
fn matched(
    root: &Root,
    ranked: &[FileRow],
    roots: &[String],
    named: &[Named],
) -> Result<Changed, rpc::ApiError> {
    let all = paths(root)?;
    let mut rows: Vec<FileRow> = Vec::new();
    let (mut used, mut rank) = (0, last_rank(ranked));
    for pattern in named {
        let Some(glob) = glob(&pattern.path) else { continue };
        let inside =
            |path: &&String| roots.iter().any(|root| under(path, root)) && glob.is_match(path.as_str());
        let hits: Vec<&String> = all.iter().filter(inside).collect();
        if hits.is_empty() || hits.len() > PATTERN_FILES {
            continue;
        }
        used += 1;
        let reason = model_reason("pattern", &format!("matches {}: {}", pattern.path, pattern.why));
        for path in hits {
            if rows.len() == ADDED || rows.iter().any(|row| row.path == *path) {
                continue;
            }
            let known = ranked.iter().find(|row| row.path == *path).cloned();
            let row = known.or_else(|| {
                rank += 1;
                new_row(root, path, rank)
            });
            rows.extend(row.map(|row| with_reason(row, reason.clone())));
        }
    }
    let note = format!("{used} of {} patterns used, {} files matched.", named.len(), rows.len());
    Ok(Changed { rows, note })
}

/// The ranking with the model's scores: judged files first, in order of score. Ticks follow the score.
fn judged(ranked: Vec<FileRow>, named: &[Named]) -> Changed {
    let score = |row: &FileRow| named.iter().find(|n| n.path == row.path).and_then(|n| n.score);
    let unknown = named.iter().filter(|n| ranked.iter().all(|row| row.path != n.path)).count();
    let mut rows = ranked;
    // Stable: files of one score, and those that were not judged, keep the local order.
    rows.sort_by_key(|row| (std::cmp::Reverse(score(row)), row.rank));
    let mut ticked = 0;
    let mut ranks = [0_u32; 2];
    for row in &mut rows {
        let rank = &mut ranks[usize::from(row.test)];
        *rank += 1;
        row.rank = *rank;
        let Some(judged) = named.iter().find(|n| n.path == row.path) else { continue };
        let Some(score) = judged.score else { continue };
        if !row.by_hand {
            row.included = score >= TICK && ticked < TICKED;
        }
        ticked += usize::from(row.included);
        let reason = model_reason("model", &format!("{score} of 100: {}", judged.why.trim()));
        *row = with_reason(row.clone(), reason);
    }
    let judged = named.len() - unknown;
    let mut note = format!("{judged} files judged, {ticked} ticked.");
    if unknown > 0 {
        note.push_str(&format!(" {unknown} that were named were not among them."));
    }
    Changed { rows, note }
}

/// The files that were missed, where they exist.
fn extended(
    root: &Root,
    ranked: Vec<FileRow>,
    roots: &[String],
    named: &[Named],
) -> Result<Changed, rpc::ApiError> {
    // What git ignores, or what is hidden, is not part of the project for a model, whatever it names.
    let all = paths(root)?;
    let listed = |path: &String| all.binary_search(path).is_ok() && roots.iter().any(|r| under(path, r));
    let (mut rows, mut missing) = (Vec::new(), 0);
    let mut rank = last_rank(&ranked);
    let mut ticked = ranked.iter().filter(|row| row.included).count();
    for file in named {
        let known = ranked.iter().find(|row| row.path == file.path).cloned();
        let row = known.or_else(|| {
            rank += 1;
            listed(&file.path).then(|| new_row(root, &file.path, rank)).flatten()
        });
        let Some(row) = row else {
            missing += 1;
            continue;
        };
        let tick = !row.by_hand && !row.included && file.score.unwrap_or(TICK) >= TICK && ticked < TICKED;
        ticked += usize::from(tick);
        let row = FileRow { included: row.included || tick, ..row };
        rows.push(with_reason(row, model_reason("extended", &file.why)));
    }
    let mut note = format!("{} files added.", rows.len());
    if missing > 0 {
        note.push_str(&format!(" {missing} that were named are not files of this project."));
    }
    Ok(Changed { rows, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, rank: u32, included: bool, by_hand: bool) -> FileRow {
        let reasons = r#"[{"kind":"content_match","detail":"contains x"}]"#.to_owned();
        FileRow { path: path.into(), test: false, rank, score: 1.0, bytes: 1, included, by_hand, reasons }
    }

    fn named(path: &str, score: u8) -> Named {
        Named { path: path.into(), score: Some(score), why: "because".into() }
    }

    #[test]
    fn scores_order_and_tick_but_never_against_the_person() {
        let ranked = vec![
            row("low", 1, true, false),
            row("kept", 2, true, true),
            row("out", 3, false, true),
            row("high", 4, false, false),
            row("unjudged", 5, true, false),
        ];
        let answer =
            [named("low", 10), named("kept", 20), named("out", 99), named("high", 90), named("ghost", 100)];
        let Changed { rows, note } = judged(ranked, &answer);
        let order: Vec<(&str, bool)> = rows.iter().map(|r| (r.path.as_str(), r.included)).collect();
        assert_eq!(
            order,
            [("out", false), ("high", true), ("kept", true), ("low", false), ("unjudged", true)]
        );
        assert_eq!(rows.iter().map(|r| r.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(note, "4 files judged, 2 ticked. 1 that were named were not among them.");
        assert_eq!(reasons(&rows[1])[0].detail, "90 of 100: because");
        assert_eq!(reasons(&rows[1]).len(), 2, "the local reasons stay");
    }
}
