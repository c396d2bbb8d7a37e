//! How fast one core reads memory, and what share of that the kernels and analyses reach: bytes that an event must cost,
//! over those read in the time that it takes.

use std::hint::black_box;
use std::path::Path;

use desireline_core::log::{Block, CodeSlice, Log, TimeRest};
use desireline_io::simulate::Simulation;
use desireline_kernels::{ByteSet, gaps, level, members, prefetch, words};
use serde_json::{Value, json};

use crate::Outcome;
use crate::clock::{Plan, time};
use crate::modes::{threads, write};
use crate::questions::{COMMON, QUESTIONS, RARE, Ready};

/// Bytes of a line of a cache.
const LINE: usize = 64;
/// Events that a kernel is given at once: what an analysis gets as a morsel.
const MORSEL: usize = 1 << 16;

/// Measures and prints a table.
pub fn run(
    events: u64,
    buffer: usize,
    plan: &Plan,
    only: &[String],
    out: Option<&Path>,
) -> Outcome<()> {
    let exec = threads(1)?;
    let asked = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let ready = Ready::new(Simulation::with_events(events).prepare()?.log()?, exec)?;
    println!(
        "{} events of {} customers, {} sessions; {:?}\n",
        ready.log.n_events(),
        ready.log.n_customers(),
        ready.sessions.n_journeys(),
        level(),
    );
    // What the kernels read may lie in a large last cache; so may a buffer of that size. The other is beyond any cache.
    let columns: usize = ready.log.blocks().iter().map(|b| b.core_bytes()).sum();
    let mut rows = Vec::new();
    let mut bound: f64 = 0.0;
    println!(
        "| read at once from | {} MiB, as much as the columns | {} MiB |",
        columns >> 20,
        buffer >> 20
    );
    println!("|---|---|---|");
    for n_streams in [1, 2, 4, 8] {
        let [near, far] = [columns, buffer].map(|bytes| {
            let numbers: Vec<u64> = (0..bytes as u64 / 8).collect();
            let seconds = cpu(plan, || Ok(black_box(read(&numbers, n_streams))))?;
            Ok::<f64, crate::Error>(numbers.len() as f64 * 8.0 / seconds / 1e9)
        });
        let (near, far) = (near?, far?);
        bound = bound.max(near);
        let places = if n_streams > 1 { "places" } else { "place" };
        println!("| {n_streams} {places} | {near:.1} GB/s | {far:.1} GB/s |");
        rows.push(
            json!({"streams": n_streams, "gb_per_second": near, "gb_per_second_of_memory": far}),
        );
    }
    // The widest instructions that the processor has read faster than code for any processor does.
    let [near, far] = [columns, buffer].map(|bytes| {
        let numbers: Vec<u8> = (0..bytes).map(|i| i as u8).collect();
        let set = [3].into_iter().collect();
        let mut bits = vec![0; words(MORSEL)];
        let mut compare = || {
            for piece in numbers.chunks(MORSEL) {
                members(piece, &set, &mut bits);
                black_box(&bits);
            }
            Ok(())
        };
        Ok::<f64, crate::Error>(bytes as f64 / cpu(plan, &mut compare)? / 1e9)
    });
    let (near, far) = (near?, far?);
    bound = bound.max(near);
    println!("| 1 place, by {:?} | {near:.1} GB/s | {far:.1} GB/s |", level());
    rows.push(json!({
        "streams": 1, "by": format!("{:?}", level()),
        "gb_per_second": near, "gb_per_second_of_memory": far,
    }));
    println!("\nThe bound is {bound:.1} GB/s.\n");
    println!("| kernel | bytes an event | million events a second | GB/s | share of the bound |");
    println!("|---|---|---|---|---|");
    for (name, bytes, work) in kernels(&ready)? {
        if !asked(name) {
            continue;
        }
        let seconds = cpu(plan, work)?;
        let rate = ready.log.n_events() as f64 / seconds;
        let share = rate * bytes / bound / 1e9;
        println!(
            "| {name} | {bytes:.2} | {:.0} | {:.1} | {:.0} % |",
            rate / 1e6,
            rate * bytes / 1e9,
            100.0 * share
        );
        rows.push(json!({
            "kernel": name, "bytes_per_event": bytes, "events_per_second": rate, "share_of_bound": share,
        }));
    }
    if let Some(out) = out {
        write(
            out,
            &json!({"events": ready.log.n_events(), "bound_gb_per_second": bound, "rows": rows}),
        )?;
    }
    Ok(())
}

/// Median of the CPU seconds: who else uses the machine counts less.
fn cpu<T>(plan: &Plan, work: impl FnMut() -> Outcome<T>) -> Outcome<f64> {
    Ok(time(plan, work)?.0.cpu_seconds)
}

/// Adds up all numbers, from `n_streams` places at once, each asked for a little ahead when there are several.
fn read(numbers: &[u64], n_streams: usize) -> u64 {
    const AHEAD: usize = 8 * LINE;
    let streams: Vec<&[[u64; 8]]> = numbers
        .chunks_exact(numbers.len() / n_streams)
        .map(|stream| stream.as_chunks::<8>().0)
        .collect();
    let mut sums = [0u64; 8];
    let mut add = |line: &[u64; 8]| {
        for (sum, number) in sums.iter_mut().zip(line) {
            *sum = sum.wrapping_add(*number);
        }
    };
    match streams[..] {
        [one] => one.iter().for_each(&mut add),
        _ => {
            for at in 0..streams.iter().map(|s| s.len()).min().unwrap_or(0) {
                for stream in &streams {
                    prefetch(stream, at + AHEAD / LINE);
                    add(&stream[at]);
                }
            }
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

type Work<'a> = Box<dyn FnMut() -> Outcome<Value> + 'a>;

/// Name, bytes that an event costs at least, and the work.
fn kernels<'a>(ready: &'a Ready) -> Outcome<Vec<(&'static str, f64, Work<'a>)>> {
    let log = &ready.log;
    let n = log.n_events() as f64;
    let customers = log.n_customers() as f64 * 4.0 / n;
    // One bit an event says where sessions begin.
    let sessions = 1.0 / 8.0 + customers;
    let mut all: Vec<(&'static str, f64, Work<'a>)> = vec![
        (
            "count a touchpoint",
            1.0,
            Box::new(|| Ok(count(log, COMMON[0]).into())),
        ),
        (
            "gaps of times",
            4.0,
            Box::new(|| Ok(leaps(log, 1_800).into())),
        ),
    ];
    let bytes_of = |name: &str| match name {
        "funnel_rare" => Some(1.0 + customers + times(log, &RARE) / n),
        "funnel_common" => Some(1.0 + customers + times(log, &COMMON) / n),
        "transitions" => Some(1.0 + sessions),
        "sessions" => Some(4.0 + sessions),
        _ => None,
    };
    for (name, question) in QUESTIONS {
        if let Some(bytes) = bytes_of(name) {
            all.push((name, bytes, Box::new(move || question(ready))));
        }
    }
    Ok(all)
}

fn codes(block: &Block) -> &[u8] {
    match block.codes.as_slice() {
        CodeSlice::U8(codes) => codes,
        _ => &[],
    }
}

fn set_of(log: &Log, names: &[&str]) -> ByteSet {
    let code = |name: &&str| log.catalog().events.code(name);
    names
        .iter()
        .filter_map(code)
        .filter_map(|code| u8::try_from(code).ok())
        .collect()
}

/// How many events have that name, by the kernel alone.
fn count(log: &Log, name: &str) -> u64 {
    let set = set_of(log, &[name]);
    let mut bits = vec![0; words(MORSEL)];
    let pieces = log
        .blocks()
        .iter()
        .flat_map(|block| codes(block).chunks(MORSEL));
    let mut n = 0;
    for codes in pieces {
        members(codes, &set, &mut bits);
        n += bits
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum::<u64>();
    }
    n
}

/// How many events come some seconds after the one before, whoever's it is, by the kernel alone.
fn leaps(log: &Log, seconds: i64) -> u64 {
    let mut bits = [vec![0; words(MORSEL)], vec![0; words(MORSEL)]];
    let [least, most] = &mut bits;
    let mut n = 0;
    for block in log.blocks() {
        let scale = block.times.scale();
        let ticks = (seconds * 1_000_000 / scale.grain.micros()) >> scale.shift;
        let low = u32::try_from(ticks).unwrap_or(u32::MAX);
        for piece in block.times.ticks().as_slice().chunks(MORSEL) {
            gaps(piece, 0, low, low.saturating_add(2), least, most);
            n += most
                .iter()
                .map(|word| u64::from(word.count_ones()))
                .sum::<u64>();
        }
    }
    n
}

/// Bytes of the lines that hold the times of events with these names.
fn times(log: &Log, names: &[&str]) -> f64 {
    let set = set_of(log, names);
    let mut lines = 0;
    for block in log.blocks() {
        let rest_bits = match block.times.rest() {
            TimeRest::None => 0,
            TimeRest::Packed(rest) => usize::from(rest.width()),
            TimeRest::Short(_) => 16,
            TimeRest::Long(_) => 32,
        };
        for bits in [32, rest_bits].into_iter().filter(|&bits| bits > 0) {
            let of_line = codes(block).chunks(LINE * 8 / bits);
            lines += of_line
                .filter(|codes| codes.iter().any(|&c| set.contains(c)))
                .count();
        }
    }
    (lines * LINE) as f64
}
