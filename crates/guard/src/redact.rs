use crate::Finding;

/// The text with every finding that is not allowed replaced by `[redacted:RULE]`.
///
/// The replacement names the rule, so that a reader (a person or a model) knows that something stood there and of
/// what kind. Lines are kept: line breaks inside a secret stay as they are, LF or CR LF, so that positions by line
/// remain true. The replacement has no quote and no backslash, so a string of JSON or of a program stays a string.
/// The length is not kept, because it would say something about the secret.
///
/// `findings` must come from a scan of exactly this text; one whose range does not fit it is skipped.
pub fn redact(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for finding in findings.iter().filter(|finding| !finding.allowed) {
        let Some(secret) = text.get(finding.start..finding.end).filter(|_| finding.start >= at) else {
            continue;
        };
        out.push_str(&text[at..finding.start]);
        out.push_str("[redacted:");
        out.push_str(&finding.rule);
        out.push(']');
        for line_end in secret.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            out.push_str(if line_end.ends_with("\r\n") { "\r\n" } else { "\n" });
        }
        at = finding.end;
    }
    out.push_str(&text[at..]);
    out
}
