//! Which names we answer to. A page of another site could point its own name at this machine's loopback
//! address and would then be the same origin as we are (DNS rebinding); so a server on loopback answers
//! to the names of loopback and to the one it was configured with, and to no other.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Failure;
use crate::state::Server;

pub(crate) struct Hosts {
    loopback: bool,
    public: Option<Public>,
}

struct Public {
    /// Without a slash at the end.
    url: String,
    authority: String,
    https: bool,
}

impl Hosts {
    pub fn new(loopback: bool, public_url: Option<&str>) -> Self {
        let public = public_url.and_then(|url| {
            let url = url.trim_end_matches('/');
            let uri: Uri = url.parse().ok()?;
            let authority = uri.authority()?.as_str().to_ascii_lowercase();
            Some(Public {
                https: uri.scheme_str() == Some("https"),
                url: url.to_owned(),
                authority,
            })
        });
        Self { loopback, public }
    }

    pub fn public_is_https(&self) -> bool {
        self.public.as_ref().is_some_and(|public| public.https)
    }

    /// The address under which a client reached us, without a slash at the end.
    pub fn base_url(&self, tls: bool, host: Option<&str>) -> String {
        if let Some(public) = &self.public {
            return public.url.clone();
        }
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}", host.filter(|host| is_authority(host)).unwrap_or("localhost"))
    }

    pub fn answers_to(&self, host: Option<&str>) -> bool {
        let Some(host) = host.filter(|host| is_authority(host)) else { return false };
        let public =
            self.public.as_ref().is_some_and(|public| name_of(&public.authority) == name_of(host));
        public || !self.loopback || is_loopback(name_of(host))
    }

    /// Whether an `Origin` is the page that we served ourselves.
    pub fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let own = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
        let public = self
            .public
            .as_ref()
            .is_some_and(|public| public.authority.eq_ignore_ascii_case(authority));
        (scheme == "http" || scheme == "https") && (own || public)
    }
}

/// Refuses a request that was meant for another name (RFC 9110 section 15.5.20).
pub(crate) async fn guard(State(server): State<Server>, request: Request, next: Next) -> Response {
    if server.hosts.answers_to(of(&request)) {
        return next.run(request).await;
    }
    let detail = "this server does not answer to that host name";
    Failure::new(StatusCode::MISDIRECTED_REQUEST, "host", detail)
        .hint("use the address that the server printed when it started, or configure its public address")
        .into_response()
}

/// HTTP/2 names the host in the address, HTTP/1 in the header.
pub(crate) fn of(request: &Request) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => of_headers(request.headers()),
    }
}

pub(crate) fn of_headers(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(first)
}

fn is_authority(host: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    (1..=255).contains(&host.len()) && host.bytes().all(allowed)
}

/// The name without the port: `localhost:8480`, `[::1]:8480`.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_loopback_answers_to_loopback_and_to_its_configured_name() {
        let plain = Hosts::new(true, None);
        let configured = Hosts::new(true, Some("https://ecg.example.org/"));
        for (host, by_plain, by_configured) in [
            ("localhost", true, true),
            ("localhost:8480", true, true),
            ("LOCALHOST:8480", true, true),
            ("127.0.0.1:8480", true, true),
            ("127.9.9.9", true, true),
            ("[::1]:8480", true, true),
            ("ecg.example.org", false, true),
            ("ecg.example.org:443", false, true),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("127.0.0.1.evil.example:8480", false, false),
            ("192.168.1.5:8480", false, false),
            ("", false, false),
            ("a b", false, false),
        ] {
            assert_eq!(plain.answers_to(Some(host)), by_plain, "{host}");
            assert_eq!(configured.answers_to(Some(host)), by_configured, "{host}");
        }
        assert!(!plain.answers_to(None));
        assert!(Hosts::new(false, None).answers_to(Some("anything.example")));
    }

    #[test]
    fn only_our_own_page_is_our_own_origin() {
        let hosts = Hosts::new(true, Some("https://ecg.example.org"));
        for (origin, own) in [
            ("http://localhost:8480", true),
            ("https://ecg.example.org", true),
            ("http://localhost:9999", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
            ("file://localhost:8480", false),
        ] {
            assert_eq!(hosts.is_own_origin(origin, Some("localhost:8480")), own, "{origin}");
        }
    }

    #[test]
    fn links_name_the_configured_address_or_the_one_that_was_used() {
        let configured = Hosts::new(false, Some("https://ecg.example.org/"));
        assert_eq!(configured.base_url(false, Some("10.0.0.1")), "https://ecg.example.org");
        let plain = Hosts::new(true, None);
        assert_eq!(plain.base_url(false, Some("localhost:8480")), "http://localhost:8480");
        assert_eq!(plain.base_url(true, Some("a\"b")), "https://localhost");
    }
}
