//! Who may reach what. The only place where a handle to an organization's data is made.

mod scope;

pub use scope::*;
