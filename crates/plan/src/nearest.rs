//! Which existing path was probably meant.

/// How unlike two paths may be, from 0 (nothing in common) to 1 (equal), and still be suggested.
const MIN_SIMILARITY: f64 = 0.6;

/// The candidate that `path` most probably means: the same file name elsewhere, else the most similar path.
/// Ties go to the candidate that sorts first. `None` when nothing is similar enough.
pub fn nearest<'a>(path: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = file_name(path);
    let others: Vec<&str> = candidates.into_iter().filter(|candidate| *candidate != path).collect();
    let score = |candidate: &str| {
        // Names weigh more than folders: files move more often than they are renamed.
        let names = strsim::normalized_levenshtein(file_name(candidate), name);
        0.6 * names + 0.4 * strsim::normalized_levenshtein(candidate, path)
    };
    let best = |candidates: &mut dyn Iterator<Item = &'a str>| {
        candidates
            .map(|candidate| (candidate, score(candidate)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(a.0)))
    };
    let same_name = best(&mut others.iter().copied().filter(|candidate| file_name(candidate) == name));
    // Measuring every path of a large tree takes long; one whose name is much longer or shorter is not alike enough.
    let near = |candidate: &&str| {
        let (a, b) = (file_name(candidate).len(), name.len());
        3 * a.min(b) >= a.max(b)
    };
    same_name
        .or_else(|| {
            best(&mut others.iter().copied().filter(near)).filter(|(_, score)| *score >= MIN_SIMILARITY)
        })
        .map(|(candidate, _)| candidate)
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
