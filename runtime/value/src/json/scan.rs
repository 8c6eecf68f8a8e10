//! Looking at eight bytes at once for those that end a run of plain text in JSON.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A high bit set somewhere when one of the eight bytes is 0.
const fn zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The first byte from a place on that is a quote, a backslash or a control character.
pub(super) fn special(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (eights, _) = rest.as_chunks::<8>();
    let mut plain = 0;
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found =
            zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64)) | controls;
        if found != 0 {
            break;
        }
        plain += 8;
    }
    // (the test of eight may see one too many after the first: which it is, is found byte by byte)
    let at = rest[plain..]
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    Some(from + plain + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x1e_u8..0x24, 0x5a_u8..0x5e], 0..40), from in 0_usize..45) {
            let plain = bytes.iter().enumerate().skip(from).find(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(super::special(&bytes, from), plain.map(|(at, _)| at));
        }
    }
}
