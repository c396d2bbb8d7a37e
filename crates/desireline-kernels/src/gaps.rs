//! Where a column of ascending ticks leaps.

use crate::{Level, level, words};

/// For each event, how many ticks (units of time) after the one before it: sets bit `i` of `least` where it is `low` or more, and of
/// `most` where it is `high` or more; clears every other bit. `before` is the tick of the event before the first one.
///
/// Differences wrap round, so where the ticks fall (at the first event of another customer) the bits mean nothing and
/// the caller sets or ignores them. `least` and `most` hold [`words`]`(ticks.len())` words each.
/// One read of four bytes an event.
///
/// ```
/// let (mut least, mut most) = ([0], [0]);
/// desireline_kernels::gaps(&[10, 40, 41, 99], 10, 30, 50, &mut least, &mut most);
/// assert_eq!((least, most), ([0b1010], [0b1000]));
/// ```
pub fn gaps(ticks: &[u32], before: u32, low: u32, high: u32, least: &mut [u64], most: &mut [u64]) {
    with(level(), ticks, before, low, high, least, most);
}

/// See [`gaps`]; the processor has the instructions of `level`.
fn with(
    level: Level,
    ticks: &[u32],
    before: u32,
    low: u32,
    high: u32,
    least: &mut [u64],
    most: &mut [u64],
) {
    let n_words = words(ticks.len()).min(least.len()).min(most.len());
    let (least, beyond) = least.split_at_mut(n_words);
    beyond.fill(0);
    let (most, beyond) = most.split_at_mut(n_words);
    beyond.fill(0);
    let ticks = &ticks[..ticks.len().min(n_words * 64)];
    // The first word has a predecessor of its own, the last one may be incomplete: both are left to the portable version.
    let n_whole = ticks.len() / 64;
    let level = if n_whole < 2 { Level::Scalar } else { level };
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx512 => unsafe { x86::gaps_avx512(ticks, low, high, least, most) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the processor has these instructions.
        Level::Avx2 => unsafe { x86::gaps_avx2(ticks, low, high, least, most) },
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        // SAFETY: the level says that the processor has these instructions.
        Level::Neon => unsafe { arm::gaps_neon(ticks, low, high, least, most) },
        _ => return scalar::gaps(ticks, before, low, high, least, most),
    }
    scalar::gaps(
        &ticks[..64],
        before,
        low,
        high,
        &mut least[..1],
        &mut most[..1],
    );
    let rest = &ticks[n_whole * 64..];
    scalar::gaps(
        rest,
        ticks[n_whole * 64 - 1],
        low,
        high,
        &mut least[n_whole..],
        &mut most[n_whole..],
    );
}

pub(crate) mod scalar {
    /// See [`gaps`](crate::gaps()).
    pub fn gaps(
        ticks: &[u32],
        before: u32,
        low: u32,
        high: u32,
        least: &mut [u64],
        most: &mut [u64],
    ) {
        least.fill(0);
        most.fill(0);
        let mut before = before;
        for (chunk, (least, most)) in ticks.chunks(64).zip(least.iter_mut().zip(most)) {
            for (bit, &second) in chunk.iter().enumerate() {
                let gap = second.wrapping_sub(before);
                *least |= u64::from(gap >= low) << bit;
                *most |= u64::from(gap >= high) << bit;
                before = second;
            }
        }
    }
}

/// Every word but the first and an incomplete last one: `bits` is given its 64 ticks and the one before them.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
))]
#[inline(always)]
fn each_word(
    ticks: &[u32],
    least: &mut [u64],
    most: &mut [u64],
    bits: impl Fn(&[u32; 65]) -> (u64, u64),
) {
    let words = least.iter_mut().zip(most).enumerate().skip(1);
    for (word, (least, most)) in words.take((ticks.len() / 64).saturating_sub(1)) {
        if let Some(ticks) = ticks[word * 64 - 1..].first_chunk::<65>() {
            (*least, *most) = bits(ticks);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::each_word;

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn gaps_avx512(
        ticks: &[u32],
        low: u32,
        high: u32,
        least: &mut [u64],
        most: &mut [u64],
    ) {
        let low = _mm512_set1_epi32(low.cast_signed());
        let high = _mm512_set1_epi32(high.cast_signed());
        each_word(ticks, least, most, |ticks| {
            let (mut least, mut most) = (0, 0);
            for at in (0..64).step_by(16) {
                // SAFETY: 16 numbers from places up to 49 of 65.
                let (before, now) = unsafe {
                    (
                        _mm512_loadu_si512(ticks.as_ptr().add(at).cast()),
                        _mm512_loadu_si512(ticks.as_ptr().add(at + 1).cast()),
                    )
                };
                let gap = _mm512_sub_epi32(now, before);
                least |= u64::from(_mm512_cmpge_epu32_mask(gap, low)) << at;
                most |= u64::from(_mm512_cmpge_epu32_mask(gap, high)) << at;
            }
            (least, most)
        });
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn gaps_avx2(
        ticks: &[u32],
        low: u32,
        high: u32,
        least: &mut [u64],
        most: &mut [u64],
    ) {
        let low = _mm256_set1_epi32(low.cast_signed());
        let high = _mm256_set1_epi32(high.cast_signed());
        each_word(ticks, least, most, |ticks| {
            let (mut least, mut most) = (0, 0);
            for at in (0..64).step_by(8) {
                // SAFETY: 8 numbers from places up to 57 of 65.
                let (before, now) = unsafe {
                    (
                        _mm256_loadu_si256(ticks.as_ptr().add(at).cast()),
                        _mm256_loadu_si256(ticks.as_ptr().add(at + 1).cast()),
                    )
                };
                let gap = _mm256_sub_epi32(now, before);
                // There is no unsigned comparison: a number is at least another if it is the larger of both.
                let reaches = |limit| {
                    let is = _mm256_cmpeq_epi32(_mm256_max_epu32(gap, limit), gap);
                    u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(is)).cast_unsigned())
                };
                least |= reaches(low) << at;
                most |= reaches(high) << at;
            }
            (least, most)
        });
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod arm {
    use std::arch::aarch64::*;

    use super::each_word;
    use crate::neon::bits;

    #[target_feature(enable = "neon")]
    pub(super) fn gaps_neon(
        ticks: &[u32],
        low: u32,
        high: u32,
        least: &mut [u64],
        most: &mut [u64],
    ) {
        let (low, high) = (vdupq_n_u32(low), vdupq_n_u32(high));
        each_word(ticks, least, most, |ticks| {
            let gaps: [uint32x4_t; 16] = std::array::from_fn(|i| {
                // SAFETY: 4 numbers from places up to 61 of 65.
                let (before, now) = unsafe {
                    (
                        vld1q_u32(ticks.as_ptr().add(4 * i)),
                        vld1q_u32(ticks.as_ptr().add(4 * i + 1)),
                    )
                };
                vsubq_u32(now, before)
            });
            let reach = |limit| {
                bits(std::array::from_fn(|i| {
                    // Comparisons say all bits or none, so the lower halves say as much.
                    let pair = |i| {
                        vuzp1q_u16(
                            vreinterpretq_u16_u32(vcgeq_u32(gaps[i], limit)),
                            vreinterpretq_u16_u32(vcgeq_u32(gaps[i + 1], limit)),
                        )
                    };
                    vuzp1q_u8(
                        vreinterpretq_u8_u16(pair(4 * i)),
                        vreinterpretq_u8_u16(pair(4 * i + 2)),
                    )
                }))
            };
            (reach(low), reach(high))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LENGTHS, levels, scattered};

    /// Every version against the differences themselves.
    fn check(ticks: &[u32], before: u32, low: u32, high: u32) {
        let earlier = std::iter::once(&before).chain(ticks);
        let differences = ticks.iter().zip(earlier).map(|(s, b)| s.wrapping_sub(*b));
        let n_words = words(ticks.len());
        let mut wanted = [vec![0; n_words], vec![0; n_words]];
        for (i, difference) in differences.enumerate() {
            for (words, limit) in wanted.iter_mut().zip([low, high]) {
                words[i / 64] |= u64::from(difference >= limit) << (i % 64);
            }
        }
        for level in levels() {
            let mut bits = [vec![u64::MAX; n_words], vec![7; n_words]];
            let [least, most] = &mut bits;
            with(level, ticks, before, low, high, least, most);
            assert_eq!(bits, wanted, "{level:?}");
        }
    }

    #[test]
    fn ends_of_words_and_wrapping_differences() {
        let mut numbers = scattered();
        for &len in LENGTHS {
            let near: Vec<u32> = numbers.by_ref().take(len).map(|n| n % 50).collect();
            let far: Vec<u32> = numbers.by_ref().take(len).collect();
            let edges: Vec<u32> = far
                .iter()
                .map(|n| [0, 1, u32::MAX][*n as usize % 3])
                .collect();
            check(&near, 7, 1, 20);
            check(&far, u32::MAX, u32::MAX / 4, u32::MAX / 2);
            check(&edges, 0, 0, u32::MAX);
            check(&edges, 1, 2, 1 << 31);
        }
    }

    #[test]
    fn words_that_do_not_fit_are_cut() {
        let ticks: Vec<u32> = (0..130).map(|n| n * 10).collect();
        let (mut least, mut most) = (vec![7; 4], vec![7; 2]);
        gaps(&ticks, 0, 10, 11, &mut least, &mut most);
        assert_eq!(least, [u64::MAX - 1, u64::MAX, 0, 0]);
        assert_eq!(most, [0, 0]);
        gaps(&[], 0, 0, 0, &mut [], &mut []);
    }

    #[cfg(not(miri))]
    mod random {
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn every_version_says_what_the_differences_say(
                ticks in prop::collection::vec(
                    prop_oneof![0u32..200, any::<u32>(), Just(u32::MAX)], 0..300),
                before in any::<u32>(),
                low in prop_oneof![0u32..100, any::<u32>()],
                high in prop_oneof![0u32..100, any::<u32>()],
            ) {
                super::check(&ticks, before, low, high);
            }
        }
    }
}
