//! A server with a certificate of its own authority: the AWS stub behind TLS. Both certificates are valid until 2120.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The authority that issued the server's certificate.
pub(super) const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBVDCB+6ADAgECAgEBMAoGCCqGSM49BAMCMBkxFzAVBgNVBAMMDmNyZWRsZW5z
IHRlc3RzMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAZMRcwFQYD
VQQDDA5jcmVkbGVucyB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF89
ULiq9Sv+QiNHSncDkqA0ggAORpb8JNwDuKcRDg4Qxk1cjZRTVMLxULt2P3/x2o3+
cZ/rsYwRUydDkyVwp02jMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFDBB
+vr0/s3g2mYEV1Q+Z6ZuktOiMAoGCCqGSM49BAMCA0gAMEUCIQCcig8fa2qa5zN8
X9p3Gqw4sOyxkr2/YU0ss4tUjJJyIgIgJ5eqnjjEKX/JuiUUmoVp289sCmaWGpxn
/mX4IvczdNk=
-----END CERTIFICATE-----
";

/// Another authority.
pub(super) const ANOTHER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBWjCCAQGgAwIBAgIBAjAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFhbm90aGVy
IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHDEa
MBgGA1UEAwwRYW5vdGhlciBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAASbWeZvo2b5Y9yxQSWqPM6GaFVKl0OcWuIEV20hX00HUa7T9QSacw037sdF
CToiBh7JDDeogS4QHX90tx6fFelKozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1Ud
DgQWBBRlSGR5hUwzxn9uS5Ft+1VGQeC1PjAKBggqhkjOPQQDAgNHADBEAiA8nbsi
H/PahZaeNen4Vdg9OP4PVyBm8obcAUFKXf5ZNQIgDbvkRTD40RttC12YY26KAfjk
Q2+zDUDgVUJL2pMi2j4=
-----END CERTIFICATE-----
";

/// The certificate of 127.0.0.1.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIBAzAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5jcmVkbGVu
cyB0ZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAG
A1UEAwwJMTI3LjAuMC4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEbCeftAQ
d8X+oDS1UktYXdMJusJMLr/libBx5ZXNKHmczSWWoCIFKJOuuODyiVlBsaRrpnFk
OdGm5E5vm+dMTqNzMHEwDwYDVR0RBAgwBocEfwAAATATBgNVHSUEDDAKBggrBgEF
BQcDATAJBgNVHRMEAjAAMB0GA1UdDgQWBBR7dHRYOukTHoPNXKSyF6N5+ZIXsDAf
BgNVHSMEGDAWgBQwQfr69P7N4NpmBFdUPmembpLTojAKBggqhkjOPQQDAgNIADBF
AiB5HmPcxjr4urjomRbcgWMEhD6PDlmD1pZp2MfpvZhQiQIhALchsX11vmps+q+b
NT0zxGqrlVGyp0/sm/r3iHdirOLy
-----END CERTIFICATE-----
";

/// Its key, which is used nowhere else.
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUpeNZ9xjm1+BbeDA
OFexK651/44Tnn0l51V+yjhXWe2hRANCAAQRsJ5+0BB3xf6gNLVSS1hd0wm6wkwu
v+WJsHHllc0oeZzNJZagIgUok6644PKJWUGxpGumcWQ50abkTm+b50xO
-----END PRIVATE KEY-----
";

/// A running server; it ends with the test.
pub(super) struct TlsServer {
    pub(super) url: String,
    handshakes: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Hands requests over to the server at this `http://` address.
    pub(super) fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            handshakes: Arc::default(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap(),
            );
        let config = Arc::new(config.unwrap());
        let (handshakes, behind) = (Arc::clone(&server.handshakes), url.replace("http://", ""));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                handshakes.fetch_add(1, Ordering::Relaxed);
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let behind = behind.clone();
                std::thread::spawn(move || serve(StreamOwned::new(connection, stream), &behind));
            }
        });
        server
    }

    /// The connections since the last call of this.
    pub(super) fn connections(&self) -> usize {
        self.handshakes.swap(0, Ordering::Relaxed)
    }
}

fn serve(stream: StreamOwned<ServerConnection, TcpStream>, behind: &str) {
    let mut client = BufReader::new(stream);
    let mut server = BufReader::new(TcpStream::connect(behind).unwrap());
    while let Some(request) = message(&mut client) {
        server.get_mut().write_all(&request).unwrap();
        let Some(response) = message(&mut server) else {
            return;
        };
        if client.get_mut().write_all(&response).is_err() {
            return;
        }
    }
}

/// Head and body of an HTTP message; none at the end, or where the handshake failed.
fn message(reader: &mut BufReader<impl Read>) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        bytes.extend_from_slice(&line);
        let line = String::from_utf8(line).ok()?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}
