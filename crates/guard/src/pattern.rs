use std::sync::OnceLock;

use regex::Regex;

/// A regex that is compiled when it is first needed.
///
/// Compiling all built-in rules takes longer than starting the rest of a program, and a text meets the keywords of a few
/// rules only. Several threads may ask at once: one compiles, all get the same regex.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    /// Nothing inside if the text is no regex: such a pattern matches nothing.
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(text: String) -> Self {
        Self { text, regex: OnceLock::new() }
    }

    /// The regex. Nothing if there is none in the text, which [`Pattern::check`] would have told.
    pub(crate) fn get(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(&self.text).ok()).as_ref()
    }

    /// Compiles now what is to be used later, and says how many groups it has, the whole match among them.
    pub(crate) fn check(&self) -> Result<usize, regex::Error> {
        let regex = Regex::new(&self.text)?;
        let groups = regex.captures_len();
        // If it was compiled before, that one is as good.
        let _ = self.regex.set(Some(regex));
        Ok(groups)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }

    #[cfg(test)]
    pub(crate) fn is_compiled(&self) -> bool {
        self.regex.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_at_its_first_use_or_when_checked() {
        let pattern = Pattern::new("a(b)".into());
        assert!(!pattern.is_compiled());
        assert!(pattern.is_match("ab") && pattern.is_compiled());
        let pattern = Pattern::new("a(b)".into());
        assert_eq!(pattern.check(), Ok(2));
        assert!(pattern.is_compiled());
    }

    #[test]
    fn what_is_no_regex_matches_nothing_and_a_check_says_so() {
        let pattern = Pattern::new("(".into());
        assert!(pattern.check().is_err());
        assert!(!pattern.is_match("(") && pattern.get().is_none());
    }

    #[test]
    fn threads_that_ask_at_once_get_the_same_regex() {
        let pattern = Pattern::new("a+".into());
        let seen: Vec<_> = std::thread::scope(|scope| {
            let ask = || pattern.get().map(std::ptr::from_ref).map(|at| at as usize);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(seen[0].is_some() && seen.iter().all(|at| *at == seen[0]));
    }
}
