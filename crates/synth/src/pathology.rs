//! Hearts with one thing wrong each, drawn as the analytical signals are: half sines at times that
//! all leads share, with heights by lead. They show the form that a criterion asks for, clearly on
//! its far side; they are no model of a disease.

use precordia_model::Lead;

use crate::calibration::{Calibration, Part};

const LEADS: [Lead; 8] =
    [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];

/// P, Q, R, S and T of a healthy heart by lead, in the order of [`LEADS`].
const HEALTHY: [[f64; 5]; 8] = [
    [60.0, -40.0, 650.0, -90.0, 180.0],
    [140.0, -80.0, 1050.0, -160.0, 260.0],
    [50.0, 0.0, 220.0, -900.0, -60.0],
    [70.0, 0.0, 450.0, -1500.0, 420.0],
    [65.0, 0.0, 800.0, -900.0, 510.0],
    [60.0, -50.0, 1400.0, -500.0, 480.0],
    [60.0, -90.0, 1300.0, -240.0, 380.0],
    [55.0, -100.0, 980.0, -80.0, 270.0],
];

const fn part(from_ms: f64, to_ms: f64) -> Part {
    Part { from_ms, to_ms }
}

const TIMES: [Part; 5] =
    [part(-160.0, -60.0), part(0.0, 18.0), part(18.0, 62.0), part(62.0, 90.0), part(220.0, 390.0)];

impl Calibration {
    /// A healthy heart, and hearts that each meet one criterion. The waves of some overlap, so the
    /// truth of single waves holds only for [`Calibration::all`].
    pub fn hearts() -> Vec<Calibration> {
        let mut hearts = vec![healthy("healthy", 70.0), healthy("slow", 48.0)];
        hearts.push(healthy("fast", 112.0).with_times(&[
            part(-130.0, -45.0),
            TIMES[1],
            TIMES[2],
            TIMES[3],
            part(170.0, 320.0),
        ]));
        hearts.extend(voltages());
        hearts.extend(atria());
        hearts.extend(blocks());
        hearts.extend(infarcts());
        hearts.extend(others());
        hearts
    }
}

fn healthy(name: &'static str, rate_bpm: f64) -> Calibration {
    heart(name, rate_bpm, &TIMES, &HEALTHY)
}

/// A P and a T of one part each, whatever lies between.
fn heart<const PARTS: usize>(
    name: &'static str,
    rate_bpm: f64,
    times: &[Part; PARTS],
    heights: &[[f64; PARTS]; 8],
) -> Calibration {
    let rows = LEADS.into_iter().zip(heights.iter().map(|row| row.to_vec()));
    Calibration::of_leads(name, rate_bpm, (1, 1), times.to_vec(), rows)
}

/// The healthy heights but for some leads.
fn but(changed: &[(Lead, [f64; 5])]) -> [[f64; 5]; 8] {
    let mut heights = HEALTHY;
    for (lead, own) in changed {
        if let Some(at) = LEADS.iter().position(|l| l == lead) {
            heights[at] = *own;
        }
    }
    heights
}

fn voltages() -> [Calibration; 3] {
    let left = but(&[
        (Lead::V1, [50.0, 0.0, 150.0, -2200.0, -60.0]),
        (Lead::V5, [60.0, -90.0, 2700.0, -240.0, 380.0]),
        (Lead::V6, [55.0, -100.0, 2300.0, -80.0, 270.0]),
    ]);
    let right = but(&[
        (Lead::I, [60.0, 0.0, 150.0, -700.0, 180.0]),
        (Lead::II, [140.0, -60.0, 700.0, -250.0, 260.0]),
        (Lead::V1, [50.0, 0.0, 1300.0, -200.0, -60.0]),
        (Lead::V5, [60.0, 0.0, 700.0, -900.0, 380.0]),
        (Lead::V6, [55.0, 0.0, 400.0, -800.0, 270.0]),
    ]);
    let low = HEALTHY.map(|row| row.map(|uv| 0.3 * uv));
    [
        heart("left-ventricular-hypertrophy", 70.0, &TIMES, &left),
        heart("right-ventricular-hypertrophy", 70.0, &TIMES, &right),
        heart("low-voltage", 70.0, &TIMES, &low),
    ]
}

fn atria() -> [Calibration; 2] {
    let tall = but(&[
        (Lead::II, [330.0, -80.0, 1050.0, -160.0, 260.0]),
        (Lead::I, [110.0, -40.0, 650.0, -90.0, 180.0]),
    ]);
    let times = [part(-160.0, -115.0), part(-115.0, -60.0), TIMES[1], TIMES[2], TIMES[3], TIMES[4]];
    let late = HEALTHY.map(|[p, q, r, s, t]| [p, p, q, r, s, t]);
    let rows = LEADS.into_iter().zip(late).map(|(lead, mut row)| {
        if lead == Lead::V1 {
            row[..2].copy_from_slice(&[60.0, -170.0]);
        }
        (lead, row.to_vec())
    });
    [
        heart("right-atrial-enlargement", 70.0, &TIMES, &tall),
        Calibration::of_leads("left-atrial-enlargement", 70.0, (2, 1), times.to_vec(), rows),
    ]
}

fn blocks() -> [Calibration; 5] {
    let right = |name, end_ms| {
        let times =
            [TIMES[0], TIMES[1], TIMES[2], TIMES[3], part(90.0, end_ms), part(260.0, 420.0)];
        let heights = [
            [60.0, -40.0, 600.0, -120.0, -160.0, 180.0],
            [140.0, -80.0, 900.0, -160.0, -100.0, 260.0],
            [50.0, 0.0, 200.0, -500.0, 750.0, -160.0],
            [70.0, 0.0, 350.0, -900.0, 400.0, -120.0],
            [65.0, 0.0, 700.0, -800.0, 0.0, 300.0],
            [60.0, -50.0, 1200.0, -500.0, -100.0, 380.0],
            [60.0, -90.0, 1150.0, -240.0, -140.0, 320.0],
            [55.0, -90.0, 900.0, -160.0, -150.0, 250.0],
        ];
        heart(name, 66.0, &times, &heights)
    };
    let left_times = [TIMES[0], part(0.0, 32.0), part(32.0, 150.0), part(270.0, 440.0)];
    let left_heights = [
        [60.0, 150.0, 900.0, -200.0],
        [140.0, 150.0, 700.0, -120.0],
        [50.0, 80.0, -1500.0, 300.0],
        [70.0, 100.0, -1900.0, 420.0],
        [65.0, 150.0, -1400.0, 400.0],
        [60.0, 150.0, 300.0, 100.0],
        [60.0, 200.0, 1300.0, -280.0],
        [55.0, 200.0, 1200.0, -300.0],
    ];
    let anterior = but(&[
        (Lead::I, [60.0, -60.0, 400.0, 600.0, 180.0]),
        (Lead::II, [140.0, 0.0, 100.0, -900.0, 260.0]),
    ]);
    let posterior = but(&[
        (Lead::I, [60.0, 0.0, 150.0, -600.0, 100.0]),
        (Lead::II, [140.0, -60.0, 800.0, 0.0, 260.0]),
    ]);
    [
        right("right-bundle-branch-block", 140.0),
        right("incomplete-right-bundle-branch-block", 112.0),
        heart("left-bundle-branch-block", 66.0, &left_times, &left_heights),
        heart("left-anterior-fascicular-block", 70.0, &TIMES, &anterior),
        heart("left-posterior-fascicular-block", 70.0, &TIMES, &posterior),
    ]
}

fn infarcts() -> [Calibration; 5] {
    let mut times = TIMES;
    times[1] = part(0.0, 36.0);
    times[2] = part(36.0, 72.0);
    times[3] = part(72.0, 96.0);
    let inferior = but(&[
        (Lead::I, [60.0, 0.0, 400.0, -60.0, 180.0]),
        (Lead::II, [140.0, -320.0, 600.0, 0.0, 120.0]),
        (Lead::V4, [60.0, 0.0, 1400.0, -500.0, 480.0]),
        (Lead::V5, [60.0, 0.0, 1300.0, -240.0, 380.0]),
        (Lead::V6, [55.0, 0.0, 980.0, -80.0, 270.0]),
    ]);
    let anterior = but(&[
        (Lead::V1, [50.0, 0.0, -900.0, 0.0, -60.0]),
        (Lead::V2, [70.0, 0.0, -1500.0, 0.0, -120.0]),
        (Lead::V3, [65.0, 0.0, -1100.0, 0.0, -150.0]),
    ]);
    let raised = |name, levels: &[(Lead, f64)]| healthy(name, 80.0).with_st(levels);
    [
        heart("inferior-q", 70.0, &times, &inferior),
        heart("anterior-q", 70.0, &TIMES, &anterior),
        raised("anterior-st", &[(Lead::V2, 320.0), (Lead::V3, 380.0), (Lead::V4, 260.0)]),
        raised("inferior-st", &[(Lead::II, 200.0), (Lead::I, -60.0)]),
        raised("lateral-st", &[(Lead::V5, 180.0), (Lead::V6, 170.0)]),
    ]
}

fn others() -> [Calibration; 3] {
    let slurred_times = [
        part(-105.0, -25.0),
        part(0.0, 132.0),
        part(42.0, 104.0),
        part(104.0, 132.0),
        part(250.0, 410.0),
    ];
    // The delta wave goes the way of the rest of the QRS and still rises when that begins.
    let slurred = HEALTHY.map(|[p, _, r, s, t]| [p, 0.35 * (r + s), r, s, t]);
    let notched_times =
        [TIMES[0], TIMES[1], part(18.0, 74.0), part(66.0, 98.0), part(220.0, 390.0)];
    let notched = but(&[
        (Lead::I, [60.0, -40.0, 650.0, 0.0, 180.0]),
        (Lead::II, [140.0, -80.0, 1050.0, 220.0, 260.0]),
    ]);
    let short = [TIMES[0], TIMES[1], TIMES[2], TIMES[3], part(150.0, 300.0)];
    [
        heart("pre-excitation", 70.0, &slurred_times, &slurred),
        heart("early-repolarization", 70.0, &notched_times, &notched),
        heart("short-qt", 62.0, &short, &HEALTHY),
    ]
}
