//! Reproducible chance: numbers that follow from a seed and a unit's key, with no state between them.
//!
//! A draw depends on nothing but its arguments, so it is the same on any thread, in any order and on any machine. The functions are part of the
//! stored meaning of a seed and do not change.

/// A well-mixed 64-bit number for (seed, key, counter).
///
/// Two rounds of the SplitMix64 finaliser per argument.
fn hash(seed: u64, key: u64, counter: u64) -> u64 {
    let mut state = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
    state = mix(state.wrapping_add(key).wrapping_add(0x9e37_79b9_7f4a_7c15));
    state = mix(state ^ counter.wrapping_mul(0xd134_2543_de82_ef95));
    mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A key for a unit known by text, such as a customer id: 64-bit FNV-1a, then mixed.
///
/// ```
/// use desireline_stats::resample::key;
/// assert_ne!(key(b"007"), key(b"7"));
/// ```
pub fn key(id: &[u8]) -> u64 {
    let fnv = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(fnv)
}

/// A number in `[0, 1)`, uniform over keys and counters.
///
/// ```
/// use desireline_stats::resample::uniform;
/// assert_eq!(uniform(1, 2, 3), uniform(1, 2, 3));
/// ```
pub fn uniform(seed: u64, key: u64, counter: u64) -> f64 {
    (hash(seed, key, counter) >> 11) as f64 / (1_u64 << 53) as f64
}

/// How often a unit counts in a bootstrap replicate: a Poisson(1) number that follows from seed, key and replicate alone.
///
/// Weighting all of a customer's observations by it is a cluster bootstrap that needs no resampled copy, and replicates can be merged like counts.
///
/// ```
/// use desireline_stats::resample::poisson_weight;
/// let total: u32 = (0..10_000).map(|customer| poisson_weight(42, customer, 0)).sum();
/// assert!((9_700..10_300).contains(&total));
/// ```
pub fn poisson_weight(seed: u64, key: u64, replicate: u64) -> u32 {
    let draw = hash(seed, key, replicate);
    POISSON.iter().take_while(|&&limit| draw >= limit).count() as u32
}

/// floor(2^64 P(X <= k)) of Poisson(1), k = 0, 1, …
const POISSON: [u64; 20] = [
    0x5e2d58d8b3bcdf1a,
    0xbc5ab1b16779be35,
    0xeb715e1dc1582dc2,
    0xfb23979734a252f1,
    0xff1025f59174dc3d,
    0xffd90f3ba4055e19,
    0xfffa8b71fc72c913,
    0xffff540c0914b3c9,
    0xffffed1f4aa8f120,
    0xfffffe216e641462,
    0xffffffd4d85d3183,
    0xfffffffc6da262b4,
    0xffffffffba12d178,
    0xfffffffffb07c64c,
    0xffffffffffab8ea5,
    0xfffffffffffabe22,
    0xffffffffffffb11a,
    0xfffffffffffffba1,
    0xffffffffffffffc5,
    0xfffffffffffffffd,
];

/// Which of `n_groups` a unit falls in, all equally likely: for A/A splits and hold-outs. With no groups it is 0.
///
/// ```
/// use desireline_stats::resample::split;
/// let first = (0..10_000).filter(|&customer| split(7, customer, 2) == 0).count();
/// assert!((4_800..5_200).contains(&first));
/// ```
pub fn split(seed: u64, key: u64, n_groups: u32) -> u32 {
    // The counter keeps splits apart from bootstrap weights under one seed.
    let draw = hash(seed, key, u64::MAX);
    ((u128::from(draw) * u128::from(n_groups)) >> 64) as u32
}
