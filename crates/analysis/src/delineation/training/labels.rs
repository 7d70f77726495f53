//! Which mark of the experts belongs to which beat.

use crate::delineation::cascade::Edge;
use crate::delineation::curve::STEP_MS;
use crate::delineation::scene::Scene;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkedWave {
    P,
    Qrs,
    T,
}

/// One wave as marked, in samples of the recording.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Index of the trace.
    pub trace: usize,
    pub wave: MarkedWave,
    pub onset: Option<f64>,
    pub peak: f64,
    pub offset: Option<f64>,
}

/// Whether a wave is there, and its boundaries in ms after the beat's reference point.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Label {
    /// P, QRS, T; `None` where nobody looked.
    pub present: [Option<bool>; 3],
    pub at_ms: [Option<f32>; 6],
}

pub(super) struct Labels {
    leads: usize,
    all: Vec<Label>,
}

/// A detected beat and a marked QRS are the same within this.
const SAME_BEAT_MS: f64 = 120.0;
/// P waves begin no earlier before the QRS; T waves end no later after it.
const P_BEFORE_MS: f64 = 420.0;
const T_AFTER_MS: f64 = 700.0;

impl Labels {
    pub fn of(scene: &Scene, marks: &[Mark], traces: &[usize]) -> Self {
        let leads = scene.leads.len();
        let mut all = vec![Label::default(); scene.beats.len() * leads];
        for (lead, shown) in scene.leads.iter().enumerate() {
            let own: Vec<&Mark> =
                marks.iter().filter(|m| m.trace == traces[shown.channel]).collect();
            for beat in 0..scene.beats.len() {
                all[beat * leads + lead] = label(scene, beat, &own);
            }
        }
        Self { leads, all }
    }

    pub fn at(&self, beat: usize, lead: usize) -> &Label {
        &self.all[beat * self.leads + lead]
    }
}

fn label(scene: &Scene, beat: usize, own: &[&Mark]) -> Label {
    let at = scene.beats[beat].at;
    let ms = |sample: f64| (scene.base.working(sample) - at) * STEP_MS;
    let mut label = Label::default();
    let qrs: Vec<&&Mark> = own.iter().filter(|m| m.wave == MarkedWave::Qrs).collect();
    let Some((k, mark)) = qrs
        .iter()
        .enumerate()
        .min_by(|a, b| ms(a.1.peak).abs().total_cmp(&ms(b.1.peak).abs()))
        .filter(|(_, m)| ms(m.peak).abs() < SAME_BEAT_MS)
    else {
        return label;
    };
    let mut set = |edge: Edge, sample: Option<f64>| {
        label.at_ms[edge as usize] = sample.map(|s| ms(s) as f32);
    };
    set(Edge::QrsOnset, mark.onset);
    set(Edge::QrsOffset, mark.offset);
    let before = k.checked_sub(1).map_or(f64::MIN, |k| ms(qrs[k].peak));
    let after = qrs.get(k + 1).map_or(f64::MAX, |m| ms(m.peak));
    let p = own.iter().rfind(|m| {
        m.wave == MarkedWave::P
            && ms(m.peak) > before.max(-P_BEFORE_MS - 60.0)
            && ms(m.peak) < ms(mark.peak)
    });
    let t = own.iter().find(|m| {
        m.wave == MarkedWave::T && ms(m.peak) > ms(mark.peak) && ms(m.peak) < after.min(T_AFTER_MS)
    });
    if let Some(p) = p {
        set(Edge::POnset, p.onset);
        set(Edge::POffset, p.offset);
    }
    if let Some(t) = t {
        set(Edge::TOnset, t.onset);
        set(Edge::TOffset, t.offset);
    }
    // At the ends of a recording the absence of a mark says nothing.
    let looked_before = k > 0;
    let looked_after = k + 1 < qrs.len();
    label.present = [
        p.map(|_| true).or(looked_before.then_some(false)),
        Some(true),
        t.map(|_| true).or(looked_after.then_some(false)),
    ];
    label
}
