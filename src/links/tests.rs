//! Links over a real database.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::limits;
use crate::settings::{Roles, Settings};
use crate::store::{NewUser, UserChange};

/// A house with ana (id 1), who may all of `a`, and bea (id 2).
struct House {
    links: Links,
    users: Arc<UserStore>,
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = Arc::new(UserStore::open(&folder.path().join("users.db")).unwrap());
        for name in ["ana", "bea"] {
            let user = NewUser {
                username: name,
                password_hash: "x",
                name,
                role: "family",
                paths: "[\"a\"]",
                paths_write: "[\"a\"]",
                key_hash: name,
                key_hint: "",
            };
            users.insert(&user).unwrap();
        }
        let links = Self::open(&folder, &users, &[7; 32]);
        Self { links, users, folder }
    }

    fn open(folder: &tempfile::TempDir, users: &Arc<UserStore>, secret: &[u8]) -> Links {
        let store = LinkStore::open(&folder.path().join("users.db")).unwrap();
        Links::new(store, Arc::clone(users), secret)
    }

    fn make(&self, path: &str, wanted: &Wanted<'_>) -> Link {
        self.links.create(OWN, &place(path), true, wanted).unwrap()
    }

    fn change_ana(&self, change: UserChange<'_>) {
        self.users.change(1, &change, "admin").unwrap();
    }
}

/// What is ana's own.
const OWN: Owner = of(1);

/// What is somebody's own.
const fn of(user_id: i64) -> Owner {
    Owner { user_id, key_id: None }
}

fn place(path: &str) -> VaultPath {
    VaultPath::parse(path).unwrap()
}

fn read() -> Wanted<'static> {
    Wanted { read: Some(true), ..Wanted::default() }
}

fn both() -> Wanted<'static> {
    Wanted { write: Some(true), ..read() }
}

fn roles() -> Roles {
    let all = serde_json::json!({
        "/api/link/create": ["family"], "/api/download": ["family"], "/api/upload": ["family"],
    });
    Roles::parse(all.as_object().unwrap()).unwrap()
}

/// Settings in which these roles want a second factor.
fn settings(totp_roles: &[&str]) -> Settings {
    let (mut object, _) = Settings::with_defaults(serde_json::Map::new());
    object.insert("totp_roles".to_owned(), totp_roles.into());
    Settings::parse(object).unwrap()
}

impl House {
    /// How a link stands where nobody needs a second factor.
    fn standing(&self, link: &Link, roles: &Roles) -> Result<Standing> {
        self.links.standing(link, Terms { roles, settings: &settings(&[]) })
    }
}

fn without(path: &str) -> Roles {
    let mut all = roles().to_json();
    all[path] = serde_json::json!([]);
    Roles::parse(all.as_object().unwrap()).unwrap()
}

fn is_gone<T>(result: Result<T>) -> bool {
    result.is_err_and(|error| matches!(error, Error::Gone("Link is no longer available")))
}

#[test]
fn a_link_is_found_by_its_token_alone_and_shown_to_who_has_the_secret() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let token = house.links.token(&link).unwrap();
    assert_eq!(house.links.find(&token).unwrap(), link);
    assert_eq!(house.links.find(&token).unwrap(), link, "from memory");
    let other = house.links.keys.token(link.id, &[0; 16]);
    for wrong in ["", "x", &other, &token[1..], &link.token_hash] {
        assert!(matches!(house.links.find(wrong), Err(Error::NotFound("Link not found"))));
    }
    // A new card: the rows came along, the secret did not.
    let moved = House::open(&house.folder, &house.users, &[8; 32]);
    assert_eq!(moved.find(&token).unwrap().id, link.id);
    assert_eq!(moved.token(&link), None);
    moved.edit(link.id, &Wanted::default(), true, |_| Ok(())).unwrap();
    let renewed = moved.by_id(link.id).unwrap();
    assert!(moved.find(&token).is_err() && house.links.find(&token).is_err());
    assert!(moved.find(&moved.token(&renewed).unwrap()).is_ok());
}

#[test]
fn of_racing_downloads_as_many_begin_as_may() {
    for (max, racing) in [(1, 100), (7, 40)] {
        let house = House::new();
        let link = house.make("a/x", &Wanted { downloads_max: Edit::Set(Some(max)), ..read() });
        let (begun, links, id) = (AtomicUsize::new(0), &house.links, link.id);
        std::thread::scope(|scope| {
            for number in 0..racing {
                let begun = &begun;
                scope.spawn(move || match links.begin_download(id, &format!("{number}"), "") {
                    Ok(()) => _ = begun.fetch_add(1, Ordering::Relaxed),
                    other => assert!(is_gone(other)),
                });
            }
        });
        let max = usize::try_from(max).unwrap();
        assert_eq!(begun.into_inner(), max);
        let link = house.links.by_id(link.id).unwrap();
        assert_eq!(link.downloads, i64::try_from(max).unwrap());
        assert_eq!(link.state(true, true, now()), State::UsedUp);
    }
}

#[test]
fn who_has_begun_goes_on_and_anything_else_is_counted() {
    let house = House::new();
    let link = house.make("a/x", &Wanted { downloads_max: Edit::Set(Some(2)), ..read() });
    let begin = |guest, what| house.links.begin_download(link.id, guest, what);
    begin("g", "1").unwrap();
    begin("g", "1").unwrap();
    assert!(house.links.has_begun(link.id, "g", "1").unwrap());
    assert!(!house.links.has_begun(link.id, "g", "2").unwrap());
    assert!(!house.links.has_begun(link.id, "g1", "").unwrap(), "the two are told apart");
    begin("h", "1").unwrap();
    for (guest, what) in [("g", "2"), ("i", "1"), ("g1", ""), ("", "g1")] {
        assert!(is_gone(begin(guest, what)), "{guest} {what}");
    }
    begin("h", "1").unwrap();
    // A day later it begins anew, and there is nothing left.
    let (store, what) = (&house.links.store, digest("h", "1"));
    assert!(store.has_begun(link.id, &what, now()).unwrap());
    assert!(!store.begin_download(link.id, &what, now() + 24 * 3600).unwrap());
    house.links.delete(link.id).unwrap();
    assert!(matches!(begin("h", "1"), Err(Error::NotFound(_))));
}

#[test]
fn uploads_are_counted_before_they_come_and_taken_back_when_they_do_not() {
    let house = House::new();
    let wanted = Wanted {
        write: Some(true),
        upload_bytes_max: Edit::Set(Some(10)),
        upload_files_max: Edit::Set(Some(3)),
        ..Wanted::default()
    };
    let link = house.make("a/x", &wanted);
    let begin = |bytes| house.links.begin_upload(link.id, bytes);
    begin(10).unwrap();
    for bytes in [1, 10, u64::MAX, i64::MAX as u64] {
        assert!(matches!(begin(bytes), Err(Error::LimitReached)), "{bytes}");
    }
    assert_eq!(house.links.by_id(link.id).unwrap().state(true, true, now()), State::UsedUp);
    house.links.take_back_upload(link.id, 10, 1).unwrap();
    for _ in 0..3 {
        begin(1).unwrap();
    }
    assert!(matches!(begin(0), Err(Error::LimitReached)), "three files");
    house.links.take_back_upload(link.id, u64::MAX, 9).unwrap();
    let link = house.links.by_id(link.id).unwrap();
    assert_eq!((link.uploaded_bytes, link.uploaded_files), (0, 0), "never below nothing");
    house.links.delete(link.id).unwrap();
    assert!(matches!(house.links.begin_upload(link.id, 1), Err(Error::NotFound(_))));
}

#[test]
fn an_upload_that_goes_is_taken_back_once_however_often_that_is_said() {
    let house = House::new();
    let link = house.make("a/x", &both());
    let counted = || {
        let link = house.links.by_id(link.id).unwrap();
        (link.uploaded_files, link.uploaded_bytes)
    };
    for bytes in [10, 5, 1] {
        house.links.begin_upload(link.id, bytes).unwrap();
    }
    // Killed before it was removed, larder says it again.
    for _ in 0..2 {
        house.links.return_upload(link.id, "first", 10).unwrap();
        assert_eq!(counted(), (2, 6));
    }
    house.links.upload_was_returned("first").unwrap();
    house.links.return_upload(link.id, "second", 5).unwrap();
    assert_eq!(counted(), (1, 1));
    house.links.return_upload(5, "of no link", 5).unwrap();
}

#[test]
fn a_guest_is_new_once_a_day_and_mostly_nothing_is_written() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let (store, noon) = (&house.links.store, 1_800_014_400);
    let seen = |guest: &str, now| store.seen(link.id, &digest(guest, ""), now).unwrap();
    assert!(seen("g", noon) && seen("h", noon));
    assert!(!seen("g", noon + 30) && !seen("h", noon + 3600));
    assert_eq!(house.links.by_id(link.id).unwrap().last_used, Some(noon + 3600));
    assert!(seen("g", noon + 24 * 3600));
    for number in 0..2 * limits::LINK_GUESTS_PER_DAY_MAX {
        let is_told = seen(&number.to_string(), noon + 24 * 3600);
        assert_eq!(is_told, number + 1 < limits::LINK_GUESTS_PER_DAY_MAX, "{number}");
    }
    assert!(!store.seen(5, &digest("g", ""), noon).unwrap(), "of no link");
}

#[test]
fn a_crowd_of_new_guests_writes_once_in_a_while_and_its_rows_go_again() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let store = &house.links.store;
    let rows = |table| store.rows(table);
    let written = || house.folder.path().join("users.db-wal").metadata().unwrap().len();
    let (noon, day) = (1_800_014_400, 24 * 3600);
    store.write_uses(noon, false).unwrap();
    let before = written();
    for number in 0..500 {
        let (guest, what) = (number.to_string(), digest(&number.to_string(), "a.jpg"));
        assert!(store.begin_download(link.id, &what, noon).unwrap());
        assert!(store.begin_download(link.id, &what, noon).unwrap());
        assert!(store.seen(link.id, &digest(&guest, ""), noon).unwrap());
        store.write_uses(noon, false).unwrap();
    }
    assert!(written() - before < 64 << 10, "{} bytes", written() - before);
    assert_eq!(house.links.by_id(link.id).unwrap().downloads, 500);
    store.write_uses(noon, true).unwrap();
    assert!(written() - before < 256 << 10, "{} bytes", written() - before);
    assert_eq!((rows("link_downloads"), rows("link_guests")), (0, 500));
    let after = House::open(&house.folder, &house.users, &[7; 32]);
    let told = after.by_id(link.id).unwrap();
    assert_eq!((told.downloads, told.last_used), (500, Some(noon)));
    assert!(!after.store.seen(link.id, &digest("7", ""), noon + 1).unwrap(), "told on this day");
    after.store.write_uses(noon + day, false).unwrap();
    assert_eq!(rows("link_guests"), 0);
}

#[test]
fn a_limit_that_comes_later_counts_what_has_begun_before() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let begin = |guest| house.links.begin_download(link.id, guest, "1");
    let limit = |max| {
        let wanted = Wanted { downloads_max: Edit::Set(max), ..Wanted::default() };
        house.links.edit(link.id, &wanted, false, |_| Ok(())).unwrap();
    };
    begin("g").unwrap();
    begin("h").unwrap();
    limit(Some(3));
    begin("i").unwrap();
    assert!(is_gone(begin("j")));
    for known in ["g", "h", "i"] {
        begin(known).unwrap();
    }
    limit(None);
    begin("j").unwrap();
    limit(Some(4));
    assert_eq!(house.links.by_id(link.id).unwrap().downloads, 4);
    begin("j").unwrap();
    assert!(is_gone(begin("k")));
    let store = &house.links.store;
    store.write_uses(now() + 2 * 24 * 3600, false).unwrap();
    let what = digest("i", "1");
    assert!(!store.begin_download(link.id, &what, now() + 2 * 24 * 3600).unwrap());
}

#[test]
fn a_link_can_what_its_maker_may_at_this_moment() {
    let house = House::new();
    let link = house.make("a/x", &both());
    let standing = |roles: &Roles| house.standing(&link, roles);
    let can = |roles: &Roles| standing(roles).map(|now| (now.read, now.write)).ok();
    assert_eq!(can(&roles()), Some((true, true)));
    let Standing { maker, grant, .. } = standing(&roles()).unwrap();
    assert_eq!(maker.username, "ana");
    assert!(grant.may_read(&place("a/x/y")) && !grant.may_read(&place("a/y")));
    assert_eq!(can(&without("/api/download")), Some((false, true)));
    assert_eq!(can(&without("/api/upload")), Some((true, false)));
    assert!(is_gone(standing(&without("/api/link/create"))));
    let nothing = Roles::default();
    assert!(is_gone(standing(&nothing)));
    // Narrowed to a part of it, to something beside it, and to nothing.
    let paths = |read, write| {
        let change =
            UserChange { paths: Some(read), paths_write: Some(write), ..UserChange::default() };
        house.change_ana(change);
    };
    paths("[\"a/x/part\"]", "[]");
    let narrow = standing(&roles()).unwrap();
    assert!((narrow.read, narrow.write) == (true, false));
    assert!(narrow.grant.may_read(&place("a/x/part/1")) && !narrow.grant.may_read(&link.path));
    paths("[\"a/y\"]", "[\"a/x2\"]");
    assert!(is_gone(standing(&roles())));
    paths("[\"\"]", "[]");
    assert_eq!(can(&roles()), Some((true, false)));
    house.change_ana(UserChange { role: Some("guest"), ..UserChange::default() });
    assert!(is_gone(standing(&roles())));
}

#[test]
fn a_link_is_closed_while_its_maker_lacks_the_second_factor_of_their_role() {
    let house = House::new();
    let link = house.make("a/x", &both());
    let roles = roles();
    let (unwanted, wanted) = (settings(&["admin"]), settings(&["family"]));
    let terms = |settings| Terms { roles: &roles, settings };
    let stands = |settings| house.links.standing(&link, terms(settings)).is_ok();
    let gives = |settings| house.links.ask_maker(&link, terms(settings), true, true).is_ok();
    assert!(stands(&unwanted) && gives(&unwanted));
    assert!(is_gone(house.links.standing(&link, terms(&wanted))) && !gives(&wanted));
    let ana = house.users.by_id(1).unwrap().unwrap();
    house.users.turn_factor_on(&ana, "sealed", 0, &[]).unwrap();
    assert!(stands(&wanted) && gives(&wanted));
}

#[test]
fn a_file_is_shared_whole_or_not_at_all() {
    let house = House::new();
    let link = house.links.create(OWN, &place("a/f"), false, &both()).unwrap();
    assert!(!link.write, "nothing is brought into a file");
    assert!(house.standing(&link, &roles()).unwrap().read);
    house.change_ana(UserChange { paths: Some("[\"a/f/below\"]"), ..UserChange::default() });
    assert!(is_gone(house.standing(&link, &roles())));
}

#[test]
fn time_closes_a_link_and_nobody_guesses_the_time() {
    let house = House::new();
    let then = limits::CLOCK_SET_FROM_S + 1000;
    let link = house.make("a/x", &Wanted { expires: Edit::Set(Some(then)), ..read() });
    let (roles, settings) = (roles(), settings(&[]));
    let terms = Terms { roles: &roles, settings: &settings };
    let admit = |now| house.links.admit(&link, terms, now);
    assert!(admit(then - 1).is_ok() && is_gone(admit(then)));
    assert!(matches!(admit(5), Err(Error::ClockNotSet)));
    let state = |now| link.state(true, true, now);
    assert_eq!(
        [state(5), state(then - 1), state(then)],
        [State::Closed, State::Open, State::Expired]
    );
    assert_eq!(link.state(false, true, then - 1), State::Closed);
    assert_eq!(link.state(true, false, then - 1), State::Closed);
    let forever = house.make("a/x", &read());
    assert!(house.links.admit(&forever, terms, 5).is_ok());
}

#[test]
fn another_password_or_token_ends_guests_sessions_and_nothing_else_does() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let guest = Guest::new(&"ü".repeat(100), now()).unwrap();
    assert_eq!(guest.name, "ü".repeat(32));
    let cookie = house.links.seal(&link, &guest);
    let still = || house.links.unseal(&house.links.by_id(link.id).unwrap(), &cookie).is_some();
    let edit = |wanted, renew| house.links.edit(link.id, &wanted, renew, |_| Ok(())).unwrap();
    edit(Wanted { label: Some("x"), expires: Edit::Set(None), ..Wanted::default() }, false);
    assert!(still());
    edit(Wanted { password_hash: Edit::Set(Some("$argon2id$x")), ..Wanted::default() }, false);
    assert!(!still());
    let cookie = house.links.seal(&house.links.by_id(link.id).unwrap(), &guest);
    edit(Wanted::default(), true);
    assert_eq!(house.links.unseal(&house.links.by_id(link.id).unwrap(), &cookie), None);
}

#[test]
fn an_edit_that_is_refused_changes_nothing() {
    let house = House::new();
    let link = house.make("a/x", &read());
    let wanted = Wanted { read: Some(false), ..Wanted::default() };
    let refuse = |link: &Link| if link.read { Ok(()) } else { Err(Error::Forbidden) };
    assert!(matches!(house.links.edit(link.id, &wanted, true, refuse), Err(Error::Forbidden)));
    assert_eq!(house.links.by_id(link.id).unwrap(), link);
    assert!(matches!(house.links.edit(5, &wanted, true, |_| Ok(())), Err(Error::NotFound(_))));
}

#[test]
fn links_follow_a_folder_and_nothing_beside_it_and_go_with_their_maker() {
    let house = House::new();
    let paths = ["a/x", "a/x/y", "a/x/ü/z", "a/x2", "a/x-", "a", "x"];
    let ids: Vec<i64> = paths.iter().map(|path| house.make(path, &read()).id).collect();
    let store = &house.links.store;
    let leads: Vec<bool> = ["a/x", "a/x/y", "a/x/", "a/", "b"]
        .iter()
        .map(|path| store.leads_into(path).unwrap())
        .collect();
    assert_eq!(leads, [true, true, false, false, false]);
    store.note_moves(&[("a/x", "b/ö"), ("a", "c")]).unwrap();
    store.follow(&[("a/x", "b/ö")]).unwrap();
    assert_eq!(store.noted_moves().unwrap(), [("a".to_owned(), "c".to_owned())]);
    store.forget_moves(&["a"]).unwrap();
    assert!(store.noted_moves().unwrap().is_empty());
    let now = |id: &i64| house.links.by_id(*id).unwrap().path.to_string();
    let moved: Vec<String> = ids.iter().map(now).collect();
    assert_eq!(moved, ["b/ö", "b/ö/y", "b/ö/ü/z", "a/x2", "a/x-", "a", "x"]);
    let bea = house.links.create(of(2), &place("a"), true, &read()).unwrap();
    house.links.begin_download(ids[0], "g", "").unwrap();
    house.links.seen(ids[0], "g").unwrap();
    let token = house.links.token(&house.links.by_id(ids[0]).unwrap()).unwrap();
    house.links.find(&token).unwrap();
    house.users.delete("ana", "admin", |_| Ok(false)).unwrap();
    let left = house.links.find(&token).unwrap();
    assert!(is_gone(house.standing(&left, &roles())), "nobody's");
    assert_eq!(house.links.after(Some(OWN), None, 100).unwrap().0, []);
    assert_eq!(house.links.after(Some(of(2)), None, 100).unwrap().0, [bea]);
}

#[test]
fn a_user_has_so_many_links_and_no_more() {
    let house = House::new();
    for _ in 0..limits::LINKS_PER_USER_MAX {
        house.make("a", &read());
    }
    let one_more = |user| house.links.create(of(user), &place("a"), true, &read());
    assert!(matches!(one_more(1), Err(Error::Conflict("Too many links"))));
    assert!(one_more(2).is_ok());
    let (mut found, mut last) = house.links.after(Some(OWN), None, 99).unwrap();
    while last.is_some() {
        let (page, next) = house.links.after(Some(OWN), last, 99).unwrap();
        (last, found) = (next, [found, page].concat());
    }
    let different: std::collections::BTreeSet<i64> = found.iter().map(|link| link.id).collect();
    assert_eq!(different.len(), 500);
    assert_eq!(found.len(), 500);
}
