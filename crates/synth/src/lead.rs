//! How each lead sees the heart.
//!
//! Limb leads are projections of a frontal dipole (Einthoven's triangle, Goldberger's leads); chest
//! and Frank leads have fixed profiles that follow the usual progression.

use precordia_model::Lead;

use crate::QrsShape;

/// What a lead shows of a unit vector at an angle of the frontal plane; `None` for a lead outside
/// that plane.
pub fn frontal(lead: Lead, axis_deg: f64) -> Option<f64> {
    let toward = |lead_deg: f64| cos_deg(axis_deg - lead_deg);
    let (one, two) = (toward(0.0), toward(60.0));
    let three = two - one;
    Some(match lead {
        Lead::I => one,
        Lead::II => two,
        Lead::III => three,
        Lead::AVR => -(one + two) / 2.0,
        Lead::AVL => (one - three) / 2.0,
        Lead::AVF => (two + three) / 2.0,
        _ => return None,
    })
}

/// What a limb lead that follows from leads I and II is of them.
pub fn of_one_and_two(lead: Lead) -> Option<(f64, f64)> {
    Some(match lead {
        Lead::III => (-1.0, 1.0),
        Lead::AVR => (-0.5, -0.5),
        Lead::AVL => (1.0, -0.5),
        Lead::AVF => (-0.5, 1.0),
        _ => return None,
    })
}

/// Cosine of an angle in degrees that is exactly zero where it should be.
fn cos_deg(deg: f64) -> f64 {
    let turn = deg.rem_euclid(360.0);
    if turn == 90.0 || turn == 270.0 { 0.0 } else { turn.to_radians().cos() }
}

/// Angle in (-180, 180].
pub fn principal(deg: f64) -> f64 {
    let turn = deg.rem_euclid(360.0);
    if turn > 180.0 { turn - 360.0 } else { turn }
}

/// Number of knots of a QRS between its onset and its end.
pub const KNOTS: usize = 4;

/// Where the knots lie: below zero between onset (-1) and apex (0), above between apex and end (1).
pub fn knot_places(shape: QrsShape) -> [f64; KNOTS] {
    match shape {
        QrsShape::Normal => [-0.6, 0.0, 0.4, 0.7],
        QrsShape::LeftBundleBranchBlock => [-0.5, 0.0, 0.3, 0.65],
        QrsShape::RightBundleBranchBlock => [-0.5, 0.0, 0.3, 0.65],
    }
}

/// The apex of the frontal vector as a fraction of the QRS duration.
pub fn apex_fraction(shape: QrsShape) -> f64 {
    match shape {
        QrsShape::Normal => 0.45,
        QrsShape::LeftBundleBranchBlock => 0.42,
        QrsShape::RightBundleBranchBlock => 0.33,
    }
}

/// Height of the frontal vector at the knots; its largest value is 1, at the apex.
pub fn frontal_qrs(shape: QrsShape) -> [f64; KNOTS] {
    match shape {
        QrsShape::Normal => [-0.08, 1.0, -0.05, -0.16],
        QrsShape::LeftBundleBranchBlock => [0.35, 1.0, 0.85, 0.5],
        QrsShape::RightBundleBranchBlock => [-0.06, 1.0, -0.25, -0.22],
    }
}

/// Heights at the knots for leads outside the frontal plane, as fractions of the frontal peak.
pub fn transverse_qrs(shape: QrsShape, lead: Lead) -> [f64; KNOTS] {
    let (right, transition, left) = match shape {
        QrsShape::Normal => {
            return match column(lead) {
                Column::FarRight => [0.12, 0.08, -0.45, -0.25],
                Column::V1 => [0.18, 0.10, -0.85, -0.40],
                Column::V2 => [0.25, 0.40, -1.35, -0.55],
                Column::V3 => [0.15, 0.80, -0.80, -0.35],
                Column::V4 => [-0.06, 1.30, -0.45, -0.20],
                Column::V5 => [-0.10, 1.25, -0.15, -0.10],
                Column::V6 => [-0.10, 0.95, -0.05, -0.05],
                Column::Back => [-0.06, 0.45, 0.05, 0.03],
                Column::Y => [-0.08, 0.70, -0.04, -0.10],
                Column::Z => [0.15, 0.30, -0.90, -0.40],
            };
        }
        QrsShape::LeftBundleBranchBlock => {
            ([0.08, -0.75, -1.10, -0.55], [0.10, -0.60, -1.20, -0.55], [0.30, 0.95, 0.90, 0.45])
        }
        QrsShape::RightBundleBranchBlock => {
            ([0.20, -0.45, 0.25, 0.75], [0.15, 0.60, -0.40, 0.10], [-0.06, 1.00, -0.30, -0.28])
        }
    };
    match column(lead) {
        Column::FarRight | Column::V1 | Column::V2 | Column::Z => right,
        Column::V3 | Column::V4 => transition,
        Column::V5 | Column::V6 | Column::Back | Column::Y => left,
    }
}

/// Height of the P wave as a fraction of the frontal peak.
pub fn transverse_p(lead: Lead) -> f64 {
    match column(lead) {
        Column::FarRight | Column::V1 | Column::Z => 0.45,
        Column::V2 | Column::V3 => 0.55,
        Column::V4 | Column::V5 | Column::V6 | Column::Back => 0.5,
        Column::Y => 0.85,
    }
}

/// Height of the T wave as a fraction of the frontal peak; after a wide QRS it points away from it.
pub fn transverse_t(shape: QrsShape, lead: Lead) -> f64 {
    match shape {
        QrsShape::Normal => match column(lead) {
            Column::FarRight => -0.2,
            Column::V1 => -0.3,
            Column::V2 => 1.3,
            Column::V3 => 1.5,
            Column::V4 => 1.3,
            Column::V5 => 1.0,
            Column::V6 => 0.75,
            Column::Back => 0.5,
            Column::Y => 0.6,
            Column::Z => -0.5,
        },
        QrsShape::LeftBundleBranchBlock => match column(lead) {
            Column::FarRight | Column::V1 | Column::V2 | Column::V3 | Column::Z => 1.2,
            Column::V4 => 0.6,
            _ => -0.8,
        },
        QrsShape::RightBundleBranchBlock => match column(lead) {
            Column::FarRight | Column::V1 | Column::V2 | Column::Z => -0.8,
            _ => 0.9,
        },
    }
}

/// The places a chest lead can look from.
#[derive(Clone, Copy)]
enum Column {
    FarRight,
    V1,
    V2,
    V3,
    V4,
    V5,
    V6,
    Back,
    Y,
    Z,
}

fn column(lead: Lead) -> Column {
    match lead {
        Lead::V1 => Column::V1,
        Lead::V2 | Lead::V2R => Column::V2,
        Lead::V3 => Column::V3,
        Lead::V4 => Column::V4,
        Lead::V5 => Column::V5,
        Lead::V6 | Lead::X => Column::V6,
        Lead::V7 | Lead::V8 | Lead::V9 => Column::Back,
        Lead::V3R | Lead::V4R | Lead::V5R | Lead::V6R | Lead::V7R => Column::FarRight,
        Lead::Z => Column::Z,
        // Y, and whatever lead the model learns later. Limb leads never come here: they are projected.
        _ => Column::Y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_full_in_the_lead_it_points_along_and_nothing_across() {
        for (lead, along) in [(Lead::I, 0.0), (Lead::II, 60.0), (Lead::III, 120.0)] {
            assert!((frontal(lead, along).unwrap() - 1.0).abs() < 1e-12, "{lead}");
            assert!(frontal(lead, along + 90.0).unwrap().abs() < 1e-12, "{lead}");
        }
        // Goldberger's leads are shorter by half the square root of three.
        for (lead, along) in [(Lead::AVR, -150.0), (Lead::AVL, -30.0), (Lead::AVF, 90.0)] {
            assert!((frontal(lead, along).unwrap() - 0.75f64.sqrt()).abs() < 1e-12, "{lead}");
        }
        assert_eq!(frontal(Lead::V1, 0.0), None);
    }

    #[test]
    fn angles_are_folded_into_one_turn() {
        for (deg, folded) in
            [(0.0, 0.0), (180.0, 180.0), (-180.0, 180.0), (270.0, -90.0), (-400.0, -40.0)]
        {
            assert_eq!(principal(deg), folded);
        }
    }
}
