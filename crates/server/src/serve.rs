//! Listening, TLS, and an end that loses nothing: no new connection is taken, requests under way are
//! finished, and an upload is acknowledged or was never there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use precordia_app::Stop;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tracing::info;

/// PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate first, then those above it.
    pub certificates: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("could not read {what} from `{}`", path.display())]
    Pem {
        what: &'static str,
        path: PathBuf,
        #[source]
        cause: rustls::pki_types::pem::Error,
    },
    #[error("there is no certificate in `{}`", path.display())]
    NoCertificate { path: PathBuf },
    #[error("the certificate and the key do not make a TLS server")]
    Tls(#[source] rustls::Error),
    #[error("could not serve on the socket")]
    Socket(#[source] std::io::Error),
}

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long requests under way may take to end when the program stops.
const END_TIME: Duration = Duration::from_secs(30);
/// Numbers of a histogram are put into their buckets at least so often, whether anybody reads them or not.
const METRICS_EVERY: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsFiles>,
    stop: Stop,
) -> Result<(), ServeError> {
    let config = tls.as_ref().map(tls_config).transpose()?;
    let listener = listener.into_std().map_err(ServeError::Socket)?;
    let handle = Handle::new();
    let mut helpers = tokio::task::JoinSet::new();
    helpers.spawn(end(handle.clone(), stop));
    helpers.spawn(keep_metrics());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = match config {
        Some(config) => {
            let mut server =
                axum_server::from_tcp_rustls(listener, config).map_err(ServeError::Socket)?;
            bound(server.http_builder());
            server.handle(handle).serve(service).await
        }
        None => {
            let mut server = axum_server::from_tcp(listener).map_err(ServeError::Socket)?;
            bound(server.http_builder());
            server.handle(handle).serve(service).await
        }
    };
    helpers.abort_all();
    info!("no request is under way any more");
    served.map_err(ServeError::Socket)
}

type Builder = hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>;

fn bound(builder: &mut Builder) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(64 * 1024);
}

async fn end(handle: Handle<SocketAddr>, stop: Stop) {
    stop.listen().wait().await;
    info!(connections = handle.connection_count(), "taking no new connection");
    handle.graceful_shutdown(Some(END_TIME));
    std::future::pending::<()>().await;
}

async fn keep_metrics() {
    let handle = crate::install_metrics();
    let mut every = tokio::time::interval(METRICS_EVERY);
    loop {
        every.tick().await;
        handle.run_upkeep();
    }
}

fn tls_config(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    let pem = |what, path: &PathBuf| {
        let path = path.clone();
        move |cause| ServeError::Pem { what, path, cause }
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem("certificates", &files.certificates))?;
    if certificates.is_empty() {
        return Err(ServeError::NoCertificate { path: files.certificates.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(pem("the key", &files.key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(ServeError::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
