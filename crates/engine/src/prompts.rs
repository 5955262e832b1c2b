//! What models are told to do: the defaults, and what a project has in their place.
//!
//! A text of a project's own is a person's, or a file of the project that a person has seen and trusts as it is. Nothing else
//! in a repository becomes an instruction.

use crate::error::{database, no_project};
use crate::own_texts::{MAX_BYTES, Texts, hash, named};
use crate::question::BOUNDARY;
use crate::{Engine, Inner};
use api::events::Topic;
use api::prompts::{
    DiffPrompt, ListPrompts, Prompt, PromptDiff, PromptList, Prompts, SavePrompt, TrustPrompt,
};
use api::templates::TextOrigin;
use rpc::{ApiError, Caller, ErrorCode};
use std::collections::BTreeMap;
use store::prompts::PromptRow;

/// Where a project may keep prompts.
const FOLDER: &str = ".plantocode/prompts";

/// A built-in prompt. Whoever changes its text raises its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Default {
    /// Its name.
    pub name: &'static str,
    about: &'static str,
    version: u32,
    text: &'static str,
}

macro_rules! defaults {
    ($($constant:ident = $name:literal, $version:literal, $about:literal;)*) => {
        $(
            #[doc = $about]
            pub(crate) const $constant: Default = Default {
                name: $name,
                about: $about,
                version: $version,
                text: include_str!(concat!("prompts/", $name, ".md")),
            };
        )*
        /// All of them.
        const ALL: &[Default] = &[$($constant),*];
    };
}

defaults! {
    PLAN = "plan", 1, "A plan of a change.";
    COMPLETE = "plan-complete", 1, "The rest of a plan that was cut; follows `plan`.";
    MERGE = "plan-merge", 1, "One plan made of several; follows `plan`.";
    STEP = "plan-step", 1, "A change of one step; follows `plan`.";
    FIND_ROOTS = "find-roots", 1, "Folders worth a look.";
    FIND_PATTERNS = "find-patterns", 1, "Patterns of paths.";
    FIND_RELEVANCE = "find-relevance", 1, "Which of the found files matter.";
    FIND_EXTEND = "find-extend", 1, "Files that were missed.";
    REFINE = "refine", 1, "A task put precisely.";
    IMPROVE = "improve", 1, "A passage of a task in better words.";
    RESEARCH_QUESTIONS = "research-questions", 1, "Questions to look up on the web.";
    RESEARCH_ANSWER = "research-answer", 1, "An answer from the web to one question; SEARCHES stands for how often it may be searched.";
    WEB_FINDINGS = "plan-web-findings", 1, "What was looked up; follows `plan`.";
}

/// What is used, and what is only shown. A person's own text wins over a trusted file, that over the default.
fn gathered(rows: &[PromptRow], files: &BTreeMap<String, String>) -> Vec<Prompt> {
    let mut all = Vec::new();
    for default in ALL {
        let row = rows.iter().find(|row| row.name == default.name);
        let prompt = |text: &str, origin| Prompt {
            name: default.name.to_owned(),
            about: default.about.to_owned(),
            text: text.to_owned(),
            origin,
            version: default.version,
            made_from: None,
            hash: hash(text),
        };
        let file = files.get(default.name).map(|text| (text, hash(text)));
        let trusted = |hash: &String| row.is_some_and(|row| row.trusted_hash.as_ref() == Some(hash));
        let own = row.and_then(|row| Some((row.text.as_ref()?, row.made_from)));
        all.push(match (own, &file) {
            (Some((text, made_from)), _) => Prompt { made_from, ..prompt(text, TextOrigin::Own) },
            (None, Some((text, hash))) if trusted(hash) => prompt(text, TextOrigin::File),
            _ => prompt(default.text, TextOrigin::BuiltIn),
        });
        if let Some((text, _)) = file.filter(|(_, hash)| !trusted(hash)) {
            all.push(prompt(text, TextOrigin::Untrusted));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Whether a text can stand in for a default: without the boundary a model could not tell its instructions from a file.
fn check(text: &str) -> Result<(), ApiError> {
    let refused = |message: String| Err(ApiError::invalid("prompt", message));
    if text.trim().is_empty() || text.len() > MAX_BYTES {
        return refused(format!("A prompt has between 1 and {MAX_BYTES} bytes. Nothing was stored."));
    }
    if !text.contains(BOUNDARY) {
        return refused(format!(
            "The prompt does not say {BOUNDARY}, which stands for the end of every tag: without it a model cannot tell where \
             a file ends. The default shows how it is used. Nothing was stored."
        ));
    }
    Ok(())
}

fn is_file(prompt: &Prompt) -> bool {
    matches!(prompt.origin, TextOrigin::File | TextOrigin::Untrusted)
}

fn no_prompt(name: &str) -> ApiError {
    ApiError::not_found("no_prompt", "There is no prompt of this name.").with("name", name)
}

impl Inner {
    async fn prompts(&self, project: &str) -> Result<Vec<Prompt>, ApiError> {
        let key = project.to_owned();
        let rows = self.store.read(move |db| store::prompts::list(db, &key)).await.map_err(database)?;
        let root = self.root(project).await?;
        Ok(tokio::task::block_in_place(|| {
            let file =
                |default: &Default| Some((default.name.to_owned(), named(&root, FOLDER, default.name)?));
            gathered(&rows, &ALL.iter().filter_map(file).collect())
        }))
    }

    /// The instructions of a question in a project: the texts of these prompts, one after the other.
    pub(crate) async fn instructions(&self, project: &str, wanted: &[Default]) -> Result<String, ApiError> {
        let prompts = self.prompts(project).await?;
        let text = |default: &Default| {
            let used = prompts
                .iter()
                .find(|prompt| prompt.name == default.name && prompt.origin != TextOrigin::Untrusted);
            // A file may have been trusted that no longer fits: then nothing is asked in its name.
            used.map_or(Ok(default.text.to_owned()), |prompt| {
                check(&prompt.text).map(|()| prompt.text.clone())
            })
        };
        let texts: Vec<String> = wanted.iter().map(text).collect::<Result<_, ApiError>>()?;
        Ok(texts.join("\n"))
    }

    /// Changes what is kept of a prompt.
    async fn keep_prompt(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut PromptRow) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<PromptList, ApiError> {
        let (key, name) = (project.to_owned(), name.to_owned());
        self.store
            .write(move |db| {
                if store::projects::get(db, &key)?.is_none() {
                    return Ok(Err(no_project(&key)));
                }
                let rows = store::prompts::list(db, &key)?;
                let none = PromptRow { name: name.clone(), ..PromptRow::default() };
                let mut row = rows.into_iter().find(|row| row.name == name).unwrap_or(none);
                if let Err(refused) = change(&mut row) {
                    return Ok(Err(refused));
                }
                store::prompts::put(db, &key, &row)?;
                Ok(Ok(()))
            })
            .await
            .map_err(database)??;
        self.bus.tell(Topic::Prompt, project, None);
        Ok(PromptList { prompts: self.prompts(project).await? })
    }
}

impl Prompts for Engine {
    async fn list(&self, _: &Caller, request: ListPrompts) -> Result<PromptList, ApiError> {
        Ok(PromptList { prompts: self.inner.prompts(&request.project.0).await? })
    }

    async fn diff(&self, _: &Caller, request: DiffPrompt) -> Result<PromptDiff, ApiError> {
        let prompts = self.inner.prompts(&request.project.0).await?;
        let wanted = |prompt: &&Prompt| {
            prompt.name == request.name && request.untrusted == (prompt.origin == TextOrigin::Untrusted)
        };
        let prompt = prompts.iter().find(wanted).ok_or_else(|| no_prompt(&request.name))?;
        let default = ALL.iter().find(|default| default.name == request.name);
        let default = default.ok_or_else(|| no_prompt(&request.name))?;
        let text = similar::TextDiff::from_lines(default.text, &prompt.text)
            .unified_diff()
            .context_radius(3)
            .header("default", &request.name)
            .to_string();
        Ok(PromptDiff { text: if default.text == prompt.text { String::new() } else { text } })
    }

    async fn save(&self, _: &Caller, request: SavePrompt) -> Result<PromptList, ApiError> {
        let default = ALL.iter().find(|default| default.name == request.name);
        let default = *default.ok_or_else(|| no_prompt(&request.name))?;
        request.text.as_deref().map(check).transpose()?;
        let root = self.inner.root(&request.project.0).await?;
        let file = tokio::task::block_in_place(|| named(&root, FOLDER, default.name));
        let SavePrompt { text, base, .. } = request;
        self.inner
            .keep_prompt(&request.project.0, default.name, move |row| {
                let (own, trusted) = (row.text.as_deref(), row.trusted_hash.as_deref());
                Texts { own, file: file.as_deref(), trusted, built_in: Some(default.text) }
                    .check_base(base.as_deref())?;
                row.made_from = text.is_some().then_some(default.version);
                row.text = text;
                Ok(())
            })
            .await
    }

    async fn trust(&self, _: &Caller, request: TrustPrompt) -> Result<PromptList, ApiError> {
        if let Some(wanted) = &request.hash {
            let now = self.inner.prompts(&request.project.0).await?;
            let shown = now.iter().find(|p| is_file(p) && p.name == request.name && p.hash == *wanted);
            let Some(shown) = shown else {
                let message =
                    "The file is not what was shown, or is gone. Nothing is trusted; look at it again.";
                return Err(ApiError::new(ErrorCode::Conflict, "prompt_changed", message));
            };
            check(&shown.text)?;
        }
        let hash = request.hash;
        self.inner
            .keep_prompt(&request.project.0, &request.name, move |row| {
                row.trusted_hash = hash;
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the defaults by their hashes: whoever changes one raises its version, so that people who made their
    /// own from it are told.
    #[test]
    fn a_changed_default_has_a_new_version() {
        let told: Vec<String> = ALL
            .iter()
            .map(|default| format!("{} {} {}", default.name, default.version, &hash(default.text)[..12]))
            .collect();
        let known = include_str!("prompts/versions.txt");
        assert_eq!(
            told.join("\n"),
            known.trim_end(),
            "raise the version, then write this to prompts/versions.txt"
        );
        assert!(ALL.iter().all(|default| check(default.text).is_ok()));
    }

    #[test]
    fn a_persons_text_wins_over_a_trusted_file_and_that_over_the_default() {
        let file = "A file's BOUNDARY".to_owned();
        let files: BTreeMap<String, String> =
            [("plan".into(), file.clone()), ("nothing".into(), "x".into())].into();
        let used = |rows: &[PromptRow]| {
            let all = gathered(rows, &files);
            let plan: Vec<_> = all.iter().filter(|p| p.name == "plan").map(|p| p.origin).collect();
            assert!(all.iter().all(|p| p.name != "nothing"), "only known prompts have files");
            plan
        };
        let row = PromptRow { name: "plan".into(), ..PromptRow::default() };
        assert_eq!(used(&[]), [TextOrigin::BuiltIn, TextOrigin::Untrusted]);
        let trusted = PromptRow { trusted_hash: Some(hash(&file)), ..row.clone() };
        assert_eq!(used(std::slice::from_ref(&trusted)), [TextOrigin::File]);
        let own = PromptRow { text: Some("Own BOUNDARY".into()), made_from: Some(1), ..trusted };
        assert_eq!(used(&[own]), [TextOrigin::Own]);
        let stale = PromptRow { trusted_hash: Some(hash("before")), ..row };
        assert_eq!(used(&[stale]), [TextOrigin::BuiltIn, TextOrigin::Untrusted]);
    }
}
