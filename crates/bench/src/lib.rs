//! The measurements behind `precordia bench`: what this program does on this machine, beside what the
//! machine itself does in the same run.

mod ecg;
mod figures;
mod intake;
mod verify;

pub use ecg::ecg;
pub use figures::Figures;
pub use intake::intake;
pub use verify::verify;
