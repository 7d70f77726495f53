//! What a day's beats come to.

use precordia_model::{
    AtrialEpisode, BeatClass, Extreme, HolterBeat, HolterHour, HolterReport, Pause,
};

use crate::MEASURE_VERSION;
use crate::holter::tape::{AtrialWindow, Holter};
use crate::rhythm::fibrillation::LIMIT;
use crate::rhythm::intervals::{PAUSE_MS, RrSum};
use crate::rhythm::pattern::ectopy;

const HOUR_S: f64 = 3600.0;

pub(crate) fn summary(holter: &Holter, len: u64, rate_hz: f64) -> HolterReport {
    let seconds = |samples: u64| samples as f64 / rate_hz;
    let episodes = episodes(&holter.atria, rate_hz);
    let beats = in_fibrillation_none_is_early(&holter.beats, &episodes, rate_hz);
    let rr_ms = |at: usize| {
        let (a, b) = (&beats[at], beats.get(at + 1)?);
        (!b.after_gap).then(|| 1000.0 * seconds(b.at - a.at))
    };
    let hours = (seconds(len) / HOUR_S).ceil().max(1.0) as usize;
    let mut sums = vec![Hour::default(); hours];
    let (mut rr_sum, mut nn_sum) = (RrSum::default(), RrSum::default());
    let (mut longest, mut shortest): (Option<Extreme>, Option<Extreme>) = (None, None);
    let mut pauses = Vec::new();
    let normal = |at: usize| beats[at].class == BeatClass::Dominant;
    for at in 0..beats.len() {
        let hour = &mut sums[((seconds(beats[at].at) / HOUR_S) as usize).min(hours - 1)];
        hour.beats += 1;
        hour.ventricular += u32::from(beats[at].class == BeatClass::Ventricular);
        hour.supraventricular += u32::from(beats[at].class == BeatClass::Supraventricular);
        let Some(rr) = rr_ms(at) else { continue };
        let before = at.checked_sub(1).and_then(rr_ms);
        rr_sum.add(rr, before);
        hour.rr.add(rr, before);
        if normal(at) && normal(at + 1) {
            let before = before.filter(|_| normal(at - 1));
            nn_sum.add(rr, before);
            hour.nn.add(rr, before);
        }
        let here = Extreme { beat: at as u32, rr_ms: rr };
        longest = Some(longest.filter(|extreme| extreme.rr_ms >= rr).unwrap_or(here));
        shortest = Some(shortest.filter(|extreme| extreme.rr_ms <= rr).unwrap_or(here));
        if rr > PAUSE_MS {
            pauses.push(Pause { beat: at as u32, rr_ms: rr });
        }
    }
    let classes: Vec<BeatClass> = beats.iter().map(|beat| beat.class).collect();
    let analyzed_s = seconds(holter.analyzed);
    let in_episodes_s: f64 = episodes.iter().map(|episode| episode.to_s - episode.from_s).sum();
    HolterReport {
        version: MEASURE_VERSION.to_owned(),
        rate_hz,
        duration_s: seconds(len),
        analyzed_s,
        rr: rr_sum.statistics(),
        nn: nn_sum.statistics(),
        hours: sums.iter().map(Hour::counted).collect(),
        longest_rr: longest,
        shortest_rr: shortest,
        pauses,
        ectopy: ectopy(&classes, |at| 1000.0 * seconds(beats[at].at)),
        pacing: holter.pacing,
        atrial_burden_percent: 100.0 * in_episodes_s / analyzed_s.max(f64::MIN_POSITIVE),
        atrial_episodes: episodes,
        beats,
    }
}

#[derive(Clone, Default)]
struct Hour {
    beats: u32,
    ventricular: u32,
    supraventricular: u32,
    rr: RrSum,
    nn: RrSum,
}

impl Hour {
    fn counted(&self) -> HolterHour {
        HolterHour {
            beats: self.beats,
            ventricular: self.ventricular,
            supraventricular: self.supraventricular,
            rr: self.rr.statistics(),
            nn: self.nn.statistics(),
        }
    }
}

/// Windows in a row that are in fibrillation or flutter. One window between two others is as they
/// are: an episode is not broken by a movement, and one odd window is no episode unless it is the
/// whole recording.
fn episodes(windows: &[AtrialWindow], rate_hz: f64) -> Vec<AtrialEpisode> {
    let own: Vec<bool> =
        windows.iter().map(|w| w.probability.is_some_and(|p| p >= LIMIT)).collect();
    let said = |at: usize| match (at.checked_sub(1).map(|k| own[k]), own.get(at + 1)) {
        (Some(before), Some(after)) if before == *after => before,
        _ => own[at],
    };
    let seconds = |samples: u64| samples as f64 / rate_hz;
    let mut episodes: Vec<AtrialEpisode> = Vec::new();
    let mut open = false;
    for (at, window) in windows.iter().enumerate() {
        let probability = window.probability.unwrap_or(0.0);
        match (said(at), open) {
            (true, true) => {
                let last = episodes.last_mut().expect("an open episode is in the list");
                last.to_s = seconds(window.to);
                last.probability = last.probability.max(probability);
            }
            (true, false) => episodes.push(AtrialEpisode {
                from_s: seconds(window.from),
                to_s: seconds(window.to),
                probability,
            }),
            (false, _) => {}
        }
        open = said(at);
    }
    episodes
}

/// Where the intervals have no order, none of them is early.
fn in_fibrillation_none_is_early(
    beats: &[HolterBeat],
    episodes: &[AtrialEpisode],
    rate_hz: f64,
) -> Vec<HolterBeat> {
    let inside = |at: u64| {
        let at_s = at as f64 / rate_hz;
        episodes.iter().any(|episode| (episode.from_s..episode.to_s).contains(&at_s))
    };
    let calm = |beat: &HolterBeat| match beat.class {
        BeatClass::Supraventricular if inside(beat.at) => {
            HolterBeat { class: BeatClass::Dominant, ..*beat }
        }
        _ => *beat,
    };
    beats.iter().map(calm).collect()
}
