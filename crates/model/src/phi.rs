//! Protected health information that cannot print itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An opened value that identifies or describes a person.
///
/// `Debug` shows only the type's name and `Display` does not exist, so the value cannot reach a log,
/// an error or a metric by accident. Code that must use the value says so with [`Phi::reveal`].
/// Serialization is transparent: it happens only where values are sealed or answered to an
/// authorized reader.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The caller answers for where it goes.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Phi<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phi(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phi_value_does_not_print_itself() {
        let name = Phi::new(String::from("Noether"));
        assert_eq!(format!("{name:?}"), "Phi(…)");
        assert_eq!(format!("{:?}", Some(&name)), "Some(Phi(…))");
    }
}
