use serde::{Deserialize, Serialize};

use super::Page;

/// How the simulator answers. Fields that are not given have the default: prompt, complete and well-formed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What the answer says.
    pub style: Style,
    /// Text of [`Style::Text`]; a short fixed sentence when absent. `{{key}}` stands for the key received.
    pub text: Option<String>,
    /// Silence before the first byte of the answer, head included.
    pub first_delay_ms: u64,
    /// Silence between two events of a stream.
    pub delay_ms: u64,
    /// The connection is closed after so many bytes of the answer's body.
    pub cut_after_bytes: Option<usize>,
    /// Answers with an error instead.
    pub fail: Option<Fail>,
    /// Sends the provider's own error event after so many events, and ends.
    pub error_after_events: Option<usize>,
    /// At most so many bytes per second.
    pub throttle: Option<usize>,
    /// Writes the body in pieces of this size, wherever they fall.
    pub chunk: Option<usize>,
    /// Ends lines with CR LF instead of LF.
    pub crlf: bool,
    /// Writes `data:` without the customary space.
    pub tight: bool,
    /// Sends a comment (or Anthropic's `ping`) before every event.
    pub chatter: bool,
    /// Never reports usage.
    pub no_usage: bool,
    /// Cached prompt tokens to report, out of the prompt's.
    pub cached_tokens: u64,
    /// Rests in a turn with searches before its answer is whole, as Anthropic does with `pause_turn`.
    pub pause_turn: bool,
    /// What searches of the web find; two pages when absent.
    pub pages: Option<Vec<Page>>,
    /// Answers with status 400 to requests that contain this text.
    pub refuse: Option<String>,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A plan about the files of the prompt, and nothing else.
    #[default]
    Clean,
    /// The plan inside a code fence.
    Fenced,
    /// The plan with prose before and after.
    Chatty,
    /// The plan stops in the middle, at the output limit.
    Cut,
    /// A short sentence.
    Text,
    /// Two parallel tool calls, the second without arguments.
    Tools,
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// HTTP status.
    pub status: u16,
    /// Body; the provider's own error shape when absent. `{{key}}` stands for the key received.
    #[serde(default)]
    pub body: Option<String>,
    /// Value of `retry-after`.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// How many requests fail before the next ones are answered; all when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Behaviour {
    /// Answers with this text.
    pub fn text(text: &str) -> Self {
        Self { style: Style::Text, text: Some(text.into()), ..Self::default() }
    }

    /// Answers in this style.
    pub fn style(style: Style) -> Self {
        Self { style, ..Self::default() }
    }

    /// Fails with this status.
    pub fn fail(status: u16) -> Self {
        Self { fail: Some(Fail { status, body: None, retry_after: None, times: None }), ..Self::default() }
    }

    /// The failure for this request, if it is to fail.
    pub(super) fn next_failure(&mut self) -> Option<Fail> {
        let fail = self.fail.as_mut()?;
        match &mut fail.times {
            None => Some(fail.clone()),
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(fail.clone())
            }
        }
    }
}
