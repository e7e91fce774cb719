//! Second factors: a sealed secret and the last step whose code was taken, in the user's row, and recovery codes, of
//! which only hashes are known here.

use rusqlite::{Transaction, params};

use super::user::User;
use super::users::{UserStore, begin};
use crate::error::{Error, Result, SignInProblem};
use crate::threads::locked;

/// What is said to who has one.
pub const ON_ALREADY: Error = Error::Conflict("The second factor is on already");

impl UserStore {
    /// Turns the second factor of a user on, who is as they are told here, with the code of this step taken; on the disk
    /// when this returns. One-time codes that would sign them in without it end.
    ///
    /// Errors: `Conflict` (it is on already), `SignIn` (they are gone, or got another password, meanwhile).
    pub fn turn_factor_on(
        &self,
        user: &User,
        sealed: &str,
        step: i64,
        recovery: &[String],
    ) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        let is_there = transaction
            .prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND epoch = ?2")?
            .exists([user.id, user.epoch])?;
        if !is_there {
            return Err(Error::SignIn(SignInProblem::Unauthorized));
        }
        let turned = transaction.execute(
            "UPDATE users SET totp = ?2, totp_step = ?3 WHERE id = ?1 AND totp IS NULL",
            params![user.id, sealed, step],
        )?;
        if turned == 0 {
            return Err(ON_ALREADY);
        }
        transaction.execute("DELETE FROM recovery WHERE user_id = ?1", [user.id])?;
        for hash in recovery {
            transaction.execute("INSERT INTO recovery VALUES (?1, ?2)", params![user.id, hash])?;
        }
        transaction.execute("DELETE FROM signin_codes WHERE user_id = ?1", [user.id])?;
        Ok(transaction.commit()?)
    }

    /// Turns it off; on the disk when this returns.
    pub fn turn_factor_off(&self, id: i64) -> Result<()> {
        let mut writer = locked(&self.writer);
        let transaction = begin(&mut writer)?;
        forget(&transaction, id)?;
        Ok(transaction.commit()?)
    }

    /// Takes the code of a step: whoever hears yes was the only one, and none of this or an earlier step is taken any
    /// more. That is on the disk.
    pub fn take_factor_step(&self, id: i64, sealed: &str, step: i64) -> Result<bool> {
        let taken = locked(&self.writer).execute(
            "UPDATE users SET totp_step = ?3 WHERE id = ?1 AND totp = ?2 AND totp_step < ?3",
            params![id, sealed, step],
        )?;
        Ok(taken > 0)
    }

    /// Takes a recovery code by its hash, likewise.
    pub fn take_recovery_code(&self, id: i64, hash: &str) -> Result<bool> {
        let taken = locked(&self.writer)
            .execute("DELETE FROM recovery WHERE user_id = ?1 AND hash = ?2", params![id, hash])?;
        Ok(taken > 0)
    }
}

/// Leaves nothing of it.
fn forget(transaction: &Transaction<'_>, id: i64) -> Result<()> {
    transaction.execute("UPDATE users SET totp = NULL, totp_step = 0 WHERE id = ?1", [id])?;
    transaction.execute("DELETE FROM recovery WHERE user_id = ?1", [id])?;
    Ok(())
}
