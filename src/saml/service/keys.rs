//! Our own keys for one idp.

use super::build::BuildError;
use crate::config;
use crate::saml::certificate::Certificate;
use crate::saml::private_key::PrivateKey;
use crate::secret::Secret;

/// Our own keys for one idp.
pub(super) struct Keys {
    /// The one that signs first; the other of a roll behind it.
    pub(super) decrypt: Vec<PrivateKey>,
    /// Of these keys, in the same order, as far as there are some.
    pub(super) certificates: Vec<Certificate>,
}

impl Keys {
    pub(super) fn new(settings: &config::Saml) -> Result<Self, BuildError> {
        let mut its = Self {
            decrypt: Vec::new(),
            certificates: Vec::new(),
        };
        its.take(settings.key.as_ref(), settings.certificate.as_ref())?;
        its.take(
            settings.previous_key.as_ref(),
            settings.previous_certificate.as_ref(),
        )?;
        Ok(its)
    }

    fn take(&mut self, key: Option<&Secret>, pem: Option<&Secret>) -> Result<(), BuildError> {
        let key = key.map(PrivateKey::from_pem).transpose()?;
        let read = |pem: &Secret| Certificate::from_pem(pem.expose());
        let certificate = pem.map(read).transpose()?;
        if let (Some(key), Some(certificate)) = (&key, &certificate)
            && !key.fits(certificate)
        {
            return Err(BuildError::Pair);
        }
        self.decrypt.extend(key);
        self.certificates.extend(certificate);
        Ok(())
    }

    /// What signs, where there is something.
    pub(super) fn signer(&self) -> Option<(&PrivateKey, &Certificate)> {
        self.decrypt.first().zip(self.certificates.first())
    }
}
