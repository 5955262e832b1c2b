//! What each stage asks.

use super::NOTHING_TO_ASK;
use crate::Inner;
use crate::error::sentence;
use crate::manifest::under;
use crate::prompts;
use crate::question::{FilePart, Part, Question, Tree};
use crate::questions::{Outputs, list, reasons};
use crate::roots::Root;
use rpc::ApiError;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use store::files::FileRow;
use store::sessions::SessionRow;

/// How many candidates are judged.
const JUDGED: usize = 50;

/// How many bytes of candidates are sent: about 60,000 tokens.
const JUDGED_BYTES: usize = 180_000;

/// How many bytes of one candidate are sent: what is longer goes in pieces.
const PIECE_BYTES: usize = 8_000;

/// How many folders are listed.
const FOLDERS: usize = 400;

/// How many neighbours of the found files are listed.
const NEIGHBOURS: usize = 80;

/// How many definitions of a found file are listed.
const DEFINITIONS: usize = 12;

/// What a stage asks; an error with the reason [`NOTHING_TO_ASK`] when there is nothing to ask about.
pub(crate) async fn question(
    inner: &Inner,
    session: &SessionRow,
    ranked: &[FileRow],
    stage: &str,
    outputs: &Outputs,
) -> Result<Question, ApiError> {
    let root = inner.root(&session.project_id).await?;
    let task = Part::new("task", &session.task);
    let roots = chosen_roots(outputs);
    tokio::task::block_in_place(|| match stage {
        "roots" => Ok(list(
            "choosing folders worth a look",
            prompts::FIND_ROOTS,
            vec![task, Part::new("folders", folders(&root)?)],
            Vec::new(),
            None,
        )),
        "patterns" => Ok(list(
            "naming patterns of paths",
            prompts::FIND_PATTERNS,
            vec![task],
            Vec::new(),
            Some(Tree::Under(roots)),
        )),
        "relevance" => {
            let files = candidates(&root, ranked, &roots);
            if files.is_empty() {
                return Err(nothing());
            }
            Ok(list("judging the files", prompts::FIND_RELEVANCE, vec![task], files, None))
        }
        "extend" => {
            let found: Vec<&FileRow> = ranked.iter().filter(|file| file.included).collect();
            let (definitions, near) = surroundings(&root, &found)?;
            Ok(list(
                "finding files that were missed",
                prompts::FIND_EXTEND,
                vec![task, Part::new("found", definitions), Part::new("near", near)],
                Vec::new(),
                Some(Tree::Under(roots)),
            ))
        }
        other => Err(ApiError::internal(format!("This version knows no stage “{other}”."))),
    })
}

fn nothing() -> ApiError {
    ApiError::invalid(NOTHING_TO_ASK, "No file was found that could be judged.")
}

/// The folders that the first stage chose; the whole project without it.
pub(crate) fn chosen_roots(outputs: &Outputs) -> Vec<String> {
    // A stage that was passed over has another output than a list, and chose nothing.
    let chosen =
        outputs.get("roots.apply").and_then(|output| serde_json::from_str::<Vec<String>>(output).ok());
    chosen.filter(|folders| !folders.is_empty()).unwrap_or_else(|| vec![String::new()])
}

/// All paths of the project, sorted.
pub(crate) fn paths(root: &Root) -> Result<Vec<String>, ApiError> {
    let entries = discovery::tree(root.path(), &AtomicBool::new(false))
        .map_err(|e| ApiError::invalid("cannot_list", sentence(&e.to_string())))?;
    let mut paths: Vec<String> = entries.into_iter().map(|entry| entry.path).collect();
    paths.sort_unstable();
    Ok(paths)
}

/// The folders with the number of files below them: as deep as there is room for, every level whole.
fn folders(root: &Root) -> Result<String, ApiError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in paths(root)? {
        let mut folder = path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            *counts.entry(parent.to_owned()).or_default() += 1;
            folder = parent;
        }
    }
    let depth = |folder: &str| folder.matches('/').count();
    let deepest = (0..)
        .take_while(|level| counts.keys().filter(|f| depth(f) <= *level).count() <= FOLDERS && *level < 64)
        .last()
        .unwrap_or(0);
    let lines = counts.iter().filter(|(folder, _)| depth(folder) <= deepest).take(FOLDERS);
    Ok(lines.map(|(folder, files)| format!("{folder} ({files})\n")).collect())
}

/// The best candidates, each whole or in pieces, as many as there is room for. Ticked files come first: what the person
/// chose is judged in any case.
fn candidates(root: &Root, ranked: &[FileRow], roots: &[String]) -> Vec<FilePart> {
    // What the person unticked is not sent, also not for judging.
    let wanted = |file: &&FileRow| file.included || !file.by_hand;
    let mut order: Vec<&FileRow> = ranked.iter().filter(wanted).collect();
    order.sort_by_key(|file| (!file.included, file.test, file.rank));
    let mut room = JUDGED_BYTES;
    let mut files = Vec::new();
    for file in order.into_iter().filter(|file| roots.iter().any(|root| under(&file.path, root))) {
        if files.len() == JUDGED {
            break;
        }
        let bytes = usize::try_from(file.bytes).unwrap_or(usize::MAX).min(PIECE_BYTES);
        // A file that is gone, or not text, cannot be judged; the next takes its place.
        if bytes > room || root.read(&file.path).is_err() {
            continue;
        }
        room -= bytes;
        let lines = reasons(file).iter().filter_map(|reason| reason.line).collect();
        files.push(FilePart { path: file.path.clone(), cut: Some((lines, PIECE_BYTES)) });
    }
    files
}

/// The found files with their definitions, and what lies around them: imports in both directions, and the same folders.
fn surroundings(root: &Root, found: &[&FileRow]) -> Result<(String, String), ApiError> {
    let all = paths(root)?;
    let borrowed: Vec<&str> = all.iter().map(String::as_str).collect();
    let links = discovery::Links::new(&borrowed);
    let known = |path: &str| found.iter().any(|file| file.path == path);
    let mut definitions = String::new();
    let mut near: BTreeMap<&str, String> = BTreeMap::new();
    for file in found {
        let Ok(text) = root.read(&file.path) else { continue };
        let symbols: Vec<String> =
            discovery::outline(&file.path, &text).into_iter().take(DEFINITIONS).map(|s| s.name).collect();
        definitions.push_str(&format!("{}: {}\n", file.path, symbols.join(", ")));
        for imported in links.of(&file.path, &text).into_iter().filter(|path| !known(path)) {
            near.entry(imported).or_insert_with(|| format!("imported by {}", file.path));
        }
    }
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let beside: Vec<String> = found.iter().map(|file| folder(&file.path)).collect();
    for path in borrowed.iter().filter(|path| !known(path) && beside.contains(&folder(path))) {
        if near.len() >= NEIGHBOURS {
            break;
        }
        let importing =
            root.read(path).ok().and_then(|text| links.of(path, &text).into_iter().find(|p| known(p)));
        near.entry(path).or_insert_with(|| match importing {
            Some(imported) => format!("imports {imported}"),
            None => "in the same folder".to_owned(),
        });
    }
    let near = near.into_iter().take(NEIGHBOURS).map(|(path, why)| format!("{path} ({why})\n")).collect();
    Ok((definitions, near))
}
