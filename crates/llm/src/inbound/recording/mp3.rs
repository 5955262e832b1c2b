//! MP3: MPEG audio layer III (ISO/IEC 11172-3 and 13818-3, and the unofficial "2.5" for half of their rates), with an ID3 tag before or
//! behind it.

use super::{at, big, millis};

/// Divided by every rate of samples that there is.
const UNITS: u64 = 14_112_000;

/// Kilobits a second by their number, from 1 on; 0 and 15 name none.
const FIRST_KBIT: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const SECOND_KBIT: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// What stands in the four bytes that a frame begins with.
struct Frame {
    is_first: bool,
    is_mono: bool,
    samples: u64,
    in_a_second: u64,
    /// With its head; `None` where it does not say.
    bytes: Option<usize>,
}

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = u32::from_be_bytes(at(bytes, 0)?);
        // Eleven bits of sign, layer III.
        if head >> 21 != 0x7ff || head >> 17 & 3 != 1 {
            return None;
        }
        let (is_first, halved) = match head >> 19 & 3 {
            3 => (true, 0),
            2 => (false, 1),
            0 => (false, 2),
            _ => return None,
        };
        let in_a_second = [44_100, 48_000, 32_000].get((head >> 10 & 3) as usize)? >> halved;
        let samples = if is_first { 1_152 } else { 576 };
        let rates = if is_first { FIRST_KBIT } else { SECOND_KBIT };
        let kbit = (head >> 12 & 15).checked_sub(1).and_then(|number| rates.get(number as usize));
        let padding = (head >> 9 & 1) as usize;
        let bytes = kbit.map(|kbit| samples / 8 * kbit * 1_000 / in_a_second + padding);
        Some(Self {
            is_first,
            is_mono: head >> 6 & 3 == 3,
            samples: samples as u64,
            in_a_second: in_a_second as u64,
            bytes,
        })
    }
}

/// What is behind the tag at the beginning, where there is one.
fn behind_tag(bytes: &[u8]) -> Option<&[u8]> {
    let tag = match bytes.starts_with(b"ID3") {
        true => 10 + at::<4>(bytes, 6)?.iter().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f)),
        false => 0,
    };
    bytes.get(tag..)
}

/// What all frames are together, in milliseconds, if nothing but frames follows one another to the end, or to the tag there: a
/// player goes the same way, so there is nothing to lie about.
pub(super) fn counted(bytes: &[u8]) -> Option<u64> {
    let mut rest = behind_tag(bytes)?;
    let mut units = 0;
    let is_over = |rest: &[u8]| rest.is_empty() || rest.len() == 128 && rest.starts_with(b"TAG");
    while !is_over(rest) {
        let frame = Frame::read(rest)?;
        units += frame.samples * (UNITS / frame.in_a_second);
        // The last one may be cut.
        rest = rest.get(frame.bytes?..).unwrap_or_default();
    }
    if units == 0 { None } else { millis(units, UNITS) }
}

/// The number of frames that the Xing head of the first one names.
pub(super) fn claimed(bytes: &[u8]) -> Option<u64> {
    let first = behind_tag(bytes)?;
    let frame = Frame::read(first)?;
    let side = match (frame.is_first, frame.is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let xing = first.get(4 + side..)?;
    let is_there = xing.starts_with(b"Xing") || xing.starts_with(b"Info");
    if !is_there || big(xing, 4)? & 1 == 0 {
        return None;
    }
    millis(big(xing, 8)? * frame.samples, frame.in_a_second)
}

#[cfg(test)]
mod tests {
    use super::super::{Length, length};
    use super::*;

    /// A frame with this head, as long as it says.
    fn frame(head: [u8; 4]) -> Vec<u8> {
        let mut frame = head.to_vec();
        frame.resize(Frame::read(&head).unwrap().bytes.unwrap(), 0x55);
        frame
    }

    /// 128 kbit/s at 44.1 kHz, two channels.
    const USUAL: [u8; 4] = [0xff, 0xfb, 0x90, 0x00];

    #[test]
    fn frames_are_as_long_as_the_standard_says() {
        for (head, bytes, samples, in_a_second) in [
            (USUAL, 417, 1_152, 44_100),
            ([0xff, 0xfb, 0x92, 0x00], 418, 1_152, 44_100),
            ([0xff, 0xfb, 0xe4, 0x00], 960, 1_152, 48_000),
            // Version 2: 64 kbit/s at 22.05 kHz. Version 2.5: 8 kbit/s at 8 kHz.
            ([0xff, 0xf3, 0x80, 0xc0], 208, 576, 22_050),
            ([0xff, 0xe3, 0x18, 0xc0], 72, 576, 8_000),
        ] {
            let frame = Frame::read(&head).unwrap();
            assert_eq!((frame.bytes, frame.samples, frame.in_a_second), (Some(bytes), samples, in_a_second));
        }
        assert!(Frame::read(&[0xff, 0xfb, 0x00, 0x00]).unwrap().bytes.is_none(), "a rate of its own");
        for none in
            [[0xff, 0xfb, 0x9c, 0], [0xff, 0xfd, 0x90, 0], [0xff, 0xeb, 0x90, 0], [0x49, 0x44, 0x33, 4]]
        {
            assert!(Frame::read(&none).is_none(), "{none:?}");
        }
        for rate in [44_100, 48_000, 32_000, 22_050, 24_000, 16_000, 11_025, 12_000, 8_000] {
            assert_eq!(UNITS % rate, 0);
        }
    }

    #[test]
    fn frames_that_follow_one_another_are_counted_whatever_is_claimed() {
        let tag = [&b"ID3\x04\0\0\0\0\x01\x02"[..], &[0; 130]].concat();
        let mut first = frame(USUAL);
        first[36..48].copy_from_slice(b"Xing\0\0\0\x01\0\0\0\x01");
        let end = [&b"TAG"[..], &[b' '; 125]].concat();
        let frames = frame(USUAL).repeat(999);
        let whole = [&tag[..], &first, &frames, &end].concat();
        assert_eq!(claimed(&whole), Some(26), "one frame");
        let told = Length { told_ms: Some(26_122), counted_ms: 26_122 };
        assert_eq!(length(&whole), told);
        assert_eq!(length(&whole[..whole.len() - 128 - 400]), told, "the last frame is cut");
        // What is no frame may be anything, also more of them further on.
        let broken = [&first[..], b"what is this", &frames].concat();
        assert_eq!(counted(&broken), None);
        assert!(length(&broken).counted_ms > 100_000, "as long as speech of so many bytes");
        for none in [&b""[..], &end, &tag, &USUAL[..3]] {
            assert_eq!(counted(none), None);
        }
    }
}
