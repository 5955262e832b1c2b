//! W3C Trace Context: which trace a request belongs to.

use actix_web::http::header::HeaderMap;

use crate::env::Env;

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
/// Longest list of other systems' states that is passed on.
const LONGEST_STATE: usize = 512;

/// What a `traceparent` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub sampled: bool,
}

/// A request's place in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub trace_id: [u8; 16],
    /// The span of the request here.
    pub span_id: [u8; 8],
    /// The span of the request to the provider.
    pub upstream_id: [u8; 8],
    /// Who asked, if that is known.
    pub parent: Option<[u8; 8]>,
    pub sampled: bool,
    /// What other systems want to be passed on.
    pub state: Option<String>,
}

/// Reads a `traceparent`, exactly as written down by the W3C: what is not in that form is no parent.
pub(crate) fn parse(text: &str) -> Option<Parent> {
    let bytes = text.as_bytes();
    let version = hex::<1>(bytes.get(..2)?)?[0];
    // Later versions may have more behind a further dash; ff is none.
    match bytes.get(55) {
        None if version != 0xff => {}
        Some(b'-') if !matches!(version, 0 | 0xff) => {}
        _ => return None,
    }
    let dashes = [2, 35, 52].iter().all(|at| bytes.get(*at) == Some(&b'-'));
    let trace_id = hex::<16>(bytes.get(3..35)?)?;
    let span_id = hex::<8>(bytes.get(36..52)?)?;
    let flags = hex::<1>(bytes.get(53..55)?)?[0];
    let good = dashes && trace_id != [0; 16] && span_id != [0; 8];
    good.then_some(Parent { trace_id, span_id, sampled: flags & 1 == 1 })
}

/// The parent that a request names. Two are as good as none.
pub(super) fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut parents = headers.get_all(TRACEPARENT);
    match (parents.next(), parents.next()) {
        (Some(parent), None) => parent.to_str().ok().and_then(parse),
        _ => None,
    }
}

/// Lower-case digits alone.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (at, pair) in text.chunks(2).enumerate() {
        *bytes.get_mut(at)? = digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?;
    }
    Some(bytes)
}

impl Trace {
    /// The place of a request with these headers. Without a parent a new trace begins if `begin`, and else there is none.
    pub fn of(headers: &HeaderMap, env: &Env, begin: bool) -> Option<Self> {
        let parent = parent(headers);
        if parent.is_none() && !begin {
            return None;
        }
        // Without randomness there is no trace; the request matters more.
        let random = env.random::<32>().ok()?;
        let part = |from: usize| -> [u8; 8] { std::array::from_fn(|at| random[from + at].max(1)) };
        let trace_id =
            parent.map_or_else(|| std::array::from_fn(|at| random[at].max(1)), |parent| parent.trace_id);
        Some(Self {
            trace_id,
            span_id: part(16),
            upstream_id: part(24),
            parent: parent.map(|parent| parent.span_id),
            sampled: parent.is_none_or(|parent| parent.sampled),
            state: parent.and_then(|_| state(headers)),
        })
    }

    /// The id of the trace as people write it.
    pub fn id(&self) -> String {
        hex::encode(self.trace_id)
    }

    /// What the provider is told.
    pub fn headers(&self) -> Vec<(String, String)> {
        let (trace, span) = (self.id(), hex::encode(self.upstream_id));
        let parent = format!("00-{trace}-{span}-{:02x}", u8::from(self.sampled));
        let state = self.state.iter().map(|state| (TRACESTATE.to_owned(), state.clone()));
        std::iter::once((TRACEPARENT.to_owned(), parent)).chain(state).collect()
    }
}

fn state(headers: &HeaderMap) -> Option<String> {
    let lines: Option<Vec<&str>> = headers.get_all(TRACESTATE).map(|line| line.to_str().ok()).collect();
    let state = lines?.join(",");
    (!state.is_empty() && state.len() <= LONGEST_STATE).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_strictly() {
        let parent = parse(GOOD).unwrap();
        assert_eq!(hex::encode(parent.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex::encode(parent.span_id), "b7ad6b7169203331");
        assert!(parent.sampled);
        assert!(!parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().sampled);
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes").is_some());
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").is_some());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319cc-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "00-ä0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_request_gets_spans_of_its_own_in_its_parents_trace() {
        let env = Env::system();
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            map
        };
        let given = headers(&[(TRACEPARENT, GOOD), (TRACESTATE, "a=1"), (TRACESTATE, "b=2")]);
        let (one, two) = (Trace::of(&given, &env, false).unwrap(), Trace::of(&given, &env, false).unwrap());
        assert_eq!(
            (one.id(), one.state.as_deref()),
            ("0af7651916cd43dd8448eb211c80319c".into(), Some("a=1,b=2"))
        );
        assert!(one.span_id != two.span_id && one.span_id != one.upstream_id);
        let told = one.headers();
        let passed = parse(&told[0].1).unwrap();
        assert_eq!((passed.trace_id, passed.span_id), (one.trace_id, one.upstream_id));
        assert_eq!(told[1], ("tracestate".to_owned(), "a=1,b=2".to_owned()));
        let twice = headers(&[(TRACEPARENT, GOOD), (TRACEPARENT, GOOD), (TRACESTATE, "a=1")]);
        assert_eq!(Trace::of(&twice, &env, false), None);
        let begun = Trace::of(&twice, &env, true).unwrap();
        assert_eq!((begun.parent, begun.state), (None, None), "a state without a parent is nobody's");
        assert_eq!(Trace::of(&headers(&[]), &env, false), None);
    }
}
