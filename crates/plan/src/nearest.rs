//! Which existing path was probably meant.

/// How unlike two paths may be, from 0 (nothing in common) to 1 (equal), and still be suggested.
const MIN_SIMILARITY: f64 = 0.6;

/// The candidate that `path` most probably means: the same file name elsewhere, else the most similar path.
/// Ties go to the candidate that sorts first. `None` when nothing is similar enough.
pub fn nearest<'a>(path: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = file_name(path);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != path)
        .map(|candidate| {
            let same_name = file_name(candidate) == name;
            // Names weigh more than folders: files move more often than they are renamed.
            let names = strsim::normalized_levenshtein(file_name(candidate), name);
            let whole = strsim::normalized_levenshtein(candidate, path);
            let score = 0.6 * names + 0.4 * whole;
            (candidate, same_name, score)
        })
        .filter(|(_, same_name, score)| *same_name || *score >= MIN_SIMILARITY)
        .max_by(|a, b| {
            (a.1, a.2).partial_cmp(&(b.1, b.2)).unwrap_or(std::cmp::Ordering::Equal).then(b.0.cmp(a.0))
        })
        .map(|(candidate, ..)| candidate)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_or_misspelt_file_is_found() {
        let files = ["src/net/send.rs", "src/http.rs", "src/net/retry.rs", "README.md"];
        assert_eq!(nearest("src/send.rs", files), Some("src/net/send.rs"));
        assert_eq!(nearest("src/htttp.rs", files), Some("src/http.rs"));
        assert_eq!(nearest("completely/other.py", files), None);
    }
}
