//! Independent pieces of work on all threads of the current pool; results come in the order of the pieces.

/// Does `one` with each item.
pub(super) fn map<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    one: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    let items: Vec<T> = items.into_iter().collect();
    #[cfg(feature = "parallel")]
    if items.len() > 1 {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        return items.into_par_iter().map(one).collect();
    }
    items.into_iter().map(one).collect()
}

/// Does `one` with each item and room that the items of one thread share.
pub(super) fn each_with_room<T: Send, S: Default + Send>(
    items: impl IntoIterator<Item = T>,
    one: impl Fn(&mut S, T) + Sync + Send,
) {
    let items: Vec<T> = items.into_iter().collect();
    #[cfg(feature = "parallel")]
    if items.len() > 1 {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        return items.into_par_iter().for_each_init(S::default, one);
    }
    let mut room = S::default();
    items.into_iter().for_each(|item| one(&mut room, item));
}
