//! From spec to recording and truth.

use precordia_model::{
    DeviceDescription, DeviceMeasurement, DeviceStatement, Lead, Phi, Recording, Rhythm,
    SampleRate, Signal, Trace, TraceOrigin,
};

use crate::schedule::Plan;
use crate::wave::{LeadBeat, Timing};
use crate::{AxisTruth, BeatKind, BeatTruth, Pacing, Span, Spec, SynthRhythm, Truth};
use crate::{artefact, lead, schedule, wave};

/// Between the end of a spike and the wave that it starts.
const SPIKE_LEAD_MS: f64 = 4.0;
const SPIKE_MS: f64 = 1.5;

/// A recording and its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthetic {
    pub recording: Recording,
    pub truth: Truth,
}

/// Draws a spec. Equal specs give equal recordings; every spec gives one.
pub fn synthesize(spec: &Spec) -> Synthetic {
    let spec = spec.drawable();
    let rate =
        SampleRate::from_hz(spec.sampling_hz).expect("a drawable spec samples at 50 to 32,000 Hz");
    // The rate a recording can state is a multiple of 0.001 Hz; draw at exactly that.
    let spec = Spec { sampling_hz: rate.hz(), ..spec };
    let samples = (spec.duration_s * spec.sampling_hz).round() as usize;

    let has_p = matches!(
        spec.rhythm,
        SynthRhythm::Sinus
            | SynthRhythm::SinusWithEctopy { .. }
            | SynthRhythm::SecondDegreeBlock { .. }
            | SynthRhythm::SinusPauses { .. }
    );
    let normal = Timing::of(&spec, BeatKind::Normal, has_p);
    let ectopic = Timing::of(&spec, BeatKind::Ectopic, has_p);
    let plan = schedule::plan(&spec, &normal, samples);

    let truth = truth_of(&spec, &plan, &normal, &ectopic);
    let mut leads: Vec<Lead> = Vec::new();
    for &lead in &spec.leads {
        if !leads.contains(&lead) {
            leads.push(lead);
        }
    }
    let traces = leads
        .into_iter()
        .map(|lead| Trace {
            lead,
            samples_uv: draw(&spec, lead, &plan, [normal, ectopic], samples),
            origin: TraceOrigin::Recorded,
            filters: spec.filters,
        })
        .collect();
    let recording = describe(&spec, Signal { rate, traces }, &truth);
    Synthetic { recording, truth }
}

fn draw(
    spec: &Spec,
    lead: Lead,
    plan: &Plan,
    [normal, ectopic]: [Timing; 2],
    samples: usize,
) -> Vec<f32> {
    let period_ms = 1000.0 / spec.sampling_hz;
    let mut sum_uv = artefact::atria_uv(spec, lead, samples);
    for (sum, noise) in sum_uv.iter_mut().zip(artefact::noise_uv(spec, lead, samples)) {
        *sum += noise;
    }
    let shapes = [(BeatKind::Normal, normal), (BeatKind::Ectopic, ectopic)]
        .map(|(kind, timing)| (LeadBeat::of(spec, kind, lead, timing), timing));
    for beat in &plan.beats {
        let (shape, timing) = &shapes[usize::from(beat.kind == BeatKind::Ectopic)];
        let r = i64::from(beat.r_peak);
        let from_ms = timing.p.map_or(timing.qrs_on, |(on, _)| on.min(timing.qrs_on));
        let first = (r + (from_ms / period_ms).floor() as i64).max(0);
        let last = (r + (timing.t_off.max(timing.qrs_off) / period_ms).ceil() as i64)
            .min(samples as i64 - 1);
        for i in first..=last {
            sum_uv[i as usize] += shape.at((i - r) as f64 * period_ms);
        }
        add_spikes(spec, lead, timing, r, &mut sum_uv);
    }
    if let Some((on, off)) = normal.p {
        let shape = &shapes[0].0;
        for &r in &plan.blocked {
            let r = i64::from(r);
            let first = (r + (on / period_ms).floor() as i64).max(0);
            let last = (r + (off / period_ms).ceil() as i64).min(samples as i64 - 1);
            for i in first..=last {
                sum_uv[i as usize] += shape.p_at((i - r) as f64 * period_ms);
            }
        }
    }
    sum_uv.into_iter().map(|uv| quantize(uv, spec.lsb_uv)).collect()
}

fn add_spikes(spec: &Spec, lead: Lead, timing: &Timing, r: i64, sum_uv: &mut [f64]) {
    let (spike_uv, before_p) = match spec.pacing {
        Pacing::None => return,
        Pacing::Ventricular { spike_uv } => (spike_uv, None),
        Pacing::DualChamber { spike_uv } => (spike_uv, timing.p.map(|(on, _)| on)),
    };
    let period_ms = 1000.0 / spec.sampling_hz;
    let spike_uv = if spike_uv.is_finite() { spike_uv.clamp(-20_000.0, 20_000.0) } else { 0.0 };
    // The lead of the electrode in the apex points up and to the left of the picture.
    let height_uv = spike_uv * lead::frontal(lead, -70.0).unwrap_or(-0.8);
    let width = ((SPIKE_MS / period_ms).round() as i64).max(1);
    for start_ms in [Some(timing.qrs_on), before_p].into_iter().flatten() {
        let end = r + ((start_ms - SPIKE_LEAD_MS) / period_ms).floor() as i64;
        for i in end - width..end {
            if let Some(sum) = usize::try_from(i).ok().and_then(|i| sum_uv.get_mut(i)) {
                *sum += height_uv;
            }
        }
    }
}

fn quantize(uv: f64, lsb_uv: f64) -> f32 {
    let steps = (uv / lsb_uv).round().clamp(-32_767.0, 32_767.0);
    // `+ 0.0` turns -0 into 0, so that equal recordings are equal in their bytes too.
    (steps * lsb_uv + 0.0) as f32
}

fn truth_of(spec: &Spec, plan: &Plan, normal: &Timing, ectopic: &Timing) -> Truth {
    let per_ms = spec.sampling_hz / 1000.0;
    let beats: Vec<BeatTruth> = plan
        .beats
        .iter()
        .map(|beat| {
            let timing = if beat.kind == BeatKind::Ectopic { ectopic } else { normal };
            let span = |on: f64, off: f64| Span {
                onset: f64::from(beat.r_peak) + on * per_ms,
                offset: f64::from(beat.r_peak) + off * per_ms,
            };
            BeatTruth {
                kind: beat.kind,
                r_peak: beat.r_peak,
                p: timing.p.map(|(on, off)| span(on, off)),
                qrs: span(timing.qrs_on, timing.qrs_off),
                t: span(timing.t_on, timing.t_off),
            }
        })
        .collect();
    let paced = spec.pacing != Pacing::None;
    let rhythm = match spec.rhythm {
        _ if paced => Rhythm::Paced,
        SynthRhythm::Sinus
        | SynthRhythm::SinusWithEctopy { .. }
        | SynthRhythm::SecondDegreeBlock { .. }
        | SynthRhythm::SinusPauses { .. } => Rhythm::Sinus,
        SynthRhythm::AtrialFibrillation { .. } => Rhythm::AtrialFibrillation,
        SynthRhythm::NoAtria | SynthRhythm::AtrialFlutter { .. } => Rhythm::Undetermined,
    };
    let (heart_rate_bpm, rr_ms) = mean_rate(spec, &beats);
    let blocked_p = normal.p.map_or(Vec::new(), |(on, off)| {
        let span = |&r: &u32| Span {
            onset: f64::from(r) + on * per_ms,
            offset: f64::from(r) + off * per_ms,
        };
        plan.blocked.iter().map(span).collect()
    });
    Truth {
        rhythm,
        paced,
        heart_rate_bpm,
        rr_ms,
        p_ms: normal.p.map(|(on, off)| off - on),
        pr_ms: normal.p.map(|_| spec.pr_ms),
        qrs_ms: normal.qrs_off - normal.qrs_on,
        qt_ms: normal.t_off - normal.qrs_on,
        axis_deg: AxisTruth {
            p: normal.p.map(|_| lead::principal(spec.p_axis_deg)),
            qrs: lead::principal(spec.qrs_axis_deg),
            t: lead::principal(spec.t_axis_deg),
        },
        st_uv: spec.leads.iter().map(|&lead| (lead, wave::st_level_uv(spec, lead))).collect(),
        r_peaks: beats.iter().map(|b| b.r_peak).collect(),
        beats,
        blocked_p,
    }
}

/// Rate and mean interval: those of the spec, but where beats are left out.
fn mean_rate(spec: &Spec, beats: &[BeatTruth]) -> (f64, f64) {
    let uneven = matches!(
        spec.rhythm,
        SynthRhythm::SecondDegreeBlock { .. } | SynthRhythm::SinusPauses { .. }
    );
    match (beats.first(), beats.last()) {
        (Some(first), Some(last)) if uneven && beats.len() > 1 => {
            let samples = f64::from(last.r_peak - first.r_peak) / (beats.len() - 1) as f64;
            let rr_ms = samples * 1000.0 / spec.sampling_hz;
            (60_000.0 / rr_ms, rr_ms)
        }
        _ => (spec.rate_bpm, 60_000.0 / spec.rate_bpm),
    }
}

fn describe(spec: &Spec, rhythm: Signal, truth: &Truth) -> Recording {
    let (device_measurements, device_statements) = match &spec.device_says {
        Some(texts) => {
            (device_measurements(truth), texts.iter().map(|text| statement(text)).collect())
        }
        None => (Vec::new(), Vec::new()),
    };
    Recording {
        format: "synthetic",
        format_detail: format!("drawn in steps of {} uV", spec.lsb_uv),
        source_id: Some(Phi::new(unique_id(spec, &rhythm))),
        device: DeviceDescription {
            manufacturer: Some(String::from("Precordia")),
            model: Some(String::from("Synthesizer")),
            software: Some(String::from(env!("CARGO_PKG_VERSION"))),
            serial: Some(Phi::new(spec.device_serial.clone())),
        },
        patient: spec.person.as_device_patient(),
        acquired_at: spec.acquired_at.clone(),
        accession: None,
        rhythm,
        other_groups: Vec::new(),
        device_measurements,
        device_statements,
        unmapped: Vec::new(),
        problems: Vec::new(),
    }
}

fn statement(text: &str) -> DeviceStatement {
    DeviceStatement { text: Phi::new(text.to_owned()), code: None }
}

fn device_measurements(truth: &Truth) -> Vec<DeviceMeasurement> {
    let axis = truth.axis_deg;
    let rows = [
        ("heart_rate_bpm", "LN:8867-4", "Heart rate", Some(truth.heart_rate_bpm), "/min"),
        ("pr_ms", "LN:8625-6", "PR interval", truth.pr_ms, "ms"),
        ("qrs_ms", "LN:8633-0", "QRS duration", Some(truth.qrs_ms), "ms"),
        ("qt_ms", "LN:8634-8", "QT interval", Some(truth.qt_ms), "ms"),
        ("p_axis_deg", "LN:8626-4", "P axis", axis.p, "deg"),
        ("qrs_axis_deg", "LN:8632-2", "QRS axis", Some(axis.qrs), "deg"),
        ("t_axis_deg", "LN:8638-9", "T axis", Some(axis.t), "deg"),
    ];
    rows.into_iter()
        .filter_map(|(name, code, label, value, unit)| {
            Some(DeviceMeasurement {
                name: Some(name.to_owned()),
                code: Some(code.to_owned()),
                label: label.to_owned(),
                value: value?.round(),
                unit: unit.to_owned(),
                lead: None,
            })
        })
        .collect()
}

/// A DICOM UID of the UUID-derived kind (PS3.5 B.2) that depends on the content alone.
fn unique_id(spec: &Spec, signal: &Signal) -> String {
    // FNV-1a, 128 bits.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash =
                (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    add(spec.person.id.as_bytes());
    add(spec.acquired_at.as_ref().map_or("", |at| at.as_written.as_str()).as_bytes());
    for trace in &signal.traces {
        add(trace.lead.name().as_bytes());
        for sample in &trace.samples_uv {
            add(&sample.to_le_bytes());
        }
    }
    format!("2.25.{hash}")
}
