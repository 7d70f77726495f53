//! Whose certificates are trusted: those of a file, or the machine's.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::channels::LinkError;

/// DER certificates of a PEM file; there is at least one.
pub(crate) fn of_file(file: &Path) -> Result<Vec<Vec<u8>>, LinkError> {
    let unreadable = |detail: &str| LinkError::Certificates {
        file: file.display().to_string(),
        detail: detail.to_owned(),
    };
    let pem = CertificateDer::pem_file_iter(file).map_err(|_| unreadable("it cannot be read"))?;
    let mut all = Vec::new();
    for certificate in pem {
        all.push(certificate.map_err(|_| unreadable("it is not PEM"))?.as_ref().to_vec());
    }
    if all.is_empty() { Err(unreadable("it holds no certificate")) } else { Ok(all) }
}

/// Those that the machine's administrator trusts; broken ones are left out.
pub(crate) fn of_machine() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|certificate| certificate.as_ref().to_vec()).collect()
}
