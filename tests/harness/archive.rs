//! Reading the zips that larder sends.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

/// The members of a zip: name to content; folders end with `/`.
#[track_caller]
pub fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut members = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut content = Vec::new();
        // This also checks the sums.
        member.read_to_end(&mut content).unwrap();
        assert!(members.insert(name.clone(), content).is_none(), "{name} twice");
    }
    members
}
