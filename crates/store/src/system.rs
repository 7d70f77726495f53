//! The clock and the randomness of the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use precordia_app::port::{Clock, Random};
use precordia_model::Timestamp;

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()),
            Err(before) => i64::try_from(before.duration().as_micros()).map(|micros| -micros),
        };
        Timestamp(micros.unwrap_or(i64::MAX))
    }
}

/// The operating system's source, through aws-lc.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecureRandom;

impl Random for SecureRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // Going on with predictable keys would be worse than stopping.
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives randomness");
    }
}
