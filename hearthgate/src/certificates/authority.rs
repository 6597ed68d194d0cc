//! The home's own certificate authority: made on the gateway, known to the home's devices, good for the home alone.
//!
//! It can sign for the gateway's name, what stands under it, and private addresses, and for nothing else (RFC 5280
//! §4.2.1.10): whoever stole it could not play a bank. Its key stays in one file of the gateway's folder, for the
//! gateway's account alone, and is never printed.

use crate::lists::shelf::hex;
use agreements::Gateway;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Duration, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
};
use ring::digest::{SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use x509_parser::extensions::GeneralName;

/// For how long an authority is good: every device has to be told of a new one.
const AUTHORITY_DAYS: i64 = 10 * 365;
/// For how long a certificate of it is good. Nobody can take one back, so that it ends by itself soon.
pub(super) const LEAF_DAYS: i64 = 7;
/// Devices whose clock is a little behind take a new certificate too.
const BEHIND: i64 = 1;

/// Addresses that belong to nobody on the internet: private (RFC 1918, RFC 4193), link-local (RFC 3927, RFC 4291 §2.5.6),
/// shared (RFC 6598), and this machine's own.
const PRIVATE: [(IpAddr, u8); 9] = [
    (v4(10, 0), 8),
    (v4(172, 16), 12),
    (v4(192, 168), 16),
    (v4(169, 254), 16),
    (v4(100, 64), 10),
    (v4(127, 0), 8),
    (v6(0xfc00), 7),
    (v6(0xfe80), 10),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

const fn v4(first: u8, second: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(first, second, 0, 0))
}

const fn v6(first: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0))
}

/// Why an authority cannot be used, in one sentence.
#[derive(Debug)]
pub(crate) struct Unusable(pub(super) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an authority says of itself, without its key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct About {
    /// The name that a device's settings show.
    pub(crate) name: String,
    /// SHA-256 over its certificate: what a device shows must be the same.
    pub(crate) fingerprint: String,
    /// Its first day.
    pub(crate) from: DateTime<Utc>,
    /// Its last day.
    pub(crate) until: DateTime<Utc>,
    /// The names that it can sign for, and what stands under them.
    pub(crate) names: Vec<String>,
    /// The networks that it can sign for.
    pub(crate) networks: Vec<String>,
}

/// The authority, with its key.
pub(crate) struct Authority {
    about: About,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    permitted: Vec<(IpAddr, IpAddr)>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("about", &self.about).finish_non_exhaustive()
    }
}

impl Authority {
    /// Reads the authority's file; none when there is no file.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>, Unusable> {
        let told = |why: &dyn fmt::Display| Unusable(format!("`{}` cannot be used: {why}", file.display()));
        match fs::read(file) {
            Ok(pem) => Self::from_pem(&pem).map(Some).map_err(|why| told(&why)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    fn from_pem(pem: &[u8]) -> Result<Self, Unusable> {
        let no_certificate = |_| Unusable("there is no certificate in it".to_owned());
        let no_key = |_| Unusable("there is no key in it".to_owned());
        let certificate = CertificateDer::from_pem_slice(pem).map_err(no_certificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(no_key)?;
        let key = KeyPair::try_from(&key).map_err(|_| Unusable("its key cannot be read".to_owned()))?;
        Self::of(certificate, key)
    }

    fn of(certificate: CertificateDer<'static>, key: KeyPair) -> Result<Self, Unusable> {
        let wrong = |what: &str| Unusable(what.to_owned());
        let (about, permitted) = {
            let (_, read) = x509_parser::parse_x509_certificate(&certificate)
                .map_err(|_| wrong("its certificate cannot be read"))?;
            if !read.is_ca() {
                return Err(wrong("its certificate is no authority's"));
            }
            if read.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
                return Err(wrong("its key belongs to another certificate"));
            }
            about(&certificate, &read)
        };
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .map_err(|_| wrong("its certificate is none that can sign"))?;
        Ok(Self { about, certificate, issuer, permitted })
    }

    /// Makes an authority for a gateway. Nothing is written yet.
    pub(crate) fn make(gateway: &Gateway, now: DateTime<Utc>) -> Result<Self, Unusable> {
        let failed = |error: rcgen::Error| Unusable(format!("no authority can be made: {error}"));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::default();
        // The certificate is shown to whoever connects, so that it names no home. Two gateways' are told apart all the same.
        let own = hex(&digest(&SHA256, key.public_key_raw()).as_ref()[..3]);
        params.distinguished_name.push(DnType::CommonName, format!("Hearthgate local CA {own}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        live(&mut params, now, AUTHORITY_DAYS);
        let networks = PRIVATE.iter().chain(&gateway.home_network);
        let mut permitted = vec![GeneralSubtree::DnsName(gateway.name.as_str().to_owned())];
        permitted.extend(networks.map(|(address, length)| {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, *length))
        }));
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
        let certificate = params.self_signed(&key).map_err(failed)?;
        Self::of(certificate.der().clone(), key)
    }

    /// Writes it into its file, readable by this account alone, where there is none yet. Whether it was written.
    pub(crate) fn keep_first(&self, file: &Path) -> io::Result<bool> {
        let made = self.written_beside(file)?;
        let linked = fs::hard_link(&made, file);
        fs::remove_file(&made)?;
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes it into its file in place of another.
    pub(crate) fn keep(&self, file: &Path) -> io::Result<()> {
        fs::rename(self.written_beside(file)?, file)
    }

    fn written_beside(&self, file: &Path) -> io::Result<std::path::PathBuf> {
        let beside = file.with_extension(format!("{}.new", std::process::id()));
        let _from_one_that_was_killed = fs::remove_file(&beside);
        let mut open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        open.write_all(self.issuer.key().serialize_pem().as_bytes())?;
        open.write_all(self.certificate_pem().as_bytes())?;
        open.sync_all()?;
        Ok(beside)
    }

    /// What it says of itself.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Its certificate, for devices: PEM (RFC 7468).
    pub(crate) fn certificate_pem(&self) -> String {
        let base64 = STANDARD.encode(&self.certificate);
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// Its certificate as bytes (DER).
    pub(crate) fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// Whether it can sign for a name of the gateway's.
    pub(crate) fn covers(&self, name: &str) -> bool {
        let is_under = |zone: &str| name.strip_suffix(zone).is_some_and(|s| s.is_empty() || s.ends_with('.'));
        self.about.names.iter().any(|zone| is_under(zone))
    }

    /// Whether it can sign for an address.
    fn permits(&self, address: IpAddr) -> bool {
        self.permitted.iter().any(|&(network, mask)| match (network, mask, address) {
            (IpAddr::V4(n), IpAddr::V4(m), IpAddr::V4(a)) => {
                n.to_bits() & m.to_bits() == a.to_bits() & m.to_bits()
            }
            (IpAddr::V6(n), IpAddr::V6(m), IpAddr::V6(a)) => {
                n.to_bits() & m.to_bits() == a.to_bits() & m.to_bits()
            }
            _ => false,
        })
    }

    /// A certificate for the gateway's name, the tokens under it, and the address that it was reached at.
    pub(super) fn leaf(
        &self,
        name: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<CertifiedKey, Unusable> {
        let failed = |error: rcgen::Error| Unusable(format!("no certificate can be made: {error}"));
        let mut params =
            CertificateParams::new(vec![name.to_owned(), format!("*.{name}")]).map_err(failed)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names.extend(address.filter(|a| self.permits(*a)).map(SanType::IpAddress));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        live(&mut params, now, LEAF_DAYS);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key)
            .map_err(|error| Unusable(format!("no certificate can be made: {error}")))?;
        // The authority goes with it: a device that knows its fingerprint alone can look.
        Ok(CertifiedKey::new(vec![signed.der().clone(), self.certificate.clone()], key))
    }
}

/// It is good from the day before now, for so many days.
fn live(params: &mut CertificateParams, now: DateTime<Utc>, days: i64) {
    // Months and days of a date fit.
    let day = |at: DateTime<Utc>| rcgen::date_time_ymd(at.year(), at.month() as u8, at.day() as u8);
    params.not_before = day(now - Duration::days(BEHIND));
    params.not_after = day(now + Duration::days(days));
}

type Networks = Vec<(IpAddr, IpAddr)>;

fn about(der: &[u8], read: &x509_parser::certificate::X509Certificate<'_>) -> (About, Networks) {
    let constraints = read.name_constraints().ok().flatten();
    let permitted = constraints.and_then(|c| c.value.permitted_subtrees.as_ref());
    let (mut names, mut networks) = (Vec::new(), Vec::new());
    for subtree in permitted.into_iter().flatten() {
        match &subtree.base {
            GeneralName::DNSName(name) => names.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => networks.extend(network(bytes)),
            _ => {}
        }
    }
    let name = read.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let about = About {
        name: name.unwrap_or("without a name").to_owned(),
        fingerprint: fingerprint(der),
        from: instant(read.validity().not_before.timestamp()),
        until: instant(read.validity().not_after.timestamp()),
        names,
        networks: networks.iter().map(in_words).collect(),
    };
    (about, networks)
}

/// Network and mask of a constraint (RFC 5280 §4.2.1.10).
fn network(bytes: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    match bytes.len() {
        8 => Some((<[u8; 4]>::try_from(address).ok()?.into(), <[u8; 4]>::try_from(mask).ok()?.into())),
        32 => Some((<[u8; 16]>::try_from(address).ok()?.into(), <[u8; 16]>::try_from(mask).ok()?.into())),
        _ => None,
    }
}

fn in_words((network, mask): &(IpAddr, IpAddr)) -> String {
    let length = match mask {
        IpAddr::V4(mask) => mask.to_bits().count_ones(),
        IpAddr::V6(mask) => mask.to_bits().count_ones(),
    };
    format!("{network}/{length}")
}

/// The last instant of a certificate.
pub(super) fn until(certificate: &CertificateDer<'_>) -> Option<DateTime<Utc>> {
    let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(instant(read.validity().not_after.timestamp()))
}

fn instant(timestamp: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(timestamp, 0).unwrap_or_default()
}

/// SHA-256 over a certificate, as devices show it.
fn fingerprint(der: &[u8]) -> String {
    let bytes = digest(&SHA256, der);
    bytes.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
