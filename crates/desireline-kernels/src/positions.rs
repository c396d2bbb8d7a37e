//! Where the bits of a stretch are set.

use std::ops::Range;

/// Replaces the content of `out` by the positions of the set bits of `words` that lie in `range`, ascending. Bits beyond the
/// words are not set.
///
/// How many bits a word has is not asked bit by bit: a few are written whether they are there or not, and written over when
/// they are not. A processor cannot foresee where a loop over bits ends, and waits longer for that than it writes.
///
/// ```
/// let mut out = Vec::new();
/// desireline_kernels::positions(&[0b1101, 1], 1..65, &mut out);
/// assert_eq!(out, [2, 3, 64]);
/// ```
pub fn positions(words: &[u64], range: Range<u32>, out: &mut Vec<u32>) {
    out.clear();
    if range.is_empty() {
        return;
    }
    let (first, last) = (range.start / 64, (range.end - 1) / 64);
    let mut n = 0;
    for (place, &word) in (first..=last).zip(words.get(first as usize..).unwrap_or_default()) {
        let mut bits = word;
        if place == first {
            bits &= u64::MAX << (range.start % 64);
        }
        if place == last {
            bits &= u64::MAX >> (63 - (range.end - 1) % 64);
        }
        if out.len() < n + 64 {
            out.resize((2 * n).max(1024) + 64, 0);
        }
        let Some(room) = out[n..].first_chunk_mut::<64>() else {
            return;
        };
        let count = bits.count_ones() as usize;
        let mut write = |room: &mut [u32]| {
            for position in room {
                // 64 where no bit is left.
                *position = (place * 64).wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
            }
        };
        write(&mut room[..4]);
        if count > 4 {
            write(&mut room[4..16]);
        }
        if count > 16 {
            write(&mut room[16..count]);
        }
        n += count;
    }
    out.truncate(n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scattered;

    #[test]
    fn all_densities_and_ends() {
        let mut numbers = scattered();
        let mut out = vec![9; 3];
        let few = if cfg!(miri) { 4 } else { 1 };
        for density in [0, 1, 3, 8, 20, 64] {
            let words: Vec<u64> = (0..5)
                .map(|_| {
                    let bits = numbers.by_ref().take(64);
                    bits.fold(0, |word, n| word << 1 | u64::from(n >> 8 & 63 < density))
                })
                .collect();
            let is_set = |i: &u32| {
                let word = words.get(*i as usize / 64);
                word.is_some_and(|w| w >> (i % 64) & 1 == 1)
            };
            for start in [0, 1, 63, 64, 319, 100, 320, 500].into_iter().step_by(few) {
                for end in [0, 1, 64, 65, 128, 200, 319, 320, 321, 500]
                    .into_iter()
                    .step_by(few)
                {
                    positions(&words, start..end, &mut out);
                    let wanted: Vec<u32> = (start..end).filter(is_set).collect();
                    assert_eq!(out, wanted, "{density} of 64 in {start}..{end}");
                }
            }
        }
    }
}
