//! Where the waves of every beat are in every lead: first roughly, from a wide view that begins at
//! a place already known, then each boundary again from a close view around its rough place.
//!
//! QRS first (from the reference point of the beat), then P (before the QRS) and T (after it).
//! The close view knows what the other leads and the other beats say.

use crate::delineation::feature::{SIGNALS, View, Warp, Window, log_size, lower, mean, scale};
use crate::delineation::global;
use crate::delineation::network::{Desk, Network};
use crate::delineation::scene::Scene;

/// Boundaries in the order in which they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    POnset,
    POffset,
    QrsOnset,
    QrsOffset,
    TOnset,
    TOffset,
}

impl Edge {
    pub const ALL: [Edge; 6] =
        [Edge::POnset, Edge::POffset, Edge::QrsOnset, Edge::QrsOffset, Edge::TOnset, Edge::TOffset];

    pub const fn other(self) -> Edge {
        match self {
            Edge::POnset => Edge::POffset,
            Edge::POffset => Edge::POnset,
            Edge::QrsOnset => Edge::QrsOffset,
            Edge::QrsOffset => Edge::QrsOnset,
            Edge::TOnset => Edge::TOffset,
            Edge::TOffset => Edge::TOnset,
        }
    }

    pub const fn wave(self) -> Wave {
        match self {
            Edge::POnset | Edge::POffset => Wave::P,
            Edge::QrsOnset | Edge::QrsOffset => Wave::Qrs,
            Edge::TOnset | Edge::TOffset => Wave::T,
        }
    }

    const fn close(self) -> Window {
        let bin_ms = match self {
            Edge::POnset | Edge::POffset => 5.0,
            Edge::QrsOnset | Edge::QrsOffset => 3.5,
            Edge::TOnset | Edge::TOffset => 9.0,
        };
        Window { from_ms: -12.0 * bin_ms, bin_ms, bins: 24 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wave {
    P,
    Qrs,
    T,
}

impl Wave {
    pub const fn edges(self) -> [Edge; 2] {
        match self {
            Wave::P => [Edge::POnset, Edge::POffset],
            Wave::Qrs => [Edge::QrsOnset, Edge::QrsOffset],
            Wave::T => [Edge::TOnset, Edge::TOffset],
        }
    }

    const fn wide(self) -> Window {
        match self {
            Wave::P => Window { from_ms: -430.0, bin_ms: 10.0, bins: 44 },
            Wave::Qrs => Window { from_ms: -150.0, bin_ms: 5.0, bins: 60 },
            Wave::T => Window { from_ms: -40.0, bin_ms: 14.0, bins: 44 },
        }
    }
}

/// The networks, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Networks {
    /// P, QRS, T: presence, onset, offset.
    pub wide: [Network; 3],
    /// In the order of [`Edge::ALL`].
    pub close: [Network; 6],
    /// Sums that make global boundaries, in the same order.
    pub global: [Network; 6],
}

impl Networks {
    pub fn from_list(list: &[Network]) -> Option<Self> {
        let (wide, rest) = list.split_first_chunk::<3>()?;
        let (close, rest) = rest.split_first_chunk::<6>()?;
        let global: &[Network; 6] = rest.try_into().ok()?;
        let networks =
            Networks { wide: wide.clone(), close: close.clone(), global: global.clone() };
        let right = |network: &Network, inputs: usize, outputs: usize| {
            network.layers.first().is_some_and(|l| l.inputs == inputs)
                && network.outputs() == outputs
        };
        let wide = [Wave::P, Wave::Qrs, Wave::T].into_iter().zip(&networks.wide);
        let close = Edge::ALL.into_iter().zip(&networks.close);
        let fits = wide.into_iter().all(|(wave, n)| right(n, wide_inputs(wave), WIDE_OUTPUTS))
            && close.into_iter().all(|(edge, n)| right(n, close_inputs(edge), 1))
            && networks.global.iter().all(|n| right(n, global::NUMBERS, 1));
        fits.then_some(networks)
    }
}

/// Boundaries of one lead of one beat, ms after the beat's reference point.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    pub at_ms: [f32; 6],
    /// Evidence for a P wave, a QRS and a T wave: positive where there is one.
    pub sure: [f32; 3],
}

impl Marks {
    pub fn get(&self, edge: Edge) -> f32 {
        self.at_ms[edge as usize]
    }

    pub fn present(&self, wave: Wave) -> bool {
        self.sure[wave as usize] > 0.0
    }
}

/// Marks of all leads of all beats: beat after beat, in each lead after lead.
pub(crate) struct Board<'a> {
    pub scene: &'a Scene,
    pub marks: Vec<Marks>,
}

pub(crate) const WIDE_OUTPUTS: usize = 3;
pub(crate) const WIDE_NUMBERS: usize = 10;
pub(crate) const CLOSE_NUMBERS: usize = 16;
/// Network times are in units of this.
pub(crate) const WIDE_UNIT_MS: f32 = 50.0;
pub(crate) const CLOSE_UNIT_MS: f32 = 20.0;

pub(crate) fn wide_inputs(wave: Wave) -> usize {
    SIGNALS * wave.wide().bins + WIDE_NUMBERS
}

pub(crate) fn close_inputs(edge: Edge) -> usize {
    SIGNALS * edge.close().bins + CLOSE_NUMBERS
}

impl<'a> Board<'a> {
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene, marks: vec![Marks::default(); scene.beats.len() * scene.leads.len()] }
    }

    pub fn at(&self, beat: usize, lead: usize) -> &Marks {
        &self.marks[beat * self.scene.leads.len() + lead]
    }

    fn beat(&self, beat: usize) -> &[Marks] {
        let leads = self.scene.leads.len();
        &self.marks[beat * leads..(beat + 1) * leads]
    }

    /// Runs the whole cascade.
    pub fn fill(&mut self, networks: &Networks) {
        for wave in [Wave::Qrs, Wave::P, Wave::T] {
            self.wide(wave, &networks.wide[wave as usize]);
            self.close(wave, &wave.edges().map(|edge| &networks.close[edge as usize]));
        }
    }

    pub fn wide(&mut self, wave: Wave, network: &Network) {
        let (mut input, mut desk) = (Vec::new(), Desk::default());
        let leads = self.scene.leads.len();
        for beat in 0..self.scene.beats.len() {
            let origin_ms = self.origin_ms(beat, wave);
            for lead in 0..leads {
                self.wide_input(beat, lead, wave, origin_ms, Warp::NONE, &mut input);
                let out = network.apply(&input, &mut desk);
                let stretch = self.grain(beat, wave);
                let marks = &mut self.marks[beat * leads + lead];
                marks.sure[wave as usize] = out[0];
                let place = |k: usize| origin_ms + WIDE_UNIT_MS * stretch * out[k];
                let [onset, offset] = wave.edges();
                marks.at_ms[onset as usize] = place(1);
                marks.at_ms[offset as usize] = place(2).max(place(1) + 6.0);
            }
        }
    }

    pub fn close(&mut self, wave: Wave, networks: &[&Network; 2]) {
        let mut found = vec![[0.0_f32; 2]; self.marks.len()];
        let (mut input, mut desk) = (Vec::new(), Desk::default());
        for (k, edge) in wave.edges().into_iter().enumerate() {
            let company = Company::of(self, edge);
            for beat in 0..self.scene.beats.len() {
                for lead in 0..self.scene.leads.len() {
                    let at_ms = self.at(beat, lead).get(edge);
                    self.close_input(beat, lead, edge, at_ms, &company, Warp::NONE, &mut input);
                    let out = networks[k].apply(&input, &mut desk)[0];
                    let step_ms = (CLOSE_UNIT_MS * out).clamp(-80.0, 80.0);
                    found[beat * self.scene.leads.len() + lead][k] = at_ms + step_ms;
                }
            }
        }
        let [onset, offset] = wave.edges();
        for (marks, [on_ms, off_ms]) in self.marks.iter_mut().zip(found) {
            marks.at_ms[onset as usize] = on_ms;
            marks.at_ms[offset as usize] = off_ms.max(on_ms + 6.0);
        }
    }

    /// Where the wide view of a wave begins: the reference point, the QRS onset or the QRS offset,
    /// as the leads say together.
    pub fn origin_ms(&self, beat: usize, wave: Wave) -> f32 {
        let of = |edge: Edge| {
            let mut places: Vec<f32> = self.beat(beat).iter().map(|m| m.get(edge)).collect();
            crate::numeric::median_f32(&mut places)
        };
        match wave {
            Wave::Qrs => 0.0,
            Wave::P => of(Edge::QrsOnset),
            Wave::T => of(Edge::QrsOffset),
        }
    }

    /// T waves come sooner in a fast heart, and are looked at in finer grain.
    pub fn grain(&self, beat: usize, wave: Wave) -> f32 {
        let rr_s = (self.scene.beats[beat].rr_usual_ms / 1000.0) as f32;
        if wave == Wave::T { (rr_s / 0.9).sqrt().clamp(0.6, 1.2) } else { 1.0 }
    }

    pub fn wide_input(
        &self,
        beat: usize,
        lead: usize,
        wave: Wave,
        origin_ms: f32,
        warp: Warp,
        out: &mut Vec<f32>,
    ) {
        out.clear();
        let view = View::new(self.scene, beat, lead);
        let window = wave.wide();
        let stretch = warp.stretch * f64::from(self.grain(beat, wave));
        view.look(window, f64::from(origin_ms) + warp.shift_ms, Warp { stretch, ..warp }, out);
        let mut sizes = [0.0; SIGNALS];
        for (k, row) in out.chunks_exact_mut(window.bins).enumerate() {
            if wave == Wave::P && k < 2 {
                // The level just before the QRS.
                let level = mean(&row[window.bins - 3..window.bins - 1]);
                lower(row, level);
            }
            sizes[k] = scale(row, if k == 3 { 0.2 } else { 5.0 });
        }
        let rr = |ms: f64| (ms / 1000.0).min(2.0) as f32 - 0.8;
        let widest = |edge: [Edge; 2]| {
            let marks = self.at(beat, lead);
            (marks.get(edge[1]) - marks.get(edge[0])) / 100.0
        };
        out.extend([
            log_size(sizes[0]),
            log_size(sizes[1]),
            log_size(sizes[2]),
            log_size(10.0 * sizes[3]),
            log_size(view.group.noise_uv[lead]),
            rr(view.beat.rr_before_ms),
            rr(view.beat.rr_after_ms),
            rr(view.beat.rr_usual_ms),
            if wave == Wave::Qrs { 0.0 } else { widest(Wave::Qrs.edges()) },
            (view.group.beats as f32).min(8.0) / 8.0,
        ]);
    }

    #[allow(clippy::too_many_arguments)]
    pub fn close_input(
        &self,
        beat: usize,
        lead: usize,
        edge: Edge,
        at_ms: f32,
        company: &Company,
        warp: Warp,
        out: &mut Vec<f32>,
    ) {
        out.clear();
        let view = View::new(self.scene, beat, lead);
        let window = edge.close();
        view.look(window, f64::from(at_ms) + warp.shift_ms, warp, out);
        let marks = self.at(beat, lead);
        let zero = view.group.zero as f32;
        let column = |ms: f32| ((zero + ms / 2.0).max(0.0)) as usize;
        let [onset, offset] = edge.wave().edges();
        let from = column(marks.get(onset) - 10.0);
        let to = column(marks.get(offset) + 10.0).max(from + 2);
        let within = |curve: &[f32]| {
            let part = curve.get(from..to.min(curve.len())).unwrap_or(&[]);
            let (low, high) =
                part.iter().fold((0.0_f32, 0.0_f32), |(l, h), x| (l.min(*x), h.max(*x)));
            high - low
        };
        let sizes = [
            within(&view.group.means[lead].uv),
            within(&view.group.joint.uv),
            within(&view.group.speed.uv),
        ];
        let outside = if edge == onset { 0..5 } else { window.bins - 5..window.bins };
        for (k, row) in out.chunks_exact_mut(window.bins).enumerate() {
            if k < 2 {
                let level = mean(&row[outside.clone()]);
                lower(row, level);
            }
            let (size, floor) = match k {
                0 | 1 => (sizes[0], 8.0),
                2 => (sizes[1], 5.0),
                _ => (sizes[2], 0.2),
            };
            let factor = 1.5 / (size + floor);
            row.iter_mut().for_each(|x| *x = (*x * factor).clamp(-3.0, 3.0));
        }
        let own_ms = at_ms + warp.shift_ms as f32;
        let far = |ms: f32| ((ms - own_ms) / (40.0 * warp.stretch as f32)).clamp(-3.0, 3.0);
        let [low, quarter, middle, upper, high] = company.leads[beat];
        out.extend([
            far(low),
            far(quarter),
            far(middle),
            far(upper),
            far(high),
            far(company.beats[view.beat.group][lead]),
            far(company.groups[view.beat.group]),
            (marks.get(edge.other()) - own_ms) / 200.0,
            marks.sure[edge.wave() as usize].clamp(-4.0, 4.0) / 4.0,
            company.share[beat],
            log_size(sizes[0]),
            log_size(sizes[1]),
            log_size(10.0 * sizes[2]),
            log_size(view.group.noise_uv[lead]),
            (view.beat.rr_usual_ms as f32 / 1000.0).min(2.0) - 0.8,
            (view.beat.rr_after_ms as f32 / 1000.0).min(2.0) - 0.8,
        ]);
    }
}

/// What the other leads and the other beats say of a boundary.
pub(crate) struct Company {
    /// Of each beat: least, quarter, middle, three quarters and greatest over the leads.
    pub leads: Vec<[f32; 5]>,
    /// Share of the leads that have the wave.
    pub share: Vec<f32>,
    /// Of each group and lead: the middle over the beats.
    pub beats: Vec<Vec<f32>>,
    /// Of each group: the middle over beats of the middle over leads.
    pub groups: Vec<f32>,
}

impl Company {
    pub fn of(board: &Board, edge: Edge) -> Self {
        let scene = board.scene;
        let mut leads = Vec::with_capacity(scene.beats.len());
        let mut share = Vec::with_capacity(scene.beats.len());
        for beat in 0..scene.beats.len() {
            let all = board.beat(beat);
            let mut places: Vec<f32> =
                all.iter().filter(|m| m.present(edge.wave())).map(|m| m.get(edge)).collect();
            share.push(places.len() as f32 / all.len() as f32);
            if places.is_empty() {
                places = all.iter().map(|m| m.get(edge)).collect();
            }
            places.sort_unstable_by(f32::total_cmp);
            leads.push([0.0, 0.25, 0.5, 0.75, 1.0].map(|q| rank(&places, q)));
        }
        let mut beats = vec![vec![0.0; scene.leads.len()]; scene.groups.len()];
        let mut groups = vec![0.0; scene.groups.len()];
        for group in 0..scene.groups.len() {
            let members: Vec<usize> =
                (0..scene.beats.len()).filter(|&b| scene.beats[b].group == group).collect();
            for (lead, middle) in beats[group].iter_mut().enumerate() {
                let mut places: Vec<f32> =
                    members.iter().map(|&beat| board.at(beat, lead).get(edge)).collect();
                *middle = crate::numeric::median_f32(&mut places);
            }
            let mut places: Vec<f32> = members.iter().map(|&beat| leads[beat][2]).collect();
            groups[group] = crate::numeric::median_f32(&mut places);
        }
        Self { leads, share, beats, groups }
    }
}

/// Of sorted values, the one at rank `q (n - 1)`, between ranks by a straight line.
pub(crate) fn rank(sorted: &[f32], q: f32) -> f32 {
    let place = q * (sorted.len() - 1) as f32;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f32)
}
