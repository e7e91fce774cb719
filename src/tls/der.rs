//! What larder wants to know of a certificate (RFC 5280, 4.1), read from its DER. Believes nothing: whoever
//! trusts a certificate verifies it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `SEQUENCE`, of anything.
const SEQUENCE: u8 = 0x30;
/// SET, of anything.
const SET: u8 = 0x31;
/// INTEGER.
const INTEGER: u8 = 0x02;
/// `OBJECT IDENTIFIER`.
const IDENTIFIER: u8 = 0x06;
/// `OCTET STRING`.
const OCTETS: u8 = 0x04;
/// BOOLEAN.
const BOOLEAN: u8 = 0x01;
/// A `UTF8String`.
const TEXT: u8 = 0x0c;
/// `UTCTime`: the year has two digits.
const TIME: u8 = 0x17;
/// `GeneralizedTime`: the year has four.
const LONG_TIME: u8 = 0x18;
/// The version of a certificate, and the permitted subtrees of name constraints.
const FIRST: u8 = 0xa0;
/// The extensions of a certificate.
const FOURTH: u8 = 0xa3;
/// A DNS name among the kinds of names (RFC 5280, 4.2.1.6).
const DNS_NAME: u8 = 0x82;

/// 2.5.4.3, the common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.30, the name constraints.
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];

/// What stands in a certificate.
pub struct Facts<'a> {
    /// The common name of who vouches for it; nothing where there is none alone.
    pub issuer: Option<&'a str>,
    /// Its own common name, likewise.
    pub subject: Option<&'a str>,
    /// The first second in which it holds, since 1970.
    pub begins: i64,
    /// The last one.
    pub ends: i64,
    /// The whole public key, as `SubjectPublicKeyInfo` without its head.
    pub key: &'a [u8],
    /// What its extensions are.
    extensions: &'a [u8],
}

/// Reads a certificate; nothing where it is none.
pub fn facts(der: &[u8]) -> Option<Facts<'_>> {
    let mut whole = Values(der);
    let mut certificate = Values(whole.inner(SEQUENCE)?);
    let mut signed = Values(certificate.inner(SEQUENCE)?);
    let _version = signed.inner(FIRST)?;
    let _serial = signed.inner(INTEGER)?;
    let _algorithm = signed.inner(SEQUENCE)?;
    let issuer = common_name(signed.inner(SEQUENCE)?);
    let mut validity = Values(signed.inner(SEQUENCE)?);
    let (begins, ends) = (time(validity.next()?)?, time(validity.next()?)?);
    let subject = common_name(signed.inner(SEQUENCE)?);
    let key = signed.inner(SEQUENCE)?;
    // Unique identifiers, which nobody has, would stand between.
    let extensions = signed.inner(FOURTH).and_then(|inner| Values(inner).inner(SEQUENCE));
    Some(Facts { issuer, subject, begins, ends, key, extensions: extensions.unwrap_or_default() })
}

impl<'a> Facts<'a> {
    /// The DNS names below which it may vouch for names; none where it says nothing about that.
    pub fn permitted_domains(&self) -> Vec<&'a str> {
        let Some(permitted) = self.permitted() else { return Vec::new() };
        let base = |(_, subtree): (u8, &'a [u8])| Values(subtree).inner(DNS_NAME);
        Values(permitted).filter_map(base).filter_map(text).collect()
    }

    /// The permitted subtrees.
    fn permitted(&self) -> Option<&'a [u8]> {
        let constraints = Values(self.extensions).find_map(|(_, extension)| {
            let mut extension = Values(extension);
            let is_it = extension.inner(IDENTIFIER)? == NAME_CONSTRAINTS;
            let _is_critical = extension.inner(BOOLEAN);
            is_it.then(|| extension.inner(OCTETS)).flatten()
        })?;
        Values(Values(constraints).inner(SEQUENCE)?).inner(FIRST)
    }
}

/// The common name in a name that consists of nothing else.
fn common_name(name: &[u8]) -> Option<&str> {
    let mut parts = Values(name);
    let mut attribute = Values(Values(parts.inner(SET)?).inner(SEQUENCE)?);
    let is_it = attribute.inner(IDENTIFIER)? == COMMON_NAME && parts.0.is_empty();
    attribute.inner(TEXT).filter(|_| is_it).and_then(text)
}

/// Bytes that are text.
fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

/// A time, as seconds since 1970.
fn time((tag, bytes): (u8, &[u8])) -> Option<i64> {
    let digits = text(bytes)?.strip_suffix('Z')?;
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i8>().ok();
    let (year, rest) = match tag {
        // RFC 5280, 4.1.2.5.1: from 1950 to 2049.
        TIME => (i16::from(number(0..2)?), 2),
        LONG_TIME => (digits.get(..4)?.parse().ok()?, 4),
        _ => return None,
    };
    let year = if tag == LONG_TIME { year } else { year + if year < 50 { 2000 } else { 1900 } };
    let two = |at: usize| number(rest + 2 * at..rest + 2 * at + 2);
    let date = Date::new(year, two(0)?, two(1)?).ok()?;
    let hour = two(2)?;
    let (minute, second) = (two(3)?, two(4)?);
    let is_real = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let moment = is_real.then(|| date.at(hour, minute, second, 0))?;
    TimeZone::UTC.to_timestamp(moment).ok().map(jiff::Timestamp::as_second)
}

/// Values of DER, one behind the other (X.690, 8.1).
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The content of the next one if it has this tag; else nothing is taken.
    fn inner(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = self.0;
        match self.next() {
            Some((found, content)) if found == tag => Some(content),
            _ => {
                self.0 = before;
                None
            }
        }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        let (length, rest) = match usize::from(*first) {
            short @ ..=0x7f => (short, rest),
            // As many bytes of length follow; nothing that is read here is longer than two tell.
            long @ 0x81..=0x82 => {
                let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, GeneralSubtree, KeyPair, NameConstraints};

    /// A certificate with these ends.
    fn certificate(years: (i32, i32)) -> (Vec<u8>, KeyPair) {
        let mut wanted = CertificateParams::new(vec!["a.local".to_owned()]).unwrap();
        wanted.distinguished_name = rcgen::DistinguishedName::new();
        wanted.distinguished_name.push(DnType::CommonName, "larder on nas, 0123abcd");
        wanted.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(years.1, 12, 31);
        wanted.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let dns = |name: &str| GeneralSubtree::DnsName(name.to_owned());
        let ip = GeneralSubtree::IpAddress(rcgen::CidrSubnet::from_v4_prefix([10, 0, 0, 0], 8));
        wanted.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![dns("local"), ip, dns("home.arpa")],
            excluded_subtrees: vec![dns("com")],
        });
        let key = KeyPair::generate().unwrap();
        (wanted.self_signed(&key).unwrap().der().to_vec(), key)
    }

    #[test]
    fn a_certificate_is_read() {
        let (der, key) = certificate((2024, 2049));
        let found = facts(&der).unwrap();
        assert_eq!(found.subject, Some("larder on nas, 0123abcd"));
        assert_eq!(found.issuer, found.subject);
        assert_eq!(found.permitted_domains(), ["local", "home.arpa"]);
        assert_eq!((found.begins, found.ends), (1_704_067_200, 2_524_521_600));
        let whole = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert!(whole.ends_with(found.key) && whole.len() - found.key.len() <= 3);
    }

    #[test]
    fn years_from_2050_on_are_written_longer() {
        let (der, _) = certificate((2049, 2050));
        let found = facts(&der).unwrap();
        assert_eq!((found.begins, found.ends), (2_493_072_000, 2_556_057_600));
    }

    #[test]
    fn whatever_is_cut_off_or_turned_around_is_none_or_read_and_nothing_breaks() {
        let (der, _) = certificate((2024, 2049));
        for length in 0..der.len() {
            assert!(facts(&der[..length]).is_none(), "{length}");
        }
        for at in 0..der.len() {
            for change in [0x80, 0xff, 0x01] {
                let mut other = der.clone();
                other[at] ^= change;
                let _whatever = facts(&other).map(|found| found.permitted_domains().len());
            }
        }
    }
}
