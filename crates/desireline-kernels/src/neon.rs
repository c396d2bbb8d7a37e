//! What the versions for NEON share.

use std::arch::aarch64::*;

/// One bit for each of 64 bytes that are 0 or 255, the first byte's lowest.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn bits(bytes: [uint8x16_t; 4]) -> u64 {
    let weights = vcombine_u8(
        vcreate_u8(0x8040_2010_0804_0201),
        vcreate_u8(0x8040_2010_0804_0201),
    );
    let [a, b, c, d] = bytes.map(|bytes| vandq_u8(bytes, weights));
    // Each byte of the sum is eight bytes' bits: three sums of neighbours.
    let halves = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
}
