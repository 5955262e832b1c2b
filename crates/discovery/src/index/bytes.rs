//! Numbers and texts in bytes, as the files of the index hold them. Reading trusts nothing.

/// The bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// Appends a number in base 128, low part first (LEB128).
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a length and so many bytes.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Reads what [`put`] wrote, from front to back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'b>(pub &'b [u8]);

impl<'b> Bytes<'b> {
    pub(crate) fn number(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Corrupt)?;
            self.0 = rest;
            if shift == 63 && byte > 1 {
                return Err(Corrupt);
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Corrupt)
    }

    /// A number that fits.
    pub(crate) fn small<N: TryFrom<u64>>(&mut self) -> Result<N, Corrupt> {
        N::try_from(self.number()?).map_err(|_| Corrupt)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'b [u8], Corrupt> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Corrupt)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Corrupt> {
        let length = self.small()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Corrupt> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Corrupt)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The part before a CRC-32 that ends the bytes, if it is right.
pub(crate) fn checked(bytes: &[u8]) -> Result<&[u8], Corrupt> {
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(Corrupt)?;
    if crc32fast::hash(body) == u32::from_le_bytes(*sum) { Ok(body) } else { Err(Corrupt) }
}

/// Appends the CRC-32 of all bytes so far.
pub(crate) fn seal(out: &mut Vec<u8>) {
    let sum = crc32fast::hash(out);
    out.extend_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_back() {
        let mut out = Vec::new();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        numbers.iter().for_each(|&number| put(&mut out, number));
        put_text(&mut out, "größe".as_bytes());
        let mut bytes = Bytes(&out);
        for number in numbers {
            assert_eq!(bytes.number(), Ok(number));
        }
        assert_eq!(bytes.text(), Ok("größe"));
        assert!(bytes.is_empty());
        assert_eq!(bytes.number(), Err(Corrupt));
        assert_eq!(Bytes(&[0xff; 10]).number(), Err(Corrupt));
        assert_eq!(Bytes(&[200, 2, 1]).bytes(), Err(Corrupt));
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let mut out = b"some bytes".to_vec();
        seal(&mut out);
        assert_eq!(checked(&out), Ok(&b"some bytes"[..]));
        for at in 0..out.len() {
            let mut bad = out.clone();
            bad[at] ^= 4;
            assert_eq!(checked(&bad), Err(Corrupt), "{at}");
        }
        assert_eq!(checked(&[1, 2]), Err(Corrupt));
    }
}
