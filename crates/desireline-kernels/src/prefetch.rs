//! Asking memory for what will be read soon.

/// Asks for `slice[i]` to be brought near; does nothing where there is no such element or the processor has no such
/// instruction. Worth it where many places far apart are read in turn and all are known beforehand.
#[inline]
pub fn prefetch<T>(slice: &[T], i: usize) {
    if let Some(wanted) = slice.get(i) {
        near(std::ptr::from_ref(wanted).cast());
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn near(wanted: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86-64 processor has SSE, and a prefetch neither reads nor writes for the program; the address is
    // that of a reference all the same.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(wanted) }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline]
fn near(wanted: *const i8) {
    // SAFETY: every such processor has this instruction, and it neither reads nor writes for the program; the address is
    // that of a reference all the same.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{wanted}]",
            wanted = in(reg) wanted,
            options(nostack, preserves_flags, readonly),
        );
    }
}

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
#[inline]
fn near(_: *const i8) {}

#[cfg(test)]
mod tests {
    use super::prefetch;

    #[test]
    fn no_place_is_too_far() {
        let few = [1_u32, 2, 3];
        for i in [0, 2, 3, usize::MAX] {
            prefetch(&few, i);
        }
        prefetch::<u64>(&[], 0);
        prefetch(&[(); 2], 1);
    }
}
