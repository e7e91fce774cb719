//! What is told of each role, kept for as long as the roles are the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::Roles;
use crate::{limits, threads};

/// A text for each role, which depends on the roles and on the role's name alone. Pages ask for their rights with
/// whatever else they show, and that answer is some kilobytes.
#[derive(Default)]
pub struct RoleTexts(Mutex<Kept>);

/// See `RoleTexts`.
#[derive(Default)]
struct Kept {
    /// Of which roles.
    roles: Arc<Roles>,
    /// By the name of the role.
    texts: BTreeMap<String, Arc<[u8]>>,
}

impl RoleTexts {
    /// The text of a role; `make` makes it where there is none of these roles.
    pub fn of<E>(
        &self,
        roles: &Arc<Roles>,
        role: &str,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<[u8]>, E> {
        if let Some(text) = threads::locked(&self.0).find(roles, role) {
            return Ok(text);
        }
        let text: Arc<[u8]> = make()?.into();
        threads::locked(&self.0).keep(roles, role, &text);
        Ok(text)
    }
}

impl Kept {
    /// What was kept of these roles.
    fn find(&self, roles: &Arc<Roles>, role: &str) -> Option<Arc<[u8]>> {
        let are_same = Arc::ptr_eq(&self.roles, roles);
        are_same.then(|| self.texts.get(role).cloned()).flatten()
    }

    /// Keeps one more. Those of other roles go, and all where there are too many.
    fn keep(&mut self, roles: &Arc<Roles>, role: &str, text: &Arc<[u8]>) {
        if !Arc::ptr_eq(&self.roles, roles) {
            *self = Self { roles: Arc::clone(roles), texts: BTreeMap::new() };
        }
        if self.texts.len() >= limits::ROLE_TEXTS_MAX {
            self.texts.clear();
        }
        self.texts.insert(role.to_owned(), Arc::clone(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a role, if `made` is made now.
    fn text(texts: &RoleTexts, roles: &Arc<Roles>, role: &str, made: &str) -> String {
        let text = texts.of(roles, role, || Ok::<_, ()>(made.into())).unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn a_text_is_of_these_roles_and_this_role_alone() {
        let (before, after, texts) = (Arc::default(), Arc::default(), RoleTexts::default());
        assert_eq!(text(&texts, &before, "ana", "first"), "first");
        assert_eq!(text(&texts, &before, "ana", "second"), "first");
        assert_eq!(text(&texts, &before, "eve", "third"), "third");
        assert_eq!(text(&texts, &after, "ana", "fourth"), "fourth");
        // Somebody who came in before the change is told what held then.
        assert_eq!(text(&texts, &before, "ana", "fifth"), "fifth");
    }

    #[test]
    fn what_failed_is_not_kept() {
        let (roles, texts) = (Arc::default(), RoleTexts::default());
        assert_eq!(texts.of(&roles, "ana", || Err(1)), Err(1));
        assert_eq!(text(&texts, &roles, "ana", "made"), "made");
    }

    #[test]
    fn there_are_never_more_than_the_bound() {
        let (roles, texts) = (Arc::default(), RoleTexts::default());
        for number in 0..=limits::ROLE_TEXTS_MAX * 2 {
            text(&texts, &roles, &number.to_string(), "");
        }
        assert!(threads::locked(&texts.0).texts.len() <= limits::ROLE_TEXTS_MAX);
    }
}
