//! Figures with their units, for people and for programs.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// One run's outcome. Names carry their units.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub bench: &'static str,
    pub cores: usize,
    pub values: Vec<(Cow<'static, str>, f64)>,
    /// What bounds the figure, as far as the run shows it.
    pub limited_by: String,
}

impl Figures {
    pub(crate) fn new(bench: &'static str) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { bench, cores, values: Vec::new(), limited_by: String::new() }
    }

    pub(crate) fn value(&mut self, name: impl Into<Cow<'static, str>>, value: f64) {
        self.values.push((name.into(), (value * 1000.0).round() / 1000.0));
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bench {} on {} cores", self.bench, self.cores)?;
        for (name, value) in &self.values {
            writeln!(f, "  {name:<44} {value:>12}")?;
        }
        write!(f, "  limited by {}", self.limited_by)
    }
}

/// Value below which a part `p` of the sorted samples lies.
pub(crate) fn percentile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * p).round() as usize).copied().unwrap_or(0.0)
}
