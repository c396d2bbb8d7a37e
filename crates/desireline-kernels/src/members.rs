//! Which codes of a column are in a set.

use crate::{Level, level, words};

/// A set of one-byte codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteSet {
    bits: [u64; 4],
}

impl ByteSet {
    /// The set of the codes whose place in `table` is true. Places beyond 255 are no byte and are left out.
    pub fn from_table(table: &[bool]) -> ByteSet {
        (0..=u8::MAX)
            .zip(table)
            .filter(|(_, is_in)| **is_in)
            .map(|(code, _)| code)
            .collect()
    }

    /// Whether `code` is in the set.
    #[inline]
    pub fn contains(&self, code: u8) -> bool {
        self.bits[usize::from(code >> 6)] >> (code & 63) & 1 == 1
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.bits == [0; 4]
    }

    /// 255 for each code in the set, 0 for each other.
    #[cfg(target_arch = "x86_64")]
    fn bytes(&self) -> [u8; 256] {
        let mut bytes = [0; 256];
        for (code, byte) in (0..=u8::MAX).zip(&mut bytes) {
            *byte = if self.contains(code) { u8::MAX } else { 0 };
        }
        bytes
    }
}

impl FromIterator<u8> for ByteSet {
    fn from_iter<T: IntoIterator<Item = u8>>(codes: T) -> ByteSet {
        let mut set = ByteSet::default();
        for code in codes {
            set.bits[usize::from(code >> 6)] |= 1 << (code & 63);
        }
        set
    }
}

/// Sets bit `i` of `out` where `codes[i]` is in `set`, and clears every other bit.
///
/// `out` holds [`words`]`(codes.len())` words; codes without a word are left out, words without codes become 0.
/// One read of a byte an event: bound by the memory's bandwidth with AVX-512, about a nanosecond an event without SIMD.
///
/// ```
/// use desireline_kernels::{ByteSet, members};
/// let mut bits = [0];
/// members(&[7, 2, 9, 7], &ByteSet::from_iter([7]), &mut bits);
/// assert_eq!(bits, [0b1001]);
/// ```
pub fn members(codes: &[u8], set: &ByteSet, out: &mut [u64]) {
    with(level(), codes, set, out);
}

/// See [`members`]; the processor has the instructions of `level`.
fn with(level: Level, codes: &[u8], set: &ByteSet, out: &mut [u64]) {
    let n_words = words(codes.len()).min(out.len());
    let (out, beyond) = out.split_at_mut(n_words);
    beyond.fill(0);
    let codes = &codes[..codes.len().min(n_words * 64)];
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::members_avx512(codes, set, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx2 => unsafe { x86::members_avx2(codes, set, out) },
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        // SAFETY: the level says that the processor has these instructions.
        Level::Neon => unsafe { arm::members_neon(codes, set, out) },
        _ => scalar::members(codes, set, out),
    }
}

pub(crate) mod scalar {
    use super::ByteSet;

    /// See [`members`](crate::members()).
    pub fn members(codes: &[u8], set: &ByteSet, out: &mut [u64]) {
        let mut table = [0u8; 256];
        for (code, byte) in (0..=u8::MAX).zip(&mut table) {
            *byte = u8::from(set.contains(code));
        }
        let mut chunks = codes.chunks(64);
        for word in out {
            let chunk = chunks.next().unwrap_or_default();
            *word = chunk.iter().rev().fold(0, |word, &code| {
                word << 1 | u64::from(table[usize::from(code)])
            });
        }
    }
}

/// The codes of a last, incomplete word, filled up; and which bits of the word count.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
))]
fn tail(rest: &[u8]) -> ([u8; 64], u64) {
    let mut codes = [0; 64];
    for (into, &code) in codes.iter_mut().zip(rest) {
        *into = code;
    }
    (codes, u64::MAX >> (64 - rest.len().clamp(1, 64)))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{ByteSet, tail};

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn members_avx512(codes: &[u8], set: &ByteSet, out: &mut [u64]) {
        let bytes = set.bytes();
        // SAFETY: four loads of 64 bytes each, at 0, 64, 128 and 192 of 256 bytes.
        let table: [__m512i; 4] = std::array::from_fn(|i| unsafe {
            _mm512_loadu_si512(bytes.as_ptr().add(64 * i).cast())
        });
        let word = |codes: &[u8; 64]| {
            // SAFETY: one load of 64 bytes from an array of 64.
            let codes = unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) };
            let low = _mm512_permutex2var_epi8(table[0], codes, table[1]);
            let high = _mm512_permutex2var_epi8(table[2], codes, table[3]);
            let is_high = _mm512_movepi8_mask(codes);
            _mm512_movepi8_mask(_mm512_mask_blend_epi8(is_high, low, high))
        };
        let (chunks, rest) = codes.as_chunks::<64>();
        for (out, chunk) in out.iter_mut().zip(chunks) {
            *out = word(chunk);
        }
        if !rest.is_empty()
            && let Some(out) = out.get_mut(chunks.len())
        {
            let (codes, valid) = tail(rest);
            *out = word(&codes) & valid;
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn members_avx2(codes: &[u8], set: &ByteSet, out: &mut [u64]) {
        // Row by the low half of a code, bit by the high half: one table for high halves 0 to 7, one for 8 to 15.
        let mut rows = [[0u8; 16]; 2];
        for code in (0..=u8::MAX).filter(|&c| set.contains(c)) {
            let (high, low) = (code >> 4, usize::from(code & 15));
            rows[usize::from(high >> 3)][low] |= 1 << (high & 7);
        }
        let bit_of: [u8; 16] = std::array::from_fn(|high| 1 << (high & 7));
        let twice = |row: &[u8; 16]| {
            // SAFETY: one load of 16 bytes from an array of 16.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(row.as_ptr().cast()) })
        };
        let (below, above, bit_of) = (twice(&rows[0]), twice(&rows[1]), twice(&bit_of));
        let half = _mm256_set1_epi8(0x0f);
        let bits = |codes: &[u8; 32]| {
            // SAFETY: one load of 32 bytes from an array of 32.
            let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
            let low = _mm256_and_si256(codes, half);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), half);
            // The sign of a code tells which table; the blend looks at the sign only.
            let row = _mm256_blendv_epi8(
                _mm256_shuffle_epi8(below, low),
                _mm256_shuffle_epi8(above, low),
                codes,
            );
            let bit = _mm256_shuffle_epi8(bit_of, high);
            let is_in = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit);
            u64::from(_mm256_movemask_epi8(is_in).cast_unsigned())
        };
        let word = |codes: &[u8; 64]| {
            let (halves, _) = codes.as_chunks::<32>();
            bits(&halves[0]) | bits(&halves[1]) << 32
        };
        let (chunks, rest) = codes.as_chunks::<64>();
        for (out, chunk) in out.iter_mut().zip(chunks) {
            *out = word(chunk);
        }
        if !rest.is_empty()
            && let Some(out) = out.get_mut(chunks.len())
        {
            let (codes, valid) = tail(rest);
            *out = word(&codes) & valid;
        }
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod arm {
    use std::arch::aarch64::*;

    use super::{ByteSet, tail};
    use crate::neon::bits;

    #[target_feature(enable = "neon")]
    pub(super) fn members_neon(codes: &[u8], set: &ByteSet, out: &mut [u64]) {
        // Row by all but the lowest three bits of a code, bit by those three: the set as it is kept.
        let mut rows = [[0u8; 16]; 2];
        let bytes = set.bits.iter().flat_map(|word| word.to_le_bytes());
        for (row, byte) in rows.as_flattened_mut().iter_mut().zip(bytes) {
            *row = byte;
        }
        // SAFETY: one load of 16 bytes from each array of 16.
        let rows = uint8x16x2_t(unsafe { vld1q_u8(rows[0].as_ptr()) }, unsafe {
            vld1q_u8(rows[1].as_ptr())
        });
        let (one, low) = (vdupq_n_u8(1), vdupq_n_u8(7));
        let word = |codes: &[u8; 64]| {
            bits(std::array::from_fn(|i| {
                // SAFETY: 16 bytes from places up to 48 of 64.
                let codes = unsafe { vld1q_u8(codes.as_ptr().add(16 * i)) };
                let row = vqtbl2q_u8(rows, vshrq_n_u8::<3>(codes));
                let bit = vshlq_u8(one, vreinterpretq_s8_u8(vandq_u8(codes, low)));
                vtstq_u8(row, bit)
            }))
        };
        let (chunks, rest) = codes.as_chunks::<64>();
        for (out, chunk) in out.iter_mut().zip(chunks) {
            *out = word(chunk);
        }
        if !rest.is_empty()
            && let Some(out) = out.get_mut(chunks.len())
        {
            let (codes, valid) = tail(rest);
            *out = word(&codes) & valid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LENGTHS, levels, scattered};

    /// Every version against the set's own word.
    fn check(codes: &[u8], set: &ByteSet) {
        let mut wanted = vec![0; words(codes.len())];
        for (i, &code) in codes.iter().enumerate() {
            wanted[i / 64] |= u64::from(set.contains(code)) << (i % 64);
        }
        for level in levels() {
            let mut out = vec![u64::MAX; wanted.len()];
            with(level, codes, set, &mut out);
            assert_eq!(out, wanted, "{level:?}");
        }
    }

    #[test]
    fn ends_of_words() {
        let mut numbers = scattered().map(|n| (n & 255) as u8);
        for &len in LENGTHS {
            let codes: Vec<u8> = numbers.by_ref().take(len).collect();
            for n_members in [0, 1, 20, 400] {
                check(&codes, &numbers.by_ref().take(n_members).collect());
            }
        }
    }

    #[test]
    fn every_code_in_every_lane() {
        let step = if cfg!(miri) { 85 } else { 1 };
        for only in (0..=u8::MAX).step_by(step) {
            let codes: Vec<u8> = (0..=u8::MAX).chain(only..=u8::MAX).collect();
            check(&codes, &ByteSet::from_iter([only]));
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_cut() {
        let set = ByteSet::from_iter([1]);
        let mut few = [0];
        members(&[1; 130], &set, &mut few);
        assert_eq!(few, [u64::MAX]);
        let mut many = [7; 3];
        members(&[1, 0, 1], &set, &mut many);
        assert_eq!(many, [0b101, 0, 0]);
        members(&[], &set, &mut []);
    }

    #[cfg(not(miri))]
    mod random {
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn every_version_says_what_contains_says(
                codes in prop::collection::vec(any::<u8>(), 0..300),
                set in prop::collection::vec(any::<u8>(), 0..40),
            ) {
                super::check(&codes, &set.into_iter().collect());
            }
        }
    }
}
