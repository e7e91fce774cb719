//! Debian's Samba beside larder, with the shares that `larder samba` prints: what is written there shows at once, nobody
//! gets more than larder gives, and larder's own folder cannot be reached.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::events::Stream;
use crate::harness::{Larder, password_of, program, wait};
use crate::samba::shares;

/// What puts users of the test's own beside the system's, for Samba alone (`nss_wrapper(1)`).
const WRAPPER: &str = "libnss_wrapper.so";

/// A Samba over the shares of a larder. Dropping it ends it.
struct Samba<'a> {
    /// Whose shares.
    larder: &'a Larder,
    /// The server.
    server: Child,
    /// Its port.
    port: u16,
}

impl<'a> Samba<'a> {
    /// Starts it with what `larder samba` says now, and gives these people a password. `None` for who is not root, as whom
    /// Samba does not run.
    #[track_caller]
    fn start(larder: &'a Larder, people: &[&str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            program::skip("Samba's server runs as root");
            return None;
        }
        let folder = larder.folder_path().join("samba");
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).recursive(true);
        for name in ["private", "lock", "state", "cache", "pid"] {
            builder.create(folder.join(name)).unwrap();
        }
        fs::write(folder.join("larder.conf"), shares(larder).text).unwrap();
        let mut users = vec!["root:x:0:0::/root:/bin/sh".to_owned()];
        users.push("nobody:x:65534:65534::/:/bin/false".to_owned());
        let mut groups = vec!["root:x:0:".to_owned(), "nogroup:x:65534:".to_owned()];
        for (number, name) in (70_001..).zip(people) {
            users.push(format!("{name}:x:{number}:{number}::/:/bin/false"));
            groups.push(format!("{name}:x:{number}:"));
        }
        fs::write(folder.join("passwd"), users.join("\n") + "\n").unwrap();
        fs::write(folder.join("group"), groups.join("\n") + "\n").unwrap();
        // Somebody else may take a port that was free a moment ago.
        for _ in 0..5 {
            let port = free_port();
            fs::write(folder.join("smb.conf"), configuration(&folder, port)).unwrap();
            for name in people {
                set_password(&folder, name);
            }
            let mut command = as_samba(&folder, "smbd");
            // It makes a session of its own, and at its end takes all of that along; `--no-process-group` would be ours.
            command.args(["--foreground", "-s"]).arg(folder.join("smb.conf"));
            let output = fs::File::create(folder.join("smbd.out")).unwrap();
            command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
            let mut server = command.spawn().expect("smbd (scripts/test installs it)");
            let is_up = wait::comes_true(wait::PATIENCE, || {
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
                    || server.try_wait().unwrap().is_some()
            });
            if is_up && server.try_wait().unwrap().is_none() {
                return Some(Self { larder, server, port });
            }
            end(&mut server);
        }
        panic!(
            "smbd does not start: {}",
            fs::read_to_string(folder.join("smbd.log")).unwrap_or_default()
        );
    }

    /// Runs commands of `smbclient` as somebody in a share.
    fn run(&self, name: &str, share: &str, commands: &str) -> Output {
        let folder = self.larder.folder_path().join("samba");
        let (share, port) = (format!("//127.0.0.1/{share}"), self.port.to_string());
        let user = format!("{name}%{}", password_of(name));
        let config = folder.join("smb.conf");
        let words =
            ["-s", config.to_str().unwrap(), "-p", &port, "-U", &user, &share, "-c", commands];
        program::try_run(&folder, "smbclient", &words)
    }

    /// The same; gives what it printed.
    fn told(&self, name: &str, share: &str, commands: &str) -> String {
        let output = self.run(name, share, commands);
        let streams = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&streams).into_owned()
    }

    /// Demands that it works.
    #[track_caller]
    fn must(&self, name: &str, share: &str, commands: &str) -> String {
        let told = self.told(name, share, commands);
        assert!(!told.contains("NT_STATUS_"), "{name} {share} {commands}: {told}");
        told
    }

    /// Demands that it is refused with one of these.
    #[track_caller]
    fn must_not(&self, name: &str, share: &str, commands: &str, why: &[&str]) {
        let told = self.told(name, share, commands);
        let is_refused = why.iter().any(|why| told.contains(&format!("NT_STATUS_{why}")));
        assert!(is_refused, "{name} {share} {commands}: {told}");
    }

    /// The shares that somebody is shown.
    fn list(&self, name: &str) -> Vec<String> {
        let folder = self.larder.folder_path().join("samba");
        let config = folder.join("smb.conf");
        let user = format!("{name}%{}", password_of(name));
        let port = self.port.to_string();
        let words =
            ["-s", config.to_str().unwrap(), "-p", &port, "-U", &user, "-g", "-L", "127.0.0.1"];
        let output = program::run(&folder, "smbclient", &words);
        let text = String::from_utf8(output.stdout).unwrap();
        let shares = text.lines().filter_map(|line| line.strip_prefix("Disk|")?.split('|').next());
        shares.map(str::to_owned).collect()
    }
}

impl Drop for Samba<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.larder.folder_path().join("samba/smbd.log");
            let log = fs::read_to_string(log).unwrap_or_default();
            std::io::Write::write_all(&mut std::io::stderr(), log.as_bytes()).ok();
        }
        end(&mut self.server);
    }
}

/// Asks a server to end, which takes its children along, and waits for that.
fn end(server: &mut Child) {
    let pid = Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap();
    let _already_gone = kill_process(pid, Signal::TERM);
    if !wait::comes_true(wait::PATIENCE, || server.try_wait().unwrap().is_some()) {
        let _already_gone = server.kill();
        server.wait().unwrap();
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A Samba of its own: nothing of it lies outside of the folder, and it listens at the loopback address alone.
fn configuration(folder: &std::path::Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "[global]\n\
         server role = standalone server\n\
         private dir = {folder}/private\n\
         lock directory = {folder}/lock\n\
         state directory = {folder}/state\n\
         cache directory = {folder}/cache\n\
         pid directory = {folder}/pid\n\
         ncalrpc dir = {folder}/ncalrpc\n\
         log file = {folder}/smbd.log\n\
         bind interfaces only = yes\n\
         interfaces = 127.0.0.1\n\
         smb ports = {port}\n\
         disable netbios = yes\n\
         load printers = no\n\
         printing = bsd\n\
         printcap name = /dev/null\n\
         disable spoolss = yes\n\
         usershare path =\n\
         map to guest = Never\n\
         include = {folder}/larder.conf\n"
    )
}

/// A program of Samba's that knows the test's users.
fn as_samba(folder: &std::path::Path, name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).env("LC_ALL", "C.UTF-8").env("LD_PRELOAD", WRAPPER);
    command.env("NSS_WRAPPER_PASSWD", folder.join("passwd"));
    command.env("NSS_WRAPPER_GROUP", folder.join("group"));
    command
}

/// Gives somebody their password, as its comments say.
#[track_caller]
fn set_password(folder: &std::path::Path, name: &str) {
    let mut command = as_samba(folder, "smbpasswd");
    command.arg("-c").arg(folder.join("smb.conf")).args(["-s", "-a", name]);
    let input = folder.join("input");
    let password = password_of(name);
    fs::write(&input, format!("{password}\n{password}\n")).unwrap();
    command.stdin(fs::File::open(&input).unwrap());
    let output = command.output().expect("smbpasswd (scripts/test installs it)");
    assert!(output.status.success(), "{output:?}");
}

/// A file to be brought, outside of the share.
fn something(larder: &Larder) -> PathBuf {
    let file = larder.outside().join("something");
    fs::write(&file, "brought by Samba").unwrap();
    file
}

/// Refusals of what is there and may not be done.
const DENIED: &[&str] = &["ACCESS_DENIED"];

/// Refusals of what is not there at all.
const NOTHING: &[&str] =
    &["OBJECT_NAME_NOT_FOUND", "OBJECT_PATH_NOT_FOUND", "NO_SUCH_FILE", "OBJECT_NAME_INVALID"];

#[test]
fn what_is_written_there_shows_in_larder_at_once_and_the_other_way() {
    let larder = Larder::start().folder("docs").user("smbana");
    let Some(samba) = Samba::start(&larder, &["smbana"]) else { return };
    let file = something(&larder);
    let mut events = Stream::of(&larder, "smbana", "?path=docs");
    samba.must("smbana", "larder", &format!("put {} docs\\new.txt", file.display()));
    events.changes_until("docs");
    let ana = larder.http("smbana");
    let listed = ana.get("/api/finder?path=docs").expect(200).json();
    assert_eq!(listed["items"], serde_json::json!(["new.txt"]));
    let got = ana.get("/api/download?file_path=docs/new.txt").expect(200);
    assert_eq!(got.text(), "brought by Samba");
    // What larder writes is there as well, and a name with all that Windows does not take.
    let ask = serde_json::json!({ "path": "docs", "file_name": "by larder.txt", "file_content": "larder" });
    ana.post("/api/new_file", ask).expect(200);
    let back = larder.outside().join("back");
    samba.must("smbana", "larder", &format!("get \"docs\\by larder.txt\" {}", back.display()));
    assert_eq!(fs::read_to_string(&back).unwrap(), "larder");
    // Deleted things go where the comments say.
    samba.must("smbana", "larder", "del docs\\new.txt");
    assert!(!larder.exists("docs/new.txt"));
    assert_eq!(larder.read(".recycle/docs/new.txt"), "brought by Samba");
}

#[test]
fn larders_own_folder_is_not_there() {
    let larder = Larder::start().folder("sub").file("a.txt", "A").user("smbana");
    let larder = larder.file(".larder/tmp/half", "half");
    let Some(samba) = Samba::start(&larder, &["smbana"]) else { return };
    let file = something(&larder);
    let put = format!("put {}", file.display());
    let back = larder.outside().join("back");
    let marker = fs::read(larder.root().join(".larder/id")).unwrap();
    let listed = samba.must("smbana", "larder", "ls");
    assert!(listed.contains("a.txt") && !listed.to_lowercase().contains(".larder"), "{listed}");
    for own in [".larder", ".LARDER", ".LaRdEr", "sub\\..\\.larder", ".larder.", ".larder "] {
        let commands = [
            format!("ls \"{own}\\*\""),
            format!("cd \"{own}\""),
            format!("get \"{own}\\id\" {}", back.display()),
            format!("get \"{own}\\tmp\\half\" {}", back.display()),
            format!("get \"{own}:stream\" {}", back.display()),
            format!("{put} \"{own}\\x\""),
            format!("{put} \"{own}\""),
            format!("mkdir \"{own}\""),
            format!("mkdir \"{own}\\x\""),
            format!("rename a.txt \"{own}\""),
            format!("rename sub \"{own}\\sub\""),
            format!("rename \"{own}\" moved"),
            format!("hardlink a.txt \"{own}\\a\""),
            format!("del \"{own}\\id\""),
            format!("rmdir \"{own}\""),
            format!("deltree \"{own}\""),
            format!("allinfo \"{own}\""),
        ];
        let told = samba.told("smbana", "larder", &commands.join("; "));
        let refused = told.lines().filter(|line| line.contains("NT_STATUS_"));
        let is_nothing =
            |line: &&str| NOTHING.iter().any(|why| line.contains(&format!("NT_STATUS_{why}")));
        assert_eq!(refused.filter(is_nothing).count(), commands.len(), "{own}: {told}");
    }
    for commands in ["mkdir sub\\.larder", "rename a.txt sub\\.Larder"] {
        samba.must_not("smbana", "larder", commands, NOTHING);
    }
    samba.must_not("smbana", "larder", &format!("{put} sub\\.LARDER"), NOTHING);
    assert!(!back.exists());
    assert_eq!(fs::read(larder.root().join(".larder/id")).unwrap(), marker);
    assert_eq!(larder.tree(), ["a.txt", "sub/"]);
}

#[test]
fn nobody_gets_more_than_larder_gives() {
    let larder = Larder::start()
        .file("docs/a.txt", "A")
        .file("docs/inbox/b.txt", "B")
        .file("photos/c.jpg", "C")
        .user("smbana")
        .reader("smbrea")
        .user_with("smbsev", "user", r#"["docs"]"#, r#"["docs/inbox"]"#)
        .user_with("smbpho", "user", r#"["photos"]"#, r#"["photos"]"#)
        .user_with("smbnon", "user", "[]", "[]")
        .link("photos/out", "/etc")
        .link("photos/passwd", "/etc/passwd")
        .link("photos/beside", "../docs");
    let people = ["smbana", "smbrea", "smbsev", "smbpho", "smbnon"];
    let Some(samba) = Samba::start(&larder, &people) else { return };
    let put = format!("put {}", something(&larder).display());
    let reach: [(&str, &[&str]); 5] = [
        ("smbana", &["larder"]),
        ("smbrea", &["larder"]),
        ("smbsev", &["docs", "docs-inbox"]),
        ("smbpho", &["photos"]),
        ("smbnon", &[]),
    ];
    for (name, shares) in reach {
        assert_eq!(samba.list(name), shares, "{name}");
        for share in ["larder", "docs", "docs-inbox", "photos"] {
            if shares.contains(&share) {
                samba.must(name, share, "ls");
            } else {
                samba.must_not(name, share, "ls", DENIED);
            }
        }
    }
    for (name, share, at) in
        [("smbrea", "larder", "docs\\"), ("smbsev", "docs", ""), ("smbsev", "docs", "inbox\\")]
    {
        samba.must_not(name, share, &format!("{put} {at}x"), DENIED);
        samba.must_not(name, share, &format!("mkdir {at}x"), DENIED);
    }
    for commands in [
        "del a.txt",
        "rename a.txt b.txt",
        "rmdir inbox",
        "setmode a.txt +r",
        "utimes a.txt 2020:01:01-00:00:00 -1 -1 -1",
    ] {
        samba.must_not("smbsev", "docs", commands, &["ACCESS_DENIED", "MEDIA_WRITE_PROTECTED"]);
    }
    samba.must("smbsev", "docs-inbox", &format!("{put} x"));
    assert_eq!(larder.read("docs/inbox/x"), "brought by Samba");
    assert_eq!(larder.read("docs/a.txt"), "A");
    // Without a password that Samba knows nobody gets anything.
    let wrong = samba.told("smbada", "larder", "ls");
    assert!(wrong.contains("NT_STATUS_LOGON_FAILURE"), "{wrong}");
    // Out of a share leads nothing.
    let back = larder.outside().join("back");
    let get = |path: &str| format!("get {path} {}", back.display());
    for commands in [
        "cd out",
        "ls out\\*",
        "cd beside",
        "ls beside\\*",
        &get("out\\passwd"),
        &get("passwd"),
        &get("beside\\a.txt"),
    ] {
        samba.must_not(
            "smbpho",
            "photos",
            commands,
            &[NOTHING, &["ACCESS_DENIED", "STOPPED_ON_SYMLINK"]].concat(),
        );
    }
    samba.must_not(
        "smbpho",
        "photos",
        &get("..\\docs\\a.txt"),
        &[NOTHING, &["OBJECT_PATH_SYNTAX_BAD"]].concat(),
    );
    assert!(!back.exists());
    // What larder keeps beside a file is not for them either.
    samba.must_not("smbpho", "photos", "setea c.jpg larder.dav x", &["EAS_NOT_SUPPORTED"]);
}

#[test]
fn while_the_drive_is_away_samba_writes_nothing_into_its_place() {
    let larder = Larder::start().user("smbana");
    let Some(samba) = Samba::start(&larder, &["smbana"]) else { return };
    samba.must("smbana", "larder", "ls");
    larder.unplug();
    let put = format!("put {} x", something(&larder).display());
    samba.must_not(
        "smbana",
        "larder",
        &put,
        &["ACCESS_DENIED", "BAD_NETWORK_NAME", "UNSUCCESSFUL"],
    );
    assert!(larder.tree().is_empty());
    larder.plug();
    samba.must("smbana", "larder", &put);
    assert_eq!(larder.read("x"), "brought by Samba");
}
