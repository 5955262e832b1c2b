//! Sessions: boxes in order, once, between the right two.

use crate::{keys, random};
use relay::RelayError;
use relay::session::{Control, MAX_API_BYTES, Names, Opening, PART_BYTES, Plain, REKEY_MS, Session, respond};

fn names() -> Names {
    Names { phone: "phone-1".into(), desktop: "desk-1".into() }
}

pub(crate) fn pair() -> (Session, Session) {
    let (opening, first) = Opening::begin(&keys(3), names(), &keys(2).public().noise, &random(7)).unwrap();
    let (desktop, second) =
        respond(&keys(2), names(), &keys(3).public().noise, &first, &random(8), 0).unwrap();
    (opening.finish(&second, 0).unwrap(), desktop)
}

fn api(text: &str) -> Plain {
    Plain::Api(text.to_owned())
}

fn one(session: &mut Session, text: &str) -> Vec<u8> {
    session.seal(&api(text), 0).unwrap().remove(0)
}

#[test]
fn both_ways_and_not_confirmed_before_the_first_box() {
    let (mut phone, mut desktop) = pair();
    assert!(!desktop.confirmed());
    let sent = one(&mut phone, "hello");
    assert_eq!(desktop.open(&sent).unwrap(), Some(api("hello")));
    assert!(desktop.confirmed());
    let back = one(&mut desktop, "welcome");
    assert_eq!(phone.open(&back).unwrap(), Some(api("welcome")));
}

#[test]
fn a_repeated_or_missing_box_is_seen() {
    let (mut phone, mut desktop) = pair();
    let boxes: Vec<_> = (0..4).map(|i| one(&mut phone, &i.to_string())).collect();
    desktop.open(&boxes[0]).unwrap();
    assert!(matches!(desktop.open(&boxes[0]), Err(RelayError::OutOfPlace(_))));
    let mut forged = boxes[2].clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(desktop.open(&forged), Err(RelayError::Forged(_))), "a forged skip does not end it");
    assert_eq!(desktop.open(&boxes[1]).unwrap(), Some(api("1")));
    assert!(matches!(desktop.open(&boxes[3]), Err(RelayError::Broken(_))));
    assert!(matches!(desktop.open(&boxes[2]), Err(RelayError::Broken(_))), "and it stays broken");
}

#[test]
fn a_box_belongs_to_one_session_one_direction_one_pair() {
    let (mut phone, mut desktop) = pair();
    let sent = one(&mut phone, "x");
    assert!(phone.open(&sent).is_err(), "reflected");
    let other = Names { phone: "phone-2".into(), ..names() };
    let (opening, first) = Opening::begin(&keys(3), other, &keys(2).public().noise, &random(9)).unwrap();
    assert!(
        respond(&keys(2), names(), &keys(3).public().noise, &first, &random(8), 0).is_err(),
        "another device id"
    );
    assert!(opening.finish(&sent, 0).is_err());
    let (mut phone2, _) = {
        let (o, f) = Opening::begin(&keys(3), names(), &keys(2).public().noise, &random(10)).unwrap();
        let (d, s) = respond(&keys(2), names(), &keys(3).public().noise, &f, &random(11), 0).unwrap();
        (o.finish(&s, 0).unwrap(), d)
    };
    let stranger = one(&mut phone2, "x");
    assert!(matches!(desktop.open(&stranger), Err(RelayError::OutOfPlace(_))));
    assert!(desktop.open(&sent).is_ok());
}

#[test]
fn a_stranger_cannot_begin() {
    let (_, first) = Opening::begin(&keys(66), names(), &keys(2).public().noise, &random(7)).unwrap();
    assert!(respond(&keys(2), names(), &keys(3).public().noise, &first, &random(8), 0).is_err());
}

#[test]
fn a_long_frame_travels_in_parts_and_a_longer_one_not_at_all() {
    let (mut phone, mut desktop) = pair();
    let text = "ä".repeat(MAX_API_BYTES / 2);
    let boxes = desktop.seal(&api(&text), 0).unwrap();
    assert_eq!(boxes.len(), MAX_API_BYTES.div_ceil(PART_BYTES));
    let mut whole = None;
    for sealed in &boxes {
        assert!(whole.is_none());
        whole = phone.open(sealed).unwrap();
    }
    assert_eq!(whole, Some(api(&text)));
    assert!(desktop.seal(&api(&"x".repeat(MAX_API_BYTES + 1)), 0).is_err());
    let after = one(&mut desktop, "after");
    assert_eq!(phone.open(&after).unwrap(), Some(api("after")));
}

#[test]
fn keys_are_renewed_with_time() {
    let (mut phone, mut desktop) = pair();
    let boxes = desktop.seal(&api("late"), REKEY_MS).unwrap();
    assert_eq!(boxes.len(), 2);
    assert_eq!(phone.open(&boxes[0]).unwrap(), None);
    assert_eq!(phone.open(&boxes[1]).unwrap(), Some(api("late")));
    let control = Plain::Control(Control::Lagging { stream: 4 });
    let next = desktop.seal(&control, REKEY_MS + 1).unwrap();
    assert_eq!(phone.open(&next[0]).unwrap(), Some(control));
}

#[test]
fn a_renewal_that_was_missed_is_a_break() {
    let (mut phone, mut desktop) = pair();
    let boxes = desktop.seal(&api("late"), REKEY_MS).unwrap();
    assert!(matches!(phone.open(&boxes[1]), Err(RelayError::Broken(_))));
}
