//! Result tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037), and the key set that relying parties
//! verify them with (RFC 7517).
//!
//! One key is derived from each master secret: the newest signs, all are published and accepted, so that
//! rotating the secrets rotates the keys and invalidates no token. Algorithm, keys, issuer and audience are
//! fixed by the server and never taken from a token (S20; RFC 8725).

use aws_lc_rs::{
    error::Unspecified,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm,
        OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, ThumbprintHash,
    },
};
use otp::{Assurance, Channel, ResultToken, Timestamp, VerificationId};
use serde::{Deserialize, Serialize};

use crate::{derived_keys::derive_key, keyring::Keyring};

/// Longest token that is read, in bytes.
const LONGEST: usize = 4096;

/// Signs and verifies result tokens.
pub struct Tokens {
    issuer: String,
    /// Newest first.
    keys: Vec<Key>,
    jwks: String,
}

struct Key {
    id: String,
    signing: EncodingKey,
    checking: DecodingKey,
}

/// The token was not issued by this server for this site, or was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid result token of this site")]
pub struct InvalidToken;

/// Claims of a token. Times are seconds since the Unix epoch (RFC 7519).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: VerificationId,
    jti: VerificationId,
    iat: u64,
    exp: u64,
    channel: Channel,
    purpose: String,
    assurance: Assurance,
    recipient_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

impl Tokens {
    /// Derives the keys from the master secrets, for tokens of this issuer.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn derive(keyring: &Keyring, issuer: &str) -> Result<Self, Unspecified> {
        let mut keys = Vec::new();
        let mut published = Vec::new();
        for secret in keyring.secrets() {
            let (key, public) = key_pair(&derive_key(secret, b"latchkey result token")?)?;
            keys.push(key);
            published.push(public);
        }
        let jwks = serde_json::to_string(&JwkSet { keys: published }).map_err(|_| Unspecified)?;
        Ok(Self { issuer: issuer.to_owned(), keys, jwks })
    }

    /// Signs a token.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn sign(&self, token: &ResultToken) -> Result<String, Unspecified> {
        let key = self.keys.first().ok_or(Unspecified)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id.clone());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: token.audience.clone(),
            sub: token.verification,
            jti: token.verification,
            iat: token.issued_at.as_millis() / 1000,
            exp: token.expires_at.as_millis() / 1000,
            channel: token.channel,
            purpose: token.purpose.clone(),
            assurance: token.assurance,
            recipient_hash: token.recipient_hash.clone(),
            state: token.page_state.clone(),
            origin: token.origin.clone(),
            test: token.rehearsal,
        };
        encode(&header, &claims, &key.signing).map_err(|_| Unspecified)
    }

    /// Verifies a token for `audience`; returns its verification and its expiry. The caller has to check
    /// the expiry, in the step that redeems the result.
    ///
    /// # Errors
    /// If the token was not issued by this server for this audience.
    pub fn read(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<(VerificationId, Timestamp), InvalidToken> {
        let invalid = |_| InvalidToken;
        if token.len() > LONGEST {
            return Err(InvalidToken);
        }
        let header = decode_header(token).map_err(invalid)?;
        let key = self.keys.iter().find(|key| header.kid.as_ref() == Some(&key.id));
        let key = key.ok_or(InvalidToken)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        // The library would use the system clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = decode::<Claims>(token, &key.checking, &validation).map_err(invalid)?.claims;
        Ok((claims.sub, Timestamp::from_millis(claims.exp.saturating_mul(1000))))
    }

    /// The public keys, as a JWK Set in JSON.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }
}

/// Shows the number of keys only.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({} keys)", self.keys.len())
    }
}

/// Makes a key pair and its published half, identified by its thumbprint (RFC 7638).
fn key_pair(seed: &[u8; 32]) -> Result<(Key, Jwk), Unspecified> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Unspecified)?;
    let private = pair.to_pkcs8v1()?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let checking = DecodingKey::from_ed_components(&x).map_err(|_| Unspecified)?;
    let mut public = Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::EdDSA),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x,
        }),
    };
    let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| Unspecified)?;
    public.common.key_id = Some(id.clone());
    Ok((Key { id, signing: EncodingKey::from_ed_der(private.as_ref()), checking }, public))
}

#[cfg(test)]
mod tests;
