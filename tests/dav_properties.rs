//! `WebDAV`: `PROPFIND` and `PROPPATCH` (second contract, section 14), and the bodies that come with them.

use crate::harness::dav::{self, Dav, addresses, value};
use crate::harness::{Answer, Larder};

/// A larder with ana, who may everything.
fn house() -> Larder {
    dav::house().file("d/a.txt", "0123456789").folder("d/sub")
}

/// A body that asks for these properties.
fn wanted(properties: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>{properties}</D:prop></D:propfind>"
    )
}

/// A body that changes properties.
fn update(steps: &str) -> String {
    format!(
        "<D:propertyupdate xmlns:D=\"DAV:\" xmlns:Z=\"urn:schemas-microsoft-com:\" xmlns:x=\"urn:x\">{steps}</D:propertyupdate>"
    )
}

/// The same, that sets these.
fn set(properties: &str) -> String {
    update(&format!("<D:set><D:prop>{properties}</D:prop></D:set>"))
}

/// Changes properties.
#[track_caller]
fn patch(client: &Dav<'_>, target: &str, body: &str) -> Answer {
    client.ask("PROPPATCH", target, &[], body.as_bytes())
}

/// Whether this filesystem has attributes: without there is nothing to be kept.
fn keeps(ana: &Dav<'_>) -> bool {
    let answer = patch(ana, "/dav/d/a.txt", &set("<x:probe/>")).expect(207);
    let keeps = answer.text().contains("HTTP/1.1 200 OK");
    assert!(keeps || answer.text().contains("HTTP/1.1 403"), "{answer}");
    keeps
}

#[test]
fn all_is_told_of_a_file_and_of_a_folder() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for body in ["", "<D:propfind xmlns:D='DAV:'><D:allprop/></D:propfind>"] {
        let file = ana.find("/dav/d/a.txt", "0", body).expect(207);
        assert_eq!(file.header("Content-Type"), Some("application/xml; charset=utf-8"));
        assert_eq!(addresses(&file), ["/dav/d/a.txt"]);
        assert_eq!(value(&file, "displayname").as_deref(), Some("a.txt"));
        assert_eq!(value(&file, "getcontentlength").as_deref(), Some("10"));
        assert_eq!(value(&file, "getcontenttype").as_deref(), Some("text/plain; charset=utf-8"));
        assert!(file.text().contains("<D:resourcetype/>") && !file.text().contains("quota"));
        let tag = value(&file, "getetag").unwrap().replace("&quot;", "\"");
        let get = ana.say("GET", "/dav/d/a.txt").expect(200);
        assert_eq!(get.header("ETag"), Some(&*tag));
        assert_eq!(get.header("Last-Modified"), value(&file, "getlastmodified").as_deref());
        let folder = ana.find("/dav/d", "0", body).expect(207);
        assert_eq!(addresses(&folder), ["/dav/d/"]);
        assert_eq!(value(&folder, "resourcetype").as_deref(), Some("<D:collection/>"));
        for none in ["getcontentlength", "getcontenttype", "getetag"] {
            assert!(!folder.text().contains(none), "{folder}");
        }
    }
    let list = ana.find("/dav/d/", "1", "").expect(207);
    assert_eq!(addresses(&list), ["/dav/d/", "/dav/d/a.txt", "/dav/d/sub/"]);
}

#[test]
fn depth_is_finite() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    for more in [&[][..], &[("Depth", "infinity")], &[("Depth", "Infinity")]] {
        let answer = ana.ask("PROPFIND", "/dav/d", more, b"").expect(403);
        assert!(answer.text().contains("<D:propfind-finite-depth/>"), "{answer}");
        ana.ask("PROPFIND", "/dav/d/a.txt", more, b"").expect(207);
    }
    for depth in ["2", "", "x", "-1", "1,0", "01"] {
        ana.find("/dav/d", depth, "").expect(400);
    }
    ana.find("/dav/none", "1", "").expect(404);
    ana.find("/dav/d/a.txt", "1", "").expect(207);
}

#[test]
fn what_is_named_is_told_and_what_is_not_there_too_unless_that_is_not_wanted() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let body = wanted("<D:getcontentlength/><D:nothing/><y xmlns='urn:y'/><z xmlns=''/>");
    let answer = ana.find("/dav/d/a.txt", "0", &body).expect(207);
    assert!(answer.text().contains(
        "<D:nothing/><x:y xmlns:x=\"urn:y\"/><z/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status>"
    ), "{answer}");
    for field in [("Brief", "t"), ("Prefer", "depth-noroot, return=minimal")] {
        let answer = ana.ask("PROPFIND", "/dav/d/a.txt", &[("Depth", "0"), field], body.as_bytes());
        assert!(!answer.expect(207).text().contains("404"));
    }
    let folder = ana.find("/dav/d", "0", &wanted("<D:getcontentlength/><D:getetag/>")).expect(207);
    assert!(folder.text().contains("404") && !folder.text().contains("200 OK"), "{folder}");
    let quota = wanted("<D:quota-available-bytes/><D:quota-used-bytes/>");
    let folder = ana.find("/dav/d", "0", &quota).expect(207);
    assert!(value(&folder, "quota-available-bytes").unwrap().parse::<u64>().unwrap() > 0);
    assert!(value(&folder, "quota-used-bytes").unwrap().parse::<u64>().unwrap() > 0);
    assert!(ana.find("/dav/d/a.txt", "0", &quota).expect(207).text().contains("404"));
    let include = "<D:propfind xmlns:D='DAV:'><D:allprop/><D:include><D:quota-used-bytes/><D:displayname/></D:include></D:propfind>";
    let all = ana.find("/dav/d", "0", include).expect(207);
    assert!(value(&all, "quota-used-bytes").is_some(), "{all}");
    assert_eq!(all.text().matches("<D:displayname>").count(), 1, "{all}");
    let names =
        ana.find("/dav/d/a.txt", "0", "<propfind xmlns='DAV:'><propname/></propfind>").expect(207);
    assert!(names.text().contains("<D:getetag/><D:getlastmodified/>"), "{names}");
}

#[test]
fn the_very_top_has_one_member() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    assert_eq!(addresses(&ana.find("/", "0", "").expect(207)), ["/"]);
    assert_eq!(addresses(&ana.find("/", "1", "").expect(207)), ["/", "/dav/"]);
    ana.ask("PROPFIND", "/", &[], b"").expect(403);
    Dav::nobody(&larder).find("/", "0", "").expect(401);
}

#[test]
fn bodies_that_are_none_are_refused() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let xmlns: String =
        (0..5000).fold(String::new(), |text, number| text + &format!(" xmlns:a{number}='u'"));
    let laughs = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><propfind xmlns='DAV:'><prop>&b;</prop></propfind>";
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    let many = wanted(&"<D:a/>".repeat(101));
    let set_many = set(&"<x:a/>".repeat(101));
    for body in [
        "x",
        "<",
        "<propfind/>",
        "<D:propfind/>",
        "<D:propfind xmlns:D='DAV:'/>",
        "<D:propfind xmlns:D='DAV:'><D:prop><y:a/></D:prop></D:propfind>",
        "<D:lockinfo xmlns:D='DAV:'/>",
        "<?xml version='1.0' encoding='latin1'?><propfind xmlns='DAV:'><allprop/></propfind>",
        &format!("<propfind xmlns='DAV:'{xmlns}/>")[..60_000],
        laughs,
        &wanted(&deep),
        &many,
        &set_many,
    ] {
        ana.find("/dav/d", "0", body).expect(400);
        patch(&ana, "/dav/d/a.txt", body).expect(400);
    }
    let external =
        "<!DOCTYPE p SYSTEM 'file:///etc/passwd'><propfind xmlns='DAV:'><allprop/></propfind>";
    ana.find("/dav/d", "0", external).expect(400);
    patch(&ana, "/dav/d/a.txt", "").expect(400);
    patch(&ana, "/dav/d/a.txt", &update("")).expect(400);
    let large = wanted(&format!("<!--{}-->", "x".repeat(66_000)));
    ana.find("/dav/d", "0", &large).expect(413);
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = [("Depth", "0"), ("Transfer-Encoding", "chunked")];
    ana.ask("PROPFIND", "/dav/d", &chunked, chunk.as_bytes()).expect(413);
    // What is not known is passed over.
    let odd = "<D:propfind xmlns:D='DAV:'><E:other xmlns:E='urn:e'/><D:prop><D:getetag/></D:prop></D:propfind>";
    ana.find("/dav/d", "0", odd).expect(207);
}

#[test]
fn what_clients_keep_with_a_file_is_given_back_as_it_came() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    if !keeps(&ana) {
        return;
    }
    let body = update(
        "<D:set xml:lang='de'><D:prop><x:author a='1 &amp; 2'>J\u{fc}rgen <b xmlns='urn:b'>&lt;x&gt;</b></x:author><y xmlns=''/></D:prop></D:set>\
         <E:unknown xmlns:E='urn:e'/>",
    );
    let answer = patch(&ana, "/dav/d/a.txt", &body).expect(207);
    assert!(
        answer.text().contains(
            "<D:prop><x:author xmlns:x=\"urn:x\"/><y/></D:prop><D:status>HTTP/1.1 200 OK"
        ),
        "{answer}"
    );
    let kept = "<x:author xmlns:x=\"urn:x\" a=\"1 &amp; 2\" xml:lang=\"de\">J\u{fc}rgen <b xmlns=\"urn:b\">&lt;x&gt;</b></x:author>";
    for (asked, depth) in [("/dav/d/a.txt", "0"), ("/dav/d", "1")] {
        for body in ["", &wanted("<x:author xmlns:x='urn:x'/>")] {
            let told = ana.find(asked, depth, body).expect(207);
            assert!(told.text().contains(kept), "{told}");
        }
    }
    let names =
        ana.find("/dav/d/a.txt", "0", "<propfind xmlns='DAV:'><propname/></propfind>").expect(207);
    assert!(names.text().contains("<x:author xmlns:x=\"urn:x\"/>"), "{names}");
    // It goes where the file goes, by whatever door.
    let has_it = |target: &str| ana.find(target, "0", "").expect(207).text().contains(kept);
    ana.put("/dav/d/a.txt", "new content").expect(204);
    assert!(has_it("/dav/d/a.txt"));
    ana.bring("COPY", "/dav/d/a.txt", "/dav/d/copy", &[]).expect(201);
    ana.bring("MOVE", "/dav/d/copy", "/dav/d/moved", &[]).expect(201);
    assert!(has_it("/dav/d/moved"));
    let rename = serde_json::json!({ "path": "d", "file_name": "moved", "new_name": "renamed" });
    larder.session("ana").post("/api/rename_file", rename).expect(200);
    assert!(has_it("/dav/d/renamed"));
    patch(
        &ana,
        "/dav/d/renamed",
        &update("<D:remove><D:prop><x:author/><x:none/></D:prop></D:remove>"),
    )
    .expect(207);
    assert!(!has_it("/dav/d/renamed"));
    // Folders have them, too.
    patch(&ana, "/dav/d/sub", &set("<x:c>1</x:c>")).expect(207);
    ana.bring("COPY", "/dav/d/sub", "/dav/d/sub2", &[("Depth", "0")]).expect(201);
    assert!(
        ana.find("/dav/d/sub2", "0", "")
            .expect(207)
            .text()
            .contains("<x:c xmlns:x=\"urn:x\">1</x:c>")
    );
}

#[test]
fn a_change_is_made_whole_or_not_at_all() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let kept = || {
        ana.find("/dav/d/a.txt", "0", &wanted("<x:n xmlns:x='urn:x'/>"))
            .expect(207)
            .text()
            .contains("<x:n xmlns:x=\"urn:x\">")
    };
    for live in [
        "getetag",
        "getcontentlength",
        "resourcetype",
        "displayname",
        "creationdate",
        "lockdiscovery",
        "quota-used-bytes",
    ] {
        let answer =
            patch(&ana, "/dav/d/a.txt", &set(&format!("<x:n>1</x:n><D:{live}>x</D:{live}>")))
                .expect(207);
        assert!(answer.text().contains(&format!(
            "<D:{live}/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/></D:error>"
        )), "{answer}");
        assert!(
            answer.text().contains("<x:n xmlns:x=\"urn:x\"/></D:prop><D:status>HTTP/1.1 424"),
            "{answer}"
        );
        assert!(!kept());
    }
    let wrong = patch(
        &ana,
        "/dav/d/a.txt",
        &set("<x:n>1</x:n><Z:Win32LastModifiedTime>soon</Z:Win32LastModifiedTime>"),
    )
    .expect(207);
    assert!(
        wrong.text().contains("409 Conflict") && wrong.text().contains("424") && !kept(),
        "{wrong}"
    );
    if !keeps(&ana) {
        return;
    }
    let large = format!("<x:big>{}</x:big>", "y".repeat(3100));
    let answer = patch(
        &ana,
        "/dav/d/a.txt",
        &set(&format!("{large}<Z:Win32FileAttributes>20</Z:Win32FileAttributes>")),
    )
    .expect(207);
    assert!(
        answer.text().contains("507 Insufficient Storage") && answer.text().contains("424"),
        "{answer}"
    );
    assert!(!ana.find("/dav/d/a.txt", "0", "").expect(207).text().contains("yyy"));
}

#[test]
fn windows_dates_files_and_its_other_times_are_forgotten() {
    let larder = house();
    let ana = Dav::of(&larder, "ana");
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let body = set(&format!(
        "<Z:Win32CreationTime>{date}</Z:Win32CreationTime><Z:Win32LastAccessTime>{date}</Z:Win32LastAccessTime>\
         <Z:Win32LastModifiedTime>{date}</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes>"
    ));
    let answer = patch(&ana, "/dav/d/a.txt", &body).expect(207);
    assert_eq!(answer.text().matches("<D:status>").count(), 1, "{answer}");
    assert!(answer.text().contains("HTTP/1.1 200 OK"), "{answer}");
    let told = ana.find("/dav/d/a.txt", "0", "").expect(207);
    assert_eq!(value(&told, "getlastmodified").as_deref(), Some(date));
    assert!(!told.text().contains("Win32"), "{told}");
    patch(&ana, "/dav/d/none", &body).expect(404);
}

#[test]
fn a_large_folder_is_told_while_it_is_read() {
    let larder = house();
    for number in 0..3000 {
        larder.write(&format!("many/file number {number}"), "");
    }
    let ana = Dav::of(&larder, "ana");
    let answer = ana.find("/dav/many", "1", "").expect(207);
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    let told = addresses(&answer);
    assert_eq!(told.len(), 3001);
    assert!(answer.text().ends_with("</D:multistatus>\n"));
}
