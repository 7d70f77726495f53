//! Rhythm, ectopy and atrioventricular conduction.
//!
//! The measurements tell sinus rhythm, fibrillation and pacing. What needs a look at each beat
//! comes in as [`RhythmEvidence`]; without it those statements are not evaluated.

use precordia_model::{BeatClass, Measurements, NotStated, Rhythm};

use super::{Finding, Judge, Judged, whole};

const LONG_PR_MS: f64 = 200.0;
const SLOW_BPM: f64 = 60.0;
const FAST_BPM: f64 = 100.0;

/// How the atria lead the ventricles, beyond a long PR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvBlock {
    None,
    /// Some P waves are not followed.
    SecondDegree,
    /// None is.
    ThirdDegree,
}

/// What was found by looking at the beats one by one; `None` where nobody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RhythmEvidence {
    pub flutter: Option<bool>,
    /// R peaks of premature beats, sample indices.
    pub ventricular_beats: Option<Vec<u32>>,
    pub supraventricular_beats: Option<Vec<u32>>,
    pub av_block: Option<AvBlock>,
}

impl RhythmEvidence {
    /// What the report of the beats says. It tells no kind of AV block, and no ventricular ectopy in
    /// atrial fibrillation, where aberrant beats look the same.
    pub fn of(measurements: &Measurements) -> Self {
        let Some(report) = &measurements.rhythm_report else { return Self::default() };
        let of_class = |class: BeatClass| -> Vec<u32> {
            let beats = measurements.r_peaks.iter().zip(&report.beats);
            beats.filter(|(_, found)| **found == class).map(|(&at, _)| at).collect()
        };
        let regular = !matches!(measurements.rhythm, Rhythm::AtrialFibrillation | Rhythm::Paced);
        Self {
            flutter: report.atria.is_some().then_some(measurements.rhythm == Rhythm::AtrialFlutter),
            ventricular_beats: regular.then(|| of_class(BeatClass::Ventricular)),
            supraventricular_beats: regular.then(|| of_class(BeatClass::Supraventricular)),
            av_block: None,
        }
    }
}

impl Judge<'_> {
    fn sinus_rate_bpm(&self) -> Result<f64, NotStated> {
        match self.measured().rhythm {
            Rhythm::Sinus if self.rhythm.flutter != Some(true) => {
                whole(self.measured().heart_rate_bpm)
            }
            Rhythm::Paced => Err(NotStated::Paced),
            Rhythm::AtrialFibrillation => Err(NotStated::AtrialFibrillation),
            _ => Err(NotStated::NotSinus),
        }
    }

    /// A P wave at a steady PR, its axis as the sinus node gives it.
    pub(super) fn sinus_rhythm(&self) -> Judged {
        let rate_bpm = self.sinus_rate_bpm()?;
        let sinus_axis = self.sinus_axis();
        let normal = (SLOW_BPM..=FAST_BPM).contains(&rate_bpm);
        Ok((normal && sinus_axis).then_some(Finding::new("rate", rate_bpm, SLOW_BPM, "/min")))
    }

    /// The P axis between -30 and 105 degrees; an axis that could not be told does not speak
    /// against it.
    fn sinus_axis(&self) -> bool {
        whole(self.measured().axis_deg.p).is_ok_and(|deg| (-30.0..=105.0).contains(&deg))
            || self.measured().axis_deg.p.value().is_none()
    }

    pub(super) fn sinus_tachycardia(&self) -> Judged {
        let rate_bpm = self.sinus_rate_bpm()?;
        let fast = rate_bpm > FAST_BPM && self.sinus_axis();
        Ok(fast.then_some(Finding::new("rate", rate_bpm, FAST_BPM, "/min")))
    }

    pub(super) fn sinus_bradycardia(&self) -> Judged {
        let rate_bpm = self.sinus_rate_bpm()?;
        let slow = rate_bpm < SLOW_BPM && self.sinus_axis();
        Ok(slow.then_some(Finding::new("rate", rate_bpm, SLOW_BPM, "/min")))
    }

    pub(super) fn atrial_fibrillation(&self) -> Judged {
        let rate_bpm = whole(self.measured().heart_rate_bpm)?;
        let found = Finding::new("irregular_without_p", rate_bpm, FAST_BPM, "/min").borderline();
        match self.measured().rhythm {
            Rhythm::AtrialFibrillation => Ok(Some(found)),
            // The ventricles of a paced heart say nothing of its atria.
            Rhythm::Paced => Err(NotStated::Paced),
            _ => Ok(None),
        }
    }

    pub(super) fn atrial_flutter(&self) -> Judged {
        let rate_bpm = whole(self.measured().heart_rate_bpm)?;
        match self.rhythm.flutter {
            None => Err(NotStated::NoEvidence),
            Some(flutter) => {
                let found = Finding::new("flutter_waves", rate_bpm, FAST_BPM, "/min");
                Ok(flutter.then_some(found.borderline()))
            }
        }
    }

    pub(super) fn ventricular_ectopy(&self) -> Judged {
        premature(self.rhythm.ventricular_beats.as_deref())
    }

    pub(super) fn supraventricular_ectopy(&self) -> Judged {
        premature(self.rhythm.supraventricular_beats.as_deref())
    }

    pub(super) fn first_degree_av_block(&self) -> Judged {
        self.sinus_rate_bpm()?;
        if matches!(self.rhythm.av_block, Some(AvBlock::SecondDegree | AvBlock::ThirdDegree)) {
            return Ok(None);
        }
        let pr_ms = whole(self.measured().pr_ms)?;
        Ok((pr_ms > LONG_PR_MS).then_some(Finding::new("pr", pr_ms, LONG_PR_MS, "ms")))
    }

    pub(super) fn second_degree_av_block(&self) -> Judged {
        self.dropped(AvBlock::SecondDegree)
    }

    pub(super) fn third_degree_av_block(&self) -> Judged {
        self.dropped(AvBlock::ThirdDegree)
    }

    fn dropped(&self, degree: AvBlock) -> Judged {
        self.gate_paced()?;
        if self.measured().rhythm == Rhythm::AtrialFibrillation {
            return Err(NotStated::AtrialFibrillation);
        }
        let rate_bpm = whole(self.measured().heart_rate_bpm)?;
        match self.rhythm.av_block {
            None => Err(NotStated::NoEvidence),
            Some(found) if found == degree => {
                Ok(Some(Finding::new("dropped_beats", rate_bpm, SLOW_BPM, "/min").alert()))
            }
            Some(_) => Ok(None),
        }
    }

    pub(super) fn paced_rhythm(&self) -> Option<Finding> {
        let beats = self.measured().r_peaks.len() as f64;
        self.conduction.paced.then(|| Finding::new("ventricular_spikes", beats, 1.0, "1"))
    }
}

fn premature(beats: Option<&[u32]>) -> Judged {
    let beats = beats.ok_or(NotStated::NoEvidence)?;
    let found = Finding::new("premature_beats", beats.len() as f64, 1.0, "1");
    Ok((!beats.is_empty()).then(|| Finding { beats: beats.to_vec(), ..found }))
}
