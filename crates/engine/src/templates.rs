//! The texts in which a plan is handed over: built in, a project's own, and files of a project once a person trusts them.

use crate::error::{database, no_project};
use crate::own_texts::{MAX_BYTES, Texts, files, hash, is_name, named};
use crate::review::gate::Wanted;
use crate::{Engine, Inner};
use api::SessionId;
use api::events::Topic;
use api::templates::{
    ListTemplates, RenderTemplate, RenderedTemplate, SaveTemplate, Template, TemplateList, Templates,
    TextOrigin, TrustTemplate,
};
use plan::template::{BUILT_IN, Values, render};
use rpc::{ApiError, Caller, ErrorCode};
use std::collections::BTreeMap;
use store::templates::TemplateRow;

/// Where a project may keep templates.
const FOLDER: &str = ".plantocode/templates";

/// What counts, and what is only shown. A person's own text wins over a trusted file, that over what is built in.
fn gathered(rows: &[TemplateRow], files: &BTreeMap<String, String>) -> Vec<Template> {
    let mut found: BTreeMap<String, Template> = BUILT_IN
        .iter()
        .map(|b| {
            let template = Template {
                name: b.name.to_owned(),
                about: b.about.to_owned(),
                text: b.text.to_owned(),
                origin: TextOrigin::BuiltIn,
                hash: hash(b.text),
            };
            (b.name.to_owned(), template)
        })
        .collect();
    let mut shown = Vec::new();
    let about = |name: &str| BUILT_IN.iter().find(|b| b.name == name).map_or("", |b| b.about).to_owned();
    for (name, text) in files {
        let hash = hash(text);
        let trusted = rows.iter().any(|row| row.name == *name && row.trusted_hash.as_deref() == Some(&hash));
        let origin = if trusted { TextOrigin::File } else { TextOrigin::Untrusted };
        let (name, about) = (name.clone(), about(name));
        let template = Template { name: name.clone(), about, text: text.clone(), origin, hash };
        if trusted {
            found.insert(name, template);
        } else {
            shown.push(template);
        }
    }
    for row in rows {
        if let Some(text) = &row.text {
            let template = Template {
                name: row.name.clone(),
                about: about(&row.name),
                text: text.clone(),
                origin: TextOrigin::Own,
                hash: hash(text),
            };
            found.insert(row.name.clone(), template);
        }
    }
    let mut all: Vec<Template> = found.into_values().chain(shown).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl Inner {
    async fn templates(&self, project: &str) -> Result<Vec<Template>, ApiError> {
        let key = project.to_owned();
        let rows = self.store.read(move |db| store::templates::list(db, &key)).await.map_err(database)?;
        let root = self.root(project).await?;
        Ok(tokio::task::block_in_place(|| gathered(&rows, &files(&root, FOLDER))))
    }

    /// What may be handed over of a plan, in a template; and the plan's session.
    pub(crate) async fn in_template(
        &self,
        name: &str,
        wanted: Wanted<'_>,
    ) -> Result<(SessionId, String), ApiError> {
        let (session, whole) = self.plan_text(Wanted { step: None, ..wanted }).await?;
        let content = match wanted.step {
            Some(_) => self.plan_text(wanted).await?.1,
            None => whole.clone(),
        };
        let row = self.session(&session).await?;
        let templates = self.templates(&row.project_id).await?;
        let used = templates.into_iter().find(|t| t.name == name && t.origin != TextOrigin::Untrusted);
        let Some(template) = used else {
            let message = format!(
                "There is no template “{name}” that may be used. A file of the project has to be trusted first. Nothing was \
                 handed over."
            );
            return Err(ApiError::not_found("no_template", message));
        };
        let values = Values { plan: &whole, task: &row.task, step: &content };
        Ok((session, render(&template.text, values)))
    }

    /// Changes what is kept of a template.
    async fn keep(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut TemplateRow) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<TemplateList, ApiError> {
        let (key, name) = (project.to_owned(), name.to_owned());
        self.store
            .write(move |db| {
                if store::projects::get(db, &key)?.is_none() {
                    return Ok(Err(no_project(&key)));
                }
                let rows = store::templates::list(db, &key)?;
                let none = TemplateRow { name: name.clone(), text: None, trusted_hash: None };
                let mut row = rows.into_iter().find(|row| row.name == name).unwrap_or(none);
                if let Err(refused) = change(&mut row) {
                    return Ok(Err(refused));
                }
                store::templates::put(db, &key, &row)?;
                Ok(Ok(()))
            })
            .await
            .map_err(database)??;
        self.bus.tell(Topic::Template, project, None);
        Ok(TemplateList { templates: self.templates(project).await? })
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if is_name(name) {
        return Ok(());
    }
    let message =
        "A template's name has letters, digits, dashes and underscores, at most 64. Nothing was stored.";
    Err(ApiError::invalid("template_name", message))
}

impl Templates for Engine {
    async fn list(&self, _: &Caller, request: ListTemplates) -> Result<TemplateList, ApiError> {
        Ok(TemplateList { templates: self.inner.templates(&request.project.0).await? })
    }

    async fn render(&self, _: &Caller, request: RenderTemplate) -> Result<RenderedTemplate, ApiError> {
        let RenderTemplate { template, plan, version, step, all } = request;
        let (_, text) = self.inner.in_template(&template, Wanted { plan: &plan, version, step, all }).await?;
        Ok(RenderedTemplate { text })
    }

    async fn save(&self, _: &Caller, request: SaveTemplate) -> Result<TemplateList, ApiError> {
        if request.text.as_ref().is_some_and(|text| text.len() > MAX_BYTES || text.trim().is_empty()) {
            let message = format!("A template has between 1 and {MAX_BYTES} bytes. Nothing was stored.");
            return Err(ApiError::invalid("template_length", message));
        }
        check_name(&request.name)?;
        let SaveTemplate { project, name, text, base } = request;
        let root = self.inner.root(&project.0).await?;
        let file = tokio::task::block_in_place(|| named(&root, FOLDER, &name));
        let built_in = BUILT_IN.iter().find(|b| b.name == name).map(|b| b.text);
        self.inner
            .keep(&project.0, &name, move |row| {
                let (own, trusted) = (row.text.as_deref(), row.trusted_hash.as_deref());
                Texts { own, file: file.as_deref(), trusted, built_in }.check_base(base.as_deref())?;
                row.text = text;
                Ok(())
            })
            .await
    }

    async fn trust(&self, _: &Caller, request: TrustTemplate) -> Result<TemplateList, ApiError> {
        if let Some(wanted) = &request.hash {
            let now = self.inner.templates(&request.project.0).await?;
            let is_file = |t: &Template| matches!(t.origin, TextOrigin::File | TextOrigin::Untrusted);
            let shown = now.iter().any(|t| is_file(t) && t.name == request.name && t.hash == *wanted);
            if !shown {
                let message =
                    "The file is not what was shown, or is gone. Nothing is trusted; look at it again.";
                return Err(ApiError::new(ErrorCode::Conflict, "template_changed", message));
            }
        }
        check_name(&request.name)?;
        let hash = request.hash;
        self.inner
            .keep(&request.project.0, &request.name, move |row| {
                row.trusted_hash = hash;
                Ok(())
            })
            .await
    }
}
