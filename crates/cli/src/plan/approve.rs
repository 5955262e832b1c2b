//! Shows what would be sent, and asks.

use super::approval_of;
use crate::exit::{self, Ended};
use crate::show::{self, BAD, QUIET, STRONG, WARN, styled};
use api::approvals::{
    ApprovalsClient, Approve, GetApproval, GetText, Manifest, ManifestWeb, Remember, Revise,
};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use clap::Args;
use host::Host;
use rpc::ApiError;
use std::io::{BufRead, IsTerminal, Write};

/// Files that are listed before the rest is summed up.
const LISTED: usize = 40;

/// Paths are padded to the widest one, but not beyond this.
const WIDEST_PATH: usize = 56;

/// What the person has said beforehand.
pub struct Terms {
    /// Secrets are replaced.
    pub redact: bool,
    /// What cannot cost more than this many dollars is approved.
    pub yes_up_to: Option<f64>,
    /// A permission for more covers searches of the web.
    pub web: bool,
    /// What cannot be approved waits on; otherwise it is refused, since nobody would come back to it.
    pub leave: bool,
}

/// How a model is asked, as the options of a command say it.
#[derive(Args)]
pub struct Asking {
    /// The model, as `plantocode models list` names it; the first of them if left out.
    #[arg(long)]
    pub model: Option<String>,
    /// Replace secrets that are found, instead of stopping.
    #[arg(long)]
    redact: bool,
    /// Approve without asking if it cannot cost more than this many dollars.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    yes_up_to: Option<f64>,
}

impl Asking {
    /// Whether anything was said about it.
    pub fn is_given(&self) -> bool {
        self.model.is_some() || self.redact || self.yes_up_to.is_some()
    }

    /// What was said beforehand.
    pub fn terms(&self) -> Terms {
        Terms { redact: self.redact, yes_up_to: self.yes_up_to, web: false, leave: false }
    }
}

/// An amount of dollars, as an option gives it.
///
/// # Errors
/// For anything but a number from 0 on: of what is no number nothing can be more.
pub fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.trim_start_matches('$').parse::<f64>().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| "an amount of dollars is a number, such as 0.25".to_owned())
}

/// What the person said.
enum Answer {
    /// Send this, and perhaps what the session asks later within these bounds.
    Send(Option<Remember>),
    Refuse,
    Untick(Vec<usize>),
    Redact,
    Model(String),
    View(String),
    Unclear,
}

/// Asks until the person has decided; returns the manifest that was approved. After an error the job may still
/// wait: the caller cancels it.
pub async fn ask(host: &Host, terms: &Terms, job: &Job) -> anyhow::Result<Manifest> {
    let approvals = ApprovalsClient(host.client.clone());
    let mut manifest = approvals.get(&GetApproval { approval: approval_of(job)? }).await?;
    if terms.redact {
        manifest = approvals.revise(&revise(&manifest, None, Some(true))).await?;
    }
    print(&manifest);
    loop {
        if let Some(cap) = terms.yes_up_to {
            approve_up_to(&approvals, &manifest, cap, terms.leave).await?;
            return Ok(manifest);
        }
        if !std::io::stdin().is_terminal() {
            if !terms.leave {
                refuse(&approvals, &manifest).await?;
            }
            return Err(blocked(&manifest).unwrap_or_else(|| {
                Ended::error(exit::NOT_APPROVED, "nobody can be asked here, so nothing was sent. Use --yes-up-to USD to approve beforehand")
            }));
        }
        // Reading a line blocks; the engine in this process goes on meanwhile.
        let answer = tokio::task::spawn_blocking(read_answer).await??;
        match act(&approvals, terms, &manifest, answer).await {
            Ok(Next::Sent) => return Ok(manifest),
            Ok(Next::Refused) => return Err(Ended::error(exit::NOT_APPROVED, "refused; nothing was sent")),
            Ok(Next::Changed(changed)) => {
                manifest = *changed;
                print(&manifest);
            }
            Ok(Next::Same) => {}
            Err(e) if e.reason == "approval_over" => match elsewhere(host, job).await? {
                Some(newer) => {
                    show::note("What would be sent was changed elsewhere meanwhile. This is how it is now:");
                    manifest = newer;
                    print(&manifest);
                }
                None => {
                    show::note("It was answered elsewhere.");
                    return Ok(manifest);
                }
            },
            Err(e) => return Err(e.into()),
        }
    }
}

/// What an answer leads to.
enum Next {
    Sent,
    Refused,
    /// Another request has taken the place of the one that was shown.
    Changed(Box<Manifest>),
    /// The question stands.
    Same,
}

/// Does what the person has said about a request.
async fn act(
    approvals: &ApprovalsClient,
    terms: &Terms,
    manifest: &Manifest,
    answer: Answer,
) -> Result<Next, ApiError> {
    let change = match answer {
        Answer::Send(remember) => {
            let web = terms.web.then_some(true);
            let remember = remember.map(|bounds| Remember { web, ..bounds });
            return match approvals.approve(&approve(manifest, remember)).await {
                Ok(_) => Ok(Next::Sent),
                Err(e) if CAN_BE_MENDED.contains(&e.reason.as_str()) => {
                    show::note(e.message);
                    Ok(Next::Same)
                }
                Err(e) => Err(e),
            };
        }
        Answer::Refuse => {
            approvals.refuse(&GetApproval { approval: manifest.id.clone() }).await?;
            return Ok(Next::Refused);
        }
        Answer::View(source) => {
            view(approvals, manifest, &source).await;
            return Ok(Next::Same);
        }
        Answer::Unclear => {
            show::note("Answer with s, n, u NUMBERS, r, c MODEL, v SOURCE, or m USD MINUTES [FOLDER].");
            return Ok(Next::Same);
        }
        Answer::Untick(numbers) => {
            let kept = manifest.files.iter().enumerate().filter(|(i, _)| !numbers.contains(&(i + 1)));
            let files = kept.map(|(_, file)| file.path.clone()).collect();
            revise(manifest, Some(files), None)
        }
        Answer::Redact => revise(manifest, None, Some(true)),
        Answer::Model(model) => Revise { model: Some(model), ..revise(manifest, None, None) },
    };
    match approvals.revise(&change).await {
        Ok(revised) => Ok(Next::Changed(Box::new(revised))),
        // The request stays as it was shown.
        Err(e) if ["unknown_model", "ambiguous_model"].contains(&e.reason.as_str()) => {
            show::note(e.message);
            Ok(Next::Same)
        }
        Err(e) => Err(e),
    }
}

/// The manifest that the job waits for now, if another window has put one in the place of ours; `None` when the job
/// does not wait any more.
async fn elsewhere(host: &Host, job: &Job) -> anyhow::Result<Option<Manifest>> {
    let now = JobsClient(host.client.clone()).get(&GetJob { job: job.id.clone() }).await?;
    if now.state != JobState::WaitingApproval {
        return Ok(None);
    }
    let approval = approval_of(&now)?;
    Ok(Some(ApprovalsClient(host.client.clone()).get(&GetApproval { approval }).await?))
}

fn approve(manifest: &Manifest, remember: Option<Remember>) -> Approve {
    Approve { approval: manifest.id.clone(), fingerprint: manifest.fingerprint.clone(), remember }
}

fn revise(manifest: &Manifest, files: Option<Vec<String>>, redact: Option<bool>) -> Revise {
    Revise { approval: manifest.id.clone(), files, model: None, redact }
}

async fn refuse(approvals: &ApprovalsClient, manifest: &Manifest) -> anyhow::Result<()> {
    approvals.refuse(&GetApproval { approval: manifest.id.clone() }).await?;
    Ok(())
}

/// Why a manifest cannot be approved as it is.
fn blocked(manifest: &Manifest) -> Option<anyhow::Error> {
    manifest.secrets.iter().any(|s| !s.allowed).then(|| {
        Ended::error(
            exit::SECRETS,
            "secrets were found, so nothing was sent. Use --redact, or --exclude the file",
        )
    })
}

async fn approve_up_to(
    approvals: &ApprovalsClient,
    manifest: &Manifest,
    cap: f64,
    leave: bool,
) -> anyhow::Result<()> {
    let too_dear = manifest.cost_ceiling as f64 > cap * 1e6;
    let problem = blocked(manifest).or_else(|| {
        if manifest.cost_estimate.is_none() {
            let message =
                "the price of this model is not known, so --yes-up-to cannot approve it; nothing was sent";
            Some(Ended::error(exit::NOT_APPROVED, message))
        } else if too_dear {
            let message = format!(
                "it may cost {}, which is more than allowed; nothing was sent",
                show::money(manifest.cost_ceiling)
            );
            Some(Ended::error(exit::NOT_APPROVED, message))
        } else {
            None
        }
    });
    if let Some(problem) = problem {
        if !leave {
            refuse(approvals, manifest).await?;
        }
        return Err(problem);
    }
    approvals.approve(&approve(manifest, None)).await?;
    Ok(())
}

async fn view(approvals: &ApprovalsClient, manifest: &Manifest, source: &str) {
    let by_number = source.parse::<usize>().ok().and_then(|n| manifest.files.get(n.checked_sub(1)?));
    let source = by_number.map_or_else(|| source.to_owned(), |file| file.path.clone());
    match approvals.text(&GetText { approval: manifest.id.clone(), source }).await {
        Ok(part) => show::tell(show::harmless(&part.text)),
        Err(e) => show::note(e.message),
    }
}

fn read_answer() -> anyhow::Result<Answer> {
    let question = "Send? [s]end, [n]o, [u]ntick NUMBERS, [r]edact, [c]hange MODEL, [v]iew NUMBER|PART, [m] send and let this session send more, up to \
                    USD for MINUTES, of files in a FOLDER:";
    let mut err = anstream::stderr();
    write!(err, "{} ", styled(STRONG, question))?;
    err.flush()?;
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(Answer::Refuse);
    }
    Ok(parse(&line))
}

fn parse(line: &str) -> Answer {
    let mut words = line.split_whitespace();
    match (words.next().unwrap_or(""), words.next()) {
        ("s" | "send" | "y" | "yes", None) => Answer::Send(None),
        ("m", Some(cap)) => remembered(cap, words.next(), words.next(), words.next()),
        ("n" | "no" | "q", None) => Answer::Refuse,
        ("r" | "redact", None) => Answer::Redact,
        ("c" | "change", Some(model)) => Answer::Model(model.to_owned()),
        ("v" | "view", Some(source)) => Answer::View(source.to_owned()),
        ("u" | "untick", Some(_)) => {
            let numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
            Answer::Untick(numbers.collect())
        }
        _ => Answer::Unclear,
    }
}

/// `m 0.50 60` or `m 0.50 60 src`: the cap and the minutes are needed, a folder that every file must lie in may follow, and
/// nothing else may stand there.
fn remembered(cap: &str, minutes: Option<&str>, under: Option<&str>, rest: Option<&str>) -> Answer {
    let cap = dollars(cap).ok().filter(|cap| *cap > 0.0);
    let minutes = minutes.and_then(|minutes| minutes.parse().ok());
    match (cap, minutes, rest) {
        (Some(cap), Some(minutes), None) => {
            let (cap, under) = ((cap * 1e6).round() as u64, under.map(str::to_owned));
            Answer::Send(Some(Remember { cap, minutes, under, web: None }))
        }
        _ => Answer::Unclear,
    }
}

/// One sentence, then the files.
fn print(manifest: &Manifest) {
    let about = if manifest.tokens_exact { "" } else { "about " };
    let cost = match manifest.cost_estimate {
        Some(0) if manifest.cost_ceiling == 0 => "nothing (it runs on this machine)".to_owned(),
        Some(estimate) => {
            format!("about {} (at most {})", show::money(estimate), show::money(manifest.cost_ceiling))
        }
        None => "a cost that is not known".to_owned(),
    };
    show::tell(format_args!(
        "\n{}Send {}, {about}{} tokens, to {} {} for {}.",
        purpose(manifest),
        styled(STRONG, format!("{} files", manifest.files.len())),
        styled(STRONG, show::count(manifest.input_tokens)),
        styled(STRONG, &manifest.model),
        show::harmless(&manifest.via),
        styled(STRONG, cost),
    ));
    let paths: Vec<String> =
        manifest.files.iter().take(LISTED).map(|file| show::harmless(&file.path)).collect();
    let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0).min(WIDEST_PATH);
    for (number, (path, file)) in paths.iter().zip(&manifest.files).enumerate() {
        let detail = styled(QUIET, format!("{:>7} tokens  {}", show::count(file.tokens), file.reason));
        show::tell(format_args!("{:>4}  {path:width$}  {detail}", number + 1));
    }
    if manifest.files.len() > LISTED {
        show::note(format!("      and {} more files", manifest.files.len() - LISTED));
    }
    for part in &manifest.parts {
        let detail = styled(QUIET, format!("{}, {} tokens", part.name, show::count(part.tokens)));
        show::tell(format_args!("   +  {detail}"));
    }
    if let Some(web) = &manifest.web {
        show::tell(format_args!("   {}  {}", styled(WARN, "!"), searches(web)));
    }
    let places: Vec<String> =
        manifest.destinations.iter().map(|d| format!("{}/{}", d.provider, d.model)).collect();
    show::note(format!(
        "Goes to {} and nowhere else. Fingerprint {}",
        places.join(", then "),
        manifest.fingerprint.chars().take(16).collect::<String>()
    ));
    for secret in &manifest.secrets {
        let (style, word) = if secret.allowed { (WARN, "let pass") } else { (BAD, "secret") };
        let what = format!("{}:{} {}", secret.source, secret.line, secret.description);
        show::tell(format_args!("{} {}", styled(style, word), show::harmless(&what)));
    }
    if manifest.overflow_tokens > 0 {
        let (about, estimated) = match manifest.tokens_exact {
            true => ("", ""),
            false => ("about ", " (an estimate for this model)"),
        };
        let over = show::count(manifest.overflow_tokens);
        let text = format!("This is {about}{over} tokens too long for the model{estimated}. Untick files.");
        show::tell(styled(BAD, text));
    }
}

/// What leaves besides: words that nobody has seen before.
fn searches(web: &ManifestWeb) -> String {
    let times = if web.searches == 1 { "once".to_owned() } else { format!("up to {} times", web.searches) };
    let kept = if web.kept {
        ""
    } else {
        " The provider takes no such limit: the model is asked to keep to it, and the cost may be higher."
    };
    let hosts = if web.domains.is_empty() {
        String::new()
    } else {
        format!(" on {} alone", show::harmless(&web.domains.join(", ")))
    };
    format!("The provider searches the web{hosts} {times}, for words that the model chooses from this.{kept}")
}

/// What it is for, as the beginning of a sentence of its own.
fn purpose(manifest: &Manifest) -> String {
    match manifest.purpose.as_str() {
        "" => String::new(),
        purpose => format!("For {}: ", show::harmless(purpose)),
    }
}

/// Reasons to refuse a yes that the person can do something about at once.
const CAN_BE_MENDED: [&str; 7] = [
    "secret_found",
    "too_long",
    "budget_exceeded",
    "permission_minutes",
    "permission_folder",
    "permission_unpriced",
    "permission_secrets",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_that_can_be_compared() {
        assert_eq!((dollars("0.25"), dollars("$2"), dollars("0")), (Ok(0.25), Ok(2.0), Ok(0.0)));
        for wrong in ["nan", "NaN", "inf", "-1", "", "much"] {
            assert!(dollars(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_clear_yes_sends() {
        assert!(matches!(parse("s\n"), Answer::Send(None)));
        let bounds = Remember { cap: 500_000, minutes: 60, under: None, web: None };
        let folder = Remember { under: Some("src".into()), ..bounds.clone() };
        assert!(matches!(parse("m 0.50 60 src\n"), Answer::Send(Some(given)) if given == folder));
        assert!(matches!(parse("m 0.50 60\n"), Answer::Send(Some(given)) if given == bounds));
        for unclear in ["m", "m 0.5", "m x 60", "m 1 60 src more", "m -1 60", "m inf 60"] {
            assert!(matches!(parse(unclear), Answer::Unclear), "{unclear:?}");
        }
        for unclear in ["", "\n", "sure", "s 3", "u", "v"] {
            assert!(matches!(parse(unclear), Answer::Unclear), "{unclear:?}");
        }
        assert!(matches!(parse("u 1, 3 12"), Answer::Untick(n) if n == [1, 3, 12]));
        assert!(matches!(parse("c openai/gpt-5.1\n"), Answer::Model(m) if m == "openai/gpt-5.1"));
        assert!(matches!(parse("v src/a.rs"), Answer::View(s) if s == "src/a.rs"));
    }
}
