//! What a local password must be (NIST SP 800-63B section 3.1.1: length over composition).

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    #[error("the password is shorter than {LENGTH_MIN} characters")]
    TooShort,
    #[error("the password is longer than {LENGTH_MAX} characters")]
    TooLong,
    #[error("the password contains the user name")]
    ContainsUserName,
}

pub const LENGTH_MIN: usize = 12;
/// Bounds the cost of hashing.
pub const LENGTH_MAX: usize = 256;

pub fn acceptable(password: &str, user_name: &str) -> Result<(), PasswordRefusal> {
    match () {
        () if password.chars().count() < LENGTH_MIN => Err(PasswordRefusal::TooShort),
        () if password.chars().count() > LENGTH_MAX => Err(PasswordRefusal::TooLong),
        () if user_name.chars().count() >= 3
            && password.to_lowercase().contains(&user_name.to_lowercase()) =>
        {
            Err(PasswordRefusal::ContainsUserName)
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_decides_and_the_user_name_is_no_password() {
        assert_eq!(acceptable("correct horse", "ada"), Ok(()));
        assert_eq!(acceptable("short", "ada"), Err(PasswordRefusal::TooShort));
        assert_eq!(acceptable(&"ü".repeat(256), "ada"), Ok(()));
        assert_eq!(acceptable(&"ü".repeat(257), "ada"), Err(PasswordRefusal::TooLong));
        assert_eq!(
            acceptable("Lovelace-Lovelace", "lovelace"),
            Err(PasswordRefusal::ContainsUserName)
        );
    }
}
