//! larder as its own authority: what it vouches for, what it cannot, and how devices are told of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;

use crate::harness::{Larder, program, tls, wait};

/// The files of the state directory that belong to it.
const FILES: [&str; 4] = ["tls-ca.pem", "tls-ca-key.pem", "tls-cert.pem", "tls-key.pem"];

/// What answers tell of it.
const PATHS: [&str; 4] = ["/ca", "/ca.css", "/ca.crt", "/ca.mobileconfig"];

/// Whether openssl believes a certificate under larder's authority, and what it says.
fn verify(larder: &Larder, more: &[&str], certificate: &Path) -> (bool, String) {
    let authority = larder.state().join("tls-ca.pem");
    let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile"];
    arguments.push(authority.to_str().unwrap());
    arguments.extend(more);
    arguments.push(certificate.to_str().unwrap());
    let output = program::try_run(larder.folder_path(), "openssl", &arguments);
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(told).unwrap())
}

/// The fingerprint and the subject of larder's authority, as openssl tells them.
fn told_by_openssl(larder: &Larder) -> (String, String) {
    let arguments =
        ["x509", "-noout", "-subject", "-fingerprint", "-sha256", "-nameopt", "multiline,utf8"];
    let file = larder.state().join("tls-ca.pem");
    let arguments = [&arguments[..], &["-in", file.to_str().unwrap()]].concat();
    let output = program::run(larder.folder_path(), "openssl", &arguments);
    let told = String::from_utf8(output.stdout).unwrap();
    let after = |mark: &str| {
        let rest = told.split(mark).nth(1).unwrap();
        rest.lines().next().unwrap().trim().trim_start_matches("= ").to_owned()
    };
    (after("Fingerprint="), after("commonName"))
}

/// What `larder check` says of the authority.
fn checked(larder: &Larder) -> String {
    let output = larder.run(&["check"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find(|line| line.contains(" authority: ")).unwrap().to_owned()
}

/// What somebody could make who has stolen the authority's key: a certificate for this name.
fn stolen(larder: &Larder, name: &str) -> (CertificateParams, Issuer<'static, KeyPair>) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, told_by_openssl(larder).1);
    let key = fs::read_to_string(larder.state().join("tls-ca-key.pem")).unwrap();
    let issuer = Issuer::new(authority, KeyPair::from_pem(&key).unwrap());
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    (params, issuer)
}

/// Signs it and puts it into files of this name.
fn signed(
    larder: &Larder,
    name: &str,
    params: &CertificateParams,
    by: &Issuer<'_, KeyPair>,
) -> String {
    let key = KeyPair::generate().unwrap();
    let folder = larder.folder_path();
    let certificate = params.signed_by(&key, by).unwrap().pem();
    fs::write(folder.join(format!("{name}.pem")), certificate).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    name.to_owned()
}

/// A server of openssl's with a certificate; killed when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, name: &str) -> Self {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let arguments =
            ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", &certificate, "-key", &key];
        let mut command = program::command(folder, "openssl", &arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_address = |line: &String| line.starts_with("ACCEPT ");
        let line = lines.map_while(Result::ok).find(is_address).expect("it listens");
        let port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
        Self { child, port }
    }

    /// How curl ends that asks it for this name and trusts larder's authority alone.
    fn curl(&self, larder: &Larder, name: &str) -> i32 {
        let authority = larder.state().join("tls-ca.pem");
        let to = format!("{name}:{}:127.0.0.1", self.port);
        let url = format!("https://{name}:{}/", self.port);
        let arguments = [
            "-s",
            "-o",
            "/dev/null",
            "--cacert",
            authority.to_str().unwrap(),
            "--resolve",
            &to,
            &url,
        ];
        program::try_run(larder.folder_path(), "curl", &arguments).status.code().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[test]
fn a_first_start_makes_an_authority_that_others_believe_for_the_house() {
    let larder = Larder::start();
    for name in FILES {
        let mode = larder.state().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let leaf = larder.state().join("tls-cert.pem");
    for more in [
        ["-verify_hostname", "localhost"],
        ["-verify_hostname", "larder.local"],
        ["-verify_ip", "127.0.0.1"],
        ["-verify_ip", "::1"],
    ] {
        let (is_good, told) = verify(&larder, &more, &leaf);
        assert!(is_good, "{more:?}: {told}");
    }
    let (is_good, told) = verify(&larder, &["-verify_hostname", "example.com"], &leaf);
    assert!(!is_good, "{told}");
}

#[test]
fn a_name_outside_is_refused_even_under_the_authority_s_own_key() {
    let larder = Larder::start();
    for (file, name, is_inside) in [
        ("inside", "nas.local", true),
        ("outside", "example.com", false),
        ("address", "1.2.3.4", false),
        ("near", "notlocal", false),
    ] {
        let (params, issuer) = stolen(&larder, name);
        signed(&larder, file, &params, &issuer);
        let path = larder.folder_path().join(format!("{file}.pem"));
        let (is_good, told) = verify(&larder, &[], &path);
        assert_eq!(is_good, is_inside, "{name}: {told}");
        assert!(is_inside || told.contains("permitted subtree violation"), "{told}");
        let server = Server::start(larder.folder_path(), file);
        let ended = server.curl(&larder, name);
        assert_eq!(ended, if is_inside { 0 } else { 60 }, "{name}");
    }
}

#[test]
fn nobody_below_it_is_an_authority() {
    let larder = Larder::start();
    let (mut params, issuer) = stolen(&larder, "nas.local");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "between");
    let between = KeyPair::generate().unwrap();
    let middle = params.signed_by(&between, &issuer).unwrap().pem();
    fs::write(larder.folder_path().join("middle.pem"), middle).unwrap();
    let issuer = Issuer::new(params, between);
    let mut below = CertificateParams::new(vec!["nas.local".to_owned()]).unwrap();
    below.use_authority_key_identifier_extension = true;
    signed(&larder, "below", &below, &issuer);
    let path = larder.folder_path().join("below.pem");
    let (is_good, told) = verify(&larder, &["-untrusted", "middle.pem"], &path);
    assert!(!is_good && told.contains("path length constraint exceeded"), "{told}");
}

#[test]
fn a_restart_keeps_all_of_it() {
    let mut larder = Larder::start();
    let content = |larder: &Larder| FILES.map(|name| fs::read(larder.state().join(name)).unwrap());
    let before = content(&larder);
    larder.restart();
    larder.kill();
    larder.restart();
    assert!(content(&larder) == before);
}

#[test]
fn the_fingerprint_is_the_same_wherever_it_is_told() {
    let larder = Larder::start().user("ana");
    let (fingerprint, subject) = told_by_openssl(&larder);
    assert_eq!(fingerprint.len(), 95, "{fingerprint}");
    let mut banner = Vec::new();
    wait::until("the banner tells of it", || {
        banner.extend(larder.process().next_line(std::time::Duration::from_millis(50)));
        banner.iter().any(|line| line.contains(&fingerprint))
    });
    assert!(banner.iter().any(|line| line.contains(&subject)), "{banner:?}");
    assert!(checked(&larder).contains(&fingerprint), "{}", checked(&larder));
    let version = larder.http("ana").get("/api/get_version").expect(200).json();
    assert_eq!(version["ca_fingerprint"], json!(fingerprint));
    let page = larder.anonymous().get("/ca").expect(200).text().to_owned();
    assert!(page.contains(&fingerprint) && page.contains(&subject), "{page}");
}

#[test]
fn everybody_gets_the_certificate_in_each_form() {
    let larder = Larder::start();
    let der = program::run(
        larder.folder_path(),
        "openssl",
        &["x509", "-outform", "der", "-in", larder.state().join("tls-ca.pem").to_str().unwrap()],
    );
    let certificate = larder.anonymous().get("/ca.crt").expect(200);
    assert_eq!(certificate.header("Content-Type"), Some("application/x-x509-ca-cert"));
    assert_eq!(certificate.body, der.stdout);
    assert_eq!(certificate.header("Cache-Control"), Some("no-store"));
    let profile = larder.anonymous().get("/ca.mobileconfig").expect(200);
    assert_eq!(profile.header("Content-Type"), Some("application/x-apple-aspen-config"));
    fs::write(larder.folder_path().join("profile"), &profile.body).unwrap();
    // What reads Apple's files reads the certificate in it.
    let script = "import plistlib,sys\n\
                  p=plistlib.load(open('profile','rb'))\n\
                  assert p['PayloadType']=='Configuration'\n\
                  c=p['PayloadContent'][0]\n\
                  assert c['PayloadType']=='com.apple.security.root'\n\
                  assert len({p['PayloadUUID'],c['PayloadUUID']})==2\n\
                  sys.stdout.buffer.write(c['PayloadContent'])";
    let read = program::run(larder.folder_path(), "python3", &["-c", script]);
    assert_eq!(read.stdout, der.stdout);
    assert_eq!(larder.anonymous().get("/ca.mobileconfig").body, profile.body);
    for path in PATHS {
        let (head, whole) = (larder.anonymous().head(path), larder.anonymous().get(path));
        let head = head.expect(200);
        assert_eq!(head.header("Content-Type"), whole.header("Content-Type"), "{path}");
        assert!(head.body.is_empty());
        larder.anonymous().post(path, json!({})).expect(405);
    }
}

#[test]
fn the_page_is_for_whoever_asks() {
    let larder = Larder::start();
    let page = |name: &str, value: &str| {
        larder.anonymous().with(name, value).get("/ca").expect(200).text().to_owned()
    };
    assert!(page("Accept-Language", "de-DE,de;q=0.9,en;q=0.8").contains("lang=\"de\""));
    assert!(page("Accept-Language", "fr").contains("lang=\"en\""));
    let open = |agent: &str| {
        let page = page("User-Agent", agent);
        let opened: Vec<&str> = page.split("<details open>").skip(1).collect();
        let [opened] = opened[..] else { panic!("{page}") };
        opened.split("</h2>").next().unwrap().rsplit('>').next().unwrap().to_owned()
    };
    assert_eq!(open("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"), "iPhone, iPad");
    assert_eq!(open("Mozilla/5.0 (Linux; Android 14)"), "Android");
    let mut wire = larder.wire();
    wire.send("GET /ca HTTP/1.1\r\nHost: nas\"><script>x</script>\r\nConnection: close\r\n\r\n");
    let answer = wire.answer();
    assert!(!answer.text().contains("<script"), "{}", answer.text());
    let page = larder.anonymous().get("/ca");
    assert!(page.header("Content-Security-Policy").unwrap().contains("script-src 'self'"));
    assert!(page.text().contains(&format!("https://127.0.0.1:{}/", larder.port())));
}

#[test]
fn with_certificates_of_ones_own_there_is_nothing_to_trust() {
    let larder = Larder::prepare();
    tls::pair(&larder.state(), "own.pem", "own.key");
    let settings = json!({ "tls_cert": "own.pem", "tls_key": "own.key" });
    let larder = larder.settings(&settings).launch().user("ana");
    for path in PATHS {
        larder.anonymous().get(path).expect(404);
    }
    for name in FILES {
        assert!(!larder.state().join(name).exists(), "{name}");
    }
    let version = larder.http("ana").get("/api/get_version").expect(200).json();
    assert!(version.get("ca_fingerprint").is_none(), "{version}");
    assert!(checked(&larder).contains("owner's"), "{}", checked(&larder));
    let renewed = larder.run(&["ca", "renew"], "");
    assert!(!renewed.status.success());
    // Without them larder becomes its own authority, and at once.
    larder
        .http("ana")
        .post("/api/update_settings", json!({ "tls_cert": "", "tls_key": "" }))
        .expect(200);
    for path in PATHS {
        larder.anonymous().get(path).expect(200);
    }
}

#[test]
fn without_https_there_is_nothing_to_trust_until_it_is_spoken() {
    let larder = Larder::prepare().settings(&json!({ "https": "off" })).launch().user("ana");
    for path in PATHS {
        larder.anonymous().get(path).expect(404);
    }
    for name in FILES {
        assert!(!larder.state().join(name).exists(), "{name}");
    }
    assert!(checked(&larder).contains("https is off"), "{}", checked(&larder));
    larder.http("ana").post("/api/update_settings", json!({ "https": "on" })).expect(200);
    let version = larder.http("ana").get("/api/get_version").expect(200).json();
    assert_eq!(version["ca_fingerprint"], json!(told_by_openssl(&larder).0));
    for path in PATHS {
        larder.anonymous().get(path).expect(200);
    }
}

#[test]
fn where_plain_http_leads_to_https_it_is_still_there() {
    let larder = Larder::prepare().settings(&json!({ "https": "only" })).launch();
    for path in PATHS {
        larder.anonymous().get(path).expect(200);
        larder.anonymous().head(path).expect(200);
    }
    larder.anonymous().get("/auth").expect(308);
}

#[test]
fn a_device_that_was_told_asks_nothing() {
    let larder = Larder::start();
    // As the page says.
    let told = format!(
        "curl -s http://127.0.0.1:{}/ca.crt | openssl x509 -inform der > larder-ca.pem",
        larder.port()
    );
    program::run(larder.folder_path(), "sh", &["-c", &told]);
    let asked = |host: &str, more: &[&str]| {
        let url = format!("https://{host}:{}/ca", larder.port());
        let to = format!("{host}:{}:127.0.0.1", larder.port());
        let arguments = ["-s", "-o", "/dev/null", "--resolve", &to, &url];
        let arguments = [&arguments[..], more].concat();
        program::try_run(larder.folder_path(), "curl", &arguments).status.code()
    };
    let trusting = ["--cacert", "larder-ca.pem"];
    for host in ["127.0.0.1", "localhost", "larder.local"] {
        assert_eq!(asked(host, &trusting), Some(0), "{host}");
        assert_eq!(asked(host, &[]), Some(60), "{host}, which nobody was told of");
    }
    assert_eq!(asked("other.local", &trusting), Some(60));
}

#[test]
fn another_authority_is_taken_up_without_a_restart() {
    let larder = Larder::start().user("ana");
    let (before, _) = told_by_openssl(&larder);
    let renewed = larder.run(&["ca", "renew"], "");
    assert!(renewed.status.success(), "{renewed:?}");
    let (after, subject) = told_by_openssl(&larder);
    assert_ne!(after, before);
    let told = String::from_utf8(renewed.stdout).unwrap();
    assert!(told.contains(&after) && told.contains(&subject), "{told}");
    let version = || larder.http("ana").get("/api/get_version").expect(200).json();
    wait::until("the server has it", || version()["ca_fingerprint"] == json!(after));
    let leaf = larder.state().join("tls-cert.pem");
    let (is_good, told) = verify(&larder, &["-verify_hostname", "localhost"], &leaf);
    assert!(is_good, "{told}");
    assert!(larder.anonymous().get("/ca").expect(200).text().contains(&after));
    let nobody = Larder::bare().run(&["ca", "renew"], "");
    assert!(!nobody.status.success());
}

#[test]
fn half_an_authority_on_the_disk_is_survived() {
    let mut larder = Larder::start();
    for name in FILES {
        for content in [None, Some("nonsense")] {
            larder.stop();
            match content {
                None => fs::remove_file(larder.state().join(name)).unwrap(),
                Some(content) => fs::write(larder.state().join(name), content).unwrap(),
            }
            let complaint = checked(&larder);
            let is_of_authority = name.starts_with("tls-ca");
            assert_eq!(complaint.starts_with("WRONG"), is_of_authority, "{name}: {complaint}");
            larder.restart();
            larder.anonymous().get("/ca.crt").expect(200);
            let leaf = larder.state().join("tls-cert.pem");
            let (is_good, told) = verify(&larder, &["-verify_ip", "127.0.0.1"], &leaf);
            assert!(is_good, "{name} {content:?}: {told}");
            assert!(checked(&larder).starts_with("ok"), "{}", checked(&larder));
        }
    }
}

#[test]
fn the_certificate_that_ftp_had_is_replaced_and_kept_aside() {
    let larder = Larder::prepare();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["larder".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "larder");
    let old = params.self_signed(&key).unwrap().pem();
    fs::write(larder.state().join("tls-cert.pem"), &old).unwrap();
    fs::write(larder.state().join("tls-key.pem"), key.serialize_pem()).unwrap();
    let larder = larder.launch().user("ana");
    let leaf = larder.state().join("tls-cert.pem");
    assert!(verify(&larder, &["-verify_hostname", "localhost"], &leaf).0);
    assert_eq!(fs::read_to_string(larder.state().join("tls-cert.pem.before")).unwrap(), old);
    wait::until("the log tells of it", || {
        larder.http("ana").get("/api/get_logs").expect(200).text().contains("put aside")
    });
}

#[test]
fn nobody_reaches_the_key_through_the_share_or_the_api() {
    let larder = Larder::start().user("ana");
    let key = fs::read_to_string(larder.state().join("tls-ca-key.pem")).unwrap();
    let secret: String = key.lines().nth(1).unwrap().to_owned();
    for path in
        ["/api/get_settings", "/api/get_version", "/ca", "/ca.mobileconfig", "/api/get_logs"]
    {
        let told = larder.http("ana").get(path).expect(200).text().to_owned();
        assert!(!told.contains(&secret), "{path}");
    }
    let backup = larder.run(&["backup"], "");
    assert!(backup.status.success(), "{backup:?}");
    let written = String::from_utf8(backup.stdout).unwrap();
    let document = fs::read_to_string(written.trim()).unwrap();
    assert!(!document.contains(&secret) && !document.contains("PRIVATE KEY"));
}
