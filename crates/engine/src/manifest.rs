//! What would be sent: made once, stored as bytes, and sent as those bytes.

use crate::models::Resolved;
use crate::question::{self, Part, Prompt, PromptFile, Question, Tree};
use crate::roots::Root;
use crate::tokens::Counter;
use crate::wire::{Prices, StoredManifest, Target};
use crate::{Inner, error};
use api::approvals::{
    ApprovalState, Destination, Manifest, ManifestFile, ManifestPart, ManifestWeb, SecretFinding,
};
use bytes::Bytes;
use llm::{Approval, WireRequest};
use rpc::ApiError;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::atomic::AtomicBool;
use store::approvals::ApprovalRow;
use store::files::FileRow;
use store::jobs::JobRow;

/// What is approved is always a call of this method.
pub(crate) const METHOD: &str = "POST";

/// What a vendor's envelope adds to the text of a request, in tokens; generous.
const ENVELOPE_TOKENS: u64 = 32;

/// What stands in instructions for how often the provider may search the web.
const SEARCHES: &str = "SEARCHES";

/// The list of paths goes whole while it is not longer than this; then only the neighbourhood of the files goes.
const MAX_TREE_BYTES: usize = 24 << 10;

/// What the person chose.
pub(crate) struct Choice {
    /// The model.
    pub model: Resolved,
    /// Whether secrets are replaced.
    pub redact: bool,
}

/// A manifest with the bytes it is about.
pub(crate) struct Built {
    pub row: ApprovalRow,
    /// The request in the canonical form, from which `body` follows.
    pub canonical: Vec<u8>,
    /// The body of the HTTP request that will leave, exactly.
    pub body: Bytes,
    pub stored: StoredManifest,
}

/// The HTTP request that a canonical request becomes at a target. The same input always gives the same bytes.
pub(crate) fn outgoing(inner: &Inner, target: &Target, canonical: &[u8]) -> Result<WireRequest, ApiError> {
    let (dialect, limits) = inner.translation(target);
    llm::encode(dialect, canonical, &target.model, &limits).map_err(|e| {
        let message = format!("{} cannot be asked this: {e}. Nothing was sent.", target.model);
        ApiError::invalid("request_invalid", message)
    })
}

/// Makes the manifest of what a job asks.
pub(crate) async fn build(
    inner: &Inner,
    job: &JobRow,
    question: Question,
    choice: Choice,
) -> Result<Built, ApiError> {
    let session = inner.session(&job.session_id.as_str().into()).await?;
    let root = inner.root(&session.project_id).await?;
    let key = session.id.clone();
    let ranked = inner.store.read(move |db| store::files::list(db, &key)).await.map_err(error::database)?;
    let mut instructions = inner.instructions(&session.project_id, &question.prompts).await?;
    if let Some(web) = &question.web {
        instructions = instructions.replace(SEARCHES, &web.max_uses.to_string());
    }
    let boundary = inner.env.random_hex(4);
    let id = inner.new_id();
    let now = inner.now();
    // Reading, scanning and counting take a while on many files; they must not hold the runtime up.
    let guard = std::panic::AssertUnwindSafe(&inner.guard);
    tokio::task::block_in_place(|| {
        let draft = Draft {
            inner,
            guard: *guard,
            root: &root,
            ranked: &ranked,
            question: &question,
            instructions: &instructions,
            choice: &choice,
            boundary: &boundary,
        };
        draft.build(job, id, now)
    })
}

/// A chosen file.
struct ReadFile {
    /// As it would be sent.
    file: PromptFile,
    /// The hash of what is on disk.
    on_disk: String,
}

/// What goes, as the person sees it.
struct Shown {
    parts: Vec<ManifestPart>,
    files: Vec<ManifestFile>,
    /// The tokens of the whole request.
    input_tokens: u64,
}

struct Draft<'a> {
    inner: &'a Inner,
    guard: &'a guard::Guard,
    root: &'a Root,
    ranked: &'a [FileRow],
    question: &'a Question,
    instructions: &'a str,
    choice: &'a Choice,
    boundary: &'a str,
}

impl Draft<'_> {
    fn build(&self, job: &JobRow, id: String, now: i64) -> Result<Built, ApiError> {
        let (question, model) = (self.question, &self.choice.model);
        let mut secrets = Vec::new();
        let chosen_files = self.read(&mut secrets)?;
        let read = chosen_files.iter().map(|f| (f.file.path.clone(), f.on_disk.clone())).collect();
        let files: Vec<PromptFile> = chosen_files.into_iter().map(|f| f.file).collect();
        let parts = self.parts(&mut secrets)?;
        // A project's own prompt is text like any other.
        let instructions = self.clean("instructions", self.instructions, &mut secrets);
        let prompt = question::prompt(&instructions, self.boundary, &parts, &files);

        let Shown { parts, files: shown_files, input_tokens } = self.count(&prompt, &parts, &files);
        let max_output_tokens = match model.model.max_output_tokens {
            0 => question.max_output,
            limit => limit.min(question.max_output),
        };
        let kept = question.web.as_ref().map(|_| crate::research::searches(model)).transpose()?;
        let target = Target { web: kept.is_some(), ..model.target.clone() };
        let canonical = canonical(&target.model, &prompt, max_output_tokens, question.web.as_ref())?;
        let outgoing = outgoing(self.inner, &target, &canonical)?;
        let body = outgoing.body;
        let usual = question.usual_output.min(max_output_tokens);
        let costs = Costs::of(target.prices, input_tokens, usual, max_output_tokens, question.web.as_ref());
        let approval = Approval::of_body(METHOD, &outgoing.path, &body, destinations(model), costs.ceiling);
        let manifest = Manifest {
            id: id.clone().into(),
            job: job.id.clone().into(),
            session: job.session_id.clone().into(),
            state: ApprovalState::Waiting,
            purpose: question.purpose.clone(),
            by: None,
            files: shown_files,
            left_out: self.left_out(&files),
            parts,
            model: model.model.id.clone(),
            door: model.model.door,
            via: model.model.via.clone(),
            destinations: shown(model),
            web: question.web.as_ref().map(|web| ManifestWeb {
                searches: web.max_uses,
                kept: kept == Some(llm::SearchLimit::Kept),
                domains: web.allowed_domains.clone(),
            }),
            input_tokens,
            tokens_exact: self.counter().is_exact(),
            max_output_tokens,
            overflow_tokens: overflow(model.model.context_window, input_tokens, max_output_tokens),
            cost_estimate: costs.estimate,
            cost_ceiling: costs.ceiling,
            secrets,
            redacted: self.choice.redact,
            body_bytes: body.len() as u64,
            body_hash: hex::encode(approval.body_hash),
            fingerprint: approval.fingerprint(),
            created_at: now.max(0).cast_unsigned(),
        };
        let row = ApprovalRow {
            id,
            job_id: job.id.clone(),
            session_id: job.session_id.clone(),
            state: "waiting".to_owned(),
            fingerprint: manifest.fingerprint.clone(),
            body_hash: manifest.body_hash.clone(),
            canonical_hash: hex::encode(Sha256::digest(&canonical)),
            manifest: String::new(),
            created_at: now,
            by: None,
        };
        let stored = StoredManifest { manifest, target, boundary: self.boundary.to_owned(), read };
        let document = serde_json::to_string(&stored).map_err(|e| ApiError::internal(e.to_string()))?;
        Ok(Built { row: ApprovalRow { manifest: document, ..row }, canonical, body, stored })
    }

    fn counter(&self) -> Counter {
        let model = &self.choice.model;
        Counter::for_model(&model.model.provider, &model.target.model)
    }

    /// What goes, with the tokens of each and of all.
    fn count(&self, prompt: &Prompt, parts: &[Part], files: &[PromptFile]) -> Shown {
        let (counter, counts) = (self.counter(), &self.inner.counts);
        let counted = counts.parts(&prompt.user, &prompt.texts);
        let parts_given = parts.len();
        let (of_parts, of_files) = counted.parts.split_at(parts_given);
        let part = |name: &str, text: &str, count: u64| ManifestPart {
            name: name.to_owned(),
            bytes: text.len() as u64,
            tokens: counter.raise(count, text),
        };
        let instructions = part("instructions", &prompt.system, counts.text(&prompt.system));
        let input_tokens = instructions.tokens + counter.raise(counted.whole, &prompt.user) + ENVELOPE_TOKENS;
        let parts = parts.iter().zip(of_parts).map(|(p, count)| part(&p.name, &p.text, *count));
        let texts = prompt.texts[parts_given..].iter().map(|range| &prompt.user[range.clone()]);
        let files = files.iter().zip(of_files.iter().zip(texts));
        Shown {
            parts: std::iter::once(instructions).chain(parts).collect(),
            files: files
                .map(|(file, (count, text))| self.manifest_file(file, counter.raise(*count, text)))
                .collect(),
            input_tokens,
        }
    }

    /// The ranked files that do not go.
    fn left_out(&self, files: &[PromptFile]) -> Vec<String> {
        if !self.question.takes_files {
            return Vec::new();
        }
        let goes = |path: &str| files.iter().any(|file| file.path == path);
        self.ranked.iter().map(|file| &file.path).filter(|path| !goes(path)).cloned().collect()
    }

    /// The chosen files.
    fn read(&self, secrets: &mut Vec<SecretFinding>) -> Result<Vec<ReadFile>, ApiError> {
        let mut files = Vec::with_capacity(self.question.files.len());
        for wanted in &self.question.files {
            let path = &wanted.path;
            let text = self.root.read(path).map_err(|e| {
                let message = format!("{path} cannot be sent: {e}. Untick it, or mend it; nothing was sent.");
                ApiError::invalid("file_unreadable", message).with("path", path)
            })?;
            let on_disk = hex::encode(Sha256::digest(text.as_bytes()));
            // Looked through whole before it is cut: half a key is no less a secret.
            let clean = self.clean(path, &text, secrets);
            let text = match &wanted.cut {
                Some((lines, limit)) => question::cut(&clean, lines, *limit),
                None => clean,
            };
            let file = PromptFile { path: path.clone(), text };
            files.push(ReadFile { file, on_disk });
        }
        Ok(files)
    }

    /// What goes besides files, with the list of paths last.
    fn parts(&self, secrets: &mut Vec<SecretFinding>) -> Result<Vec<Part>, ApiError> {
        let mut parts = Vec::with_capacity(self.question.parts.len() + 1);
        for part in &self.question.parts {
            parts.push(Part { text: self.clean(&part.name, &part.text, secrets), ..part.clone() });
        }
        if let Some(tree) = &self.question.tree {
            parts.push(Part::new("tree", self.clean("tree", &self.tree(tree)?, secrets)));
        }
        Ok(parts)
    }

    /// The text as it would be sent, and what was found in it.
    fn clean(&self, source: &str, text: &str, secrets: &mut Vec<SecretFinding>) -> String {
        let found = self.guard.scan(text);
        let blocking: Vec<guard::Finding> = found.iter().filter(|f| !f.allowed).cloned().collect();
        let redact = self.choice.redact && !blocking.is_empty();
        secrets.extend(found.iter().filter(|f| f.allowed || !redact).map(|f| SecretFinding {
            source: source.to_owned(),
            line: crate::plan_view::count(f.line),
            rule: f.rule.clone(),
            description: f.description.clone(),
            allowed: f.allowed,
        }));
        if redact { guard::redact(text, &blocking) } else { text.to_owned() }
    }

    fn manifest_file(&self, file: &PromptFile, tokens: u64) -> ManifestFile {
        let row = self.ranked.iter().find(|row| row.path == file.path);
        let reasons =
            row.and_then(|row| serde_json::from_str::<Vec<api::discovery::RankReason>>(&row.reasons).ok());
        ManifestFile {
            path: file.path.clone(),
            bytes: file.text.len() as u64,
            tokens,
            reason: reasons
                .and_then(|r| r.into_iter().next())
                .map_or_else(|| "chosen by hand".to_owned(), |r| r.detail),
            changed: false,
        }
    }

    /// The paths the model may name: all of them, or the neighbourhood of the files when they are too many.
    fn tree(&self, which: &Tree) -> Result<String, ApiError> {
        let mut entries = discovery::tree(self.root.path(), &AtomicBool::new(false))
            .map_err(|e| ApiError::invalid("cannot_list", error::sentence(&e.to_string())))?;
        if let Tree::Under(folders) = which {
            entries.retain(|entry| folders.iter().any(|folder| under(&entry.path, folder)));
        }
        let whole: usize = entries.iter().map(|entry| entry.path.len() + 1).sum();
        let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let near: Vec<String> = self.question.files.iter().map(|file| folder(&file.path)).collect();
        let mut tree = String::new();
        let mut left = 0;
        for entry in &entries {
            let listed =
                whole <= MAX_TREE_BYTES || !entry.path.contains('/') || near.contains(&folder(&entry.path));
            if listed && tree.len() + entry.path.len() < MAX_TREE_BYTES {
                tree.push_str(&entry.path);
                tree.push('\n');
            } else {
                left += 1;
            }
        }
        if left > 0 {
            tree.push_str(&format!("(and {left} more files that are not listed)\n"));
        }
        Ok(tree)
    }
}

/// Whether a path lies in a folder; every path lies in the empty one.
pub(crate) fn under(path: &str, folder: &str) -> bool {
    let folder = folder.trim_matches('/');
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn canonical(
    model: &str,
    prompt: &Prompt,
    max_output_tokens: u64,
    web: Option<&llm::WebSearch>,
) -> Result<Vec<u8>, ApiError> {
    let mut request = json!({
        "model": model,
        "messages": [
            { "role": "system", "content": prompt.system },
            { "role": "user", "content": prompt.user },
        ],
        "max_completion_tokens": max_output_tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if let Some(web) = web {
        request[llm::search::FIELD] = json!(web);
    }
    serde_json::to_vec(&request)
        .map_err(|e| ApiError::internal(format!("The request cannot be written: {e}.")))
}

/// The destinations as the person sees them.
fn shown(model: &Resolved) -> Vec<Destination> {
    let all = model.target.destinations.iter();
    all.map(|(provider, model)| Destination { provider: provider.clone(), model: model.clone() }).collect()
}

fn destinations(model: &Resolved) -> Vec<llm::Destination> {
    let all = model.target.destinations.iter();
    all.map(|(provider, model)| llm::Destination { provider: provider.clone(), model: model.clone() })
        .collect()
}

fn overflow(context_window: u64, input: u64, output: u64) -> u64 {
    if context_window == 0 { 0 } else { (input + output).saturating_sub(context_window) }
}

/// What a request would cost.
struct Costs {
    estimate: Option<u64>,
    ceiling: u64,
}

impl Costs {
    fn of(
        prices: Option<Prices>,
        input: u64,
        usual: u64,
        max_output: u64,
        web: Option<&llm::WebSearch>,
    ) -> Costs {
        let Some(prices) = prices else { return Costs { estimate: None, ceiling: 0 } };
        // Counts of other vendors are estimates: the ceiling leaves them a tenth.
        let most = usage(input + input.div_ceil(10), max_output);
        let likely = usage(input, usual);
        let (most, likely) = match web {
            None => (most, likely),
            // What is found is read too, and each search has a price of its own.
            Some(web) => (
                llm::Usage {
                    input_tokens: web.most_input_tokens(most.input_tokens),
                    web_searches: web.max_uses,
                    ..most
                },
                llm::Usage {
                    input_tokens: web.usual_input_tokens(likely.input_tokens),
                    web_searches: web.usual_uses(),
                    ..likely
                },
            ),
        };
        Costs { estimate: Some(cost(prices, &likely)), ceiling: cost(prices, &most) }
    }
}

fn usage(input_tokens: u64, output_tokens: u64) -> llm::Usage {
    llm::Usage { input_tokens, output_tokens, ..llm::Usage::default() }
}

/// The cost of a usage in millionths of a dollar.
pub(crate) fn cost(prices: Prices, usage: &llm::Usage) -> u64 {
    llm::Prices::from(prices).cost_microusd(usage)
}

/// The exact text of a part or file, read from the stored request.
pub(crate) fn text(stored: &StoredManifest, canonical: &[u8], source: &str) -> Option<String> {
    let request: serde_json::Value = serde_json::from_slice(canonical).ok()?;
    let message = |n: usize| request["messages"][n]["content"].as_str();
    let boundary = &stored.boundary;
    let between = |open: String, name: &str| {
        let (_, rest) = message(1)?.split_once(&open)?;
        // A part may have attributes; its text begins after the tag's line.
        let rest = if open.ends_with('\n') { rest } else { rest.split_once('\n')?.1 };
        Some(rest.split_once(&format!("</{name}-{boundary}>"))?.0.to_owned())
    };
    let part = stored.manifest.parts.iter().any(|part| part.name == source);
    match source {
        "instructions" => message(0).map(str::to_owned),
        source if part => between(format!("<{source}-{boundary}"), source),
        path => between(format!("<file-{boundary} path=\"{}\">\n", question::attribute(path)), "file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_bounded_from_above() {
        let prices = Prices { input: 3_000_000, output: 15_000_000, ..Prices::default() };
        let costs = Costs::of(Some(prices), 10_000, 2_500, 16_000, None);
        assert_eq!(costs.estimate, Some(30_000 + 37_500));
        assert_eq!(costs.ceiling, 33_000 + 240_000);
        let unknown = Costs::of(None, 10_000, 2_500, 16_000, None);
        assert_eq!((unknown.estimate, unknown.ceiling), (None, 0));
        // Three searches: the prompt is read four times, and what was found 1 + 2 + 3 times.
        let web = llm::WebSearch { max_uses: 3, allowed_domains: Vec::new() };
        let prices = Prices { web_search: Some(10_000), ..prices };
        let looked_up = Costs::of(Some(prices), 1_000, 500, 4_000, Some(&web));
        assert_eq!(looked_up.ceiling, (4 * 1_100 + 60_000) * 3 + 4_000 * 15 + 30_000);
        assert_eq!(looked_up.estimate, Some((3 * 1_000 + 30_000) * 3 + 500 * 15 + 20_000));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(overflow(0, 1_000_000, 1), 0);
        assert_eq!(overflow(100, 60, 40), 0);
        assert_eq!(overflow(100, 61, 40), 1);
    }
}
