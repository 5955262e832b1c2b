//! Globs that name files of a project, written as in `.gitignore`.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Some globs. `*.md` matches at any depth, `/README.md` at the top, `docs/` everything in a folder `docs`, and a
/// leading `!` takes back what an earlier glob matched.
#[derive(Clone, Debug)]
pub struct Patterns {
    each: Vec<(String, Gitignore)>,
    all: Gitignore,
}

/// A glob that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{glob}` is not a glob: {problem}")]
pub struct PatternError {
    glob: String,
    problem: String,
}

impl Patterns {
    /// Reads globs.
    ///
    /// # Errors
    /// When one of them is not a glob.
    pub fn new<S: AsRef<str>>(globs: &[S]) -> Result<Patterns, PatternError> {
        let globs: Vec<&str> = globs.iter().map(AsRef::as_ref).collect();
        let each = globs.iter().map(|glob| Ok(((*glob).to_owned(), read(&[glob])?)));
        Ok(Patterns { each: each.collect::<Result<_, PatternError>>()?, all: read(&globs)? })
    }

    /// Whether a file, by its path in the project, is named.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.all.matched_path_or_any_parents(path, false).is_ignore()
    }

    /// The globs that match none of these files, in the order they were given.
    #[must_use]
    pub fn idle<'a>(&self, paths: impl Iterator<Item = &'a str> + Clone) -> Vec<&str> {
        let matches = |set: &Gitignore| {
            set.num_whitelists() > 0
                || paths.clone().any(|path| set.matched_path_or_any_parents(path, false).is_ignore())
        };
        self.each.iter().filter(|(_, set)| !matches(set)).map(|(glob, _)| glob.as_str()).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }
}

fn read(globs: &[&str]) -> Result<Gitignore, PatternError> {
    let fault = |glob: &str, problem: String| PatternError { glob: glob.to_owned(), problem };
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(false);
    for glob in globs {
        // An ignore file takes these for a comment and an empty line; on a command line they are a mistake.
        if glob.trim().is_empty() || glob.starts_with('#') {
            return Err(fault(glob, "it names no file".to_owned()));
        }
        let plain = glob.strip_prefix("./").unwrap_or(glob);
        builder.add_line(None, plain).map_err(|error| fault(glob, error.to_string()))?;
    }
    builder.build().map_err(|error| fault(&globs.join(" "), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_ignore_files() {
        let set = Patterns::new(&["*.md", "/docs/", "!docs/keep.md", "src/**/x.rs", "./a/b.c"]).unwrap();
        for path in ["README.md", "deep/er/x.md", "docs/a.txt", "src/x.rs", "src/a/b/x.rs", "a/b.c"] {
            assert!(set.matches(path), "{path}");
        }
        for path in ["docs.txt", "lib/docs/a.txt", "docs/keep.md", "x.rs", "z/a/b.c"] {
            assert!(!set.matches(path), "{path}");
        }
        assert_eq!(set.idle(["a.md", "docs/x", "a/b.c"].into_iter()), ["src/**/x.rs"]);
        assert!(!Patterns::new::<&str>(&[]).unwrap().matches("a"));
    }

    #[test]
    fn what_is_no_glob_is_said() {
        for glob in ["", " ", "a[", "#x", "{a"] {
            let error = Patterns::new(&[glob]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{glob}` is not a glob: ")), "{error}");
        }
    }
}
