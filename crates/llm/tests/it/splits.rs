//! Where a stream is cut into pieces changes nothing.

use std::fs;

use llm::{Dialect, StreamDecoder, StreamEvent};
use proptest::prelude::*;

use super::golden::cases;

fn streams() -> Vec<(Dialect, Vec<u8>)> {
    let stream = |(dialect, case): (Dialect, std::path::PathBuf)| {
        fs::read(case.join("stream.txt")).ok().map(|stream| (dialect, stream))
    };
    cases().into_iter().filter_map(stream).collect()
}

fn decoded<'p>(dialect: Dialect, pieces: impl Iterator<Item = &'p [u8]>) -> Vec<StreamEvent> {
    let mut decoder = StreamDecoder::new(dialect, 7);
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(decoder.push(piece).unwrap());
    }
    events.extend(decoder.finish().unwrap());
    events
}

/// The stream with other line ends and without the space that nobody has to write.
fn odd(stream: &[u8], end: &str) -> Vec<u8> {
    let text = String::from_utf8(stream.to_vec()).unwrap();
    text.replace("data: ", "data:").replace('\n', end).into_bytes()
}

#[test]
fn every_dialect_has_a_stream_to_cut() {
    let streams = streams();
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Relayed) {
        assert!(streams.iter().any(|(of, _)| *of == dialect), "{dialect:?}");
    }
}

#[test]
fn trap_31_a_cut_at_any_byte_gives_the_same_events() {
    for (dialect, stream) in streams() {
        let whole = decoded(dialect, std::iter::once(&stream[..]));
        for at in 1..stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(decoded(dialect, [head, tail].into_iter()), whole, "{dialect:?}, cut at {at}");
        }
        assert_eq!(decoded(dialect, stream.chunks(1)), whole, "{dialect:?}, single bytes");
    }
}

#[test]
fn trap_30_any_line_end_and_no_space_give_the_same_events() {
    for (dialect, stream) in streams() {
        let whole = decoded(dialect, std::iter::once(&stream[..]));
        for end in ["\n", "\r\n", "\r"] {
            let odd = odd(&stream, end);
            assert_eq!(decoded(dialect, odd.chunks(7)), whole, "{dialect:?}, {end:?}");
            let mut bom = b"\xef\xbb\xbf".to_vec();
            bom.extend_from_slice(odd.trim_ascii_end());
            assert_eq!(
                decoded(dialect, bom.chunks(5)),
                whole,
                "{dialect:?}, {end:?}, no blank line at the end"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_give_the_same_events(which in any::<prop::sample::Index>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40), end in 0..3_usize) {
        let all = streams();
        let (dialect, stream) = which.get(&all);
        let stream = odd(stream, ["\n", "\r\n", "\r"][end]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let pieces = starts.zip(cuts.iter().copied().chain([stream.len()])).map(|(from, to)| &stream[from..to]);
        prop_assert_eq!(decoded(*dialect, pieces), decoded(*dialect, std::iter::once(&stream[..])));
    }
}
