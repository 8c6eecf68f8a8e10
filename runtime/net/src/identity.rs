//! Who a node is: an ed25519 key (RFC 8032). Its public half, 32 bytes, names the node everywhere in the mesh; the secret half
//! never leaves the file and this process.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use libp2p::identity::{Keypair, PublicKey, ed25519};

use crate::error::{ErrorKind, NetError};

/// What the file of an identity begins with; the 32 bytes of the secret follow as 64 hexadecimal digits and a line's end.
const HEADER: &str = "vgdc node key 1 ";
/// The length of such a file in bytes.
const LENGTH: usize = HEADER.len() + 64 + 1;

/// The key pair of a node. Cheap to clone; its `Debug` shows the public key alone.
#[derive(Clone)]
pub struct Identity {
    pair: ed25519::Keypair,
}

impl Identity {
    /// A new key pair, from the system's randomness, that is kept in no file.
    pub fn generate() -> Self {
        Self {
            pair: ed25519::Keypair::generate(),
        }
    }

    /// The identity in a file, which is created with a new key (mode 0600) if there is none. The file is made under another name
    /// and linked into its place, so that it is there as a whole or not at all, and an existing file is never overwritten: of two
    /// processes that create it at the same time, both get the key of the first.
    ///
    /// # Errors
    /// The file cannot be read or created; others than its owner may read it; it is damaged (never replaced by itself: the
    /// node's admission to the mesh hangs on the key).
    pub fn load_or_create(path: &Path) -> Result<Self, NetError> {
        match File::open(path) {
            Ok(file) => Self::read(file, path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(e) => Err(cannot("read", path, &e)),
        }
    }

    fn read(file: File, path: &Path) -> Result<Self, NetError> {
        let mode = file
            .metadata()
            .map_err(|e| cannot("read", path, &e))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let text = format!(
                "the node key {} can be read by others (mode {:o}): chmod 600 it, and if others had access, \
                 remove the node from the mesh and let it join with a new key",
                path.display(),
                mode & 0o777
            );
            return Err(NetError::new(ErrorKind::Identity, text));
        }
        let mut text = Vec::new();
        // (a byte more than there may be, so that a longer file is noticed and no file fills the memory)
        file.take(LENGTH as u64 + 1)
            .read_to_end(&mut text)
            .map_err(|e| cannot("read", path, &e))?;
        let secret = parse(&text).ok_or_else(|| damaged(path, text.len()))?;
        Self::of_secret(secret).ok_or_else(|| damaged(path, text.len()))
    }

    fn create(path: &Path) -> Result<Self, NetError> {
        let identity = Self::generate();
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| {
            NetError::new(
                ErrorKind::Identity,
                format!("the system gives no random bytes: {e}"),
            )
        })?;
        let name = format!(".node-key-{:016x}", u64::from_le_bytes(random));
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let draft = folder.join(name);
        let written = identity.write(&draft).and_then(|()| {
            // (a link fails where the name exists; a rename would replace it)
            let linked = fs::hard_link(&draft, path);
            File::open(folder).and_then(|f| f.sync_all())?;
            linked
        });
        let _ = fs::remove_file(&draft);
        match written {
            Ok(()) => Ok(identity),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let file = File::open(path).map_err(|e| cannot("read", path, &e))?;
                Self::read(file, path)
            }
            Err(e) => Err(cannot("create", path, &e)),
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut text = String::from(HEADER);
        for byte in self.pair.secret().as_ref() {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn of_secret(mut secret: [u8; 32]) -> Option<Self> {
        let secret = ed25519::SecretKey::try_from_bytes(&mut secret).ok()?;
        Some(Self {
            pair: ed25519::Keypair::from(secret),
        })
    }

    /// The public key, which is the node's name in the mesh.
    pub fn key(&self) -> [u8; 32] {
        self.pair.public().to_bytes()
    }

    /// The signature of some bytes, for [`verify`].
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        let made = self.pair.sign(bytes);
        // (ed25519 signatures are of 64 bytes)
        let length = made.len().min(64);
        signature[..length].copy_from_slice(&made[..length]);
        signature
    }

    pub(crate) fn keypair(&self) -> Keypair {
        Keypair::from(self.pair.clone())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", short(&self.key()))
    }
}

/// Whether `signature` is the signature of `bytes` by the node with that key. A key that is no point of the curve has signed nothing.
pub fn verify(key: &[u8; 32], bytes: &[u8], signature: &[u8]) -> bool {
    ed25519::PublicKey::try_from_bytes(key).is_ok_and(|key| key.verify(bytes, signature))
}

/// The beginning of a key as hexadecimal digits: enough for people to tell nodes apart, and for logs.
pub fn short(key: &[u8; 32]) -> String {
    key[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The libp2p name of a key; none for bytes that are no key.
pub(crate) fn peer_id(key: &[u8; 32]) -> Option<libp2p::PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(key).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The key in a libp2p name. (The name of an ed25519 key is the key itself behind six bytes: "identity" multihash, 36 bytes; protobuf:
/// type 1, key of 32 bytes. Specification: libp2p/specs, peer-ids.) None for names of other kinds of keys.
pub(crate) fn key_of(peer: &libp2p::PeerId) -> Option<[u8; 32]> {
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20])?;
    key.try_into().ok()
}

fn parse(text: &[u8]) -> Option<[u8; 32]> {
    let digits = text
        .strip_prefix(HEADER.as_bytes())?
        .strip_suffix(b"\n")
        .filter(|digits| digits.len() == 64)?;
    let mut secret = [0; 32];
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| (d as char).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(secret)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> NetError {
    NetError::new(
        ErrorKind::Identity,
        format!("cannot {what} the node key {}: {error}", path.display()),
    )
}

fn damaged(path: &Path, length: usize) -> NetError {
    let text = format!(
        "the node key {} is damaged: it should be the text \"{HEADER}\" and 64 hexadecimal digits, {LENGTH} bytes, and has {}: \
         restore it from a backup, or move it away, and the node gets a new key, with which it has to join the mesh again",
        path.display(),
        if length > LENGTH {
            "more".to_owned()
        } else {
            format!("{length}")
        }
    );
    NetError::new(ErrorKind::Identity, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let first = Identity::load_or_create(&path).unwrap();
        let again = Identity::load_or_create(&path).unwrap();
        assert_eq!(first.key(), again.key());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft");
    }

    #[test]
    fn a_damaged_key_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        Identity::load_or_create(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut longer = whole.clone();
        longer.push(b'0');
        let mut letter = whole.clone();
        letter[HEADER.len()] = b'x';
        for bad in [&whole[..40], &longer, &letter, b""] {
            fs::write(&path, bad).unwrap();
            let error = Identity::load_or_create(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Identity);
            assert!(error.to_string().contains("damaged"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bad);
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        Identity::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Identity::load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn processes_that_create_it_together_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Identity::load_or_create(&path).unwrap().key()))
                .collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn signatures_hold_for_their_bytes_and_key_alone() {
        let (one, two) = (Identity::generate(), Identity::generate());
        let signature = one.sign(b"text");
        assert!(verify(&one.key(), b"text", &signature));
        assert!(!verify(&one.key(), b"texts", &signature));
        assert!(!verify(&two.key(), b"text", &signature));
        assert!(!verify(&one.key(), b"text", &signature[..63]));
        assert!(!verify(&[0xff; 32], b"text", &signature));
    }

    #[test]
    fn keys_and_libp2p_names_are_each_others() {
        let key = Identity::generate().key();
        assert_eq!(key_of(&peer_id(&key).unwrap()), Some(key));
        assert_eq!(key_of(&libp2p::PeerId::random()), None);
    }
}
