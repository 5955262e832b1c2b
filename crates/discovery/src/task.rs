/// A task in words, and what can be read out of them without knowing the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    title: String,
    text: String,
}

impl Task {
    /// Reads a task. Any text is one: an empty task finds nothing, which is not an error.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let title = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Self { title: title.to_owned(), text: text.to_owned() }
    }

    /// The first line that is not empty.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The whole text as given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
