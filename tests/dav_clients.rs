//! The `WebDAV` door and the programs that people use. Each is Debian's own; `scripts/test` installs them.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::harness::mounts::mounts_are_given;
use crate::harness::program::{command, run, skip};
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

/// So many files in each of some folders, with every kind of name.
fn tree(top: &Path, count: usize) {
    for folder in ["plain", "mit Leerzeichen", "Grüße/tief", "日本語", "a#b%c", "[x] (1)"] {
        fs::create_dir_all(top.join(folder)).unwrap();
        for number in 0..count {
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
    tree(&folder.join("up"), 9);
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

/// What is done with a folder that is the share, by everybody's programs. Its settings and its passwords davfs2 reads at
/// fixed places, over which ours are mounted for it alone; all of this goes with the shell.
const DAVFS2: &str = r#"
set -e
mount --bind davfs2.conf /etc/davfs2/davfs2.conf
mount --bind secrets /etc/davfs2/secrets
mount -t tmpfs none /run
mount -t davfs "$1" mnt
df --output=avail mnt "$2"
diff -r up mnt/there
cp -r up mnt/tree
diff -r up mnt/tree
mv mnt/tree/plain mnt/tree/renamed
mv "mnt/tree/renamed/файл 0 ü+&.bin" mnt/tree/moved.bin
echo more >> mnt/tree/moved.bin
echo new > "mnt/tree/日本語/файл 1 ü+&.bin"
rm "mnt/tree/renamed/файл 1 ü+&.bin"
rm -r mnt/there "mnt/tree/Grüße"
umount mnt
"#;

#[test]
fn davfs2_makes_it_a_folder() {
    if !mounts_are_given() || fs::File::options().write(true).open("/dev/fuse").is_err() {
        return skip("davfs2 needs root, a mount namespace and /dev/fuse");
    }
    let (larder, key) = house();
    let (folder, address) = (larder.outside(), url(&larder));
    tree(&larder.root().join("there"), 2);
    tree(&folder.join("up"), 2);
    for name in ["mnt", "cache"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    // Linux since 6.16 wants larger answers than davfs2 before 1.7.2 has room for.
    let settings = "dav_user root\ndav_group root\nask_auth 0\ndelay_upload 0\nbuf_size 64\n";
    let cache = format!("cache_dir {}\n", folder.join("cache").display());
    fs::write(folder.join("davfs2.conf"), settings.to_owned() + &cache).unwrap();
    fs::write(folder.join("secrets"), format!("{address} ana {key}\n")).unwrap();
    run(&folder, "chmod", &["600", "secrets"]);
    let namespace = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let root = larder.root();
    let script = ["sh", "-c", DAVFS2, "sh", &address, root.to_str().unwrap()];
    let words = [&["60", "unshare"][..], &namespace, &script].concat();
    let told = String::from_utf8(run(&folder, "timeout", &words).stdout).unwrap();
    let free: Vec<f64> = told.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert!(matches!(free[..], [drive, disk] if (drive / disk - 1.0).abs() < 0.1), "{told}");
    assert_eq!(larder.read("tree/moved.bin"), "more\n");
    assert_eq!(larder.read("tree/日本語/файл 1 ü+&.bin"), "new\n");
    let whole = fs::read(folder.join("up/a#b%c/файл 1 ü+&.bin")).unwrap();
    assert_eq!(larder.read_bytes("tree/a#b%c/файл 1 ü+&.bin"), whole);
    for gone in ["there", "tree/plain", "tree/Grüße", "tree/renamed/файл 1 ü+&.bin"] {
        assert!(!larder.exists(gone), "{gone}");
    }
    assert!(larder.exists("tree/renamed"));
}

/// What GNOME's programs do, by the command that does what they do.
const GIO: &str = r#"
set -e
printf '%s\n' ana "$2" | gio mount "$1"
folder="${1}mit%20Leerzeichen%20%C3%BC"
file="$folder/a%20b.txt"
gio mkdir "$folder"
gio copy "a b.txt" "$folder/"
gio list "$folder"
gio info -f "$1"
gio cat "$file" | diff - "a b.txt"
tag=$(gio info -a etag::value "$file" | sed -n 's/.*etag::value: //p')
printf edited | gio save --etag="$tag" "$file"
# An editor that had opened it before.
if printf lost | gio save --etag="$tag" "$file"; then exit 9; fi
gio copy "$file" edited.txt
gio rename "$file" c.txt
gio move "$folder/c.txt" "${1}d.txt"
gio remove "$folder"
gio mount -u "$1"
"#;

#[test]
fn gnome_opens_it_by_its_address() {
    if !["gio", "dbus-run-session"].iter().all(|program| is_here(program)) {
        return skip("GNOME's programs need gio, gvfs and D-Bus");
    }
    let (larder, key) = house();
    let folder = larder.outside();
    fs::write(folder.join("a b.txt"), "content").unwrap();
    let address = url(&larder).replacen("http", "dav", 1);
    let script = ["60", "dbus-run-session", "--", "sh", "-c", GIO, "sh", &address, &key];
    let mut program = command(&folder, "timeout", &script);
    let output = program.env("XDG_RUNTIME_DIR", &folder).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("\na b.txt\n") && told.contains("filesystem::free: "), "{told}");
    assert_eq!(fs::read(folder.join("edited.txt")).unwrap(), b"edited");
    assert_eq!(larder.read("d.txt"), "edited");
    assert_eq!(larder.tree(), ["d.txt"]);
}

/// Whether a program is installed.
fn is_here(program: &str) -> bool {
    command(Path::new("/"), program, &["--version"]).output().is_ok()
}
