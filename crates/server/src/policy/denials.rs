//! What an operator has ruled out: models, and files that a client says are in its request.

use actix_web::http::StatusCode;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::ServerError;
use crate::config::Filter;
use crate::error::ApiError;

/// The patterns of the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Denials {
    models: GlobSet,
    files: GlobSet,
}

impl Denials {
    pub fn new(settings: &Filter) -> Result<Self, ServerError> {
        let set = |name: &str, patterns: &[String]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                let wrong = |error: globset::Error| ServerError::Config(format!("{name} {pattern}: {error}"));
                set.add(Glob::new(pattern).map_err(wrong)?);
            }
            set.build().map_err(|error| ServerError::Config(format!("{name}: {error}")))
        };
        Ok(Self {
            models: set("deny_models", &settings.deny_models)?,
            files: set("deny_files", &settings.deny_files)?,
        })
    }

    /// Refuses a model or a file that is ruled out.
    pub fn check(&self, model: &str, files: &[String]) -> Result<(), ApiError> {
        // `provider/model` asks for the same model.
        let bare = model.split_once('/').map_or(model, |(_, model)| model);
        if self.models.is_match(model) || self.models.is_match(bare) {
            let message = format!("the model `{model}` is ruled out here");
            return Err(ApiError::new(StatusCode::FORBIDDEN, "model_denied", message));
        }
        if let Some(file) = files.iter().find(|file| self.files.is_match(file)) {
            let message = format!("the file {file} may not be sent from here; leave it out");
            return Err(ApiError::new(StatusCode::FORBIDDEN, "file_denied", message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_rule_out_models_and_files_and_a_wrong_one_is_told() {
        let filter = |models: &[&str], files: &[&str]| Filter {
            deny_models: models.iter().map(|text| (*text).to_owned()).collect(),
            deny_files: files.iter().map(|text| (*text).to_owned()).collect(),
            ..Filter::default()
        };
        let denials = Denials::new(&filter(&["*-preview", "o1"], &["**/.env", "secrets/**"])).unwrap();
        let code =
            |model: &str, file: &str| denials.check(model, &[file.to_owned()]).map_err(|error| error.code);
        assert_eq!(code("gpt-5-preview", "a"), Err("model_denied"));
        assert_eq!(code("openai/o1", "a"), Err("model_denied"));
        assert_eq!(code("gpt-5", "deploy/.env"), Err("file_denied"));
        assert_eq!(code("gpt-5", ".env"), Err("file_denied"));
        assert_eq!(code("gpt-5", "secrets/a/b.txt"), Err("file_denied"));
        assert_eq!(code("o1-mini", "src/env.rs"), Ok(()));
        let wrong = Denials::new(&filter(&["a["], &[])).unwrap_err().to_string();
        assert!(wrong.contains("deny_models a["), "{wrong}");
    }
}
