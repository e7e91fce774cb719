//! Whatever a file is made of, its head is read and its picture made or refused, without a panic.
#![no_main]
#![allow(dead_code, reason = "files of larder's own, of which only a part is used here")]

#[path = "../../../src/limits/pictures.rs"]
mod limits;
mod picture;

use std::io::Cursor;

use picture::sniff::{Kind, kind_of};
use picture::task::Task;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::Jpeg, Kind::Png, Kind::WebP, Kind::Heif] {
        let _tags = picture::tags::read(&mut Cursor::new(bytes), kind);
        if let Some(profile) = picture::profile::read(&mut Cursor::new(bytes), kind) {
            assert!(profile.len() <= limits::PICTURE_PROFILE_BYTES_MAX, "no more than is handed on");
        }
    }
    // The parser of EXIF alone, which needs no file around it to be found.
    let tags = picture::tags::parse(bytes.to_vec());
    let _orientation = picture::tags::orientation(tags.as_ref());
    let _thumbnail = tags.as_ref().and_then(picture::tags::thumbnail);
    if let Some(kind) = kind_of(bytes) {
        let _found = picture::embedded::find(Cursor::new(bytes), kind);
    }
    for task in ["160", "160:6:600x400"] {
        let task = Task::from_argument(task).expect("a task");
        if let Ok(canvas) = picture::decode::make(Cursor::new(bytes), task, || None) {
            let jpeg = picture::encode::encode(&canvas).expect("what was decoded can be encoded");
            picture::head::frame_of(&jpeg).expect("a JPEG");
        }
    }
});
