//! `/s/<token>/uploads`: what people without an account bring by a link (second contract, sections 15 and 16). Nothing
//! that is there is touched, and where nothing may be read nothing is told of it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::app::App;
use crate::auth::throttle::network_of;
use crate::error::{Error, Result, Why};
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::guests;
use crate::http::handlers::guest;
use crate::http::handlers::resumable::{
    self, About, Beginning, Begun, Desk, Dropped, GoingOn, Listed, Stands, WentOn,
};
use crate::http::handlers::wish::Wish;
use crate::limits;
use crate::notify::{Kind, News};
use crate::vault::{IfExists, Share, VaultPath};
use crate::zone;

/// Where guests' uploads are taken in.
struct Guests {
    /// The house.
    app: Arc<App>,
    /// By which link they come.
    link_id: i64,
    /// What stands before the ids of uploads in an address.
    address: String,
    /// Whose the guest's uploads are: their own, if they can be told apart, else everybody's who cannot.
    owners: Vec<String>,
    /// Whether they can be told apart.
    is_known: bool,
    /// What they are known by: their cookie, else where they are.
    known_by: String,
    /// Where they are.
    from: IpAddr,
    /// The network of that, as the vault keeps it.
    network: String,
    /// What the link opens.
    place: VaultPath,
    /// The folder in it where this guest's files go.
    folder: VaultPath,
    /// Whether they may read.
    may_read: bool,
    /// What they call themselves; empty if they do not.
    name: String,
}

impl Guests {
    /// For the guest who asks.
    ///
    /// Errors: `Refused`, `Gone`, `StorageAbsent`.
    fn of(call: &Call<'_>) -> Result<Self> {
        let link = guest::link_of(call, call.guest()?)?;
        let _it_is_there = guest::opened(call)?;
        let guest = call.guest()?;
        let owner = |who: &str| call.app.owner_by_link(link.id, who);
        let own = guest.id.as_deref().map(owner);
        let folder = if link.guest_folders { Some(folder_name(&guest.name)) } else { None };
        Ok(Self {
            app: Arc::clone(call.app),
            link_id: link.id,
            address: format!("/s/{}/uploads/", guests::token_of(call.request)),
            is_known: own.is_some(),
            owners: own.into_iter().chain([owner("")]).collect(),
            known_by: guest.known_by(call.address),
            from: call.address,
            network: network_of(call.address).to_string(),
            folder: folder.map_or(Ok(link.path.clone()), |name| link.path.child(&name))?,
            place: link.path,
            may_read: guest.may_read(),
            name: guest.name.clone(),
        })
    }
}

impl Desk for Guests {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn owner(&self) -> &str {
        self.owners.first().map_or("", String::as_str)
    }

    fn network(&self) -> Option<&str> {
        Some(&self.network)
    }

    fn owners(&self) -> &[String] {
        &self.owners
    }

    fn listed(&self) -> Option<&str> {
        Some(self.owner()).filter(|_| self.is_known)
    }

    fn told_apart_by(&self) -> Option<String> {
        (!self.is_known).then(|| self.known_by.clone())
    }

    fn wish(&self, metadata: &str) -> Result<Wish> {
        let wish = Wish::parse_but(metadata, IfExists::Rename)?;
        let is_hidden = wish.path.components().any(|name| name.starts_with('.'));
        if is_hidden {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        let path = VaultPath::parse(self.folder.join_path(&wish.path).as_str())?;
        // Whether or not anything is there by that name, as the answer must not tell it.
        if !path.has_room_for_numbers() {
            return Err(Error::invalid_as(Why::Path, "Invalid path"));
        }
        Ok(Wish { path, ..wish })
    }

    fn place(&self, share: &Share, path: VaultPath) -> Result<VaultPath> {
        share.way_around(&self.place, &path)
    }

    fn look_again(&self, share: &Share) -> Result<()> {
        guest::must_be_there(share, true).map(drop)
    }

    fn count(&self, length: u64) -> Result<()> {
        let counted = self.app.links.begin_upload(self.link_id, length);
        if counted.is_err() {
            self.app.links.losses.lost(self.link_id, self.from);
        }
        match counted {
            Err(Error::NotFound(_)) => Err(crate::links::NO_LONGER),
            counted => counted,
        }
    }

    fn uncount(&self, length: u64) {
        self.app.links.losses.lost(self.link_id, self.from);
        // The worst is a link that takes less than it might.
        let _counted_for_nothing = self.app.links.take_back_upload(self.link_id, length, 1);
    }

    fn has_come(&self, path: &VaultPath) {
        let who = if self.name.is_empty() { "Somebody" } else { &self.name };
        let text = format!("{who} brought {} by a link.", path.as_str());
        let news = News::new(Kind::LinkUpload, &text).by(&self.name);
        self.app.notifier.raise(news.about(path.as_str()));
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn told(&self, path: &VaultPath, metadata: &str) -> String {
        let told = if self.may_read {
            path.below(&self.place)
        } else {
            Wish::parse_but(metadata, IfExists::Rename).ok().map(|wish| wish.path)
        };
        told.unwrap_or_default().as_str().to_owned()
    }
}

/// Whether a letter shows nothing, or only changes how others are shown: a name of such letters looks like none, or
/// like another.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// What the folder of a guest is called who calls themselves so; of one who does not, by the day.
fn folder_name(name: &str) -> String {
    let plain = |letter: char| if letter == '/' || letter.is_control() { '_' } else { letter };
    let name: String = name.chars().filter(|letter| !is_unseen(*letter)).map(plain).collect();
    let name = name.get(..name.floor_char_boundary(limits::GUEST_NAME_BYTES_MAX));
    let name = name.unwrap_or_default().trim().trim_end_matches('.').trim_end();
    if name.is_empty() {
        return zone::now().strftime("%Y-%m-%d").to_string();
    }
    // Neither hidden nor one that is not meant as it is written.
    match name.strip_prefix(['.', '%']) {
        Some(rest) => format!("_{rest}"),
        None => name.to_owned(),
    }
}

/// `POST /s/<token>/uploads`.
///
/// Errors: those of `resumable::begin`; `Gone`; `TooSoon` (much was begun from there and lost again).
pub fn begin(call: &mut Call<'_>, _: Beginning) -> Result<Begun> {
    let desk = Guests::of(call)?;
    call.app.links.losses.admit(desk.link_id, desk.from)?;
    resumable::begin(call, &desk)
}

/// `GET /s/<token>/uploads`.
///
/// Errors: those of `resumable::list`; `Gone`.
pub fn list(call: &mut Call<'_>, _: About) -> Result<Answer<Vec<Listed>>> {
    let desk = Guests::of(call)?;
    resumable::list(call, &desk)
}

/// `PATCH /s/<token>/uploads/<id>`.
///
/// Errors: those of `resumable::go_on`; `Gone`.
pub fn go_on(call: &mut Call<'_>, _: GoingOn) -> Result<WentOn> {
    let desk = Guests::of(call)?;
    resumable::go_on(call, &desk)
}

/// `HEAD /s/<token>/uploads/<id>`.
///
/// Errors: those of `resumable::look`; `Gone`.
pub fn look(call: &mut Call<'_>, _: About) -> Result<Stands> {
    let desk = Guests::of(call)?;
    resumable::look(call, &desk)
}

/// `DELETE /s/<token>/uploads/<id>`.
///
/// Errors: those of `resumable::remove`; `Gone`.
pub fn remove(call: &mut Call<'_>, _: About) -> Result<Dropped> {
    let desk = Guests::of(call)?;
    resumable::remove(call, &desk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_guests_folder_is_named_by_what_they_call_themselves() {
        for (name, folder) in [
            ("Oma", "Oma"),
            ("  Oma Ünal ", "Oma Ünal"),
            ("../../etc", "_./../etc".replace('/', "_").as_str()),
            ("a/b\n", "a_b_"),
            (".larder", "_larder"),
            ("%=%2E", "_=%2E"),
            ("Oma...", "Oma"),
            ("\u{202e}gnp.Oma\u{200b}", "gnp.Oma"),
            ("\u{200b}.larder", "_larder"),
        ] {
            assert_eq!(folder_name(name), folder, "{name}");
        }
        for nameless in ["", " ", "...", "..", ".", "\u{202e}", "\u{200b} \u{2066}"] {
            let day = folder_name(nameless);
            assert!(day.len() == 10 && day.starts_with("20"), "{day}");
        }
    }

    proptest! {
        #[test]
        fn it_is_always_one_plain_name(name in any::<String>()) {
            let folder = folder_name(&name);
            prop_assert!(folder.len() <= limits::GUEST_NAME_BYTES_MAX + 1);
            prop_assert!(!folder.starts_with('.'));
            let place = VaultPath::root().child(&folder).unwrap();
            prop_assert_eq!(place.components().count(), 1);
            prop_assert_eq!(place.as_str(), folder);
        }
    }
}
