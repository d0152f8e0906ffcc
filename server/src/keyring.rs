//! The master secrets, from which all keys of the server are derived.
//!
//! They are a list, newest first: the first one is used for writing, all of them for reading. To rotate,
//! put a fresh secret in front, and remove the last one when everything made with it has expired.

use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rand::TryCryptoRng;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// Fewest bytes of a secret: the output size of HMAC-SHA-256.
const LEAST_BYTES: usize = 32;

/// Accepts missing padding and stray trailing bits, which other tools and hand-typed secrets have.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One or more master secrets of at least 32 bytes, newest first.
#[derive(Clone)]
pub struct Keyring(Arc<[SecretSlice<u8>]>);

impl Keyring {
    /// Parses secrets in base64, newest first.
    ///
    /// # Errors
    /// If there is none, or one is not base64 or too short.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyProblem> {
        let mut secrets = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            let number = index + 1;
            let text: String = text.trim().chars().map(from_url_alphabet).collect();
            let bytes = BASE64.decode(text).map_err(|_| KeyProblem::NotBase64 { number })?;
            if bytes.len() < LEAST_BYTES {
                return Err(KeyProblem::TooShort { number, bytes: bytes.len() });
            }
            secrets.push(SecretSlice::from(bytes));
        }
        if secrets.is_empty() { Err(KeyProblem::None) } else { Ok(Self(secrets.into())) }
    }

    /// The secrets, newest first. There is at least one.
    pub fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }

    /// Reads a key file with one secret a line; `None` if the file does not exist.
    ///
    /// # Errors
    /// If the file cannot be read or its content is invalid.
    pub fn read(file: &Path) -> Result<Option<Self>, KeyFileError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => SecretString::from(text),
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyFileError::Read { file: file.into(), source }),
        };
        let lines = text.expose_secret().lines().map(str::trim);
        let secrets = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        match Self::parse(secrets) {
            Ok(keyring) => Ok(Some(keyring)),
            Err(source) => Err(KeyFileError::Content { file: file.into(), source }),
        }
    }

    /// Reads a key file; creates it with one fresh secret if it does not exist. If several servers start at
    /// the same time, one of them creates the file and all use it.
    ///
    /// # Errors
    /// If the file cannot be read or written, its content is invalid, or the generator fails.
    pub fn read_or_make(file: &Path, rng: &mut impl TryCryptoRng) -> Result<Self, KeyFileError> {
        loop {
            if let Some(keyring) = Self::read(file)? {
                return Ok(keyring);
            }
            let secret = fresh_secret(rng).map_err(|_| KeyFileError::Generator)?;
            match keep(file, &secret) {
                Ok(()) => {}
                Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(KeyFileError::Write { file: file.into(), source }),
            }
        }
    }
}

/// Shows the number of secrets only.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} secrets)", self.0.len())
    }
}

/// Draws a fresh secret, in base64.
///
/// # Errors
/// The error of the generator.
pub fn fresh_secret<R: TryCryptoRng>(rng: &mut R) -> Result<SecretString, R::Error> {
    let mut bytes = zeroize::Zeroizing::new([0; LEAST_BYTES]);
    rng.try_fill_bytes(bytes.as_mut_slice())?;
    Ok(BASE64.encode(&bytes).into())
}

/// Creates a key file atomically, readable by its owner only.
fn keep(file: &Path, secret: &SecretString) -> io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    // A temporary file has mode 0600 from the start and gets its name when it is complete. An existing file
    // is never replaced, because its secrets would be lost.
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    writeln!(
        temporary,
        "# Latchkey's master secrets, newest first. The database cannot be read without"
    )?;
    writeln!(temporary, "# them; whoever has both can guess codes and read recipients.")?;
    writeln!(temporary, "{}", secret.expose_secret())?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(file).map_err(|error| error.error)?;
    std::fs::File::open(directory)?.sync_all()
}

fn from_url_alphabet(c: char) -> char {
    match c {
        '-' => '+',
        '_' => '/',
        other => other,
    }
}

/// A list of secrets is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// The list is empty.
    #[error("contains no secret")]
    None,
    /// A secret is not base64.
    #[error("secret {number} is not base64")]
    NotBase64 {
        /// Position in the list, from 1.
        number: usize,
    },
    /// A secret is too short.
    #[error("secret {number} has {bytes} bytes, and needs at least 32")]
    TooShort {
        /// Position in the list, from 1.
        number: usize,
        /// Its length in bytes.
        bytes: usize,
    },
}

/// The key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("reading the key file {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The content is invalid.
    #[error("parsing the key file {}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The problem.
        source: KeyProblem,
    },
    /// The file cannot be created.
    #[error("creating the key file {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("drawing a fresh secret")]
    Generator,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::rngs::SysRng;

    use super::*;

    #[test]
    fn a_missing_key_file_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("data/latchkey.keys");

        let made = Keyring::read_or_make(&file, &mut SysRng).unwrap();
        let read = Keyring::read_or_make(&file, &mut SysRng).unwrap();

        assert!(made.secrets().eq(read.secrets()));
        assert_eq!(made.secrets().count(), 1);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_first_secret_of_a_file_is_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        let (new, old) = (BASE64.encode([1; 32]), BASE64.encode([2; 40]));
        std::fs::write(&file, format!("# a comment\n{new}\n\n  {old}  \n")).unwrap();

        let keyring = Keyring::read(&file).unwrap().unwrap();

        assert_eq!(keyring.secrets().collect::<Vec<_>>(), [&[1; 32][..], &[2; 40][..]]);
    }

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        let bytes = [0xfb_u8; 32];
        let padded = BASE64.encode(bytes);
        let bare = padded.trim_end_matches('=').replace('+', "-").replace('/', "_");

        let keyring = Keyring::parse([padded.as_str(), bare.as_str()]).unwrap();

        assert!(keyring.secrets().all(|secret| secret == bytes));
    }

    #[test]
    fn short_and_broken_secrets_are_refused_by_their_number() {
        let good = BASE64.encode([1; 32]);
        let short = BASE64.encode([1; 31]);

        assert_eq!(
            Keyring::parse([good.as_str(), short.as_str()]).unwrap_err(),
            KeyProblem::TooShort { number: 2, bytes: 31 }
        );
        assert_eq!(Keyring::parse(["?"]).unwrap_err(), KeyProblem::NotBase64 { number: 1 });
        assert_eq!(Keyring::parse([]).unwrap_err(), KeyProblem::None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = fresh_secret(&mut SysRng).unwrap();
        let keyring = Keyring::parse([secret.expose_secret()]).unwrap();

        assert_eq!(format!("{keyring:?}"), "Keyring(1 secrets)");
    }
}
