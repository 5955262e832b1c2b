//! How long a recording is, where its own head says it: WAV, FLAC, Ogg (Opus and Vorbis) and MP4; and MP3, whose frames are counted.
//! Others, such as what browsers record (WebM), say it nowhere.
//!
//! What a head says is a claim of whoever sends it. It is believed as long as so many bytes of the format can be so short, and so
//! long; and where nobody else counts, nothing counts as shorter than plain speech of so many bytes is.

mod mp3;

/// The least that speech takes: Opus begins at 6 kbit/s.
const LEAST_KBIT: u64 = 6;
/// Less than any recording has: what claims to be longer is no recording.
const FEWEST_KBIT: u64 = 1;
/// What plain speech takes at least as a rule, in a format that leaves out what nobody hears.
const SPEECH_KBIT: u64 = 32;

/// What is known of the length of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// In milliseconds, if the recording says it and it can be true.
    pub told_ms: Option<u64>,
    /// What it counts as where nobody else counts: never less than what plain speech of so many bytes is.
    pub counted_ms: u64,
}

/// Kilobits a second of a format.
struct Rates {
    /// More than any recording has.
    most: u64,
    /// What plain speech has at least.
    speech: u64,
}

/// The length is that of the bytes at the rate by which they are played, so there is nothing to lie about. Eight channels of 24
/// bits at 48 kHz are 9,216.
const WAV: Rates = Rates { most: 10_000, speech: 10_000 };
/// Two channels of 24 bits at 96 kHz are 4,608; speech takes more than half of one of 16 bits at 8 kHz.
const FLAC: Rates = Rates { most: 5_000, speech: 64 };
/// Of sound; a film has more, and is as long as its bytes may be.
const LOSSY: Rates = Rates { most: 512, speech: SPEECH_KBIT };
/// Whose frames were counted; none has more than 320.
const FRAMES: Rates = Rates { most: 512, speech: 512 };

/// How long it is, as far as can be told.
pub fn length(recording: &[u8]) -> Length {
    let claimed = || ogg(recording).or_else(|| mp4(recording)).or_else(|| mp3::claimed(recording));
    let told = wav(recording)
        .map(|ms| (ms, WAV))
        .or_else(|| flac(recording).map(|ms| (ms, FLAC)))
        .or_else(|| mp3::counted(recording).map(|ms| (ms, FRAMES)))
        .or_else(|| claimed().map(|ms| (ms, LOSSY)));
    let bits = bits(recording.len());
    match told.filter(|(ms, rates)| (bits / rates.most..=bits / FEWEST_KBIT).contains(ms)) {
        Some((ms, rates)) => Length { told_ms: Some(ms), counted_ms: ms.max(bits / rates.speech) },
        None => Length { told_ms: None, counted_ms: speech_ms(recording.len()) },
    }
}

/// What so many bytes of plain speech are, in milliseconds.
pub fn speech_ms(bytes: usize) -> u64 {
    bits(bytes) / SPEECH_KBIT
}

/// The longest that a recording of so many bytes is, in milliseconds: what it is at 6 kbit/s.
pub fn longest_ms(bytes: usize) -> u64 {
    bits(bytes).div_ceil(LEAST_KBIT)
}

/// Bits, which are milliseconds at one kilobit a second.
fn bits(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(8)
}

fn at<const N: usize>(bytes: &[u8], from: usize) -> Option<[u8; N]> {
    bytes.get(from..from.checked_add(N)?)?.try_into().ok()
}

fn little(bytes: &[u8], from: usize) -> Option<u64> {
    at(bytes, from).map(|four| u32::from_le_bytes(four).into())
}

fn big(bytes: &[u8], from: usize) -> Option<u64> {
    at(bytes, from).map(|four| u32::from_be_bytes(four).into())
}

/// So many units, of which there are so many in a second, in milliseconds.
fn millis(units: u64, in_a_second: u64) -> Option<u64> {
    let ms = (u128::from(units) * 1_000).checked_div(u128::from(in_a_second))?;
    u64::try_from(ms).ok()
}

/// The sound's bytes, which are all that follow, at the rate by which they are played: what the head says of bytes in a second, and
/// of the number of them, is nobody's concern but its own.
fn wav(bytes: &[u8]) -> Option<u64> {
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut from, mut in_a_second): (_, Option<u64>) = (12_usize, None);
    loop {
        let (kind, length) = (bytes.get(from..from.checked_add(4)?)?, little(bytes, from + 4)?);
        let content = from + 8;
        match kind {
            // Of two, the slower.
            b"fmt " => {
                let rate = played(bytes.get(content..)?)?;
                in_a_second = Some(in_a_second.map_or(rate, |other| other.min(rate)));
            }
            b"data" => return millis(bits(bytes.len() - content), in_a_second?),
            _ => {}
        }
        // Chunks begin at even places.
        let length = usize::try_from(length + length % 2).ok()?;
        from = content.checked_add(length)?;
    }
}

/// Bits that are played in a second, by a chunk of the kind `fmt `; `None` where they cannot be told from their number.
fn played(format: &[u8]) -> Option<u64> {
    let two = |from| at(format, from).map(|two| u64::from(u16::from_le_bytes(two)));
    let (channels, samples) = (two(2)?, little(format, 4)?);
    // The extensible form names the encoding further behind.
    let encoding = match two(0)? {
        0xfffe => two(24)?,
        encoding => encoding,
    };
    let sample = match encoding {
        // Whole numbers and floating ones, in whole bytes.
        1 | 3 => two(14)?.next_multiple_of(8),
        // A-law and µ-law.
        6 | 7 => 8,
        _ => return None,
    };
    samples.checked_mul(channels * sample)
}

/// The samples of the first block, if whoever wrote it knew them.
fn flac(bytes: &[u8]) -> Option<u64> {
    if !bytes.starts_with(b"fLaC") {
        return None;
    }
    // 20 bits of samples a second, 3 of channels, 5 of bits, 36 of samples.
    let packed = u64::from_be_bytes(at(bytes, 18)?);
    let (in_a_second, samples) = (packed >> 44, packed & 0xf_ffff_ffff);
    if samples == 0 { None } else { millis(samples, in_a_second) }
}

/// The place of the last page, in samples.
fn ogg(bytes: &[u8]) -> Option<u64> {
    if !bytes.starts_with(b"OggS") {
        return None;
    }
    let content = bytes.get(27 + usize::from(*bytes.get(26)?)..)?;
    let (in_a_second, before) = if content.starts_with(b"OpusHead") {
        (48_000, u16::from_le_bytes(at(content, 10)?).into())
    } else if content.starts_with(b"\x01vorbis") {
        (little(content, 12)?, 0)
    } else {
        return None;
    };
    let last = memchr::memmem::rfind(bytes, b"OggS")?;
    let place = i64::from_le_bytes(at(bytes, last + 6)?);
    let samples = u64::try_from(place).ok()?.checked_sub(before)?;
    millis(samples, in_a_second)
}

/// The first box of this kind at the top of some bytes: its content.
fn inside<'b>(bytes: &'b [u8], kind: &[u8; 4]) -> Option<&'b [u8]> {
    let mut from = 0;
    loop {
        let (length, name) = (big(bytes, from)?, bytes.get(from + 4..from + 8)?);
        let (head, length) = match length {
            0 => (8, (bytes.len() - from) as u64),
            1 => (16, u64::from_be_bytes(at(bytes, from + 8)?)),
            length => (8, length),
        };
        let end = from.checked_add(usize::try_from(length).ok()?)?;
        if name == kind {
            return bytes.get(from + head..end.min(bytes.len()));
        }
        if end <= from {
            return None;
        }
        from = end;
    }
}

/// The duration of the movie, of which a recording is the sound.
fn mp4(bytes: &[u8]) -> Option<u64> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let head = inside(inside(bytes, b"moov")?, b"mvhd")?;
    let (in_a_second, units) = match head.first()? {
        0 => (big(head, 12)?, big(head, 16)?),
        _ => (big(head, 20)?, u64::from_be_bytes(at(head, 24)?)),
    };
    // One that is written in pieces says nothing here.
    if units == 0 { None } else { millis(units, in_a_second) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many milliseconds of 16 kHz, 16 bits, one channel; `length` as the head says it.
    fn wave(ms: usize, length: u32) -> Vec<u8> {
        let mut bytes = b"RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(16_000_u32.to_le_bytes());
        bytes.extend(32_000_u32.to_le_bytes());
        bytes.extend(*b"\x02\0\x10\0LIST\x03\0\0\0abc\0data");
        bytes.extend(length.to_le_bytes());
        bytes.extend(vec![7; ms * 32]);
        bytes
    }

    fn opus(samples: u64) -> Vec<u8> {
        let page = |place: u64, content: &[u8]| {
            let mut page = b"OggS\0\0".to_vec();
            page.extend(place.to_le_bytes());
            page.extend([0; 12]);
            page.extend([1, content.len() as u8]);
            page.extend(content);
            page
        };
        let head = page(0, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0");
        [head, page(48_000, &[1; 200]), page(samples + 312, &[2; 200])].concat()
    }

    fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes(), kind, content].concat()
    }

    fn movie(units: u32) -> Vec<u8> {
        let mut head = vec![0; 12];
        head.extend(1_000_u32.to_be_bytes());
        head.extend(units.to_be_bytes());
        let moov = boxed(b"moov", &[boxed(b"udta", b"x"), boxed(b"mvhd", &head)].concat());
        [boxed(b"ftyp", b"M4A \0\0\0\0"), boxed(b"mdat", &[3; 4_000]), moov].concat()
    }

    fn layer_three(flags: u8) -> Vec<u8> {
        let tag = [&b"ID3\x04\0\0\0\0\x01\x02"[..], &[0; 130]].concat();
        let frame =
            [&[0xff, 0xfb, 0x90, 0xc4][..], &[0; 17], b"Xing\0\0\0", &[flags], &1_000_u32.to_be_bytes()]
                .concat();
        [tag, frame, vec![9; 9_000]].concat()
    }

    fn length_ms(recording: &[u8]) -> Option<u64> {
        length(recording).told_ms
    }

    #[test]
    fn a_head_says_how_long_it_is() {
        assert_eq!(length_ms(&wave(1_500, 48_000)), Some(1_500));
        assert_eq!(length_ms(&wave(1_500, 0)), Some(1_500), "written while it was recorded");
        assert_eq!(length_ms(&wave(1_500, u32::MAX)), Some(1_500));
        assert_eq!(length_ms(&opus(96_000)), Some(2_000));
        assert_eq!(length_ms(&movie(12_345)), Some(12_345));
        assert_eq!(length_ms(&layer_three(1)), Some(26_122), "1000 frames of 1152 samples");
        let mut flac = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0".to_vec();
        flac.extend((16_000_u64 << 44 | 15 << 36 | 40_000).to_be_bytes());
        flac.extend([0; 500]);
        assert_eq!(length_ms(&flac), Some(2_500));
    }

    #[test]
    fn what_says_nothing_or_cannot_be_true_is_not_told() {
        for silent in
            [&b""[..], b"RIFF", b"\x1a\x45\xdf\xa3webm", &movie(0)[..], &layer_three(0)[..], &opus(0)[..60]]
        {
            assert_eq!(length_ms(silent), None);
        }
        assert_eq!(length_ms(&movie(u32::MAX)), None, "longer than so few bytes are");
        let mut endless = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0".to_vec();
        endless.extend((1_u64 << 44 | 0xf_ffff_ffff).to_be_bytes());
        assert_eq!(length_ms(&endless), None, "as many seconds as 36 bits say");
        // 25 MB at 512 kbit/s are 390 seconds.
        let long = |ms| [movie(ms), vec![0; 25_000_000]].concat();
        assert_eq!(length(&long(1_000)), Length { told_ms: None, counted_ms: 6_251_017 });
        assert_eq!(length_ms(&long(390_000)), None);
        assert_eq!(length(&long(391_000)), Length { told_ms: Some(391_000), counted_ms: 6_251_017 });
        assert_eq!(length(&long(7_000_000)), Length { told_ms: Some(7_000_000), counted_ms: 7_000_000 });
        assert_eq!(longest_ms(750), 1_000, "a second at 6 kbit/s");
        assert_eq!(longest_ms(usize::MAX), u64::MAX.div_ceil(6));
    }

    #[test]
    fn a_wave_is_as_long_as_it_is_played_whatever_else_it_says() {
        let wave = wave(10_000, 1_000);
        let told = Length { told_ms: Some(10_000), counted_ms: 10_000 };
        assert_eq!(length(&wave), told, "bytes behind the sound that is named");
        let changed = |at: usize, bytes: &[u8]| {
            let mut wave = wave.clone();
            wave[at..at + bytes.len()].copy_from_slice(bytes);
            length(&wave).told_ms
        };
        assert_eq!(changed(28, &u32::MAX.to_le_bytes()), Some(10_000), "bytes in a second");
        assert_eq!(changed(32, &[0xff, 0xff]), Some(10_000), "bytes of all channels");
        assert_eq!(changed(34, &[12]), Some(10_000), "12 bits take two bytes");
        assert_eq!(changed(20, &[7]), Some(20_000), "of µ-law each is one byte");
        assert_eq!(changed(20, &[0x55]), None, "MP3 inside");
        assert_eq!(changed(34, &[0]), None);
        assert_eq!(changed(24, &u32::MAX.to_le_bytes()), None, "no recording has so many samples");
    }
}
