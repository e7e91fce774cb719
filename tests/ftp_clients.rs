//! The FTP door and the programs that people use. Each is Debian's own; `scripts/test` installs them.

use std::fs;
use std::path::Path;

use serde_json::json;
use suppaftp::types::FileType;
use suppaftp::{RustlsConnector, RustlsFtpStream};

use crate::harness::ftp::{ALL_LETTERS, FTP_PASSWORD, FtpHouse};
use crate::harness::program::{run, try_run};
use crate::harness::{Larder, tls};

/// The address of the house's FTP server with name and password.
fn url(house: &FtpHouse) -> String {
    format!("ftp://cam:{}@127.0.0.1:{}", FTP_PASSWORD.replace(' ', "%20"), house.port)
}

/// Five hundred files in folders of every kind of name.
fn tree(top: &Path) {
    let folders =
        ["plain", "mit Leerzeichen", "Grüße/tief/er", "日本語", "🍊 & 'co'", "a#b%c", "[x] (1)"];
    for (number, folder) in folders.iter().cycle().take(500).enumerate() {
        let folder = top.join(folder);
        fs::create_dir_all(&folder).unwrap();
        let content: Vec<u8> = (0..=252).cycle().take(number * 37).collect();
        fs::write(folder.join(format!("файл {number} ü.bin")), content).unwrap();
    }
    fs::create_dir(top.join("empty")).unwrap();
    fs::write(top.join(".hidden"), "hidden").unwrap();
}

/// Demands that two folders are alike.
#[track_caller]
fn expect_alike(one: &Path, other: &Path) {
    let (one, other) = (one.to_str().unwrap(), other.to_str().unwrap());
    run(Path::new("/"), "diff", &["-r", "--exclude=.larder", one, other]);
}

#[test]
fn curl_uploads_resumes_lists_and_downloads() {
    let house = FtpHouse::start();
    let folder = house.larder.outside();
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 249) as u8).collect();
    fs::write(folder.join("up.bin"), &content).unwrap();
    let target = format!("{}/sub/dir/up.bin", url(&house));
    run(&folder, "curl", &["-sS", "--ftp-create-dirs", "-T", "up.bin", &target]);
    assert!(house.larder.read_bytes("sub/dir/up.bin") == content);
    fs::write(folder.join("down.bin"), &content[..700_000]).unwrap();
    run(&folder, "curl", &["-sS", "-C", "-", "-o", "down.bin", &target]);
    assert!(fs::read(folder.join("down.bin")).unwrap() == content);
    let listed = run(&folder, "curl", &["-sS", "-l", &format!("{}/sub/", url(&house))]);
    assert_eq!(listed.stdout, b"dir\n");
    // In the other direction, and the other way of connecting.
    run(&folder, "curl", &["-sS", "-P", "-", "-o", "active.bin", &target]);
    assert!(fs::read(folder.join("active.bin")).unwrap() == content);
    run(&folder, "curl", &["-sS", "-a", "-T", "up.bin", &target]);
    assert_eq!(house.larder.read_bytes("sub/dir/up.bin").len(), 2 * content.len());
    // An upload that broke off goes on where it stopped.
    house.larder.write("x", "");
    let mut ftp = house.sign_in("cam");
    let mut data = ftp.passive();
    ftp.expect("STOR resumed.bin", 150);
    std::io::Write::write_all(&mut data, &content[..900_000]).unwrap();
    crate::harness::wait::until("the beginning to arrive", || {
        house.sessions().iter().any(|session| session["bytes"] == 900_000)
    });
    drop((data, ftp));
    crate::harness::wait::until("the session to end", || house.sessions().is_empty());
    run(
        &folder,
        "curl",
        &["-sS", "-C", "-", "-T", "up.bin", &format!("{}/resumed.bin", url(&house))],
    );
    assert!(house.larder.read_bytes("resumed.bin") == content);
}

#[test]
fn curl_speaks_tls_on_both_connections() {
    let larder = FtpHouse::settings(Larder::prepare(), &json!({ "ftp_require_tls": true }));
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let folder = house.larder.outside();
    fs::write(folder.join("up.txt"), "through the tunnel").unwrap();
    let target = format!("{}/up.txt", url(&house));
    for version in ["--tls-max", "--tlsv1.3"] {
        let mut arguments = vec!["-sSk", "--ssl-reqd", version];
        if version == "--tls-max" {
            arguments.push("1.2");
        }
        run(&folder, "curl", &[&arguments[..], &["-T", "up.txt", &target]].concat());
        let back = run(&folder, "curl", &[&arguments[..], &[&target]].concat());
        assert_eq!(back.stdout, b"through the tunnel");
    }
    // In the clear nobody gets in.
    assert!(!try_run(&folder, "curl", &["-sS", &target]).status.success());
}

#[test]
fn lftp_mirrors_a_tree_both_ways() {
    let house = FtpHouse::start();
    let folder = house.larder.outside();
    tree(&folder.join("tree"));
    let open = format!(
        "set net:max-retries 2; open -p {} -u cam,'{FTP_PASSWORD}' 127.0.0.1; ",
        house.port
    );
    let tls =
        "set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; ";
    let plain = "set ftp:ssl-allow no; ";
    for (number, mode) in [plain, tls].into_iter().enumerate() {
        let up = format!("{mode}{open}mirror -R --parallel=3 tree copy{number}");
        run(&folder, "lftp", &["-c", &up]);
        expect_alike(&folder.join("tree"), &house.larder.root().join(format!("copy{number}")));
        let down = format!("{mode}{open}mirror --parallel=3 copy{number} back{number}");
        run(&folder, "lftp", &["-c", &down]);
        expect_alike(&folder.join("tree"), &folder.join(format!("back{number}")));
        let again =
            format!("{mode}{open}mirror -R --only-newer -v tree copy{number}; rm -r copy{number}");
        run(&folder, "lftp", &["-c", &again]);
        assert!(!house.larder.exists(&format!("copy{number}")));
    }
}

#[test]
fn rclone_copies_checks_syncs_moves_and_deletes() {
    let house = FtpHouse::start();
    let folder = house.larder.outside();
    tree(&folder.join("tree"));
    let password = run(&folder, "rclone", &["obscure", FTP_PASSWORD]);
    let password = String::from_utf8(password.stdout).unwrap();
    let remote =
        format!(":ftp,host=127.0.0.1,port={},user=cam,pass={}:", house.port, password.trim());
    let copy = format!("{remote}copy");
    run(&folder, "rclone", &["copy", "tree", &copy]);
    run(&folder, "rclone", &["check", "--size-only", "tree", &copy]);
    run(&folder, "rclone", &["check", "--download", "tree/plain", &format!("{copy}/plain")]);
    fs::remove_dir_all(folder.join("tree/plain")).unwrap();
    fs::write(folder.join("tree/new.txt"), "new").unwrap();
    run(&folder, "rclone", &["sync", "--create-empty-src-dirs", "tree", &copy]);
    expect_alike(&folder.join("tree"), &house.larder.root().join("copy"));
    run(
        &folder,
        "rclone",
        &["moveto", &format!("{copy}/new.txt"), &format!("{remote}moved/newer.txt")],
    );
    assert_eq!(house.larder.read("moved/newer.txt"), "new");
    run(&folder, "rclone", &["deletefile", &format!("{remote}moved/newer.txt")]);
    run(&folder, "rclone", &["purge", &copy]);
    assert!(!house.larder.exists("copy") && !house.larder.exists("moved/newer.txt"));
}

#[test]
fn ncftp_tnftp_and_wget_find_their_way() {
    let house = FtpHouse::start();
    let folder = house.larder.outside();
    tree(&folder.join("tree"));
    let port = house.port.to_string();
    let login = ["-u", "cam", "-p", FTP_PASSWORD, "-P", &port];
    run(&folder, "ncftpput", &[&login[..], &["-R", "127.0.0.1", "/", "tree"]].concat());
    expect_alike(&folder.join("tree/plain"), &house.larder.root().join("tree/plain"));
    run(&folder, "ncftpget", &[&login[..], &["-R", "127.0.0.1", "got", "/tree/plain"]].concat());
    expect_alike(&folder.join("tree/plain"), &folder.join("got/plain"));
    let target = format!("{}/by-tnftp.bin", url(&house));
    let source = "tree/plain/файл 7 ü.bin";
    run(&folder, "tnftp", &["-u", &target, source]);
    run(&folder, "tnftp", &["-o", "tnftp.bin", &target]);
    assert!(fs::read(folder.join("tnftp.bin")).unwrap() == fs::read(folder.join(source)).unwrap());
    let top = format!("{}/tree/", url(&house));
    run(
        &folder,
        "wget",
        &["-q", "-r", "-nH", "--restrict-file-names=nocontrol", "-P", "wgot", &top],
    );
    expect_alike(&folder.join("tree/plain"), &folder.join("wgot/tree/plain"));
}

#[test]
fn pythons_ftplib_finds_everything() {
    /// Leaves with an error at whatever is not as it should be.
    const SCRIPT: &str = r"
import ftplib, io, ssl, sys
port, password = int(sys.argv[1]), sys.argv[2]
def session(tls):
    if tls:
        context = ssl.create_default_context(); context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        ftp = ftplib.FTP_TLS(context=context, encoding='utf-8')
    else:
        ftp = ftplib.FTP(encoding='utf-8')
    ftp.connect('127.0.0.1', port, timeout=20)
    ftp.login('cam', password)
    if tls: ftp.prot_p()
    return ftp
for tls in (False, True):
    ftp = session(tls)
    content = bytes(range(256)) * 4000
    ftp.mkd('Ordner ü'); ftp.cwd('Ordner ü')
    assert ftp.pwd() == '/Ordner ü', ftp.pwd()
    ftp.storbinary('STOR a.bin', io.BytesIO(content))
    got = io.BytesIO(); ftp.retrbinary('RETR a.bin', got.write); assert got.getvalue() == content
    got = io.BytesIO(); ftp.retrbinary('RETR a.bin', got.write, rest=1000); assert got.getvalue() == content[1000:]
    assert ftp.size('a.bin') == len(content)
    ftp.storlines('STOR t.txt', io.BytesIO(b'one\ntwo\n'))
    lines = []; ftp.retrlines('RETR t.txt', lines.append); assert lines == ['one', 'two'], lines
    # As text, its lines end with CR LF on the way.
    assert ftp.size('t.txt') == 10
    ftp.voidcmd('TYPE I'); assert ftp.size('t.txt') == 8
    facts = dict(ftp.mlsd()); assert facts['a.bin']['type'] == 'file' and facts['a.bin']['size'] == str(len(content)), facts
    assert sorted(ftp.nlst()) == ['a.bin', 't.txt'], ftp.nlst()
    assert ftp.voidcmd('NOOP').startswith('200')
    ftp.rename('a.bin', 'b.bin')
    ftp.set_pasv(False)
    lines = []; ftp.dir(lines.append); assert len(lines) == 2, lines
    ftp.set_pasv(True)
    if not tls:
        # ABOR as urgent data, as ftplib sends it.
        big = ftp.transfercmd('RETR b.bin')
        ftp.abort(); big.close()
        # Two replies come: one for the transfer, one for ABOR itself; abort() reads the first.
        assert ftp.getmultiline().startswith('226')
        assert ftp.voidcmd('NOOP').startswith('200')
    ftp.delete('b.bin'); ftp.delete('t.txt'); ftp.cwd('..'); ftp.rmd('Ordner ü')
    try:
        ftp.cwd('Ordner ü'); sys.exit('still there')
    except ftplib.error_perm: pass
    ftp.quit()
";
    let house = FtpHouse::start();
    let port = house.port.to_string();
    run(&house.larder.outside(), "python3", &["-c", SCRIPT, &port, FTP_PASSWORD]);
    assert!(house.larder.tree().is_empty());
}

#[test]
fn suppaftp_works_in_the_clear_and_in_tls() {
    let house = FtpHouse::start();
    for is_secure in [false, true] {
        let mut ftp = RustlsFtpStream::connect(("127.0.0.1", house.port)).unwrap();
        if is_secure {
            ftp = ftp.into_secure(RustlsConnector::from(tls::config(&[])), "localhost").unwrap();
        }
        ftp.login("cam", FTP_PASSWORD).unwrap();
        ftp.transfer_type(FileType::Binary).unwrap();
        let content = vec![b'x'; 300_000];
        assert_eq!(ftp.put_file("a.bin", &mut content.as_slice()).unwrap(), 300_000);
        assert_eq!(ftp.retr_as_buffer("a.bin").unwrap().into_inner(), content);
        assert_eq!(ftp.size("a.bin").unwrap(), 300_000);
        ftp.append_file("a.bin", &mut "tail".as_bytes()).unwrap();
        assert_eq!(ftp.nlst(None).unwrap(), ["a.bin"]);
        assert_eq!(ftp.list(None).unwrap().len(), 1);
        assert_eq!(ftp.mlsd(None).unwrap().len(), 1);
        ftp.rename("a.bin", "b.bin").unwrap();
        ftp.rm("b.bin").unwrap();
        ftp.quit().unwrap();
    }
}

#[test]
fn what_is_pipelined_after_auth_counts_for_nothing() {
    use std::io::{Read, Write};
    let house = FtpHouse::start();
    let mut ftp = house.connect();
    ftp.expect("PBSZ 0", 503);
    ftp.expect("PROT P", 503);
    ftp.expect("AUTH KERBEROS", 504);
    // Somebody on the way adds commands in the clear (RFC 4217, 4.2).
    ftp.send("AUTH TLS\r\nNOOP\r\nUSER mallory\r\n");
    ftp.expect_reply(234);
    let socket = ftp.stream.into_inner();
    let mut stream = rustls::StreamOwned::new(tls::session(&[]), socket);
    let mut ask = |line: &str| {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let mut reply = vec![0; 200];
        let count = stream.read(&mut reply).unwrap();
        String::from_utf8(reply[..count].to_vec()).unwrap()
    };
    for (line, code) in [
        // The first reply is to the first command inside.
        ("PASS x", "503"),
        ("PROT P", "503"),
        ("AUTH TLS", "503"),
        ("PBSZ 0", "200"),
        ("PROT S", "536"),
        ("PROT X", "504"),
        ("PROT C", "200"),
        ("PROT P", "200"),
        ("USER cam", "331"),
    ] {
        let reply = ask(line);
        assert!(reply.starts_with(code) && reply.lines().count() == 1, "{line}: {reply}");
    }
    assert!(ask(&format!("PASS {FTP_PASSWORD}")).starts_with("230"));
    assert_eq!(house.sessions()[0]["tls"], true);
}

#[test]
fn where_tls_is_required_nothing_is_said_in_the_clear() {
    let larder = FtpHouse::settings(Larder::prepare(), &json!({ "ftp_require_tls": true }));
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.connect();
    ftp.expect("USER cam", 530);
    ftp.expect("PASS x", 530);
    ftp.expect("FEAT", 211);
    let mut ftp = RustlsFtpStream::connect(("127.0.0.1", house.port)).unwrap();
    ftp = ftp.into_secure(RustlsConnector::from(tls::config(&[])), "localhost").unwrap();
    ftp.login("cam", FTP_PASSWORD).unwrap();
    assert!(ftp.custom_command("PROT C", &[suppaftp::Status::CommandOk]).is_err());
    assert!(ftp.nlst(None).unwrap().is_empty());
}
