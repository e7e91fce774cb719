//! What larder wants to know of a certificate (RFC 5280, 4.1), read from its DER. Believes nothing: whoever
//! trusts a certificate verifies it.

use yasna::models::{ObjectIdentifier, TaggedDerValue};
use yasna::tags::{TAG_UTCTIME, TAG_UTF8STRING};
use yasna::{ASN1Result, BERReader, BERReaderSeq, Tag, parse_der};

/// 2.5.4.3, the common name.
const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
/// 2.5.29.30, the name constraints.
const NAME_CONSTRAINTS: &[u64] = &[2, 5, 29, 30];

/// What stands in a certificate.
pub struct Facts {
    /// The common name of who vouches for it; nothing where there is none alone.
    pub issuer: Option<String>,
    /// Its own common name, likewise.
    pub subject: Option<String>,
    /// The first second in which it holds, since 1970.
    pub begins: i64,
    /// The last one.
    pub ends: i64,
    /// The public key, as `SubjectPublicKeyInfo`.
    pub key: Vec<u8>,
    /// The DNS names below which it may vouch for names; none where it says nothing about that.
    pub permitted_domains: Vec<String>,
}

/// Reads a certificate; nothing where it is none.
pub fn facts(der: &[u8]) -> Option<Facts> {
    let certificate = |whole: &mut BERReaderSeq<'_, '_>| {
        let facts = whole.next().read_sequence(signed)?;
        let _algorithm = whole.next().read_der()?;
        let _signature = whole.next().read_der()?;
        Ok(facts)
    };
    parse_der(der, |reader| reader.read_sequence(certificate)).ok()
}

/// What is signed.
fn signed(values: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Facts> {
    let _version = values.next().read_tagged(Tag::context(0), any)?;
    let _serial = values.next().read_der()?;
    let _algorithm = values.next().read_der()?;
    let issuer = common_name(values.next())?;
    let (begins, ends) =
        values.next().read_sequence(|values| Ok((time(values.next())?, time(values.next())?)))?;
    let subject = common_name(values.next())?;
    let key = values.next().read_der()?;
    // Unique identifiers, which nobody has, would stand between.
    let extensions = values
        .read_optional(|all| {
            all.read_tagged(Tag::context(3), |all| all.collect_sequence_of(extension))
        })?
        .unwrap_or_default();
    let constraints = extensions.iter().find(|(of, _)| of.components() == NAME_CONSTRAINTS);
    let permitted_domains = match constraints {
        Some((_, constraints)) => parse_der(constraints, permitted)?,
        None => Vec::new(),
    };
    Ok(Facts { issuer, subject, begins, ends, key, permitted_domains })
}

/// The common name in a name that consists of nothing else.
fn common_name(name: BERReader<'_, '_>) -> ASN1Result<Option<String>> {
    let attribute = |attribute: BERReader<'_, '_>| {
        attribute.read_sequence(|values| {
            Ok((values.next().read_oid()?, values.next().read_tagged_der()?))
        })
    };
    let parts = name.collect_sequence_of(|part| part.collect_set_of(attribute))?;
    let [part] = parts.as_slice() else { return Ok(None) };
    let [(of, value)] = part.as_slice() else { return Ok(None) };
    let is_it = of.components() == COMMON_NAME && value.tag() == TAG_UTF8STRING;
    Ok(text(value).filter(|_| is_it))
}

/// What an extension is called, and what is in it.
fn extension(extension: BERReader<'_, '_>) -> ASN1Result<(ObjectIdentifier, Vec<u8>)> {
    extension.read_sequence(|values| {
        let of = values.next().read_oid()?;
        let _is_critical = values.read_default(false, flag)?;
        Ok((of, values.next().read_bytes()?))
    })
}

/// The DNS names in the permitted subtrees of name constraints (RFC 5280, 4.2.1.10).
fn permitted(constraints: BERReader<'_, '_>) -> ASN1Result<Vec<String>> {
    let base = |subtree: BERReader<'_, '_>| {
        subtree.read_sequence(|values| {
            let base = values.next().read_tagged_der()?;
            for _minimum_and_maximum in 0..2 {
                values.read_optional(any)?;
            }
            Ok(base)
        })
    };
    let subtrees = constraints.read_sequence(|values| {
        let permitted = values.read_optional(|all| {
            all.read_tagged_implicit(Tag::context(0), |all| all.collect_sequence_of(base))
        })?;
        let _excluded = values.read_optional(any)?;
        Ok(permitted.unwrap_or_default())
    })?;
    let names = subtrees.iter().filter(|base| base.tag() == Tag::context(2));
    Ok(names.filter_map(text).collect())
}

/// Yes or no.
fn flag(value: BERReader<'_, '_>) -> ASN1Result<bool> {
    value.read_bool()
}

/// A value, whatever it is.
fn any(value: BERReader<'_, '_>) -> ASN1Result<Vec<u8>> {
    value.read_der()
}

/// A value that is text.
fn text(value: &TaggedDerValue) -> Option<String> {
    str::from_utf8(value.value()).ok().map(str::to_owned)
}

/// A time, as seconds since 1970.
fn time(time: BERReader<'_, '_>) -> ASN1Result<i64> {
    if time.lookahead_tag()? == TAG_UTCTIME {
        return Ok(time.read_utctime()?.datetime().unix_timestamp());
    }
    Ok(time.read_generalized_time()?.datetime().unix_timestamp())
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
        assert_eq!(found.subject.as_deref(), Some("larder on nas, 0123abcd"));
        assert_eq!(found.issuer, found.subject);
        assert_eq!(found.permitted_domains, ["local", "home.arpa"]);
        assert_eq!((found.begins, found.ends), (1_704_067_200, 2_524_521_600));
        assert_eq!(found.key, rcgen::PublicKeyData::subject_public_key_info(&key));
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
                let _whatever = facts(&other).map(|found| found.permitted_domains.len());
            }
        }
    }
}
