//! Who may reach what. The only place where a handle to an organization's data is made.

mod reading;
mod scope;
mod session;
mod still;
mod throttle;

pub use reading::*;
pub use scope::*;
pub use session::*;
pub(crate) use throttle::{ACCOUNT, PEER, SETUP, Throttle};
