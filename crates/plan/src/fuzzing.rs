//! What must hold for any bytes whatever, as a function that panics when it does not: for the fuzz target in `fuzz/` and for
//! the test that runs it over its corpus and changed copies. No part of the crate's interface.
#![allow(clippy::panic, reason = "a rule that does not hold ends a fuzz run by a panic")]

use crate::{Ending, Parser, State, export};

/// The first byte says where the answer is cut into pieces. In pieces it reads as in one, whatever was whole stays, and
/// what is written in the wire form reads back as the same steps.
pub fn answer(data: &[u8]) {
    let Some((&cut, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let mut whole = Parser::new();
    whole.push(&text);
    let (document, state) = whole.finish(Ending::Finished);
    let mut pieces = Parser::new();
    let mut piece = String::new();
    let size = usize::from(cut % 31) + 1;
    for (at, c) in text.chars().enumerate() {
        piece.push(c);
        if at % size == 0 {
            pieces.push(&std::mem::take(&mut piece));
        }
    }
    pieces.push(&piece);
    let again = pieces.finish(Ending::Finished);
    assert_eq!(again, (document.clone(), state), "in pieces of {size}");
    assert_eq!(state == State::Unreadable, document.steps.is_empty() && state != State::Cut);
    if state == State::Complete {
        let mut back = Parser::new();
        back.push(&export::xml(&document));
        let (read, _) = back.finish(Ending::Finished);
        assert_eq!(read.steps.len(), document.steps.len());
        for (a, b) in read.steps.iter().zip(&document.steps) {
            let paths =
                |step: &crate::Step| step.operations.iter().map(|o| o.path.clone()).collect::<Vec<_>>();
            assert_eq!((paths(a), &a.title), (paths(b), &b.title));
        }
    }
}
