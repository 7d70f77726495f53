//! What the limb leads say about each other: deriving the absent ones, checking the present ones.
//!
//! Einthoven: II = I + III. Goldberger: aVR = -(I + II)/2, aVL = (I - III)/2, aVF = (II + III)/2.
//! Nothing recorded is changed.

use precordia_model::{Filters, Lead, Problem, Signal, Trace, TraceOrigin};

const FRONTAL: [Lead; 6] = [Lead::I, Lead::II, Lead::III, Lead::AVR, Lead::AVL, Lead::AVF];

/// What rounding, and separate filters of one recording, still leave between leads.
const TOLERANCE_UV: f64 = 25.0;

/// Above the tolerance, a difference that is this part of the lead's own size is worth knowing.
const DIFFERENCE_NOTED: f64 = 0.25;

/// An inverted lead differs by twice its size, an exchanged one by about its size.
const DIFFERENCE_CONTRADICTS: f64 = 0.75;

/// Appends the frontal leads that follow from two recorded ones of I, II and III.
pub(crate) fn derive(signal: &mut Signal) {
    let recorded: Vec<Lead> = signal.leads().collect();
    let Some([first, second]) = base(&recorded) else { return };
    let mut derived = Vec::new();
    for lead in FRONTAL.into_iter().filter(|lead| !recorded.contains(lead)) {
        let (Some(a), Some(b)) = (signal.trace(first), signal.trace(second)) else { return };
        let Some([x, y]) = coefficients(lead, [first, second]) else { continue };
        let samples_uv =
            a.samples_uv.iter().zip(&b.samples_uv).map(|(&a, &b)| weigh(x, a, y, b)).collect();
        let filters = if a.filters == b.filters { a.filters } else { Filters::default() };
        derived.push(Trace {
            lead,
            samples_uv,
            origin: TraceOrigin::Derived { from: [first, second] },
            filters,
        });
    }
    signal.traces.extend(derived);
}

/// Reports the recorded frontal leads that do not follow from the others.
pub(crate) fn check(signal: &Signal, place: &str) -> Vec<Problem> {
    let recorded: Vec<Lead> = signal
        .traces
        .iter()
        .filter(|trace| trace.origin == TraceOrigin::Recorded)
        .map(|trace| trace.lead)
        .collect();
    let Some([first, second]) = base(&recorded) else { return Vec::new() };
    let (Some(a), Some(b)) = (signal.trace(first), signal.trace(second)) else { return Vec::new() };
    let differences: Vec<(Lead, f64)> = FRONTAL
        .into_iter()
        .filter(|lead| recorded.contains(lead) && *lead != first && *lead != second)
        .filter_map(|lead| {
            let weights = coefficients(lead, [first, second])?;
            Some((lead, difference(signal.trace(lead)?, a, b, weights)))
        })
        .collect();
    let names = |low: f64, high: f64| {
        let within = differences.iter().filter(|(_, size)| (low..high).contains(size));
        within.map(|(lead, _)| lead.name()).collect::<Vec<&str>>().join(", ")
    };
    let mut problems = Vec::new();
    let contradicting = names(DIFFERENCE_CONTRADICTS, f64::INFINITY);
    if !contradicting.is_empty() {
        let text = format!(
            "{contradicting} contradict {first} and {second}: a lead may be inverted, exchanged or saturated"
        );
        problems.push(Problem::warning("limb_leads_inconsistent", place, text));
    }
    let noted = names(DIFFERENCE_NOTED, DIFFERENCE_CONTRADICTS);
    if !noted.is_empty() {
        let text = format!(
            "{noted} differ noticeably from what {first} and {second} give; all are shown as recorded"
        );
        problems.push(Problem::info("limb_leads_differ", place, text));
    }
    problems
}

/// The two leads that the others are computed from: I and II before any other pair.
fn base(recorded: &[Lead]) -> Option<[Lead; 2]> {
    [[Lead::I, Lead::II], [Lead::I, Lead::III], [Lead::II, Lead::III]]
        .into_iter()
        .find(|pair| pair.iter().all(|lead| recorded.contains(lead)))
}

/// How a frontal lead is made of a base pair. Each lead is first written in I and II.
fn coefficients(lead: Lead, base: [Lead; 2]) -> Option<[f64; 2]> {
    let [i, ii] = match lead {
        Lead::I => [1.0, 0.0],
        Lead::II => [0.0, 1.0],
        Lead::III => [-1.0, 1.0],
        Lead::AVR => [-0.5, -0.5],
        Lead::AVL => [1.0, -0.5],
        Lead::AVF => [-0.5, 1.0],
        _ => return None,
    };
    match base {
        [Lead::I, Lead::II] => Some([i, ii]),
        // II = I + III
        [Lead::I, Lead::III] => Some([i + ii, ii]),
        // I = II - III
        [Lead::II, Lead::III] => Some([i + ii, -i]),
        _ => None,
    }
}

fn weigh(x: f64, a: f32, y: f64, b: f32) -> f32 {
    (x * f64::from(a) + y * f64::from(b)) as f32
}

/// The difference between a lead and what the base pair gives for it, as a part of the lead's own
/// size; 0 within the tolerance. Root mean squares over the samples that all three have, each without
/// its mean, since an offset is no contradiction.
fn difference(trace: &Trace, a: &Trace, b: &Trace, [x, y]: [f64; 2]) -> f64 {
    let mut count = 0.0;
    let (mut sum, mut squares, mut sum_own, mut squares_own) = (0.0, 0.0, 0.0, 0.0);
    for ((&own, &a), &b) in trace.samples_uv.iter().zip(&a.samples_uv).zip(&b.samples_uv) {
        let expected = x * f64::from(a) + y * f64::from(b);
        let difference = f64::from(own) - expected;
        if difference.is_nan() {
            continue;
        }
        count += 1.0;
        sum += difference;
        squares += difference * difference;
        sum_own += expected;
        squares_own += expected * expected;
    }
    if count < 2.0 {
        return 0.0;
    }
    let deviation =
        |sum: f64, squares: f64| (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
    let difference = deviation(sum, squares);
    if difference <= TOLERANCE_UV {
        0.0
    } else {
        difference / deviation(sum_own, squares_own).max(TOLERANCE_UV)
    }
}

#[cfg(test)]
mod tests {
    use precordia_model::SampleRate;

    use super::*;

    fn signal(leads: &[(Lead, &[f32])]) -> Signal {
        let traces = leads
            .iter()
            .map(|&(lead, samples)| Trace {
                lead,
                samples_uv: samples.to_vec(),
                origin: TraceOrigin::Recorded,
                filters: Filters::default(),
            })
            .collect();
        Signal { rate: SampleRate::from_hz(500.0).unwrap(), traces }
    }

    fn samples(signal: &Signal, lead: Lead) -> Vec<f32> {
        signal.trace(lead).unwrap().samples_uv.clone()
    }

    #[test]
    fn absent_limb_leads_follow_the_recorded_ones_and_say_so() {
        let mut ecg = signal(&[
            (Lead::V1, &[7.0, 8.0]),
            (Lead::II, &[300.0, 100.0]),
            (Lead::I, &[100.0, f32::NAN]),
        ]);
        derive(&mut ecg);
        let names: Vec<&str> = ecg.leads().map(Lead::name).collect();
        assert_eq!(names, ["V1", "II", "I", "III", "aVR", "aVL", "aVF"]);
        for (lead, first) in
            [(Lead::III, 200.0), (Lead::AVR, -200.0), (Lead::AVL, -50.0), (Lead::AVF, 250.0)]
        {
            let derived = samples(&ecg, lead);
            assert_eq!(derived[0], first, "{lead}");
            assert!(derived[1].is_nan(), "a gap stays a gap in {lead}");
            assert_eq!(
                ecg.trace(lead).unwrap().origin,
                TraceOrigin::Derived { from: [Lead::I, Lead::II] }
            );
        }
    }

    #[test]
    fn any_two_of_the_three_give_the_third() {
        for (base, missing, value) in [
            ([(Lead::I, 100.0), (Lead::III, 200.0)], Lead::II, 300.0),
            ([(Lead::II, 300.0), (Lead::III, 200.0)], Lead::I, 100.0),
        ] {
            let mut ecg = signal(&[(base[0].0, &[base[0].1]), (base[1].0, &[base[1].1])]);
            derive(&mut ecg);
            assert_eq!(samples(&ecg, missing), [value]);
            assert_eq!(samples(&ecg, Lead::AVR), [-200.0]);
            assert_eq!(samples(&ecg, Lead::AVL), [-50.0]);
            assert_eq!(samples(&ecg, Lead::AVF), [250.0]);
        }
    }

    #[test]
    fn one_limb_lead_alone_derives_nothing() {
        let mut ecg = signal(&[(Lead::II, &[1.0]), (Lead::AVF, &[2.0])]);
        derive(&mut ecg);
        assert_eq!(ecg.traces.len(), 2);
    }

    #[test]
    fn an_inverted_lead_is_reported_and_rounding_is_not() {
        let i = [0.0, 400.0, -100.0, 50.0];
        let ii = [0.0, 900.0, -300.0, 80.0];
        let iii: Vec<f32> = i.iter().zip(&ii).map(|(i, ii)| ii - i + 2.5).collect();
        assert_eq!(
            check(&signal(&[(Lead::I, &i), (Lead::II, &ii), (Lead::III, &iii)]), "group 1"),
            []
        );
        let inverted: Vec<f32> = iii.iter().map(|uv| -uv).collect();
        let problems =
            check(&signal(&[(Lead::I, &i), (Lead::II, &ii), (Lead::III, &inverted)]), "group 1");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, "limb_leads_inconsistent");
        assert!(problems[0].text.starts_with("III contradict I and II"), "{}", problems[0].text);
    }
}
