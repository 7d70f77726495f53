//! The recorded traces as the measurement works on them: one channel a lead, gaps as NaN, and what
//! can be said of a channel before any beat is known.
//!
//! Samples are never filtered here. Filters that a device applied are its own; they are declared in
//! the recording and not undone.

use std::borrow::Cow;

use precordia_model::{Lead, QualityIssue, Signal};

/// Peak-to-peak range under which a channel carries nothing.
const FLAT_RANGE_UV: f32 = 15.0;
/// Further from the middle of the signal than this, a repeated extreme is a limit of the device.
const CLIP_LEVEL_UV: f32 = 300.0;
/// The shortest run at an extreme that is clipping, seconds.
const CLIP_RUN_S: f64 = 0.008;
/// The top of a rounded wave is flat too, for a while, but is not entered and left by a jump.
const CLIP_STEP_UV: f32 = 30.0;
const CLIP_LONG: usize = 6;
const CLIPS_PER_S_MIN: f64 = 0.2;
/// Share of missing samples beyond which a channel is not used.
const GAP_SHARE_MAX: f64 = 0.5;

pub(crate) struct Channel<'a> {
    pub lead: Lead,
    pub samples_uv: Cow<'a, [f32]>,
    pub has_gaps: bool,
    pub usable: bool,
    pub issues: Vec<QualityIssue>,
}

/// The first trace of every lead, cut to the shortest.
pub(crate) fn channels(signal: &Signal) -> Vec<Channel<'_>> {
    let len = signal.traces.iter().map(|t| t.samples_uv.len()).min().unwrap_or(0);
    let mut channels: Vec<Channel> = Vec::with_capacity(signal.traces.len());
    for trace in &signal.traces {
        if channels.iter().all(|channel| channel.lead != trace.lead) {
            channels.push(Channel::new(trace.lead, &trace.samples_uv[..len], signal.rate.hz()));
        }
    }
    channels
}

impl<'a> Channel<'a> {
    pub fn new(lead: Lead, samples_uv: &'a [f32], rate_hz: f64) -> Self {
        let survey = Survey::of(samples_uv);
        let mut channel = Channel {
            lead,
            samples_uv: Cow::Borrowed(samples_uv),
            has_gaps: survey.missing > 0,
            usable: true,
            issues: Vec::new(),
        };
        if channel.has_gaps {
            channel.samples_uv =
                samples_uv.iter().map(|&x| if present(x) { x } else { f32::NAN }).collect();
            channel.issues.push(QualityIssue::Gaps);
            channel.usable = (survey.missing as f64) < GAP_SHARE_MAX * samples_uv.len() as f64;
        }
        if (survey.high - survey.low)
            .partial_cmp(&FLAT_RANGE_UV)
            .is_none_or(std::cmp::Ordering::is_lt)
        {
            channel.issues.push(QualityIssue::Flat);
            channel.usable = false;
        } else if clipped(samples_uv, survey, rate_hz) {
            channel.issues.push(QualityIssue::Clipped);
            channel.usable = false;
        }
        channel
    }
}

/// Ten volts do not come from a heart; beyond that, an infinity or NaN, there is no sample.
fn present(uv: f32) -> bool {
    uv.abs() < 1e7
}

#[derive(Clone, Copy)]
struct Survey {
    missing: usize,
    low: f32,
    high: f32,
}

impl Survey {
    fn of(samples_uv: &[f32]) -> Self {
        const LANES: usize = 16;
        let (mut low, mut high, mut missing) =
            ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES], [0_u32; LANES]);
        for chunk in samples_uv.chunks(LANES) {
            for (lane, &x) in chunk.iter().enumerate() {
                let finite = present(x);
                missing[lane] += u32::from(!finite);
                low[lane] = if finite & (x < low[lane]) { x } else { low[lane] };
                high[lane] = if finite & (x > high[lane]) { x } else { high[lane] };
            }
        }
        Self {
            missing: missing.iter().map(|&n| n as usize).sum(),
            low: low.into_iter().fold(f32::INFINITY, f32::min),
            high: high.into_iter().fold(f32::NEG_INFINITY, f32::max),
        }
    }
}

/// Runs at the highest or lowest value, again and again, well away from the middle of the signal.
fn clipped(samples_uv: &[f32], survey: Survey, rate_hz: f64) -> bool {
    let run_min = ((CLIP_RUN_S * rate_hz).ceil() as usize).max(3);
    let often = (CLIPS_PER_S_MIN * samples_uv.len() as f64 / rate_hz).max(2.0);
    let middle_uv = middle(samples_uv);
    [survey.low, survey.high].into_iter().any(|extreme_uv| {
        (extreme_uv - middle_uv).abs() > CLIP_LEVEL_UV
            && runs(samples_uv, extreme_uv, run_min) as f64 >= often
    })
}

fn runs(samples_uv: &[f32], value: f32, run_min: usize) -> usize {
    // A run of `run_min` covers at least one sample of every stride of that length.
    let mut found = 0;
    let mut at = run_min - 1;
    while at < samples_uv.len() {
        if samples_uv[at] == value {
            let before = samples_uv[..at].iter().rev().take_while(|&&x| x == value).count();
            let after = samples_uv[at..].iter().take_while(|&&x| x == value).count();
            let (first, end) = (at - before, at + after);
            let step = |neighbour: Option<&f32>| neighbour.map_or(0.0, |x| (x - value).abs());
            let steps = step(first.checked_sub(1).and_then(|k| samples_uv.get(k)))
                + step(samples_uv.get(end));
            let abrupt = steps >= CLIP_STEP_UV || before + after >= CLIP_LONG * run_min;
            found += usize::from(before + after >= run_min && abrupt);
            at = end;
        }
        at += run_min;
    }
    found
}

/// Median of a coarse sample of the channel.
fn middle(samples_uv: &[f32]) -> f32 {
    let step = (samples_uv.len() / 200).max(1);
    let mut few: Vec<f32> =
        samples_uv.iter().copied().step_by(step).filter(|x| present(*x)).collect();
    few.sort_unstable_by(f32::total_cmp);
    few.get(few.len() / 2).copied().unwrap_or(0.0)
}

/// Channels that carry information of their own: with I and II usable, III, aVR, aVL and aVF are
/// sums of those two (Einthoven, Goldberger) and would only be counted twice.
pub(crate) fn independent<'c, 'a>(channels: &'c [Channel<'a>]) -> Vec<&'c Channel<'a>> {
    let has = |lead| channels.iter().any(|c| c.usable && c.lead == lead);
    let both = has(Lead::I) && has(Lead::II);
    let sum = |lead| matches!(lead, Lead::III | Lead::AVR | Lead::AVL | Lead::AVF);
    channels.iter().filter(|c| c.usable && !(both && sum(c.lead))).collect()
}
