//! Where a link leads: checked once, when it is configured.
//!
//! What leaves this machine travels by TLS. An alarm names no person, but it says where a house is weak.

use std::net::IpAddr;

use ureq::http::Uri;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("this is not an address of the form https://host/path")]
    NotAnAddress,
    #[error("a user name or password does not belong into an address; requests are signed instead")]
    UserInAddress,
    #[error("only https leaves this machine; http is for a loopback address")]
    InTheClear,
}

/// Where a webhook is posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAddress(pub(crate) Uri);

impl WebhookAddress {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError::NotAnAddress)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(AddressError::NotAnAddress);
        };
        match scheme {
            _ if authority.as_str().contains('@') => Err(AddressError::UserInAddress),
            "https" => Ok(Self(uri)),
            "http" if is_this_machine(authority.host()) => Ok(Self(uri)),
            "http" => Err(AddressError::InTheClear),
            _ => Err(AddressError::NotAnAddress),
        }
    }
}

/// How a connection to a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS by STARTTLS, and nothing without it (port 587).
    StartTls,
    /// For a mail server on this machine.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
}

impl MailServer {
    pub fn new(host: &str, port: Option<u16>, security: Security) -> Result<Self, AddressError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(AddressError::NotAnAddress);
        }
        if security == Security::None && !is_this_machine(host) {
            return Err(AddressError::InTheClear);
        }
        let port = port.unwrap_or(match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        });
        Ok(Self { host: host.to_owned(), port, security })
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_this_machine_in_the_clear() {
        for good in ["https://ops.example.org/hook?a=b", "http://127.0.0.1:9/x", "http://[::1]:9/"]
        {
            assert!(WebhookAddress::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://ops.example.org/hook", AddressError::InTheClear),
            ("http://127.0.0.1.example.org/", AddressError::InTheClear),
            ("https://ops:secret@example.org/", AddressError::UserInAddress),
            ("http://127.0.0.1@example.org/", AddressError::UserInAddress),
            ("ftp://example.org/", AddressError::NotAnAddress),
            ("/hook", AddressError::NotAnAddress),
            ("", AddressError::NotAnAddress),
        ] {
            assert_eq!(WebhookAddress::parse(bad), Err(why), "{bad}");
        }
        let server = |host, security| MailServer::new(host, None, security).map(|one| one.port);
        assert_eq!(server("mail.example.org", Security::StartTls), Ok(587));
        assert_eq!(server("mail.example.org", Security::Tls), Ok(465));
        assert_eq!(server("localhost", Security::None), Ok(25));
        assert_eq!(server("mail.example.org", Security::None), Err(AddressError::InTheClear));
        assert_eq!(server("mail example", Security::Tls), Err(AddressError::NotAnAddress));
    }
}
