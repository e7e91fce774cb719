//! The `WebDAV` door and the programs that people use. Each is Debian's own; `scripts/test` installs them.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::harness::program::{command, run};
use crate::harness::{Larder, everybody_may_everything};

/// A larder with ana, who may everything, and a key of hers for all of it.
fn house() -> (Larder, String) {
    let larder = Larder::prepare().roles(&everybody_may_everything()).launch().user("ana");
    let wish = json!({ "label": "drive", "write": true, "doors": ["dav"] });
    let (_, key) = larder.session("ana").make_key(wish);
    (larder, key)
}

/// Where the drive is.
fn url(larder: &Larder) -> String {
    format!("http://127.0.0.1:{}/dav/", larder.port())
}

/// Files in folders of every kind of name.
fn tree(top: &Path) {
    for folder in ["plain", "mit Leerzeichen", "Grüße/tief", "日本語", "a#b%c", "[x] (1)"] {
        fs::create_dir_all(top.join(folder)).unwrap();
        for number in 0..9 {
            let content: Vec<u8> = (0..=250).cycle().take(number * 999).collect();
            fs::write(top.join(folder).join(format!("файл {number} ü+&.bin")), content).unwrap();
        }
    }
}

#[test]
fn litmus_finds_no_fault() {
    let (larder, key) = house();
    let output = run(&larder.outside(), "litmus", &[&url(&larder), "ana", &key]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.matches("0 failed. 100.0%").count(), 5, "{told}");
    assert!(!told.contains("SKIPPED") && !told.contains("WARNING"), "{told}");
}

#[test]
fn curl_brings_a_file_in_one_line() {
    let (larder, key) = house();
    let folder = larder.outside();
    fs::write(folder.join("a b.txt"), "content").unwrap();
    let who = format!("ana:{key}");
    run(&folder, "curl", &["-sSf", "-u", &who, "-T", "a b.txt", &url(&larder)]);
    assert_eq!(larder.read("a b.txt"), "content");
    let get = run(&folder, "curl", &["-sSf", "-u", &who, &format!("{}a%20b.txt", url(&larder))]);
    assert_eq!(get.stdout, b"content");
}

#[test]
fn rclone_copies_both_ways_with_dates() {
    let (larder, key) = house();
    let folder = larder.outside();
    tree(&folder.join("up"));
    let obscured = run(&folder, "rclone", &["obscure", &key]).stdout;
    let obscured = String::from_utf8(obscured).unwrap();
    let (address, secret) = (url(&larder), obscured.trim());
    let rclone = |words: &[&str]| {
        let with =
            ["--webdav-url", &*address, "--webdav-vendor", "owncloud", "--webdav-user", "ana"];
        run(&folder, "rclone", &[&with[..], &["--webdav-pass", secret], words].concat())
    };
    rclone(&["copy", "up", ":webdav:drive"]);
    rclone(&["copy", ":webdav:drive", "down"]);
    run(&folder, "diff", &["-r", "up", "down"]);
    // With the same dates there is nothing to be done.
    let again = rclone(&["copy", "-v", "--stats-one-line", "up", ":webdav:drive"]);
    assert!(!String::from_utf8_lossy(&again.stderr).contains("Copied"), "{again:?}");
    rclone(&["moveto", ":webdav:drive/plain", ":webdav:drive/renamed"]);
    rclone(&["purge", ":webdav:drive/renamed"]);
    assert!(!larder.exists("drive/plain") && !larder.exists("drive/renamed"));
}

#[test]
fn cadaver_works_with_locks() {
    let (larder, key) = house();
    let folder = larder.outside();
    fs::write(folder.join("up"), "content").unwrap();
    let netrc = format!("machine 127.0.0.1\nlogin ana\npassword {key}\n");
    fs::write(folder.join(".netrc"), netrc).unwrap();
    let mut cadaver = command(&folder, "cadaver", &[&url(&larder)]);
    let mut child = cadaver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let words = "mkcol x\nput up x/one\nlock x/one\nput up x/one\ncopy x/one x/two\nmove x/two x/three\n\
        unlock x/one\npropset x/three author Ana\npropget x/three author\nls x\nquit\n";
    child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(told.contains("succeeded") && !told.contains("failed"), "{told}");
    assert_eq!(larder.read("x/three"), "content");
    assert!(larder.exists("x/one") && !larder.exists("x/two"));
}
