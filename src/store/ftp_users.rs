//! The FTP users. They are a people of their own: an FTP user is no user, and knows a hash only, never
//! a password.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::schema::MIGRATIONS;
use crate::error::{Error, Result};
use crate::threads;

/// One row of `ftp_users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FtpUser {
    /// The row's number.
    pub id: i64,
    /// The name to sign in with.
    pub username: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// The home folder, relative to the share root; empty for the root itself.
    pub home: String,
    /// What they may do, as the letters of contract section 8.
    pub permissions: String,
}

/// The table, behind a connection of its own.
pub struct FtpUserStore(Mutex<Connection>);

impl FtpUserStore {
    /// Opens `users.db`, making it if need be.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self(Mutex::new(super::open(path, MIGRATIONS, true)?)))
    }

    /// Everybody, sorted by name.
    pub fn all(&self) -> Result<Vec<FtpUser>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, username, password, homedir, permissions FROM ftp_users ORDER BY username",
        )?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The user with this name, exactly as written.
    pub fn by_username(&self, username: &str) -> Result<Option<FtpUser>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, username, password, homedir, permissions FROM ftp_users WHERE username = ?1",
        )?;
        Ok(statement.query_row([username], read_row).optional()?)
    }

    /// Adds a user; `id` is not looked at.
    ///
    /// Errors: `Collision` when the name is taken.
    pub fn insert(&self, user: &FtpUser) -> Result<()> {
        let added = self.lock().execute(
            "INSERT INTO ftp_users(username, password, homedir, permissions) VALUES (?1, ?2, ?3, ?4)",
            params![user.username, user.password_hash, user.home, user.permissions],
        );
        match added {
            Ok(_) => Ok(()),
            Err(cause)
                if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                Err(Error::Collision("Username already exists"))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    /// Changes what is not `None` of a user, if their home and permissions are still as in `before`; says
    /// whether they were.
    pub fn edit(
        &self,
        before: &FtpUser,
        password_hash: Option<&str>,
        home: Option<&str>,
        permissions: Option<&str>,
    ) -> Result<bool> {
        let changed = self.lock().execute(
            "UPDATE ftp_users SET password = coalesce(?4, password),
                homedir = coalesce(?5, homedir), permissions = coalesce(?6, permissions)
             WHERE id = ?1 AND homedir = ?2 AND permissions = ?3",
            params![before.id, before.home, before.permissions, password_hash, home, permissions],
        )?;
        Ok(changed > 0)
    }

    /// Removes a user, if their home and permissions are still as in `before`; says whether they were.
    pub fn delete(&self, before: &FtpUser) -> Result<bool> {
        let removed = self.lock().execute(
            "DELETE FROM ftp_users WHERE id = ?1 AND homedir = ?2 AND permissions = ?3",
            params![before.id, before.home, before.permissions],
        )?;
        Ok(removed > 0)
    }

    /// Locks it.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        threads::locked(&self.0)
    }
}

/// One row, in the order of the statements above.
fn read_row(row: &Row<'_>) -> rusqlite::Result<FtpUser> {
    Ok(FtpUser {
        id: row.get(0)?,
        username: row.get(1)?,
        password_hash: row.get(2)?,
        home: row.get(3)?,
        permissions: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cam() -> FtpUser {
        FtpUser {
            id: 1,
            username: "cam".to_owned(),
            password_hash: "$argon2id$x".to_owned(),
            home: "photos".to_owned(),
            permissions: "elw".to_owned(),
        }
    }

    #[test]
    fn a_user_is_added_once_changed_in_part_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = FtpUserStore::open(&folder.path().join("users.db")).unwrap();
        store.insert(&cam()).unwrap();
        assert!(matches!(store.insert(&cam()), Err(Error::Collision("Username already exists"))));
        assert_eq!(store.by_username("cam").unwrap(), Some(cam()));
        assert_eq!(store.by_username("Cam").unwrap(), None);
        assert!(store.edit(&cam(), None, None, Some("l")).unwrap());
        let changed = FtpUser { permissions: "l".to_owned(), ..cam() };
        assert_eq!(store.all().unwrap(), std::slice::from_ref(&changed));
        // What was judged is not there any more.
        assert!(!store.edit(&cam(), None, None, Some("elr")).unwrap());
        assert!(!store.delete(&cam()).unwrap());
        assert!(store.delete(&changed).unwrap());
        assert!(!store.delete(&changed).unwrap());
    }
}
