//! Our own keys for one idp.

use super::build::BuildError;
use crate::config;
use crate::saml::certificate::Certificate;
use crate::saml::private_key::PrivateKey;

/// Our own keys for one idp.
pub(super) struct Keys {
    /// The newest first.
    pub(super) decrypt: Vec<PrivateKey>,
    /// Of the newest.
    pub(super) certificate: Option<Certificate>,
}

impl Keys {
    pub(super) fn new(settings: &config::Saml) -> Result<Self, BuildError> {
        let keys = settings.key.iter().chain(&settings.previous_key);
        let decrypt: Vec<_> = keys.map(PrivateKey::from_pem).collect::<Result<_, _>>()?;
        let certificate = settings
            .certificate
            .as_ref()
            .map(|pem| Certificate::from_pem(pem.expose()))
            .transpose()?;
        if let (Some(key), Some(certificate)) = (decrypt.first(), &certificate)
            && !key.fits(certificate)
        {
            return Err(BuildError::Pair);
        }
        Ok(Self {
            decrypt,
            certificate,
        })
    }

    /// What signs, where there is something.
    pub(super) fn signer(&self) -> Option<(&PrivateKey, &Certificate)> {
        self.decrypt.first().zip(self.certificate.as_ref())
    }
}
