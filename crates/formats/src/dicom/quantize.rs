//! Microvolts to integers of at most 16 bits and the step that turns them back.
//!
//! Where some usual step represents every sample exactly, that step is used, so that what was read
//! from a device is written without loss. Otherwise samples are rounded to the finest usual step that
//! holds the largest of them; the error is at most half a step.

use precordia_model::Trace;

/// Stands for a gap; no sample is written as it.
pub(crate) const PADDING: i16 = i16::MIN;

/// Steps that devices use, coarse to fine, so that the range stays wide.
const DEVICE_STEPS_UV: [f64; 21] = [
    10.0, 5.0, 4.88, 4.0, 3.75, 2.5, 2.44, 2.0, 1.25, 1.22, 1.0, 0.625, 0.61, 0.5, 0.305, 0.25,
    0.125, 0.1, 0.05, 0.025, 0.0125,
];

const ROUNDING_STEPS_UV: [f64; 9] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

#[derive(Debug)]
pub(crate) struct Quantized {
    pub step_uv: f64,
    pub values: Vec<i16>,
}

/// `None` when a sample is infinite or outside what 16 bits of 5 uV hold.
pub(crate) fn quantize(trace: &Trace) -> Option<Quantized> {
    quantize_within(trace, i16::MAX)
}

/// The same with no value above `largest`, nor below its negative.
pub(crate) fn quantize_within(trace: &Trace, largest: i16) -> Option<Quantized> {
    let with = |step_uv, exactly| with_step(trace, step_uv, largest, exactly);
    let exact = DEVICE_STEPS_UV.into_iter().find_map(|step_uv| with(step_uv, true));
    exact.or_else(|| ROUNDING_STEPS_UV.into_iter().find_map(|step_uv| with(step_uv, false)))
}

fn with_step(trace: &Trace, step_uv: f64, largest: i16, exactly: bool) -> Option<Quantized> {
    let value = |&sample_uv: &f32| {
        if sample_uv.is_nan() {
            return Some(PADDING);
        }
        let value = (f64::from(sample_uv) / step_uv).round();
        let is_exact = (value * step_uv) as f32 == sample_uv;
        let fits = value.abs() <= f64::from(largest);
        (fits && (is_exact || !exactly)).then_some(value as i16)
    };
    let values = trace.samples_uv.iter().map(value).collect::<Option<Vec<i16>>>()?;
    Some(Quantized { step_uv, values })
}

#[cfg(test)]
mod tests {
    use precordia_model::{Filters, Lead, TraceOrigin};

    use super::*;

    fn check(samples_uv: &[f32], expected: Option<(f64, &[i16])>) {
        let trace = Trace {
            lead: Lead::I,
            samples_uv: samples_uv.to_vec(),
            origin: TraceOrigin::Recorded,
            filters: Filters::default(),
        };
        let found = quantize(&trace);
        let found = found.as_ref().map(|one| (one.step_uv, one.values.as_slice()));
        assert_eq!(found, expected, "{samples_uv:?}");
    }

    #[test]
    fn the_devices_own_step_is_found_again() {
        check(&[2.5, -5.0, 7.5], Some((2.5, &[1, -2, 3])));
        check(&[4.88, 9.76, -4.88], Some((4.88, &[1, 2, -1])));
        check(&[1.0, 2.0, f32::NAN], Some((1.0, &[1, 2, PADDING])));
        check(&[0.0, f32::NAN], Some((10.0, &[0, PADDING])));
    }

    #[test]
    fn other_samples_are_rounded_to_the_finest_step_that_holds_them() {
        check(&[1.2345, 2.0], Some((0.01, &[123, 200])));
        check(&[1.2345, 3000.0], Some((0.1, &[12, 30_000])));
        check(&[1.2345, 170_000.0], None);
        check(&[f32::INFINITY], None);
    }
}
