//! What every handler can reach.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use precordia_app::{App, Stop, Stopping};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::host::Hosts;
use crate::proxy::{Network, Proxies};
use crate::session::DemoSignIn;
use crate::turns::Turns;
use crate::web::WebAssets;

/// What the program tells the server when it starts it.
pub struct ServerOptions {
    pub app: App,
    /// Whether this server speaks TLS itself.
    pub tls: bool,
    /// Whether it listens on a loopback address only; then no other host name is answered.
    pub loopback: bool,
    /// Where users find it, if not at the address it listens on: `https://ecg.example.org`.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Sign-ins that the demo shows; `None` everywhere else.
    pub demo: Option<Vec<DemoSignIn>>,
    pub software_version: &'static str,
    /// The day this software was made, `YYYY-MM-DD`.
    pub software_date: &'static str,
    pub web: Arc<dyn WebAssets>,
    pub metrics: PrometheusHandle,
    /// Lets a collector read the metrics, and an operator their page, from another machine.
    pub metrics_token: Option<Zeroizing<String>>,
    pub stop: Stop,
}

/// Uploads at once, half of them of one organization; more wait.
const UPLOADS_MAX: usize = 64;
/// Requests at once; more are turned away.
const REQUESTS_MAX: usize = 1024;
/// Open pages that listen for changes, half of them of one organization.
const LISTENERS_MAX: usize = 1024;

#[derive(Clone)]
pub(crate) struct Server(Arc<Inner>);

pub(crate) struct Inner {
    pub app: App,
    pub tls: bool,
    pub hosts: Hosts,
    pub proxies: Proxies,
    pub demo: Option<Vec<DemoSignIn>>,
    pub software_version: &'static str,
    pub software_date: &'static str,
    pub web: Arc<dyn WebAssets>,
    pub metrics: PrometheusHandle,
    pub metrics_token: Option<Zeroizing<String>>,
    pub stopping: Stopping,
    pub uploads: Turns,
    pub requests: Semaphore,
    pub listeners: Turns,
}

impl std::ops::Deref for Server {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Server {
    pub fn new(options: ServerOptions) -> Self {
        Self(Arc::new(Inner {
            hosts: Hosts::new(options.loopback, options.public_url.as_deref()),
            proxies: Proxies::new(options.trusted_proxies),
            app: options.app,
            tls: options.tls,
            demo: options.demo,
            software_version: options.software_version,
            software_date: options.software_date,
            web: options.web,
            metrics: options.metrics,
            metrics_token: options.metrics_token,
            stopping: options.stop.listen(),
            uploads: Turns::new(UPLOADS_MAX),
            requests: Semaphore::new(REQUESTS_MAX),
            listeners: Turns::new(LISTENERS_MAX),
        }))
    }

    /// Whether a browser reaches us over TLS, by ourselves or by a proxy before us.
    pub fn is_secure(&self) -> bool {
        self.tls || self.hosts.public_is_https()
    }
}
