//! What can be shown of the rhythm, and no more.
//!
//! [`view`] is what it is judged from; [`shape`] and [`class`] tell the beats apart, [`intervals`]
//! and [`pattern`] count them, [`irregular`], [`atrial`] and [`fibrillation`] weigh the atria,
//! [`p_wave`] proves a P wave, [`decide`] names the rhythm and [`report`] puts all together.

pub(crate) mod atrial;
pub(crate) mod class;
pub(crate) mod decide;
pub(crate) mod fibrillation;
pub(crate) mod intervals;
pub(crate) mod irregular;
pub(crate) mod p_wave;
pub(crate) mod pattern;
pub(crate) mod report;
pub(crate) mod shape;
pub(crate) mod view;

pub(crate) use decide::{Signs, rhythm};
pub(crate) use p_wave::{p_likeness, p_proven};
pub(crate) use report::{atria, report};
pub(crate) use view::View;
