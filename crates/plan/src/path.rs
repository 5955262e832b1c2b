//! Which paths a plan may name. A plan is written by a model that has read hostile files: a path is data until
//! it has passed here.

/// Why a path may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// It is empty.
    #[error("the path is empty")]
    Empty,
    /// It starts at the root of a file system or names a drive.
    #[error("the path is absolute; paths are relative to the project")]
    Absolute,
    /// It has a component that is empty, `.` or `..`.
    #[error("the path leaves the project or has empty parts")]
    Climbs,
    /// It has a NUL, another control character, or a character that cannot be seen.
    #[error("the path contains characters that cannot be seen")]
    Invisible,
    /// It is inside git's own folder.
    #[error("the path is inside .git")]
    Git,
    /// It means something else on Windows: a device, a stream, a short name, a trailing dot or space, a backslash.
    #[error("the path means something else on Windows")]
    Windows,
}

/// Whether `path` is a plain relative path with `/`, on every system.
///
/// # Errors
/// The first [`PathProblem`] found.
pub fn check(path: &str) -> Result<(), PathProblem> {
    if path.is_empty() {
        return Err(PathProblem::Empty);
    }
    if path.chars().any(is_invisible) {
        return Err(PathProblem::Invisible);
    }
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with(['/', '\\', '~']) || drive {
        return Err(PathProblem::Absolute);
    }
    for part in path.split('/') {
        check_part(part)?;
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), PathProblem> {
    if matches!(part, "" | "." | "..") {
        return Err(PathProblem::Climbs);
    }
    // NTFS and HFS+ find `.git` under other spellings too.
    let folded = part.trim_end_matches(['.', ' ']).to_lowercase();
    if folded == ".git" || folded.starts_with(".git:") || folded.starts_with("git~") {
        return Err(PathProblem::Git);
    }
    let short_name = part.split_once('~').is_some_and(|(stem, rest)| {
        stem.len() <= 6
            && !stem.is_empty()
            && rest.split('.').next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    if part.contains([':', '\\']) || part.ends_with(['.', ' ']) || short_name || is_device(part) {
        return Err(PathProblem::Windows);
    }
    Ok(())
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || numbered("com")
        || numbered("lpt")
}

/// Whether a character changes or hides text without being seen: controls, bidirectional marks, zero-width characters,
/// fillers, Unicode tags and the variation selectors in which data can be hidden. Tab and line feed are not; they are text.
/// Nor are the two selectors that say whether a sign is drawn as text or as an emoji (U+FE0E, U+FE0F): they are in much that
/// people write.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n'))
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a file steers tools or agents rather than the program: changing it can run code on the machine of
/// whoever opens the project next.
pub fn is_control_file(path: &str) -> bool {
    let lower = path.to_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let folder = |prefix: &str| lower.starts_with(prefix) || lower.contains(&format!("/{prefix}"));
    matches!(
        name,
        ".envrc"
            | "agents.md"
            | "claude.md"
            | "gemini.md"
            | ".cursorrules"
            | ".mcp.json"
            | ".gitattributes"
            | ".gitmodules"
            | ".gitconfig"
            | ".npmrc"
            | ".pre-commit-config.yaml"
            | "package.json"
            | ".bashrc"
            | ".gitlab-ci.yml"
            | "jenkinsfile"
    ) || [
        ".github/workflows/",
        ".github/actions/",
        ".vscode/",
        ".idea/",
        ".claude/",
        ".cursor/",
        ".codex/",
        ".husky/",
        ".cargo/",
        ".devcontainer/",
        ".circleci/",
    ]
    .iter()
    .any(|prefix| folder(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "a",
            "src/http.rs",
            ".github/workflows/ci.yml",
            "a b/ü.txt",
            "x~y/z",
            "console/aux_file.rs",
            ".gitignore",
            "git~/a",
            "backup~file",
        ] {
            let expected = if path == "git~/a" { Err(PathProblem::Git) } else { Ok(()) };
            assert_eq!(check(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_that_are_not_what_they_seem_are_refused() {
        use PathProblem::{Absolute, Climbs, Empty, Git, Invisible, Windows};
        for (path, problem) in [
            ("", Empty),
            ("/etc/passwd", Absolute),
            ("\\\\server\\x", Absolute),
            ("C:/x", Absolute),
            ("~/x", Absolute),
            ("a/../b", Climbs),
            ("..", Climbs),
            ("./a", Climbs),
            ("a//b", Climbs),
            ("a/", Climbs),
            ("a\0b", Invisible),
            ("a\u{202e}b", Invisible),
            ("a\u{200b}", Invisible),
            ("a\nb\r", Invisible),
            ("a\u{e0041}", Invisible),
            (".git/config", Git),
            ("x/.GIT/hooks/pre-commit", Git),
            (".git./x", Git),
            ("GIT~1/x", Git),
            (".git::$INDEX_ALLOCATION/x", Git),
            ("ab:c", Windows),
            ("a\\b", Windows),
            ("a.", Windows),
            ("a /b", Windows),
            ("nul", Windows),
            ("src/CON.rs", Windows),
            ("com1", Windows),
            ("PROGRA~1/x", Windows),
        ] {
            assert_eq!(check(path), Err(problem), "{path:?}");
        }
    }

    #[test]
    fn files_that_steer_tools_are_known() {
        for path in [
            ".github/workflows/ci.yml",
            "AGENTS.md",
            "sub/.vscode/tasks.json",
            "web/package.json",
            ".claude/settings.json",
        ] {
            assert!(is_control_file(path), "{path}");
        }
        for path in ["src/agents.rs", "docs/workflows.md", "github/workflows/x"] {
            assert!(!is_control_file(path), "{path}");
        }
    }
}
