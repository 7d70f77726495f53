//! The measurements behind `precordia bench`: what this program does on this machine, beside what the
//! machine itself does in the same run.

mod ecg;
mod figures;
mod house;
mod intake;
mod item;
mod ledger;
mod memory;
mod organizations;
mod peers;
mod verify;
mod writer;

pub use ecg::ecg;
pub use figures::Figures;
pub use intake::intake;
pub use ledger::{LedgerOptions, ledger};
pub use organizations::{OrganizationsOptions, organizations};
pub use verify::verify;
pub use writer::{Answer, Intent, Told, WriterTask, own_effect, own_subject, write};
