//! The values of a column: owned, or borrowed from bytes that something else keeps alive.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bytemuck::Pod;
use bytes::Bytes;

/// Numbers of one width, end to end: a vector, or a stretch of shared bytes such as a file mapped into memory.
///
/// Reads as a slice. Turning it into one costs a comparison or two, so a kernel does it once per morsel.
///
/// ```
/// use desireline_core::log::Array;
///
/// let owned: Array<u16> = vec![1, 2, 3].into();
/// let shared = Array::<u16>::from_bytes(owned.clone().into_bytes());
/// assert_eq!(shared.as_deref(), Some(&[1, 2, 3][..]));
/// ```
#[derive(Clone)]
pub struct Array<T>(Repr<T>);

#[derive(Clone)]
enum Repr<T> {
    Owned(Vec<T>),
    /// Looked at once, in [`Array::from_bytes`]: aligned for `T` and a whole number of them.
    Shared(Bytes, PhantomData<T>),
}

impl<T: Pod> Array<T> {
    /// No values.
    pub const fn new() -> Array<T> {
        Array(Repr::Owned(Vec::new()))
    }

    /// The values that `bytes` holds in the byte order of this machine; `None` when the bytes are not aligned for `T`
    /// or no whole number of them. Nothing is copied.
    pub fn from_bytes(bytes: Bytes) -> Option<Array<T>> {
        if bytes.is_empty() {
            return Some(Array::new());
        }
        bytemuck::try_cast_slice::<u8, T>(&bytes).ok()?;
        Some(Array(Repr::Shared(bytes, PhantomData)))
    }

    /// The values.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Repr::Owned(values) => values,
            Repr::Shared(bytes, _) => bytemuck::try_cast_slice(bytes).unwrap_or_default(),
        }
    }

    /// The values as they lie in memory.
    pub fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.as_slice())
    }

    /// The values as shared bytes; nothing is copied.
    pub fn into_bytes(self) -> Bytes
    where
        T: Send + Sync,
    {
        match self.0 {
            Repr::Owned(values) => Bytes::from_owner(Owner(values)),
            Repr::Shared(bytes, _) => bytes,
        }
    }

    /// The values for writing; borrowed ones are copied first.
    pub fn make_mut(&mut self) -> &mut Vec<T> {
        if let Repr::Shared(..) = self.0 {
            self.0 = Repr::Owned(self.as_slice().to_vec());
        }
        match &mut self.0 {
            Repr::Owned(values) => values,
            Repr::Shared(..) => unreachable!("copied above"),
        }
    }

    /// Bytes that the values take, in memory or in the file they are borrowed from.
    pub fn held_bytes(&self) -> usize {
        size_of_val(self.as_slice())
    }
}

struct Owner<T>(Vec<T>);

impl<T: Pod> AsRef<[u8]> for Owner<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Self {
        Array::new()
    }
}

/// Memory that the vector has to spare is given back.
impl<T> From<Vec<T>> for Array<T> {
    fn from(mut values: Vec<T>) -> Self {
        values.shrink_to_fit();
        Array(Repr::Owned(values))
    }
}

impl<T> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<T>>().into()
    }
}

impl<'a, T: Pod> IntoIterator for &'a Array<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

impl<T: Pod + PartialEq> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Pod + Eq> Eq for Array<T> {}

impl<T: Pod + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrowed_reads_like_owned_and_is_copied_for_writing() {
        let owned: Array<u32> = vec![7, 8, 9].into();
        let bytes = owned.clone().into_bytes();
        let mut shared = Array::<u32>::from_bytes(bytes.slice(4..)).expect("aligned");
        assert_eq!((&*shared, shared.held_bytes()), (&[8, 9][..], 8));
        shared.make_mut().push(1);
        assert_eq!((&*shared, &*owned), (&[8, 9, 1][..], &[7, 8, 9][..]));
    }

    #[test]
    fn bytes_that_do_not_fit_are_refused() {
        let bytes = Array::<u64>::from(vec![0; 2]).into_bytes();
        assert!(Array::<u32>::from_bytes(bytes.slice(1..5)).is_none());
        assert!(Array::<u32>::from_bytes(bytes.slice(0..6)).is_none());
        assert!(Array::<u8>::from_bytes(bytes.slice(1..6)).is_some());
    }
}
