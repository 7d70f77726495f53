//! Blocks of samples in, windows out, beats in their order.

use precordia_model::{HolterBeat, HolterReport, Lead, PacingEvidence, SampleRate};

use crate::holter::summary::summary;
use crate::holter::window::{Found, MARGIN_S, WINDOW_S, Window};
use crate::rhythm::shape::Usual;

/// Two beats of one heart are not nearer than this: the seam between windows must not make two of
/// one.
const APART_S: f64 = 0.200;
/// Windows without a beat like the usual one, after which another becomes the usual one.
const PATIENCE: u32 = 10;

/// Why a block or a recording is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolterError {
    /// 100 to 4000 samples a second.
    Rate,
    /// At least one, each once.
    Leads,
    /// A block has another number of leads, or leads of different length.
    Block,
}

impl std::fmt::Display for HolterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            HolterError::Rate => "the sampling rate is not between 100 and 4000 Hz",
            HolterError::Leads => "no leads, or a lead twice",
            HolterError::Block => {
                "a block has not one run of samples of equal length for each lead"
            }
        })
    }
}

impl std::error::Error for HolterError {}

/// Whether a window was in fibrillation or flutter, if that could be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtrialWindow {
    pub from: u64,
    pub to: u64,
    pub probability: Option<f64>,
}

/// A long recording that is being measured.
pub struct Holter {
    rate_hz: f64,
    leads: Vec<Lead>,
    /// The samples that are not done with, one row a lead, and the place of the first of them.
    rows: Vec<Vec<f32>>,
    first: u64,
    /// Up to here the beats are known.
    done: u64,
    pub(crate) beats: Vec<HolterBeat>,
    pub(crate) atria: Vec<AtrialWindow>,
    pub(crate) pacing: PacingEvidence,
    /// Samples in which a lead could be used.
    pub(crate) analyzed: u64,
    usual: Option<Usual>,
    unlike: u32,
    /// Nothing could be found in the window before.
    blind: bool,
}

impl Holter {
    pub fn new(rate: SampleRate, leads: &[Lead]) -> Result<Self, HolterError> {
        let rate_hz = rate.hz();
        if !(100.0..=4000.0).contains(&rate_hz) {
            return Err(HolterError::Rate);
        }
        if leads.is_empty() || (1..leads.len()).any(|k| leads[..k].contains(&leads[k])) {
            return Err(HolterError::Leads);
        }
        Ok(Self {
            rate_hz,
            leads: leads.to_vec(),
            rows: vec![Vec::new(); leads.len()],
            first: 0,
            done: 0,
            beats: Vec::new(),
            atria: Vec::new(),
            pacing: PacingEvidence::default(),
            analyzed: 0,
            usual: None,
            unlike: 0,
            blind: false,
        })
    }

    /// The next samples of every lead, microvolts; missing ones are NaN.
    pub fn push(&mut self, block: &[&[f32]]) -> Result<(), HolterError> {
        let len = block.first().map_or(0, |own| own.len());
        if block.len() != self.leads.len() || block.iter().any(|own| own.len() != len) {
            return Err(HolterError::Block);
        }
        // A large block is taken piece by piece, so that no more than a window is ever held.
        let piece = self.samples(WINDOW_S);
        for from in (0..len).step_by(piece) {
            for (row, own) in self.rows.iter_mut().zip(block) {
                row.extend_from_slice(&own[from..(from + piece).min(len)]);
            }
            while self.held() >= self.window_end() + self.samples(MARGIN_S) {
                self.take_window(self.window_end());
            }
        }
        Ok(())
    }

    /// The end of the recording.
    pub fn finish(mut self) -> HolterReport {
        if self.first + self.held() as u64 > self.done {
            self.take_window(self.held());
        }
        let len = self.done;
        summary(&self, len, self.rate_hz)
    }

    fn samples(&self, seconds: f64) -> usize {
        (seconds * self.rate_hz).round() as usize
    }

    fn held(&self) -> usize {
        self.rows[0].len()
    }

    /// Where in the held samples the next window's beats end.
    fn window_end(&self) -> usize {
        (self.done - self.first) as usize + self.samples(WINDOW_S)
    }

    /// Beats between what is done and `end`, an index into the held samples.
    fn take_window(&mut self, end: usize) {
        let from = (self.done - self.first) as usize;
        let window = Window { rows: &self.rows, leads: &self.leads, rate_hz: self.rate_hz };
        let found = window.find(self.usual.as_ref());
        if let Some(found) = found {
            self.analyzed += (end - from) as u64;
            self.keep(found, from, end);
        } else {
            self.blind = true;
            self.atria.push(AtrialWindow {
                from: self.done,
                to: self.first + end as u64,
                probability: None,
            });
        }
        self.done = self.first + end as u64;
        let drop = end.saturating_sub(self.samples(MARGIN_S));
        for row in &mut self.rows {
            row.drain(..drop);
        }
        self.first += drop as u64;
    }

    fn keep(&mut self, found: Found, from: usize, end: usize) {
        let apart = self.samples(APART_S) as u64;
        for beat in found.beats.iter().filter(|beat| (from..end).contains(&beat.at)) {
            let at = self.first + beat.at as u64;
            if self.beats.last().is_some_and(|last| at < last.at + apart) {
                continue;
            }
            let after_gap = beat.after_gap || std::mem::take(&mut self.blind);
            self.beats.push(HolterBeat { at, class: beat.class, after_gap });
            self.pacing.ventricular_beats += u32::from(beat.paced);
            self.pacing.atrial_beats += u32::from(beat.atrial_spike);
        }
        let own = found.spikes.iter().filter(|at| (from..end).contains(*at));
        self.pacing.spikes += own.count() as u32;
        self.atria.push(AtrialWindow {
            from: self.done,
            to: self.first + end as u64,
            probability: found.atria.map(|atria| atria.probability),
        });
        self.unlike = if found.like_usual { 0 } else { self.unlike + 1 };
        if found.like_usual || self.usual.is_none() || self.unlike >= PATIENCE {
            self.usual = Some(found.usual);
            self.unlike = 0;
        }
    }
}
