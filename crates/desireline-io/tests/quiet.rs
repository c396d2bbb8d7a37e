//! A panic of a decoder is told once, as the input's error. Alone in its process: panic hooks are global.
#![allow(clippy::unwrap_used)]

use arrow::datatypes::{DataType, Field, Schema};
use desireline_io::{Columns, read_batches};

#[test]
fn a_decoder_that_panics_says_nothing_by_itself() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let told = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&told);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        heard.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    let schema = Schema::new(vec![
        Field::new("user", DataType::Utf8, true),
        Field::new("time", DataType::Utf8, true),
        Field::new("event", DataType::Utf8, true),
    ]);
    let panicking = std::iter::once_with(|| panic!("not for people"));
    let error = read_batches(
        panicking,
        &schema,
        "frame",
        &Columns::new("user", "time", "event"),
    )
    .unwrap_err();
    assert!(error.to_string().contains("not for people"), "{error}");
    assert_eq!(error.code(), "damaged");
    assert_eq!(told.load(Ordering::Relaxed), 0, "the hook was called");
    // Panics elsewhere still reach the hook.
    let elsewhere = std::panic::catch_unwind(|| panic!("for the hook"));
    assert!(elsewhere.is_err());
    assert_eq!(told.load(Ordering::Relaxed), 1);
}
