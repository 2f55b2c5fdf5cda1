//! Passwords of local accounts: bcrypt, off the async threads, a bounded number at a time.
//!
//! Refuses what bcrypt would cut or misread, and more work at once than the machine can do.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

use crate::secret::Secret;

/// Longest password bcrypt takes, bytes; a longer one is refused, never cut.
pub const MAX_PASSWORD: usize = 72;
/// So many may wait for each thread that works; with a quarter of a second each that is two seconds.
const WAITING_PER_THREAD: usize = 8;
/// A stored hash that costs more would hold a thread for minutes; it fits nothing.
const MAX_COST: u32 = 16;
/// A salt and a digest that no password is known for.
const NOBODY: &str = "BvVSHLpMoGPn1TpZEo3FeuJmQbUnmTeLRUSJ0kGkGBCwRkvk4zSGa";

/// Why a password was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Over bcrypt's limit.
    #[error("is longer than 72 bytes")]
    TooLong,
    /// Fewer characters than the setting asks for.
    #[error("is shorter than {0} characters")]
    TooShort(u32),
    /// Holds a NUL character, where bcrypt would stop reading.
    #[error("holds a NUL character")]
    Nul,
    /// Too many are being checked at this moment.
    #[error("too many sign-ins at once")]
    Busy,
    /// The library failed.
    #[error("bcrypt failed")]
    Bcrypt(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    cost: u32,
    min_length: u32,
    /// Who works and who waits.
    places: Arc<Semaphore>,
    /// Who works.
    threads: Arc<Semaphore>,
}

impl Passwords {
    /// With bcrypt's cost for new hashes, the least number of characters, and at most `at_once` threads busy.
    pub fn new(cost: u32, min_length: u32, at_once: usize) -> Self {
        let at_once = at_once.max(1);
        let places = at_once.saturating_mul(WAITING_PER_THREAD.saturating_add(1));
        Self {
            cost,
            min_length,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            threads: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Whether a new password may be one, without the work of hashing it.
    ///
    /// # Errors
    ///
    /// Too short, too long, or with a NUL.
    pub fn acceptable(&self, password: &Secret) -> Result<(), PasswordError> {
        self.prepared(password).map(drop)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    ///
    /// Too short, too long, with a NUL, or too many at once.
    pub async fn hash(&self, password: &Secret) -> Result<Secret, PasswordError> {
        self.hash_text(self.prepared(password)?).await
    }

    /// The same for a password that an idp chose: how long it must be is the idp's rule.
    ///
    /// # Errors
    ///
    /// Empty, too long, with a NUL, or too many at once.
    pub async fn hash_foreign(&self, password: &Secret) -> Result<Secret, PasswordError> {
        let text = one_spelling(password);
        if text.expose().is_empty() {
            return Err(PasswordError::TooShort(1));
        }
        whole(&text)?;
        self.hash_text(text).await
    }

    async fn hash_text(&self, text: Secret) -> Result<Secret, PasswordError> {
        let cost = self.cost;
        let work = move || bcrypt::hash(text.expose(), cost).map(Secret::new);
        self.work(work)
            .await?
            .map_err(|error| PasswordError::Bcrypt(error.into()))
    }

    /// Checks a password; without a hash it takes as long and says no.
    ///
    /// # Errors
    ///
    /// Too many at once.
    pub async fn verify(
        &self,
        password: &Secret,
        hash: Option<&Secret>,
    ) -> Result<bool, PasswordError> {
        let text = one_spelling(password);
        // bcrypt reads 72 bytes and stops at a NUL: what it would not read whole is no password of anybody.
        let readable = whole(&text).is_ok();
        let hash = hash.filter(|hash| readable && usable(hash));
        let known = hash.is_some();
        let hash = hash.cloned().unwrap_or_else(|| self.nobody());
        let text = if readable { text } else { Secret::default() };
        let same = self
            .work(move || bcrypt::verify(text.expose(), hash.expose()))
            .await?
            .map_err(|error| PasswordError::Bcrypt(error.into()))?;
        Ok(same && known)
    }

    /// As if as many were being checked as the machine can, until the answer is dropped.
    #[cfg(test)]
    pub(crate) fn fill(&self) -> OwnedSemaphorePermit {
        let all = u32::try_from(self.places.available_permits()).unwrap();
        Arc::clone(&self.places)
            .try_acquire_many_owned(all)
            .unwrap()
    }

    fn prepared(&self, password: &Secret) -> Result<Secret, PasswordError> {
        let text = one_spelling(password);
        let least = usize::try_from(self.min_length).unwrap_or(usize::MAX);
        if text.expose().chars().count() < least.max(1) {
            return Err(PasswordError::TooShort(self.min_length));
        }
        whole(&text)?;
        Ok(text)
    }

    /// A hash of the cost that new ones have.
    fn nobody(&self) -> Secret {
        Secret::new(format!("$2b${:02}${NOBODY}", self.cost))
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_full| PasswordError::Busy)?;
        let thread = Arc::clone(&self.threads)
            .acquire_owned()
            .await
            .map_err(|_closed| PasswordError::Busy)?;
        // The thread is given back by the work itself: a client that goes away does not stop it.
        let held = move || {
            let _thread: OwnedSemaphorePermit = thread;
            work()
        };
        tokio::task::spawn_blocking(held)
            .await
            .map_err(|error| PasswordError::Bcrypt(error.into()))
    }
}

/// RFC 8265 4.2.2: one spelling of composed letters, whatever the keyboard sends.
fn one_spelling(password: &Secret) -> Secret {
    Secret::new(password.expose().nfc().collect::<String>())
}

/// Whether bcrypt reads all of it.
fn whole(text: &Secret) -> Result<(), PasswordError> {
    if text.expose().len() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    if text.expose().contains('\0') {
        return Err(PasswordError::Nul);
    }
    Ok(())
}

/// Whether a stored hash is one, of a bearable cost.
fn usable(hash: &Secret) -> bool {
    hash.expose()
        .parse::<bcrypt::HashParts>()
        .is_ok_and(|parts| parts.get_cost() <= MAX_COST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Passwords {
        Passwords::new(4, 8, 1)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[tokio::test]
    async fn the_right_password_fits_and_no_other() {
        let passwords = passwords();
        let hash = passwords.hash(&secret("correct horse")).await.unwrap();
        for (text, want) in [
            ("correct horse", true),
            ("correct horsE", false),
            ("correct horse ", false),
            ("", false),
        ] {
            let fits = passwords.verify(&secret(text), Some(&hash)).await.unwrap();
            assert_eq!(fits, want, "{text}");
        }
        assert!(hash.expose().starts_with("$2b$04$"));
    }

    #[tokio::test]
    async fn nothing_is_cut() {
        let passwords = passwords();
        let longest = "a".repeat(72);
        let hash = passwords.hash(&secret(&longest)).await.unwrap();
        for (name, text, want) in [
            ("72 bytes", longest.clone(), true),
            (
                "73 bytes that start with them",
                longest.clone() + "b",
                false,
            ),
            ("what stands before a NUL", longest.clone() + "\0", false),
        ] {
            let fits = passwords.verify(&secret(&text), Some(&hash)).await.unwrap();
            assert_eq!(fits, want, "{name}");
        }
        for (name, text, want) in [
            ("too long", "a".repeat(73), "is longer than 72 bytes"),
            (
                "letters of two bytes",
                "ä".repeat(37),
                "is longer than 72 bytes",
            ),
            ("too short", "ä".repeat(7), "is shorter than 8 characters"),
            ("NUL", "12345678\0".to_owned(), "holds a NUL character"),
        ] {
            let why = passwords.hash(&secret(&text)).await.unwrap_err();
            assert_eq!(why.to_string(), want, "{name}");
            assert_eq!(
                passwords
                    .acceptable(&secret(&text))
                    .unwrap_err()
                    .to_string(),
                want
            );
        }
    }

    #[tokio::test]
    async fn a_nul_does_not_end_a_password() {
        let passwords = passwords();
        let hash = passwords.hash(&secret("12345678")).await.unwrap();
        let fits = passwords.verify(&secret("12345678\0x"), Some(&hash)).await;
        assert!(!fits.unwrap());
    }

    #[tokio::test]
    async fn one_password_whatever_the_keyboard_composes() {
        let passwords = passwords();
        let hash = passwords.hash(&secret("Zoe\u{308} am See")).await.unwrap();
        let composed = secret("Zo\u{eb} am See");
        assert!(passwords.verify(&composed, Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_and_unusable_hashes_say_no() {
        let passwords = passwords();
        let costly = secret(&passwords.nobody().expose().replace("$04$", "$31$"));
        for (name, hash) in [
            ("nobody", None),
            ("locked", Some(secret("!"))),
            (
                "not ASCII",
                Some(secret("$2b$04$äöüäöüäöüäöüäöüäöüäöüäöüäöüäöü")),
            ),
            ("costs hours", Some(costly)),
            ("the stand-in itself", Some(passwords.nobody())),
        ] {
            for text in ["", "password", "123456789"] {
                let fits = passwords.verify(&secret(text), hash.as_ref()).await;
                assert!(!fits.unwrap(), "{name} {text}");
            }
        }
    }

    #[tokio::test]
    async fn nobody_costs_what_somebody_costs() {
        let stand_in: bcrypt::HashParts =
            Passwords::new(11, 8, 1).nobody().expose().parse().unwrap();
        assert_eq!(stand_in.get_cost(), 11);
    }

    #[tokio::test]
    async fn a_crowd_is_turned_away() {
        let passwords = passwords();
        let hash = passwords.hash(&secret("correct horse")).await.unwrap();
        let _thread = passwords.threads.clone().acquire_owned().await.unwrap();
        let tries: Vec<_> = (0..12)
            .map(|_| Box::pin(passwords.verify(&hash, Some(&hash))))
            .collect();
        let turned_away = tries
            .into_iter()
            .map(|mut one| {
                let answer = futures_util::FutureExt::now_or_never(&mut one);
                (answer, one)
            })
            .collect::<Vec<_>>()
            .iter()
            .filter(|(answer, _)| matches!(answer, Some(Err(PasswordError::Busy))))
            .count();
        assert_eq!(turned_away, 3);
    }
}
