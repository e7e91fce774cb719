//! `/api/uploads`: uploads of users that go on where they broke off.

use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::handlers::resumable::{
    self, About, Beginning, Begun, Desk, Dropped, GoingOn, Listed, Stands, Told, WentOn,
};
use crate::http::handlers::wish::Wish;
use crate::http::tus;
use crate::vault::{Share, VaultPath};

pub use crate::http::handlers::resumable::refusal;

/// Where users' uploads are taken in.
struct House {
    /// Whose the caller's uploads are, on drives that may have been in another house, too.
    owner: [String; 1],
}

impl House {
    /// For a caller.
    ///
    /// Errors: `Refused`.
    fn of(call: &Call<'_>) -> Result<Self> {
        Ok(Self { owner: [call.app.owner_of(call.user()?.id)] })
    }
}

impl Desk for House {
    fn address(&self) -> String {
        tus::UPLOADS.to_owned()
    }

    fn owner(&self) -> &str {
        let [owner] = &self.owner;
        owner
    }

    fn network(&self) -> Option<&str> {
        None
    }

    fn owners(&self) -> &[String] {
        &self.owner
    }

    fn listed(&self) -> Option<&str> {
        Some(self.owner())
    }

    fn told_apart_by(&self) -> Option<String> {
        None
    }

    fn wish(&self, metadata: &str) -> Result<Wish> {
        Wish::parse(metadata)
    }

    fn place(&self, _: &Share, path: VaultPath) -> Result<VaultPath> {
        Ok(path)
    }

    fn look_again(&self, _: &Share) -> Result<()> {
        Ok(())
    }

    fn count(&self, _: u64) -> Result<()> {
        Ok(())
    }

    fn uncount(&self, _: u64) {}

    fn name(&self) -> &'static str {
        ""
    }

    fn told(&self, path: &VaultPath, _: &str) -> String {
        path.as_str().to_owned()
    }
}

/// `OPTIONS /api/uploads`.
#[expect(clippy::unnecessary_wraps, reason = "a handler may be refused; this one never is")]
pub fn tell(_: &mut Call<'_>, (): ()) -> Result<Told> {
    Ok(resumable::tell())
}

/// `POST /api/uploads`.
///
/// Errors: those of `resumable::begin`.
pub fn begin(call: &mut Call<'_>, _: Beginning) -> Result<Begun> {
    let house = House::of(call)?;
    resumable::begin(call, &house)
}

/// `GET /api/uploads`.
///
/// Errors: those of `resumable::list`.
pub fn list(call: &mut Call<'_>, _: About) -> Result<Answer<Vec<Listed>>> {
    let house = House::of(call)?;
    resumable::list(call, &house)
}

/// `PATCH /api/uploads/<id>`.
///
/// Errors: those of `resumable::go_on`.
pub fn go_on(call: &mut Call<'_>, _: GoingOn) -> Result<WentOn> {
    let house = House::of(call)?;
    resumable::go_on(call, &house)
}

/// `HEAD /api/uploads/<id>`.
///
/// Errors: those of `resumable::look`.
pub fn look(call: &mut Call<'_>, _: About) -> Result<Stands> {
    let house = House::of(call)?;
    resumable::look(call, &house)
}

/// `DELETE /api/uploads/<id>`.
///
/// Errors: those of `resumable::remove`.
pub fn remove(call: &mut Call<'_>, _: About) -> Result<Dropped> {
    let house = House::of(call)?;
    resumable::remove(call, &house)
}
