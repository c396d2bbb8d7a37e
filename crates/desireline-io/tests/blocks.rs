//! How a file of text is cut into blocks, and how many threads read them, shows in nothing: rows, order, row numbers,
//! quarantine and errors.
#![allow(clippy::unwrap_used)]

use std::fs;

use desireline_io::{Columns, Limits, read};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows good and bad; fields over several lines, some so long that no block can hold them.
fn text(rng: &mut ChaCha8Rng) -> String {
    let mut text = "user,at,what\n".to_owned();
    for _ in 0..rng.random_range(0..60) {
        let user = rng.random_range(0..4);
        // Equal times: the order of input decides.
        let day = rng.random_range(1..4);
        text.push_str(&match rng.random_range(0..20) {
            0 => format!("u{user},2024-01-0{day}\n"),
            1 => format!("u{user},yesterday,a\n"),
            2 => "\n".to_owned(),
            3 => {
                let lines = "line\n".repeat(rng.random_range(1..40));
                format!("u{user},2024-01-0{day},\"{lines}\"\n")
            }
            4 => format!("u{user},2024-01-0{day},\"a \"\"b\"\"\"\r\n"),
            5 => format!("u{user},2024-01-0{day},st\"ray\n"),
            6 => format!(",2024-01-0{day},nobody\r"),
            _ => format!("u{user},2024-01-0{day},e{}\n", rng.random_range(0..9)),
        });
    }
    if rng.random_range(0..8) == 0 {
        text.push_str("u1,2024-01-01,\"open\nnever closed\n");
        text.push_str(&"u1,2024-01-02,a\n".repeat(rng.random_range(0..40)));
    }
    text
}

#[test]
fn blocks_and_threads_do_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.csv");
    let pools: Vec<rayon::ThreadPool> = [1, 2, 8]
        .iter()
        .map(|n| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(*n)
                .build()
                .unwrap()
        })
        .collect();
    let mut refused = 0;
    for seed in 0..400 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        fs::write(&path, text(&mut rng)).unwrap();
        let said = |block_bytes: usize, pool: &rayon::ThreadPool| {
            let columns = Columns::new("user", "at", "what")
                .max_quarantine_share(1.0)
                .limits(Limits {
                    block_bytes,
                    line_bytes: 100,
                    ..Limits::default()
                });
            pool.install(|| match read(path.as_path(), &columns) {
                Ok(log) => {
                    let rows = (log.fingerprint(), log.n_events());
                    format!("{rows:?} {:?} {:?}", log.quarantine(), log.caveats())
                }
                Err(error) => error.to_string(),
            })
        };
        let whole = said(1 << 20, &pools[0]);
        refused += u32::from(whole.contains("quote"));
        for block_bytes in [1, 7, 50, 200, 1000] {
            for pool in &pools {
                assert_eq!(
                    said(block_bytes, pool),
                    whole,
                    "seed {seed}, blocks of {block_bytes}"
                );
            }
        }
    }
    assert!(refused > 10, "{refused}");
}
