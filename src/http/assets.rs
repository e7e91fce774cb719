//! The pages, as the program carries them: found by path, in the encoding the client likes best.
//! The table is made by the build script (`web/embed.rs`). Knows no request and no reply.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::error::{Error, Result};
use crate::http::coding::Encoding;

/// What the pages may load and do: only what larder itself serves, and no script or style in the
/// markup. `data:` and `blob:` are for pictures the page made itself (a preview, a poster).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; \
     style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; frame-src 'self'; \
     manifest-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// One file of the pages.
pub struct Asset {
    /// Relative to `/web/`, e.g. `index.html` or `assets/files-Dk3x.js`.
    pub path: &'static str,
    /// The `Content-Type`, with its charset where it has one.
    pub mime: &'static str,
    /// The name carries a hash of the content, so a client may keep it without asking again.
    pub is_immutable: bool,
    /// The plain form, and each compressed one that is smaller.
    pub forms: &'static [Form],
}

/// One file in one encoding.
pub struct Form {
    /// How `bytes` are encoded.
    pub encoding: Encoding,
    /// A strong validator of exactly these bytes, quotes included.
    pub etag: &'static str,
    /// What is kept: what is sent, or the gzip form that it is unpacked from.
    bytes: &'static [u8],
    /// Bytes when it has to be unpacked.
    unpacked_length: Option<usize>,
}

impl Form {
    /// Bytes that are sent.
    pub fn length(&self) -> usize {
        self.unpacked_length.unwrap_or(self.bytes.len())
    }

    /// What is sent.
    ///
    /// Errors: `Bug` (the build script made no gzip).
    pub fn content(&self) -> Result<Cow<'static, [u8]>> {
        let Some(length) = self.unpacked_length else { return Ok(self.bytes.into()) };
        let mut plain = Vec::with_capacity(length);
        let unpacked = GzDecoder::new(self.bytes).take(length as u64).read_to_end(&mut plain);
        match unpacked {
            Ok(_) if plain.len() == length => Ok(plain.into()),
            _ => Err(Error::Bug("a page can't be unpacked".into())),
        }
    }
}

/// Every file of the pages, ordered by path.
static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file at `path` relative to `/web/`, exactly as spelled.
pub fn find(path: &str) -> Option<&'static Asset> {
    let at = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(at)
}

/// The form that suits the `Accept-Encoding` field best (RFC 9110, 12.5.3); among equally welcome
/// ones the smallest kind: brotli, then gzip, then plain.
///
/// `None`: the client refuses every form larder has. The RFC lets a server answer 406 or send the
/// plain form regardless.
pub fn choose(asset: &Asset, accept_encoding: Option<&str>) -> Option<&'static Form> {
    asset
        .forms
        .iter()
        .map(|form| (form.encoding.weight(accept_encoding), form.encoding, form))
        .filter(|&(weight, _, _)| weight > 0)
        .max_by_key(|&(weight, encoding, _)| (weight, encoding))
        .map(|(_, _, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in all three forms, told apart by their bytes.
    static ALL_FORMS: Asset = Asset {
        path: "a.js",
        mime: "text/javascript; charset=utf-8",
        is_immutable: false,
        forms: &[
            Form {
                encoding: Encoding::Identity,
                etag: "\"i\"",
                bytes: b"plain",
                unpacked_length: None,
            },
            Form { encoding: Encoding::Gzip, etag: "\"g\"", bytes: b"gz", unpacked_length: None },
            Form { encoding: Encoding::Brotli, etag: "\"b\"", bytes: b"br", unpacked_length: None },
        ],
    };

    /// A picture: it does not shrink.
    static PLAIN_ONLY: Asset = Asset {
        path: "a.png",
        mime: "image/png",
        is_immutable: true,
        forms: &[Form {
            encoding: Encoding::Identity,
            etag: "\"i\"",
            bytes: b"plain",
            unpacked_length: None,
        }],
    };

    /// What a client with this `Accept-Encoding` gets of a file that has all forms.
    fn chosen(field: &str) -> Option<Encoding> {
        choose(&ALL_FORMS, Some(field)).map(|form| form.encoding)
    }

    #[test]
    fn a_client_that_says_nothing_gets_the_plain_form() {
        let form = choose(&ALL_FORMS, None).map(|form| form.encoding);
        assert_eq!(form, Some(Encoding::Identity));
    }

    #[test]
    fn an_empty_field_means_plain_only() {
        assert_eq!(chosen(""), Some(Encoding::Identity));
    }

    #[test]
    fn among_equals_brotli_comes_before_gzip_and_gzip_before_plain() {
        assert_eq!(chosen("gzip, deflate, br, zstd"), Some(Encoding::Brotli));
        assert_eq!(chosen("gzip, deflate"), Some(Encoding::Gzip));
        assert_eq!(chosen("identity, gzip"), Some(Encoding::Gzip));
        assert_eq!(chosen("deflate"), Some(Encoding::Identity));
    }

    #[test]
    fn the_clients_weights_come_before_our_taste() {
        assert_eq!(chosen("br;q=0.5, gzip;q=0.8"), Some(Encoding::Gzip));
        assert_eq!(chosen("identity, br;q=0.999"), Some(Encoding::Identity));
        assert_eq!(chosen("br;q=0.001"), Some(Encoding::Brotli));
        assert_eq!(chosen("br ; Q=1.000 , gzip"), Some(Encoding::Brotli));
    }

    #[test]
    fn a_weight_of_nothing_is_a_refusal() {
        assert_eq!(chosen("br;q=0, gzip;q=0.000"), Some(Encoding::Identity));
        assert_eq!(chosen("identity;q=0"), None);
        assert_eq!(chosen("identity;q=0, gzip"), Some(Encoding::Gzip));
        assert_eq!(chosen("*;q=0"), None);
        assert_eq!(chosen("*;q=0, identity"), Some(Encoding::Identity));
    }

    #[test]
    fn the_star_speaks_for_what_is_not_named() {
        assert_eq!(chosen("*"), Some(Encoding::Brotli));
        assert_eq!(chosen("*, br;q=0"), Some(Encoding::Gzip));
        assert_eq!(chosen("gzip;q=0.5, *;q=0.2"), Some(Encoding::Gzip));
        assert_eq!(chosen("gzip;q=0.1, *;q=0.2"), Some(Encoding::Brotli));
    }

    #[test]
    fn names_are_whole_words_in_any_case() {
        assert_eq!(chosen("GZIP"), Some(Encoding::Gzip));
        assert_eq!(chosen("x-gzip"), Some(Encoding::Gzip));
        assert_eq!(chosen("brotli, gzipped"), Some(Encoding::Identity));
    }

    #[test]
    fn weights_that_cannot_be_read_refuse() {
        for weight in ["2", "1.001", "0.1234", "-1", "0.x", "", ".5", "NaN"] {
            assert_eq!(chosen(&format!("br;q={weight}")), Some(Encoding::Identity), "q={weight}");
        }
        assert_eq!(chosen("br;level=5"), Some(Encoding::Identity));
        assert_eq!(chosen(",;,,;q"), Some(Encoding::Identity));
    }

    #[test]
    fn what_does_not_shrink_is_sent_plain_or_not_at_all() {
        let form = choose(&PLAIN_ONLY, Some("br, gzip")).map(|form| form.encoding);
        assert_eq!(form, Some(Encoding::Identity));
        assert!(choose(&PLAIN_ONLY, Some("br, identity;q=0")).is_none());
    }

    #[test]
    fn the_pages_are_there_and_nothing_else_is_found() {
        for page in ["guest.html", "index.html", "login.html", "preview.html"] {
            let asset = find(page).unwrap_or_else(|| panic!("{page} is missing"));
            assert_eq!(asset.mime, "text/html; charset=utf-8");
            assert!(!asset.is_immutable, "{page} has no hash in its name");
        }
        for stranger in ["", "/", "index", "INDEX.HTML", "/index.html", "../web/index.html"] {
            assert!(find(stranger).is_none(), "{stranger:?}");
        }
    }

    #[test]
    fn the_table_is_ordered_and_each_file_is_reachable() {
        assert!(ASSETS.windows(2).all(|pair| pair[0].path < pair[1].path));
        for asset in ASSETS {
            assert_eq!(find(asset.path).map(|found| found.path), Some(asset.path));
            assert_eq!(asset.is_immutable, asset.path.starts_with("assets/"), "{}", asset.path);
        }
    }

    #[test]
    fn each_form_has_its_own_strong_etag_and_pays_its_way() {
        let mut seen = std::collections::HashSet::new();
        for asset in ASSETS {
            assert_eq!(asset.forms[0].encoding, Encoding::Identity, "{}", asset.path);
            for form in asset.forms {
                let bare = form.etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let bare = bare.unwrap_or_else(|| panic!("{} is not quoted", form.etag));
                assert!(bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()));
                seen.insert((asset.path, form.etag));
            }
            for packed in &asset.forms[1..] {
                assert!(packed.length() < asset.forms[0].length(), "{}", asset.path);
            }
        }
        let forms: usize = ASSETS.iter().map(|asset| asset.forms.len()).sum();
        assert_eq!(seen.len(), forms);
    }

    #[test]
    fn plain_forms_are_whole() {
        for asset in ASSETS {
            let plain = asset.forms[0].content().expect("it unpacks");
            assert_eq!(plain.len(), asset.forms[0].length(), "{}", asset.path);
            if asset.mime.starts_with("text/") {
                assert!(std::str::from_utf8(&plain).is_ok(), "{}", asset.path);
            }
        }
    }

    #[test]
    fn gzip_forms_are_gzip() {
        let page = find("index.html").expect("index.html");
        let gzip = choose(page, Some("gzip")).expect("a form");
        assert_eq!(gzip.encoding.token(), Some("gzip"));
        assert_eq!(gzip.bytes.get(..3), Some(&[0x1f, 0x8b, 8][..]), "RFC 1952, 2.3.1");
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_no_other_host() {
        for word in ["unsafe", "http", "*"] {
            assert!(!CONTENT_SECURITY_POLICY.contains(word), "{word}");
        }
        assert!(CONTENT_SECURITY_POLICY.contains("script-src 'self';"));
        assert!(!CONTENT_SECURITY_POLICY.contains("  "), "one line, single spaces");
    }
}
