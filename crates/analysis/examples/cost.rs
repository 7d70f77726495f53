//! How long measuring and flagging a 10 s, 12-lead, 500 Hz recording takes: the least of many runs,
//! for recordings of different kinds.

// A program beside the crate: it may do what the crate may not.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::{Duration, Instant};

use precordia_analysis::{Limits, Subject, flag, measure};
use precordia_synth::{Pattern, Spec, synthesize};

fn main() {
    for &pattern in Pattern::ALL {
        let recording = synthesize(&Spec::pattern(pattern)).recording;
        let mut least = Duration::MAX;
        for _ in 0..200 {
            let start = Instant::now();
            let measured = measure(&recording);
            std::hint::black_box(flag(&measured, Subject::default(), &Limits::default()));
            least = least.min(start.elapsed());
        }
        println!("{:28} {:.3} ms", pattern.name(), least.as_secs_f64() * 1000.0);
    }
}
